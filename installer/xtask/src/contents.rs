//! What a Linux package holds beside the window, and whether a finished package holds it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::process::{Call, Stop, is_in_path};

/// Programs that travel beside the window.
pub(crate) const COMPANIONS: [&str; 2] = ["p2poold", "p2pool-miner"];
/// Files of this repository, and where they go.
const FILES: [(&str, &str); 6] = [
    ("installer/systemd/user/p2poold.service", "/usr/lib/systemd/user/p2poold.service"),
    ("installer/systemd/p2poold.service", "/usr/share/doc/p2pool-desktop/examples/p2poold.service"),
    (
        "installer/linux/org.p2pool-desktop.app.metainfo.xml",
        "/usr/share/metainfo/org.p2pool-desktop.app.metainfo.xml",
    ),
    ("LICENSE-APACHE", "/usr/share/doc/p2pool-desktop/LICENSE-APACHE"),
    ("LICENSE-MIT", "/usr/share/doc/p2pool-desktop/LICENSE-MIT"),
    ("CHANGELOG.md", "/usr/share/doc/p2pool-desktop/CHANGELOG.md"),
];
/// Manual pages.
const MAN: &str = "installer/linux/man";
/// What the packager adds by itself.
const BY_PACKAGER: [&str; 2] =
    ["/usr/bin/p2pool-desktop", "/usr/share/applications/P2Pool Desktop.desktop"];

/// Everything that is added to the window: where it lies, and where it goes.
///
/// # Errors
/// Stops where the repository lacks one of them.
pub(crate) fn extras(root: &Path, release: &Path) -> Result<Vec<(PathBuf, String)>, Stop> {
    let programs = COMPANIONS.iter().map(|name| (release.join(name), format!("/usr/bin/{name}")));
    let files = FILES.iter().map(|(from, to)| (root.join(from), (*to).to_owned()));
    let mut extras: Vec<_> = programs.chain(files).collect();
    for page in man_pages(&root.join(MAN))? {
        let name = page.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        extras.push((page, format!("/usr/share/man/man1/{name}")));
    }
    Ok(extras)
}

fn man_pages(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let missing = |error: &dyn std::fmt::Display| {
        Stop::new(
            format!("no manual pages in {} ({error})", folder.display()),
            "P2POOL_WRITE_MAN=1 cargo test -p p2poold -p p2pool-miner manual writes them.",
        )
    };
    let entries = std::fs::read_dir(folder).map_err(|error| missing(&error))?;
    let mut pages: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "1"))
        .collect();
    pages.sort();
    if pages.is_empty() { Err(missing(&"the folder is empty")) } else { Ok(pages) }
}

/// Unpacks finished packages as far as this system can, and compares what they hold.
///
/// # Errors
/// Stops at a package that lacks something, and where two kinds differ.
pub(crate) fn check(packages: &[PathBuf], extras: &[(PathBuf, String)]) -> Result<(), Stop> {
    let mut lists = Vec::new();
    for package in packages {
        let Some(listing) = listing(package) else {
            println!("  {} is not looked into: no tool here for that", package.display());
            continue;
        };
        let files = files_in(&listing);
        if let Some(lacking) = lacking(&files, extras) {
            return Err(Stop::new(
                format!("{} lacks {lacking}", package.display()),
                "Compare installer/xtask/src/contents.rs with what the packager did.",
            ));
        }
        println!("  {} holds all {} files", package.display(), files.len());
        lists.push((package, files));
    }
    for pair in lists.windows(2) {
        let [(one, files), (other, others)] = pair else { continue };
        if let Some(file) = files.symmetric_difference(others).find(|file| !is_of_a_kind(file)) {
            return Err(Stop::new(
                format!("{} and {} differ in {file}", one.display(), other.display()),
                "Both are made from one list: look into the packager's messages above.",
            ));
        }
    }
    Ok(())
}

/// What only one kind of package has by its nature.
fn is_of_a_kind(file: &str) -> bool {
    file.starts_with("/usr/lib/.build-id") || file.starts_with("/usr/share/doc/p2-pool-desktop")
}

/// The paths in a package, one a line, if this system has a tool that tells.
fn listing(package: &Path) -> Option<String> {
    let (name, here) = (package.to_string_lossy(), Path::new("."));
    match package.extension()?.to_str()? {
        "deb" => {
            let pipe = "dpkg-deb --fsys-tarfile \"$1\" | tar --list";
            Call::new("sh", &["-c", pipe, "sh", &name], here).answer()
        }
        "rpm" if is_in_path("rpm") => {
            Call::new("rpm", &["--query", "--list", "--package", &name], here).answer()
        }
        "rpm" => Call::new("bsdtar", &["--list", "--file", &name], here).answer(),
        "gz" => Call::new("tar", &["--list", "--file", &name], here).answer(),
        _ => None,
    }
}

/// The files of a listing as absolute paths; folders are left out.
fn files_in(listing: &str) -> BTreeSet<String> {
    listing
        .lines()
        .map(|line| line.trim_start_matches('.').trim_start_matches('/'))
        .filter(|path| !path.is_empty() && !path.ends_with('/'))
        .map(|path| format!("/{path}"))
        .collect()
}

/// The first file that should be there and is not.
fn lacking(files: &BTreeSet<String>, extras: &[(PathBuf, String)]) -> Option<String> {
    let ours = extras.iter().map(|(_, to)| to.as_str());
    ours.chain(BY_PACKAGER).find(|path| !files.contains(*path)).map(str::to_owned)
}

/// Makes the archive for other systems from the deb: the same files, to be unpacked at `/`.
///
/// # Errors
/// Stops where a tool fails.
pub(crate) fn archive(deb: &Path, dist: &Path) -> Result<Option<PathBuf>, Stop> {
    if !is_in_path("dpkg-deb") {
        println!("  no archive: dpkg-deb is not here to open the package it is made from");
        return Ok(None);
    }
    let stem = deb.file_stem().unwrap_or_default().to_string_lossy().replace(' ', "-");
    let archive = dist.join(format!("{stem}.tar.gz"));
    let pipe = "dpkg-deb --fsys-tarfile \"$1\" | gzip -9n > \"$2\"";
    let (deb, made) = (deb.to_string_lossy(), archive.to_string_lossy());
    Call::new("sh", &["-c", pipe, "sh", &deb, &made], dist)
        .must("Check the free space in dist.")?;
    Ok(Some(archive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn everything_that_is_packed_is_in_the_repository() {
        let workspace = Workspace::find();
        let Ok(extras) = extras(workspace.root(), Path::new("/build")) else {
            panic!("there are no manual pages")
        };
        for (from, to) in &extras {
            assert!(to.starts_with("/usr/"), "{to}");
            assert!(from.starts_with("/build") || from.is_file(), "{}", from.display());
        }
        let places: BTreeSet<_> = extras.iter().map(|(_, to)| to).collect();
        assert_eq!(places.len(), extras.len(), "each has a place of its own");
        for page in ["p2poold.1", "p2poold-run.1", "p2pool-miner.1"] {
            assert!(places.contains(&format!("/usr/share/man/man1/{page}")), "{page}");
        }
    }

    #[test]
    fn what_is_missing_in_a_package_is_named() {
        let extras = [(PathBuf::from("a"), "/usr/bin/p2poold".to_owned())];
        let listing = "./\n./usr/\n./usr/bin/\n./usr/bin/p2poold\n./usr/bin/p2pool-desktop\n\
                       usr/share/applications/P2Pool Desktop.desktop\n";
        let files = files_in(listing);
        assert_eq!(files.len(), 3);
        assert_eq!(lacking(&files, &extras), None);
        assert_eq!(lacking(&files_in("./usr/\n"), &extras).as_deref(), Some("/usr/bin/p2poold"));
    }

    #[test]
    fn service_is_not_switched_on_by_being_installed() {
        let wants = FILES.iter().any(|(_, to)| to.contains(".wants/") || to.contains("preset"));
        assert!(!wants);
        let window = include_str!("../../../src-tauri/tauri.conf.json");
        assert!(!window.contains("postInstallScript"), "nothing runs at installation");
    }

    #[test]
    fn catalogue_entry_tells_this_version() {
        let entry = include_str!("../../linux/org.p2pool-desktop.app.metainfo.xml");
        let version = env!("CARGO_PKG_VERSION");
        assert!(entry.contains(&format!("<release version=\"{version}\"")), "{version}");
    }
}

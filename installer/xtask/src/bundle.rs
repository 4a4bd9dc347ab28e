//! `cargo xtask bundle`: release programs, then one deb and one rpm that hold all three with their
//! manual pages and services, and an archive of the same for other systems.
//!
//! The packager is the prebuilt `@tauri-apps/cli` of the UI's own packages; it needs no network.
//! AppImage, the Windows installer and disk images are not made here: their packagers download
//! parts of themselves.

use std::path::{Path, PathBuf};

use crate::contents;
use crate::needs::Scope;
use crate::process::{Call, Stop};
use crate::setup;
use crate::workspace::Workspace;

/// Builds the packages of this system and collects them in `dist`.
///
/// # Errors
///
/// Stops where packages cannot be made, and at the first step that fails.
pub(crate) fn bundle(workspace: &Workspace) -> Result<(), Stop> {
    if !cfg!(target_os = "linux") {
        return Err(Stop::new(
            "packages are made on Linux only, so far",
            "To run the application from this checkout: cargo xtask run",
        ));
    }
    setup::prepare(workspace, Scope::Window)?;
    let release = workspace.target()?.join("release");

    println!("\n== Release build of the node and the CPU miner");
    Call::cargo(
        &["build", "--release", "--package", "p2poold", "--package", "p2pool-miner"],
        workspace.root(),
    )
    .must("The first error above is the one to mend.")?;

    println!("\n== Release build of the window, and the packages");
    // The packager looks for the built UI before it builds the program that would build it.
    Call::npm(&["run", "build"], &workspace.ui()).must("Mend what the UI's build names above.")?;
    let made = release.join("bundle");
    forget(&made)?;
    let extras = contents::extras(workspace.root(), &release)?;
    let template = workspace.root().join("installer/linux/p2pool-desktop.desktop");
    let config = write_config(&release, &config(&extras, &template))?;
    let cli = workspace.ui().join("node_modules/@tauri-apps/cli/tauri.js");
    if !cli.is_file() {
        return Err(Stop::new(
            "the packager is not among the UI's packages",
            "Add @tauri-apps/cli to ui/package.json, then run npm install in ui.",
        ));
    }
    let (cli, config) = (cli.to_string_lossy(), config.to_string_lossy());
    Call::new(
        "node",
        &[&cli, "build", "--ci", "--bundles", "deb,rpm", "--config", &config],
        &workspace.shell(),
    )
    .must("The first error above is the one to mend; cargo xtask setup finds missing libraries.")?;

    println!("\n== Packages");
    let mut packages = collect(&made, &workspace.dist())?;
    let is_deb = |package: &&PathBuf| package.extension().is_some_and(|e| e == "deb");
    if let Some(deb) = packages.iter().find(is_deb) {
        packages.extend(contents::archive(deb, &workspace.dist())?);
    }
    println!("\n== What they hold");
    contents::check(&packages, &extras)
}

/// Removes packages of an earlier build, so that none is collected by mistake.
fn forget(folder: &Path) -> Result<(), Stop> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(cannot("remove", folder, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes what is added to `tauri.conf.json` for packaging only.
fn write_config(release: &Path, config: &str) -> Result<PathBuf, Stop> {
    let path = release.join("tauri.bundle.json");
    std::fs::write(&path, config).map_err(|error| cannot("write", &path, &error))?;
    Ok(path)
}

/// The same extra files and the same desktop entry for both package kinds.
fn config(extras: &[(PathBuf, String)], template: &Path) -> String {
    let files: Vec<String> = extras
        .iter()
        .map(|(from, to)| format!("{}: {}", json_text(to), json_text(&from.to_string_lossy())))
        .collect();
    let kind = format!(
        "{{\"files\": {{{}}}, \"desktopTemplate\": {}}}",
        files.join(", "),
        json_text(&template.to_string_lossy())
    );
    format!("{{\"bundle\": {{\"active\": true, \"linux\": {{\"deb\": {kind}, \"rpm\": {kind}}}}}}}")
}

/// A JSON string. Paths here contain no control characters worth naming.
fn json_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Copies every package from the packager's folders to `dist` and lists them.
fn collect(made: &Path, dist: &Path) -> Result<Vec<PathBuf>, Stop> {
    std::fs::create_dir_all(dist).map_err(|error| cannot("create", dist, &error))?;
    let mut copies = Vec::new();
    for kind in ["deb", "rpm"] {
        let folder = made.join(kind);
        let entries = std::fs::read_dir(&folder).map_err(|e| cannot("read", &folder, &e))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let (true, Some(name)) =
                (path.extension().is_some_and(|e| e == kind), path.file_name())
            else {
                continue;
            };
            let copy = dist.join(name);
            let bytes =
                std::fs::copy(&path, &copy).map_err(|error| cannot("write", &copy, &error))?;
            println!("  {}  {}.{} MB", copy.display(), bytes / 1_000_000, bytes / 100_000 % 10);
            copies.push(copy);
        }
    }
    if copies.is_empty() {
        return Err(Stop::new(
            "the packager made no package",
            format!("Look into {} and at its messages above.", made.display()),
        ));
    }
    Ok(copies)
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Stop {
    Stop::new(
        format!("cannot {verb} {} ({error})", path.display()),
        "Check the rights of that folder and the free space, then try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_each_file_once_per_package_kind() {
        let extras = [("/a/p2poold", "/usr/bin/p2poold"), ("/b/x.1", "/usr/share/man/man1/x.1")];
        let extras = extras.map(|(from, to)| (PathBuf::from(from), to.to_owned()));
        let text = config(&extras, Path::new("/c/entry.desktop"));
        for (from, to) in extras {
            let entry = format!("\"{to}\": \"{}\"", from.display());
            assert_eq!(text.matches(&entry).count(), 2, "{text}");
        }
        assert_eq!(text.matches("\"desktopTemplate\": \"/c/entry.desktop\"").count(), 2);
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(json_text("a\\b\"c"), r#""a\\b\"c""#);
    }
}

//! Where data folders of a Bitcoin node may lie, on every system.
//!
//! Functions of the system's name and a few variables, so that all systems are tested on one.

use std::env;
use std::path::{Path, PathBuf};

/// A family of operating systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux and whatever else keeps `~/.bitcoin`.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// The variables of an environment that name folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// `HOME`, on Windows `USERPROFILE`.
    pub home: Option<PathBuf>,
    /// `APPDATA`, Windows only.
    pub app_data: Option<PathBuf>,
    /// `LOCALAPPDATA`, Windows only.
    pub local_app_data: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, Linux only.
    pub config_home: Option<PathBuf>,
}

/// Why a folder may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FolderKind {
    /// Where the program keeps its data unless told otherwise.
    Usual,
    /// Windows: where versions before 28 did; if it exists, later ones go on with it.
    UsualOnce,
    /// The one that was chosen in the program's window.
    Chosen,
    /// Of the Snap package.
    Snap,
    /// Of the Flatpak package.
    Flatpak,
    /// Of a service that the system starts.
    Service,
}

/// A folder that may hold a node's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Why it may be one.
    pub(crate) kind: FolderKind,
    /// Where its configuration file lies if the folder itself has none.
    pub(crate) conf_elsewhere: Option<PathBuf>,
}

impl System {
    /// The system that this program was built for.
    pub fn this() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

impl Variables {
    /// The variables of this process.
    pub fn of_this_process() -> Self {
        let folder = |name| env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        Self {
            home: folder(if cfg!(windows) { "USERPROFILE" } else { "HOME" }),
            app_data: folder("APPDATA"),
            local_app_data: folder("LOCALAPPDATA"),
            config_home: folder("XDG_CONFIG_HOME"),
        }
    }
}

/// The folder that a node started without `-datadir` uses; `exists` tells whether a folder is there.
pub(crate) fn usual_folder(
    system: System,
    variables: &Variables,
    exists: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let mut usual = usual_folders(system, variables);
    let once = usual.iter().find(|c| c.kind == FolderKind::UsualOnce && exists(&c.folder)).cloned();
    once.or_else(|| usual.drain(..).find(|c| c.kind == FolderKind::Usual)).map(|c| c.folder)
}

/// Every folder worth a look, the likeliest first. Nothing is looked at here.
pub(crate) fn candidates(system: System, variables: &Variables) -> Vec<Candidate> {
    let mut candidates = usual_folders(system, variables);
    if system != System::Linux {
        return candidates;
    }
    let mut add = |folder: PathBuf, kind, conf_elsewhere: Option<&str>| {
        if candidates.iter().all(|known| known.folder != folder) {
            let conf_elsewhere = conf_elsewhere.map(PathBuf::from);
            candidates.push(Candidate { folder, kind, conf_elsewhere });
        }
    };
    if let Some(home) = &variables.home {
        add(home.join("snap/bitcoin-core/common/.bitcoin"), FolderKind::Snap, None);
        // The package starts its programs with -datadir="$XDG_DATA_HOME".
        let flatpak = home.join(".var/app/org.bitcoincore.bitcoin-qt/data");
        add(flatpak, FolderKind::Flatpak, None);
    }
    // Core's own example of a service names these two; many guides name the third.
    let service = PathBuf::from("/var/lib/bitcoind");
    add(service, FolderKind::Service, Some("/etc/bitcoin/bitcoin.conf"));
    add("/home/bitcoin/.bitcoin".into(), FolderKind::Service, None);
    candidates
}

/// The file in which the program's window on Linux keeps the folder chosen there.
pub(crate) fn chosen_folder_file(system: System, variables: &Variables) -> Option<PathBuf> {
    let home = || variables.home.as_ref().map(|home| home.join(".config"));
    let folder =
        (system == System::Linux).then(|| variables.config_home.clone().or_else(home)).flatten()?;
    Some(folder.join("Bitcoin/Bitcoin-Qt.conf"))
}

/// The folder named in that file. Names that would have to be decoded are left out.
pub(crate) fn chosen_folder(text: &str) -> Option<PathBuf> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("strDataDir="))?;
    let is_plain = !value.is_empty() && !value.contains(['\\', '"', ',', ';']);
    is_plain.then(|| PathBuf::from(value))
}

fn usual_folders(system: System, variables: &Variables) -> Vec<Candidate> {
    let below = |folder: &Option<PathBuf>, name: &str, kind| {
        let folder = folder.as_ref()?.join(name);
        Some(Candidate { folder, kind, conf_elsewhere: None })
    };
    let home = &variables.home;
    let found = match system {
        System::Linux => [below(home, ".bitcoin", FolderKind::Usual), None],
        System::MacOs => {
            let name = "Library/Application Support/Bitcoin";
            [below(home, name, FolderKind::Usual), None]
        }
        System::Windows => [
            below(&variables.app_data, "Bitcoin", FolderKind::UsualOnce),
            below(&variables.local_app_data, "Bitcoin", FolderKind::Usual),
        ],
    };
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Variables {
        Variables {
            home: Some("/home/me".into()),
            app_data: Some(r"C:\Users\me\AppData\Roaming".into()),
            local_app_data: Some(r"C:\Users\me\AppData\Local".into()),
            config_home: None,
        }
    }

    fn folders(system: System, variables: &Variables) -> Vec<PathBuf> {
        candidates(system, variables).into_iter().map(|c| c.folder).collect()
    }

    #[test]
    fn linux_has_packages_and_services() {
        let expected = [
            "/home/me/.bitcoin",
            "/home/me/snap/bitcoin-core/common/.bitcoin",
            "/home/me/.var/app/org.bitcoincore.bitcoin-qt/data",
            "/var/lib/bitcoind",
            "/home/bitcoin/.bitcoin",
        ];
        assert_eq!(folders(System::Linux, &me()), expected.map(PathBuf::from));
        let service = candidates(System::Linux, &me()).remove(3);
        assert_eq!(service.conf_elsewhere, Some("/etc/bitcoin/bitcoin.conf".into()));

        let bitcoin = Variables { home: Some("/home/bitcoin".into()), ..Variables::default() };
        let of_bitcoin = folders(System::Linux, &bitcoin);
        assert_eq!(of_bitcoin.iter().filter(|f| f.ends_with("bitcoin/.bitcoin")).count(), 1);

        let nobody = folders(System::Linux, &Variables::default());
        assert_eq!(nobody.len(), 2);
    }

    #[test]
    fn macos_has_one_and_windows_two_with_the_older_first() {
        let mac = Variables { home: Some("/Users/me".into()), ..Variables::default() };
        let library = PathBuf::from("/Users/me/Library/Application Support/Bitcoin");
        assert_eq!(folders(System::MacOs, &mac), std::slice::from_ref(&library));
        assert_eq!(usual_folder(System::MacOs, &mac, |_| false), Some(library));

        let roaming = PathBuf::from(r"C:\Users\me\AppData\Roaming").join("Bitcoin");
        let local = PathBuf::from(r"C:\Users\me\AppData\Local").join("Bitcoin");
        assert_eq!(folders(System::Windows, &me()), [roaming.clone(), local.clone()]);
        assert_eq!(usual_folder(System::Windows, &me(), |_| false), Some(local.clone()));
        assert_eq!(usual_folder(System::Windows, &me(), |f| f == local), Some(local));
        assert_eq!(usual_folder(System::Windows, &me(), |_| true), Some(roaming));
    }

    #[test]
    fn folder_chosen_in_the_window_is_read() {
        let file = |variables: &Variables| chosen_folder_file(System::Linux, variables);
        assert_eq!(file(&me()), Some("/home/me/.config/Bitcoin/Bitcoin-Qt.conf".into()));
        let elsewhere = Variables { config_home: Some("/cfg".into()), ..me() };
        assert_eq!(file(&elsewhere), Some("/cfg/Bitcoin/Bitcoin-Qt.conf".into()));
        assert_eq!(chosen_folder_file(System::Windows, &me()), None);

        let text = "[General]\nnDatabaseCache=450\nstrDataDir=/media/big disk/bitcoin\n";
        assert_eq!(chosen_folder(text), Some("/media/big disk/bitcoin".into()));
        assert_eq!(chosen_folder("strDataDir=/m\\xe9\n"), None);
        assert_eq!(chosen_folder("[General]\n"), None);
    }
}

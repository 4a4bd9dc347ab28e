//! This desktop, as the application sees it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use p2pool_app::api::{Outside, UnixSeconds};
use p2pool_app::{Host, Keychain, LogBook, Session};
use tauri::Manager;

use crate::keychain::SystemKeychain;
use crate::session::DesktopSession;

/// Folder of the application in the user's data folder; the same for every shell.
const FOLDER: &str = "p2pool-desktop";
/// The CPU miner's program, without the system's ending.
const MINER: &str = "p2pool-miner";

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Desktop {
    version: String,
    folder: PathBuf,
    /// The user's folder of downloads, or else the home folder.
    downloads: Option<PathBuf>,
    miner: PathBuf,
    log: Arc<LogBook>,
    session: DesktopSession,
}

impl Desktop {
    /// Finds the folders of this user.
    ///
    /// # Errors
    /// The system names no folder for data.
    pub(crate) fn find(app: &tauri::App) -> anyhow::Result<Self> {
        let own = std::env::current_exe().unwrap_or_default();
        let file = format!("{MINER}{}", std::env::consts::EXE_SUFFIX);
        Ok(Self {
            version: app.package_info().version.to_string(),
            folder: app.path().local_data_dir()?.join(FOLDER),
            downloads: app.path().download_dir().or_else(|_| app.path().home_dir()).ok(),
            session: DesktopSession::new(app.handle().clone()),
            miner: own.parent().unwrap_or(Path::new("")).join(file),
            log: Arc::new(LogBook::new()),
        })
    }

    /// The log in memory.
    pub(crate) fn book(&self) -> Arc<LogBook> {
        Arc::clone(&self.log)
    }

    /// Folder of everything the application keeps.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Host for Desktop {
    fn version(&self) -> &str {
        &self.version
    }

    fn data_dir(&self) -> &Path {
        &self.folder
    }

    fn helper_program(&self) -> PathBuf {
        self.miner.clone()
    }

    fn threads_available(&self) -> u32 {
        std::thread::available_parallelism()
            .map_or(1, |threads| u32::try_from(threads.get()).unwrap_or(u32::MAX))
    }

    fn now(&self) -> UnixSeconds {
        UnixSeconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    fn session(&self) -> &dyn Session {
        &self.session
    }

    fn keychain(&self) -> &dyn Keychain {
        &SystemKeychain
    }

    fn downloads_dir(&self) -> Option<PathBuf> {
        self.downloads.clone()
    }

    fn log(&self) -> Option<Arc<LogBook>> {
        Some(self.book())
    }

    fn open(&self, place: Outside) -> io::Result<()> {
        let Some(address) = address_of(place) else { return open_settings(place) };
        let is_panel = cfg!(target_os = "macos") && !address.starts_with("https:");
        let scheme = if is_panel { "x-apple.systempreferences:" } else { "" };
        open::that_detached(format!("{scheme}{address}"))
    }
}

/// Address of a place outside the window, as this system names it; `None` if it has none.
fn address_of(place: Outside) -> Option<String> {
    let (windows, macos) = match place {
        Outside::BitcoinCoreDownloads => {
            return Some("https://bitcoincore.org/en/download/".into());
        }
        Outside::Transaction { txid } => {
            return Some(format!("https://mempool.space/tx/{}", txid.0));
        }
        Outside::TimeSettings => {
            ("ms-settings:dateandtime", "com.apple.Date-Time-Settings.extension")
        }
        Outside::NetworkSettings => ("ms-settings:network", "com.apple.Network-Settings.extension"),
        Outside::PrivacySettings => {
            ("ms-settings:privacy", "com.apple.preference.security?Privacy_LocalNetwork")
        }
    };
    if cfg!(windows) {
        Some(windows.into())
    } else if cfg!(target_os = "macos") {
        Some(macos.into())
    } else {
        None
    }
}

/// Opens GNOME's settings; other desktops have no common way.
fn open_settings(place: Outside) -> io::Result<()> {
    let panel = match place {
        Outside::TimeSettings => "datetime",
        Outside::NetworkSettings => "network",
        Outside::PrivacySettings | Outside::BitcoinCoreDownloads | Outside::Transaction { .. } => {
            "privacy"
        }
    };
    Command::new("gnome-control-center").arg(panel).spawn().map(drop)
}

/// Whether a window can be shown; without a display the toolkit would end the program.
///
/// # Errors
/// There is none, and what to do instead.
pub(crate) fn check_display() -> anyhow::Result<()> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(target_os = "linux") && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        anyhow::bail!("there is no display for a window; in a terminal, run: p2poold practice");
    }
    Ok(())
}

/// Whether starting the program a second time shows the window of the first. On Linux that goes
/// over the session bus.
pub(crate) fn has_way_back() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let runtime_bus = || variable("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("bus"));
    variable("DBUS_SESSION_BUS_ADDRESS").is_some() || runtime_bus().is_some_and(|bus| bus.exists())
}

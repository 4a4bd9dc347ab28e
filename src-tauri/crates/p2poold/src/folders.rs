//! Where things lie on each system.

use std::env;
use std::path::{Path, PathBuf};

/// Folder of the application in the user's data folder; the same for every shell.
const FOLDER: &str = "p2pool-desktop";

/// The default data folder; `None` on a system that does not say where one is.
pub(crate) fn data_dir() -> Option<PathBuf> {
    base_folder(|name| env::var_os(name).map(PathBuf::from)).map(|base| base.join(FOLDER))
}

/// The user's data folder, from what `variable` knows. Relative paths count as not set, as the
/// XDG base directory specification wants it.
fn base_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    }
}

/// A program of ours, which lies where this one does.
pub(crate) fn beside_this_program(name: &str) -> PathBuf {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let own = env::current_exe().unwrap_or_default();
    own.parent().unwrap_or(Path::new("")).join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn data_folder_follows_the_xdg_specification() {
        let folder = |data: Option<&str>, home: Option<&str>| {
            base_folder(|name| {
                let text = if name == "HOME" { home } else { data };
                text.map(PathBuf::from)
            })
        };
        assert_eq!(folder(Some("/data"), Some("/home/me")), Some("/data".into()));
        assert_eq!(folder(None, Some("/home/me")), Some("/home/me/.local/share".into()));
        assert_eq!(folder(Some("data"), Some("/home/me")), Some("/home/me/.local/share".into()));
        assert_eq!(folder(None, None), None);
    }

    #[test]
    fn companion_programs_are_looked_for_beside_this_one() {
        let path = beside_this_program("p2pool-miner");
        assert_eq!(path.parent(), env::current_exe().unwrap().parent());
    }
}

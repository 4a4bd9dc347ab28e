//! Starting with the person's session: XDG autostart, a login item or the run key. The system's
//! own state is the only one; it is read back each time.

use std::path::PathBuf;

use p2pool_app::SessionError;

use super::refused;

/// Starts in the tray, without a window.
pub(crate) const HIDDEN: &str = "--hidden";

/// This program, where the system would start it.
fn program() -> Result<PathBuf, SessionError> {
    std::env::current_exe().map_err(refused)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io::ErrorKind;
    use std::path::{Path, PathBuf};

    use super::{HIDDEN, SessionError, program, refused};

    /// Our file in the folder of programs that start with the session.
    const FILE: &str = "autostart/org.p2pool-desktop.app.desktop";

    pub(crate) fn is_on() -> Result<bool, SessionError> {
        match fs::read_to_string(path()?) {
            Ok(text) => Ok(is_enabled(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(refused(error)),
        }
    }

    pub(crate) fn set(is_on: bool) -> Result<(), SessionError> {
        let path = path()?;
        if is_on {
            let folder = path.parent().unwrap_or(Path::new(""));
            fs::create_dir_all(folder).map_err(refused)?;
            return fs::write(&path, entry(&program()?)).map_err(refused);
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(refused(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn path() -> Result<PathBuf, SessionError> {
        let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        config.map(|it| it.join(FILE)).ok_or_else(|| SessionError("there is no home folder".into()))
    }

    pub(super) fn entry(program: &Path) -> String {
        let path: String = program.display().to_string().chars().map(quoted).collect();
        format!(
            "[Desktop Entry]\nType=Application\nName=P2Pool Desktop\nExec=\"{path}\" {HIDDEN}\n\
             Icon=p2pool-desktop\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
        )
    }

    /// A character as it stands in quotes, where some have a meaning of their own.
    fn quoted(letter: char) -> String {
        match letter {
            '"' | '`' | '$' | '\\' => format!("\\{letter}"),
            '%' => "%%".to_owned(),
            plain => plain.to_string(),
        }
    }

    /// Desktops switch an entry off by a line in it.
    pub(super) fn is_enabled(entry: &str) -> bool {
        let says = |name: &str, value: &str| {
            entry.lines().any(|line| {
                let pair = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
                pair.is_some_and(|(key, word)| key == name && word.eq_ignore_ascii_case(value))
            })
        };
        !says("Hidden", "true") && !says("X-GNOME-Autostart-enabled", "false")
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use auto_launch::AutoLaunchBuilder;

    use super::{HIDDEN, SessionError, program, refused};

    fn entry() -> Result<auto_launch::AutoLaunch, SessionError> {
        AutoLaunchBuilder::new()
            .set_app_name("P2Pool Desktop")
            .set_app_path(&program()?.display().to_string())
            .set_args(&[HIDDEN])
            .build()
            .map_err(refused)
    }

    pub(crate) fn is_on() -> Result<bool, SessionError> {
        entry()?.is_enabled().map_err(refused)
    }

    pub(crate) fn set(is_on: bool) -> Result<(), SessionError> {
        let entry = entry()?;
        if is_on { entry.enable() } else { entry.disable() }.map_err(refused)
    }
}

pub(super) use system::{is_on, set};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;

    use super::system::{entry, is_enabled};

    #[test]
    fn entry_starts_the_program_hidden_wherever_it_lies() {
        let plain = entry(Path::new("/usr/bin/p2pool-desktop"));
        assert!(plain.contains("Exec=\"/usr/bin/p2pool-desktop\" --hidden\n"), "{plain}");
        let odd = entry(Path::new("/home/a \"b\" $c 5%/p2pool-desktop"));
        assert!(odd.contains(r#"Exec="/home/a \"b\" \$c 5%%/p2pool-desktop""#), "{odd}");
        assert!(is_enabled(&plain));
    }

    #[test]
    fn entry_that_the_desktop_switched_off_is_off() {
        let entry = entry(Path::new("/usr/bin/p2pool-desktop"));
        assert!(!is_enabled(&format!("{entry}Hidden=true\n")));
        let off = entry.replace("enabled=true", "enabled=false");
        assert!(!is_enabled(&off));
    }
}

//! Files of the application: the settings both shells share, and what the window remembers.

pub(crate) mod files;
#[cfg(test)]
mod kill;
mod last_run;
pub(crate) mod table;
mod transfer;

use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use p2pool_node::{RawSettings, Settings, SettingsError};
use serde::{Deserialize, Serialize};

use crate::api::{AmountUnit, Appearance, Motion, TemperatureUnit, Theme, UnixSeconds};
use crate::host::Host;

pub(crate) use files::write_toml;
pub(crate) use last_run::{LastRun, LastWish};
pub(crate) use transfer::Transfer;

/// Settings, written by hand or by the set-up; `p2poold` reads the same format.
const SETTINGS_FILE: &str = "settings.toml";
/// Copy of the last settings that could be read.
const SETTINGS_COPY: &str = "settings.copy.toml";
/// What the window remembers.
const APPEARANCE_FILE: &str = "appearance.toml";
/// Folder of the practice node, in the data folder.
const PRACTICE_DIR: &str = "practice";

/// Settings, and whether an older copy had to stand in for them.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) raw: RawSettings,
    /// When the copy was made that replaced a damaged file.
    pub(crate) restored: Option<Restored>,
}

/// A damaged settings file was replaced by its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Restored {
    /// When the copy was made.
    pub(crate) copied_at: UnixSeconds,
    /// What was wrong with the file, and where it lies now.
    pub(crate) technical: String,
}

/// Reads the settings and keeps a copy of them; a damaged file is set aside and its copy put in
/// its place.
///
/// # Errors
/// The file cannot be read, or is damaged and there is no good copy.
pub(crate) fn read(data_dir: &Path, now: UnixSeconds) -> Result<Read, SettingsError> {
    let path = data_dir.join(SETTINGS_FILE);
    let copy = data_dir.join(SETTINGS_COPY);
    match RawSettings::read(&path) {
        Ok(raw) => {
            keep_copy(&path, &copy);
            Ok(Read { raw, restored: None })
        }
        Err(damage @ SettingsError::Damaged { .. }) => {
            let raw = match RawSettings::read(&copy) {
                Ok(raw) if copy.exists() => raw,
                Ok(_) | Err(_) => return Err(damage),
            };
            let aside = data_dir.join(format!("settings.damaged-{}.toml", now.0));
            let copied_at = modified(&copy);
            replace(&path, &aside, &copy)
                .map_err(|error| SettingsError::Unreadable { path, reason: error.to_string() })?;
            let technical = format!("{damage}; kept as {}", aside.display());
            Ok(Read { raw, restored: Some(Restored { copied_at, technical }) })
        }
        Err(error) => Err(error),
    }
}

/// Changes the settings in their file: what stands in it now, not what once was read.
///
/// # Errors
/// The file is damaged or cannot be written.
pub(crate) fn change(
    data_dir: &Path,
    change: impl FnOnce(&mut RawSettings),
) -> Result<RawSettings, SettingsError> {
    let mut raw = current(data_dir)?;
    change(&mut raw);
    keep(data_dir, &raw)?;
    Ok(raw)
}

/// The settings as they stand in their file now.
///
/// # Errors
/// The file is damaged or cannot be read.
pub(crate) fn current(data_dir: &Path) -> Result<RawSettings, SettingsError> {
    RawSettings::read(&data_dir.join(SETTINGS_FILE))
}

/// Writes the settings.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(data_dir: &Path, raw: &RawSettings) -> Result<(), SettingsError> {
    let path = data_dir.join(SETTINGS_FILE);
    let written = write_toml(&path, raw);
    written.map_err(|error| SettingsError::Unreadable {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    keep_copy(&path, &data_dir.join(SETTINGS_COPY));
    Ok(())
}

/// Settings of the practice node. Mining waits for the person.
///
/// # Errors
/// Values out of range, all at once.
pub(crate) fn practice(raw: &RawSettings, host: &dyn Host) -> Result<Settings, SettingsError> {
    let data_dir = host.data_dir().join(PRACTICE_DIR);
    let checked = raw.practice.check(data_dir, host.helper_program())?;
    Ok(Settings { mines_at_start: false, ..checked })
}

fn replace(path: &Path, aside: &Path, copy: &Path) -> io::Result<()> {
    fs::rename(path, aside)?;
    fs::copy(copy, path).map(drop)
}

/// A copy is a convenience: that it cannot be made is no reason to stop.
fn keep_copy(path: &Path, copy: &Path) {
    let Ok(text) = fs::read(path) else { return };
    if fs::read(copy).is_ok_and(|old| old == text) {
        return;
    }
    if let Err(error) = files::write(copy, &text) {
        tracing::warn!(%error, path = %copy.display(), "settings not copied");
    }
}

fn modified(path: &Path) -> UnixSeconds {
    let time = fs::metadata(path).and_then(|facts| facts.modified()).unwrap_or(UNIX_EPOCH);
    UnixSeconds(SystemTime::duration_since(&time, UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// The settings file as it stands; empty without one.
pub(crate) fn text(data_dir: &Path) -> String {
    fs::read_to_string(data_dir.join(SETTINGS_FILE)).unwrap_or_default()
}

/// A moment as people write it: `2026-11-22 14:05 UTC`.
pub(crate) fn date(at: UnixSeconds) -> String {
    let (days, secs) = (at.0 / 86_400, at.0 % 86_400);
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era + carry;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", secs / 3_600, secs % 3_600 / 60)
}

/// What stands in the file of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AppearanceFile {
    theme: Theme,
    amounts: AmountUnit,
    temperature: TemperatureUnit,
    text_percent: u32,
    motion: Motion,
    colour_safe: bool,
}

impl AppearanceFile {
    /// The choices as a file holds them.
    pub(crate) fn new(theme: Theme, look: Appearance) -> Self {
        let Appearance { amounts, temperature, text_percent, motion, colour_safe } = look;
        Self { theme, amounts, temperature, text_percent, motion, colour_safe }
    }

    /// The choices chosen last. A file that says nothing usable counts as no choice.
    pub(crate) fn read(data_dir: &Path) -> Self {
        files::read_or_default(&data_dir.join(APPEARANCE_FILE))
    }

    /// Remembers the choices.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub(crate) fn write(&self, data_dir: &Path) -> io::Result<()> {
        write_toml(&data_dir.join(APPEARANCE_FILE), self)
    }

    /// The theme.
    pub(crate) fn theme(&self) -> Theme {
        self.theme
    }

    /// Everything else, within its bounds.
    pub(crate) fn look(&self) -> Appearance {
        let Self { amounts, temperature, text_percent, motion, colour_safe, .. } = *self;
        Appearance { amounts, temperature, text_percent, motion, colour_safe }.bounded()
    }
}

impl Default for AppearanceFile {
    fn default() -> Self {
        Self::new(Theme::default(), Appearance::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn folder(settings: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(SETTINGS_FILE), settings).unwrap();
        dir
    }

    #[test]
    fn missing_settings_are_empty_ones() {
        let dir = tempfile::tempdir().unwrap();
        let read = read(dir.path(), NOW).unwrap();
        assert_eq!((read.raw, read.restored), (RawSettings::default(), None));
    }

    #[test]
    fn damaged_settings_are_set_aside_for_their_copy() {
        let good = "[practice]\nthreads = 3\n";
        let dir = folder(good);
        read(dir.path(), NOW).unwrap();
        fs::write(dir.path().join(SETTINGS_FILE), "[practice]\nthreads = \0").unwrap();

        let again = read(dir.path(), NOW).unwrap();

        assert_eq!(again.raw.practice.threads, Some(3));
        assert!(again.restored.unwrap().copied_at.0 > 0);
        assert_eq!(fs::read_to_string(dir.path().join(SETTINGS_FILE)).unwrap(), good);
        let aside = fs::read(dir.path().join("settings.damaged-1800000000.toml")).unwrap();
        assert!(aside.ends_with(b"\0"));
    }

    #[test]
    fn damaged_settings_without_a_copy_are_refused_and_left_alone() {
        let dir = folder("[practice]\nthread = 3\n");
        assert!(matches!(read(dir.path(), NOW), Err(SettingsError::Damaged { .. })));
        assert!(dir.path().join(SETTINGS_FILE).exists());
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_868_799, "2000-02-29 23:59 UTC"),
            (1_709_251_200, "2024-03-01 00:00 UTC"),
            (1_800_000_000, "2027-01-15 08:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(date(UnixSeconds(at)), text);
        }
    }

    #[test]
    fn appearance_is_remembered_and_nonsense_is_no_choice() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(AppearanceFile::read(dir.path()), AppearanceFile::default());
        let look = Appearance { amounts: AmountUnit::Sats, ..Appearance::default() };
        let chosen = AppearanceFile::new(Theme::Dark, look);
        chosen.write(dir.path()).unwrap();
        let read = AppearanceFile::read(dir.path());
        assert_eq!((read.theme(), read.look()), (Theme::Dark, look));
        fs::write(dir.path().join(APPEARANCE_FILE), "theme = 7").unwrap();
        assert_eq!(AppearanceFile::read(dir.path()), AppearanceFile::default());
        fs::write(dir.path().join(APPEARANCE_FILE), "text_percent = 900").unwrap();
        assert_eq!(AppearanceFile::read(dir.path()).look().text_percent, 150);
    }

    /// Acceptance 59: whatever a kill leaves, the next start has the old or the new settings.
    #[test]
    fn half_written_settings_are_never_read() {
        let good = "[practice]\nthreads = 3\n";
        let dir = folder(good);
        fs::write(dir.path().join("settings.toml.new"), "[practice]\nthr").unwrap();
        assert_eq!(read(dir.path(), NOW).unwrap().raw.practice.threads, Some(3));
        change(dir.path(), |raw| raw.practice.threads = Some(4)).unwrap();
        assert_eq!(read(dir.path(), NOW).unwrap().raw.practice.threads, Some(4));
        assert!(!dir.path().join("settings.toml.new").exists());
    }

    #[test]
    fn everything_that_can_be_chosen_is_written_and_read_back() {
        let dir = folder("");
        let full = |raw: &mut RawSettings| {
            raw.run.address = Some("bc1q".into());
            raw.run.reserve = Some(p2pool_node::RawReserve {
                rpc_url: "http://10.0.0.6:8332".into(),
                rpc_cookie: Some("/cookie".into()),
                rpc_user: None,
                rpc_password_file: None,
            });
            raw.run.donation = Some(1);
            raw.run.door.share_factor = Some(7);
            raw.p2p.peers = vec!["a.example:9333".into()];
            raw.practice.p2p.port = Some(7);
        };
        let written = change(dir.path(), full).unwrap();
        assert_eq!(read(dir.path(), NOW).unwrap().raw, written);
    }
}

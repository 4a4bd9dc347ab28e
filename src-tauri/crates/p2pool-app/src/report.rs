//! The report that a person can save: versions, settings, check-up and log, masked.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::api::{CheckUp, LogLine, ReportFile, ReportPreview, ReportShows};
use crate::mask::masked;

/// Lines of the log in a report.
pub(crate) const REPORT_LINES: usize = 5_000;
/// Characters of each file that the window shows beforehand.
const BEGINNING_CHARS: usize = 4_000;

/// What a report is made of.
#[derive(Clone, Debug)]
pub(crate) struct Material {
    pub(crate) version: String,
    pub(crate) settings: String,
    pub(crate) check_up: CheckUp,
    pub(crate) log: Vec<LogLine>,
    /// Words that name this computer or its user.
    pub(crate) names: Vec<String>,
}

/// The files of a report: name and text.
pub(crate) fn files(material: &Material, shows: ReportShows) -> Vec<(&'static str, String)> {
    let Material { version, settings, check_up, log, names } = material;
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let versions = format!("P2Pool Desktop {version}\n{system}\n");
    let check_up = serde_json::to_string_pretty(check_up).unwrap_or_else(|error| error.to_string());
    let mut lines = String::new();
    for line in log {
        let LogLine { at, level, message, raw, .. } = line;
        lines.push_str(&format!("{} {level:?} {message} | {raw}\n", at.0));
    }
    let texts = [
        ("versions.txt", versions),
        ("settings.toml", without_secrets(settings)),
        ("check-up.json", check_up),
        ("log.txt", lines),
    ];
    texts.map(|(name, text)| (name, masked(&text, shows, names))).into()
}

/// What the window shows before it is saved.
pub(crate) fn preview(files: &[(&'static str, String)]) -> ReportPreview {
    let file = |(name, text): &(&'static str, String)| ReportFile {
        name: (*name).to_owned(),
        bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
        beginning: text.chars().take(BEGINNING_CHARS).collect(),
    };
    ReportPreview { files: files.iter().map(file).collect() }
}

/// The archive.
///
/// # Errors
/// Text beyond what an archive can hold.
pub(crate) fn archive(files: &[(&'static str, String)]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, text) in files {
        zip.start_file(*name, options).map_err(io::Error::other)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish().map_err(io::Error::other)?.into_inner())
}

/// Saves a file under a name that is not taken; returns where.
///
/// # Errors
/// There is no folder for it, or it cannot be written.
pub(crate) fn save(folder: Option<&Path>, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let folder = folder.ok_or_else(|| io::Error::other("no folder for it"))?;
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    let mut file = fs::File::create_new(&path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(path)
}

/// Words that name this computer or its user.
pub(crate) fn names(data_dir: &Path) -> Vec<String> {
    let parts: Vec<String> =
        data_dir.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let homes = parts.windows(2).filter(|pair| pair[0] == "home" || pair[0] == "Users");
    homes.map(|pair| pair[1].clone()).chain(sysinfo::System::host_name()).collect()
}

/// Settings hold no secrets; what somebody wrote into the file by hand is taken out.
fn without_secrets(settings: &str) -> String {
    let is_secret = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().to_ascii_lowercase();
        ["password", "secret", "pin", "token"].iter().any(|word| key.trim().ends_with(word))
    };
    let lines = settings.lines().map(|line| {
        let key = line.split('=').next().unwrap_or_default();
        if is_secret(line) { format!("{key}= \"•••\"") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::api::{Checks, Ladder, LateAdvice, UnixSeconds, UnpaidShares};
    use crate::api::{LogLevel, LogSource};

    fn material() -> Material {
        let line = |message: &str| LogLine {
            number: 1,
            at: UnixSeconds(1_800_000_000),
            level: LogLevel::Info,
            source: LogSource::Pool,
            message: message.into(),
            raw: "p2pool_node::p2p: peer=203.0.113.5:9333".into(),
        };
        Material {
            version: "0.1.0".into(),
            settings: "[bitcoin]\nurl = \"http://umbrel.local:8332\"\npassword = \"hunter2\"\n"
                .into(),
            check_up: CheckUp {
                health: Vec::new(),
                tests: Checks::default(),
                ladder: Ladder { reached: 0, open: None },
                late: LateAdvice::default(),
                unpaid: UnpaidShares::default(),
            },
            log: vec![line("alice pays bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")],
            names: vec!["alice".into()],
        }
    }

    #[test]
    fn a36_report_has_no_password_address_ip_or_name_unless_ticked() {
        let bytes = archive(&files(&material(), ReportShows::default())).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut all = String::new();
        for index in 0..zip.len() {
            zip.by_index(index).unwrap().read_to_string(&mut all).unwrap();
        }
        for private in ["hunter2", "bc1qw508", "203.0.113.5", "alice", "umbrel.local"] {
            assert!(!all.contains(private), "{private} in {all}");
        }
        assert!(all.contains("P2Pool Desktop 0.1.0") && all.contains("[address]"));

        let shows = ReportShows { addresses: true, ips: true, hosts: true };
        let shown: String = files(&material(), shows).into_iter().map(|(_, text)| text).collect();
        for ticked in ["bc1qw508", "203.0.113.5", "alice", "umbrel.local"] {
            assert!(shown.contains(ticked), "{ticked}");
        }
        assert!(!shown.contains("hunter2"), "secrets are never shown");
    }

    #[test]
    fn preview_lists_what_the_archive_holds() {
        let files = files(&material(), ReportShows::default());
        let names: Vec<_> = preview(&files).files.into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["versions.txt", "settings.toml", "check-up.json", "log.txt"]);
    }
}

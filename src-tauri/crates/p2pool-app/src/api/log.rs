//! The log as the window shows it, and the report that can be saved.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::UnixSeconds;

/// Most lines in one batch or answer.
pub const LOG_BATCH_MAX: usize = 5_000;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogLine {
    /// Its number, rising by one.
    #[ts(type = "number")]
    pub number: u64,
    /// When.
    pub at: UnixSeconds,
    /// How much it matters.
    pub level: LogLevel,
    /// What it is about.
    pub source: LogSource,
    /// The sentence.
    pub message: String,
    /// Where in the program it was written, and the values with it, for the raw view.
    pub raw: String,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LogLevel {
    /// Every message.
    Trace,
    /// Every decision.
    Debug,
    /// A change that a person would notice.
    Info,
    /// Unusual, but running.
    Warn,
    /// Something stopped.
    Error,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LogSource {
    /// The Bitcoin node.
    Node,
    /// The pool: share chain, members, records.
    Pool,
    /// Miners and their door.
    Miners,
    /// The application itself.
    App,
}

/// Lines of the log, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogLines {
    /// At most [`LOG_BATCH_MAX`].
    pub lines: Vec<LogLine>,
    /// Whether there are older ones than these.
    pub has_older: bool,
}

/// A report before it is saved: its files, as they would be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ReportPreview {
    /// In the order in which they stand in the archive.
    pub files: Vec<ReportFile>,
}

/// A file of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ReportFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u32,
    /// How it begins.
    pub beginning: String,
}

/// What a report shows that is otherwise masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct ReportShows {
    /// Bitcoin addresses in full.
    pub addresses: bool,
    /// IP addresses.
    pub ips: bool,
    /// Names of computers and folders of users.
    pub hosts: bool,
}

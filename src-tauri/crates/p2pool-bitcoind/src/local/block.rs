//! Our lines in somebody else's file: how they are written, found again and taken out.
//!
//! All that is needed to undo a change stands in the file itself, so it works after a reinstall and
//! after other lines were changed.

use std::ops::Range;

use crate::local::conf::{ConfFile, Entry, Value, lines};
use crate::local::login::NAME_PREFIX;

const BEGIN: &str = "# --- added by P2Pool Desktop";
const END: &str = "# --- end P2Pool Desktop ---";

/// A moment as people write it; in which time zone is the caller's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Year.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
}

impl Stamp {
    /// The moment in universal time.
    pub fn from_unix_s(unix_s: u64) -> Self {
        let (days, seconds) = (unix_s / 86_400, unix_s % 86_400);
        let (year, month, day) = civil(days);
        let small = |number: u64| u8::try_from(number).expect("below 60");
        let (hour, minute) = (small(seconds / 3600), small(seconds / 60 % 60));
        Self { year, month, day, hour, minute, second: small(seconds % 60) }
    }

    fn for_people(self) -> String {
        let Self { year, month, day, hour, minute, .. } = self;
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }

    /// For the name of a file.
    pub(crate) fn for_files(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }
}

/// The date of a day, counted from 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u16, u8, u8) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    // Every 400 years have the same days; what is left takes at most 400 steps.
    let (mut year, mut days) = (1970 + days / 146_097 * 400, days % 146_097);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let day = u8::try_from(days + 1).expect("at most 31");
    (u16::try_from(year).unwrap_or(u16::MAX), month, day)
}

/// Remembers what a `server` line outside our block was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerNote {
    /// Number of its line in the file without our block.
    pub(crate) line: u32,
    /// The text after `=`.
    pub(crate) value: Vec<u8>,
}

/// Our lines as they stand in a file.
struct Block {
    /// From the first marker to the line feed of the last one.
    range: Range<usize>,
    /// Lines in between that are not ours.
    foreign: Vec<Range<usize>>,
    /// Whether its lines end with carriage return and line feed.
    is_crlf: bool,
    user: Option<String>,
    note: Option<ServerNote>,
}

/// A file without our lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stripped {
    pub(crate) bytes: Vec<u8>,
    /// Whether there were any.
    pub(crate) had_block: bool,
    /// Whether a `server` line that we had changed was not found again.
    pub(crate) is_server_left_on: bool,
    /// Name of the login in our lines.
    pub(crate) user: Option<String>,
}

/// Our lines, ready to be put into a file.
pub(crate) fn render(body: &[Vec<u8>], stamp: Stamp, is_crlf: bool) -> Vec<u8> {
    let eol: &[u8] = if is_crlf { b"\r\n" } else { b"\n" };
    let begin = format!("{BEGIN} {}, remove this block to undo ---", stamp.for_people());
    let mut all = vec![begin.into_bytes()];
    all.extend_from_slice(body);
    all.push(END.into());
    let mut block = Vec::new();
    for line in all {
        block.extend_from_slice(&line);
        block.extend_from_slice(eol);
    }
    block
}

/// The line that remembers what another line was.
pub(crate) fn note_line(note: &ServerNote) -> Vec<u8> {
    let mut line = format!("# line {} was server=", note.line).into_bytes();
    line.extend_from_slice(&note.value);
    line
}

/// Puts a block at the end of the global part.
///
/// Where a file does not end with a line feed, neither does the block at its end: so
/// [`strip`] knows that it has to take back the line feed before it.
pub(crate) fn insert(bytes: &[u8], block: &[u8]) -> Vec<u8> {
    let file = ConfFile::parse(bytes.to_owned());
    let at = file.global_end();
    let (before, after) = bytes.split_at(at);
    let eol_length = if block.ends_with(b"\r\n") { 2 } else { 1 };
    let (block, eol) = block.split_at(block.len() - eol_length);
    let is_open = !before.is_empty() && !before.ends_with(b"\n");
    let first: &[u8] = if is_open { eol } else { b"" };
    let last: &[u8] = if after.is_empty() && !before.ends_with(b"\n") { b"" } else { eol };
    [before, first, block, last, after].concat()
}

/// Takes all our lines out of a file and gives the line that we had changed its old value.
pub(crate) fn strip(bytes: &[u8]) -> Stripped {
    let mut stripped = Stripped::default();
    let mut note = None;
    let mut from = 0;
    for block in blocks(bytes) {
        stripped.bytes.extend_from_slice(&bytes[from..block.range.start]);
        for line in &block.foreign {
            stripped.bytes.extend_from_slice(&bytes[line.clone()]);
        }
        let is_open = !bytes[block.range.clone()].ends_with(b"\n") && block.foreign.is_empty();
        if is_open {
            let eol: &[u8] = if block.is_crlf { b"\r\n" } else { b"\n" };
            if stripped.bytes.ends_with(eol) {
                stripped.bytes.truncate(stripped.bytes.len() - eol.len());
            }
        }
        stripped.had_block = true;
        stripped.user = stripped.user.or(block.user);
        note = note.or(block.note);
        from = block.range.end;
    }
    stripped.bytes.extend_from_slice(&bytes[from..]);
    if let Some(note) = note {
        restore(&mut stripped, &note);
    }
    stripped
}

/// Gives a `server` line its old value: the one of that number, else the only one of its kind.
fn restore(stripped: &mut Stripped, note: &ServerNote) {
    let file = ConfFile::parse(stripped.bytes.clone());
    let is_ours =
        |entry: &&Entry| entry.name == "server" && entry.value == Value::Text(b"1".to_vec());
    let mut all = file.entries().iter().filter(is_ours);
    let entry = match file.entries().iter().filter(is_ours).find(|entry| entry.line == note.line) {
        Some(entry) => Some(entry),
        None => all.next().filter(|_| all.next().is_none()),
    };
    match entry {
        Some(entry) => {
            let value_at = entry.value_at.clone();
            stripped.bytes.splice(value_at, note.value.iter().copied());
        }
        None => stripped.is_server_left_on = true,
    }
}

/// Every complete block of ours. A marker without its partner is a comment like any other.
fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Vec<Range<usize>>> = None;
    for line in lines(bytes) {
        let text = bytes[line.clone()].trim_ascii_end();
        if text.starts_with(BEGIN.as_bytes()) {
            open = Some(vec![line]);
        } else if let Some(inside) = &mut open {
            inside.push(line.clone());
            if text == END.as_bytes() {
                found.push(Block::read(bytes, inside));
                open = None;
            }
        }
    }
    found
}

impl Block {
    /// Reads the lines from one marker to the other.
    fn read(bytes: &[u8], inside: &[Range<usize>]) -> Self {
        let (first, last) = (&inside[0], &inside[inside.len() - 1]);
        let whole = |line: &Range<usize>| line.start..(line.end + 1).min(bytes.len());
        let mut block = Self {
            range: first.start..whole(last).end,
            foreign: vec![],
            is_crlf: bytes[first.clone()].ends_with(b"\r"),
            user: None,
            note: None,
        };
        for line in &inside[1..inside.len() - 1] {
            let text = &bytes[line.clone()];
            if let Some(note) = read_note(text, block.is_crlf) {
                block.note = Some(note);
            } else if !block.is_ours(text) {
                block.foreign.push(whole(line));
            }
        }
        block
    }

    fn is_ours(&mut self, text: &[u8]) -> bool {
        let file = ConfFile::parse(text.to_owned());
        let [entry] = file.entries() else { return text.trim_ascii().is_empty() };
        let Value::Text(value) = &entry.value else { return false };
        let name = value.split(|byte| *byte == b':').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        let is_our_name = name.starts_with(NAME_PREFIX);
        match entry.name.as_str() {
            _ if !entry.section.is_empty() => false,
            "server" => value == b"1",
            "rpcpassword" => self.user.is_some(),
            "rpcuser" | "rpcauth" | "rpcwhitelist" if is_our_name => {
                self.user = Some(name.into_owned());
                true
            }
            _ => false,
        }
    }
}

fn read_note(text: &[u8], is_crlf: bool) -> Option<ServerNote> {
    let text = if is_crlf { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
    let rest = text.strip_prefix(b"# line ")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let line = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let value = rest[digits..].strip_prefix(b" was server=")?.to_vec();
    Some(ServerNote { line, value })
}

#[cfg(test)]
mod tests;

//! One configuration file, read exactly as Bitcoin Core reads it.
//!
//! Bytes stay bytes: nothing is decoded, so that a file of any encoding can be written back
//! unchanged but for our lines. Every rule here was checked against Bitcoin Core 31.99; the tests
//! with a true node repeat that.
//!
//! Source: Bitcoin Core, `src/common/config.cpp`, `GetConfigOptions` and `src/common/args.cpp`,
//! `InterpretKey`.

use std::fmt;
use std::ops::Range;

/// No configuration file that is longer is read.
pub(crate) const CONF_BYTES_MAX: usize = 1 << 20;

/// A mark that some editors put at the start of a file. Core takes it for a part of the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The value of one setting.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// `noname=1`: switched off.
    Negated,
    /// `noname=0`: switched on, in a roundabout way.
    Affirmed,
    /// `name=value`, without the blanks around it.
    Text(Vec<u8>),
}

/// One `name=value` line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Name of the section it counts for, empty for the global part.
    pub(crate) section: String,
    /// Name of the setting without a leading `no`.
    pub(crate) name: String,
    pub(crate) value: Value,
    /// Where the text after `=` lies in the file, without the blanks around it.
    pub(crate) value_at: Range<usize>,
    /// Number of its line, from 1.
    pub(crate) line: u32,
}

/// A `[name]` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SectionLine {
    pub(crate) name: String,
    /// Where its line begins in the file.
    pub(crate) starts_at: usize,
    pub(crate) line: u32,
}

/// What keeps Core from starting with this file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A line without `=`.
    #[error("line {line} has no '='")]
    NoEquals {
        /// Its number.
        line: u32,
    },
    /// A line that begins with `-`.
    #[error("line {line} begins with '-'")]
    LeadingDash {
        /// Its number.
        line: u32,
    },
    /// `rpcpassword` in a line with `#`.
    #[error("line {line} has a '#' beside rpcpassword")]
    HashInPassword {
        /// Its number.
        line: u32,
    },
    /// A setting that the file may not hold in this form.
    #[error("line {line} sets {name}, which a configuration file cannot")]
    NotAllowed {
        /// Its number.
        line: u32,
        /// The setting.
        name: String,
    },
}

/// A configuration file taken apart.
#[derive(Clone)]
pub(crate) struct ConfFile {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    sections: Vec<SectionLine>,
    fault: Option<Fault>,
}

impl ConfFile {
    pub(crate) fn parse(bytes: Vec<u8>) -> Self {
        let mut file = Self { bytes: Vec::new(), entries: vec![], sections: vec![], fault: None };
        let mut prefix = String::new();
        for (line, range) in (1..).zip(lines(&bytes)) {
            if let Err(fault) = file.read_line(&bytes, line, range, &mut prefix) {
                file.fault = Some(fault);
                break;
            }
        }
        file.bytes = bytes;
        file
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All settings, in the file's order; those before the fault if there is one.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn sections(&self) -> &[SectionLine] {
        &self.sections
    }

    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// Whether the first line is unreadable for Core because of an invisible mark before it.
    pub(crate) fn begins_with_mark(&self) -> bool {
        self.bytes.starts_with(BYTE_ORDER_MARK)
    }

    /// Whether this is plain text at all; a file saved as UTF-16 is not.
    pub(crate) fn has_zero_bytes(&self) -> bool {
        self.bytes.contains(&0)
    }

    /// Where the global part ends: at the first `[section]` line, or at the end of the file.
    pub(crate) fn global_end(&self) -> usize {
        self.sections.first().map_or(self.bytes.len(), |section| section.starts_at)
    }

    /// Whether most lines end with carriage return and line feed.
    pub(crate) fn is_crlf(&self) -> bool {
        let all = self.bytes.iter().filter(|byte| **byte == b'\n').count();
        let crlf = self.bytes.windows(2).filter(|pair| *pair == b"\r\n").count();
        crlf * 2 > all
    }

    fn read_line(
        &mut self,
        bytes: &[u8],
        line: u32,
        range: Range<usize>,
        prefix: &mut String,
    ) -> Result<(), Fault> {
        let starts_at = range.start;
        let full = &bytes[range.clone()];
        let hash = full.iter().position(|byte| *byte == b'#');
        let end = hash.map_or(range.end, |at| starts_at + at);
        let range = trimmed(bytes, starts_at..end);
        let text = &bytes[range.clone()];
        let Some(first) = text.first() else { return Ok(()) };
        if *first == b'[' && text.ends_with(b"]") {
            let name = lossy(&text[1..text.len() - 1]);
            *prefix = format!("{name}.");
            self.sections.push(SectionLine { name, starts_at, line });
            return Ok(());
        }
        if *first == b'-' {
            return Err(Fault::LeadingDash { line });
        }
        let Some(equals) = text.iter().position(|byte| *byte == b'=') else {
            return Err(Fault::NoEquals { line });
        };
        let equals = range.start + equals;
        let key = format!("{prefix}{}", lossy(&bytes[trimmed(bytes, range.start..equals)]));
        if hash.is_some() && key.contains("rpcpassword") {
            return Err(Fault::HashInPassword { line });
        }
        let value_at = trimmed(bytes, equals + 1..range.end);
        let entry = Entry::new(&key, value_at.clone(), &bytes[value_at], line);
        entry.check()?;
        self.entries.push(entry);
        Ok(())
    }
}

impl Entry {
    fn new(key: &str, value_at: Range<usize>, text: &[u8], line: u32) -> Self {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let (name, value) = interpret(name, text);
        Self { section: section.to_owned(), name, value, value_at, line }
    }

    fn check(&self) -> Result<(), Fault> {
        let is_text = matches!(self.value, Value::Text(_));
        if self.name == "conf" || self.name == "datadir" && !is_text {
            return Err(Fault::NotAllowed { line: self.line, name: self.name.clone() });
        }
        Ok(())
    }
}

impl Value {
    /// The value as Core's text, where a switch is `0` or `1`.
    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Negated => b"0",
            Self::Affirmed => b"1",
            Self::Text(text) => text,
        }
    }

    /// The value as a switch: an empty text is on, any other text is on if it begins with a number
    /// that is not zero. So `true` and `yes` are off.
    pub(crate) fn is_on(&self) -> bool {
        match self {
            Self::Negated => false,
            Self::Affirmed => true,
            Self::Text(text) => text.is_empty() || number(text) != 0,
        }
    }
}

impl fmt::Debug for Value {
    /// Shows no text: it may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Negated => "Negated",
            Self::Affirmed => "Affirmed",
            Self::Text(_) => "Text(..)",
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.{}={:?}", self.line, self.section, self.name, self.value)
    }
}

impl fmt::Debug for ConfFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.bytes.len();
        write!(f, "ConfFile({length} bytes, {:?}, {:?})", self.entries, self.fault)
    }
}

/// A setting's name without a leading `no`, and what its text then means.
pub(crate) fn interpret(name: &str, text: &[u8]) -> (String, Value) {
    let text = Value::Text(text.to_owned());
    match name.strip_prefix("no") {
        Some(name) if text.is_on() => (name.to_owned(), Value::Negated),
        Some(name) => (name.to_owned(), Value::Affirmed),
        None => (name.to_owned(), text),
    }
}

/// The user of an `rpcauth` value, if it is well formed.
pub(crate) fn rpcauth_user(value: &[u8]) -> Option<&[u8]> {
    let mut fields = value.split(|byte| *byte == b':');
    let (user, proof, rest) = (fields.next()?, fields.next()?, fields.next());
    let halves = proof.split(|byte| *byte == b'$').count();
    (rest.is_none() && halves == 2).then_some(user)
}

/// The number at the start of a text, as C's `atoi` reads it; out of range it is the nearest one.
pub(crate) fn number(text: &[u8]) -> i64 {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let text = &text[start..];
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let size = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if is_negative { -size } else { size }
}

/// The lines of a file, without their line feeds. Nothing follows a last line feed.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| *byte == b'\n');
        let line = start..start + length.unwrap_or(rest.len());
        start = line.end + 1;
        Some(line)
    })
}

/// The part of a range that is left without the blanks at both ends.
fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let text = &bytes[range.clone()];
    match (text.iter().position(is_text), text.iter().rposition(is_text)) {
        (Some(first), Some(last)) => range.start + first..range.start + last + 1,
        _ => range.start..range.start,
    }
}

/// Names that matter are plain; in others a wrong byte becomes a mark that no name contains.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;

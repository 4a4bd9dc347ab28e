//! Recorded shares as they stand in files: JSON lines, or the reference's share store.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use p2pool_sharechain::ShareHash;
use serde::Deserialize;

use super::BooksError;

/// Longest line worth reading: a share has some kilobytes.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedLine {
    /// A share, as sent between nodes.
    Share(Vec<u8>),
    /// The recorder had verified this share: a hint, nothing more.
    Verified(ShareHash),
    /// Obsolete entries and empty lines.
    Nothing,
}

/// A line that says nothing sensible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadLine {
    /// Longer than any share.
    #[error("the line is too long")]
    TooLong,
    /// Neither a JSON object with `raw_hex` nor a share store entry.
    #[error("the line is no recorded share")]
    Form,
    /// Digits that are none.
    #[error("the line's hexadecimal digits cannot be read")]
    Hex,
}

#[derive(Deserialize)]
struct JsonLine {
    raw_hex: String,
}

/// Reads a file line by line; `take` gets each line's number (from 1) and what it says.
///
/// # Errors
/// The file cannot be read.
pub fn read_lines(
    path: &Path,
    mut take: impl FnMut(u64, Result<RecordedLine, BadLine>),
) -> Result<(), BooksError> {
    let failed = |source| BooksError::File { path: path.to_owned(), source };
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let limited = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        match limited.map_err(failed)? {
            0 => break,
            _ if line.last() != Some(&b'\n') && line.len() as u64 == LINE_BYTES_MAX => {
                take(number, Err(BadLine::TooLong));
                skip_line(&mut reader).map_err(failed)?;
            }
            _ => take(number, parse(line.trim_ascii())),
        }
    }
    Ok(())
}

fn skip_line(reader: &mut impl BufRead) -> std::io::Result<()> {
    reader.skip_until(b'\n').map(|_| ())
}

fn parse(line: &[u8]) -> Result<RecordedLine, BadLine> {
    if line.is_empty() {
        return Ok(RecordedLine::Nothing);
    }
    if line.starts_with(b"{") {
        let json: JsonLine = serde_json::from_slice(line).map_err(|_| BadLine::Form)?;
        return unhex(&json.raw_hex).map(RecordedLine::Share);
    }
    let text = std::str::from_utf8(line).map_err(|_| BadLine::Form)?;
    let (kind, data) = text.split_once(' ').ok_or(BadLine::Form)?;
    match kind {
        "0" | "1" => Ok(RecordedLine::Nothing),
        "2" if data.len() <= 64 => {
            format!("{data:0>64}").parse().map(RecordedLine::Verified).map_err(|_| BadLine::Hex)
        }
        "5" => unhex(data).map(RecordedLine::Share),
        _ => Err(BadLine::Form),
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, BadLine> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(BadLine::Hex);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(BadLine::Hex);
    digits.chunks_exact(2).map(|pair| Ok((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

/// The files `shares.0`, `shares.1`, … of a share store folder in their order, or the file
/// itself if `path` is one.
///
/// # Errors
/// The folder cannot be read.
pub fn store_files(path: &Path) -> Result<Vec<PathBuf>, BooksError> {
    let failed = |source| BooksError::File { path: path.to_owned(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut numbered = BTreeSet::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("shares.").and_then(|number| number.parse::<u64>().ok());
        if let Some(number) = number {
            numbered.insert((number, path));
        }
    }
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read_and_bad_lines_do_not_end_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shares.0");
        std::fs::write(
            &path,
            "5 00ff\n2 1d\nnonsense\n0 gone\n{\"raw_hex\":\"01\",\"x\":1}\n5 0g\n",
        )
        .unwrap();
        let mut lines = Vec::new();
        read_lines(&path, |number, line| lines.push((number, line))).unwrap();
        let verified = format!("{:0>64}", "1d").parse().unwrap();
        assert_eq!(
            lines,
            [
                (1, Ok(RecordedLine::Share(vec![0, 255]))),
                (2, Ok(RecordedLine::Verified(verified))),
                (3, Err(BadLine::Form)),
                (4, Ok(RecordedLine::Nothing)),
                (5, Ok(RecordedLine::Share(vec![1]))),
                (6, Err(BadLine::Hex)),
            ]
        );
    }

    #[test]
    fn store_files_come_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["shares.10", "shares.2", "shares.x", "addrs"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let names: Vec<_> = store_files(dir.path())
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["shares.2", "shares.10"]);
    }
}

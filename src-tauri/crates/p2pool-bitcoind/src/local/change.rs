//! An exact change of one file, as it is shown and as it is carried out.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::local::conf;

/// What is shown in place of a password.
const MASK: &str = "********";

/// Longest pair of texts, in lines of the one times lines of the other, that is compared line by
/// line; of longer ones all that differs is shown as gone and come.
const COMPARED_MAX: usize = 1 << 20;

/// An exact change of one file.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    pub(crate) path: PathBuf,
    /// `None` if the file is not there.
    pub(crate) before: Option<Vec<u8>>,
    /// `None` if the file is to go: it was ours alone.
    pub(crate) after: Option<Vec<u8>>,
    pub(crate) lines: Lines,
    pub(crate) stops_cookie: bool,
    pub(crate) leaves_server_on: bool,
}

/// Lines to add by hand. With [`LoginStyle::RpcPassword`](crate::local::LoginStyle::RpcPassword) the password is among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Lines(Vec<String>);

/// One line that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Whether it comes.
    pub is_added: bool,
    /// Its number, from 1: in the new file if it comes, in the old one if it goes.
    pub number: u32,
    /// Its text, without its end and with passwords masked.
    pub text: String,
}

impl DiffLine {
    pub(crate) fn new(is_added: bool, number: u32, text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
        let text = match text.split_once('=') {
            Some((name, _)) if name.contains("rpcpassword") => format!("{name}={MASK}"),
            _ => text,
        };
        Self { is_added, number, text }
    }
}

impl Change {
    /// The file. If it is a link, the file behind it is changed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is made anew.
    pub fn creates_file(&self) -> bool {
        self.before.is_none()
    }

    /// Whether the file goes, because there is nothing in it but our lines.
    pub fn removes_file(&self) -> bool {
        self.after.is_none()
    }

    /// Lines that come and go, in order, with passwords masked.
    pub fn diff(&self) -> Vec<DiffLine> {
        let lines = |bytes: &Option<Vec<u8>>| -> Vec<Vec<u8>> {
            let bytes = bytes.as_deref().unwrap_or_default();
            conf::lines(bytes).map(|line| bytes[line].to_vec()).collect()
        };
        diff(&lines(&self.before), &lines(&self.after))
    }

    /// The added lines without the markers.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Whether a `server=1` stays that was `server=0` before we came: the line was not found again.
    pub fn leaves_server_on(&self) -> bool {
        self.leaves_server_on
    }

    /// Whether the node will stop making its cookie file, so that programs using it lose their login.
    pub fn stops_cookie(&self) -> bool {
        self.stops_cookie
    }
}

impl fmt::Debug for Change {
    /// Shows no content: passwords may stand in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Lines {
    pub(crate) fn new(lines: &[Vec<u8>]) -> Self {
        Self(lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect())
    }

    /// The lines, to be shown to the person alone.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({})", self.0.len())
    }
}

/// What comes and goes between two texts: the shortest such list.
fn diff(old: &[Vec<u8>], new: &[Vec<u8>]) -> Vec<DiffLine> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let shared = shared_lines(old, new);
    let (mut lines, mut i, mut j) = (Vec::new(), 0, 0);
    let number = |index: usize| u32::try_from(head + index + 1).expect("files are short");
    while i < old.len() || j < new.len() {
        let is_same = i < old.len() && j < new.len() && old[i] == new[j] && !shared.is_empty();
        let goes = i < old.len()
            && (j == new.len() || shared.is_empty() || shared[i + 1][j] >= shared[i][j + 1]);
        if is_same {
            (i, j) = (i + 1, j + 1);
        } else if goes {
            lines.push(DiffLine::new(false, number(i), &old[i]));
            i += 1;
        } else {
            lines.push(DiffLine::new(true, number(j), &new[j]));
            j += 1;
        }
    }
    lines
}

/// Most lines that both texts share from each pair of places on; empty if they are too long.
fn shared_lines(old: &[Vec<u8>], new: &[Vec<u8>]) -> Vec<Vec<u32>> {
    if old.len().saturating_mul(new.len()) > COMPARED_MAX {
        return vec![];
    }
    let mut shared = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            shared[i][j] = if old[i] == new[j] {
                shared[i + 1][j + 1] + 1
            } else {
                shared[i + 1][j].max(shared[i][j + 1])
            };
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: Option<&str>, after: Option<&str>) -> Vec<String> {
        let change = Change {
            path: "bitcoin.conf".into(),
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.map(|text| text.as_bytes().to_vec()),
            lines: Lines::default(),
            stops_cookie: false,
            leaves_server_on: false,
        };
        let sign = |line: &DiffLine| if line.is_added { '+' } else { '-' };
        let show = |line: DiffLine| format!("{}{} {}", sign(&line), line.number, line.text);
        change.diff().into_iter().map(show).collect()
    }

    #[test]
    fn lines_that_come_and_go_are_shown_with_their_numbers() {
        assert_eq!(shown(None, Some("a=1\r\nb=2\r\n")), ["+1 a=1", "+2 b=2"]);
        assert_eq!(shown(Some("a=1\n"), None), ["-1 a=1"]);
        assert_eq!(shown(Some("a\nb\n"), Some("a\nb")), [""; 0]);
        assert_eq!(
            shown(Some("server=0\na\n[x]\nb\n"), Some("server=1\na\nnew\n[x]\nb\n")),
            ["-1 server=0", "+1 server=1", "+3 new"]
        );
        assert_eq!(shown(Some("k\na\nb\nc\n"), Some("k\nb\nd\nc\n")), ["-2 a", "+3 d"]);
    }

    #[test]
    fn very_long_texts_are_shown_without_comparing_every_pair() {
        let text = |end: &str| format!("{}{end}", "x\ny\n".repeat(2000));
        let (old, new) = (format!("1\n{}", text("2\n")), format!("3\n{}", text("4\n")));
        assert_eq!(shown(Some(&old), Some(&new)).len(), 2 * 4002);
    }

    #[test]
    fn passwords_are_masked() {
        let shown = shown(None, Some("main.rpcpassword = hunter2\nrpcuser=me\n"));
        assert_eq!(shown, ["+1 main.rpcpassword =********", "+2 rpcuser=me"]);
        assert_eq!(format!("{:?}", Lines(vec!["rpcpassword=hunter2".into()])), "Lines(1)");
    }
}

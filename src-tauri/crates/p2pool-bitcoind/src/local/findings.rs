//! What is worth a word in a configuration that we read anyway. Nothing of it is ever changed.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::local::access::split_port;
use crate::local::conf::{Entry, Value};
use crate::local::configuration::{Configuration, Refusal};
use crate::local::settings::Origin;

/// Settings that Core no longer knows and that once opened doors or cost money.
const OBSOLETE: [&str; 9] = [
    "allowreceivebyip",
    "gen",
    "genproclimit",
    "paytxfee",
    "rpcssl",
    "rpcsslcertificatechainfile",
    "rpcsslciphers",
    "rpcsslprivatekeyfile",
    "upnp",
];

/// Settings of which only one value counts and whose second one deceives.
const SINGLE: [&str; 8] = [
    "chain",
    "datadir",
    "rpccookiefile",
    "rpcpassword",
    "rpcport",
    "rpcuser",
    "rpcwhitelistdefault",
    "server",
];

/// Sections that Core knows.
const SECTIONS: [&str; 5] = ["main", "test", "testnet4", "signet", "regtest"];

/// Passwords with fewer characters can be guessed.
const PASSWORD_CHARS_MIN: usize = 12;
/// So can those made of fewer different ones.
const PASSWORD_KINDS_MIN: usize = 5;

/// Networks at least this wide hold a good part of the internet.
const WIDE_V4_BITS: u8 = 7;
const WIDE_V6_BITS: u8 = 15;

/// Most findings that are listed.
const FINDINGS_MAX: usize = 50;

/// One thing worth a word, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Where it stands; `None` if it concerns no single line.
    pub origin: Option<Origin>,
}

/// A thing worth a word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// `rpcallowip` lets a good part of the internet in.
    OpenToEveryone(String),
    /// `rpcbind` listens on all addresses or on a public one.
    BoundPublicly(String),
    /// Other users of this computer can read the file; `has_password` if one stands in it.
    WorldReadable {
        /// The file.
        file: PathBuf,
        /// Whether a password stands in it.
        has_password: bool,
    },
    /// The password that stands in clear can be guessed.
    WeakPassword,
    /// A setting that Core no longer knows.
    Obsolete(String),
    /// A second value of a setting of which only the first counts.
    Ignored(String),
    /// `server=true` or `server=yes`, which Core reads as off.
    NotANumber(String),
    /// A section that Core does not know: what stands in it counts for nothing.
    UnknownSection(String),
    /// The file begins with an invisible mark, so its first line counts for nothing.
    ByteOrderMark,
    /// The file has zero bytes: it was saved as UTF-16, or is damaged.
    NotPlainText,
    /// The cookie login may not call what we need, because `rpcwhitelist` does not name it.
    CookieNotWhitelisted,
    /// A file that the node reads and we may not.
    Unread(PathBuf),
    /// A configuration file in the data folder that the node passes over, because it takes another.
    /// Versions before 25 did so silently, later ones do not start.
    PassedOver(PathBuf),
    /// The node does not start with its files as they are.
    Refused(Refusal),
}

impl FindingKind {
    /// Whether it is a danger, not only an oddity.
    pub fn is_danger(&self) -> bool {
        match self {
            Self::OpenToEveryone(_)
            | Self::BoundPublicly(_)
            | Self::WorldReadable { has_password: true, .. }
            | Self::WeakPassword => true,
            Self::WorldReadable { .. }
            | Self::Obsolete(_)
            | Self::Ignored(_)
            | Self::NotANumber(_)
            | Self::UnknownSection(_)
            | Self::ByteOrderMark
            | Self::NotPlainText
            | Self::CookieNotWhitelisted
            | Self::Unread(_)
            | Self::PassedOver(_)
            | Self::Refused(_) => false,
        }
    }
}

/// Everything worth a word.
pub(crate) fn findings(configuration: &Configuration) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut add = |kind, origin| findings.push(Finding { kind, origin });
    for refusal in &configuration.refusals {
        add(FindingKind::Refused(refusal.clone()), None);
    }
    for file in &configuration.unread {
        add(FindingKind::Unread(file.clone()), None);
    }
    if let Some(file) = configuration.passed_over() {
        add(FindingKind::PassedOver(file), None);
    }
    let sources = &configuration.sources;
    for (path, conf) in &sources.files {
        let at = |line| Some(Origin::Conf { file: path.clone(), line });
        if conf.begins_with_mark() {
            add(FindingKind::ByteOrderMark, at(1));
        }
        if conf.has_zero_bytes() {
            add(FindingKind::NotPlainText, at(1));
        }
        let has_password = conf.entries().iter().any(|entry| entry.name == "rpcpassword");
        if is_world_readable(path) {
            add(FindingKind::WorldReadable { file: path.clone(), has_password }, None);
        }
        for section in conf.sections() {
            if !SECTIONS.contains(&section.name.as_str()) && !section.name.is_empty() {
                add(FindingKind::UnknownSection(section.name.clone()), at(section.line));
            }
        }
        for (number, entry) in conf.entries().iter().enumerate() {
            if let Some(kind) = of_entry(entry, &conf.entries()[..number]) {
                add(kind, at(entry.line));
            }
        }
    }
    let password = sources.single("rpcpassword", configuration.chain);
    if let Some(found) = password.filter(|found| is_weak(found.value.text())) {
        add(FindingKind::WeakPassword, Some(sources.origin(found.spot)));
    }
    findings.truncate(FINDINGS_MAX);
    findings
}

/// What is worth a word about one line, given those before it.
fn of_entry(entry: &Entry, before: &[Entry]) -> Option<FindingKind> {
    let name = entry.name.as_str();
    if OBSOLETE.contains(&name) {
        return Some(FindingKind::Obsolete(name.to_owned()));
    }
    let Value::Text(text) = &entry.value else { return None };
    let text = String::from_utf8_lossy(text).into_owned();
    match name {
        "rpcallowip" if is_wide(&text) => Some(FindingKind::OpenToEveryone(text)),
        "rpcbind" if is_public(&text) => Some(FindingKind::BoundPublicly(text)),
        "server" if !is_number(&text) => Some(FindingKind::NotANumber(text)),
        _ if SINGLE.contains(&name) && is_ignored(entry, before) => {
            Some(FindingKind::Ignored(name.to_owned()))
        }
        _ => None,
    }
}

/// Whether an earlier value in the same place counts instead of this one.
fn is_ignored(entry: &Entry, before: &[Entry]) -> bool {
    let same = |other: &&Entry| other.name == entry.name && other.section == entry.section;
    let earlier = before.iter().rev().find(same);
    earlier.is_some_and(|other| other.value != Value::Negated && other.value != entry.value)
}

fn is_weak(password: &[u8]) -> bool {
    let mut kinds = password.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    !password.is_empty()
        && (password.len() < PASSWORD_CHARS_MIN || kinds.len() < PASSWORD_KINDS_MIN)
}

fn is_number(text: &str) -> bool {
    text.is_empty() || text.parse::<i64>().is_ok()
}

/// Whether a network in one of the forms that Core reads, or once read, is a good part of the internet.
fn is_wide(text: &str) -> bool {
    if text.contains('*') {
        return true;
    }
    let Some((address, mask)) = text.split_once('/') else { return false };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let bits = match mask.parse::<IpAddr>() {
        Ok(IpAddr::V4(mask)) => u8::try_from(u32::from(mask).leading_ones()).ok(),
        Ok(IpAddr::V6(mask)) => u8::try_from(u128::from(mask).leading_ones()).ok(),
        Err(_) => mask.parse::<u8>().ok(),
    };
    let widest = match address {
        IpAddr::V4(_) => WIDE_V4_BITS,
        // All of the private networks, and all neighbours on a line, are no internet.
        IpAddr::V6(address) if address.is_unique_local() => 6,
        IpAddr::V6(address) if address.is_unicast_link_local() => 9,
        IpAddr::V6(_) => WIDE_V6_BITS,
    };
    bits.is_some_and(|bits| bits <= widest)
}

/// Whether an address to listen on is reached from outside a home.
fn is_public(text: &str) -> bool {
    match split_port(text).0.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            let is_carriers = first == 100 && (64..128).contains(&second);
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || is_carriers)
        }
        Ok(IpAddr::V6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
        Err(_) => false,
    }
}

#[cfg(unix)]
fn is_world_readable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// Elsewhere the folder's own rights count, which are not read here.
#[cfg(not(unix))]
fn is_world_readable(_: &std::path::Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::conf::ConfFile;

    /// Kinds with their line numbers.
    fn of(text: &[u8]) -> Vec<(FindingKind, u32)> {
        let configuration = Configuration::of_text(text);
        let line = |finding: Finding| match finding.origin {
            Some(Origin::Conf { line, .. }) => (finding.kind, line),
            Some(Origin::CommandLine | Origin::SettingsFile) | None => (finding.kind, 0),
        };
        findings(&configuration).into_iter().map(line).collect()
    }

    #[test]
    fn networks_that_hold_the_internet_are_found() {
        for (text, expected) in [
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("*", true),
            ("192.168.*.*", true),
            ("1.2.3.4/0.0.0.0", true),
            ("128.0.0.0/1", true),
            ("2000::/3", true),
            ("10.0.0.0/8", false),
            ("192.168.1.0/255.255.255.0", false),
            ("127.0.0.1", false),
            ("fc00::/6", true),
            ("fc00::/7", false),
            ("fe80::/10", false),
            ("nonsense/0", false),
        ] {
            assert_eq!(is_wide(text), expected, "{text}");
        }
    }

    #[test]
    fn public_addresses_to_listen_on_are_found() {
        for (text, expected) in [
            ("0.0.0.0", true),
            ("::", true),
            ("[::]:8332", true),
            ("8.8.8.8:8332", true),
            ("2001:db8::1", true),
            ("127.0.0.1:8332", false),
            ("192.168.1.5", false),
            ("100.64.0.1", false),
            ("fd00::1", false),
            ("::1", false),
            ("localhost", false),
        ] {
            assert_eq!(is_public(text), expected, "{text}");
        }
    }

    #[test]
    fn dangerous_obsolete_and_deceiving_lines_are_found_where_they_stand() {
        let text = b"allowreceivebyip=1\nrpcallowip=::/0\nrpcbind=0.0.0.0\nserver=true\nserver=1\n\
            [mainnet]\nrpcport=1\n[main]\nrpcuser=a\nrpcuser=b\nrpcpassword=hunter2\n";
        let found = of(text);
        let expected = [
            (FindingKind::Obsolete("allowreceivebyip".into()), 1),
            (FindingKind::OpenToEveryone("::/0".into()), 2),
            (FindingKind::BoundPublicly("0.0.0.0".into()), 3),
            (FindingKind::NotANumber("true".into()), 4),
            (FindingKind::Ignored("server".into()), 5),
            (FindingKind::UnknownSection("mainnet".into()), 6),
            (FindingKind::Ignored("rpcuser".into()), 10),
            (FindingKind::WeakPassword, 11),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for one in expected {
            assert!(found.contains(&one), "{one:?} in {found:?}");
        }
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn a_sound_file_gives_no_finding() {
        let text = b"server=1\nrpcallowip=192.168.1.0/24\nrpcbind=192.168.1.5\n\
            rpcuser=me\nrpcpassword=correct horse battery\nnoserver=1\nserver=1\n[test]\nserver=0\n";
        assert_eq!(of(text), []);
    }

    #[test]
    fn files_that_are_not_plain_text_are_found() {
        assert_eq!(of(b"\xef\xbb\xbfserver=1\n"), [(FindingKind::ByteOrderMark, 1)]);
        assert_eq!(of(b"a=\0\n"), [(FindingKind::NotPlainText, 1)]);
    }

    #[test]
    fn passwords_of_few_characters_or_kinds_are_weak() {
        for (password, expected) in [
            ("", false),
            ("short", true),
            ("aaaabbbbaaaabbbb", true),
            ("correct horse battery", false),
        ] {
            assert_eq!(is_weak(password.as_bytes()), expected, "{password}");
        }
    }

    impl Configuration {
        fn of_text(text: &[u8]) -> Self {
            let mut configuration = Self::read(&crate::local::configuration::Start::default());
            configuration.refusals.clear();
            let conf = ConfFile::parse(text.to_vec());
            configuration.sources.files = vec![("no such file".into(), conf)];
            configuration
        }
    }
}

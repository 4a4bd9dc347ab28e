//! What Bitcoin Core makes of all the places where a setting may stand.
//!
//! Precedence: command line, `settings.json`, the chain's section of the configuration files, their
//! global part. Within a configuration file the first value wins, elsewhere the last; a negation
//! wipes out what stands before it in the same place. Checked against Bitcoin Core 31.99.
//!
//! Source: Bitcoin Core, `src/common/settings.cpp`, `GetSetting` and `GetSettingsList`.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use bitcoin::Network;

use crate::local::conf::{ConfFile, Value, interpret};
use crate::local::folders::System;

/// Most arguments of a process that are looked at.
const ARGUMENTS_MAX: usize = 1000;

/// Settings that the global part sets for the main chain only.
const MAIN_ONLY: [&str; 7] = ["addnode", "bind", "connect", "port", "rpcbind", "rpcport", "wallet"];

/// Where a setting stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the arguments that the program was started with.
    CommandLine,
    /// In `settings.json`, which the program writes itself.
    SettingsFile,
    /// In a configuration file.
    Conf {
        /// The file.
        file: PathBuf,
        /// Number of the line, from 1.
        line: u32,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the arguments that the node was started with"),
            Self::SettingsFile => f.write_str("settings.json"),
            Self::Conf { file, line } => write!(f, "{}, line {line}", file.display()),
        }
    }
}

/// The same, as positions in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    CommandLine,
    SettingsFile,
    Conf { file: usize, entry: usize },
}

/// A setting's value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) value: &'a Value,
    pub(crate) spot: Spot,
}

/// The arguments of a process as settings. Their values are never shown: one may be a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine(Vec<(String, Value)>);

/// Every place where a setting may stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub(crate) command_line: CommandLine,
    pub(crate) settings_file: Vec<(String, Value)>,
    /// The main file first, then what it includes, in the order of reading.
    pub(crate) files: Vec<(PathBuf, ConfFile)>,
}

/// The chain cannot be told: Core would not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownChain {
    /// More than one is chosen.
    #[error("more than one chain is chosen")]
    Conflict,
    /// There is none of that name.
    #[error("there is no chain {0:?}")]
    NoSuch(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    CommandLine,
    SettingsFile,
    Section,
    Global,
}

/// All values of one place, in order.
struct Group<'a> {
    place: Place,
    all: Vec<Found<'a>>,
}

impl CommandLine {
    /// Reads arguments as the program does; the first, its own name, has to be left out.
    pub fn parse<'a>(system: System, arguments: impl IntoIterator<Item = &'a OsStr>) -> Self {
        let mut settings = Vec::new();
        for argument in arguments.into_iter().take(ARGUMENTS_MAX) {
            let argument = argument.as_encoded_bytes();
            if argument.starts_with(b"-psn_") {
                continue;
            }
            let mut halves = argument.splitn(2, |byte| *byte == b'=');
            let mut key = String::from_utf8_lossy(halves.next().unwrap_or_default()).into_owned();
            if system == System::Windows {
                key = key.to_ascii_lowercase();
                if key.starts_with('/') {
                    key.replace_range(..1, "-");
                }
            }
            let Some(name) = key.strip_prefix('-').filter(|name| !name.is_empty()) else { break };
            let name = name.strip_prefix('-').unwrap_or(name);
            settings.push(interpret(name, halves.next().unwrap_or_default()));
        }
        Self(settings)
    }
}

impl Sources {
    /// The one value of a setting on a chain.
    pub(crate) fn single(&self, name: &str, chain: Network) -> Option<Found<'_>> {
        let is_global_good = chain == Network::Bitcoin || !MAIN_ONLY.contains(&name);
        self.groups(name, chain.to_core_arg()).find_map(|group| group.single(is_global_good))
    }

    /// The one value before a chain is chosen: sections do not count.
    pub(crate) fn single_without_chain(&self, name: &str) -> Option<Found<'_>> {
        self.groups(name, "").find_map(|group| group.single(true))
    }

    /// All values of a setting that may be given several times.
    pub(crate) fn list(&self, name: &str, chain: Network) -> Vec<Found<'_>> {
        let is_global_good = chain == Network::Bitcoin || !MAIN_ONLY.contains(&name);
        let mut result = Vec::new();
        let (mut is_done, mut is_wiped) = (false, false);
        for group in self.groups(name, chain.to_core_arg()) {
            if group.place == Place::Global && !is_global_good {
                continue;
            }
            let live = group.live();
            // Values in files come back to life after a negation that something follows.
            let is_revived = matches!(group.place, Place::Section | Place::Global) && !is_wiped;
            if !is_done || is_revived {
                result.extend_from_slice(live);
            }
            is_done |= live.len() < group.all.len();
            is_wiped |= group.ends_negated() && result.is_empty();
        }
        result
    }

    /// A setting that stands in the global part alone, where it counts for the main chain only: a
    /// node on another chain refuses to start with it.
    pub(crate) fn out_of_section(&self, chain: Network) -> Option<(&'static str, Spot)> {
        if chain == Network::Bitcoin {
            return None;
        }
        MAIN_ONLY.into_iter().find_map(|name| {
            let mut set = self
                .groups(name, chain.to_core_arg())
                .filter(|group| !group.all.is_empty() && !group.ends_negated());
            let first = set.next().filter(|group| group.place == Place::Global)?;
            Some((name, first.all.first()?.spot))
        })
    }

    /// The chain that the program works on.
    pub(crate) fn chain(&self) -> Result<Network, UnknownChain> {
        let named = self.single_without_chain("chain");
        let mut chosen: Vec<Network> = [
            ("regtest", Network::Regtest),
            ("signet", Network::Signet),
            ("testnet", Network::Testnet),
            ("testnet4", Network::Testnet4),
        ]
        .into_iter()
        .filter(|(name, _)| self.is_chain_chosen(name))
        .map(|(_, chain)| chain)
        .collect();
        if chosen.len() + usize::from(named.is_some()) > 1 {
            return Err(UnknownChain::Conflict);
        }
        let Some(named) = named else { return Ok(chosen.pop().unwrap_or(Network::Bitcoin)) };
        let name = String::from_utf8_lossy(named.value.text());
        Network::from_core_arg(&name)
            .map_err(|_| UnknownChain::NoSuch(name.chars().take(40).collect()))
    }

    /// A chain's own switch: unlike elsewhere the last value wins in a file too, and a negation
    /// counts for nothing.
    fn is_chain_chosen(&self, name: &str) -> bool {
        self.groups(name, "")
            .find(|group| !group.all.is_empty() && !group.ends_negated())
            .and_then(|group| group.all.last().copied())
            .is_some_and(|last| last.value.is_on())
    }

    pub(crate) fn origin(&self, spot: Spot) -> Origin {
        match spot {
            Spot::CommandLine => Origin::CommandLine,
            Spot::SettingsFile => Origin::SettingsFile,
            Spot::Conf { file, entry } => {
                let (path, conf) = &self.files[file];
                Origin::Conf { file: path.clone(), line: conf.entries()[entry].line }
            }
        }
    }

    /// The values in order of precedence.
    fn groups(&self, name: &str, section: &str) -> impl Iterator<Item = Group<'_>> {
        let mut groups = vec![
            Group {
                place: Place::CommandLine,
                all: in_list(&self.command_line.0, name, Spot::CommandLine),
            },
            Group {
                place: Place::SettingsFile,
                all: in_list(&self.settings_file, name, Spot::SettingsFile),
            },
        ];
        if !section.is_empty() {
            groups.push(Group { place: Place::Section, all: self.in_files(name, section) });
        }
        groups.push(Group { place: Place::Global, all: self.in_files(name, "") });
        groups.into_iter()
    }

    fn in_files(&self, name: &str, section: &str) -> Vec<Found<'_>> {
        let mut all = Vec::new();
        for (file, (_, conf)) in self.files.iter().enumerate() {
            for (number, entry) in conf.entries().iter().enumerate() {
                if entry.name == name && entry.section == section {
                    let spot = Spot::Conf { file, entry: number };
                    all.push(Found { value: &entry.value, spot });
                }
            }
        }
        all
    }
}

fn in_list<'a>(settings: &'a [(String, Value)], name: &str, spot: Spot) -> Vec<Found<'a>> {
    let of_name = settings.iter().filter(|(known, _)| known == name);
    of_name.map(|(_, value)| Found { value, spot }).collect()
}

impl<'a> Group<'a> {
    fn ends_negated(&self) -> bool {
        self.all.last().is_some_and(|last| *last.value == Value::Negated)
    }

    /// What stands after the last negation.
    fn live(&self) -> &[Found<'a>] {
        let negated = self.all.iter().rposition(|found| *found.value == Value::Negated);
        &self.all[negated.map_or(0, |at| at + 1)..]
    }

    /// The value of this place, if it decides.
    fn single(&self, is_global_good: bool) -> Option<Found<'a>> {
        if self.ends_negated() {
            return self.all.last().copied();
        }
        match self.place {
            Place::Global if !is_global_good => None,
            Place::Section | Place::Global => self.live().first().copied(),
            Place::CommandLine | Place::SettingsFile => self.live().last().copied(),
        }
    }
}

#[cfg(test)]
mod tests;

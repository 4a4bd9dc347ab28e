//! Reads what a node will read when it starts: `bitcoin.conf`, what it includes, `settings.json`.
//!
//! Source: Bitcoin Core, `src/common/config.cpp`, `ArgsManager::ReadConfigFiles`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bitcoin::Network;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use crate::local::conf::{CONF_BYTES_MAX, ConfFile, Fault, Value, rpcauth_user};
use crate::local::settings::{CommandLine, Found, Origin, Sources, Spot, UnknownChain};

/// Most files that one configuration may include.
const INCLUDES_MAX: usize = 64;

/// Name of the configuration file unless told otherwise.
pub(crate) const CONF_NAME: &str = "bitcoin.conf";

/// What keeps the node from starting with its files as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A line of a configuration file.
    #[error("{}: {fault}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// An included file is not there, or a folder has its name.
    #[error("{} is included but is no file", .0.display())]
    NoInclude(PathBuf),
    /// A folder has the name of the configuration file.
    #[error("{} is a folder", .0.display())]
    ConfIsFolder(PathBuf),
    /// `settings.json` is damaged.
    #[error("{} is damaged", .0.display())]
    SettingsFile(PathBuf),
    /// The data folder that the configuration names is not there.
    #[error("the data folder {} is not there", .0.display())]
    NoDataFolder(PathBuf),
    /// The chain cannot be told.
    #[error(transparent)]
    Chain(#[from] UnknownChain),
    /// An `rpcauth` that is not `user:salt$hash`.
    #[error("{0}: rpcauth is not user:salt$hash")]
    MalformedRpcauth(Origin),
    /// A port for a test chain stands outside that chain's section.
    #[error("{origin}: {name} for a test chain must stand in that chain's section")]
    OutsideSection {
        /// The setting.
        name: &'static str,
        /// Where it stands.
        origin: Origin,
    },
}

/// What became of reading the main configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfState {
    /// It was read.
    Read,
    /// There is none yet.
    Missing,
    /// We may not read it, or it is too long to be one.
    Unreadable(String),
    /// The node was started with `-noconf`.
    Unused,
}

/// How a node is, or would be, started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// The data folder before any file is read.
    pub(crate) folder: PathBuf,
    /// Configuration file to take if the folder has none and the arguments name none.
    pub(crate) conf_elsewhere: Option<PathBuf>,
    pub(crate) command_line: CommandLine,
    pub(crate) working_folder: Option<PathBuf>,
}

/// All that a node's arguments and files say.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) conf_path: PathBuf,
    pub(crate) conf_state: ConfState,
    pub(crate) sources: Sources,
    pub(crate) refusals: Vec<Refusal>,
    /// Files that the node may be able to read, but we are not.
    pub(crate) unread: Vec<PathBuf>,
    /// The main chain if it cannot be told.
    pub(crate) chain: Network,
    pub(crate) started_folder: PathBuf,
    pub(crate) data_folder: PathBuf,
    pub(crate) chain_folder: PathBuf,
}

/// Why a file was not read.
enum Unread {
    Missing,
    Folder,
    Other(String),
}

impl Configuration {
    pub(crate) fn read(start: &Start) -> Self {
        let sources = Sources { command_line: start.command_line.clone(), ..Sources::default() };
        let mut configuration = Self {
            conf_path: start.folder.join(CONF_NAME),
            conf_state: ConfState::Unused,
            sources,
            refusals: vec![],
            unread: vec![],
            chain: Network::Bitcoin,
            started_folder: start.folder.clone(),
            data_folder: start.folder.clone(),
            chain_folder: start.folder.clone(),
        };
        configuration.read_conf(start);
        if configuration.conf_state == ConfState::Read && configuration.refusals.is_empty() {
            configuration.read_includes(&start.folder);
        }
        match configuration.sources.chain() {
            Ok(chain) => configuration.chain = chain,
            Err(unknown) => configuration.refuse(unknown.into()),
        }
        configuration.find_folders(start);
        configuration.read_settings_file();
        configuration.check_values();
        configuration
    }

    /// The same with another text in the main configuration file.
    pub(crate) fn sources_with(&self, conf: &[u8]) -> Sources {
        let mut sources = self.sources.clone();
        let file = (self.conf_path.clone(), ConfFile::parse(conf.to_owned()));
        match sources.files.first_mut() {
            Some(main) => *main = file,
            None => sources.files.push(file),
        }
        sources
    }

    /// The main configuration file, if it was read.
    pub(crate) fn conf(&self) -> Option<&ConfFile> {
        (self.conf_state == ConfState::Read).then(|| &self.sources.files[0].1)
    }

    /// A configuration file in the data folder that is not the one that the node takes.
    pub(crate) fn passed_over(&self) -> Option<PathBuf> {
        let usual = self.data_folder.join(CONF_NAME);
        let real = |path: &Path| fs::canonicalize(path).ok();
        let is_other = self.conf_state != ConfState::Unused
            && usual.exists()
            && real(&usual) != real(&self.conf_path);
        let is_agreed = self
            .sources
            .single("allowignoredconf", self.chain)
            .is_some_and(|found| found.value.is_on());
        (is_other && !is_agreed).then_some(usual)
    }

    fn refuse(&mut self, refusal: Refusal) {
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }

    fn read_conf(&mut self, start: &Start) {
        match self.sources.single_without_chain("conf").map(|found| found.value) {
            Some(Value::Negated) => return,
            Some(Value::Text(name)) if !name.is_empty() => {
                let Some(name) = path(name) else {
                    self.conf_state = ConfState::Unreadable("its name is not text".into());
                    return;
                };
                self.conf_path = start.folder.join(name);
            }
            Some(Value::Text(_) | Value::Affirmed) | None => {
                let elsewhere = start.conf_elsewhere.as_ref().filter(|path| path.is_file());
                if let Some(elsewhere) = elsewhere.filter(|_| !self.conf_path.exists()) {
                    self.conf_path = elsewhere.clone();
                }
            }
        }
        self.conf_state = match read_bounded(&self.conf_path) {
            Ok(bytes) => {
                self.take_file(self.conf_path.clone(), bytes);
                ConfState::Read
            }
            Err(Unread::Missing) => ConfState::Missing,
            Err(Unread::Folder) => {
                self.refuse(Refusal::ConfIsFolder(self.conf_path.clone()));
                ConfState::Unreadable("it is a folder".into())
            }
            Err(Unread::Other(reason)) => ConfState::Unreadable(reason),
        };
    }

    fn take_file(&mut self, path: PathBuf, bytes: Vec<u8>) {
        let conf = ConfFile::parse(bytes);
        if let Some(fault) = conf.fault() {
            self.refuse(Refusal::Line { file: path.clone(), fault: fault.clone() });
        }
        self.sources.files.push((path, conf));
    }

    /// Names count from the folder that the arguments name, whatever the file says about it. Files
    /// that included files include are ignored by the node.
    fn read_includes(&mut self, folder: &Path) {
        let arguments =
            Sources { command_line: self.sources.command_line.clone(), ..Sources::default() };
        if arguments.single_without_chain("includeconf").is_some() {
            return;
        }
        let section = self.sources.chain().map_or("", Network::to_core_arg).to_owned();
        let (_, main) = &self.sources.files[0];
        let of = |section: &str| -> Vec<PathBuf> {
            let entries = main.entries().iter();
            let all: Vec<&Value> = entries
                .filter(|entry| entry.name == "includeconf" && entry.section == section)
                .map(|entry| &entry.value)
                .collect();
            let negated = all.iter().rposition(|value| **value == Value::Negated);
            let live = &all[negated.map_or(0, |at| at + 1)..];
            live.iter().filter_map(|value| path(value.text())).collect()
        };
        let mut names = if section.is_empty() { vec![] } else { of(&section) };
        names.extend(of(""));
        for name in names.into_iter().take(INCLUDES_MAX) {
            let file = folder.join(&name);
            match read_bounded(&file) {
                Ok(bytes) => self.take_file(file, bytes),
                Err(Unread::Missing | Unread::Folder) => self.refuse(Refusal::NoInclude(file)),
                Err(Unread::Other(_)) => self.unread.push(file),
            }
        }
    }

    fn find_folders(&mut self, start: &Start) {
        let named = self.sources.single("datadir", self.chain);
        if let Some(Found { value: Value::Text(name), spot }) = named
            && let Some(name) = path(name).filter(|name| !name.as_os_str().is_empty())
            && spot != Spot::CommandLine
        {
            let from = start.working_folder.as_deref().unwrap_or(&start.folder);
            self.data_folder = from.join(name);
            if !self.data_folder.is_dir() {
                self.refuse(Refusal::NoDataFolder(self.data_folder.clone()));
            }
        }
        self.chain_folder = match chain_folder_name(self.chain) {
            "" => self.data_folder.clone(),
            name => self.data_folder.join(name),
        };
    }

    fn read_settings_file(&mut self) {
        let name = match self.sources.single("settings", self.chain).map(|found| found.value) {
            Some(Value::Negated) => return,
            Some(Value::Text(name)) if !name.is_empty() => path(name),
            Some(Value::Text(_) | Value::Affirmed) | None => Some("settings.json".into()),
        };
        let Some(name) = name else { return };
        let file = self.chain_folder.join(name);
        match read_bounded(&file) {
            Ok(bytes) => match parse_settings_file(&bytes) {
                Some(settings) => self.sources.settings_file = settings,
                None => self.refuse(Refusal::SettingsFile(file)),
            },
            Err(Unread::Missing) => {}
            Err(Unread::Folder) => self.refuse(Refusal::SettingsFile(file)),
            Err(Unread::Other(_)) => self.unread.push(file),
        }
    }

    fn check_values(&mut self) {
        let proofs = self.sources.list("rpcauth", self.chain);
        let malformed = proofs.iter().find(|found| rpcauth_user(found.value.text()).is_none());
        if let Some(origin) = malformed.map(|found| self.sources.origin(found.spot)) {
            self.refuse(Refusal::MalformedRpcauth(origin));
        }
        if let Some((name, spot)) = self.sources.out_of_section(self.chain) {
            let origin = self.sources.origin(spot);
            self.refuse(Refusal::OutsideSection { name, origin });
        }
    }
}

/// The folder of a chain inside the data folder; empty for the main chain.
pub(crate) fn chain_folder_name(chain: Network) -> &'static str {
    match chain.to_core_arg() {
        "main" => "",
        "test" => "testnet3",
        name => name,
    }
}

/// A path as a configuration file writes it.
pub(crate) fn path(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Reads a file of a sane size; never waits, as reading from a pipe would.
fn read_bounded(path: &Path) -> Result<Vec<u8>, Unread> {
    let other = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            Unread::Missing
        } else {
            Unread::Other(error.to_string())
        }
    };
    let metadata = fs::metadata(path).map_err(other)?;
    if metadata.is_dir() {
        return Err(Unread::Folder);
    }
    if !metadata.is_file() {
        return Err(Unread::Other("it is not a plain file".into()));
    }
    let mut bytes = Vec::new();
    let limit = CONF_BYTES_MAX as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(other)?;
    if bytes.len() > CONF_BYTES_MAX {
        return Err(Unread::Other(format!("it is longer than {CONF_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// The settings in `settings.json`; `None` if the node cannot read it either.
fn parse_settings_file(bytes: &[u8]) -> Option<Vec<(String, Value)>> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let pairs = json.deserialize_map(Pairs).ok()?;
    json.end().ok()?;
    let mut settings: Vec<(String, Value)> = Vec::new();
    let mut names = BTreeSet::new();
    for (name, value) in pairs {
        if !names.insert(name.clone()) {
            return None;
        }
        let values = if let Json::Array(values) = value { values } else { vec![value] };
        settings.extend(values.into_iter().filter_map(|v| Some((name.clone(), from_json(v)?))));
    }
    Some(settings)
}

/// Keeps duplicate names, which the node refuses and an ordinary map would swallow.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, Json)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

fn from_json(value: Json) -> Option<Value> {
    match value {
        Json::Bool(true) => Some(Value::Affirmed),
        Json::Bool(false) => Some(Value::Negated),
        Json::String(text) => Some(Value::Text(text.into_bytes())),
        Json::Number(number) => Some(Value::Text(number.to_string().into_bytes())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;

//! Settings as a file to take to another computer: without logins, and with a look at what it
//! would change.

use std::collections::BTreeMap;

use p2pool_node::{RawP2p, RawPractice, RawRun, RawSettings};
use serde::{Deserialize, Serialize};

use super::AppearanceFile;
use crate::api::SettingsChange;

/// Longest file that is looked at; settings are a few hundred bytes.
const BYTES_MAX: usize = 64 * 1024;

/// What stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Transfer {
    pub(crate) appearance: AppearanceFile,
    pub(crate) run: RawRun,
    pub(crate) practice: RawPractice,
    pub(crate) p2p: RawP2p,
}

impl Transfer {
    /// Settings without anything about logins: these belong to this computer.
    pub(crate) fn new(raw: &RawSettings, appearance: AppearanceFile) -> Self {
        let RawSettings { mut run, practice, p2p } = raw.clone();
        strip(&mut run);
        Self { appearance, run, practice, p2p }
    }

    /// The file.
    ///
    /// # Errors
    /// Values that TOML cannot hold, in words.
    pub(crate) fn to_text(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err("the file is too long".into());
        }
        let mut transfer: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        strip(&mut transfer.run);
        Ok(transfer)
    }

    /// The settings after it was taken in; logins stay as they are.
    pub(crate) fn over(&self, raw: &RawSettings) -> RawSettings {
        let old = &raw.run;
        let run = RawRun {
            bitcoin_dir: old.bitcoin_dir.clone(),
            bitcoin_conf: old.bitcoin_conf.clone(),
            rpc_url: old.rpc_url.clone(),
            rpc_cookie: old.rpc_cookie.clone(),
            rpc_user: old.rpc_user.clone(),
            rpc_password_file: old.rpc_password_file.clone(),
            reserve: old.reserve.clone(),
            ..self.run.clone()
        };
        RawSettings { run, practice: self.practice.clone(), p2p: self.p2p.clone() }
    }

    /// What it would change of these settings.
    pub(crate) fn changes(&self, now: &Self) -> Vec<SettingsChange> {
        let (old, new) = (now.lines(), self.lines());
        let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let change = |name: &String| SettingsChange {
            name: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        };
        names.into_iter().map(change).filter(|change| change.old != change.new).collect()
    }

    fn lines(&self) -> BTreeMap<String, String> {
        let mut lines = BTreeMap::new();
        if let Ok(table) = toml::Table::try_from(self) {
            flatten("", &toml::Value::Table(table), &mut lines);
        }
        lines
    }
}

fn strip(run: &mut RawRun) {
    run.bitcoin_dir = None;
    run.bitcoin_conf = None;
    run.rpc_url = None;
    run.rpc_cookie = None;
    run.rpc_user = None;
    run.rpc_password_file = None;
    run.reserve = None;
}

fn flatten(name: &str, value: &toml::Value, lines: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, lines);
            }
        }
        toml::Value::Array(values) if values.is_empty() => {}
        toml::Value::Array(_)
        | toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {
            lines.insert(name.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

    fn raw() -> RawSettings {
        toml::from_str(&format!(
            "[run]\naddress = \"{MINE}\"\nrpc_user = \"bob\"\nrpc_password_file = \"/secret\"\n\
             rpc_url = \"http://10.0.0.5:8332\"\nstratum = \"9000\"\n[p2p]\nmax_peers = 8\n"
        ))
        .unwrap()
    }

    /// Acceptance 43: secrets are not in the export.
    #[test]
    fn export_holds_no_login_and_comes_back_as_it_was() {
        let transfer = Transfer::new(&raw(), AppearanceFile::default());
        let text = transfer.to_text().unwrap();
        for login in ["bob", "/secret", "10.0.0.5", "rpc_"] {
            assert!(!text.contains(login), "{login} in {text}");
        }
        assert!(text.contains(MINE));
        assert_eq!(Transfer::parse(&text).unwrap(), transfer);
        assert_eq!(transfer.over(&raw()), raw());
    }

    /// Acceptance 43: an import shows a diff.
    #[test]
    fn import_tells_what_it_would_change_and_leaves_logins_alone() {
        let now = Transfer::new(&raw(), AppearanceFile::default());
        let file = "[run]\naddress = \"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2\"\nrpc_user = \"eve\"\n\
                    [p2p]\nmax_peers = 8\n";
        let new = Transfer::parse(file).unwrap();
        let changes = new.changes(&now);
        let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["run.address", "run.stratum"]);
        assert_eq!(changes[0].old.as_deref(), Some(format!("\"{MINE}\"").as_str()));
        assert_eq!((changes[1].old.as_deref(), &changes[1].new), (Some("\"9000\""), &None));
        let after = new.over(&raw());
        assert_eq!(after.run.rpc_user.as_deref(), Some("bob"));
        assert_eq!(after.run.stratum, None);
    }

    #[test]
    fn files_that_are_no_settings_are_refused() {
        for text in ["[run]\naddres = \"x\"\n", "not toml", "[run]\nthreads = \"many\"\n"] {
            assert!(Transfer::parse(text).is_err(), "{text}");
        }
        assert!(Transfer::parse(&"#".repeat(BYTES_MAX + 1)).is_err());
    }
}

//! What the person has answered, kept in a file so that leaving early loses nothing. No secret is
//! among it.

use std::path::{Path, PathBuf};

use p2pool_node::RawSettings;
use serde::{Deserialize, Serialize};

use crate::api::{ComputerStep, LoginChoice, NodePlace, PortChoice, SetupStep};

/// The file in the data folder.
const FILE: &str = "setup.toml";

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Answers {
    /// Whether **Start mining** was pressed.
    pub(crate) is_finished: bool,
    /// The step that is shown.
    pub(crate) step: SetupStep,
    /// The last step that can be gone to.
    pub(crate) reached: SetupStep,
    pub(crate) place: NodePlace,
    /// Data folder of the chosen node.
    pub(crate) folder: Option<PathBuf>,
    /// How to log in there, if the person has chosen.
    pub(crate) login: Option<LoginChoice>,
    /// The address.
    pub(crate) address: Option<String>,
    /// Whether it was compared with the wallet.
    pub(crate) is_address_checked: bool,
    pub(crate) port: PortChoice,
    /// Members that were named.
    pub(crate) members: Vec<String>,
    pub(crate) proxy: Option<String>,
    pub(crate) form: Form,
    /// The connection that was tested last, and works.
    pub(crate) connection: Option<Connection>,
    pub(crate) computer: ComputerStep,
}

/// The form for a login that the person knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Form {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) allows_public: bool,
}

impl Default for Form {
    fn default() -> Self {
        Self { host: String::new(), port: 8332, user: String::new(), allows_public: false }
    }
}

/// A node and how to log in there, but for the password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Connection {
    pub(crate) url: String,
    pub(crate) cookie: Option<PathBuf>,
    pub(crate) user: Option<String>,
    /// Where the password is, if it is in a file.
    pub(crate) password_file: Option<PathBuf>,
    /// Its data folder, on this computer.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) allows_public: bool,
}

impl Answers {
    /// Reads them; a file that says nothing usable counts as no answers.
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data_dir.join(FILE)).ok()?;
        toml::from_str(&text)
            .inspect_err(|error| tracing::warn!(%error, "answers of the set-up not understood"))
            .ok()
    }

    /// Writes them.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub(crate) fn write(&self, data_dir: &Path) -> std::io::Result<()> {
        crate::settings::write_toml(&data_dir.join(FILE), self)
    }

    /// The answers that settings stand for, so that the set-up can be run again.
    pub(crate) fn of_settings(raw: &RawSettings, computer: ComputerStep) -> Self {
        let run = &raw.run;
        let connection = run.rpc_url.as_ref().map(|url| Connection {
            url: url.clone(),
            cookie: run.rpc_cookie.clone(),
            user: run.rpc_user.clone(),
            password_file: run.rpc_password_file.clone(),
            folder: run.bitcoin_dir.clone(),
            allows_public: run.rpc_public.unwrap_or(false),
        });
        let is_elsewhere = connection.as_ref().is_some_and(|it| it.folder.is_none());
        let reached = if run.address.is_some() { SetupStep::Start } else { SetupStep::Welcome };
        Self {
            reached,
            step: if run.address.is_some() { SetupStep::Node } else { SetupStep::Welcome },
            place: if is_elsewhere { NodePlace::Elsewhere } else { NodePlace::Here },
            folder: run.bitcoin_dir.clone(),
            address: run.address.clone(),
            is_address_checked: run.address.is_some(),
            port: if raw.p2p.map_port == Some(true) {
                PortChoice::AskRouter
            } else {
                PortChoice::NotNow
            },
            members: raw.p2p.peers.clone(),
            proxy: raw.p2p.proxy.clone(),
            form: connection.as_ref().map(Form::of).unwrap_or_default(),
            connection,
            computer,
            ..Self::default()
        }
    }

    /// Puts the answers into settings; what was not asked stays.
    pub(crate) fn put_into(&self, raw: &mut RawSettings) {
        let run = &mut raw.run;
        if let Some(connection) = &self.connection {
            run.rpc_url = Some(connection.url.clone());
            run.rpc_cookie = connection.cookie.clone();
            run.rpc_user = connection.user.clone();
            run.rpc_password_file = connection.password_file.clone();
            run.bitcoin_dir = connection.folder.clone();
            run.rpc_public = connection.allows_public.then_some(true);
        }
        run.address = self.address.clone();
        raw.p2p.map_port = (self.port == PortChoice::AskRouter).then_some(true);
        raw.p2p.peers = self.members.clone();
        raw.p2p.proxy = self.proxy.clone();
    }
}

impl Form {
    /// The form as it was filled in for a connection.
    fn of(connection: &Connection) -> Self {
        let place = connection.url.trim_start_matches("http://");
        let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Self {
            host,
            port: port.parse().unwrap_or(8332),
            user: connection.user.clone().unwrap_or_default(),
            allows_public: connection.allows_public,
        }
    }

    /// The address of the node that it names.
    pub(crate) fn url(&self) -> String {
        let host = self.host.trim().trim_start_matches("http://");
        if host.contains(':') && !host.starts_with('[') {
            return format!("http://[{host}]:{}", self.port);
        }
        format!("http://{host}:{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let connection = Connection {
            url: "http://10.0.0.5:8332".into(),
            user: Some("bob".into()),
            allows_public: true,
            ..Connection::default()
        };
        Answers {
            step: SetupStep::Network,
            reached: SetupStep::Network,
            place: NodePlace::Elsewhere,
            login: Some(LoginChoice::Typed),
            address: Some("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".into()),
            is_address_checked: true,
            port: PortChoice::AskRouter,
            members: vec!["pool.example:9333".into()],
            form: Form::of(&connection),
            connection: Some(connection),
            ..Answers::default()
        }
    }

    #[test]
    fn answers_are_kept_and_nonsense_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Answers::read(dir.path()), None);
        answers().write(dir.path()).unwrap();
        assert_eq!(Answers::read(dir.path()), Some(answers()));
        std::fs::write(dir.path().join(FILE), "step = 7").unwrap();
        assert_eq!(Answers::read(dir.path()), None);
    }

    #[test]
    fn settings_and_answers_say_the_same() {
        let mut raw = RawSettings::default();
        raw.run.threads = Some(3);
        answers().put_into(&mut raw);
        assert_eq!(raw.run.threads, Some(3), "what was not asked stays");
        assert_eq!((raw.run.rpc_user.as_deref(), raw.run.rpc_public), (Some("bob"), Some(true)));
        let again = Answers::of_settings(&raw, ComputerStep::default());
        assert_eq!((&again.form, &again.address), (&answers().form, &answers().address));
        assert_eq!((again.place, again.port), (NodePlace::Elsewhere, PortChoice::AskRouter));
        assert_eq!(again.connection, answers().connection);
        assert_eq!((again.step, again.reached), (SetupStep::Node, SetupStep::Start));
    }

    #[test]
    fn forms_name_hosts_and_bare_addresses() {
        for (host, url) in [
            ("umbrel.local", "http://umbrel.local:8332"),
            (" 10.0.0.5 ", "http://10.0.0.5:8332"),
            ("fd00::5", "http://[fd00::5]:8332"),
        ] {
            assert_eq!(Form { host: host.into(), ..Form::default() }.url(), url);
        }
    }
}

//! Which Bitcoin node to ask, and how to log in: as told, or as found on this computer.

use std::path::{Path, PathBuf};

use bitcoin::Network;
use p2pool_bitcoind::local::{
    ChooseError, Cookie, LocalNode, LoginStyle, NewLogin, Plan, Stamp, Surroundings, Wish, look_at,
    plan, usual_port,
};
use p2pool_bitcoind::{Auth, RpcConfig, Secret};
use p2pool_node::{ProblemCode, RawRun};

use crate::conf::found::Place;
use crate::conf::{login, not_planned};
use crate::failure::{EXIT_INPUT, Failure};
use crate::secrets::{LoginFile, read_password};

/// The environment variable of the password.
pub(crate) const PASSWORD_VARIABLE: &str = "P2POOL_RPC_PASSWORD";

/// A Bitcoin node, and how to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BitcoinLogin {
    pub(crate) rpc: RpcConfig,
    /// In words, without any secret.
    pub(crate) words: String,
    /// Found by looking around, so that looking again may find another one.
    pub(crate) is_found: bool,
}

/// What a login is looked for in, beside the settings.
#[derive(Clone, Debug)]
pub(crate) struct Search<'a> {
    pub(crate) surroundings: Surroundings,
    /// The password from the environment.
    pub(crate) password: Option<Secret>,
    pub(crate) data_dir: &'a Path,
}

impl<'a> Search<'a> {
    /// On this computer, now.
    pub(crate) fn here(data_dir: &'a Path) -> Self {
        let password = std::env::var(PASSWORD_VARIABLE).ok().filter(|text| !text.is_empty());
        let surroundings = Surroundings::of_this_computer();
        Self { surroundings, password: password.map(Secret::new), data_dir }
    }

    /// The Bitcoin node that the settings name, or the one on this computer.
    ///
    /// A node that does not run, or does not answer, is no mistake: it will.
    ///
    /// # Errors
    /// Settings that make no sense, and a node that needs a login first.
    pub(crate) fn login(&self, raw: &RawRun, chain: Network) -> Result<BitcoinLogin, Failure> {
        let mut login = self.login_as_told(raw, chain)?;
        login.rpc.allows_public = raw.rpc_public.unwrap_or(false);
        Ok(login)
    }

    /// The reserve that the settings name.
    ///
    /// # Errors
    /// One without a login.
    pub(crate) fn reserve(&self, raw: &RawRun) -> Result<Option<RpcConfig>, Failure> {
        let Some(reserve) = &raw.reserve else { return Ok(None) };
        let auth = match (&reserve.rpc_user, &reserve.rpc_password_file, &reserve.rpc_cookie) {
            (Some(user), Some(file), _) => {
                Auth::UserPassword { user: user.clone(), password: read_password(file)? }
            }
            (None, _, Some(cookie)) => Auth::Cookie(cookie.clone()),
            (Some(_), None, _) | (None, _, None) => {
                return Err(Failure {
                    code: "N-03",
                    sentence: format!(
                        "The reserve node at {} needs a login in settings.toml: rpc_user with \
                         rpc_password_file, or rpc_cookie.",
                        reserve.rpc_url
                    ),
                    details: String::new(),
                    exit: EXIT_INPUT,
                });
            }
        };
        let (url, allows_public) = (reserve.rpc_url.clone(), raw.rpc_public.unwrap_or(false));
        Ok(Some(RpcConfig { url, auth, allows_public }))
    }

    fn login_as_told(&self, raw: &RawRun, chain: Network) -> Result<BitcoinLogin, Failure> {
        let url = raw.rpc_url.clone();
        let usual_url = || format!("http://127.0.0.1:{}", usual_port(chain));
        if let Some(user) = &raw.rpc_user {
            let password = self.password(raw)?;
            let auth = Auth::UserPassword { user: user.clone(), password };
            let words = format!("as {user}");
            let rpc = RpcConfig { url: url.unwrap_or_else(usual_url), auth, allows_public: false };
            return Ok(BitcoinLogin { rpc, words, is_found: false });
        }
        if let Some(cookie) = &raw.rpc_cookie {
            let words = format!("with the cookie file {}", cookie.display());
            let auth = Auth::Cookie(cookie.clone());
            let rpc = RpcConfig { url: url.unwrap_or_else(usual_url), auth, allows_public: false };
            return Ok(BitcoinLogin { rpc, words, is_found: false });
        }
        let found = self.local(raw, chain);
        match url {
            None => found,
            Some(url) => match found {
                Ok(found) if same_address(&found.rpc.url, &url) => Ok(found),
                Ok(_) | Err(_) => Err(needs_login(&url)),
            },
        }
    }

    fn password(&self, raw: &RawRun) -> Result<Secret, Failure> {
        match (&self.password, &raw.rpc_password_file) {
            (_, Some(file)) => read_password(file),
            (Some(password), None) => Ok(password.clone()),
            (None, None) => Err(Failure {
                code: "N-03",
                sentence: format!(
                    "--rpc-user needs a password: in a file that only you can read, named with \
                     --rpc-password-file, or in the environment variable {PASSWORD_VARIABLE}."
                ),
                details: String::new(),
                exit: EXIT_INPUT,
            }),
        }
    }

    fn local(&self, raw: &RawRun, chain: Network) -> Result<BitcoinLogin, Failure> {
        let place = Place { bitcoin_dir: raw.bitcoin_dir.clone(), conf: raw.bitcoin_conf.clone() };
        let node = match place.choose(&self.surroundings, Some(chain)) {
            Err(ChooseError::Nothing) => self.usual(chain)?,
            found => found?,
        };
        let known = LoginFile::in_folder(self.data_dir).read()?;
        let new_login = NewLogin::generate()
            .map_err(|error| Failure::of_run(ProblemCode::EngineRestarted, format!("{error}.")))?;
        let wish = Wish {
            style: LoginStyle::Automatic,
            new_login: &new_login,
            known_login: known.as_ref(),
            may_switch_server_on: false,
            stamp: Stamp::from_unix_s(0),
        };
        let auth = match (plan(&node, &wish), node.cookie(), &known) {
            (Ok(Plan::UseLogin(auth)), ..) => auth,
            // What will be started is likely to be bitcoind, which needs no setting to let us in.
            (Ok(Plan::Write(_)), _, Some(known)) if node.own_user().is_some() => known.clone(),
            (Ok(Plan::Write(_)), Cookie::Missing(path), _) if !node.is_running() => {
                Auth::Cookie(path.clone())
            }
            (Ok(Plan::Write(_)), ..) => return Err(needs_conf(&node)),
            (Err(error), ..) => return Err(not_planned(&error, &node)),
        };
        let words = login(&auth, &node);
        Ok(BitcoinLogin { rpc: node.rpc_config(auth), words, is_found: true })
    }

    /// Where a node would be that somebody installs later.
    fn usual(&self, chain: Network) -> Result<LocalNode, Failure> {
        let folder: Option<PathBuf> = self.surroundings.usual_data_folder();
        let folder = folder.ok_or_else(Failure::no_data_folder)?;
        Ok(look_at(&self.surroundings, &folder, None, Some(chain)))
    }
}

fn same_address(one: &str, other: &str) -> bool {
    let plain = |url: &str| url.trim_end_matches('/').replace("localhost", "127.0.0.1");
    plain(one) == plain(other)
}

fn needs_login(url: &str) -> Failure {
    Failure {
        code: "N-03",
        sentence: format!(
            "The node at {url} needs a login: --rpc-user with --rpc-password-file, or \
             --rpc-cookie if its cookie file can be read here."
        ),
        details: String::new(),
        exit: EXIT_INPUT,
    }
}

fn needs_conf(node: &LocalNode) -> Failure {
    Failure {
        code: "N-03",
        sentence: "The Bitcoin node on this computer has no login for us yet. `p2poold conf \
                   check` says what stands in its settings, `p2poold conf write` adds a login."
            .into(),
        details: node.conf_path().display().to_string(),
        exit: EXIT_INPUT,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;

    use p2pool_bitcoind::local::{CommandLine, Program, RunningNode, System, Variables};
    use p2pool_node::RawReserve;
    use tempfile::TempDir;

    use super::*;

    /// A home with perhaps a Bitcoin folder in it.
    struct Home(TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn with(self, name: &str, text: &str) -> Self {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            self
        }

        fn search(&self, running: Option<&[&str]>) -> Search<'_> {
            let home = Some(self.0.path().to_owned());
            let running = running.map(|arguments| RunningNode {
                pid: 7,
                program: Program::Bitcoind,
                executable: None,
                started_unix_s: 1000,
                is_of_other_user: Some(false),
                command_line: CommandLine::parse(
                    System::Linux,
                    arguments.iter().copied().map(OsStr::new),
                ),
                working_folder: None,
                home: home.clone(),
            });
            let surroundings = Surroundings {
                system: System::Linux,
                variables: Variables { home, ..Variables::default() },
                running: running.into_iter().collect(),
                ..Surroundings::of_this_computer()
            };
            Search { surroundings, password: None, data_dir: self.0.path() }
        }

        fn find(&self, running: Option<&[&str]>, chain: Network) -> Result<BitcoinLogin, Failure> {
            self.search(running).login(&RawRun::default(), chain)
        }

        fn cookie(&self, name: &str) -> Auth {
            Auth::Cookie(self.0.path().join(name))
        }
    }

    #[test]
    fn nothing_has_to_be_told_where_a_node_runs() {
        let home = Home::new().with(".bitcoin/regtest/.cookie", "__cookie__:aa");
        let login = home.find(Some(&["-regtest", "-rpcport=5"]), Network::Regtest).unwrap();
        assert_eq!(login.rpc.url, "http://127.0.0.1:5");
        assert_eq!(login.rpc.auth, home.cookie(".bitcoin/regtest/.cookie"));
        assert!(login.is_found && login.words.contains("cookie file"), "{}", login.words);
    }

    #[test]
    fn a_node_that_is_not_there_yet_is_waited_for_where_it_will_be() {
        let home = Home::new();
        let login = home.find(None, Network::Bitcoin).unwrap();
        assert_eq!(login.rpc.url, "http://127.0.0.1:8332");
        assert_eq!(login.rpc.auth, home.cookie(".bitcoin/.cookie"));

        let home = Home::new().with(".bitcoin/bitcoin.conf", "dbcache=100\n");
        let login = home.find(None, Network::Signet).unwrap();
        assert_eq!(login.rpc.url, "http://127.0.0.1:38332");
        assert_eq!(login.rpc.auth, home.cookie(".bitcoin/signet/.cookie"));
    }

    #[test]
    fn a_running_node_that_lets_nobody_in_needs_a_login_first() {
        let home = Home::new().with(".bitcoin/bitcoin.conf", "norpccookiefile=1\n");
        let failure = home.find(Some(&[]), Network::Bitcoin).unwrap_err();
        assert_eq!((failure.code, failure.exit), ("N-03", 2));
        assert!(failure.sentence.contains("conf write"), "{failure}");
    }

    #[test]
    fn the_login_that_we_made_is_used() {
        let login = NewLogin::generate().unwrap();
        let text = format!("norpccookiefile=1\nrpcauth={}\n", login.rpcauth());
        let home = Home::new().with(".bitcoin/bitcoin.conf", &text);
        LoginFile::in_folder(home.0.path()).keep(&login).unwrap();
        let found = home.find(Some(&[]), Network::Bitcoin).unwrap();
        assert_eq!(found.rpc.auth, login.auth());
        assert!(found.words.contains(login.user()));
    }

    #[test]
    fn what_is_told_wins_and_the_password_never_is_an_argument() {
        let home = Home::new().with("password", "hunter2\n");
        let told = RawRun {
            rpc_url: Some("http://10.0.0.5:8332".into()),
            rpc_user: Some("bob".into()),
            ..RawRun::default()
        };
        let mut search = home.search(None);
        let missing = search.login(&told, Network::Bitcoin).unwrap_err();
        assert!(missing.sentence.contains(PASSWORD_VARIABLE), "{missing}");

        search.password = Some(Secret::new("from elsewhere".into()));
        let password = |login: BitcoinLogin| match login.rpc.auth {
            Auth::UserPassword { password, .. } => password.expose().to_owned(),
            Auth::Cookie(path) => panic!("{path:?}"),
        };
        let login = search.login(&told, Network::Bitcoin).unwrap();
        assert!(!login.is_found && login.rpc.url == "http://10.0.0.5:8332");
        assert_eq!(password(login), "from elsewhere");

        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = home.0.path().join("password");
            let told = RawRun { rpc_password_file: Some(file.clone()), ..told.clone() };
            let open = search.login(&told, Network::Bitcoin).unwrap_err();
            assert!(open.sentence.contains("chmod 600"), "{open}");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(password(search.login(&told, Network::Bitcoin).unwrap()), "hunter2");
        }

        let alone = RawRun { rpc_user: None, ..told };
        let failure = search.login(&alone, Network::Bitcoin).unwrap_err();
        assert!(failure.sentence.contains("--rpc-cookie"), "{failure}");
    }

    #[test]
    fn a_reserve_is_used_as_told_and_needs_a_login() {
        let home = Home::new();
        let reserve = |cookie: Option<&str>| {
            let rpc_cookie = cookie.map(Into::into);
            let (rpc_url, rpc_user, rpc_password_file) = ("http://10.0.0.6:1".into(), None, None);
            let reserve = RawReserve { rpc_url, rpc_cookie, rpc_user, rpc_password_file };
            RawRun { reserve: Some(reserve), rpc_public: Some(true), ..RawRun::default() }
        };
        let search = home.search(None);
        assert_eq!(search.reserve(&RawRun::default()).unwrap(), None);
        let rpc = search.reserve(&reserve(Some("/c"))).unwrap().unwrap();
        assert_eq!((rpc.url.as_str(), rpc.auth), ("http://10.0.0.6:1", Auth::Cookie("/c".into())));
        assert!(rpc.allows_public);
        let failure = search.reserve(&reserve(None)).unwrap_err();
        assert_eq!((failure.code, failure.exit), ("N-03", 2));
    }

    #[test]
    fn a_cookie_file_that_is_named_is_used_on_the_chains_own_port() {
        let raw = RawRun { rpc_cookie: Some("/c".into()), ..RawRun::default() };
        let login = Home::new().search(None).login(&raw, Network::Testnet4).unwrap();
        assert_eq!(login.rpc.url, "http://127.0.0.1:48332");
        assert_eq!(login.rpc.auth, Auth::Cookie("/c".into()));
    }
}

//! Arguments of `p2poold run`, put together with the settings file and checked.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::ValueEnum;
use p2pool_node::payout_address::AddressFault;
use p2pool_node::{
    BitcoinSource, RawP2p, RawRun, RawSettings, RunAddressError, RunPlace, SettingsError,
};
use p2pool_sharechain::Params;

use crate::args::{Plan, SessionArgs, read_settings, settings_failure};
use crate::bitcoin_login::Search;
use crate::chain::Chain;
use crate::conf::found::Place;
use crate::failure::{EXIT_INPUT, Failure};
use crate::p2p_args::P2pArgs;

/// Mine in the pool, with your own Bitcoin node.
///
/// Arguments win over environment variables, and these over settings.toml. With nothing said, the
/// Bitcoin node on this computer is found and its cookie file used.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    #[command(flatten)]
    node: NodeArgs,
}

/// What a node is to be: the same for running one and for looking whether it can run.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NodeArgs {
    /// Bitcoin chain to mine on [default: main]
    #[arg(long, value_enum, env = "P2POOL_NETWORK")]
    network: Option<Chain>,
    /// Address that your work is paid at; needed on main
    #[arg(long, value_name = "ADDRESS", env = "P2POOL_ADDRESS")]
    address: Option<String>,
    /// Where miners connect, 0 for any free port [default: port 9332 on all addresses]
    #[arg(short = 'w', long, value_name = "[ADDRESS:]PORT", env = "P2POOL_STRATUM_PORT")]
    stratum_port: Option<String>,
    /// Threads of the CPU miner [default: none]
    #[arg(long, value_name = "N", env = "P2POOL_THREADS")]
    threads: Option<u32>,
    /// No CPU mining, whatever the settings file says
    #[arg(long, conflicts_with = "threads")]
    no_cpu: bool,
    /// Most hashes per second of the CPU miner [default: no limit]
    #[arg(long, value_name = "N")]
    limit_hps: Option<u64>,
    /// Keep every share ever seen, in files beside the database
    #[arg(long)]
    record_shares: bool,
    #[command(flatten)]
    bitcoin: BitcoinArgs,
    #[command(flatten)]
    p2p: P2pArgs,
}

/// Which Bitcoin node, and how to log in. The password is never an argument: others could read it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Bitcoin node")]
pub(crate) struct BitcoinArgs {
    #[command(flatten)]
    place: Place,
    /// Its RPC address, such as http://192.168.1.5:8332 [default: that of the node on this computer]
    #[arg(long, value_name = "URL", env = "P2POOL_RPC_URL")]
    rpc_url: Option<String>,
    /// Its cookie file
    #[arg(long, value_name = "FILE", env = "P2POOL_RPC_COOKIE")]
    rpc_cookie: Option<PathBuf>,
    /// Name to log in with; the password comes from a file or from P2POOL_RPC_PASSWORD
    #[arg(long, value_name = "NAME", env = "P2POOL_RPC_USER")]
    rpc_user: Option<String>,
    /// File with the password, which only you may read
    #[arg(long, value_name = "FILE", env = "P2POOL_RPC_PASSWORD_FILE")]
    rpc_password_file: Option<PathBuf>,
}

impl RunArgs {
    /// Reads the settings file, lets the arguments win over it, and finds the Bitcoin node.
    ///
    /// # Errors
    /// A damaged settings file, values that cannot be, or a Bitcoin node without a login for us.
    pub(crate) fn plan(&self) -> Result<Plan, Failure> {
        let data_dir = self.session.data_dir()?;
        let search = Search::here(&data_dir);
        self.plan_with(&search)
    }

    fn plan_with(&self, search: &Search<'_>) -> Result<Plan, Failure> {
        let wanted = self.node.wanted(search.data_dir)?;
        let Wanted { raw, p2p, params, .. } = &wanted;
        raw.payout_address(params).map_err(|error| not_payable(error, params.chain))?;
        let login = search.login(raw, params.chain)?;
        let reserve = search.reserve(raw)?;
        let place = RunPlace {
            data_dir: search.data_dir.to_owned(),
            helper: self.session.miner(),
            bitcoin: BitcoinSource::Bitcoind { rpc: login.rpc.clone(), reserve },
        };
        let settings = raw.check(p2p, place).map_err(|error| self.node.blame(&wanted, &error))?;
        let look = login.is_found.then(|| raw.clone());
        let plan = self.session.plan(settings, search.data_dir.to_owned(), Some(login));
        Ok(Plan { look, ..plan })
    }
}

/// What the settings file and the arguments say together.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) raw: RawRun,
    pub(crate) p2p: RawP2p,
    pub(crate) params: Params,
    /// The settings file alone, and where it lies.
    file: RawSettings,
    settings_file: PathBuf,
}

impl NodeArgs {
    /// Reads the settings file and lets the arguments win over it.
    ///
    /// # Errors
    /// A damaged settings file, or a network that cannot be.
    pub(crate) fn wanted(&self, data_dir: &Path) -> Result<Wanted, Failure> {
        let (file, settings_file) = read_settings(data_dir)?;
        let raw = self.over(&file.run);
        let p2p = self.p2p.over(&file.p2p);
        let params = raw.params(&p2p);
        let params = params.map_err(|error| self.blame_of(&file, &settings_file, &error))?;
        Ok(Wanted { raw, p2p, params, file, settings_file })
    }

    /// What the settings file and these arguments say together.
    pub(crate) fn over(&self, file: &RawRun) -> RawRun {
        let network = self.network.and_then(|chain| chain.to_possible_value());
        let of = |ours: &Option<PathBuf>, files: &Option<PathBuf>| ours.clone().or(files.clone());
        // An argument about the login puts all of the file's login aside.
        let bitcoin = &self.bitcoin;
        let has_login = bitcoin.rpc_cookie.is_some() || bitcoin.rpc_user.is_some();
        let files_login = if has_login { RawRun::default() } else { file.clone() };
        RawRun {
            network: network.map(|name| name.get_name().into()).or(file.network.clone()),
            bitcoin_dir: of(&bitcoin.place.bitcoin_dir, &file.bitcoin_dir),
            bitcoin_conf: of(&bitcoin.place.conf, &file.bitcoin_conf),
            rpc_url: bitcoin.rpc_url.clone().or(file.rpc_url.clone()),
            rpc_cookie: of(&bitcoin.rpc_cookie, &files_login.rpc_cookie),
            rpc_user: bitcoin.rpc_user.clone().or(files_login.rpc_user),
            rpc_password_file: of(&bitcoin.rpc_password_file, &files_login.rpc_password_file),
            address: self.address.clone().or(file.address.clone()),
            stratum: self.stratum_port.clone().or(file.stratum.clone()),
            threads: if self.no_cpu { Some(0) } else { self.threads.or(file.threads) },
            limit_hps: self.limit_hps.or(file.limit_hps),
            record_shares: self.record_shares.then_some(true).or(file.record_shares),
            // What no argument speaks of.
            rpc_public: file.rpc_public,
            reserve: file.reserve.clone(),
            door: file.door.clone(),
            donation: file.donation,
            coinbase_text: file.coinbase_text.clone(),
            cpu_minutes: file.cpu_minutes,
            pause_on_battery: file.pause_on_battery,
            pause_when_active: file.pause_when_active,
        }
    }

    fn blame(&self, wanted: &Wanted, error: &SettingsError) -> Failure {
        self.blame_of(&wanted.file, &wanted.settings_file, error)
    }

    /// Whose mistake wrong values are: the file's if it is wrong by itself, else the arguments'.
    fn blame_of(&self, file: &RawSettings, path: &Path, error: &SettingsError) -> Failure {
        let place = RunPlace {
            data_dir: PathBuf::new(),
            helper: PathBuf::new(),
            bitcoin: BitcoinSource::Practice,
        };
        // The address is judged apart; which chain it belongs to is the arguments' word first.
        let together = self.over(&file.run);
        let alone =
            RawRun { network: together.network, address: together.address, ..file.run.clone() };
        match alone.check(&file.p2p, place) {
            Err(error) => settings_failure(path, &error),
            Ok(_) => Failure::bad_options(&error.to_string()),
        }
    }
}

/// Why there is nothing to pay, in the words of the set-up. A text that may be a secret is not
/// repeated.
pub(crate) fn not_payable(error: RunAddressError, chain: bitcoin::Network) -> Failure {
    let (code, sentence) = match error {
        RunAddressError::Missing => (
            "A-01",
            "Name the address that your work is to be paid at with --address. Take a fresh one of \
             your own wallet (bc1q…): addresses and amounts are public on the share chain."
                .to_owned(),
        ),
        RunAddressError::Fault(AddressFault::Secret) => (
            AddressFault::Secret.code(),
            format!(
                "{} What stands in a command line can be read by others and may be kept by your \
                 shell: move your coins to a new wallet.",
                AddressFault::Secret
            ),
        ),
        RunAddressError::Fault(fault @ AddressFault::OtherNetwork { .. }) => {
            (fault.code(), format!("{fault} The pool on {} cannot pay it.", chain.to_core_arg()))
        }
        RunAddressError::Fault(fault) => (fault.code(), fault.to_string()),
    };
    Failure { code, sentence, details: String::new(), exit: EXIT_INPUT }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bitcoin::Network;
    use clap::Parser;
    use p2pool_bitcoind::Auth;
    use p2pool_bitcoind::local::{Surroundings, System, Variables};

    use super::*;
    use crate::args::{Cli, Command};

    const MINE: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

    fn args(line: &str) -> RunArgs {
        let words = ["p2poold", "run"].into_iter().chain(line.split_whitespace());
        let Command::Run(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{line}")
        };
        *args
    }

    fn folder(file: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("settings.toml"), file).unwrap();
        folder
    }

    /// The outcome with this settings file and these arguments, on a computer without Bitcoin.
    fn plan(file: &str, line: &str) -> Result<Plan, Failure> {
        let folder = folder(file);
        let home = Some(folder.path().to_owned());
        let surroundings = Surroundings {
            system: System::Linux,
            variables: Variables { home, ..Variables::default() },
            running: vec![],
            ..Surroundings::of_this_computer()
        };
        args(line).plan_with(&Search { surroundings, password: None, data_dir: folder.path() })
    }

    #[test]
    fn an_address_is_all_that_has_to_be_told() {
        let plan = plan("", &format!("--address {MINE}")).unwrap();
        let settings = plan.settings;
        assert_eq!(settings.payout_address.as_deref(), Some(MINE));
        assert_eq!((settings.params.chain, settings.helper), (Network::Bitcoin, None));
        assert!(plan.login.is_some_and(|login| login.is_found));
    }

    #[test]
    fn without_a_good_address_nothing_starts_and_secrets_are_not_repeated() {
        let wif = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ";
        for (line, code) in [
            (String::new(), "A-01"),
            ("--address bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5".into(), "A-01"),
            (
                "--address bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0".into(),
                "A-02",
            ),
            ("--address tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx".into(), "A-03"),
            (format!("--network regtest --address {MINE}"), "A-03"),
            (format!("--address {wif}"), "A-04"),
        ] {
            let failure = plan("", &line).unwrap_err();
            assert_eq!((failure.code, failure.exit), (code, 2), "{line}: {failure}");
            assert!(!failure.to_string().contains(wif), "{failure}");
        }
    }

    #[test]
    fn arguments_win_over_the_file_and_put_its_login_aside() {
        let file = "[run]\nnetwork = \"regtest\"\nrpc_url = \"http://10.0.0.5:1\"\n\
                    rpc_cookie = \"/file\"\nthreads = 2\nstratum = \"7\"\n[p2p]\nport = 5\n";
        let told = plan(file, "").unwrap();
        let login = told.login.unwrap();
        assert_eq!(login.rpc.url, "http://10.0.0.5:1");
        assert_eq!(login.rpc.auth, Auth::Cookie("/file".into()));
        assert_eq!(told.settings.helper.map(|helper| helper.threads), Some(2));
        assert_eq!(told.settings.p2p.listen[0].port(), 5);

        let line = "--rpc-cookie /mine --no-cpu -w 127.0.0.1:0 --p2p-port 6";
        let told = plan(file, line).unwrap();
        assert_eq!(told.login.unwrap().rpc.auth, Auth::Cookie("/mine".into()));
        assert_eq!(told.settings.helper, None);
        assert_eq!(told.settings.stratum.to_string(), "127.0.0.1:0");
        assert_eq!(told.settings.p2p.listen[0].port(), 6);
        let raw = RawRun { rpc_cookie: Some("/file".into()), ..RawRun::default() };
        let bitcoin = BitcoinArgs { rpc_user: Some("bob".into()), ..BitcoinArgs::default() };
        let args = NodeArgs { bitcoin, ..NodeArgs::default() };
        assert_eq!(args.over(&raw).rpc_cookie, None, "a name puts the file's cookie aside");
    }

    #[test]
    fn mistakes_belong_to_whoever_made_them() {
        for (file, line, code) in [
            ("[run]\nthread = 1\n", "", "E-APP-03"),
            ("[run]\nnetwork = \"liquid\"\n", "", "E-APP-03"),
            ("[run]\nnetwork = \"regtest\"\nthreads = 9999\n", "", "E-APP-03"),
            ("[run]\nnetwork = \"regtest\"\n", "--threads 9999", "E-CLI-01"),
            ("", "--network regtest -w everywhere", "E-CLI-01"),
            ("", "--network regtest --max-peers 99", "E-CLI-01"),
        ] {
            let failure = plan(file, line).unwrap_err();
            assert_eq!((failure.code, failure.exit), (code, 2), "{file} {line}: {failure}");
        }
        assert!(Cli::try_parse_from(["p2poold", "run", "--rpc-password", "x"]).is_err());
        assert!(Cli::try_parse_from(["p2poold", "run", "--threads", "1", "--no-cpu"]).is_err());
    }
}

//! Arguments and the settings file, put together and checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use p2pool_node::{ProblemCode, RawPractice, RawRun, RawSettings, Settings, SettingsError};

use crate::bitcoin_login::BitcoinLogin;
use crate::books::{BlocksArgs, SharesArgs};
use crate::conf::ConfArgs;
use crate::doctor::DoctorArgs;
use crate::failure::Failure;
use crate::folders;
use crate::p2p_args::P2pArgs;
use crate::run_args::RunArgs;
use crate::status_command::StatusArgs;

/// Name of the settings file in the data folder.
const SETTINGS_FILE: &str = "settings.toml";
/// The practice node's own folder in the data folder.
const PRACTICE_DIR: &str = "practice";

/// The P2Pool node without a window.
#[derive(Debug, Parser)]
#[command(name = "p2poold", version, about, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<RunArgs>),
    /// Mine in a practice pool on a private Bitcoin chain; its coins have no value.
    Practice(Box<PracticeArgs>),
    Status(StatusArgs),
    Doctor(Box<DoctorArgs>),
    Conf(ConfArgs),
    Shares(SharesArgs),
    Blocks(BlocksArgs),
}

/// Where data lies, how to tell what happens, and when to end.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SessionArgs {
    /// Folder of settings.toml and of all data [default: p2pool-desktop in your own data folder]
    #[arg(long, value_name = "DIR", env = "P2POOL_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Print one event a line, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// End with a summary after so many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// End with a summary after so many accepted blocks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    blocks: Option<u64>,
    /// Messages for finding faults: error, warn, info, debug, trace, also by module
    #[arg(long, value_name = "FILTER", default_value = "warn", env = "P2POOL_LOG")]
    pub(crate) log: String,
    /// Program file of the CPU miner [default: beside this program]
    #[arg(long, value_name = "PATH", hide = true)]
    miner: Option<PathBuf>,
}

/// Arguments win over settings.toml.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PracticeArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Rules of the private Bitcoin chain [default: testnet4]
    #[arg(long, value_parser = ["testnet4", "regtest"])]
    chain: Option<String>,
    /// Threads of the CPU miner, 0 for none [default: 1]
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
    /// Most hashes per second of the CPU miner [default: no limit]
    #[arg(long, value_name = "N")]
    limit_hps: Option<u64>,
    /// Port for miners, 0 for any free one [default: 19332]
    #[arg(long, value_name = "P")]
    stratum_port: Option<u16>,
    /// Simulated members of the pool, 0 to 8 [default: 3]
    #[arg(long, value_name = "N")]
    members: Option<u32>,
    /// Address that your work is paid at [default: a practice address]
    #[arg(long, value_name = "A")]
    address: Option<String>,
    #[command(flatten)]
    p2p: P2pArgs,
}

/// Everything that was asked for, checked.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    /// The folder that the person knows.
    pub(crate) data_dir: PathBuf,
    /// The Bitcoin node; `None` in practice.
    pub(crate) login: Option<BitcoinLogin>,
    /// What it is looked for by, if it was found and not named.
    pub(crate) look: Option<RawRun>,
    /// End after this time.
    pub(crate) run_for: Option<Duration>,
    /// End after so many accepted blocks.
    pub(crate) blocks: Option<u64>,
}

impl SessionArgs {
    /// The folder of all data.
    ///
    /// # Errors
    /// None is named, and the system names none.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        match &self.data_dir {
            Some(folder) => Ok(folder.clone()),
            None => folders::data_dir().ok_or_else(Failure::no_data_folder),
        }
    }

    /// The program file of the CPU miner.
    pub(crate) fn miner(&self) -> PathBuf {
        let beside = || folders::beside_this_program("p2pool-miner");
        self.miner.clone().unwrap_or_else(beside)
    }

    /// The plan for checked settings.
    pub(crate) fn plan(
        &self,
        settings: Settings,
        data_dir: PathBuf,
        login: Option<BitcoinLogin>,
    ) -> Plan {
        let run_for = self.seconds.map(Duration::from_secs);
        Plan { settings, data_dir, login, look: None, run_for, blocks: self.blocks }
    }
}

impl PracticeArgs {
    /// Reads the settings file and lets the arguments win over it.
    ///
    /// # Errors
    /// A damaged settings file, or values that cannot be.
    pub(crate) fn plan(&self) -> Result<Plan, Failure> {
        let data_dir = self.session.data_dir()?;
        let (raw, file) = read_settings(&data_dir)?;
        let settings = self
            .over(&raw.practice)
            .check(data_dir.join(PRACTICE_DIR), self.session.miner())
            .map_err(|error| Self::blame(&file, &raw.practice, &error))?;
        Ok(self.session.plan(settings, data_dir, None))
    }

    fn over(&self, file: &RawPractice) -> RawPractice {
        RawPractice {
            chain: self.chain.clone().or_else(|| file.chain.clone()),
            threads: self.threads.or(file.threads),
            limit_hps: self.limit_hps.or(file.limit_hps),
            stratum_port: self.stratum_port.or(file.stratum_port),
            members: self.members.or(file.members),
            address: self.address.clone().or_else(|| file.address.clone()),
            p2p: self.p2p.over(&file.p2p),
            // What no argument speaks of.
            ..file.clone()
        }
    }

    /// Whose mistake wrong values are: the file's if it is wrong by itself, else the arguments'.
    fn blame(path: &Path, file: &RawPractice, error: &SettingsError) -> Failure {
        match file.check(PathBuf::new(), PathBuf::new()) {
            Err(error) => settings_failure(path, &error),
            Ok(_) => Failure::bad_options(&error.to_string()),
        }
    }
}

/// The settings file of a data folder, and where it lies.
///
/// # Errors
/// It is damaged, or cannot be read.
pub(crate) fn read_settings(data_dir: &Path) -> Result<(RawSettings, PathBuf), Failure> {
    let file = data_dir.join(SETTINGS_FILE);
    // Where there is no folder yet, or can be none, there are no settings to be damaged.
    let raw = if data_dir.is_dir() { RawSettings::read(&file) } else { Ok(RawSettings::default()) };
    let raw = raw.map_err(|error| settings_failure(&file, &error))?;
    Ok((raw, file))
}

/// A settings file that cannot be used.
pub(crate) fn settings_failure(path: &Path, error: &SettingsError) -> Failure {
    let (problem, details) = match error {
        SettingsError::Unreadable { reason, .. } => ("cannot be read", reason.clone()),
        SettingsError::Damaged { reason, .. } => ("is damaged", reason.clone()),
        SettingsError::Values(_) | _ => ("is damaged", error.to_string()),
    };
    let sentence = format!(
        "The settings file {} {problem}. Mend it, or remove it to begin with the defaults.",
        path.display()
    );
    Failure::of_settings(ProblemCode::SettingsDamaged, sentence, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> PracticeArgs {
        let words = ["p2poold", "practice"].into_iter().chain(line.split_whitespace());
        let Command::Practice(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{line} is not practice")
        };
        *args
    }

    fn folder(file: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS_FILE), file).unwrap();
        folder
    }

    /// The outcome with this settings file and these arguments.
    fn plan(file: &str, line: &str) -> Result<Plan, Failure> {
        let folder = folder(file);
        let mut args = args(line);
        args.session.data_dir = Some(folder.path().into());
        args.plan()
    }

    #[test]
    fn arguments_win_over_the_settings_file() {
        let file = "[practice]\nthreads = 3\nmembers = 1\n";
        let settings = plan(file, "--members 5 --stratum-port 0").unwrap().settings;
        assert_eq!(settings.helper.unwrap().threads, 3);
        assert_eq!((settings.members, settings.stratum.port()), (5, 0));
    }

    #[test]
    fn node_data_lies_in_a_folder_of_its_own_beside_the_settings() {
        let plan = plan("", "--for 5 --blocks 2").unwrap();
        assert_eq!(plan.settings.data_dir, plan.data_dir.join("practice"));
        assert_eq!((plan.run_for, plan.blocks), (Some(Duration::from_secs(5)), Some(2)));
    }

    #[test]
    fn damaged_file_and_wrong_values_in_it_are_the_files_fault() {
        for file in ["threads = \u{0}", "[practice]\nthread = 1\n", "[practice]\nmembers = 9\n"] {
            let failure = plan(file, "").unwrap_err();
            assert_eq!((failure.code, failure.exit), ("E-APP-03", 2), "{file}");
            assert!(failure.sentence.contains(SETTINGS_FILE), "{}", failure.sentence);
        }
    }

    #[test]
    fn wrong_values_in_arguments_are_the_command_lines_fault() {
        for line in ["--members 9", "--address 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"] {
            let failure = plan("[practice]\nthreads = 2\n", line).unwrap_err();
            assert_eq!((failure.code, failure.exit), ("E-CLI-01", 2), "{line}");
        }
    }

    #[test]
    fn arguments_can_repair_a_value_of_the_file() {
        assert!(plan("[practice]\nmembers = 9\n", "--members 1").is_ok());
    }

    #[test]
    fn a_run_of_no_length_is_refused() {
        for option in ["--for=0", "--blocks=0", "--for=-1", "--chain=main"] {
            assert!(Cli::try_parse_from(["p2poold", "practice", option]).is_err(), "{option}");
        }
    }
}

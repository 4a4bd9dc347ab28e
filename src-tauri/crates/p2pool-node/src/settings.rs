//! Settings of a node: as written down, and as checked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use p2pool_bitcoind::RpcConfig;
use p2pool_sharechain::Params;
use p2pool_sharechain::address::{self, AddressError};
use serde::{Deserialize, Serialize};

use crate::door::settings::DoorSettings;
use crate::p2p::settings::{P2pPlace, P2pSettings, RawP2p};

mod run;

pub use self::run::{RawReserve, RawRun, RunAddressError, RunPlace};

/// What a node is started with. Only valid states can be made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of this node's own data.
    pub data_dir: PathBuf,
    /// Share-chain network.
    pub params: Arc<Params>,
    /// Where blocks and templates come from.
    pub bitcoin: BitcoinSource,
    /// Address text that own work pays; `None` lets a practice node make its own.
    pub payout_address: Option<String>,
    /// Where miners connect; port 0 for any.
    pub stratum: SocketAddr,
    /// The user's choices about the miners' door.
    pub door: DoorSettings,
    /// Connections to other nodes.
    pub p2p: P2pSettings,
    /// The CPU miner; `None` for no CPU mining.
    pub helper: Option<HelperSettings>,
    /// Simulated members, practice only.
    pub members: u32,
    /// Whether miners get work from the start.
    pub mines_at_start: bool,
    /// Whether every share ever seen is kept, in files beside the database.
    pub record_shares: bool,
    /// Text in own blocks.
    pub coinbase_text: String,
    /// Donation to the developers in 65535ths.
    pub donation: u16,
}

/// Where blocks and templates come from.
#[derive(Clone, Debug)]
pub enum BitcoinSource {
    /// A Bitcoin node.
    Bitcoind {
        /// The node that is used.
        rpc: RpcConfig,
        /// Another one for when that cannot be used; it gets every found block too.
        reserve: Option<RpcConfig>,
    },
    /// A private chain inside this process.
    Practice,
}

/// The CPU miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperSettings {
    /// Its program file.
    pub program: PathBuf,
    /// Threads; at least one.
    pub threads: u32,
    /// Most hashes per second of all threads; `None` for no limit.
    pub limit_hps: Option<u64>,
    /// Whether it pauses while the computer runs on its battery.
    pub pause_on_battery: bool,
    /// Whether it pauses while somebody uses the computer.
    pub pause_when_active: bool,
    /// Time after which it stops for good, pauses included, counted from when mining is switched
    /// on; `None` for never.
    pub stop_after: Option<Duration>,
    /// Temperature of the processor, in degrees Celsius, above which it stops for good, where the
    /// system tells it; `None` for never.
    pub stop_above_celsius: Option<u8>,
}

impl HelperSettings {
    /// What it should be in practice mode unless the user says otherwise: it mines on.
    pub fn practice(program: PathBuf, threads: u32, limit_hps: Option<u64>) -> Self {
        let (pause_on_battery, pause_when_active) = (false, false);
        let (stop_after, stop_above_celsius) = (None, None);
        Self {
            program,
            threads,
            limit_hps,
            pause_on_battery,
            pause_when_active,
            stop_after,
            stop_above_celsius,
        }
    }

    /// What it should be in live mode unless the user says otherwise: a short try that harms nobody.
    pub fn live(program: PathBuf, threads: u32) -> Self {
        let stop_after = Some(HELPER_TRY);
        let stop_above_celsius = Some(HELPER_HOT_CELSIUS);
        let usual = Self::practice(program, threads, None);
        Self { pause_on_battery: true, stop_after, stop_above_celsius, ..usual }
    }
}

/// What stands in `settings.toml`. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSettings {
    /// Mining on a Bitcoin chain that others share.
    #[serde(default)]
    pub run: RawRun,
    /// Practice mode.
    #[serde(default)]
    pub practice: RawPractice,
    /// Connections to other nodes, outside practice.
    #[serde(default)]
    pub p2p: RawP2p,
}

/// Practice mode's part of `settings.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPractice {
    /// `testnet4` or `regtest`.
    pub chain: Option<String>,
    /// Threads of the CPU miner; 0 for no CPU mining.
    pub threads: Option<u32>,
    /// Most hashes per second of the CPU miner.
    pub limit_hps: Option<u64>,
    /// Whether the CPU miner pauses while the computer runs on its battery.
    pub pause_on_battery: Option<bool>,
    /// Whether the CPU miner pauses while somebody uses the computer.
    pub pause_when_active: Option<bool>,
    /// Port for miners; 0 for any.
    pub stratum_port: Option<u16>,
    /// Simulated members, 0 to 8.
    pub members: Option<u32>,
    /// Address that own work pays.
    pub address: Option<String>,
    /// Whether every share ever seen is kept.
    pub record_shares: Option<bool>,
    /// Connections to other practice nodes.
    #[serde(default)]
    pub p2p: RawP2p,
}

/// Why settings are not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Not TOML, or with unknown or mistyped entries.
    #[error("{path}: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The parser's words.
        reason: String,
    },
    /// Not readable.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// One or more values out of range.
    #[error("{}", .0.join("; "))]
    Values(Vec<String>),
}

/// Most simulated members.
const MEMBERS_MAX: u32 = 8;
/// How long the CPU miner runs when it is switched on in live mode.
const HELPER_TRY: Duration = Duration::from_secs(600);
/// Temperature of the processor at which it stops then.
const HELPER_HOT_CELSIUS: u8 = 85;
/// Most threads of the CPU miner.
const THREADS_MAX: u32 = 1024;

impl RawSettings {
    /// Reads a settings file; a missing file is an empty one.
    ///
    /// # Errors
    /// Unreadable files, and texts with mistakes.
    pub fn read(path: &std::path::Path) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                let reason = error.to_string();
                return Err(SettingsError::Unreadable { path: path.into(), reason });
            }
        };
        toml::from_str(&text).map_err(|error| SettingsError::Damaged {
            path: path.into(),
            reason: error.to_string(),
        })
    }
}

impl RawPractice {
    /// Checks everything and gives all mistakes at once.
    ///
    /// # Errors
    /// [`SettingsError::Values`].
    pub fn check(&self, data_dir: PathBuf, helper: PathBuf) -> Result<Settings, SettingsError> {
        let mut mistakes = Vec::new();
        let chain = match self.chain.as_deref() {
            None | Some("testnet4") => Network::Testnet4,
            Some("regtest") => Network::Regtest,
            Some(other) => {
                mistakes.push(format!("chain must be testnet4 or regtest, not {other:?}"));
                Network::Testnet4
            }
        };
        let practice = Params::practice(chain);
        let params = self.p2p.params(practice.clone()).unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            practice
        });
        let p2p = self.p2p.check(&params, P2pPlace::Practice).map_err(|m| mistakes.extend(m)).ok();
        // Shares of two pools never lie in one folder.
        let is_private = self.p2p.pool.is_some();
        let data_dir = if is_private { data_dir.join(&params.name) } else { data_dir };
        let params = Arc::new(params);
        let threads = self.threads.unwrap_or(1);
        if threads > THREADS_MAX {
            mistakes.push(format!("threads must be at most {THREADS_MAX}, not {threads}"));
        }
        let members = self.members.unwrap_or(3);
        if members > MEMBERS_MAX {
            mistakes.push(format!("members must be at most {MEMBERS_MAX}, not {members}"));
        }
        if let Some(address) = &self.address
            && let Err(error) = check_payout_address(address, &params)
        {
            mistakes.push(format!("address {address:?} cannot be paid: {error}"));
        }
        let Some(p2p) = p2p.filter(|_| mistakes.is_empty()) else {
            return Err(SettingsError::Values(mistakes));
        };
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let port = self.stratum_port.unwrap_or(params.worker_port);
        let helper = HelperSettings {
            pause_on_battery: self.pause_on_battery.unwrap_or(false),
            pause_when_active: self.pause_when_active.unwrap_or(false),
            ..HelperSettings::practice(helper, threads, self.limit_hps)
        };
        Ok(Settings {
            data_dir,
            params,
            bitcoin: BitcoinSource::Practice,
            payout_address: self.address.clone(),
            stratum: SocketAddr::new(loopback, port),
            door: DoorSettings::default(),
            p2p,
            helper: (threads > 0).then_some(helper),
            members,
            mines_at_start: true,
            record_shares: self.record_shares.unwrap_or(false),
            coinbase_text: "practice".into(),
            donation: 0,
        })
    }
}

/// Whether an address can be paid by shares of this network, and its owner can spend it.
///
/// # Errors
/// Addresses that the chain refuses or that would be paid wrongly.
pub fn check_payout_address(text: &str, params: &Params) -> Result<(), AddressError> {
    let decoded = address::decode(text.as_bytes(), &params.addresses)?;
    if address::pays_its_owner(&decoded, true) {
        Ok(())
    } else {
        Err(AddressError::UnpayableProgram)
    }
}

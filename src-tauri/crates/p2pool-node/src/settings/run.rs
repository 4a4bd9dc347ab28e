//! The part of `settings.toml` about mining on a Bitcoin chain that others share.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use p2pool_sharechain::Params;
use p2pool_sharechain::versions::ShareVersion;
use serde::{Deserialize, Serialize};

use super::{BitcoinSource, HelperSettings, Settings, SettingsError, THREADS_MAX};
use crate::door::settings::RawDoor;
use crate::p2p::settings::{P2pPlace, RawP2p};
use crate::payout_address::{self, AddressFault};

/// Largest part of own work for the developers, in percent.
const DONATION_MAX: u8 = 5;
/// The text shares one push of the coinbase script; room for it is cut where there is less.
const COINBASE_TEXT_BYTES_MAX: usize = 75;

/// Mining on a Bitcoin chain that others share. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRun {
    /// `main`, `testnet3`, `testnet4`, `signet` or `regtest`.
    pub network: Option<String>,
    /// Data folder of the Bitcoin node on this computer.
    pub bitcoin_dir: Option<PathBuf>,
    /// Its configuration file.
    pub bitcoin_conf: Option<PathBuf>,
    /// Its RPC address, `http://host:port`.
    pub rpc_url: Option<String>,
    /// Its cookie file.
    pub rpc_cookie: Option<PathBuf>,
    /// Name to log in with.
    pub rpc_user: Option<String>,
    /// File with the password, which its owner alone may read.
    pub rpc_password_file: Option<PathBuf>,
    /// Whether the login may cross the open internet, where everybody on the way can read it.
    pub rpc_public: Option<bool>,
    /// Another Bitcoin node for when the first cannot be used.
    pub reserve: Option<RawReserve>,
    /// Address that own work pays.
    pub address: Option<String>,
    /// Where miners connect, `port` or `address:port`.
    pub stratum: Option<String>,
    /// Threads of the CPU miner; 0 for no CPU mining.
    pub threads: Option<u32>,
    /// Most hashes per second of the CPU miner.
    pub limit_hps: Option<u64>,
    /// Minutes after which the CPU miner stops, 10 unless told otherwise; 0 for never.
    pub cpu_minutes: Option<u32>,
    /// Whether the CPU miner pauses while the computer runs on its battery, as it does unless told
    /// otherwise.
    pub pause_on_battery: Option<bool>,
    /// Whether the CPU miner pauses while somebody uses the computer.
    pub pause_when_active: Option<bool>,
    /// Whether every share ever seen is kept.
    pub record_shares: Option<bool>,
    /// Part of own work given to the developers, in whole percent, 0 to 5.
    pub donation: Option<u8>,
    /// Text in own blocks, at most 75 bytes.
    pub coinbase_text: Option<String>,
    /// Who is served at the miners' door, and how.
    #[serde(default)]
    pub door: RawDoor,
}

/// A second Bitcoin node: it takes over while the first cannot be used, and gets every found block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawReserve {
    /// Its RPC address, `http://host:port`.
    pub rpc_url: String,
    /// Its cookie file.
    pub rpc_cookie: Option<PathBuf>,
    /// Name to log in with.
    pub rpc_user: Option<String>,
    /// File with the password, which its owner alone may read.
    pub rpc_password_file: Option<PathBuf>,
}

/// What settings for mining do not say: this computer.
#[derive(Clone, Debug)]
pub struct RunPlace {
    /// Folder of all data; the node's own lies in it.
    pub data_dir: PathBuf,
    /// Program file of the CPU miner.
    pub helper: PathBuf,
    /// The Bitcoin node with its login.
    pub bitcoin: BitcoinSource,
}

/// Why no address of one's own is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunAddressError {
    /// None is given, and on this chain coins have a value.
    #[error("there is no address to pay your work at")]
    Missing,
    /// One is given, and is not good.
    #[error(transparent)]
    Fault(#[from] AddressFault),
}

impl RawRun {
    /// The Bitcoin chain; the main one unless told otherwise.
    ///
    /// # Errors
    /// An unknown name.
    pub fn chain(&self) -> Result<Network, SettingsError> {
        match self.network.as_deref() {
            None | Some("main") => Ok(Network::Bitcoin),
            Some("testnet3") => Ok(Network::Testnet),
            Some("testnet4") => Ok(Network::Testnet4),
            Some("signet") => Ok(Network::Signet),
            Some("regtest") => Ok(Network::Regtest),
            Some(other) => Err(SettingsError::Values(vec![format!(
                "network must be main, testnet3, testnet4, signet or regtest, not {other:?}"
            )])),
        }
    }

    /// The share chain's network, or that of the private pool that `p2p` names.
    ///
    /// # Errors
    /// Unknown names, and pools on another chain.
    pub fn params(&self, p2p: &RawP2p) -> Result<Params, SettingsError> {
        let network = match self.chain()? {
            Network::Bitcoin => Params::mainnet(),
            Network::Testnet => Params::testnet(),
            chain @ (Network::Testnet4 | Network::Signet | Network::Regtest) => {
                Params::test_pool(chain)
            }
        };
        p2p.params(network).map_err(|mistake| SettingsError::Values(vec![mistake]))
    }

    /// The address that own work pays, as shares name it; `None` where none is needed.
    ///
    /// # Errors
    /// An address that the pool cannot pay, or none where coins have a value.
    pub fn payout_address(&self, params: &Params) -> Result<Option<String>, RunAddressError> {
        match &self.address {
            Some(text) => {
                let address = payout_address::judge(text, params, ShareVersion::NEWEST)?;
                Ok(Some(address.text))
            }
            None if params.chain == Network::Bitcoin => Err(RunAddressError::Missing),
            None => Ok(None),
        }
    }

    /// Where miners connect; on all addresses unless told otherwise.
    ///
    /// # Errors
    /// A text that names no place, in words.
    pub fn stratum(&self, params: &Params) -> Result<SocketAddr, String> {
        let Some(text) = self.stratum.as_deref() else {
            return Ok(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), params.worker_port));
        };
        socket(text).ok_or_else(|| format!("stratum must be a port or ADDRESS:PORT, not {text:?}"))
    }

    /// Checks everything and gives all mistakes at once.
    ///
    /// # Errors
    /// [`SettingsError::Values`].
    pub fn check(&self, p2p: &RawP2p, place: RunPlace) -> Result<Settings, SettingsError> {
        let params = self.params(p2p)?;
        let mut mistakes = Vec::new();
        let payout_address = self
            .payout_address(&params)
            .map_err(|error| mistakes.push(format!("address: {error}")))
            .unwrap_or_default();
        let threads = self.threads.unwrap_or(0);
        if threads > THREADS_MAX {
            mistakes.push(format!("threads must be at most {THREADS_MAX}, not {threads}"));
        }
        let donation = self.donation.unwrap_or(0);
        if donation > DONATION_MAX {
            mistakes
                .push(format!("donation must be at most {DONATION_MAX} percent, not {donation}"));
        }
        let coinbase_text = self.coinbase_text.clone().unwrap_or_default();
        if coinbase_text.len() > COINBASE_TEXT_BYTES_MAX {
            let len = coinbase_text.len();
            mistakes.push(format!(
                "coinbase_text must have at most {COINBASE_TEXT_BYTES_MAX} bytes, not {len}"
            ));
        }
        let stratum = self.stratum(&params).map_err(|mistake| mistakes.push(mistake)).ok();
        let door = self.door.check(&mut mistakes);
        let p2p = p2p.check(&params, P2pPlace::Network).map_err(|m| mistakes.extend(m)).ok();
        let (Some(p2p), Some(stratum), true) = (p2p, stratum, mistakes.is_empty()) else {
            return Err(SettingsError::Values(mistakes));
        };
        let RunPlace { data_dir, helper, bitcoin } = place;
        Ok(Settings {
            data_dir: data_dir.join(&params.name),
            params: Arc::new(params),
            bitcoin,
            payout_address,
            stratum,
            door,
            p2p,
            helper: (threads > 0).then(|| self.helper(helper, threads)),
            members: 0,
            mines_at_start: true,
            record_shares: self.record_shares.unwrap_or(false),
            coinbase_text,
            donation: share_field(donation),
        })
    }

    fn helper(&self, program: PathBuf, threads: u32) -> HelperSettings {
        let usual = HelperSettings::live(program, threads);
        let stop_after = match self.cpu_minutes {
            None => usual.stop_after,
            Some(0) => None,
            Some(minutes) => Some(Duration::from_secs(60 * u64::from(minutes))),
        };
        HelperSettings {
            limit_hps: self.limit_hps,
            pause_on_battery: self.pause_on_battery.unwrap_or(usual.pause_on_battery),
            pause_when_active: self.pause_when_active.unwrap_or(usual.pause_when_active),
            stop_after,
            ..usual
        }
    }
}

/// A percentage as shares write it, in 65535ths.
fn share_field(percent: u8) -> u16 {
    u16::try_from(u32::from(percent) * u32::from(u16::MAX) / 100).unwrap_or(u16::MAX)
}

/// `port` on all addresses, or `address:port`.
fn socket(text: &str) -> Option<SocketAddr> {
    match text.parse::<u16>() {
        Ok(port) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)),
        Err(_) => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use p2pool_bitcoind::{Auth, RpcConfig};

    use super::*;

    const MINE: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

    fn check(raw: &RawRun) -> Result<Settings, SettingsError> {
        let rpc = RpcConfig {
            url: "http://127.0.0.1:8332".into(),
            auth: Auth::Cookie(".cookie".into()),
            allows_public: false,
        };
        let bitcoin = BitcoinSource::Bitcoind { rpc, reserve: None };
        let place = RunPlace { data_dir: "/data".into(), helper: "/bin/miner".into(), bitcoin };
        raw.check(&RawP2p::default(), place)
    }

    fn on(network: &str) -> RawRun {
        RawRun { network: Some(network.into()), ..RawRun::default() }
    }

    #[test]
    fn live_node_needs_an_address_and_leaves_the_processor_alone() {
        let Err(SettingsError::Values(mistakes)) = check(&RawRun::default()) else { panic!() };
        assert_eq!(mistakes, ["address: there is no address to pay your work at"]);
        let raw = RawRun { address: Some(format!(" {MINE}\n")), ..RawRun::default() };
        let settings = check(&raw).unwrap();
        assert_eq!(settings.payout_address.as_deref(), Some(MINE));
        assert_eq!((settings.helper, settings.members), (None, 0));
        assert_eq!(settings.stratum.to_string(), "0.0.0.0:9332");
        assert_eq!(settings.data_dir, PathBuf::from("/data/bitcoin"));
        assert!(settings.params.needs_peers && settings.mines_at_start);
    }

    #[test]
    fn addresses_of_other_networks_are_refused_both_ways() {
        for (network, address) in
            [("regtest", MINE), ("main", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx")]
        {
            let raw = RawRun { address: Some(address.into()), ..on(network) };
            let error = raw.payout_address(&raw.params(&RawP2p::default()).unwrap()).unwrap_err();
            assert!(matches!(error, RunAddressError::Fault(fault) if fault.code() == "A-03"));
        }
    }

    #[test]
    fn every_chain_has_a_folder_and_ports_of_its_own() {
        let mut seen = Vec::new();
        for network in ["testnet3", "testnet4", "signet", "regtest"] {
            let settings = check(&on(network)).unwrap();
            assert_eq!(settings.payout_address, None, "{network}: a worthless one will do");
            assert!(!settings.params.needs_peers, "{network}: one may mine alone");
            seen.push((settings.data_dir, settings.stratum.port()));
        }
        let all = seen.len();
        seen.sort();
        seen.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1);
        assert_eq!(seen.len(), all, "{seen:?}");
    }

    #[test]
    fn all_mistakes_are_given_at_once() {
        let raw = RawRun {
            stratum: Some("everywhere".into()),
            threads: Some(5000),
            address: Some("nonsense".into()),
            ..RawRun::default()
        };
        let Err(SettingsError::Values(mistakes)) = check(&raw) else { panic!() };
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(check(&on("liquid")).is_err());
    }

    #[test]
    fn cpu_miner_is_a_short_try_unless_told_otherwise() {
        let helper = |raw: RawRun| check(&RawRun { threads: Some(1), ..raw }).unwrap().helper;
        let usual = helper(on("regtest")).unwrap();
        assert_eq!(usual.stop_after, Some(Duration::from_secs(600)));
        assert!(usual.pause_on_battery && !usual.pause_when_active);
        let told = helper(RawRun {
            cpu_minutes: Some(0),
            pause_on_battery: Some(false),
            pause_when_active: Some(true),
            ..on("regtest")
        });
        let told = told.unwrap();
        assert_eq!(told.stop_after, None);
        assert!(!told.pause_on_battery && told.pause_when_active);
        let hour = helper(RawRun { cpu_minutes: Some(60), ..on("regtest") }).unwrap();
        assert_eq!(hour.stop_after, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn donation_and_text_are_bounded() {
        let usual = check(&on("regtest")).unwrap();
        assert_eq!((usual.donation, usual.coinbase_text.as_str()), (0, ""));
        let told = RawRun {
            donation: Some(5),
            coinbase_text: Some("from the cellar".into()),
            ..on("regtest")
        };
        let told = check(&told).unwrap();
        // Five hundredths of 65535, cut.
        assert_eq!((told.donation, told.coinbase_text.as_str()), (3_276, "from the cellar"));
        let wrong =
            RawRun { donation: Some(6), coinbase_text: Some("x".repeat(76)), ..on("regtest") };
        let Err(SettingsError::Values(mistakes)) = check(&wrong) else { panic!() };
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    }

    #[test]
    fn miners_connect_where_they_are_told() {
        for (text, expected) in
            [("9000", "0.0.0.0:9000"), ("127.0.0.1:0", "127.0.0.1:0"), ("[::]:7", "[::]:7")]
        {
            let raw = RawRun { stratum: Some(text.into()), ..on("regtest") };
            assert_eq!(check(&raw).unwrap().stratum.to_string(), expected);
        }
    }
}

//! What a person may decide about connections to other nodes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use p2pool_sharechain::Params;
use p2pool_sharechain::private_pool::PrivatePool;
use serde::{Deserialize, Serialize};

use super::host::HostPort;

/// Outgoing connections unless told otherwise.
const OUTGOING: usize = 6;
/// Outgoing connections in low-bandwidth mode unless told otherwise.
const OUTGOING_LOW_BANDWIDTH: usize = 3;
/// Most outgoing connections that may be asked for.
const OUTGOING_MAX: usize = 10;
/// Incoming connections unless told otherwise.
const INCOMING: usize = 40;
/// Most incoming connections that may be asked for.
const INCOMING_MAX: usize = 1000;
/// Most peers that may be named.
const FIXED_MAX: usize = 64;

/// Hosts of the live network where a node without any address begins.
///
/// Source: protocol notes, protocol.md section 5.
const BOOTSTRAP: [(&str, u16); 8] = [
    ("p2p-spb.xyz", 9333),
    ("ekb.p2p-spb.xyz", 9333),
    ("rov.p2p-spb.xyz", 9333),
    ("usa.p2p-spb.xyz", 9333),
    ("ml.toom.im", 9333),
    ("btc-fork.coinpool.pw", 9335),
    ("crypto.office-on-the.net", 9335),
    ("btc.p2pool.leblancnet.us", 9333),
];

/// Connections to other nodes. Only valid states can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct P2pSettings {
    /// Where other nodes connect; empty to listen to none. Port 0 is any port, the same for all.
    pub listen: Vec<SocketAddr>,
    /// Peers that are always connected to, beyond the limit.
    pub fixed: Vec<HostPort>,
    /// Where to begin when no address is known.
    pub bootstrap: Vec<HostPort>,
    /// Outgoing connections wanted.
    pub outgoing_max: usize,
    /// Incoming connections taken.
    pub incoming_max: usize,
    /// How other nodes reach this one, if known better than they see it.
    pub external_address: Option<SocketAddr>,
    /// SOCKS5 proxy for outgoing connections. While set, names are resolved by the proxy alone,
    /// no router is asked for a port, and nobody is told where this node listens.
    pub proxy: Option<HostPort>,
    /// Whether shares are to be announced before they are sent, where the peer can do so.
    pub is_low_bandwidth: bool,
    /// Whether the router is asked to let the port through.
    pub maps_port: bool,
    /// Whether addresses of private networks are worth knowing.
    pub is_private: bool,
}

/// Where a node is at home: decides what holds unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum P2pPlace {
    /// In the open network.
    Network,
    /// On this computer alone.
    Practice,
}

/// The part of `settings.toml` about connections to other nodes. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawP2p {
    /// Port for other nodes.
    pub port: Option<u16>,
    /// Whether other nodes may connect.
    pub listen: Option<bool>,
    /// Peers to always connect to, `host` or `host:port`.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Outgoing connections, 0 to 10.
    pub max_peers: Option<usize>,
    /// Incoming connections.
    pub max_incoming: Option<usize>,
    /// How other nodes reach this one, `address` or `address:port`.
    pub external_address: Option<String>,
    /// SOCKS5 proxy for outgoing connections, `host:port`.
    pub proxy: Option<String>,
    /// Fewer connections, shares announced before they are sent.
    pub low_bandwidth: Option<bool>,
    /// Ask the router to let the port through.
    pub map_port: Option<bool>,
    /// Whether to begin with the network's well-known hosts.
    pub bootstrap: Option<bool>,
    /// A private pool, `p2pool-pool:...`.
    pub pool: Option<String>,
}

impl RawP2p {
    /// The network: the private pool if one is given, else `network`.
    ///
    /// # Errors
    /// A text that is no private pool, or one on another Bitcoin chain.
    pub fn params(&self, network: Params) -> Result<Params, String> {
        let Some(text) = &self.pool else { return Ok(network) };
        let pool: PrivatePool =
            text.parse().map_err(|error| format!("pool cannot be joined: {error}"))?;
        let pool = pool.params();
        if pool.chain == network.chain {
            Ok(pool)
        } else {
            let (found, wanted) = (pool.chain.to_core_arg(), network.chain.to_core_arg());
            Err(format!("the pool is on the Bitcoin chain {found}, this node on {wanted}"))
        }
    }

    /// Checks everything and gives all mistakes at once.
    ///
    /// # Errors
    /// Every mistake, in words.
    pub fn check(&self, params: &Params, place: P2pPlace) -> Result<P2pSettings, Vec<String>> {
        let mut mistakes = Vec::new();
        let settings = self.read(params, place, &mut mistakes);
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
    }

    fn read(&self, params: &Params, place: P2pPlace, mistakes: &mut Vec<String>) -> P2pSettings {
        let is_practice = place == P2pPlace::Practice;
        if is_practice && (self.external_address.is_some() || self.map_port == Some(true)) {
            mistakes.push("a practice node is not found from outside this computer".into());
        }
        let is_low_bandwidth = self.low_bandwidth.unwrap_or(false);
        let outgoing = if is_low_bandwidth { OUTGOING_LOW_BANDWIDTH } else { OUTGOING };
        let outgoing_max = self.max_peers.unwrap_or(outgoing);
        if outgoing_max > OUTGOING_MAX {
            mistakes.push(format!("max_peers must be at most {OUTGOING_MAX}, not {outgoing_max}"));
        }
        let incoming_max = self.max_incoming.unwrap_or(INCOMING);
        if incoming_max > INCOMING_MAX {
            let wanted = format!("max_incoming must be at most {INCOMING_MAX}");
            mistakes.push(format!("{wanted}, not {incoming_max}"));
        }
        if self.peers.len() > FIXED_MAX {
            let count = self.peers.len();
            mistakes.push(format!("peers may name at most {FIXED_MAX} nodes, not {count}"));
        }
        let mut fixed = Vec::new();
        for text in &self.peers {
            match HostPort::parse(text, Some(params.p2p_port)) {
                Ok(peer) => fixed.push(peer),
                Err(error) => mistakes.push(format!("peer: {error}")),
            }
        }
        fixed.sort();
        fixed.dedup();
        let proxy = self.proxy.as_deref().and_then(|text| {
            let proxy = HostPort::parse(text, None);
            proxy.map_err(|error| mistakes.push(format!("proxy: {error}"))).ok()
        });
        let port = self.port.unwrap_or(params.p2p_port);
        let external_address = self.external_address.as_deref().and_then(|text| {
            let place = HostPort::parse(text, Some(port)).map_err(|error| error.to_string());
            let address = place.and_then(|place| {
                place.socket_addr().ok_or_else(|| format!("{text:?} is no IP address"))
            });
            address.map_err(|error| mistakes.push(format!("external_address: {error}"))).ok()
        });
        P2pSettings {
            listen: self.listen_on(place, params),
            fixed,
            bootstrap: if self.bootstrap.unwrap_or(!is_practice) && !is_practice {
                bootstrap_hosts(params)
            } else {
                Vec::new()
            },
            outgoing_max,
            incoming_max,
            external_address,
            maps_port: self.map_port.unwrap_or(false) && proxy.is_none(),
            proxy,
            is_low_bandwidth,
            is_private: is_practice || params.identifier != Params::mainnet().identifier,
        }
    }

    /// Behind a proxy a node listens only if it is told where.
    fn listen_on(&self, place: P2pPlace, params: &Params) -> Vec<SocketAddr> {
        if !self.listen.unwrap_or(self.proxy.is_none() || self.port.is_some()) {
            return Vec::new();
        }
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        match place {
            P2pPlace::Practice => vec![SocketAddr::new(loopback, self.port.unwrap_or(0))],
            P2pPlace::Network => {
                let port = self.port.unwrap_or(params.p2p_port);
                let all: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
                all.map(|ip| SocketAddr::new(ip, port)).to_vec()
            }
        }
    }
}

fn bootstrap_hosts(params: &Params) -> Vec<HostPort> {
    if params.identifier != Params::mainnet().identifier {
        return Vec::new();
    }
    let host = |(name, port): (&str, u16)| {
        HostPort::parse(name, Some(port)).expect("the hosts of the list are well-formed")
    };
    BOOTSTRAP.map(host).to_vec()
}

#[cfg(test)]
mod tests {
    use bitcoin::Network;
    use p2pool_sharechain::compact::CompactBits;

    use super::*;

    fn live(raw: &RawP2p) -> Result<P2pSettings, Vec<String>> {
        raw.check(&Params::mainnet(), P2pPlace::Network)
    }

    #[test]
    fn live_node_listens_on_both_kinds_of_addresses_and_begins_with_known_hosts() {
        let settings = live(&RawP2p::default()).unwrap();
        let listen: Vec<String> = settings.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["0.0.0.0:9333", "[::]:9333"]);
        assert_eq!(settings.bootstrap.len(), BOOTSTRAP.len());
        assert_eq!((settings.outgoing_max, settings.incoming_max), (6, 40));
        assert!(!settings.maps_port && !settings.is_private);
    }

    #[test]
    fn practice_node_stays_on_this_computer() {
        let params = Params::practice(Network::Regtest);
        let check = |raw: RawP2p| raw.check(&params, P2pPlace::Practice);
        let settings = check(RawP2p::default()).unwrap();
        assert!(settings.listen.iter().all(|address| address.ip().is_loopback()));
        assert!(settings.bootstrap.is_empty() && settings.is_private);
        assert!(check(RawP2p { map_port: Some(true), ..RawP2p::default() }).is_err());
        let outside = Some("192.0.2.1".into());
        assert!(check(RawP2p { external_address: outside, ..RawP2p::default() }).is_err());
    }

    #[test]
    fn node_behind_a_proxy_does_not_listen_or_ask_a_router_unless_told_where() {
        let raw = RawP2p {
            proxy: Some("127.0.0.1:9050".into()),
            map_port: Some(true),
            ..RawP2p::default()
        };
        let settings = live(&raw).unwrap();
        assert!(settings.listen.is_empty() && !settings.maps_port);
        let told = RawP2p { port: Some(9333), ..raw };
        assert_eq!(live(&told).unwrap().listen.len(), 2);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let raw = RawP2p {
            peers: vec!["a b".into(), "ok.example".into(), "c:0".into()],
            max_peers: Some(11),
            proxy: Some("localhost".into()),
            external_address: Some("example.com".into()),
            ..RawP2p::default()
        };
        assert_eq!(live(&raw).unwrap_err().len(), 5);
    }

    #[test]
    fn low_bandwidth_means_fewer_connections_unless_told_otherwise() {
        let raw = RawP2p { low_bandwidth: Some(true), ..RawP2p::default() };
        assert_eq!(live(&raw).unwrap().outgoing_max, 3);
        let raw = RawP2p { max_peers: Some(8), ..raw };
        assert_eq!(live(&raw).unwrap().outgoing_max, 8);
    }

    #[test]
    fn private_pool_joins_only_on_its_own_chain_and_has_no_public_hosts() {
        let bits = CompactBits(0x1d00_ffff);
        let pool = PrivatePool::new(Network::Bitcoin, [7; 8], [8; 8], 30, 8640, bits).unwrap();
        let raw = RawP2p { pool: Some(pool.to_string()), ..RawP2p::default() };
        let params = raw.params(Params::mainnet()).unwrap();
        assert_eq!(params.identifier, [7; 8]);
        assert!(raw.check(&params, P2pPlace::Network).unwrap().bootstrap.is_empty());
        assert!(raw.params(Params::practice(Network::Regtest)).is_err());
        let broken = RawP2p { pool: Some("p2pool-pool:1?".into()), ..RawP2p::default() };
        assert!(broken.params(Params::mainnet()).is_err());
    }
}

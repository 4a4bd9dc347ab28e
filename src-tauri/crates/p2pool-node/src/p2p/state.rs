//! What everybody outside may see of the connections to other nodes.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use p2pool_engine::PeerId;
use p2pool_sharechain::time::UnixTime;

use super::doors::Doors;
use crate::state::ProblemCode;

/// Most bans that are shown.
pub(crate) const BANS_SHOWN_MAX: usize = 100;

/// The connections to other nodes at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct P2pState {
    /// Where other nodes can connect, as far as this computer is concerned.
    pub listening: Vec<SocketAddr>,
    /// The wanted port was in use by another program, so that another one was taken.
    pub is_other_port: bool,
    /// Connections made by this node, their handshake done.
    pub outgoing: usize,
    /// Connections made by others, their handshake done.
    pub incoming: usize,
    /// Addresses of nodes in the store.
    pub known_addresses: usize,
    /// Addresses tried since one of them answered last.
    pub tried: usize,
    /// Of these, those at which anybody answered at all.
    pub reached: usize,
    /// Well-known names that were last found to have addresses.
    pub resolved_names: usize,
    /// Attempts to connect under way.
    pub dialling: usize,
    /// Everybody connected, longest first.
    pub peers: Vec<PeerState>,
    /// Hosts that are avoided, the longest ban first, at most 100.
    pub bans: Vec<BanState>,
    /// The port in the router.
    pub mapping: MappingState,
    /// What is wrong, if anything.
    pub problem: Option<ProblemCode>,
}

impl P2pState {
    /// Before anything has happened.
    pub(crate) fn at_start(doors: &Doors) -> Self {
        Self {
            listening: doors.addresses(),
            is_other_port: doors.is_other_port,
            problem: doors.is_other_port.then_some(ProblemCode::PoolPortTaken),
            ..Self::default()
        }
    }
}

/// A host that is avoided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BanState {
    /// The host; of an IPv6 host its /64.
    pub host: IpAddr,
    /// When it is over.
    pub until: UnixTime,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// Names the connection, in this run.
    pub id: PeerId,
    /// The other end; `None` if only a proxy knows it.
    pub address: Option<SocketAddr>,
    /// Whether the other end made the connection.
    pub is_incoming: bool,
    /// Name and version of its program, in its own words.
    pub program: String,
    /// Its protocol version.
    pub protocol: u32,
    /// Since when it is connected.
    pub since: UnixTime,
    /// Shares received from it.
    pub shares_received: u64,
    /// Time that a question and its answer take, as measured by connecting and by asking for
    /// shares; `None` as long as neither has happened.
    pub round_trip: Option<Duration>,
    /// Bytes sent to it.
    pub sent_bytes: u64,
    /// Bytes received from it.
    pub received_bytes: u64,
    /// Whether shares are announced to it before they are sent.
    pub is_low_bandwidth: bool,
}

/// How asking the router for a port went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MappingState {
    /// Not wanted.
    #[default]
    Off,
    /// Under way.
    Asking,
    /// The router lets the wanted port through; nobody has come yet.
    Granted {
        /// Address outside.
        external: SocketAddr,
    },
    /// The router lets another port through, because the wanted one was taken.
    OtherPort {
        /// Address outside.
        external: SocketAddr,
    },
    /// No router that does this has answered.
    NoAnswer,
    /// The router's outside address is itself private: the provider shares one address among
    /// customers, and nobody can connect from outside.
    CarrierNat,
    /// Somebody came from outside within the last day.
    Confirmed {
        /// Address outside.
        external: SocketAddr,
        /// When the newest visitor came.
        since: UnixTime,
    },
}

impl MappingState {
    /// How others reach this node, if the router lets them through.
    pub fn external(&self) -> Option<SocketAddr> {
        match self {
            Self::Granted { external }
            | Self::OtherPort { external }
            | Self::Confirmed { external, .. } => Some(*external),
            Self::Off | Self::Asking | Self::NoAnswer | Self::CarrierNat => None,
        }
    }
}

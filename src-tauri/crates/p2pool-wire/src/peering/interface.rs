//! What goes into [`Peering`](super::Peering) and what comes out.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::verify::Blame;

use crate::addrbook::{AddressChanges, AddressRecord};
use crate::message::Message;
use crate::services::Services;
use crate::session::{Peer, SessionError};

/// Outgoing connections wanted, unless there is a reason for fewer or more.
pub const OUTGOING_WANTED: usize = 6;
/// Outgoing connections wanted where bandwidth is dear.
pub const OUTGOING_WANTED_LOW: usize = 3;
/// Most outgoing connections that can be wanted. Fixed peers do not count.
pub const OUTGOING_MAX: usize = 10;
/// Incoming connections, unless there is a reason for fewer or more.
pub const INCOMING_MAX: usize = 40;
/// Base of the ban for what no honest peer does.
pub const BAN_MISBEHAVIOUR: Duration = Duration::from_secs(3600);
/// Base of the ban for a question for shares that was not answered.
pub const BAN_FAILED_REQUEST: Duration = Duration::from_secs(30);

/// Most fixed peers, those of the configuration and those added later.
pub const FIXED_PEERS_MAX: usize = 64;

/// Names one connection, from the attempt to its end. Never used again.
pub type PeerId = u64;

/// A node by its name (or its address as text) and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host {
    /// A name, or an address as text, without brackets.
    pub name: String,
    /// Where it listens.
    pub port: u16,
}

impl Host {
    /// Its address, if it is one already.
    pub fn address(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.name.parse().ok()?;
        Some(SocketAddr::new(ip.to_canonical(), self.port))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => fmt::Display::fmt(&address, f),
            None => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

/// What [`Peering`](super::Peering) is made with.
#[derive(Clone, Debug)]
pub struct PeeringConfig {
    /// Outgoing connections wanted, normally [`OUTGOING_WANTED`]; at most [`OUTGOING_MAX`] count.
    /// Zero: only fixed peers are dialled.
    pub outgoing_wanted: usize,
    /// Most incoming connections, normally [`INCOMING_MAX`].
    pub incoming_max: usize,
    /// Peers that are kept connected whatever happens, beyond the number wanted.
    pub fixed_peers: Vec<Host>,
    /// Where the first addresses come from.
    pub bootstrap: Vec<Host>,
    /// Whether names may be looked up. If not (a proxy does it), bootstrap names are dialled as
    /// such.
    pub resolves_names: bool,
    /// The port that others are told; `None`: nobody is told anything.
    pub listen_port: Option<u16>,
    /// Where others reach us, if it is known.
    pub external_address: Option<SocketAddr>,
    /// What others are told that we understand.
    pub services: Services,
    /// Whether addresses of private networks and of this computer are taken from others and
    /// dialled: for practice, private pools and tests.
    pub allows_private: bool,
    /// Where all chance comes from.
    pub seed: u64,
}

/// A host that is avoided, and for how long: a plain record, to be stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BanRecord {
    /// The host; of an IPv6 host its /64.
    pub host: IpAddr,
    /// When it is over. A time that is past means that it was lifted.
    pub until: UnixTime,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeeringInput {
    /// Addresses from storage.
    Loaded(Vec<AddressRecord>),
    /// Bans from storage.
    LoadedBans(Vec<BanRecord>),
    /// A person wants this peer kept connected whatever happens, like the configured ones.
    AddPeer(Host),
    /// A person wants this host avoided for so long, a day at most; its connections end.
    Ban {
        /// The host.
        ip: IpAddr,
        /// For how long.
        time: Duration,
    },
    /// A person wants a host no longer avoided.
    Unban {
        /// The host.
        ip: IpAddr,
    },
    /// A person wants the search for others to go on at once, without the pauses between tries.
    SearchNow,
    /// A person wants to begin anew with other members: all addresses are forgotten, all
    /// connections but those to fixed peers end, and the bootstrap names are looked up again.
    /// Bans stay.
    Reset,
    /// The answer to [`PeeringOutput::Resolve`]; empty if there was none.
    Resolved {
        /// What was asked for.
        host: Host,
        /// Its addresses.
        addresses: Vec<SocketAddr>,
    },
    /// Nobody answered at the target of [`PeeringOutput::Dial`]: refused, timed out, or the name
    /// is not known. The connection's end.
    DialFailed {
        /// Which attempt.
        peer: PeerId,
    },
    /// The target of [`PeeringOutput::Dial`] answered; the handshake begins.
    Connected {
        /// Which attempt.
        peer: PeerId,
        /// The other end; `None` if only a proxy knows it.
        address: Option<SocketAddr>,
    },
    /// The handshake is done, on a connection of either direction.
    Joined {
        /// Which connection.
        peer: PeerId,
        /// What it says of itself.
        info: Peer,
    },
    /// The connection is over, whoever ended it.
    Left {
        /// Which connection.
        peer: PeerId,
        /// How it ended.
        how: Departure,
    },
    /// A message came; only those about addresses matter.
    Received {
        /// From which connection.
        peer: PeerId,
        /// The message.
        message: Message,
    },
    /// Where others reach us has become known, or is no longer.
    ExternalAddress(Option<SocketAddr>),
    /// The time of [`Peering::wakes_at`](super::Peering::wakes_at) has come.
    Wake,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It was closed, by either side or in between; nobody did anything wrong.
    Ended,
    /// The peer made no sense or did not answer, as may happen to a bad line or another program.
    Failed,
    /// The peer did what no honest one does: its host is avoided.
    Misbehaved {
        /// Base of the ban: [`BAN_MISBEHAVIOUR`] or [`BAN_FAILED_REQUEST`].
        ban: Duration,
    },
    /// The same node is connected already.
    Duplicate {
        /// Its random number.
        nonce: u64,
    },
    /// It was this node itself.
    Itself,
}

impl From<&SessionError> for Departure {
    fn from(error: &SessionError) -> Self {
        match (error, error.blame()) {
            (SessionError::ConnectedTwice(nonce), _) => Self::Duplicate { nonce: *nonce },
            (SessionError::ConnectedToSelf, _) => Self::Itself,
            (SessionError::Unsendable(_), _) => Self::Ended,
            (_, Blame::Sender) => Self::Misbehaved { ban: BAN_MISBEHAVIOUR },
            (_, Blame::Nobody) => Self::Failed,
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeeringOutput {
    /// Connect to the target, within some seconds; tell [`PeeringInput::Connected`] or
    /// [`PeeringInput::DialFailed`].
    Dial {
        /// The connection's name from here on.
        peer: PeerId,
        /// Whom to dial.
        target: DialTarget,
    },
    /// Send this.
    Send {
        /// To whom.
        peer: PeerId,
        /// What.
        message: Message,
    },
    /// End the connection; [`PeeringInput::Left`] is expected as ever.
    Close {
        /// Which.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// Look up a name; tell [`PeeringInput::Resolved`].
    Resolve(Host),
    /// Store these.
    Save(AddressChanges),
    /// Store this, instead of an older one about the same host.
    SaveBan(BanRecord),
}

/// Whom to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialTarget {
    /// An address.
    Address(SocketAddr),
    /// A name, to be looked up by whoever dials.
    Host(Host),
}

impl fmt::Display for DialTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => fmt::Display::fmt(address, f),
            Self::Host(host) => fmt::Display::fmt(host, f),
        }
    }
}

/// Why we end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// Others answered first.
    #[error("enough outgoing connections")]
    Surplus,
    /// Another connection from that host has misbehaved.
    #[error("the host is banned")]
    Banned,
    /// A person wants other members.
    #[error("members are searched anew")]
    Reset,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host has misbehaved lately.
    #[error("banned")]
    Banned {
        /// Until when.
        until: MonoTime,
    },
    /// All places are taken.
    #[error("all places for incoming connections are taken")]
    Full,
    /// All places of its net group are taken.
    #[error("too many connections from one part of the network")]
    GroupFull,
}

/// How things are, for the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeeringStatus {
    /// Outgoing connections whose handshake is done, fixed peers among them.
    pub outgoing: usize,
    /// Incoming connections whose handshake is done.
    pub incoming: usize,
    /// Attempts under way.
    pub dialling: usize,
    /// Addresses known.
    pub known_addresses: usize,
    /// Different addresses tried since we last found somebody.
    pub tried_addresses: usize,
    /// Those of them at which somebody answered at all. None of many: the network may block us.
    pub reached_addresses: usize,
    /// Nobody is connected, and there is nobody left who was not tried.
    pub has_tried_all: bool,
    /// Bootstrap names that were last found to have addresses.
    pub resolved_names: usize,
    /// Hosts that are avoided.
    pub banned_hosts: usize,
    /// When a stranger last joined from outside: then the port is open.
    pub last_visitor: Option<UnixTime>,
}

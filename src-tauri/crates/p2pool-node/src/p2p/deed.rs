//! What a person decides about other nodes while this one runs.

use std::net::IpAddr;
use std::time::Duration;

use p2pool_wire::peering::{Host, PeeringInput};

use super::host::HostPort;

/// A decision about other nodes; it takes effect at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberDeed {
    /// Connect to this node and keep connected to it, whatever happens, until the end of the run.
    Add(HostPort),
    /// Avoid this host for so long, a day at most, over restarts too. Its connections end.
    /// This computer is never avoided.
    Ban {
        /// The host; of an IPv6 address, its /64.
        ip: IpAddr,
        /// For how long.
        time: Duration,
    },
    /// Avoid this host no longer.
    Unban {
        /// The host.
        ip: IpAddr,
    },
    /// Look for members at once: look up the well-known names, try every address again.
    SearchNow,
    /// Forget all addresses and members but the named ones, and begin with the well-known names.
    Reset,
}

impl MemberDeed {
    pub(super) fn into_input(self) -> PeeringInput {
        match self {
            Self::Add(place) => {
                PeeringInput::AddPeer(Host { name: place.host().to_owned(), port: place.port() })
            }
            Self::Ban { ip, time } => PeeringInput::Ban { ip, time },
            Self::Unban { ip } => PeeringInput::Unban { ip },
            Self::SearchNow => PeeringInput::SearchNow,
            Self::Reset => PeeringInput::Reset,
        }
    }
}

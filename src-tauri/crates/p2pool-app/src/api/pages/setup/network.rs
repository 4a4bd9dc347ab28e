//! The network step: pool members, and the port in the router.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::UnixSeconds;

/// The network step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct NetworkStep {
    /// Whether pool members were found.
    pub members: MembersFound,
    /// How members find this node.
    pub choice: PortChoice,
    /// What came of asking the router.
    pub mapping: MappingView,
    /// Port that has to be let through.
    pub port: u16,
    /// This computer's address in its network; `None` if it is in none.
    pub own_ip: Option<String>,
    /// Members that were named.
    pub named: Vec<String>,
    /// SOCKS5 proxy; `None` for none.
    pub proxy: Option<String>,
    /// What is wrong with a member or proxy that was named, in words; empty if nothing is.
    pub mistake: String,
}

/// Whether pool members were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum MembersFound {
    /// The node that looks for them is being started.
    #[default]
    Starting,
    /// None yet.
    Looking {
        /// Addresses tried so far.
        tried: u32,
    },
    /// Some are connected.
    Connected {
        /// How many.
        count: u32,
    },
    /// The network seems to block the pool's port.
    Blocked {
        /// The port.
        port: u16,
    },
    /// The node that looks for them does not run; the problem list says why.
    NotRunning,
}

/// How members find this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PortChoice {
    /// The router is asked to let the port through.
    AskRouter,
    /// The person lets it through.
    ByHand,
    /// They do not, and one earns the same.
    #[default]
    NotNow,
}

/// What came of asking the router.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum MappingView {
    /// It was not asked.
    #[default]
    Off,
    /// It is being asked.
    Asking,
    /// It lets the port through; nobody has come yet.
    Granted,
    /// It lets another port through, because the wanted one was taken.
    OtherPort {
        /// The other one.
        port: u16,
    },
    /// No router that does this has answered.
    NoAnswer,
    /// The provider shares one address among customers: nobody can connect from outside.
    CarrierNat,
    /// Somebody came from outside within the last day.
    Confirmed {
        /// When the newest visitor came.
        since: UnixSeconds,
    },
}

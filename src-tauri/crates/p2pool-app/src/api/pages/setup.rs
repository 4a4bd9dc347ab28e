//! The set-up: from nothing to **Start mining** in seven steps.

mod address;
mod network;
mod node;
mod request;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::connect::Connect;

pub use address::{AddressFaultKind, AddressOwner, AddressStep, AddressType, AddressVerdict};
pub use network::{MappingView, MembersFound, NetworkStep, PortChoice};
pub use node::{
    ConfLine, ConfReview, ConfTrouble, FoundNode, KeepChoice, KeyTrouble, LoginChoice, LoginOffer,
    NodeCard, NodeFact, NodeNext, NodePlace, NodeStep, NodeTest, RemoteForm, RestartStage,
    RestartView, SyncView, TestLine, TestResult, TestTrouble,
};
pub use request::{SetupNodeRequest, SetupRequest};

/// Most nodes of this computer that are listed.
pub const FOUND_NODES_MAX: usize = 8;

/// A step of the set-up, in order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SetupStep {
    /// What this is, and how rare payments are.
    #[default]
    Welcome,
    /// The Bitcoin node and the login there.
    Node,
    /// Where work is paid.
    Address,
    /// Pool members, and the port in the router.
    Network,
    /// Miners.
    Miners,
    /// What the computer does for it.
    Computer,
    /// Summary and **Start mining**.
    Start,
}

impl SetupStep {
    /// The steps that are gone through, in order. [`Self::Computer`] is passed over for as long as
    /// its choices have no effect.
    pub const ALL: [Self; 6] =
        [Self::Welcome, Self::Node, Self::Address, Self::Network, Self::Miners, Self::Start];
}

/// The set-up as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SetupView {
    /// The step that is shown.
    pub step: SetupStep,
    /// The last step that can be gone to: everything before it is answered.
    pub reached: SetupStep,
    /// Whether *Next* goes on from here. On the last step: whether **Start mining** may be pressed.
    pub can_go_on: bool,
    /// Whether mining was set up before, so that the set-up can be left.
    pub can_leave: bool,
    /// Average time to a pool block in seconds; `None` until the network is known.
    pub pool_block_secs: Option<f64>,
    /// The Bitcoin node.
    pub node: NodeStep,
    /// The payout address.
    pub address: AddressStep,
    /// The network.
    pub network: NetworkStep,
    /// What miners are to be told.
    pub miners: MinersStep,
    /// Address card, search and plans of the miners' step; only while it is shown.
    pub connect: Option<Box<Connect>>,
    /// This computer.
    pub computer: ComputerStep,
    /// Address of the Bitcoin node that is used; empty while there is none.
    pub node_place: String,
    /// What saving the answers failed with, in the system's words.
    pub not_saved: Option<String>,
}

/// What miners are to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinersStep {
    /// Where they connect; `None` while this computer is in no network, or the door is closed.
    pub url: Option<String>,
    /// Their user name.
    pub user: String,
}

/// What the computer does so that mining goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export)]
pub struct ComputerStep {
    /// Whether the application starts when its user logs in.
    pub starts_at_login: bool,
    /// Whether mining goes on when the window is closed.
    pub keeps_running: bool,
    /// Whether the computer is kept from sleeping while miners are connected.
    pub stays_awake: bool,
    /// Whether important things are told by notifications.
    pub notifies: bool,
}

impl Default for ComputerStep {
    fn default() -> Self {
        Self { starts_at_login: true, keeps_running: true, stays_awake: true, notifies: true }
    }
}

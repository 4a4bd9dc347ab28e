//! The four lights of the status bar.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The four lights. Push on change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Lights {
    /// The Bitcoin node, or the private chain of practice mode.
    pub node: NodeLight,
    /// The share chain.
    pub chain: ChainLight,
    /// Other pool members.
    pub members: MembersLight,
    /// My miners, the built-in CPU miner included.
    pub miners: MinersLight,
}

/// What a light shows, as a shape and a word, never as a colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LightState {
    /// All right.
    Ok,
    /// Busy getting there; nothing to do.
    Working,
    /// Works, but needs attention.
    Attention,
    /// Stopped by a problem.
    Stopped,
    /// Not asked to run, and nothing wrong: before **Start mining**, or while paused.
    #[default]
    Off,
}

/// The light of the Bitcoin node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct NodeLight {
    /// The look.
    pub state: LightState,
    /// Height of its best block; `None` while unknown.
    pub height: Option<u32>,
}

/// The light of the share chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ChainLight {
    /// The look.
    pub state: LightState,
    /// Verified shares in the chain we build on.
    pub shares: u32,
}

/// The light of the pool members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MembersLight {
    /// The look.
    pub state: LightState,
    /// Connected members, both directions.
    pub connected: u32,
    /// Those of them that connected to us.
    pub incoming: u32,
}

/// The light of the miners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MinersLight {
    /// The look: `Off` while mining is not started or paused, `Working` while no miner has sent a
    /// result yet, `Stopped` if all that worked are gone.
    pub state: LightState,
    /// Miners that sent a result lately.
    pub working: u32,
    /// Miners connected.
    pub connected: u32,
}

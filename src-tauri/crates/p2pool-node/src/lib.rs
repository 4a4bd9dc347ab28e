//! A pool node: engine, miners, members, Bitcoin node and database put together.
//!
//! [`start`] takes checked [`Settings`] and gives a [`NodeHandle`]. No statics: a live and a
//! practice node run side by side in one process. What it is not: a decision maker; decisions
//! are the engine's, words are the application's.
//!
//! *Invariant:* only sends into the driver may wait. Whatever leaves it is a watch, a one-shot
//! reply, a broadcast or a try-send, so no cycle of waiting senders can form.

mod bitcoin;
mod block_check;
pub mod books;
mod clock;
mod cpu_miner;
mod door;
mod driver;
mod handle;
mod open;
mod p2p;
pub mod payout_address;
mod portmap;
mod practice;
mod root;
mod settings;
mod start;
mod state;
mod stats;
mod storage;
mod supervise;

pub use crate::block_check::{BlockCheck, BlockCheckError, BlockChecker, BlockOutput};
pub use crate::cpu_miner::processor_celsius;
pub use crate::door::settings::{DoorSettings, RawDoor};
pub use crate::handle::{NodeHandle, StartError};
pub use crate::p2p::deed::MemberDeed;
pub use crate::p2p::host::{HostPort, HostPortError};
pub use crate::p2p::settings::{P2pPlace, P2pSettings, RawP2p};
pub use crate::p2p::state::{BanState, MappingState, P2pState, PeerState};
pub use crate::settings::{
    BitcoinSource, HelperSettings, RawPractice, RawReserve, RawRun, RawSettings, RunAddressError,
    RunPlace, Settings, SettingsError, check_payout_address,
};
pub use crate::start::start;
pub use crate::state::{
    Arrivals, BitcoinDetails, BitcoinNode, BitcoinState, DoorNotes, HelperPause, HelperState,
    Miner, MinerNotice, MinersSnapshot, NodeEvent, NodeEventKind, NodeProblem, NodeSnapshot,
    PracticeMember, PracticeRpc, ProblemCode, StopReport, StorageState, UnknownProtocol,
};
pub use p2pool_engine::{
    Announces, ChainSummary, Event, PoolBlock, ShareDetails, SyncProgress, TreeShare, WhyNoWork,
    WindowShare,
};

//! The Pool page: the share chain, the blocks, the members.
//!
//! The shares of the window do not travel with the view: there are thousands. The view names the
//! newest one ([`PoolChain::newest`]); whenever that changes, the page asks for what is newer than
//! the newest it has ([`PoolRequest::Window`]) and gets a [`ShareCells`], compact and bounded.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::{Party, PayoutState, Sats, UnixSeconds};

/// Most shares of a [`ShareCells`]: the newest are sent.
pub const CELLS_MAX: usize = 10_000;
/// Digits of a share's short name: the last ones of its hash, as people see it.
pub const SHARE_ID_DIGITS: usize = 16;
/// Most rows of [`PoolView::blocks`]; the newest are kept.
pub const ROUNDS_MAX: usize = 100;
/// Most rows of [`PoolMembers::rows`] and of [`PoolMembers::bans`].
pub const MEMBERS_MAX: usize = 100;

/// What the Pool page shows. Pushed on change, at most once a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PoolView {
    /// The payout window.
    pub chain: PoolChain,
    /// The round in progress.
    pub round: CurrentRound,
    /// Pool blocks, newest first, at most [`ROUNDS_MAX`].
    pub blocks: Vec<PoolBlockRow>,
    /// Connections to other nodes.
    pub members: PoolMembers,
    /// What the pool supports; `None` while the chain is too short to tell.
    pub support: Option<VersionSupport>,
}

/// The payout window in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PoolChain {
    /// The newest share, by its short name; `None` without any.
    pub newest: Option<String>,
    /// Shares in the window.
    pub shares: u32,
    /// Shares that fill it.
    pub shares_max: u32,
    /// Shares of mine in the window.
    pub mine: u32,
    /// Shares in the window that tell of a lost share of their maker.
    pub late: u32,
    /// Shares in the window that were a Bitcoin block.
    pub blocks: u32,
    /// How far the chain is known while joining; `None` afterwards.
    pub joining: Option<JoinProgress>,
}

/// Shares known and wanted while joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct JoinProgress {
    /// Checked.
    pub done: u32,
    /// Wanted.
    pub total: u32,
}

/// Shares of the window, newest first, as lists of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ShareCells {
    /// Whether these are all shares of the window; otherwise they come before those known already,
    /// and the oldest of these have left the window.
    pub is_whole: bool,
    /// Shares in the window now.
    pub total: u32,
    /// Short names, [`SHARE_ID_DIGITS`] digits each, one after the other.
    pub ids: String,
    /// Share timestamps, unix seconds.
    pub times: Vec<u32>,
    /// Whom they pay, as places in `payees`.
    pub payee_of: Vec<u32>,
    /// What is special, a digit each: 1 mine, 2 tells of a lost share of its maker, 4 was a Bitcoin
    /// block, added up.
    pub marks: String,
    /// Payout addresses mentioned.
    pub payees: Vec<CellPayee>,
}

/// A payout address of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CellPayee {
    /// Whose it is.
    pub party: Party,
    /// The address.
    pub address: String,
}

/// Everything about one share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ShareDetails {
    /// Its hash.
    pub hash: String,
    /// Its timestamp.
    pub at: UnixSeconds,
    /// Whom it pays.
    pub payee: CellPayee,
    /// The miner that found it, if it is mine.
    pub worker: Option<String>,
    /// Difficulty that it had to meet.
    pub difficulty: f64,
    /// Its share version.
    pub version: u32,
    /// The share version that it wants.
    #[ts(type = "number")]
    pub wanted_version: u64,
    /// Hash of the share it builds on; `None` for the first of all.
    pub parent: Option<String>,
    /// What it tells of a lost share of its maker.
    pub loss: ShareLoss,
    /// Where it was first seen.
    pub seen: SeenFrom,
    /// Where it stands.
    pub standing: ShareStanding,
}

/// What a share tells of a lost share of its maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ShareLoss {
    /// None was lost.
    None,
    /// One lost a race.
    Orphan,
    /// One was late when it was found.
    DeadOnArrival,
    /// Something this program does not know.
    Other,
}

/// Where a share was first seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SeenFrom {
    /// A miner of mine found it.
    Here,
    /// It was known before this start.
    Disk,
    /// A member that is connected sent it.
    Member {
        /// Its address; `None` if only a proxy knows it.
        address: Option<String>,
    },
    /// A member that has left sent it.
    FormerMember,
}

/// Where a share stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum ShareStanding {
    /// In the payout window.
    InWindow {
        /// When it leaves, at the present pace.
        until: UnixSeconds,
    },
    /// In the chain, but older than the window.
    Left,
    /// Beside the chain: it lost the race.
    Late,
    /// Not checked yet.
    Unchecked,
}

/// Recent shares with the branches beside them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ShareTree {
    /// Highest first; at most 240.
    pub rows: Vec<TreeRow>,
    /// Lanes beside the chain.
    pub lanes: u32,
}

/// A share of the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TreeRow {
    /// Its hash.
    pub hash: String,
    /// Place of the share it builds on among the rows; `None` if that is not among them.
    pub parent: Option<u32>,
    /// Where it is drawn: 0 for the chain, 1 and up for branches.
    pub lane: u32,
    /// Its timestamp.
    pub at: UnixSeconds,
    /// Whom it pays.
    pub payee: CellPayee,
    /// What it is.
    pub state: TreeState,
    /// Whether nothing builds on it.
    pub is_head: bool,
}

/// What a share of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum TreeState {
    /// Part of the chain.
    Chain,
    /// It lost the race.
    Late,
    /// Not checked yet.
    Unchecked,
}

/// The round in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CurrentRound {
    /// When the last pool block was found; `None` if none is known.
    pub since: Option<UnixSeconds>,
    /// Work done in it as a part of what a block takes on average; may exceed 1. `None` if not all
    /// of it is known.
    pub effort: Option<f64>,
    /// Average time of a round at the present rate.
    pub average_secs: Option<f64>,
}

/// One pool block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PoolBlockRow {
    /// Block hash.
    pub block_hash: String,
    /// Block height.
    pub height: u32,
    /// When it was found.
    pub at: UnixSeconds,
    /// Sum of all coinbase outputs.
    pub value_sats: Sats,
    /// Who found it.
    pub found_by: Party,
    /// Time since the pool block before it; `None` for the first one known.
    pub round_secs: Option<f64>,
    /// Luck of its round: the work a block takes on average divided by the work done; above 1 is
    /// lucky. `None` if not all of the work is known.
    pub luck: Option<f64>,
    /// What it paid to my address; `None` if I had no share in the window.
    pub mine_sats: Option<Sats>,
    /// `mine_sats` as a part of `value_sats`, 0 to 1.
    pub mine_part: Option<f64>,
    /// What has become of it.
    pub state: PayoutState,
}

/// Connections to other nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PoolMembers {
    /// Everybody connected, longest first, at most [`MEMBERS_MAX`].
    pub rows: Vec<MemberRow>,
    /// Hosts that are avoided, the longest ban first, at most [`MEMBERS_MAX`].
    pub bans: Vec<MemberBan>,
    /// How the search for members goes.
    pub search: MemberSearch,
}

/// One connection to another node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MemberRow {
    /// Names the connection, in this run.
    #[ts(type = "number")]
    pub id: u64,
    /// Where it is; `None` if only a proxy knows it.
    pub address: Option<String>,
    /// Its host alone, to ban it; `None` if that cannot be: unknown, or this computer itself.
    pub host: Option<String>,
    /// Whether it is a simulated member.
    pub is_simulated: bool,
    /// Whether it connected to us.
    pub is_incoming: bool,
    /// Name and version of its program, in its own words.
    pub program: String,
    /// Its protocol version.
    pub protocol: u32,
    /// Since when it is connected.
    pub since: UnixSeconds,
    /// Time that a question and its answer take; `None` as long as nothing was measured.
    pub ping_secs: Option<f64>,
    /// Shares received from it.
    #[ts(type = "number")]
    pub shares_received: u64,
}

/// A host that is avoided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MemberBan {
    /// The host.
    pub host: String,
    /// When it is over.
    pub until: UnixSeconds,
}

/// How the search for members goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MemberSearch {
    /// Addresses of members known.
    pub known: u32,
    /// Well-known names found to have addresses.
    pub names: u32,
    /// Addresses tried since somebody was last connected.
    pub tried: u32,
    /// Of these, those at which anybody answered.
    pub reached: u32,
    /// Attempts under way.
    pub dialling: u32,
}

/// Which share version the pool supports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct VersionSupport {
    /// The share version with most support.
    #[ts(type = "number")]
    pub version: u64,
    /// Part of the pool's work that supports it, 0 to 1.
    pub part: f64,
    /// What this means for this program.
    pub advice: VersionAdvice,
}

/// What the pool's share version means for this program.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum VersionAdvice {
    /// Nothing is to be done.
    None,
    /// A part of the pool wants a newer version: an update will be needed.
    UpdateSoon {
        /// The newer version.
        #[ts(type = "number")]
        version: u64,
        /// Part of the recent work that wants it, 0 to 1.
        part: f64,
    },
    /// Most of the pool wants a version that this program does not know.
    UpdateNow {
        /// The newer version.
        #[ts(type = "number")]
        version: u64,
    },
}

/// What the Pool page asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum PoolRequest {
    /// The shares of the window; answered by `PoolWindow`.
    Window {
        /// The newest share that is known already, by its short name: only newer ones are wanted.
        since: Option<String>,
    },
    /// Everything about a share; answered by `ShareDetails`.
    Details {
        /// Its short name, or its hash.
        share: String,
    },
    /// Recent shares with the branches beside them; answered by `ShareTree`.
    Tree,
    /// Connects to a member and keeps connected to it.
    AddMember {
        /// `host` or `host:port`.
        place: String,
    },
    /// Avoids a host for 24 hours.
    Ban {
        /// [`MemberRow::host`].
        host: String,
    },
    /// Avoids a host no longer.
    Unban {
        /// [`MemberBan::host`].
        host: String,
    },
    /// Looks for members at once.
    SearchNow,
    /// Forgets all members and begins with the well-known names.
    ResetMembers,
}

//! The page *Check-up*: what is healthy, why nothing is earned yet, and where late work comes from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Chance, LightState, ReportShows, Sats, UnixSeconds};

/// Most miners that have a line of their own.
pub const HEALTH_MINERS_MAX: usize = 50;
/// Most of my shares that are told one by one.
pub const UNPAID_SHARES_MAX: usize = 100;

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CheckUp {
    /// The health list, in its order.
    pub health: Vec<HealthLine>,
    /// The tests of *Run all tests*.
    pub tests: Checks,
    /// "Why am I not earning yet?"
    pub ladder: Ladder,
    /// Where late work comes from.
    pub late: LateAdvice,
    /// "Shares found but not paid."
    pub unpaid: UnpaidShares,
}

/// One line of the health list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct HealthLine {
    /// What it is about.
    pub subject: HealthSubject,
    /// Tells miners apart, by their login names; empty for everything else.
    pub of: String,
    /// The look.
    pub state: LightState,
    /// The sentence.
    pub text: HealthText,
    /// When the look last changed; `None` if it has not since the start.
    pub changed_at: Option<UnixSeconds>,
    /// The problem behind it ([`Problem::id`](super::Problem::id)), whose first button is *Fix*.
    pub problem: Option<u32>,
}

/// What a line of the health list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum HealthSubject {
    /// The Bitcoin node, or the private chain of practice.
    BitcoinNode,
    /// This computer's clock.
    Clock,
    /// The share chain.
    ShareChain,
    /// Other pool members.
    Members,
    /// The miners' door.
    MinersDoor,
    /// One miner.
    Miner,
    /// The payout address.
    PayoutAddress,
    /// The disk of the data folder.
    Disk,
    /// Whether this computer may fall asleep.
    Sleep,
    /// Updates of this program.
    Updates,
}

/// The sentence of a line of the health list, with its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum HealthText {
    /// Nothing runs yet.
    NotStarted,
    /// What the problem of the line says.
    Problem,
    /// The Bitcoin node is being reached.
    NodeConnecting,
    /// The Bitcoin node gives work.
    NodeReady {
        /// Its program, `Satoshi:30.0.0`; `None` until it has said so.
        program: Option<String>,
        /// Height of its newest block.
        height: u32,
        /// How long its newest answer took, in milliseconds; `None` before the tests were run.
        answer_ms: Option<f64>,
    },
    /// The clock has not been compared yet.
    ClockNotCompared,
    /// The clock is right.
    ClockRight {
        /// Its distance to the time of the Bitcoin network.
        off_secs: u32,
    },
    /// The share chain is being fetched and checked.
    ChainChecking {
        /// Shares checked.
        done: u32,
        /// Shares to check.
        total: u32,
    },
    /// The share chain is there.
    ChainReady {
        /// Its shares.
        shares: u32,
        /// Age of its newest share; `None` without any.
        newest_secs: Option<f64>,
    },
    /// Members are connected.
    MembersConnected {
        /// Both directions.
        connected: u32,
        /// Those of them that connected to us.
        incoming: u32,
    },
    /// Members are simulated, as practice has them.
    MembersSimulated {
        /// Running ones.
        connected: u32,
    },
    /// Nobody is connected yet.
    MembersNone,
    /// The miners' door is open.
    DoorOpen {
        /// Where miners connect.
        address: String,
        /// When another device last saw the page for phones; `None` if none ever did.
        phone_seen_at: Option<UnixSeconds>,
    },
    /// The miners' door is closed.
    DoorClosed,
    /// No miner has connected yet.
    MinerNone,
    /// A miner works.
    MinerWorking {
        /// Its name; `None` for the built-in CPU miner.
        name: Option<String>,
        /// Its hash rate.
        hps: f64,
        /// Part of its results that were late.
        late_part: f64,
    },
    /// A miner is connected and has sent nothing yet.
    MinerSilent {
        /// Its name; `None` for the built-in CPU miner.
        name: Option<String>,
    },
    /// A miner is gone.
    MinerAway {
        /// Its name; `None` for the built-in CPU miner.
        name: Option<String>,
        /// Since when.
        since: UnixSeconds,
    },
    /// The payout address, checked when it was entered and again at the start.
    AddressPaid {
        /// The address.
        address: String,
    },
    /// Free space of the data folder's disk.
    DiskFree {
        /// Bytes.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// The disk is nearly full: history is not written any more, mining goes on.
    DiskLow {
        /// Bytes.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// The system does not say.
    DiskUnknown,
    /// This computer is kept awake while miners work.
    SleepHeld,
    /// This computer may fall asleep; nothing mines, or it is not to be kept awake.
    SleepAllowed,
    /// The system cannot be asked to stay awake.
    SleepUnknown,
    /// Updates are not looked for.
    UpdatesByHand {
        /// The present version.
        version: String,
    },
}

/// The tests of *Run all tests*.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Checks {
    /// Whether they run now.
    pub is_running: bool,
    /// When they last ended; `None` if they never ran.
    pub ended_at: Option<UnixSeconds>,
    /// What came out, in the order of the list.
    pub results: Vec<CheckResult>,
}

/// What came out of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CheckResult {
    /// Which one.
    pub test: CheckName,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What was found, in technical words; empty if there is nothing to say.
    pub technical: String,
}

/// A test of *Run all tests*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum CheckName {
    /// The Bitcoin node's port answers.
    NodePort,
    /// It takes the login.
    NodeLogin,
    /// It is on the right chain and has all of it.
    NodeChain,
    /// It is connected to others.
    NodeConnections,
    /// It makes a block template.
    NodeTemplate,
    /// It tells of new blocks at once.
    NodeNewBlocks,
    /// The clock agrees with the Bitcoin network.
    Clock,
    /// A pool member can be reached.
    Member,
    /// The miners' door answers.
    Door,
    /// The disk has room.
    Disk,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum CheckOutcome {
    /// All is well.
    Passed,
    /// It works, but not well.
    Weak,
    /// It does not work.
    Failed,
    /// There was nothing to test, or an earlier test failed.
    Skipped,
}

/// The ladder: what has to be reached, one after the other, until a payment arrives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Ladder {
    /// Rungs reached without a gap from the first; 0 to [`RUNGS`].
    pub reached: u32,
    /// The first rung that is not reached; `None` on top of the ladder.
    pub open: Option<Rung>,
}

/// Rungs of the ladder.
pub const RUNGS: u32 = 9;

/// A rung that is not reached, with what explains it. Their order is that of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum Rung {
    /// 1: the Bitcoin node is ready.
    Node {
        /// Part of the chain it has verified; `None` unless it is catching up.
        progress: Option<f64>,
    },
    /// 2: the share chain is verified, and a member is connected.
    Pool {
        /// Connected members.
        members: u32,
        /// Shares checked.
        done: u32,
        /// Shares to check; 0 while that is unknown.
        total: u32,
    },
    /// 3: a miner is connected.
    Miner {
        /// Where it can be pointed; `None` while the door is closed.
        miner_url: Option<String>,
        /// Whether mining has not been started, or is paused.
        is_stopped: bool,
    },
    /// 4: it sends results.
    Results {
        /// Connected miners.
        connected: u32,
    },
    /// 5: results arrive in time.
    InTime {
        /// Part of late work in the last hour.
        late_part: f64,
    },
    /// 6: a share was found.
    FirstShare {
        /// Work done divided by what an average share takes.
        effort: Option<f64>,
        /// Average time to a share.
        average_secs: Option<f64>,
        /// Part of miners that have none yet after this much work.
        none_yet_part: Option<f64>,
    },
    /// 7: a share of mine is in the window.
    InWindow {
        /// When the last one left.
        last_left_at: Option<UnixSeconds>,
        /// Average time to a share.
        average_secs: Option<f64>,
        /// Time that the window spans.
        window_secs: f64,
        /// Whether a gap is to be expected: a share takes longer than the window spans.
        is_normal: bool,
    },
    /// 8: the pool found a block that pays me.
    PoolBlock {
        /// Work of the pool since its last block, divided by what an average block takes; `None`
        /// without a block to count from.
        effort: Option<f64>,
        /// Average time to a pool block.
        average_secs: Option<f64>,
        /// Chance within a month (practice: ten minutes).
        chance: Option<Chance>,
    },
    /// 9: the payment can be spent.
    Payment {
        /// What it pays me.
        sats: Sats,
        /// Confirmations so far.
        confirmations: u32,
        /// Confirmations needed.
        needed: u32,
    },
}

/// Where late work comes from: each cause measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LateAdvice {
    /// Late work divided by all work of the last hour; `None` without any.
    pub late_part: Option<f64>,
    /// Whether that is too much.
    pub is_high: bool,
    /// What was measured, likely causes first.
    pub causes: Vec<LateCause>,
}

/// A possible cause of late work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LateCause {
    /// What was measured.
    pub measure: LateMeasure,
    /// Whether it explains late work.
    pub is_cause: bool,
}

/// Something that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum LateMeasure {
    /// One miner is late, the others are not: its Wi-Fi, or its firmware.
    OneMiner {
        /// Its name; `None` for the built-in CPU miner.
        name: Option<String>,
        /// Part of its results that were late.
        late_part: f64,
        /// The same of all others.
        others_part: f64,
    },
    /// The Bitcoin node's answer to a request for a template.
    NodeAnswer {
        /// In milliseconds.
        answer_ms: f64,
        /// Whether it runs on another computer.
        is_remote: bool,
    },
    /// The Bitcoin node does not tell of new blocks at once.
    NodeNotTelling,
    /// Members that bring shares.
    FewMembers {
        /// Connected ones.
        connected: u32,
    },
    /// How long this program waited for the processor.
    ComputerBusy {
        /// The longest wait of the last ten minutes, in milliseconds.
        wait_ms: f64,
    },
}

/// Shares that were found, their time in the window, and the blocks found meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UnpaidShares {
    /// Newest first, at most [`UNPAID_SHARES_MAX`].
    pub shares: Vec<UnpaidShare>,
    /// Time that the window spans now.
    pub window_secs: f64,
}

/// A share of mine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UnpaidShare {
    /// Its hash.
    pub hash: String,
    /// When it was found.
    pub found_at: UnixSeconds,
    /// When it left the window, or will; estimated. `None` for a late one, which never was in it.
    pub left_at: Option<UnixSeconds>,
    /// Pool blocks found while it was in the window.
    pub blocks: u32,
}

/// What the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum CheckUpRequest {
    /// Runs all tests.
    RunTests,
    /// Reads the newest lines of the log, or those before a line; answered by `Log`.
    ReadLog {
        /// Number of the line.
        #[ts(type = "number | null")]
        before: Option<u64>,
    },
    /// Tells whether the log is looked at: then new lines follow as events.
    ShowLog {
        /// Whether it is.
        is_shown: bool,
    },
    /// Makes a report and shows what is in it; answered by `Report`.
    PreviewReport {
        /// What is not masked.
        shows: ReportShows,
    },
    /// Makes a report and saves it; answered by `Saved`.
    SaveReport {
        /// What is not masked.
        shows: ReportShows,
    },
}

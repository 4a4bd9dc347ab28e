//! The node step: the Bitcoin node, how to log in there, and what is written for that.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::ProblemCode;

/// The node step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct NodeStep {
    /// Whether nodes are being looked for.
    pub is_looking: bool,
    /// Where the node is.
    pub place: NodePlace,
    /// Nodes of this computer, the best first.
    pub found: Vec<FoundNode>,
    /// What was found, in one word.
    pub card: NodeCard,
    /// Lines about the chosen node.
    pub facts: Vec<NodeFact>,
    /// How to log in; `None` while no node is chosen.
    pub login: Option<LoginChoice>,
    /// What can be chosen instead, in order.
    pub logins: Vec<LoginOffer>,
    /// The form for a login that the person knows.
    pub remote: RemoteForm,
    /// The tests of the node, in order; empty before the first.
    pub tests: Vec<TestLine>,
    /// Whether tests are being made.
    pub is_testing: bool,
    /// How far the node's download of the chain is, while it lasts.
    pub sync: Option<SyncView>,
    /// The change of `bitcoin.conf`, shown for review.
    pub review: Option<ConfReview>,
    /// Why `bitcoin.conf` cannot be changed.
    pub trouble: Option<ConfTrouble>,
    /// What has to be started again for the change to count.
    pub restart: Option<RestartView>,
    /// Why the password cannot be kept, with four ways out.
    pub key_trouble: Option<KeyTrouble>,
    /// What the main button of the page does.
    pub next: NodeNext,
}

/// Where the node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum NodePlace {
    /// On this computer.
    #[default]
    Here,
    /// On another computer.
    Elsewhere,
}

/// What the main button of the node step does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum NodeNext {
    /// Nothing: wait, or do what the page says.
    #[default]
    Wait,
    /// Sends `TestNode`.
    Test,
    /// Sends the form with `TestLogin`.
    TestForm,
    /// Sends `ReviewChange`.
    Review,
    /// Goes on to the next step.
    Next,
}

/// A node of this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FoundNode {
    /// Its data folder; names it in requests.
    pub folder: String,
    /// Its configuration file, which need not be there.
    pub conf: String,
    /// Its program and version, if it has said so.
    pub program: Option<String>,
    /// The chain that it works on, as bitcoind names it.
    pub chain: String,
    /// Height of its best block, if it has said so.
    pub height: Option<u32>,
    /// Whether it runs.
    pub is_running: bool,
    /// Whether it is the chosen one.
    pub is_chosen: bool,
}

/// What was found, one of the cards of the set-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum NodeCard {
    /// Nothing is known yet.
    #[default]
    Looking,
    /// No node.
    Nothing {
        /// Whether something answers at the usual port all the same.
        is_port_open: bool,
    },
    /// Several folders, and nothing tells which one is in use.
    Several,
    /// A node of another user runs here.
    OtherUser,
    /// It can be used.
    Ready,
    /// A login stands in its settings.
    HasLogin,
    /// Lines of ours stand in its settings.
    HasOwnLines,
    /// Others log in there; a login of our own is needed.
    OnlyOthers,
    /// Nothing in its settings lets us in.
    NoLogin,
    /// It belongs to another user, or does not let this computer in.
    NoAccess,
    /// It accepts no connections from programs, because nobody asked it to.
    ServerOff,
    /// Its configuration file forbids connections.
    ServerForbidden,
    /// It is installed but does not run.
    NotRunning {
        /// Whether it can be started from here.
        can_start: bool,
    },
    /// It was used but has no configuration file.
    NoConf,
    /// It is starting.
    Starting,
    /// It is on another chain.
    WrongChain {
        /// Which one.
        chain: String,
    },
    /// Its version cannot make blocks for the pool.
    TooOld,
    /// It is still fetching the chain.
    CatchingUp,
    /// It has no connections to the Bitcoin network.
    NoConnections,
}

/// A line about the chosen node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum NodeFact {
    /// It runs on this computer.
    Running {
        /// Its program and version.
        program: String,
    },
    /// It does not run.
    NotRunning,
    /// Its chain, all of it fetched.
    Synced {
        /// Height of its best block.
        height: u32,
    },
    /// Its chain, not all of it fetched.
    Behind {
        /// Part done, 0 to 1.
        progress: f64,
    },
    /// It keeps the newest blocks only, which is fine.
    Pruned {
        /// Bytes on disk, if it says so.
        #[ts(type = "number | null")]
        bytes: Option<u64>,
    },
    /// It keeps all blocks.
    Whole,
    /// A login works.
    LoginWorks {
        /// Which one.
        login: LoginChoice,
    },
    /// There is no login for us yet.
    NoLogin,
    /// Its disk is nearly full.
    DiskLow {
        /// Bytes left.
        #[ts(type = "number")]
        free_bytes: u64,
    },
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LoginChoice {
    /// The node's cookie file; nothing is written.
    Cookie,
    /// The login that stands in its settings; nothing is written.
    Existing,
    /// The login of ours that stands in its settings; nothing is written.
    Own,
    /// A name and a salted hash are written; the password is in the password store alone.
    RpcAuth,
    /// A name and a password are written in clear.
    RpcPassword,
    /// The person types user and password.
    Typed,
}

/// A way to log in that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LoginOffer {
    /// Which one.
    pub login: LoginChoice,
    /// Whether it works without writing anything.
    pub is_at_hand: bool,
}

/// The form for a login that the person knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RemoteForm {
    /// Host name or address.
    pub host: String,
    /// Port of the RPC interface.
    pub port: u16,
    /// User name.
    pub user: String,
    /// Whether a password was typed or is kept.
    pub has_password: bool,
    /// Whether the login may cross the open internet.
    pub allows_public: bool,
    /// This computer's address, which the other one has to allow; `None` if it is in no network.
    pub own_ip: Option<String>,
    /// Lines for the other computer's `bitcoin.conf`: a login made up for it.
    pub lines: Vec<String>,
}

impl Default for RemoteForm {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 8332,
            user: String::new(),
            has_password: false,
            allows_public: false,
            own_ip: None,
            lines: Vec::new(),
        }
    }
}

/// One test of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TestLine {
    /// Which one.
    pub test: NodeTest,
    /// What came out.
    pub result: TestResult,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
}

/// A test of the node, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum NodeTest {
    /// Whether anybody listens there.
    Port,
    /// Whether the login is taken.
    Login,
    /// `getblockchaininfo`.
    Chain,
    /// `getnetworkinfo`.
    Connections,
    /// `getblocktemplate` with the segwit rules.
    Template,
    /// Whether new blocks are told at once.
    NewBlocks,
}

/// What came out of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum TestResult {
    /// It is being made.
    Running,
    /// It makes no sense, because an earlier one failed.
    Skipped,
    /// All is well.
    Passed,
    /// All is well, but slow: shares will often be late.
    Slow,
    /// New blocks are not told; they are asked for instead.
    NotTold,
    /// Something is wrong.
    Failed {
        /// What.
        trouble: TestTrouble,
    },
}

/// What is wrong with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TestTrouble {
    /// Code of the error catalogue.
    pub code: ProblemCode,
    /// The words of the node or the system, which are values of the code's sentence too.
    pub details: String,
    /// Whether mining begins by itself when it is over, so that the set-up can go on.
    pub is_passing: bool,
}

/// The node's download of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SyncView {
    /// Part done, 0 to 1.
    pub progress: f64,
    /// Blocks fetched.
    pub blocks: u32,
    /// Headers fetched.
    pub headers: u32,
    /// Time left, by the pace of the last half hour; `None` while there is no pace.
    pub remaining_secs: Option<f64>,
}

/// The exact change of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConfReview {
    /// The file.
    pub path: String,
    /// Whether the file is made anew.
    pub creates_file: bool,
    /// Lines that come and go, passwords masked.
    pub lines: Vec<ConfLine>,
    /// Whether Core then stops making its cookie file, so that programs using it lose their login.
    pub stops_cookie: bool,
    /// Whether a password goes into the computer's password store, which may ask for consent.
    pub uses_keychain: bool,
    /// Whether the change is being carried out.
    pub is_writing: bool,
}

/// A line that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConfLine {
    /// Whether it comes.
    pub is_added: bool,
    /// Its number: in the new file if it comes, in the old one if it goes.
    pub number: u32,
    /// Its text.
    pub text: String,
}

/// Why `bitcoin.conf` was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConfTrouble {
    /// Code of the error catalogue.
    pub code: ProblemCode,
    /// The file.
    pub path: String,
    /// In technical words.
    pub details: String,
    /// Lines to add by hand; empty if that would not help.
    pub lines: Vec<String>,
}

/// Waiting for the node to run with its new settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RestartView {
    /// How far it is.
    pub stage: RestartStage,
    /// Whether the application can do it when asked.
    pub can_restart: bool,
    /// Whether the application is doing it.
    pub is_restarting: bool,
}

/// How far a restart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RestartStage {
    /// It still runs with the old settings.
    StillRunning,
    /// It has stopped.
    Stopped,
    /// It runs again but does not let us in yet.
    Starting,
    /// The new login works.
    LoginWorks,
}

/// Why a password cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct KeyTrouble {
    /// `K-01` or `K-02`.
    pub code: ProblemCode,
    /// The system's words.
    pub reason: String,
    /// Whether the node's cookie file could be used instead.
    pub has_cookie: bool,
}

/// What to do where the password store cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum KeepChoice {
    /// Try the password store again.
    TryAgain,
    /// Log in with the node's cookie file; nothing is kept.
    Cookie,
    /// A file that only its owner can read.
    PrivateFile,
    /// Nothing is kept; the person is asked at each start.
    Ask,
}

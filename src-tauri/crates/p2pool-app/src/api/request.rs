//! What the window may ask for.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::pages::MinersRequest;
use std::fmt;

use super::pages::payouts::{Calculation, PayoutsRequest};
use super::pages::pool::{PoolRequest, ShareCells, ShareDetails, ShareTree};
use super::{
    AddressVerdict, ChartRange, CheckUpRequest, ComputerRequest, Leave, LogLines, Page,
    ReportPreview, SettingsChange, SettingsRequest, SetupRequest, ShareSizeOutlook,
};

/// A deed the user asked for. The reply says that it was understood; the effect arrives as events.
///
/// Every request is idempotent: asking for what already is answers `Done`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum AppRequest {
    /// Starts the practice node and shows it. Mining waits for `StartMining`.
    EnterPractice {
        /// Whether live mining goes on meanwhile; else it rests until practice is left.
        keeps_live: bool,
    },
    /// Stops the practice node and returns to live mining, or to Welcome if that is not set up.
    /// Its data is kept.
    LeavePractice,
    /// Starts mining, or arms the start if something is not ready.
    StartMining,
    /// Takes an armed start back.
    CancelStart,
    /// Pauses mining until `ResumeMining`, or for a time.
    PauseMining {
        /// Mining goes on by itself after this many seconds.
        #[serde(default)]
        #[ts(optional = nullable)]
        for_secs: Option<u32>,
    },
    /// Resumes mining.
    ResumeMining,
    /// Chooses the range of the hash rate chart; answered by a `Series` event.
    ShowRange {
        /// The range.
        range: ChartRange,
    },
    /// Chooses the theme, remembered in the settings.
    SetTheme {
        /// The theme.
        theme: Theme,
    },
    /// Tells which page is looked at; answered by a `Page` event if it has something of its own.
    ShowPage {
        /// The page.
        page: Page,
    },
    /// What may be asked about settings.
    Settings {
        /// What.
        request: SettingsRequest,
    },
    /// What may be asked of the set-up.
    Setup {
        /// What.
        request: SetupRequest,
    },
    /// Tells whether the window can be seen; hidden windows get fewer events.
    SetVisible {
        /// Whether it can be seen.
        is_visible: bool,
    },
    /// Asks something of the page *Check-up*.
    CheckUp {
        /// What.
        ask: CheckUpRequest,
    },
    /// Asks something of the Payouts page.
    Payouts {
        /// What.
        request: PayoutsRequest,
    },
    /// Writes a file into the folder of downloads, under a name that is not taken yet; answered by
    /// `Saved`.
    SaveFile {
        /// A plain name with its ending.
        name: String,
        /// What is in it.
        content: FileContent,
    },
    /// Opens something of the system outside the window.
    OpenOutside {
        /// What.
        place: Outside,
    },
    /// What the Pool page asks for.
    Pool {
        /// What.
        request: PoolRequest,
    },
    /// Tries again what a problem stopped.
    TryAgain {
        /// [`Problem::id`](super::Problem::id).
        problem: u32,
    },
    /// About the computer: start, sleep, notifications, how the window goes.
    Computer {
        /// What is asked.
        request: ComputerRequest,
    },
    /// Hides a problem until it happens anew.
    DismissProblem {
        /// [`Problem::id`](super::Problem::id).
        problem: u32,
    },
    /// What the page of miners, or the miners' step of the set-up, asks for.
    Miners {
        /// It.
        request: MinersRequest,
    },
}

/// What is in a file that the window made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum FileContent {
    /// Words, written as UTF-8.
    Text {
        /// The words.
        text: String,
    },
    /// Bytes, such as those of a picture.
    Base64 {
        /// The bytes in base 64.
        base64: String,
    },
}

impl fmt::Debug for FileContent {
    /// Its length: a picture is no news for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text } => write!(f, "Text({} bytes)", text.len()),
            Self::Base64 { base64 } => write!(f, "Base64({} digits)", base64.len()),
        }
    }
}

/// The answer to a request that was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum AppReply {
    /// Understood; the effect follows as events.
    Done,
    /// Shares of the payout window.
    PoolWindow {
        /// The shares.
        cells: ShareCells,
    },
    /// Everything about a share.
    ShareDetails {
        /// The share; `None` if it is not known, or no longer.
        share: Option<Box<ShareDetails>>,
    },
    /// Recent shares with the branches beside them.
    ShareTree {
        /// The tree.
        tree: ShareTree,
    },
    /// Lines of the log.
    Log {
        /// The lines.
        log: LogLines,
    },
    /// A report before it is saved.
    Report {
        /// Its files.
        preview: ReportPreview,
    },
    /// What an address is.
    Address {
        /// What.
        verdict: AddressVerdict,
    },
    /// A file was written.
    Saved {
        /// Where it lies.
        path: String,
    },
    /// What a hash rate would bring; `None` while pool and network are not known.
    Calculated {
        /// The numbers.
        calculation: Option<Calculation>,
    },
    /// What a choice of share size would mean.
    ShareSize {
        /// What.
        outlook: ShareSizeOutlook,
    },
    /// All settings, without secrets.
    SettingsFile {
        /// The file.
        text: String,
    },
    /// What a file of settings would change.
    SettingsChanges {
        /// Line by line.
        changes: Vec<SettingsChange>,
    },
    /// How the window goes: the answer to `CloseWindow` and `AskToQuit`.
    Leave {
        /// How.
        how: Leave,
    },
}

/// The look of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// What can be opened outside the window; nothing else can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Outside {
    /// Bitcoin Core's own page of downloads, <https://bitcoincore.org/en/download/>.
    BitcoinCoreDownloads,
    /// The system's settings of date and time.
    TimeSettings,
    /// The system's settings of networks.
    NetworkSettings,
    /// The system's settings of privacy: who may talk to devices.
    PrivacySettings,
    /// A transaction in a public explorer, <https://mempool.space>; asked for after showing the
    /// address.
    Transaction {
        /// Which one.
        txid: TransactionId,
    },
}

/// A transaction id, 64 hex digits in display order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(export, type = "string")]
pub struct TransactionId(
    /// The id.
    pub bitcoin::Txid,
);

impl TryFrom<String> for TransactionId {
    type Error = bitcoin::hex::HexToArrayError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<TransactionId> for String {
    fn from(id: TransactionId) -> Self {
        id.0.to_string()
    }
}

//! The border to the window: view models, events, requests and errors.
//!
//! These are the only types exported to TypeScript (by `ts-rs`, into `ui/src/ipc/generated`; run
//! `cargo test -p p2pool-app export_bindings` after every change). The window decides nothing: it
//! shows what it is told and sends requests. Every number therefore arrives computed, in the unit
//! its field documents, and every choice between looks arrives as an enum.
//!
//! # Conversation
//!
//! 1. The window calls `subscribe(channel)`. The reply is an [`AppSnapshot`] with `seq = n`.
//! 2. The channel then carries [`AppEvent`]s with `seq = n + 1, n + 2, ..` without gaps. An event
//!    may overtake the reply on its way; the window keeps it until the snapshot is there and drops
//!    events the snapshot already covers.
//! 3. A gap in `seq` (slow window, sleep) makes the window subscribe again. A new subscription
//!    replaces the older one. There is no other repair.
//! 4. At least one event arrives every [`BEAT_SECS_MAX`] seconds; with nothing to tell it is
//!    [`Change::Beat`]. After [`STALE_SECS_MIN`] seconds without any event the window greys its
//!    data, and after [`LOST_SECS_MIN`] it shows `W-01` and subscribes again.
//! 5. Deeds are [`AppRequest`]s. The answer says only that the request was understood; its effect
//!    arrives as events. Questions that change nothing are answered by their [`AppReply`].
//! 6. [`AppRequest::ShowPage`] tells which page is looked at; [`AppSnapshot::page`] is kept true
//!    for that page alone.
//!
//! # Conventions
//!
//! * Absent numbers are `None` ("not known yet"), never zero. Floats are finite.
//! * Fractions are `1.0` for the whole; effort may exceed it.
//! * Times are [`UnixSeconds`]; durations are `f64` seconds in fields ending in `_secs`.
//! * Amounts are [`Sats`]; hash rates are hashes per second in fields ending in `_hps`.
//! * Hashes are 64 hex digits in display order.
//! * Lists are bounded by the `*_MAX` constants and sorted by the sender.

mod appearance;
mod checkup;
mod computer;
mod control;
mod error;
mod event;
mod events_list;
mod hero;
mod lights;
mod log;
mod page;
pub mod pages;
mod payouts;
mod practice;
mod problem_action;
mod problem_code;
mod problems;
mod rates;
mod request;
mod shares;
mod state;
mod typed;
mod units;

pub use appearance::{
    AmountUnit, Appearance, Motion, TEXT_PERCENT_MAX, TEXT_PERCENT_MIN, TemperatureUnit,
};
pub use checkup::{
    CheckName, CheckOutcome, CheckResult, CheckUp, CheckUpRequest, Checks, HEALTH_MINERS_MAX,
    HealthLine, HealthSubject, HealthText, Ladder, LateAdvice, LateCause, LateMeasure, RUNGS, Rung,
    UNPAID_SHARES_MAX, UnpaidShare, UnpaidShares,
};
pub use computer::{
    CloseChoice, Computer, ComputerRequest, Leave, NotificationChoice, NotificationEvent, Question,
};
pub use control::{MiningControl, WaitReason};
pub use error::UiError;
pub use event::{AppEvent, AppSnapshot, Change};
pub use events_list::{EVENTS_MAX, LatestEvent, LatestKind};
pub use hero::{Chance, Effort, Hero};
pub use lights::{ChainLight, LightState, Lights, MembersLight, MinersLight, NodeLight};
pub use log::{
    LOG_BATCH_MAX, LogLevel, LogLine, LogLines, LogSource, ReportFile, ReportPreview, ReportShows,
};
pub use page::{Page, PageView};
pub use pages::{
    AddressFaultKind, AddressOwner, AddressStep, AddressType, AddressVerdict, BitcoinFacts,
    ComputerStep, ConfLine, ConfReview, ConfTrouble, FOUND_NODES_MAX, FoundNode, KeepChoice,
    KeyTrouble, LoginChoice, LoginOffer, LoginStyle, MappingView, MembersFound, MinersStep,
    NetworkStep, NodeCard, NodeFact, NodeNext, NodePlace, NodeStep, NodeTest, PortChoice,
    RemoteForm, RestartStage, RestartView, Setting, SettingGroup, SettingKey, SettingValue,
    SettingsChange, SettingsRequest, SettingsView, SetupNodeRequest, SetupRequest, SetupStep,
    SetupView, ShareSizeChoice, ShareSizeOutlook, SyncView, TestLine, TestResult, TestTrouble,
};
pub use payouts::{PAYEES_MAX, PAYOUTS_MAX, Payee, Payout, PayoutState, Payouts, UnpaidReason};
pub use practice::{ChainKind, HelperState, PracticeFacts};
pub use problem_action::ProblemAction;
pub use problem_code::ProblemCode;
pub use problems::{PROBLEMS_MAX, Problem, Severity};
pub use rates::{
    ChartRange, LateVerdict, PauseSpan, Rates, SERIES_POINTS_MAX, Series, SeriesPoint,
};
pub use request::{AppReply, AppRequest, FileContent, Outside, Theme, TransactionId};
pub use shares::{MARKS_MAX, MarkKind, Party, ShareMark, Shares, WINDOW_MEMBERS_MAX, WindowMember};
pub use state::{Mode, OverallState};
pub use typed::TypedText;
pub use units::{Sats, UnixSeconds};

/// Longest silence on the channel, in seconds: send [`Change::Beat`] when nothing else was sent.
pub const BEAT_SECS_MAX: u32 = 3;

/// Silence after which the window calls its data stale, in seconds. The window's own constant
/// (`stores/app.svelte.ts`) repeats it.
pub const STALE_SECS_MIN: u32 = 10;

/// Silence after which the window reports the connection as lost (`W-01`), in seconds. The
/// window's own constant (`stores/app.svelte.ts`) repeats it.
pub const LOST_SECS_MIN: u32 = 30;

#[cfg(test)]
mod tests;

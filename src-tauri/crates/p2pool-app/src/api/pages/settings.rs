//! The settings: what can be changed, and how it is asked for.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::{Appearance, TypedText, UnixSeconds};

/// The settings page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SettingsView {
    /// Every plain setting, in the order of the page.
    pub settings: Vec<Setting>,
    /// Where work is paid; `None` before the set-up.
    pub address: Option<String>,
    /// When the last of my shares leaves the window: until then they pay the address they were
    /// found with. `None` if none is in it.
    pub shares_leave_at: Option<UnixSeconds>,
    /// How big shares are asked for.
    pub share_size: ShareSizeChoice,
    /// The Bitcoin node; `None` before the set-up.
    pub bitcoin: Option<BitcoinFacts>,
    /// Whether the node runs with older settings than these: they take effect after
    /// `RestartMining`.
    pub needs_restart: bool,
    /// Folder of everything that the application keeps.
    pub data_dir: String,
}

/// How the Bitcoin node is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct BitcoinFacts {
    /// Its address.
    pub url: String,
    /// How we log in.
    pub login: LoginStyle,
    /// Address of the reserve, if there is one.
    pub reserve_url: Option<String>,
}

/// How we log in at the Bitcoin node. No secret is ever told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum LoginStyle {
    /// Whatever the node on this computer offers.
    Found,
    /// Its cookie file.
    Cookie {
        /// The file.
        path: String,
    },
    /// A name, with a password from the computer's password store.
    Keychain {
        /// The name.
        user: String,
    },
    /// A name, with a password in a file that only its owner may read.
    File {
        /// The name.
        user: String,
        /// The file.
        path: String,
    },
}

/// A setting with a plain value. Its words are the window's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Setting {
    /// Which.
    pub key: SettingKey,
    /// Where it stands.
    pub group: SettingGroup,
    /// What it is.
    pub value: SettingValue,
    /// What it is unless it was chosen.
    pub usual: SettingValue,
    /// Smallest and largest number; `None` if it is none.
    pub range: Option<(u32, u32)>,
}

/// A setting with a plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SettingKey {
    /// Addresses in miners' user names are paid.
    PayUserNames,
    /// Donation to the developers, percent.
    Donation,
    /// Text in own blocks.
    CoinbaseText,
    /// The login may cross the open internet.
    RpcPublic,
    /// Port for other members.
    PoolPort,
    /// Other members may connect.
    Listen,
    /// The router is asked to let the port through.
    MapPort,
    /// Most incoming connections.
    MaxIncoming,
    /// Outgoing connections wanted.
    MaxOutgoing,
    /// Members always connected to.
    Members,
    /// SOCKS5 proxy.
    Proxy,
    /// Fewer connections, shares announced before they are sent.
    LowBandwidth,
    /// Where miners connect: a port, or an address with a port.
    Door,
    /// Miners from outside the own networks are served.
    AllowOutside,
    /// Every share ever seen is kept.
    RecordShares,
}

/// A part of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SettingGroup {
    /// Mining.
    Mining,
    /// The Bitcoin node.
    Node,
    /// Other members.
    Network,
    /// The miners' door.
    Door,
    /// How things look.
    Appearance,
    /// What is kept.
    Data,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SettingValue {
    /// On or off.
    Switch {
        /// Whether it is on.
        is_on: bool,
    },
    /// A whole number.
    Number {
        /// The number.
        number: u32,
    },
    /// A text; empty for none.
    Text {
        /// The text.
        text: String,
    },
    /// Several texts.
    Lines {
        /// The texts.
        lines: Vec<String>,
    },
}

/// How big shares are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum ShareSizeChoice {
    /// The smallest allowed.
    #[default]
    Automatic,
    /// Fewer, bigger.
    Bigger {
        /// So many times the smallest, 2 to 100.
        factor: u32,
    },
    /// Avoid tiny payouts.
    Worth {
        /// Sats that a share should at least be worth.
        #[ts(type = "number")]
        sats: u64,
    },
}

/// What a choice of share size would mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ShareSizeOutlook {
    /// Average time to a share of mine with it; `None` while my hash rate is unknown.
    pub average_secs: Option<f64>,
    /// The same with the smallest share.
    pub smallest_secs: Option<f64>,
}

/// One line of what an import would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SettingsChange {
    /// Name in the file, `run.address`.
    pub name: String,
    /// What it is; `None` if it was not chosen.
    pub old: Option<String>,
    /// What it would be; `None` if it would be left to the application.
    pub new: Option<String>,
}

/// What may be asked about settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum SettingsRequest {
    /// Changes a plain setting.
    Change {
        /// Which.
        key: SettingKey,
        /// Its new value.
        value: SettingValue,
    },
    /// Puts a group back to what it is unless chosen; the payout address stays.
    RestoreDefaults {
        /// The group.
        group: SettingGroup,
    },
    /// Pays own work at another address, if it is good.
    UseAddress {
        /// What was typed.
        text: TypedText,
    },
    /// A question: what would this choice mean? Answered by
    /// [`AppReply::ShareSize`](crate::api::AppReply::ShareSize).
    WeighShareSize {
        /// The choice.
        choice: ShareSizeChoice,
    },
    /// Asks for shares of this size.
    UseShareSize {
        /// The choice.
        choice: ShareSizeChoice,
    },
    /// Chooses how things look.
    Look {
        /// How.
        appearance: Appearance,
    },
    /// Starts the node anew with the present settings; shares stay valid.
    RestartMining,
    /// A question: all settings, without secrets, as a file. Answered by
    /// [`AppReply::SettingsFile`](crate::api::AppReply::SettingsFile).
    Export,
    /// A question: what would this file change? Answered by
    /// [`AppReply::SettingsChanges`](crate::api::AppReply::SettingsChanges).
    ReviewImport {
        /// The file.
        text: String,
    },
    /// Takes the settings of a file, which the person has reviewed.
    Import {
        /// The file.
        text: String,
    },
    /// The payout address that was changed outside the application is the person's own (`A-06`).
    ConfirmAddress,
    /// It is not: the address of the last run is put back.
    RestoreAddress,
    /// The password of the Bitcoin node, for this run of the program.
    EnterLogin {
        /// The password.
        password: TypedText,
        /// Whether the computer's password store keeps it for later runs.
        keeps: bool,
    },
}

//! The codes of the error catalogue.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A code of the error catalogue. Buttons, messages and severity look are chosen by it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
pub enum ProblemCode {
    /// The Bitcoin node refuses the connection.
    #[serde(rename = "N-01")]
    NodeUnreachable,
    /// The Bitcoin node is slow to answer.
    #[serde(rename = "N-02")]
    NodeSlow,
    /// The Bitcoin node refused the login.
    #[serde(rename = "N-03")]
    LoginRefused,
    /// The node takes no requests from this computer.
    #[serde(rename = "N-04")]
    ComputerRefused,
    /// The node's cookie file cannot be read.
    #[serde(rename = "N-05")]
    CookieUnreadable,
    /// The Bitcoin node is still starting. Value: `reason`, the node's own words.
    #[serde(rename = "N-06")]
    NodeStarting,
    /// The Bitcoin node is still fetching the chain. Value: `percent`.
    #[serde(rename = "N-07")]
    NodeCatchingUp,
    /// The Bitcoin node is on another chain. Value: `reason`.
    #[serde(rename = "N-08")]
    WrongChain,
    /// The Bitcoin node has no connection to the Bitcoin network.
    #[serde(rename = "N-09")]
    NodeWithoutPeers,
    /// The Bitcoin node has seen no new block for hours.
    #[serde(rename = "N-10")]
    NodeStuck,
    /// The Bitcoin node is too old.
    #[serde(rename = "N-11")]
    NodeTooOld,
    /// The node could not make a block template. Value: `reason`.
    #[serde(rename = "N-12")]
    TemplateFailed,
    /// The node rejected a block we found. Value: `reason`.
    #[serde(rename = "N-13")]
    BlockRefused,
    /// The login would cross the open internet unprotected.
    #[serde(rename = "N-14")]
    LoginUnprotected,
    /// The pool is ahead of the Bitcoin node.
    #[serde(rename = "N-15")]
    NodeBehindPool,
    /// There are several Bitcoin folders, and it is unclear which one the node uses.
    #[serde(rename = "N-16")]
    FoldersUnclear,
    /// `bitcoin.conf` cannot be written. Values: `path`, `lines`.
    #[serde(rename = "C-01")]
    ConfUnwritable,
    /// No backup copy could be made, so nothing was changed.
    #[serde(rename = "C-02")]
    BackupFailed,
    /// `bitcoin.conf` was changed by something else meanwhile.
    #[serde(rename = "C-03")]
    ConfChanged,
    /// A change did not go through; the old file was put back.
    #[serde(rename = "C-04")]
    ConfRestored,
    /// The Bitcoin node still uses its old settings.
    #[serde(rename = "C-05")]
    NodeNotRestarted,
    /// `bitcoin.conf` forbids connections (`server=0`).
    #[serde(rename = "C-06")]
    ServerForbidden,
    /// The system's password store is not available. Value: `reason`.
    #[serde(rename = "K-01")]
    KeychainMissing,
    /// Access to the stored login was declined.
    #[serde(rename = "K-02")]
    KeychainLocked,
    /// The password of the Bitcoin node is stored nowhere and has to be typed. Value: `url`.
    #[serde(rename = "K-03")]
    LoginMissing,
    /// There is a typing error in the address.
    #[serde(rename = "A-01")]
    AddressTypo,
    /// The pool cannot pay this kind of address. Value: `type`.
    #[serde(rename = "A-02")]
    AddressUnsupported,
    /// The address belongs to a test network.
    #[serde(rename = "A-03")]
    AddressOfTestNetwork,
    /// Something that looks like a secret key was pasted; nothing was stored.
    #[serde(rename = "A-04")]
    SecretPasted,
    /// The address would be paid wrongly under the pool's present rules.
    #[serde(rename = "A-05")]
    AddressRare,
    /// The payout address was changed outside the application. Values: `address`,
    /// `old`.
    #[serde(rename = "A-06")]
    AddressChanged,
    /// No other pool members found. Value: `tried`.
    #[serde(rename = "P-01")]
    NoMembers,
    /// The network seems to block the pool's port.
    #[serde(rename = "P-02")]
    PoolPortBlocked,
    /// The pool's port is in use, another one was taken. Value: `port`, the other one.
    #[serde(rename = "P-03")]
    PoolPortInUse,
    /// What members sent does not fit together.
    #[serde(rename = "P-04")]
    ChainWrong,
    /// The pool votes for rules that this version does not know.
    #[serde(rename = "P-05")]
    RulesUnknown,
    /// This may be a split of the pool. Value: `percent` of the known hash rate.
    #[serde(rename = "P-06")]
    PoolSplit,
    /// Members disconnect this node.
    #[serde(rename = "P-07")]
    RefusedByMembers,
    /// The pool has been silent. Value: `minutes`.
    #[serde(rename = "P-08")]
    PoolSilent,
    /// Nobody else mines in the pool.
    #[serde(rename = "P-09")]
    OnlyMiner,
    /// The router closed the port again.
    #[serde(rename = "P-10")]
    MappingLost,
    /// The computer's clock is wrong. Value: `minutes`.
    #[serde(rename = "P-11")]
    ClockOff,
    /// The miners' port is in use. Value: `port`.
    #[serde(rename = "S-01")]
    PortInUse,
    /// Miners cannot reach this computer.
    #[serde(rename = "S-02")]
    FirewallBlocks,
    /// Windows treats this network as public and blocks miners.
    #[serde(rename = "S-03")]
    NetworkPublic,
    /// This computer has a new address. Values: `ip`, `count` of miners that look for the old
    /// one.
    #[serde(rename = "S-04")]
    LanAddressChanged,
    /// macOS does not let the application talk to devices.
    #[serde(rename = "S-05")]
    LocalNetworkDenied,
    /// Somebody on the internet tried to mine here. Value: `ip`.
    #[serde(rename = "S-06")]
    RefusedOutside,
    /// This computer is not on a home network.
    #[serde(rename = "S-07")]
    NoPrivateNetwork,
    /// A miner is connected but sends no results. Value: `name`.
    #[serde(rename = "M-01")]
    MinerWithoutResults,
    /// A miner has not sent anything. Values: `name`, `minutes`.
    #[serde(rename = "M-02")]
    MinerAway,
    /// A miner works for its backup pool. Values: `name`, `host`.
    #[serde(rename = "M-03")]
    MinerOnBackup,
    /// Much of a miner's work is late. Values: `name`, `percent`.
    #[serde(rename = "M-04")]
    MinerLate,
    /// A miner sends wrong results. Values: `name`, `reason`.
    #[serde(rename = "M-05")]
    MinerWrong,
    /// A miner is too hot. Values: `name`, `celsius`.
    #[serde(rename = "M-06")]
    MinerHot,
    /// A device speaks a protocol we do not know. Value: `ip`.
    #[serde(rename = "M-07")]
    ProtocolUnknown,
    /// A device may not be able to read pool jobs. Value: `name`.
    #[serde(rename = "M-08")]
    ToyMiner,
    /// A miner asks to be paid at another address. Values: `name`, `address`.
    #[serde(rename = "M-09")]
    ForeignAddress,
    /// A device refuses settings. Value: `name`.
    #[serde(rename = "D-01")]
    DeviceRefuses,
    /// A device accepted a change but did not keep it. Value: `name`.
    #[serde(rename = "D-02")]
    DeviceForgets,
    /// A device did not come back after its restart. Value: `name`.
    #[serde(rename = "D-03")]
    DeviceGone,
    /// A device restarted but uses its other pool. Value: `name`.
    #[serde(rename = "D-04")]
    DeviceOnOldPool,
    /// The firmware is unknown, so nothing is changed. Value: `version`.
    #[serde(rename = "D-05")]
    FirmwareUnknown,
    /// A device is off; its old pool is put back later. Value: `name`.
    #[serde(rename = "D-06")]
    UndoWaits,
    /// A device did not accept a login. Value: `attempt`.
    #[serde(rename = "D-07")]
    DeviceLogin,
    /// The data folder cannot be written or is full. Value: `path`.
    #[serde(rename = "E-APP-01")]
    DataUnwritable,
    /// The application already runs on this data folder.
    #[serde(rename = "E-APP-02")]
    AlreadyRunning,
    /// The settings file was damaged; a copy was restored. Value: `date`.
    #[serde(rename = "E-APP-03")]
    SettingsDamaged,
    /// The engine stopped and was restarted. Value: `count`, times today.
    #[serde(rename = "E-APP-04")]
    EngineRestarted,
    /// The application runs with an administrator's rights.
    #[serde(rename = "E-APP-05")]
    StartedAsRoot,
    /// The data folder belongs to another network or a newer version. Value: `path`.
    #[serde(rename = "E-APP-06")]
    DataOfOther,
    /// A setting cannot have this value. Value: `reason`.
    #[serde(rename = "E-APP-07")]
    SettingRefused,
    /// The CPU miner's helper program is missing, blocked or ended by itself.
    #[serde(rename = "E-CPU-01")]
    HelperBlocked,
    /// An update did not work. Value: `version`, the present one.
    #[serde(rename = "E-UPD-01")]
    UpdateFailed,
    /// A downloaded update is not genuine and was deleted.
    #[serde(rename = "E-UPD-02")]
    UpdateNotGenuine,
    /// The desktop has no tray.
    #[serde(rename = "T-01")]
    NoTray,
    /// The window lost the engine. Raised by the window itself, or by a subscription that finds
    /// no controller.
    #[serde(rename = "W-01")]
    EngineLost,
    /// Anything without a code of its own. Value: `doing`, the deed as an English gerund
    /// ("starting the practice chain"); put the rest in the technical text.
    #[serde(rename = "E-APP-00")]
    Unexpected,
}

impl ProblemCode {
    /// Every code, in the order of the catalogue.
    pub const ALL: [Self; 78] = [
        Self::NodeUnreachable,
        Self::NodeSlow,
        Self::LoginRefused,
        Self::ComputerRefused,
        Self::CookieUnreadable,
        Self::NodeStarting,
        Self::NodeCatchingUp,
        Self::WrongChain,
        Self::NodeWithoutPeers,
        Self::NodeStuck,
        Self::NodeTooOld,
        Self::TemplateFailed,
        Self::BlockRefused,
        Self::LoginUnprotected,
        Self::NodeBehindPool,
        Self::FoldersUnclear,
        Self::ConfUnwritable,
        Self::BackupFailed,
        Self::ConfChanged,
        Self::ConfRestored,
        Self::NodeNotRestarted,
        Self::ServerForbidden,
        Self::KeychainMissing,
        Self::KeychainLocked,
        Self::LoginMissing,
        Self::AddressTypo,
        Self::AddressUnsupported,
        Self::AddressOfTestNetwork,
        Self::SecretPasted,
        Self::AddressRare,
        Self::AddressChanged,
        Self::NoMembers,
        Self::PoolPortBlocked,
        Self::PoolPortInUse,
        Self::ChainWrong,
        Self::RulesUnknown,
        Self::PoolSplit,
        Self::RefusedByMembers,
        Self::PoolSilent,
        Self::OnlyMiner,
        Self::MappingLost,
        Self::ClockOff,
        Self::PortInUse,
        Self::FirewallBlocks,
        Self::NetworkPublic,
        Self::LanAddressChanged,
        Self::LocalNetworkDenied,
        Self::RefusedOutside,
        Self::NoPrivateNetwork,
        Self::MinerWithoutResults,
        Self::MinerAway,
        Self::MinerOnBackup,
        Self::MinerLate,
        Self::MinerWrong,
        Self::MinerHot,
        Self::ProtocolUnknown,
        Self::ToyMiner,
        Self::ForeignAddress,
        Self::DeviceRefuses,
        Self::DeviceForgets,
        Self::DeviceGone,
        Self::DeviceOnOldPool,
        Self::FirmwareUnknown,
        Self::UndoWaits,
        Self::DeviceLogin,
        Self::DataUnwritable,
        Self::AlreadyRunning,
        Self::SettingsDamaged,
        Self::EngineRestarted,
        Self::StartedAsRoot,
        Self::DataOfOther,
        Self::SettingRefused,
        Self::HelperBlocked,
        Self::UpdateFailed,
        Self::UpdateNotGenuine,
        Self::NoTray,
        Self::EngineLost,
        Self::Unexpected,
    ];
}

//! What the set-up may be asked for.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::TypedText;

use super::{ComputerStep, KeepChoice, LoginChoice, NodePlace, PortChoice, SetupStep};

/// A deed of the set-up. Every one is idempotent; what makes no sense at the moment does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum SetupRequest {
    /// Opens the set-up once more, with the present choices.
    Open,
    /// Leaves it, where mining was set up before.
    Leave,
    /// Goes to a step that is reached.
    GoTo {
        /// The step.
        step: SetupStep,
    },
    /// Does something about the Bitcoin node.
    Node {
        /// What.
        request: SetupNodeRequest,
    },
    /// A question: what is this address? Answered by
    /// [`AppReply::Address`](crate::api::AppReply::Address); nothing is kept.
    JudgeAddress {
        /// What was typed.
        text: TypedText,
    },
    /// Takes this address, if it is good, or none.
    UseAddress {
        /// What was typed.
        text: TypedText,
    },
    /// Tells whether the person has compared the address with the wallet.
    CheckAddress {
        /// Whether.
        is_checked: bool,
    },
    /// Asks the node's wallet for a new address and takes it.
    NewAddress,
    /// Chooses how members find this node.
    ChoosePort {
        /// How.
        choice: PortChoice,
    },
    /// Names a member to connect to.
    AddMember {
        /// `host` or `host:port`.
        member: String,
    },
    /// Goes through a SOCKS5 proxy; an empty text for none.
    UseProxy {
        /// `host:port`.
        proxy: String,
    },
    /// Chooses what the computer does.
    ChooseComputer {
        /// What.
        choices: ComputerStep,
    },
    /// **Start mining**: ends the set-up; mining begins when everything is ready.
    Start,
}

/// A deed of the node step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[ts(export)]
pub enum SetupNodeRequest {
    /// Looks for Bitcoin nodes once more.
    LookAgain,
    /// Chooses where the node is.
    ChoosePlace {
        /// Where.
        place: NodePlace,
    },
    /// Chooses one of the nodes found.
    ChooseNode {
        /// [`FoundNode::folder`](super::FoundNode::folder).
        folder: String,
    },
    /// Chooses how to log in at the node of this computer.
    ChooseLogin {
        /// How.
        login: LoginChoice,
    },
    /// Tests the node of this computer with the login that is chosen.
    TestNode,
    /// Tests the login that the person knows, here or on another computer.
    TestLogin {
        /// Host name or address; not looked at for the node of this computer.
        host: String,
        /// Port of its RPC interface.
        port: u16,
        /// User name.
        user: String,
        /// Password; empty for the one typed or kept before.
        password: TypedText,
        /// Whether the login may cross the open internet.
        allows_public: bool,
    },
    /// Works out the change of `bitcoin.conf`, to be shown.
    ReviewChange {
        /// Whether a `server=0` may be turned into `server=1`.
        may_switch_server_on: bool,
    },
    /// Closes the panel with the change; nothing was written.
    CancelChange,
    /// Carries the shown change out.
    ConfirmChange,
    /// Chooses what to do where the password store cannot be used.
    KeepPassword {
        /// What.
        choice: KeepChoice,
    },
    /// Stops the node and starts it again, with the same program and arguments.
    RestartNode,
    /// Starts the node of this computer.
    StartNode,
}

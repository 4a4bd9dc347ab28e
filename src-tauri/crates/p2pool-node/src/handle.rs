//! The handle that shells and the application hold.

use std::path::PathBuf;
use std::sync::Arc;

use p2pool_engine::{Engine, ShareDetails, TreeShare};
use p2pool_sharechain::ShareHash;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::driver::{Control, Look};
use crate::p2p::deed::MemberDeed;
use crate::settings::{HelperSettings, SettingsError};
use crate::state::{NodeEvent, NodeSnapshot, ProblemCode, StopReport};

/// A running node. Dropping it stops the node without waiting.
#[derive(Debug)]
pub struct NodeHandle {
    pub(crate) requests: mpsc::Sender<NodeRequest>,
    pub(crate) members: mpsc::Sender<MemberDeed>,
    pub(crate) looks: mpsc::Sender<Control>,
    pub(crate) snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    pub(crate) events: broadcast::Sender<NodeEvent>,
    /// Keeps the node's runtime until the node has stopped.
    pub(crate) runtime: Option<tokio::runtime::Runtime>,
}

/// What can be asked of a running node.
#[derive(Debug)]
pub(crate) enum NodeRequest {
    /// Hand work to miners, or stop doing so.
    SetMining(bool),
    /// Run the CPU miner like this, or not at all.
    SetHelper(Option<HelperSettings>),
    /// End everything in order.
    Stop(oneshot::Sender<StopReport>),
}

impl NodeHandle {
    /// The node as it is now.
    pub fn snapshot(&self) -> Arc<NodeSnapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Follows the node's state; newest wins. Whoever holds a borrowed state must let it go before
    /// looking again, here or by [`NodeHandle::snapshot`]: the node waits meanwhile.
    pub fn watch(&self) -> watch::Receiver<Arc<NodeSnapshot>> {
        self.snapshots.clone()
    }

    /// Follows what happens; a reader that lags is told so and should look at the snapshot.
    pub fn events(&self) -> broadcast::Receiver<NodeEvent> {
        self.events.subscribe()
    }

    /// Hands work to miners and runs the CPU miner, or stops both.
    pub async fn set_mining(&self, is_mining: bool) {
        // A node that is gone mines no more either way; its end is seen in the snapshots.
        let _ = self.requests.send(NodeRequest::SetMining(is_mining)).await;
    }

    /// Runs the CPU miner like this while mining is on, or not at all. Asking again starts one again
    /// that has stopped for good.
    pub async fn set_helper(&self, settings: Option<HelperSettings>) {
        // As above.
        let _ = self.requests.send(NodeRequest::SetHelper(settings)).await;
    }

    /// Carries out a decision about other nodes; what comes of it shows in the snapshots.
    pub async fn decide(&self, deed: MemberDeed) {
        // A node that is gone has no members either way.
        let _ = self.members.send(deed).await;
    }

    /// What is known of one share; `None` if it is not known, or no longer.
    pub async fn share_details(&self, share: ShareHash) -> Option<ShareDetails> {
        self.look(move |engine| engine.share_details(share)).await.flatten()
    }

    /// The newest shares of the chain with the branches beside them, newest first.
    pub async fn share_tree(&self) -> Vec<TreeShare> {
        self.look(|engine| engine.share_tree()).await.unwrap_or_default()
    }

    /// Asks the engine between two of its steps; `None` if it has ended.
    async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let look = Look(Box::new(move |engine| {
            // Who asked may have gone.
            let _ = reply.send(question(engine));
        }));
        self.looks.send(Control::Look(look)).await.ok()?;
        answer.await.ok()
    }

    /// Ends the node in order, within ten seconds.
    pub async fn stop(mut self) -> StopReport {
        let (reply, report) = oneshot::channel();
        if self.requests.send(NodeRequest::Stop(reply)).await.is_err() {
            return StopReport::default();
        }
        let report = report.await.unwrap_or_default();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        report
    }
}

impl Drop for NodeHandle {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why a node did not start. Nothing half-runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Wrong settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The port for miners or members is taken.
    #[error("port {port} is used by another program: {reason}")]
    PortTaken {
        /// The port.
        port: u16,
        /// The system's words.
        reason: String,
    },
    /// The data folder cannot be written.
    #[error("data cannot be saved in {}: {reason}", path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// Another instance uses the data folder.
    #[error("another instance uses the data in {}", path.display())]
    DataLocked {
        /// The folder.
        path: PathBuf,
    },
    /// The data belongs to another network, or to a newer version.
    #[error("the data in {} cannot be used: {reason}", path.display())]
    DataOfOther {
        /// The folder.
        path: PathBuf,
        /// What it is.
        reason: String,
    },
    /// The practice chain does not open.
    #[error("the practice chain does not open: {reason}")]
    PracticeChain {
        /// What is known.
        reason: String,
    },
    /// The system refuses threads or sockets.
    #[error("the system refuses to start the node: {0}")]
    System(#[source] std::io::Error),
}

impl StartError {
    /// Code of the error catalogue.
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::Settings(_) => ProblemCode::SettingsDamaged,
            Self::PortTaken { .. } => ProblemCode::PortTaken,
            Self::DataFolder { .. } => ProblemCode::DataFolder,
            Self::DataLocked { .. } => ProblemCode::DataLocked,
            Self::DataOfOther { .. } => ProblemCode::DataOfOther,
            Self::PracticeChain { .. } => ProblemCode::NodeTemplate,
            Self::System(_) => ProblemCode::EngineRestarted,
        }
    }
}

//! The link to a running node: four ends of channels, so that a test can hold the other ends.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use p2pool_node::{
    HelperSettings, MemberDeed, NodeEvent, NodeHandle, NodeSnapshot, Settings, ShareDetails,
    StartError, StopReport, TreeShare,
};
use p2pool_sharechain::ShareHash;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Deeds under way to a node. They are clicks of a person, so a few are plenty.
const DEEDS_QUEUE: usize = 32;

/// Starts a node; blocks for some seconds. See [`start_node`].
pub type StartNode = dyn Fn(Settings) -> Result<NodeLink, StartError> + Send + Sync;

/// What can be asked of a running node.
#[derive(Debug)]
pub enum NodeDeed {
    /// Hand work to miners, or stop doing so.
    SetMining(bool),
    /// Run the CPU miner like this, or not at all.
    SetHelper(Option<HelperSettings>),
    /// A decision about other nodes.
    Members(MemberDeed),
    /// Tell what is known of a share.
    ShareDetails {
        /// The share.
        share: ShareHash,
        /// `None` if it is not known.
        reply: oneshot::Sender<Option<ShareDetails>>,
    },
    /// Tell the newest shares with the branches beside them.
    ShareTree(oneshot::Sender<Vec<TreeShare>>),
    /// End everything in order, then say how it went.
    Stop(oneshot::Sender<StopReport>),
}

/// A running node, as the controller holds it. Dropping it ends the node without waiting.
pub struct NodeLink {
    /// The node's state; newest wins. The other end goes away when the node has ended.
    pub snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    /// What happens; a reader that lags is told so.
    pub events: broadcast::Receiver<NodeEvent>,
    /// What is asked of it.
    pub deeds: mpsc::Sender<NodeDeed>,
    /// Carries the deeds out; ends with the node. The controller runs it.
    pub service: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl fmt::Debug for NodeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeLink").field("snapshots", &self.snapshots).finish_non_exhaustive()
    }
}

/// Starts a real node. Returns once its port, its database and its chain are open.
///
/// # Errors
/// Whatever keeps the node from starting; nothing half-runs then.
pub fn start_node(settings: Settings) -> Result<NodeLink, StartError> {
    let handle = p2pool_node::start(settings)?;
    let (deeds, inbox) = mpsc::channel(DEEDS_QUEUE);
    Ok(NodeLink {
        snapshots: handle.watch(),
        events: handle.events(),
        deeds,
        service: Box::pin(serve(handle, inbox)),
    })
}

async fn serve(handle: NodeHandle, mut deeds: mpsc::Receiver<NodeDeed>) {
    while let Some(deed) = deeds.recv().await {
        match deed {
            NodeDeed::SetMining(is_mining) => handle.set_mining(is_mining).await,
            NodeDeed::SetHelper(settings) => handle.set_helper(settings).await,
            NodeDeed::Members(deed) => handle.decide(deed).await,
            // Whoever asked may have given up waiting.
            NodeDeed::ShareDetails { share, reply } => {
                let _ = reply.send(handle.share_details(share).await);
            }
            NodeDeed::ShareTree(reply) => {
                let _ = reply.send(handle.share_tree().await);
            }
            NodeDeed::Stop(reply) => {
                let report = handle.stop().await;
                // Whoever asked may have given up waiting.
                let _ = reply.send(report);
                return;
            }
        }
    }
}

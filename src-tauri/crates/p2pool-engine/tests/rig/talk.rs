//! What was said to peers, and shares to say to the engine.

use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{DropReason, Input, Output, PeerId, RequestId};
use p2pool_sharechain::{CheckedShare, Params, ShareHash};
use p2pool_wire::message::ShareReq;

use super::Rig;

/// A question of the engine's.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) peer: PeerId,
    pub(crate) request: RequestId,
    pub(crate) hashes: Vec<ShareHash>,
    pub(crate) parents: u64,
    stops: Vec<ShareHash>,
}

impl Question {
    /// What an honest node that knows the chain of `rig` answers.
    pub(crate) fn answer_of(&self, rig: &Rig) -> Vec<Arc<CheckedShare>> {
        rig.engine.served().answer(&ShareReq {
            id: self.request,
            hashes: self.hashes.clone(),
            parents: self.parents,
            stops: self.stops.clone(),
        })
    }

    pub(crate) fn reply(&self, shares: Vec<Arc<CheckedShare>>) -> Input {
        Input::ShareReply { peer: self.peer, request: self.request, shares: Some(shares) }
    }
}

pub(crate) fn questions(outputs: &[Output]) -> Vec<Question> {
    let questions = outputs.iter().filter_map(|output| match output.clone() {
        Output::RequestShares { peer, request, hashes, parents, stops } => {
            Some(Question { peer, request, hashes, parents, stops })
        }
        _ => None,
    });
    questions.collect()
}

/// Connections that were ended: whose, whether with a ban, why.
pub(crate) fn drops(outputs: &[Output]) -> Vec<(PeerId, bool, DropReason)> {
    let drops = outputs.iter().filter_map(|output| match output {
        Output::DropPeer { peer, is_ban, reason } => Some((*peer, *is_ban, *reason)),
        _ => None,
    });
    drops.collect()
}

/// Hashes of shares sent whole to a peer.
pub(crate) fn sent(outputs: &[Output], to: PeerId) -> Vec<ShareHash> {
    let shares = outputs.iter().filter_map(|output| match output {
        Output::SendShares { peer, shares } if *peer == to => Some(shares),
        _ => None,
    });
    shares.flatten().map(|share| share.hash()).collect()
}

/// Hashes announced to a peer.
pub(crate) fn announced(outputs: &[Output], to: PeerId) -> Vec<ShareHash> {
    let hashes = outputs.iter().filter_map(|output| match output {
        Output::AnnounceShares { peer, hashes } if *peer == to => Some(hashes.clone()),
        _ => None,
    });
    hashes.flatten().collect()
}

impl Rig {
    /// Mines a chain of so many shares, `pause` apart.
    pub(crate) fn mine_chain(&mut self, count: usize, pause: Duration) {
        for _ in 0..count {
            self.advance(pause);
            self.mine(true);
        }
        self.store_everything();
    }

    /// The best chain, newest first.
    pub(crate) fn chain(&self) -> Vec<Arc<CheckedShare>> {
        let chain = self.engine.tracker().chain(self.engine.best());
        chain.map(|known| Arc::clone(&known.share)).collect()
    }

    /// Shares on top of the best one, side by side, that this node keeps to itself.
    pub(crate) fn siblings(&mut self, count: usize) -> Vec<Arc<CheckedShare>> {
        let mut share = || {
            let (template, solution) = self.find_share();
            Arc::new(template.share(&solution).expect("it meets its target"))
        };
        (0..count).map(|_| share()).collect()
    }

    pub(crate) fn push(&mut self, peer: PeerId, shares: &[Arc<CheckedShare>]) -> Vec<Output> {
        self.handle(Input::Shares { peer, shares: shares.to_vec() })
    }
}

/// A copy whose height does not follow from its parent, with its proof of work done again.
pub(crate) fn spoilt(share: &CheckedShare, params: &Params) -> Arc<CheckedShare> {
    let mut share = share.share().clone();
    share.info.abs_height += 7;
    loop {
        share.header.nonce = share.header.nonce.wrapping_add(1);
        if let Ok(checked) = CheckedShare::check(share.clone(), params) {
            return Arc::new(checked);
        }
    }
}

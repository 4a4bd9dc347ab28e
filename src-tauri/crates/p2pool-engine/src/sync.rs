//! Asking for shares.
//!
//! Source: protocol notes, wire.md section 6.3.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::best::Desire;
use p2pool_sharechain::time::{MonoTime, Now};
use p2pool_sharechain::{CheckedShare, ShareHash};

use crate::Engine;
use crate::input::{PeerId, RequestId};
use crate::output::{DropReason, Output};

/// A peer that takes longer to answer is dropped.
const REPLY_TIMEOUT: Duration = Duration::from_secs(15);
/// Most requests on their way at once.
const REQUESTS_MAX: usize = 8;
/// Most ancestors asked for at once.
const PARENTS_MAX: u64 = 500;
/// Most stops in a question.
const STOPS_MAX: usize = 100;

/// Questions on their way.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    open: BTreeMap<RequestId, Open>,
}

#[derive(Debug)]
struct Open {
    peer: PeerId,
    hash: ShareHash,
    deadline: MonoTime,
}

impl Requests {
    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        self.open.values().map(|open| open.deadline).min()
    }

    pub(crate) fn forget_peer(&mut self, peer: PeerId) {
        self.open.retain(|_, open| open.peer != peer);
    }

    fn is_asked(&self, hash: ShareHash) -> bool {
        self.open.values().any(|open| open.hash == hash)
    }
}

impl Engine {
    /// Asks for whatever selection misses, those first who should have it.
    pub(crate) fn request_desired(&mut self, now: Now, desired: &[Desire]) {
        // At random: otherwise the first few, if nobody has them, would be asked for for ever.
        let mut desired: Vec<&Desire> = desired.iter().collect();
        self.rng.shuffle(&mut desired);
        for desire in desired {
            if self.requests.open.len() >= REQUESTS_MAX {
                return;
            }
            if self.requests.is_asked(desire.hash) || self.tracker.get(desire.hash).is_some() {
                continue;
            }
            let mut likely: Vec<PeerId> =
                desire.senders.iter().copied().filter(|peer| self.peers.contains(*peer)).collect();
            if likely.is_empty() {
                likely = self.peers.with_best(desire.hash).collect();
            }
            if likely.is_empty() {
                likely = self.peers.ids().collect();
            }
            if let Some(peer) = self.rng.choice(&likely) {
                let parents = self.rng.u64(0..PARENTS_MAX);
                self.ask(now, *peer, desire.hash, parents);
            }
        }
    }

    pub(crate) fn ask(&mut self, now: Now, peer: PeerId, hash: ShareHash, parents: u64) {
        if self.requests.is_asked(hash) {
            return;
        }
        let mut request = [0; 32];
        self.rng.fill(&mut request);
        let deadline = now.mono + REPLY_TIMEOUT;
        self.requests.open.insert(request, Open { peer, hash, deadline });
        let stops = if parents == 0 { Vec::new() } else { self.stops() };
        self.outputs.push_back(Output::RequestShares {
            peer,
            request,
            hashes: vec![hash],
            parents,
            stops,
        });
    }

    /// Heads, and shares ten below them: nobody needs to send what lies there.
    fn stops(&self) -> Vec<ShareHash> {
        let mut stops = BTreeSet::new();
        for (head, _) in self.tracker.heads() {
            stops.insert(head);
            let (height, _) = self.tracker.height_and_last(Some(head));
            let depth = height.saturating_sub(1).min(10);
            stops.extend(self.tracker.nth_parent(Some(head), depth));
            if stops.len() >= STOPS_MAX {
                break;
            }
        }
        stops.into_iter().take(STOPS_MAX).collect()
    }

    pub(crate) fn share_reply(
        &mut self,
        now: Now,
        peer: PeerId,
        request: RequestId,
        shares: Option<Vec<Arc<CheckedShare>>>,
    ) {
        let is_ours = self.requests.open.get(&request).is_some_and(|open| open.peer == peer);
        if !is_ours {
            return;
        }
        self.requests.open.remove(&request);
        if let Some(shares) = shares {
            self.take_in(now, Some(peer), shares);
        }
        self.is_unsettled = true;
    }

    /// Gives up on questions that were not answered.
    pub(crate) fn expire_requests(&mut self, now: Now) {
        let late: Vec<(RequestId, PeerId)> = self
            .requests
            .open
            .iter()
            .filter(|(_, open)| open.deadline <= now.mono)
            .map(|(request, open)| (*request, open.peer))
            .collect();
        for (request, peer) in late {
            self.requests.open.remove(&request);
            let reason = DropReason::Silent;
            self.outputs.push_back(Output::DropPeer { peer, is_ban: false, reason });
            self.is_unsettled = true;
        }
    }
}

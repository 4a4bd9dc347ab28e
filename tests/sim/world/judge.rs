//! What must hold after every step, and what honest nodes must not do to each other.

use std::collections::BTreeMap;

use p2pool_engine::PeerId;
use p2pool_sharechain::verify::{Blame, StandaloneError};
use p2pool_wire::SessionError;
use p2pool_wire::peering::Refusal;

use super::World;
use super::connection::Who;

/// Shares on side branches that a node may know besides its chain.
const BRANCHES_MAX: usize = 200;
/// Chains that strangers may make a node keep, its own among them.
const RIVALS_MAX: usize = 6;
/// Shares that prove nothing and that strangers may make a node keep for a while.
const STRAYS_MAX: usize = 6_000;

/// Something that one node holds against another.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "read by people, in the message of a failing test")]
pub(crate) struct Fault {
    pub(crate) node: usize,
    pub(crate) against: usize,
    /// Whether the other's address is avoided from then on.
    pub(crate) is_ban: bool,
    pub(crate) reason: String,
}

impl World {
    /// Caps hold after every step.
    pub(super) fn judge_node(&self, node: usize) {
        let Some(run) = &self.nodes[node].run else { return };
        let known = run.engine.tracker().len();
        let chain = 3 * self.params.chain_length as usize + 10;
        let most = if self.strangers.is_empty() {
            chain + BRANCHES_MAX
        } else {
            RIVALS_MAX * chain + STRAYS_MAX
        };
        assert!(known <= most, "node {node} knows {known} shares, at most {most}");
    }

    /// A node that starts knows what its disk holds.
    pub(super) fn judge_loaded(&mut self, node: usize) {
        let Some(run) = &mut self.nodes[node].run else { return };
        let summary = run.engine.summary();
        let disk = &self.nodes[node].disk;
        assert_eq!(summary.own_found, disk.own.len(), "node {node}'s own shares");
        assert_eq!(summary.blocks.len(), disk.blocks.len(), "node {node}'s blocks");
        let Some(run) = &self.nodes[node].run else { return };
        for hash in self.nodes[node].disk.hashes_in_the_end() {
            assert!(run.engine.tracker().get(hash).is_some(), "node {node} forgot {hash}");
        }
    }

    /// Every node's disk holds, or will hold, what its engine knows.
    pub(crate) fn judge_disks(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(run) = &node.run else { continue };
            let stored = node.disk.hashes_in_the_end();
            assert_eq!(stored.len(), run.engine.tracker().len(), "node {number}'s disk");
            for hash in stored {
                assert!(run.engine.tracker().get(hash).is_some(), "node {number} lacks {hash}");
            }
        }
    }

    /// Nobody honest was banned by anybody honest.
    pub(crate) fn judge_bans(&self) {
        let bans: Vec<&Fault> = self.faults.iter().filter(|fault| fault.is_ban).collect();
        assert!(bans.is_empty(), "honest nodes banned: {bans:?}");
    }

    /// Where the nodes stand, for the message of a failing test.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(run) = &node.run else {
                text += &format!("node {number} is down\n");
                continue;
            };
            let (best, tracker) = (run.engine.best(), run.engine.tracker());
            let (height, last) = tracker.height_and_last(best);
            let work = tracker.verified().total(best).work;
            let (known, peers) = (tracker.len(), run.peers.len());
            text += &format!(
                "node {number}: best {best:?}, height {height} above {last:?}, work {work}, \
                 {known} known, {peers} peers\n"
            );
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for fault in &self.faults {
            *reasons.entry(&fault.reason).or_default() += 1;
        }
        text + &format!("faults: {reasons:#?}")
    }

    pub(super) fn judge_drop(&mut self, node: usize, peer: PeerId, is_ban: bool, reason: &str) {
        let Some(run) = &self.nodes[node].run else { return };
        let Some((connection, side)) = run.peers.get(&peer) else { return };
        let Some(connection) = self.connections.get(connection) else { return };
        let other = connection.ends[1 - *side].owner;
        self.hold_against(node, other, is_ban, reason);
    }

    pub(super) fn judge_closed(&mut self, owner: Who, other: Who, error: &SessionError) {
        self.hold_against(owner, other, error.blame() == Blame::Sender, &error.to_string());
    }

    pub(super) fn judge_bad_share(&mut self, owner: Who, other: Who, error: &StandaloneError) {
        self.hold_against(owner, other, error.blame() == Blame::Sender, &error.to_string());
    }

    pub(super) fn hold_against(&mut self, owner: Who, other: Who, is_ban: bool, reason: &str) {
        // A node that finds itself avoids that address, and is right.
        if self.is_stranger(owner) || owner == other {
            return;
        }
        let fault = Fault { node: owner, against: other, is_ban, reason: reason.to_owned() };
        if self.is_stranger(other) {
            self.complaints.push(fault);
        } else {
            self.faults.push(fault);
        }
    }

    pub(super) fn judge_refusal(&mut self, node: usize, from: Who, refusal: &Refusal) {
        if let Refusal::Banned { .. } = refusal {
            self.hold_against(node, from, true, "refused as banned");
        }
    }

    /// Every node is connected to other nodes, whatever strangers have done.
    pub(crate) fn judge_company(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(run) = &node.run else { continue };
            let honest = run.peers.values().filter(|(connection, side)| {
                let connection = &self.connections[connection];
                !self.is_stranger(connection.ends[1 - side].owner)
            });
            let honest = honest.count();
            assert!(honest >= 2, "node {number} has {honest} honest peers");
            let status = run.peering.status(self.clock(number));
            assert!(status.known_addresses <= 10_000, "{status:?}");
        }
    }

    /// Bytes that a node holds for one peer that does not take them, at most.
    pub(crate) fn bytes_waiting(&self) -> usize {
        let ends = self.connections.values().flat_map(|connection| &connection.ends);
        let honest = ends.filter(|end| !self.is_stranger(end.owner));
        honest.map(|end| end.outgoing_bytes).max().unwrap_or_default()
    }
}

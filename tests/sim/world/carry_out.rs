//! Feeding a node's engine and carrying out what it asks for, as the node's driver does.

use p2pool_engine::{Event as EngineEvent, Input, Output, PeerId};
use p2pool_sharechain::CheckedShare;
use p2pool_wire::Message;
use p2pool_wire::message::{RawShare, ShareReq};
use p2pool_wire::peering::{BAN_MISBEHAVIOUR, Departure};
use std::sync::Arc;

use super::{Event, World};

impl World {
    /// Gives a node's engine one input and carries out all its outputs.
    pub(super) fn give(&mut self, node: usize, input: Input) {
        let now = self.clock(node);
        let Some(run) = &mut self.nodes[node].run else { return };
        run.engine.handle(now, input);
        let mut outputs = Vec::new();
        while let Some(output) = run.engine.poll() {
            outputs.push(output);
        }
        for output in outputs {
            self.carry_out(node, output);
        }
        self.judge_node(node);
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        match output {
            Output::SendShares { peer, shares } => {
                self.tell(node, peer, Message::Shares(shares.iter().map(raw).collect()));
            }
            Output::RequestShares { peer, request, hashes, parents, stops } => {
                let request = ShareReq { id: request, hashes, parents, stops };
                self.tell(node, peer, Message::ShareReq(request));
            }
            Output::AnnounceShares { peer, hashes } => {
                self.tell(node, peer, Message::ShareHashes(hashes));
            }
            Output::SendBestBlock { peer, header } => {
                self.tell(node, peer, Message::BestBlock(header));
            }
            Output::SendCompactBlock { peer, block } => {
                let block = Box::new(Arc::unwrap_or_clone(block));
                self.tell(node, peer, Message::CompactBlock(block));
            }
            Output::RequestBlockTxn { peer, request } => {
                self.tell(node, peer, Message::GetBlockTxn(request));
            }
            Output::SendBlockTxn { peer, transactions } => {
                self.tell(node, peer, Message::BlockTxn(Arc::unwrap_or_clone(transactions)));
            }
            Output::DropPeer { peer, is_ban, reason } => {
                self.judge_drop(node, peer, is_ban, &format!("{reason:?}"));
                let ban = BAN_MISBEHAVIOUR;
                let how = if is_ban { Departure::Misbehaved { ban } } else { Departure::Failed };
                self.let_go(node, peer, how);
            }
            Output::Persist { sequence, changes } => {
                let now = self.now;
                let Self { nodes, rng, .. } = self;
                let done = nodes[node].disk.write(now, sequence, changes, rng);
                let incarnation = self.nodes[node].incarnation;
                self.at(done, Event::Written { node, incarnation });
            }
            Output::Publish(work) => {
                self.tell_miner(node, work.as_ref());
                if let Some(run) = &mut self.nodes[node].run {
                    run.work = work;
                }
            }
            Output::SubmitBlock { hash, raw } => self.submit_block(node, hash, raw),
            Output::WatchBlock { hash } => self.watch_block(node, hash),
            Output::LookUpHeight { block } => self.look_up_height(node, block),
            Output::LookUpTip { block } => self.look_up_tip(node, block),
            Output::RefreshTemplate => self.nudge_bitcoind(node),
            Output::WakeAt(at) => {
                let Some(run) = &mut self.nodes[node].run else { return };
                if run.wake != at || at <= super::MonoTime(super::START_MONO + self.now) {
                    run.wake = at;
                    let at_virtual = at.0.saturating_sub(super::START_MONO);
                    self.at(at_virtual, Event::Wake { node, at });
                }
            }
            Output::Event(event) => self.note_event(node, &event),
        }
    }

    fn note_event(&mut self, node: usize, event: &EngineEvent) {
        if let EngineEvent::BestShare { hash, .. } = event {
            self.measure.became_best(*hash, node, self.now);
        } else if let EngineEvent::StorageSlow = event {
            self.measure.storage_slow += 1;
        }
    }

    /// Queues a message for a peer; a peer that cannot keep up is let go.
    pub(super) fn tell(&mut self, node: usize, peer: PeerId, message: Message) {
        let Some(run) = &self.nodes[node].run else { return };
        let Some((connection, side)) = run.peers.get(&peer).copied() else { return };
        if self.queue_message(connection, side, message) {
            self.ready.insert((connection, side));
        } else {
            self.judge_drop(node, peer, false, "does not keep up");
            self.let_go(node, peer, Departure::Failed);
        }
    }

    /// Ends the connection to a peer.
    pub(super) fn let_go(&mut self, node: usize, peer: PeerId, how: Departure) {
        let Some(run) = &self.nodes[node].run else { return };
        if let Some((connection, side)) = run.peers.get(&peer).copied() {
            self.doom(connection, side, how);
        }
    }
}

/// A share as it travels.
pub(crate) fn raw(share: &Arc<CheckedShare>) -> RawShare {
    let share = share.share();
    RawShare { version: share.version.number(), contents: share.contents_to_bytes() }
}

//! What the task of one connection does: reads, lets the session think, writes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::Input;
use p2pool_sharechain::share::ParseShareError;
use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::verify::StandaloneError;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, Params, Share};
use p2pool_wire::message::{RawShare, ReplyResult, ShareReply, ShareReq};
use p2pool_wire::{Message, Output};

use super::carry_out::raw;
use super::connection::{ConnectionId, Owner, Side};
use super::{Event, START_MONO, World};

/// Bytes read at once.
const READ_BYTES_MAX: usize = 32 << 10;
/// A write that takes longer ends the connection.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// What an end does next.
enum Turn {
    Write(Vec<u8>),
    Act(Output),
    Send(Message),
    Read(Vec<u8>),
    Wake,
    Close,
    Rest,
}

impl World {
    /// Lets one end do what it can at this moment.
    pub(super) fn pump(&mut self, id: ConnectionId, side: Side) {
        loop {
            match self.turn(id, side) {
                Turn::Write(bytes) => {
                    self.measure.wrote(&bytes);
                    self.send(id, side, Some(bytes));
                }
                Turn::Act(output) => self.act(id, side, output),
                Turn::Send(message) => {
                    self.session(id, side, p2pool_wire::Input::Send(message));
                }
                Turn::Read(bytes) => {
                    let connected = self.connected(id, side);
                    let input = p2pool_wire::Input::Bytes { bytes: &bytes, connected: &connected };
                    self.session(id, side, input);
                    // The writer at the other end may have waited for this.
                    self.ready.insert((id, 1 - side));
                }
                Turn::Wake => self.session(id, side, p2pool_wire::Input::Wake),
                Turn::Close => self.hang_up(id, side),
                Turn::Rest => break,
            }
        }
        self.set_timer(id, side);
    }

    fn turn(&mut self, id: ConnectionId, side: Side) -> Turn {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else { return Turn::Rest };
        let takes_more = connection.takes_more(side);
        let end = &mut connection.ends[side];
        if !end.is_open {
            return Turn::Rest;
        }
        if end.is_doomed {
            return Turn::Close;
        }
        if let Some(bytes) = end.unwritten.pop_front() {
            if takes_more {
                end.blocked_since = None;
                return Turn::Write(bytes);
            }
            end.unwritten.push_front(bytes);
            let since = *end.blocked_since.get_or_insert(now);
            return if now >= since + WRITE_WITHIN { Turn::Close } else { Turn::Rest };
        }
        if let Some(output) = end.session.poll() {
            if let Output::Write(bytes) = output {
                end.unwritten.push_back(bytes);
                return self.turn(id, side);
            }
            return Turn::Act(output);
        }
        if let Some(message) = end.commands.pop_front() {
            return Turn::Send(message);
        }
        if end.session.wants_bytes() && !end.arrived.is_empty() {
            let count = end.arrived.len().min(READ_BYTES_MAX);
            let rest = end.arrived.split_off(count);
            return Turn::Read(core::mem::replace(&mut end.arrived, rest));
        }
        if end.session.wants_bytes() && end.is_finished {
            return Turn::Close;
        }
        let mono = MonoTime(START_MONO + now);
        if end.session.wakes_at().is_some_and(|at| at <= mono) { Turn::Wake } else { Turn::Rest }
    }

    fn session(&mut self, id: ConnectionId, side: Side, input: p2pool_wire::Input<'_>) {
        let mono = MonoTime(START_MONO + self.now);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ends[side].session.handle(mono, input);
        }
    }

    fn connected(&self, id: ConnectionId, side: Side) -> BTreeSet<u64> {
        let Owner::Node(node) = self.connections[&id].ends[side].owner;
        self.nodes[node].run.as_ref().map(|run| run.connected.clone()).unwrap_or_default()
    }

    fn act(&mut self, id: ConnectionId, side: Side, output: Output) {
        let connection = self.connections.get_mut(&id).expect("it is open");
        let other = connection.ends[1 - side].owner;
        let end = &mut connection.ends[side];
        let (owner, peer) = (end.owner, end.peer);
        let Owner::Node(node) = owner;
        match output {
            Output::Write(_) => {}
            Output::Joined(joined) => {
                end.joined = Some(joined.nonce);
                let Some(run) = &mut self.nodes[node].run else { return };
                run.connected.insert(joined.nonce);
                run.peers.insert(peer, (id, side));
                self.note_reached(owner, other);
                let (best_share, services) = (joined.best_share, joined.services);
                self.give(node, Input::PeerJoined { peer, best_share, services });
            }
            Output::Received(message) => self.receive(id, side, message),
            Output::Closed(error) => {
                self.judge_closed(owner, other, &error);
                self.hang_up(id, side);
            }
        }
    }

    /// Passes a message on to the engine.
    fn receive(&mut self, id: ConnectionId, side: Side, message: Message) {
        let end = &self.connections[&id].ends[side];
        let peer = end.peer;
        let Owner::Node(node) = end.owner;
        let input = match message {
            Message::Shares(raw) => match self.check(&raw) {
                Ok(shares) => {
                    self.report_unknown(node, &raw);
                    Input::Shares { peer, shares }
                }
                Err(error) => return self.bad_share(id, side, &error),
            },
            Message::ShareReply(reply) => match self.check(&reply.shares) {
                Ok(shares) => {
                    let shares = (reply.result == ReplyResult::Good).then_some(shares);
                    Input::ShareReply { peer, request: reply.id, shares }
                }
                Err(error) => return self.bad_share(id, side, &error),
            },
            Message::ShareReq(question) => return self.serve(id, side, &question),
            Message::ShareHashes(hashes) => Input::ShareHashes { peer, hashes },
            Message::BestBlock(header) => Input::BestBlock { peer, header },
            Message::CompactBlock(block) => Input::CompactBlock { peer, block },
            Message::GetBlockTxn(request) => Input::GetBlockTxn { peer, request },
            Message::BlockTxn(transactions) => Input::BlockTxn { peer, transactions },
            Message::Version(_)
            | Message::Ping
            | Message::AddrMe { .. }
            | Message::Addrs(_)
            | Message::GetAddrs { .. }
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_)
            | Message::Unknown(_) => return,
        };
        self.give(node, input);
    }

    /// Answers a question for shares, without asking the engine.
    fn serve(&mut self, id: ConnectionId, side: Side, question: &ShareReq) {
        let Owner::Node(node) = self.connections[&id].ends[side].owner;
        let Some(run) = &self.nodes[node].run else { return };
        if question.hashes.is_empty() {
            return self.doom(id, side);
        }
        let shares = run.engine.served().answer(question).iter().map(raw).collect();
        let (id_asked, result) = (question.id, ReplyResult::Good);
        let reply = Message::ShareReply(ShareReply { id: id_asked, result, shares });
        self.session(id, side, p2pool_wire::Input::Send(reply));
    }

    fn check(&self, raw: &[RawShare]) -> Result<Vec<Arc<CheckedShare>>, StandaloneError> {
        raw.iter().filter_map(|raw| check(raw, &self.params)).collect()
    }

    fn bad_share(&mut self, id: ConnectionId, side: Side, error: &StandaloneError) {
        let connection = &self.connections[&id];
        let (owner, other) = (connection.ends[side].owner, connection.ends[1 - side].owner);
        self.judge_bad_share(owner, other, error);
        self.doom(id, side);
    }

    fn report_unknown(&mut self, node: usize, raw: &[RawShare]) {
        let newest = ShareVersion::NEWEST.number();
        let unknown: Vec<u64> =
            raw.iter().map(|raw| raw.version).filter(|version| *version > newest).collect();
        if let Some(version) = unknown.iter().copied().max() {
            let count = unknown.len() as u64;
            self.give(node, Input::UnknownShares { version, count });
        }
    }

    /// The end of a connection's task.
    fn hang_up(&mut self, id: ConnectionId, side: Side) {
        let Some(connection) = self.connections.get(&id) else { return };
        let end = &connection.ends[side];
        let Owner::Node(node) = end.owner;
        let (peer, joined) = (end.peer, end.joined);
        self.abandon(id, side, true);
        if let (Some(nonce), Some(run)) = (joined, &mut self.nodes[node].run) {
            run.connected.remove(&nonce);
            run.peers.remove(&peer);
            self.give(node, Input::PeerLeft { peer });
        }
    }

    pub(super) fn session_wake(&mut self, id: ConnectionId, side: Side) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.ends[side].wake = None;
        self.ready.insert((id, side));
    }

    /// Asks to look at this end again when something is due there.
    fn set_timer(&mut self, id: ConnectionId, side: Side) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let end = &mut connection.ends[side];
        if !end.is_open {
            return;
        }
        let session = end.session.wakes_at().map(|at| at.0.saturating_sub(START_MONO));
        let write = end.blocked_since.map(|since| since + WRITE_WITHIN);
        // A task that waits for its write looks at no timer.
        let Some(due) = write.or(session) else { return };
        let due = due.max(self.now);
        if end.wake.is_none_or(|wake| wake > due || wake < self.now) {
            end.wake = Some(due);
            self.at(due, Event::SessionWake { connection: id, side });
        }
    }
}

/// A share as far as it can be checked alone; unknown types are left out.
fn check(raw: &RawShare, params: &Params) -> Option<Result<Arc<CheckedShare>, StandaloneError>> {
    match Share::parse_contents(raw.version, &raw.contents, params) {
        Err(ParseShareError::UnknownVersion(_) | ParseShareError::ObsoleteVersion(_)) => None,
        Err(error) => Some(Err(error.into())),
        Ok(share) => Some(CheckedShare::check(share, params).map(Arc::new)),
    }
}

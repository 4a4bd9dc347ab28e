//! What the task of one connection does: reads, lets the session think, writes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::Input;
use p2pool_sharechain::share::ParseShareError;
use p2pool_sharechain::verify::{Blame, StandaloneError};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, Params, Share};
use p2pool_wire::message::{RawShare, ReplyResult, ShareReply, ShareReq};
use p2pool_wire::peering::{BAN_MISBEHAVIOUR, Departure, PeeringInput};
use p2pool_wire::{Message, Output, Peer};

use super::carry_out::raw;
use super::connection::{ConnectionId, Side};
use super::strangers::Seen;
use super::{Event, START_MONO, World};

/// Bytes read at once.
const READ_BYTES_MAX: usize = 32 << 10;
/// A peer that takes not a single byte for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// Nothing more is read, and so answered, while so many bytes wait for the peer.
const UNREAD_ABOVE: usize = 8 << 20;
/// A peer that has so many bytes waiting does not keep up.
const OUTGOING_BYTES_MAX: usize = 64 << 20;

/// What an end does next.
enum Turn {
    Write(Vec<u8>),
    Act(Output),
    Send(Message),
    Read(Vec<u8>),
    Wake,
    Close(Departure),
    Rest,
}

impl World {
    /// Lets one end do what it can at this moment.
    pub(super) fn pump(&mut self, id: ConnectionId, side: Side) {
        loop {
            match self.turn(id, side) {
                Turn::Write(bytes) => self.send(id, side, Some(bytes)),
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
                Turn::Close(how) => self.hang_up(id, side, how),
                Turn::Rest => break,
            }
        }
        self.set_timer(id, side);
    }

    fn turn(&mut self, id: ConnectionId, side: Side) -> Turn {
        let (now, mono) = (self.now, self.mono());
        let is_node = |owner: usize| owner < self.nodes.len();
        let Some(connection) = self.connections.get_mut(&id) else { return Turn::Rest };
        let room = connection.room(side);
        let end = &mut connection.ends[side];
        if !end.is_open {
            return Turn::Rest;
        }
        if let Some(how) = end.doom {
            return Turn::Close(how);
        }
        if let Some(output) = end.session.poll() {
            return Turn::Act(output);
        }
        if end.outgoing.is_empty() {
            end.taken_at = now;
        } else if room > 0 {
            return Turn::Write(take_bytes(end, room, now));
        } else if is_node(end.owner)
            && (now >= end.taken_at + WRITE_WITHIN || end.outgoing_bytes > OUTGOING_BYTES_MAX)
        {
            let (owner, other) = (end.owner, connection.ends[1 - side].owner);
            self.hold_against(owner, other, false, "takes nothing");
            return Turn::Close(Departure::Failed);
        }
        if let Some(message) = end.commands.pop_front() {
            return Turn::Send(message);
        }
        let may_read =
            end.session.wants_bytes() && end.outgoing_bytes < UNREAD_ABOVE && !end.is_deaf;
        if may_read && !end.arrived.is_empty() {
            let count = end.arrived.len().min(READ_BYTES_MAX);
            let rest = end.arrived.split_off(count);
            return Turn::Read(core::mem::replace(&mut end.arrived, rest));
        }
        if may_read && end.is_finished {
            return Turn::Close(Departure::Ended);
        }
        if end.session.wakes_at().is_some_and(|at| at <= mono) { Turn::Wake } else { Turn::Rest }
    }

    fn session(&mut self, id: ConnectionId, side: Side, input: p2pool_wire::Input<'_>) {
        let mono = self.mono();
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ends[side].session.handle(mono, input);
        }
    }

    fn connected(&self, id: ConnectionId, side: Side) -> BTreeSet<u64> {
        let owner = self.connections[&id].ends[side].owner;
        let run = self.nodes.get(owner).and_then(|node| node.run.as_ref());
        run.map(|run| run.connected.clone()).unwrap_or_default()
    }

    fn act(&mut self, id: ConnectionId, side: Side, output: Output) {
        let connection = self.connections.get_mut(&id).expect("it is open");
        let other = connection.ends[1 - side].owner;
        let end = &mut connection.ends[side];
        let owner = end.owner;
        match output {
            Output::Write(bytes) => {
                end.outgoing_bytes += bytes.len();
                if owner < self.nodes.len() {
                    self.measure.wrote(&bytes);
                }
                end.outgoing.push_back(bytes);
            }
            Output::Joined(info) => {
                end.joined = Some(info.nonce);
                self.join(id, side, info);
            }
            Output::Received(message) => self.receive(id, side, message),
            Output::Closed(error) => {
                self.judge_closed(owner, other, &error);
                self.hang_up(id, side, Departure::from(&error));
            }
        }
    }

    fn join(&mut self, id: ConnectionId, side: Side, info: Peer) {
        let end = &self.connections[&id].ends[side];
        let (owner, peer) = (end.owner, end.peer);
        if owner >= self.nodes.len() {
            return self.stranger_sees(owner, Seen::Joined { connection: id });
        }
        let Some(run) = &mut self.nodes[owner].run else { return };
        run.connected.insert(info.nonce);
        run.peers.insert(peer, (id, side));
        let (best_share, services) = (info.best_share, info.services);
        self.give(owner, Input::PeerJoined { peer, best_share, services });
        self.tell_peering(owner, PeeringInput::Joined { peer, info });
    }

    /// Passes a message on to whom it concerns.
    fn receive(&mut self, id: ConnectionId, side: Side, message: Message) {
        let end = &self.connections[&id].ends[side];
        let (node, peer) = (end.owner, end.peer);
        if node >= self.nodes.len() {
            return self.stranger_sees(node, Seen::Received { connection: id, message });
        }
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
            message @ (Message::AddrMe { .. } | Message::Addrs(_) | Message::GetAddrs { .. }) => {
                return self.tell_peering(node, PeeringInput::Received { peer, message });
            }
            Message::Version(_)
            | Message::Ping
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
        let node = self.connections[&id].ends[side].owner;
        let Some(run) = &self.nodes[node].run else { return };
        if question.hashes.is_empty() {
            return self.doom(id, side, Departure::Failed);
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
        let how = match error.blame() {
            Blame::Sender => Departure::Misbehaved { ban: BAN_MISBEHAVIOUR },
            Blame::Nobody => Departure::Failed,
        };
        self.doom(id, side, how);
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
    fn hang_up(&mut self, id: ConnectionId, side: Side, how: Departure) {
        let Some(connection) = self.connections.get(&id) else { return };
        let end = &connection.ends[side];
        let (owner, peer, joined) = (end.owner, end.peer, end.joined);
        self.abandon(id, side, true);
        if owner >= self.nodes.len() {
            return self.stranger_sees(owner, Seen::Left { connection: id });
        }
        if let (Some(nonce), Some(run)) = (joined, &mut self.nodes[owner].run) {
            run.connected.remove(&nonce);
            run.peers.remove(&peer);
            self.give(owner, Input::PeerLeft { peer });
        }
        self.tell_peering(owner, PeeringInput::Left { peer, how });
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
        let write = (!end.outgoing.is_empty()).then(|| end.taken_at + WRITE_WITHIN);
        let Some(due) = write.into_iter().chain(session).min() else { return };
        let due = due.max(self.now);
        if end.wake.is_none_or(|wake| wake > due || wake < self.now) {
            end.wake = Some(due);
            self.at(due, Event::SessionWake { connection: id, side });
        }
    }
}

/// The next bytes to be written, at most so many.
fn take_bytes(end: &mut super::connection::End, room: usize, now: Duration) -> Vec<u8> {
    let mut bytes = end.outgoing.pop_front().expect("there are some");
    if bytes.len() > room {
        let rest = bytes.split_off(room);
        end.outgoing.push_front(rest);
    }
    end.outgoing_bytes -= bytes.len();
    end.taken_at = now;
    bytes
}

/// A share as far as it can be checked alone; unknown types are left out.
fn check(raw: &RawShare, params: &Params) -> Option<Result<Arc<CheckedShare>, StandaloneError>> {
    match Share::parse_contents(raw.version, &raw.contents, params) {
        Err(ParseShareError::UnknownVersion(_) | ParseShareError::ObsoleteVersion(_)) => None,
        Err(error) => Some(Err(error.into())),
        Ok(share) => Some(CheckedShare::check(share, params).map(Arc::new)),
    }
}

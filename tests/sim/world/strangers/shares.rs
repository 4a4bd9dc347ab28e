//! Shares that no honest miner makes.

use std::time::Duration;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::UnixTime;
use p2pool_wire::Message;
use p2pool_wire::message::{ReplyResult, ShareReply, ShareReq};

use super::{Behaviour, Hands, Made, Seen};
use crate::world::carry_out::raw;
use crate::world::connection::ConnectionId;

/// Shares sent in one go.
const SPAM: usize = 20;

fn reply(question: &ShareReq, shares: &[Made]) -> Message {
    let shares = shares.iter().map(raw).collect();
    Message::ShareReply(ShareReply { id: question.id, result: ReplyResult::Good, shares })
}

fn nobodys(hands: &mut Hands<'_>) -> ShareHash {
    let mut hash = [1; 32];
    hands.rng.fill(&mut hash[..16]);
    ShareHash::from_internal(hash)
}

/// Claims to have the best share of a long chain that was made in an afternoon.
pub(crate) struct FakeHistory {
    chain: Vec<Made>,
    connections: Vec<ConnectionId>,
}

impl FakeHistory {
    /// Makes a chain of so many shares, each of least difficulty and a period after the other.
    pub(crate) fn new(world: &mut crate::world::World, shares: u32) -> Self {
        let (period, start) = (u64::from(world.params.share_period), world.wall(usize::MAX).0);
        let mut parent = None;
        let mut chain = Vec::new();
        for number in 0..shares {
            let wall = UnixTime(start - u64::from(shares - number) * period);
            let share = world.forge.share(parent, wall, true);
            parent = Some(share.hash());
            chain.push(share);
        }
        chain.reverse();
        Self { chain, connections: Vec::new() }
    }
}

impl Behaviour for FakeHistory {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => hands.dial_somebody(),
            Seen::Joined { connection } => {
                self.connections.push(connection);
                let newest = self.chain[..5].iter().map(raw).collect();
                hands.send(connection, Message::Shares(newest));
            }
            Seen::Received { connection, message: Message::ShareReq(question) } => {
                let count = usize::try_from(question.parents).unwrap_or(1_000).min(1_000) + 1;
                let wanted = question.hashes.first().copied();
                let shares = wanted.map(|hash| hands.forge.chain(hash, count));
                hands.send(connection, reply(&question, &shares.unwrap_or_default()));
            }
            Seen::Connected { .. } | Seen::Received { .. } | Seen::Left { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn best(&self) -> Option<ShareHash> {
        self.chain.first().map(|share| share.hash())
    }
}

/// Sends shares whose parents it never gives: it answers nothing, or with nothing.
pub(crate) struct Withholder {
    pub(crate) answers: bool,
}

impl Behaviour for Withholder {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => hands.dial_somebody(),
            Seen::Joined { connection } => {
                let parent = nobodys(hands);
                let share = hands.forge.parentless(parent, hands.wall);
                hands.send(connection, Message::Shares(vec![raw(&share)]));
            }
            Seen::Received { connection, message: Message::ShareReq(question) } if self.answers => {
                hands.send(connection, reply(&question, &[]));
            }
            Seen::Connected { .. } | Seen::Received { .. } | Seen::Left { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(4)
    }
}

/// Sends many shares with true proof of work and different parents that nobody has.
#[derive(Default)]
pub(crate) struct Spammer {
    connections: Vec<ConnectionId>,
}

impl Behaviour for Spammer {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => {
                hands.dial_somebody();
                for connection in &self.connections {
                    for _ in 0..SPAM {
                        let parent = nobodys(hands);
                        let share = hands.forge.parentless(parent, hands.wall);
                        hands.send(*connection, Message::Shares(vec![raw(&share)]));
                    }
                }
            }
            Seen::Joined { connection } => self.connections.push(connection),
            Seen::Left { connection } => self.connections.retain(|other| *other != connection),
            Seen::Connected { .. } | Seen::Received { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// Mines on the common history with a clock that is hours ahead.
#[derive(Default)]
pub(crate) struct FutureMiner;

impl Behaviour for FutureMiner {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => hands.dial_somebody(),
            Seen::Joined { connection } => {
                let parent = hands.forge.honest_best();
                let wall = UnixTime(hands.wall.0 + 7_200);
                let share = hands.forge.share(parent, wall, false);
                hands.send(connection, Message::Shares(vec![raw(&share)]));
            }
            Seen::Connected { .. } | Seen::Received { .. } | Seen::Left { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(4)
    }
}

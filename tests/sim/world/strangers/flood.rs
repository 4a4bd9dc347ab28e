//! Questions without end, answers that nobody reads, and addresses that lead nowhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use p2pool_wire::Message;
use p2pool_wire::message::{AddrRecord, NetAddr, ShareReq};

use super::{Behaviour, Hands, Seen};
use crate::world::connection::ConnectionId;

/// Questions asked in one go.
const QUESTIONS: usize = 20;
/// Addresses told in one go.
const ADDRESSES: usize = 500;

/// A question for as many shares as an answer may hold.
fn greedy_question(hands: &mut Hands<'_>) -> Message {
    let best = hands.forge.honest_best();
    let mut id = [0; 32];
    hands.rng.fill(&mut id);
    Message::ShareReq(ShareReq {
        id,
        hashes: best.into_iter().collect(),
        parents: 10_000,
        stops: Vec::new(),
    })
}

/// Asks for everything all the time, and reads the answers.
#[derive(Default)]
pub(crate) struct Asker {
    connections: Vec<ConnectionId>,
}

impl Behaviour for Asker {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => {
                hands.dial_somebody();
                for connection in &self.connections {
                    for _ in 0..QUESTIONS {
                        let question = greedy_question(hands);
                        hands.send(*connection, question);
                        hands.send(*connection, Message::GetAddrs { count: 1_000 });
                    }
                }
            }
            Seen::Joined { connection } => self.connections.push(connection),
            Seen::Left { connection } => self.connections.retain(|other| *other != connection),
            Seen::Connected { .. } | Seen::Received { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// Asks for everything and reads nothing.
#[derive(Default)]
pub(crate) struct SlowReader;

impl Behaviour for SlowReader {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => hands.dial_somebody(),
            Seen::Joined { connection } => {
                for _ in 0..QUESTIONS * 10 {
                    let question = greedy_question(hands);
                    hands.send(connection, question);
                }
                hands.stop_reading(connection);
            }
            Seen::Connected { .. } | Seen::Received { .. } | Seen::Left { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Tells addresses at which there is nobody, from all over the network.
#[derive(Default)]
pub(crate) struct Poisoner {
    connections: Vec<ConnectionId>,
}

impl Behaviour for Poisoner {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => {
                hands.dial_somebody();
                for connection in &self.connections {
                    let records = (0..ADDRESSES).map(|_| invented(hands)).collect();
                    hands.send(*connection, Message::Addrs(records));
                }
            }
            Seen::Joined { connection } => self.connections.push(connection),
            Seen::Left { connection } => self.connections.retain(|other| *other != connection),
            Seen::Connected { .. } | Seen::Received { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(3)
    }
}

fn invented(hands: &mut Hands<'_>) -> AddrRecord {
    let [a, b, c, d] = hands.rng.u32(..).to_be_bytes();
    let address = SocketAddr::new(Ipv4Addr::new(100 + a % 90, b, c, d).into(), 9_333);
    let timestamp = hands.wall.0 + hands.rng.u64(..100_000);
    AddrRecord { timestamp, address: NetAddr::from(address) }
}

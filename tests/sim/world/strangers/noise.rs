//! Nonsense, and sense without end.

use std::time::Duration;

use p2pool_wire::Message;

use super::{Behaviour, Hands, Seen};
use crate::world::connection::ConnectionId;

/// Writes random bytes, now and then behind a true prefix.
pub(crate) struct Babbler {
    pub(crate) prefix: [u8; 8],
}

impl Behaviour for Babbler {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => hands.dial_somebody(),
            Seen::Connected { connection } | Seen::Joined { connection } => {
                let mut bytes = vec![0; hands.rng.usize(1..20_000)];
                hands.rng.fill(&mut bytes);
                if hands.rng.bool() {
                    let start = bytes.len().min(8);
                    bytes[..start].copy_from_slice(&self.prefix[..start]);
                }
                hands.write(connection, bytes);
            }
            Seen::Received { .. } | Seen::Left { .. } => {}
        }
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(2)
    }
}

/// Sends true messages of one kind as fast as they are taken.
pub(crate) struct Repeater {
    pub(crate) message: Message,
    pub(crate) connections: Vec<ConnectionId>,
}

/// Messages that a repeater sends in one go.
const REPEATS: usize = 100;
/// Connections that a repeater keeps.
const CONNECTIONS: usize = 3;

impl Behaviour for Repeater {
    fn see(&mut self, seen: Seen, hands: &mut Hands<'_>) {
        match seen {
            Seen::Tick => {
                if self.connections.len() < CONNECTIONS {
                    hands.dial_somebody();
                }
                for connection in &self.connections {
                    for _ in 0..REPEATS {
                        hands.send(*connection, self.message.clone());
                    }
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

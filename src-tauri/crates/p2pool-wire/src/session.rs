//! One connection's life: greeting, keep-alive, limits, end.
//!
//! Source: protocol notes, wire.md sections 1, 3 and 8.

mod error;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::time::MonoTime;

use crate::frame::{Decoder, PAYLOAD_BYTES_MAX};
use crate::message::{Message, NetAddr, RawShare, ReplyResult, ShareReply, Version};
use crate::pace::Pace;
use crate::services::Services;

pub use self::error::SessionError;

/// The protocol version that this program speaks.
pub const PROTOCOL_VERSION: u32 = 3502;
/// The oldest protocol version worth talking to: it must understand type-35 shares.
pub const PROTOCOL_VERSION_MIN: u32 = 3500;

/// The greeting must be there this long after connecting.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection without a single byte for this long has ended.
const SILENCE_MAX: Duration = Duration::from_secs(100);
/// Pings are between this and twice this apart, so that no silence comes near the limit.
const PING_EVERY_MIN: Duration = Duration::from_secs(30);
/// Before the greeting there is no reason for long messages.
const GREETING_BYTES_MAX: usize = 16 << 10;
/// What is kept of a peer's description of itself.
const SUB_VERSION_BYTES_MAX: usize = 512;

/// What a session is made with.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The network's prefix.
    pub prefix: [u8; 8],
    /// Oldest protocol version accepted, normally [`PROTOCOL_VERSION_MIN`].
    pub version_min: u32,
    /// Random number of this process: how it recognises a connection to itself.
    pub nonce: u64,
    /// What this program understands beyond the reference's protocol.
    pub services: Services,
    /// Name and version of this program.
    pub sub_version: String,
    /// Best share at this moment.
    pub best_share: Option<ShareHash>,
    /// Own end of the connection.
    pub own_addr: SocketAddr,
    /// The other end.
    pub peer_addr: SocketAddr,
    /// Where the irregularity of pings comes from.
    pub seed: u64,
}

/// Something that happens to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes have arrived. To be given only while [`Session::wants_bytes`], and at most some
    /// tens of kilobytes at a time: what cannot be looked at yet is kept.
    Bytes {
        /// The bytes.
        bytes: &'a [u8],
        /// Nonces of the peers that are connected already.
        connected: &'a BTreeSet<u64>,
    },
    /// A message is to be sent. Nothing comes of one that the peer does not understand
    /// ([`Message::needs`]).
    Send(Message),
    /// The time of [`Session::wakes_at`] has come.
    Wake,
}

/// Something that a session wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write these bytes, whole and in order.
    Write(Vec<u8>),
    /// The handshake is done: from here on messages are received.
    Joined(Peer),
    /// A message that is of interest to others.
    Received(Message),
    /// The session is over: the last output.
    Closed(SessionError),
}

/// Who is at the other end, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its protocol version.
    pub version: u32,
    /// What it understands beyond the reference's protocol.
    pub services: Services,
    /// Random number of its process.
    pub nonce: u64,
    /// Name and version of its program, at most 512 bytes of it.
    pub sub_version: String,
    /// Its best share.
    pub best_share: Option<ShareHash>,
}

/// One connection to another node.
///
/// ```text
/// session.handle(now, input);
/// while let Some(output) = session.poll() { carry_out(output); }
/// // then wait for bytes (only while `wants_bytes`), messages to send, or `wakes_at`
/// ```
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    decoder: Decoder,
    pace: Pace,
    phase: Phase,
    /// Bytes that arrived and wait for credit.
    unread: Vec<u8>,
    outputs: VecDeque<Output>,
    /// What the peer understands, once it has said so.
    peer_services: Services,
    jitter: u64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Waiting for the greeting.
    Greeting { deadline: MonoTime },
    /// Talking.
    Joined { heard_at: MonoTime, ping_at: MonoTime },
    /// Over.
    Closed,
}

impl Session {
    /// A connection was made, by either side. The own greeting is ready to be written.
    pub fn new(config: SessionConfig, now: MonoTime) -> Self {
        let mut decoder = Decoder::new(config.prefix);
        decoder.set_payload_max(GREETING_BYTES_MAX);
        let mut session = Self {
            decoder,
            pace: Pace::new(now),
            phase: Phase::Greeting { deadline: now + HANDSHAKE_TIMEOUT },
            unread: Vec::new(),
            outputs: VecDeque::new(),
            peer_services: Services::NONE,
            jitter: config.seed,
            config,
        };
        let greeting = session.greeting();
        session.send(greeting);
        session
    }

    /// Takes in one fact. Afterwards [`Session::poll`] must be called until it returns `None`.
    pub fn handle(&mut self, now: MonoTime, input: Input<'_>) {
        if let Phase::Closed = self.phase {
            return;
        }
        // Time in which nothing was read is no silence.
        let was_deaf = self.pace.resumes_at().is_some();
        self.pace.refill(now);
        if let Phase::Joined { heard_at, .. } = &mut self.phase
            && (was_deaf || matches!(input, Input::Bytes { .. }))
        {
            *heard_at = now;
        }
        match input {
            Input::Bytes { bytes, connected } => {
                self.unread.extend_from_slice(bytes);
                self.read(now, connected);
            }
            Input::Send(message) => self.send(message),
            // Who uses up his credit before the greeting is not read again.
            Input::Wake if self.is_joined() => self.read(now, &BTreeSet::new()),
            Input::Wake => {}
        }
        self.check_timers(now);
    }

    /// The next thing to be done; `None` when there is nothing left to do for now.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether bytes should be read from the connection now. While not, they wait there, and the
    /// peer with them.
    pub fn wants_bytes(&self) -> bool {
        self.unread.is_empty() && !self.is_closed() && self.pace.resumes_at().is_none()
    }

    /// When [`Input::Wake`] is due; `None` once the session is over.
    pub fn wakes_at(&self) -> Option<MonoTime> {
        let due = match self.phase {
            Phase::Greeting { deadline } => deadline,
            Phase::Joined { heard_at, ping_at } => ping_at.min(heard_at + SILENCE_MAX),
            Phase::Closed => return None,
        };
        Some(self.pace.resumes_at().map_or(due, |resumes| due.min(resumes)))
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Joined { .. })
    }

    fn check_timers(&mut self, now: MonoTime) {
        match self.phase {
            Phase::Greeting { deadline } if now >= deadline => {
                self.close(SessionError::HandshakeTimeout);
            }
            Phase::Joined { heard_at, .. } if now.since(heard_at) >= SILENCE_MAX => {
                self.close(SessionError::Silent);
            }
            Phase::Joined { heard_at, ping_at } if now >= ping_at => {
                self.send(Message::Ping);
                let ping_at = now + self.ping_pause();
                if !self.is_closed() {
                    self.phase = Phase::Joined { heard_at, ping_at };
                }
            }
            Phase::Greeting { .. } | Phase::Joined { .. } | Phase::Closed => {}
        }
    }

    /// Looks at what has arrived, as far as there is credit.
    fn read(&mut self, now: MonoTime, connected: &BTreeSet<u64>) {
        let unread = core::mem::take(&mut self.unread);
        let mut rest = &unread[..];
        while !rest.is_empty() && !self.is_closed() && self.pace.resumes_at().is_none() {
            let before = rest.len();
            let decoded = self.decoder.decode(&mut rest);
            self.pace.charge_bytes(before.saturating_sub(rest.len()));
            let result = match decoded {
                Ok(Some(frame)) => Message::decode(frame)
                    .map_err(SessionError::from)
                    .and_then(|message| self.receive(now, message, connected)),
                Ok(None) => Ok(()),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = result {
                self.close(error);
            }
        }
        if !self.is_closed() {
            self.unread = rest.to_vec();
        }
    }

    fn receive(
        &mut self,
        now: MonoTime,
        message: Message,
        connected: &BTreeSet<u64>,
    ) -> Result<(), SessionError> {
        self.pace.charge_answer(&message);
        let may_come_first = matches!(message, Message::Version(_) | Message::Unknown(_));
        if !may_come_first && !self.is_joined() {
            return Err(SessionError::NotGreeted(message.command()));
        }
        match message {
            Message::Version(_) if self.is_joined() => Err(SessionError::GreetedTwice),
            Message::Version(version) => self.join(now, &version, connected),
            // Unknown ones are ignored at any time. The others are obsolete: nobody needs
            // transactions for shares of types in force.
            Message::Unknown(_)
            | Message::Ping
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_) => Ok(()),
            message @ (Message::AddrMe { .. }
            | Message::Addrs(_)
            | Message::GetAddrs { .. }
            | Message::Shares(_)
            | Message::ShareReq(_)
            | Message::ShareReply(_)
            | Message::BestBlock(_)
            | Message::ShareHashes(_)
            | Message::CompactBlock(_)
            | Message::GetBlockTxn(_)
            | Message::BlockTxn(_)) => {
                self.outputs.push_back(Output::Received(message));
                Ok(())
            }
        }
    }

    fn join(
        &mut self,
        now: MonoTime,
        version: &Version,
        connected: &BTreeSet<u64>,
    ) -> Result<(), SessionError> {
        if version.version < self.config.version_min {
            let wanted = self.config.version_min;
            return Err(SessionError::TooOld { found: version.version, wanted });
        }
        if version.nonce == self.config.nonce {
            return Err(SessionError::ConnectedToSelf);
        }
        if connected.contains(&version.nonce) {
            return Err(SessionError::ConnectedTwice(version.nonce));
        }
        let kept = version.sub_version.get(..SUB_VERSION_BYTES_MAX);
        let sub_version = kept.unwrap_or(&version.sub_version);
        self.peer_services = version.services;
        self.outputs.push_back(Output::Joined(Peer {
            version: version.version,
            services: version.services,
            nonce: version.nonce,
            sub_version: String::from_utf8_lossy(sub_version).into_owned(),
            best_share: version.best_share_hash,
        }));
        self.decoder.set_payload_max(PAYLOAD_BYTES_MAX);
        // The first ping is due at once.
        self.phase = Phase::Joined { heard_at: now, ping_at: now };
        Ok(())
    }

    fn greeting(&self) -> Message {
        Message::Version(Version {
            version: PROTOCOL_VERSION,
            services: self.config.services,
            addr_to: NetAddr::from(self.config.peer_addr),
            addr_from: NetAddr::from(self.config.own_addr),
            nonce: self.config.nonce,
            sub_version: self.config.sub_version.as_bytes().to_vec(),
            mode: 1,
            best_share_hash: self.config.best_share,
        })
    }

    /// Queues a message for writing; what no frame can hold is cut or answered accordingly, what
    /// the peer did not say that it understands is left out.
    fn send(&mut self, message: Message) {
        if !self.peer_services.contains(message.needs()) {
            return;
        }
        match (message.encode(self.config.prefix), message) {
            (Ok(bytes), _) => self.outputs.push_back(Output::Write(bytes)),
            (Err(_), Message::Shares(shares)) if shares.len() > 1 => self.send_halves(shares),
            // One share alone cannot be told: whoever wants it cannot be helped.
            (Err(_), Message::Shares(_)) => {}
            (Err(_), Message::ShareReply(reply)) => self.send(Message::ShareReply(ShareReply {
                id: reply.id,
                result: ReplyResult::TooLong,
                shares: Vec::new(),
            })),
            (Err(error), _) => self.close(error.into()),
        }
    }

    fn send_halves(&mut self, mut first: Vec<RawShare>) {
        let second = first.split_off(first.len() / 2);
        self.send(Message::Shares(first));
        self.send(Message::Shares(second));
    }

    fn close(&mut self, error: SessionError) {
        self.phase = Phase::Closed;
        self.unread = Vec::new();
        self.outputs.push_back(Output::Closed(error));
    }

    /// Time to the next ping: between one and two of the least pause.
    fn ping_pause(&mut self) -> Duration {
        // SplitMix64: the pings of many nodes need to be spread, not to be unpredictable.
        self.jitter = self.jitter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.jitter;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let least = u64::try_from(PING_EVERY_MIN.as_millis()).unwrap_or(u64::MAX);
        PING_EVERY_MIN + Duration::from_millis(mixed % least)
    }
}

#[cfg(test)]
mod tests;

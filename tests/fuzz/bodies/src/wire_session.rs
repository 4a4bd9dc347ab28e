//! The protocol between nodes: two sessions talk over a line that delays and cuts, in virtual time.

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use p2pool_sharechain::Params;
use p2pool_sharechain::time::MonoTime;
use p2pool_wire::frame::Decoder;
use p2pool_wire::session::PROTOCOL_VERSION_MIN;
use p2pool_wire::{Input, Message, Output, Services, Session, SessionConfig};

use crate::choices::Choices;
use crate::wire_choices::{message, services};

/// Bytes given to a session at once, as a socket's buffer would.
const PIECE_BYTES_MAX: usize = 32 << 10;
/// Events of one conversation.
const EVENTS_MAX: usize = 400;
/// No line of an honest peer holds back what was sent for longer: less than what is allowed for
/// the handshake, and with a ping a minute less than what is allowed for silence.
const DELAY_MAX: Duration = Duration::from_secs(8);
/// Messages that one event sends at once.
const REPEATED_MAX: usize = 200;
/// All that one end may put on the line in one conversation.
const LINE_BYTES_MAX: usize = 24 << 20;
/// Steps in which everything must have arrived in the end.
const FLUSH_STEPS_MAX: usize = 100_000;

/// Reads its bytes as a conversation of two honest nodes.
///
/// # Panics
/// Where one of them is cut off, a message is lost, changed or told out of order, or one is told
/// what it has not said that it understands.
pub fn wire_session(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut talk = Conversation::new(&mut choices);
    for _ in 0..EVENTS_MAX {
        if choices.is_empty() {
            break;
        }
        let side = choices.below(2);
        match choices.below(4) {
            0 => talk.say(side, &mut choices),
            1 => {
                let bytes = choices.below(PIECE_BYTES_MAX);
                talk.deliver(side, bytes);
            }
            2 => talk.deliver(side, PIECE_BYTES_MAX),
            _ => {
                let millis = u64::from(choices.u16());
                talk.pass(Duration::from_millis(millis));
            }
        }
    }
    talk.finish();
}

struct Conversation {
    now: MonoTime,
    ends: [End; 2],
}

/// One of the two, with the line to it.
struct End {
    prefix: [u8; 8],
    session: Session,
    services: Services,
    /// What is on its way to this end.
    line: VecDeque<u8>,
    /// How many bytes of the line were sent when.
    sent: VecDeque<(MonoTime, usize)>,
    /// What was sent and must arrive, in order.
    expected: VecDeque<Message>,
    has_joined: bool,
    /// Bytes put on the line to the other end.
    written_bytes: usize,
}

impl Conversation {
    fn new(choices: &mut Choices<'_>) -> Self {
        let now = MonoTime(Duration::from_secs(500));
        let prefix = Params::mainnet().prefix;
        let mut end = |nonce: u64| {
            let services = services(choices);
            let config = SessionConfig {
                prefix,
                version_min: PROTOCOL_VERSION_MIN,
                nonce,
                services,
                sub_version: "fuzz".into(),
                best_share: None,
                own_addr: ([1, 2, 3, 4], 9333).into(),
                peer_addr: ([5, 6, 7, 8], 9333).into(),
                seed: choices.u64(),
            };
            End {
                prefix,
                session: Session::new(config, now),
                services,
                line: VecDeque::new(),
                sent: VecDeque::new(),
                expected: VecDeque::new(),
                has_joined: false,
                written_bytes: 0,
            }
        };
        let ends = [end(1), end(2)];
        let mut talk = Self { now, ends };
        (0..2).for_each(|side| talk.see(side));
        talk
    }

    /// One end sends a message, perhaps many times.
    fn say(&mut self, side: usize, choices: &mut Choices<'_>) {
        let message = message(choices);
        let times = if choices.u8() & 0x0f == 0 { choices.below(REPEATED_MAX) } else { 1 };
        for _ in 0..times {
            let now = self.now;
            let [end, other] = self.both(side);
            // The driver sends only where the handshake is done.
            if !end.has_joined || end.written_bytes > LINE_BYTES_MAX {
                return;
            }
            if other.services.contains(message.needs()) && is_passed_on(&message) {
                other.expected.push_back(message.clone());
            }
            end.session.handle(now, Input::Send(message.clone()));
            self.see(side);
        }
    }

    /// Some bytes arrive, if they are wanted.
    fn deliver(&mut self, side: usize, bytes: usize) {
        let now = self.now;
        let end = &mut self.ends[side];
        let count = bytes.min(end.line.len());
        if count == 0 || !end.session.wants_bytes() {
            return;
        }
        let piece = end.take(count);
        let input = Input::Bytes { bytes: &piece, connected: &BTreeSet::from([77]) };
        end.session.handle(now, input);
        self.see(side);
    }

    /// Time passes; sessions wake when they are due, and no byte is held back for too long.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let mut next = end;
            for side in &self.ends {
                next = next.min(side.session.wakes_at().expect("honest peers are not cut off"));
                if side.session.wants_bytes() {
                    next = side.sent.front().map_or(next, |(at, _)| next.min(*at + DELAY_MAX));
                }
            }
            self.now = self.now.max(next);
            for side in 0..2 {
                let now = self.now;
                let end = &mut self.ends[side];
                if end.session.wakes_at().is_some_and(|due| due <= now) {
                    end.session.handle(now, Input::Wake);
                    self.see(side);
                }
                while self.ends[side].is_overdue(now) {
                    self.deliver(side, PIECE_BYTES_MAX);
                }
            }
        }
    }

    /// Everything arrives in the end.
    fn finish(&mut self) {
        for _ in 0..FLUSH_STEPS_MAX {
            if self.ends.iter().all(|end| end.line.is_empty() && end.session.wants_bytes()) {
                break;
            }
            for side in 0..2 {
                while !self.ends[side].line.is_empty() && self.ends[side].session.wants_bytes() {
                    self.deliver(side, PIECE_BYTES_MAX);
                }
            }
            let due = self.ends.iter().filter_map(|end| end.session.wakes_at()).min();
            let due = due.expect("honest peers are not cut off");
            if !self.ends.iter().all(|end| end.session.wants_bytes()) {
                self.pass(due.since(self.now).max(Duration::from_millis(1)));
            }
        }
        for end in &self.ends {
            assert!(end.has_joined && end.line.is_empty());
            assert!(end.expected.is_empty(), "lost: {:?}", end.expected.front());
        }
    }

    /// Carries out what one end wants.
    fn see(&mut self, side: usize) {
        let now = self.now;
        let [end, other] = self.both(side);
        while let Some(output) = end.session.poll() {
            match output {
                Output::Write(bytes) => {
                    end.check_written(&bytes, other.services);
                    end.written_bytes += bytes.len();
                    other.sent.push_back((now, bytes.len()));
                    other.line.extend(bytes);
                }
                Output::Joined(peer) => {
                    assert!(!end.has_joined, "joined once");
                    assert_eq!(peer.services, other.services);
                    end.has_joined = true;
                }
                Output::Received(message) => {
                    assert_eq!(Some(&message), end.expected.front(), "in order, unchanged");
                    end.expected.pop_front();
                }
                Output::Closed(error) => panic!("an honest peer is cut off: {error}"),
            }
        }
    }

    fn both(&mut self, side: usize) -> [&mut End; 2] {
        let [first, second] = &mut self.ends;
        if side == 0 { [first, second] } else { [second, first] }
    }
}

impl End {
    /// Whether bytes have waited for this end long enough.
    fn is_overdue(&self, now: MonoTime) -> bool {
        let is_due = self.sent.front().is_some_and(|(at, _)| now >= *at + DELAY_MAX);
        is_due && self.session.wants_bytes()
    }

    /// Takes bytes off the line.
    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut rest = count;
        while let Some((_, bytes)) = self.sent.front_mut()
            && rest > 0
        {
            let taken = rest.min(*bytes);
            *bytes -= taken;
            rest -= taken;
            if *bytes == 0 {
                self.sent.pop_front();
            }
        }
        self.line.drain(..count).collect()
    }

    /// What is written is one whole frame that the other understands.
    fn check_written(&self, bytes: &[u8], understood: Services) {
        let mut rest = bytes;
        let frame = Decoder::new(self.prefix).decode(&mut rest).expect("own frames are whole");
        assert!(rest.is_empty(), "nothing follows a frame");
        let message = Message::decode(frame.expect("and complete")).expect("and read again");
        assert!(understood.contains(message.needs()), "{} was not asked for", message.command());
        assert!(self.has_joined || matches!(message, Message::Version(_)), "greetings come first");
    }
}

/// Whether a session tells others of this message.
fn is_passed_on(message: &Message) -> bool {
    match message {
        Message::AddrMe { .. }
        | Message::Addrs(_)
        | Message::GetAddrs { .. }
        | Message::Shares(_)
        | Message::ShareReq(_)
        | Message::ShareReply(_)
        | Message::BestBlock(_)
        | Message::ShareHashes(_)
        | Message::CompactBlock(_)
        | Message::GetBlockTxn(_)
        | Message::BlockTxn(_) => true,
        Message::Version(_)
        | Message::Ping
        | Message::HaveTx(_)
        | Message::LosingTx(_)
        | Message::RememberTx { .. }
        | Message::ForgetTx(_)
        | Message::Unknown(_) => false,
    }
}

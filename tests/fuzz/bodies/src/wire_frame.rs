//! The protocol between nodes: streams of bytes, cut anywhere, up to a connection's session.

use core::time::Duration;
use std::collections::BTreeSet;

use p2pool_sharechain::Params;
use p2pool_sharechain::time::MonoTime;
use p2pool_wire::frame::{self, Command, Decoder, Frame, FrameError};
use p2pool_wire::message::{Message, NetAddr, Version};
use p2pool_wire::session::{PROTOCOL_VERSION, PROTOCOL_VERSION_MIN};
use p2pool_wire::{Input, Output, Services, Session, SessionConfig};

use crate::choices::Choices;

const COMMANDS: [&str; 20] = [
    "version",
    "ping",
    "addrme",
    "addrs",
    "getaddrs",
    "shares",
    "sharereq",
    "sharereply",
    "bestblock",
    "have_tx",
    "losing_tx",
    "remember_tx",
    "forget_tx",
    "bogus",
    "",
    "123456789012",
    "sharehashes",
    "cmpctblock",
    "getblocktxn",
    "blocktxn",
];
/// Bytes given to a session at once.
const PIECE_BYTES_MAX: usize = 16 << 10;
/// Steps of one run of a session.
const STEPS_MAX: usize = 10_000;

/// Reads a stream: as it is, or as the contents of frames whose checksums are put right.
///
/// # Panics
/// Where frames depend on how the stream is cut, a message changes by being written and read
/// again, or a session breaks its promises.
pub fn wire_frame(data: &[u8]) {
    let prefix = Params::mainnet().prefix;
    let mut choices = Choices::new(data);
    let how = choices.u8();
    let cut_bytes = usize::from(choices.u8());
    let payload_max = choices.pick(&[frame::PAYLOAD_BYTES_MAX, 16 << 10, 40]);
    let stream = match how & 1 {
        0 => choices.rest().to_vec(),
        _ => framed(&mut choices, prefix),
    };
    let whole = decode_all(&[&stream], prefix, payload_max);
    for bytes in [1, cut_bytes.max(2)] {
        let pieces: Vec<&[u8]> = stream.chunks(bytes).collect();
        assert_eq!(decode_all(&pieces, prefix, payload_max), whole, "cut into {bytes} bytes");
    }
    for frame in whole.into_iter().flatten() {
        check_message(frame, prefix);
    }
    hold_session(&stream, cut_bytes, how & 2 == 2, prefix);
}

/// Frames with contents from the choices: command, length, payload; now and then a wrong checksum.
fn framed(choices: &mut Choices<'_>, prefix: [u8; 8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while !choices.is_empty() {
        let kind = choices.u8();
        let command = Command::new(COMMANDS[usize::from(kind) % COMMANDS.len()]);
        let length =
            usize::from(if kind & 0x80 == 0 { choices.u8().into() } else { choices.u16() });
        let payload = choices.slice(length);
        let frame = frame::encode(prefix, command, |out| out.extend_from_slice(payload));
        let mut frame = frame.expect("the payload is short");
        if kind & 0x70 == 0x70 {
            frame[24] ^= 1;
        }
        stream.extend_from_slice(&frame);
    }
    stream
}

/// All frames of a stream up to its first fault, which comes last.
fn decode_all(
    pieces: &[&[u8]],
    prefix: [u8; 8],
    payload_max: usize,
) -> Vec<Result<Frame, FrameError>> {
    let mut decoder = Decoder::new(prefix);
    decoder.set_payload_max(payload_max);
    let mut found = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            let before = input.len();
            match decoder.decode(&mut input) {
                Ok(Some(frame)) => {
                    assert!(frame.payload.len() <= payload_max);
                    found.push(Ok(frame));
                }
                Ok(None) => {
                    assert!(input.is_empty(), "it stops only where the bytes do");
                    break;
                }
                Err(error) => {
                    assert!(input.len() < before, "a fault lies in what was read");
                    assert!(!error.to_string().is_empty());
                    found.push(Err(error));
                    return found;
                }
            }
        }
    }
    found
}

/// Checks that a message survives being written and read again.
pub(crate) fn check_message(frame: Frame, prefix: [u8; 8]) {
    let (command, bytes) = (frame.command, frame.payload.len());
    let message = match Message::decode(frame) {
        Ok(message) => message,
        Err(error) => {
            assert_eq!(error.command, command);
            return;
        }
    };
    assert_eq!(message.command(), command);
    assert!(elements(&message) <= bytes, "{command}: more elements than bytes");
    let written = message.encode(prefix).expect("what came in a frame fits into one");
    let mut decoder = Decoder::new(prefix);
    let again = decoder.decode(&mut &written[..]).expect("own frames are whole");
    let again = Message::decode(again.expect("own frames are complete"));
    assert_eq!(again.as_ref(), Ok(&message));
}

/// Elements in the lists of a message.
fn elements(message: &Message) -> usize {
    match message {
        Message::Addrs(records) => records.len(),
        Message::Shares(shares) => shares.len(),
        Message::ShareReq(request) => request.hashes.len() + request.stops.len(),
        Message::ShareReply(reply) => reply.shares.len(),
        Message::HaveTx(hashes) | Message::LosingTx(hashes) | Message::ForgetTx(hashes) => {
            hashes.len()
        }
        Message::RememberTx { tx_hashes, txs } => tx_hashes.len() + txs.len(),
        Message::ShareHashes(hashes) => hashes.len(),
        Message::CompactBlock(block) => block.short_ids.len() + block.prefilled_txs.len(),
        Message::GetBlockTxn(request) => request.indexes.len(),
        Message::BlockTxn(answer) => answer.transactions.len(),
        Message::Version(_)
        | Message::Ping
        | Message::AddrMe { .. }
        | Message::GetAddrs { .. }
        | Message::BestBlock(_)
        | Message::Unknown(_) => 0,
    }
}

/// Gives the stream to a session, greeted before or not, while time passes.
fn hold_session(stream: &[u8], cut_bytes: usize, is_greeted: bool, prefix: [u8; 8]) {
    let mut now = MonoTime(Duration::from_secs(1_000));
    let mut session = Session::new(config(prefix), now);
    let mut watcher = Watcher { prefix, has_joined: false, has_closed: false };
    watcher.see(&mut session);
    let mut bytes = if is_greeted { greeting(prefix) } else { Vec::new() };
    bytes.extend_from_slice(stream);
    let connected = BTreeSet::from([99]);
    let mut pieces = bytes.chunks((cut_bytes << 6).clamp(1, PIECE_BYTES_MAX));
    for _ in 0..STEPS_MAX {
        let Some(wakes_at) = session.wakes_at() else { break };
        if session.wants_bytes() {
            let Some(piece) = pieces.next() else { break };
            let step = Duration::from_millis(u64::from(piece[0]));
            now = now + step;
            session.handle(now, Input::Bytes { bytes: piece, connected: &connected });
        } else {
            now = now.max(wakes_at);
            session.handle(now, Input::Wake);
        }
        watcher.see(&mut session);
    }
    assert_eq!(watcher.has_closed, session.is_closed());
    assert_eq!(session.wakes_at().is_none(), session.is_closed());
    sit_out(&mut session, now, &mut watcher);
}

/// Left alone, a session pings and then ends.
fn sit_out(session: &mut Session, mut now: MonoTime, watcher: &mut Watcher) {
    let end = now + Duration::from_secs(7_200);
    while let Some(wakes_at) = session.wakes_at() {
        assert!(now < end, "a silent peer is kept for two hours");
        now = now.max(wakes_at);
        session.handle(now, Input::Wake);
        watcher.see(session);
    }
}

/// What must hold for all that a session puts out.
struct Watcher {
    prefix: [u8; 8],
    has_joined: bool,
    has_closed: bool,
}

impl Watcher {
    fn see(&mut self, session: &mut Session) {
        while let Some(output) = session.poll() {
            assert!(!self.has_closed, "nothing follows the end: {output:?}");
            match output {
                Output::Write(bytes) => {
                    let mut input = &bytes[..];
                    let frame = Decoder::new(self.prefix).decode(&mut input);
                    let frame = frame.expect("own frames are whole").expect("and complete");
                    assert!(input.is_empty() && Message::decode(frame).is_ok());
                }
                Output::Joined(peer) => {
                    assert!(!self.has_joined && peer.version >= PROTOCOL_VERSION_MIN);
                    self.has_joined = true;
                }
                Output::Received(message) => {
                    assert!(self.has_joined, "{} before the greeting", message.command());
                }
                Output::Closed(error) => {
                    assert!(!error.to_string().is_empty());
                    self.has_closed = true;
                }
            }
        }
    }
}

fn config(prefix: [u8; 8]) -> SessionConfig {
    SessionConfig {
        prefix,
        version_min: PROTOCOL_VERSION_MIN,
        nonce: 1,
        services: Services::COMPACT_BLOCKS | Services::SHARE_HASHES,
        sub_version: "fuzz".into(),
        best_share: None,
        own_addr: ([127, 0, 0, 1], 1).into(),
        peer_addr: ([127, 0, 0, 1], 2).into(),
        seed: 5,
    }
}

fn greeting(prefix: [u8; 8]) -> Vec<u8> {
    let addr = NetAddr::from(core::net::SocketAddr::from(([127, 0, 0, 1], 3)));
    let version = Version {
        version: PROTOCOL_VERSION,
        services: Services::COMPACT_BLOCKS | Services::SHARE_HASHES,
        addr_to: addr,
        addr_from: addr,
        nonce: 2,
        sub_version: b"peer".to_vec(),
        mode: 1,
        best_share_hash: None,
    };
    Message::Version(version).encode(prefix).expect("a greeting is short")
}

//! The envelope of a message: prefix, command, length, checksum, payload.
//!
//! Source: protocol notes, wire.md section 1.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::fmt;

use p2pool_sharechain::hash::sha256d;
use p2pool_sharechain::verify::Blame;

/// Longest payload that travels.
pub const PAYLOAD_BYTES_MAX: usize = 32_000_000;

/// Bytes in front of a payload.
const HEADER_BYTES: usize = 28;
/// Memory set aside for a payload before its bytes arrive, whatever length is claimed.
const FIRST_PAYLOAD_BYTES: usize = 64 << 10;

/// Names a message: up to twelve bytes, padded with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Command([u8; 12]);

impl Command {
    /// The command with this name.
    ///
    /// # Panics
    /// If the name has more than twelve bytes.
    pub const fn new(name: &str) -> Self {
        let mut bytes = [0; 12];
        let (filled, _) = bytes.split_at_mut(name.len());
        filled.copy_from_slice(name.as_bytes());
        Self(bytes)
    }

    /// As on the wire.
    pub const fn to_bytes(self) -> [u8; 12] {
        self.0
    }

    /// From the wire; any bytes will do.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end =
            self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
        fmt::Display::fmt(&self.0.get(..end).unwrap_or_default().escape_ascii(), f)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A message whose checksum is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which message.
    pub command: Command,
    /// Its contents.
    pub payload: Vec<u8>,
}

/// Why a byte stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The checksum does not belong to the payload.
    #[error("message {0} has a wrong checksum")]
    Checksum(Command),
    /// A payload longer than is allowed at this moment.
    #[error("message {command} of {bytes} bytes is longer than is allowed now")]
    TooLong {
        /// Which message.
        command: Command,
        /// Claimed length of its payload.
        bytes: usize,
    },
}

impl FrameError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Checksum(_) => Blame::Sender,
            Self::TooLong { .. } => Blame::Nobody,
        }
    }
}

/// Finds frames in a stream of bytes, however it is cut into pieces.
///
/// Bytes between messages are skipped. So is a header that claims more than
/// [`PAYLOAD_BYTES_MAX`]; the search goes on behind its length, like in the reference.
/// Holds at most one frame.
#[derive(Clone, Debug)]
pub struct Decoder {
    prefix: [u8; 8],
    payload_max: usize,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Looking for the prefix: the newest eight bytes, the oldest in front, and how many were
    /// seen at all.
    Prefix { newest: u64, seen: u64 },
    /// Reading command and length.
    Length { read: Filling<16> },
    /// Reading the checksum.
    Checksum { command: Command, bytes: usize, read: Filling<4> },
    /// Reading the payload.
    Payload { command: Command, bytes: usize, checksum: [u8; 4], read: Vec<u8> },
}

/// An array being filled from the front.
#[derive(Clone, Debug)]
struct Filling<const N: usize> {
    bytes: [u8; N],
    filled: usize,
}

impl<const N: usize> Filling<N> {
    const EMPTY: Self = Self { bytes: [0; N], filled: 0 };

    /// Takes what is missing from the front of `input`; the array, once it is full.
    fn take(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        let missing = self.bytes.get_mut(self.filled..).unwrap_or_default();
        let (taken, rest) = input.split_at(missing.len().min(input.len()));
        for (to, from) in missing.iter_mut().zip(taken) {
            *to = *from;
        }
        self.filled = self.filled.saturating_add(taken.len());
        *input = rest;
        (self.filled == N).then_some(self.bytes)
    }
}

impl State {
    const START: Self = Self::Prefix { newest: 0, seen: 0 };
}

impl Decoder {
    /// Reads messages of the network with this prefix.
    pub fn new(prefix: [u8; 8]) -> Self {
        Self { prefix, payload_max: PAYLOAD_BYTES_MAX, state: State::START }
    }

    /// From the next header on, a longer payload is an error: for times when only small
    /// messages may come.
    pub fn set_payload_max(&mut self, bytes: usize) {
        self.payload_max = bytes;
    }

    /// Takes bytes from the front of `input` until a message is complete or none are left.
    ///
    /// # Errors
    /// Wrong checksums, payloads above the limit set by [`Decoder::set_payload_max`].
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, FrameError> {
        loop {
            match &mut self.state {
                State::Prefix { newest, seen } => {
                    if !find(self.prefix, newest, seen, input) {
                        return Ok(None);
                    }
                    self.state = State::Length { read: Filling::EMPTY };
                }
                State::Length { read } => {
                    let Some(header) = read.take(input) else { return Ok(None) };
                    self.state = self.after_length(header)?;
                }
                State::Checksum { command, bytes, read } => {
                    let Some(checksum) = read.take(input) else { return Ok(None) };
                    let (command, bytes) = (*command, *bytes);
                    self.state = State::Payload { command, bytes, checksum, read: Vec::new() };
                }
                State::Payload { command, bytes, checksum, read } => {
                    if !take_payload(read, *bytes, input) {
                        return Ok(None);
                    }
                    let (command, checksum) = (*command, *checksum);
                    let payload = core::mem::take(read);
                    self.state = State::START;
                    return if checksum_of(&payload) == checksum {
                        Ok(Some(Frame { command, payload }))
                    } else {
                        Err(FrameError::Checksum(command))
                    };
                }
            }
        }
    }

    fn after_length(&self, header: [u8; 16]) -> Result<State, FrameError> {
        let [name @ .., l0, l1, l2, l3] = header;
        let command = Command::from_bytes(name);
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if bytes > PAYLOAD_BYTES_MAX {
            Ok(State::START)
        } else if bytes > self.payload_max {
            Err(FrameError::TooLong { command, bytes })
        } else {
            Ok(State::Checksum { command, bytes, read: Filling::EMPTY })
        }
    }
}

/// Skips bytes up to and including the prefix; says whether it was found.
fn find(prefix: [u8; 8], newest: &mut u64, seen: &mut u64, input: &mut &[u8]) -> bool {
    while let [byte, rest @ ..] = input {
        *newest = *newest << 8 | u64::from(*byte);
        *seen = seen.saturating_add(1);
        *input = rest;
        if *seen >= 8 && *newest == u64::from_be_bytes(prefix) {
            return true;
        }
    }
    false
}

/// Moves bytes from `input` until there are `bytes`; says whether there are. Memory grows with
/// what has arrived, and never beyond what is needed.
fn take_payload(read: &mut Vec<u8>, bytes: usize, input: &mut &[u8]) -> bool {
    let missing = bytes.saturating_sub(read.len());
    let (taken, rest) = input.split_at(missing.min(input.len()));
    let needed = read.len().saturating_add(taken.len());
    if needed > read.capacity() {
        let doubled = read.len().saturating_mul(2).max(FIRST_PAYLOAD_BYTES);
        let capacity = doubled.max(needed).min(bytes);
        read.reserve_exact(capacity.saturating_sub(read.len()));
    }
    read.extend_from_slice(taken);
    *input = rest;
    read.len() == bytes
}

/// First four bytes of the payload's double SHA-256.
fn checksum_of(payload: &[u8]) -> [u8; 4] {
    let [c0, c1, c2, c3, ..] = sha256d(payload);
    [c0, c1, c2, c3]
}

/// A payload that no frame can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message {command} of {bytes} bytes is longer than any frame")]
pub struct PayloadTooLong {
    /// Which message.
    pub command: Command,
    /// Length of its payload.
    pub bytes: usize,
}

/// Puts an envelope around the payload that `write` appends.
///
/// # Errors
/// A payload above [`PAYLOAD_BYTES_MAX`].
pub fn encode(
    prefix: [u8; 8],
    command: Command,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, PayloadTooLong> {
    let mut out = vec![0; HEADER_BYTES];
    write(&mut out);
    let (header, payload) = out.split_at_mut(HEADER_BYTES);
    let bytes = payload.len();
    let length = u32::try_from(bytes)
        .ok()
        .filter(|_| bytes <= PAYLOAD_BYTES_MAX)
        .ok_or(PayloadTooLong { command, bytes })?;
    let fields =
        [&prefix[..], &command.to_bytes(), &length.to_le_bytes(), &checksum_of(payload)].concat();
    header.copy_from_slice(&fields);
    Ok(out)
}

#[cfg(test)]
mod tests;

//! Prefix-hash proofs: a SHA-256 state instead of the bytes that led to it.
//!
//! A share carries the state after its generation transaction's outputs, so that a receiver can
//! compute the transaction id without having the outputs. Source: protocol notes, encoding.md
//! section 12.

use bitcoin::hashes::{Hash, sha256};
use sha2::block_api::compress256;

use crate::hash::Hash32;
use crate::params::DONATION_SCRIPT;
use crate::share::HashLink;

const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Last bytes of every prefix: the donation output's script, then the start of the last output.
pub const CONSTANT_ENDING: [u8; 79] = constant_ending();

const fn constant_ending() -> [u8; 79] {
    let mut out = [0; 79];
    out[0] = 67;
    let (_, after_length) = out.split_at_mut(1);
    let (script, _) = after_length.split_at_mut(DONATION_SCRIPT.len());
    script.copy_from_slice(&DONATION_SCRIPT);
    // Eight zero bytes of value, script length 42, OP_RETURN, push of 40.
    out[76] = 0x2a;
    out[77] = 0x6a;
    out[78] = 0x28;
    out
}

/// A SHA-256 computation that can be stopped, carried elsewhere and resumed.
#[derive(Clone, Debug)]
pub struct HashLinkEngine {
    state: [u32; 8],
    buffer: [u8; 64],
    buffered: usize,
    length: u64,
}

/// What a [`HashLinkEngine`] has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Midstate {
    /// Chaining words after all complete blocks, each big endian.
    pub state: [u8; 32],
    /// Bytes taken in all, complete blocks or not.
    pub length: u64,
}

impl HashLinkEngine {
    /// Starts afresh and takes `prefix`.
    pub fn new(prefix: &[u8]) -> Self {
        let mut engine = Self { state: INITIAL_STATE, buffer: [0; 64], buffered: 0, length: 0 };
        engine.update(prefix);
        engine
    }

    /// Resumes from a link; `None` if the claimed length cannot be counted in bits.
    ///
    /// `extra` followed by `ending` must end with the bytes of the last, incomplete block.
    pub fn resume(link: &HashLink, extra: &[u8], ending: &[u8]) -> Option<Self> {
        // Room for the data that follows, far more than ever does.
        link.length.checked_add(1 << 32)?.checked_mul(8)?;
        let mut state = [0; 8];
        for (word, bytes) in state.iter_mut().zip(link.state.chunks_exact(4)) {
            *word = u32::from_be_bytes(bytes.try_into().expect("chunks of four"));
        }
        let buffered = usize::try_from(link.length % 64).expect("below 64");
        let mut buffer = [0; 64];
        let tail: Vec<u8> = extra.iter().chain(ending).copied().collect();
        let start = tail.len().checked_sub(buffered)?;
        buffer[..buffered].copy_from_slice(&tail[start..]);
        Some(Self { state, buffer, buffered, length: link.length })
    }

    /// Takes more bytes.
    pub fn update(&mut self, mut data: &[u8]) {
        self.length = self.length.wrapping_add(data.len() as u64);
        while !data.is_empty() {
            let room = &mut self.buffer[self.buffered..];
            let (taken, rest) = data.split_at(data.len().min(room.len()));
            room[..taken.len()].copy_from_slice(taken);
            self.buffered = self.buffered.wrapping_add(taken.len());
            data = rest;
            if self.buffered == 64 {
                compress256(&mut self.state, &[self.buffer]);
                self.buffered = 0;
            }
        }
    }

    /// The state reached so far.
    pub fn midstate(&self) -> Midstate {
        let mut state = [0; 32];
        for (bytes, word) in state.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Midstate { state, length: self.length }
    }

    /// Takes the last bytes and returns the double SHA-256 of everything.
    pub fn finish_double(mut self, data: &[u8]) -> Hash32 {
        self.update(data);
        let bits = self.length.wrapping_mul(8);
        // Fewer than 64 bytes are buffered: one bit, then zeros up to the last eight bytes.
        let zeros = 119_usize.wrapping_sub(self.buffered) % 64;
        self.update(&[0x80]);
        self.update(&[0; 64][..zeros]);
        self.update(&bits.to_be_bytes());
        debug_assert_eq!(self.buffered, 0, "padding fills the block");
        sha256::Hash::hash(&self.midstate().state).to_byte_array()
    }
}

/// Transaction id from a share's link and the 44 bytes after it; `None` for absurd lengths.
pub fn check(link: &HashLink, data: &[u8; 44]) -> Option<Hash32> {
    Some(HashLinkEngine::resume(link, &[], &CONSTANT_ENDING)?.finish_double(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256d;

    #[test]
    fn resumed_hash_equals_hash_of_the_whole() {
        for extra in [0_usize, 1, 20, 49, 50, 63, 64, 200] {
            let mut prefix: Vec<u8> = (0..extra).map(|i| (7 * i + 3) as u8).collect();
            prefix.extend_from_slice(&CONSTANT_ENDING);
            let Midstate { state, length } = HashLinkEngine::new(&prefix).midstate();
            let data = [0x11; 44];
            let linked = check(&HashLink { state, length }, &data);
            prefix.extend_from_slice(&data);
            assert_eq!(linked, Some(sha256d(&prefix)));
        }
    }

    #[test]
    fn absurd_length_is_refused() {
        assert_eq!(check(&HashLink { state: [0; 32], length: u64::MAX }, &[0; 44]), None);
    }
}

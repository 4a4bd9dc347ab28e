//! The hash loop for ARM processors with SHA instructions, which do four rounds at once.
//!
//! As with the instructions of other processors, several nonces are hashed in streams that do not
//! wait for each other.

use core::arch::aarch64::{
    uint32x4_t, vaddq_u32, vdupq_n_u32, vgetq_lane_u32, vsetq_lane_u32, vsha256h2q_u32,
    vsha256hq_u32, vsha256su0q_u32, vsha256su1q_u32,
};

use super::words::{END_MARK, HASH_BITS, HEADER_BITS, INITIAL, K, Prepared};

/// Nonces that are hashed together. Not measured.
const STREAMS: usize = 4;

/// A register of each stream.
type Streams = [uint32x4_t; STREAMS];

/// The state words, each from the lowest place up.
#[derive(Clone, Copy)]
struct State {
    abcd: Streams,
    efgh: Streams,
}

/// The first nonce from `first` to below `end` whose hash may be small enough: its highest 32 bits
/// are at most `top`. All nonces are below 2^32.
#[target_feature(enable = "sha2")]
pub(super) fn find(header: &Prepared, first: u64, end: u64, top: u32) -> Option<u32> {
    let mut start = first;
    while start < end {
        let words = last_words(hash_header(header, start as u32));
        for (nonce, word) in (start..end).zip(words) {
            if word.swap_bytes() <= top {
                return u32::try_from(nonce).ok();
            }
        }
        start += STREAMS as u64;
    }
    None
}

/// SHA-256 of the headers, begun in their midstate.
#[target_feature(enable = "sha2")]
#[inline]
fn hash_header(header: &Prepared, nonce: u32) -> State {
    let mut words = [four(header.tail); STREAMS];
    for (stream, word) in words.iter_mut().enumerate() {
        let nonce = nonce.wrapping_add(stream as u32).swap_bytes();
        *word = vsetq_lane_u32::<3>(nonce, *word);
    }
    let mut w = [
        words,
        [four([END_MARK, 0, 0, 0]); STREAMS],
        [vdupq_n_u32(0); STREAMS],
        [four([0, 0, 0, HEADER_BITS]); STREAMS],
    ];
    let begin = State::new(&header.midstate);
    let mut state = begin;
    unroll!(I in [0 1 2 3] { four_rounds(&mut state, w[I], I); });
    unroll!(I in [4 5 6 7 8 9 10 11 12 13 14 15] {
        w[I % 4] = extended(w[I % 4], w[(I + 1) % 4], w[(I + 2) % 4], w[(I + 3) % 4]);
        four_rounds(&mut state, w[I % 4], I);
    });
    for stream in 0..STREAMS {
        state.abcd[stream] = vaddq_u32(state.abcd[stream], begin.abcd[stream]);
        state.efgh[stream] = vaddq_u32(state.efgh[stream], begin.efgh[stream]);
    }
    state
}

/// The last words of the SHA-256 of hashes, which hold the highest bits of the numbers.
#[target_feature(enable = "sha2")]
#[inline]
fn last_words(hash: State) -> [u32; STREAMS] {
    let mark = four([END_MARK, 0, 0, 0]);
    let length = four([0, 0, 0, HASH_BITS]);
    let mut w = [hash.abcd, hash.efgh, [mark; STREAMS], [length; STREAMS]];
    let mut state = State::new(&INITIAL);
    unroll!(I in [0 1 2 3] { four_rounds(&mut state, w[I], I); });
    unroll!(I in [4 5 6 7 8 9 10 11 12 13 14] {
        w[I % 4] = extended(w[I % 4], w[(I + 1) % 4], w[(I + 2) % 4], w[(I + 3) % 4]);
        four_rounds(&mut state, w[I % 4], I);
    });
    // Of the last four rounds, half is left out: the last word is not in it.
    w[3] = extended(w[3], w[0], w[1], w[2]);
    let mut last = [0; STREAMS];
    for (stream, last) in last.iter_mut().enumerate() {
        let sums = vaddq_u32(w[3][stream], constants(15));
        let efgh = vsha256h2q_u32(state.efgh[stream], state.abcd[stream], sums);
        *last = vgetq_lane_u32::<3>(efgh).wrapping_add(INITIAL[7]);
    }
    last
}

impl State {
    #[target_feature(enable = "neon")]
    #[inline]
    fn new(words: &[u32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = *words;
        Self { abcd: [four([a, b, c, d]); STREAMS], efgh: [four([e, f, g, h]); STREAMS] }
    }
}

/// Four rounds, those of the fourfold number `number`.
#[target_feature(enable = "sha2")]
#[inline]
fn four_rounds(state: &mut State, words: Streams, number: usize) {
    for (stream, words) in words.into_iter().enumerate() {
        let sums = vaddq_u32(words, constants(number));
        let (abcd, efgh) = (state.abcd[stream], state.efgh[stream]);
        state.abcd[stream] = vsha256hq_u32(abcd, efgh, sums);
        state.efgh[stream] = vsha256h2q_u32(efgh, abcd, sums);
    }
}

/// The four words of the schedule that follow sixteen.
#[target_feature(enable = "sha2")]
#[inline]
fn extended(w0: Streams, w1: Streams, w2: Streams, w3: Streams) -> Streams {
    let mut words = w0;
    for (stream, word) in words.iter_mut().enumerate() {
        let begun = vsha256su0q_u32(w0[stream], w1[stream]);
        *word = vsha256su1q_u32(begun, w2[stream], w3[stream]);
    }
    words
}

#[target_feature(enable = "neon")]
#[inline]
fn constants(number: usize) -> uint32x4_t {
    let at = 4 * (number % 4);
    let k = &K[number / 4];
    four([k[at], k[at + 1], k[at + 2], k[at + 3]])
}

#[target_feature(enable = "neon")]
#[inline]
fn four(words: [u32; 4]) -> uint32x4_t {
    let [a, b, c, d] = words;
    let first = vsetq_lane_u32::<1>(b, vdupq_n_u32(a));
    vsetq_lane_u32::<3>(d, vsetq_lane_u32::<2>(c, first))
}

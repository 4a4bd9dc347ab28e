//! The hash loop for processors with SHA instructions, which do two rounds at once.
//!
//! Each instruction waits for the one before, some cycles long. So several nonces are hashed in
//! turns, in streams that do not wait for each other.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_cvtsi128_si32, _mm_insert_epi32, _mm_set_epi32,
    _mm_setr_epi32, _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32,
    _mm_sha256rnds2_epu32, _mm_shuffle_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi64,
};

use super::words::{END_MARK, HASH_BITS, HEADER_BITS, INITIAL, K, Prepared};

/// Nonces that are hashed together. Measured: with two, the schedule of the second hash waits for
/// the first; eight are hardly faster.
const STREAMS: usize = 4;

/// A register of each stream.
type Streams = [__m128i; STREAMS];

/// The state words as the instructions want them.
#[derive(Clone, Copy)]
struct State {
    /// From the highest place down: a, b, e, f.
    abef: Streams,
    /// From the highest place down: c, d, g, h.
    cdgh: Streams,
}

/// The first nonce from `first` to below `end` whose hash may be small enough: its highest 32 bits
/// are at most `top`. All nonces are below 2^32.
#[target_feature(enable = "sha,sse4.1,ssse3")]
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

/// SHA-256 of the headers, begun in their midstate: the words as the next block has them.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn hash_header(header: &Prepared, nonce: u32) -> [Streams; 2] {
    let [w0, w1, w2, _] = header.tail;
    let mut words = [first_four([w0, w1, w2, 0]); STREAMS];
    for (stream, word) in words.iter_mut().enumerate() {
        let nonce = nonce.wrapping_add(stream as u32).swap_bytes();
        *word = _mm_insert_epi32::<3>(*word, nonce.cast_signed());
    }
    let mut state = State::new(&header.after_2);
    two_rounds(&mut state, words, 0);

    let mut w =
        [words, [mark(); STREAMS], [_mm_setzero_si128(); STREAMS], [length(HEADER_BITS); STREAMS]];
    unroll!(I in [1 2 3] { four_rounds(&mut state, w[I], I); });
    w[0] = extended(w[0], w[1], w[2], w[3]);
    four_rounds(&mut state, w[0], 4);
    // What two blocks of zeros bring to the schedule is known.
    w[1] = finished(aligned(w[0], w[3], [mark(); STREAMS]), w[0]);
    four_rounds(&mut state, w[1], 5);
    w[2] = finished(aligned(w[1], w[0], [_mm_setzero_si128(); STREAMS]), w[1]);
    four_rounds(&mut state, w[2], 6);
    unroll!(I in [7 8 9 10 11 12 13 14 15] {
        w[I % 4] = extended(w[I % 4], w[(I + 1) % 4], w[(I + 2) % 4], w[(I + 3) % 4]);
        four_rounds(&mut state, w[I % 4], I);
    });
    state.plus(&header.midstate).words()
}

/// The last words of the SHA-256 of hashes, which hold the highest bits of the numbers.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn last_words([first, second]: [Streams; 2]) -> [u32; STREAMS] {
    let mut state = State::new(&INITIAL);
    let mut w = [first, second, [mark(); STREAMS], [length(HASH_BITS); STREAMS]];
    unroll!(I in [0 1 2 3] { four_rounds(&mut state, w[I], I); });
    unroll!(I in [4 5 6 7 8 9 10 11 12 13 14] {
        w[I % 4] = extended(w[I % 4], w[(I + 1) % 4], w[(I + 2) % 4], w[(I + 3) % 4]);
        four_rounds(&mut state, w[I % 4], I);
    });
    // What round 60 makes is the last word three rounds later.
    w[3] = extended(w[3], w[0], w[1], w[2]);
    let mut last = [0; STREAMS];
    for (stream, last) in last.iter_mut().enumerate() {
        let words = _mm_add_epi32(w[3][stream], constants(15));
        let abef = _mm_sha256rnds2_epu32(state.cdgh[stream], state.abef[stream], words);
        *last = _mm_cvtsi128_si32(abef).cast_unsigned().wrapping_add(INITIAL[7]);
    }
    last
}

impl State {
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn new(words: &[u32; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = words.map(u32::cast_signed);
        let abef = [_mm_set_epi32(a, b, e, f); STREAMS];
        let cdgh = [_mm_set_epi32(c, d, g, h); STREAMS];
        Self { abef, cdgh }
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn plus(mut self, words: &[u32; 8]) -> Self {
        let other = Self::new(words);
        for stream in 0..STREAMS {
            self.abef[stream] = _mm_add_epi32(self.abef[stream], other.abef[stream]);
            self.cdgh[stream] = _mm_add_epi32(self.cdgh[stream], other.cdgh[stream]);
        }
        self
    }

    /// The words from a to d and from e to h, each from the lowest place up.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    #[inline]
    fn words(self) -> [Streams; 2] {
        let Self { abef, cdgh } = self;
        let (mut first, mut second) = (abef, cdgh);
        for (stream, words) in first.iter_mut().enumerate() {
            let turned = _mm_unpackhi_epi64(abef[stream], cdgh[stream]);
            *words = _mm_shuffle_epi32::<0b10_11_00_01>(turned);
        }
        for (stream, words) in second.iter_mut().enumerate() {
            let turned = _mm_unpacklo_epi64(abef[stream], cdgh[stream]);
            *words = _mm_shuffle_epi32::<0b10_11_00_01>(turned);
        }
        [first, second]
    }
}

/// Four rounds, those of the fourfold number `four`.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn four_rounds(state: &mut State, words: Streams, four: usize) {
    let mut sums = words;
    for (stream, sum) in sums.iter_mut().enumerate() {
        *sum = _mm_add_epi32(words[stream], constants(four));
        let (abef, cdgh) = (state.abef[stream], state.cdgh[stream]);
        state.cdgh[stream] = abef;
        state.abef[stream] = _mm_sha256rnds2_epu32(cdgh, abef, *sum);
    }
    for (stream, sum) in sums.iter().enumerate() {
        let (abef, cdgh) = (state.abef[stream], state.cdgh[stream]);
        state.cdgh[stream] = abef;
        let sum = _mm_shuffle_epi32::<0b11_10>(*sum);
        state.abef[stream] = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    }
}

/// The last two of four rounds.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn two_rounds(state: &mut State, words: Streams, four: usize) {
    for (stream, words) in words.into_iter().enumerate() {
        let sum = _mm_shuffle_epi32::<0b11_10>(_mm_add_epi32(words, constants(four)));
        let (abef, cdgh) = (state.abef[stream], state.cdgh[stream]);
        state.cdgh[stream] = abef;
        state.abef[stream] = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    }
}

/// The four words of the schedule that follow sixteen.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn extended(w0: Streams, w1: Streams, w2: Streams, w3: Streams) -> Streams {
    let mut begun = w0;
    for (stream, begun) in begun.iter_mut().enumerate() {
        *begun = _mm_sha256msg1_epu32(w0[stream], w1[stream]);
    }
    finished(aligned(w3, w2, begun), w3)
}

/// Adds the words that stand seven before those of the schedule that are made.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn aligned(w3: Streams, w2: Streams, begun: Streams) -> Streams {
    let mut sums = begun;
    for (stream, sum) in sums.iter_mut().enumerate() {
        *sum = _mm_add_epi32(*sum, _mm_alignr_epi8::<4>(w3[stream], w2[stream]));
    }
    sums
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn finished(sums: Streams, w3: Streams) -> Streams {
    let mut words = sums;
    for (stream, word) in words.iter_mut().enumerate() {
        *word = _mm_sha256msg2_epu32(*word, w3[stream]);
    }
    words
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn constants(four: usize) -> __m128i {
    let at = 4 * (four % 4);
    let k = &K[four / 4];
    first_four([k[at], k[at + 1], k[at + 2], k[at + 3]])
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn first_four(words: [u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_setr_epi32(a, b, c, d)
}

/// Four words that end a message.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn mark() -> __m128i {
    first_four([END_MARK, 0, 0, 0])
}

/// The last four words of a message of so many bits.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn length(bits: u32) -> __m128i {
    first_four([0, 0, 0, bits])
}

//! SHA-256 in words, as FIPS 180-4 writes it down, and what all nonces of a header share.

use sha2::block_api::compress256;

use super::HEADER_BYTES;

/// State of SHA-256 before the first block.
pub(super) const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The constants of the 64 rounds, sixteen for each pass over the words.
#[rustfmt::skip]
pub(super) const K: [[u32; 16]; 4] = [
    [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    ],
    [
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    ],
    [
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    ],
    [
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ],
];

/// The word that ends a message: one bit, then nothing.
pub(super) const END_MARK: u32 = 0x8000_0000;
/// Length of a header in bits, the last word of its second block.
pub(super) const HEADER_BITS: u32 = 640;
/// Length of a hash in bits, the last word of the block that is hashed at the end.
pub(super) const HASH_BITS: u32 = 256;
/// Which word of the second block is the nonce.
pub(super) const NONCE_WORD: usize = 3;

/// The function that the schedule calls σ0.
pub(super) const fn small_sigma0(x: u32) -> u32 {
    x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
}

/// The function that the schedule calls σ1.
pub(super) const fn small_sigma1(x: u32) -> u32 {
    x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
}

/// One round on the eight state words.
pub(super) const fn round(state: [u32; 8], constant_and_word: u32) -> [u32; 8] {
    let [a, b, c, d, e, f, g, h] = state;
    let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
    let choice = g ^ (e & (f ^ g));
    let t1 = h.wrapping_add(sum1).wrapping_add(choice).wrapping_add(constant_and_word);
    let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
    let majority = (a & b) | (c & (a | b));
    [t1.wrapping_add(sum0).wrapping_add(majority), a, b, c, d.wrapping_add(t1), e, f, g]
}

/// A header as the hash loops want it: everything that does not depend on the nonce, computed.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// State after the header's first 64 bytes.
    pub midstate: [u32; 8],
    /// The other 16 bytes as words, the last one (the nonce) zero.
    pub tail: [u32; 4],
    /// State after the first two rounds of the second block, which do not know the nonce.
    pub after_2: [u32; 8],
    /// State after the third, which does not know it either.
    pub after_3: [u32; 8],
    /// Words 16 and 17 of the second block's schedule, which no nonce reaches.
    pub schedule: [u32; 2],
    /// What is the same for all nonces in words 18, 19 and 31.
    pub schedule_parts: [u32; 3],
}

impl Prepared {
    /// Prepares a header, whose nonce does not matter.
    pub(super) fn new(header: &[u8; HEADER_BYTES]) -> Self {
        let (first, rest) = header.split_first_chunk().expect("a header is longer than a block");
        let mut midstate = INITIAL;
        compress256(&mut midstate, core::slice::from_ref(first));
        let mut tail = [0; 4];
        for (word, bytes) in tail.iter_mut().zip(rest.as_chunks().0).take(NONCE_WORD) {
            *word = u32::from_be_bytes(*bytes);
        }
        let [w0, w1, w2, _] = tail;
        let after_1 = round(midstate, K[0][0].wrapping_add(w0));
        let after_2 = round(after_1, K[0][1].wrapping_add(w1));
        let after_3 = round(after_2, K[0][2].wrapping_add(w2));
        let w16 = w0.wrapping_add(small_sigma0(w1));
        let w17 = small_sigma1(HEADER_BITS).wrapping_add(w1).wrapping_add(small_sigma0(w2));
        let schedule_parts = [
            small_sigma1(w16).wrapping_add(w2),
            small_sigma1(w17).wrapping_add(small_sigma0(END_MARK)),
            small_sigma0(w16).wrapping_add(HEADER_BITS),
        ];
        Self { midstate, tail, after_2, after_3, schedule: [w16, w17], schedule_parts }
    }

    /// The whole hash with this nonce, as state words. The slow and plain way.
    pub(super) fn hash(&self, nonce: u32) -> [u32; 8] {
        let mut block = [0; 16];
        block[..4].copy_from_slice(&self.tail);
        block[NONCE_WORD] = nonce.swap_bytes();
        block[4] = END_MARK;
        block[15] = HEADER_BITS;
        let mut state = self.midstate;
        compress(&mut state, &block);
        block = [0; 16];
        block[..8].copy_from_slice(&state);
        block[8] = END_MARK;
        block[15] = HASH_BITS;
        state = INITIAL;
        compress(&mut state, &block);
        state
    }
}

fn compress(state: &mut [u32; 8], words: &[u32; 16]) {
    compress256(state, words.map(u32::to_be_bytes).as_flattened().as_chunks().0);
}

//! The hash loop for registers of several words: as many nonces at once as a register has words.
//!
//! Written once for any kind of register. Whoever calls [`lanes`] has a type `Lanes`, the number
//! `LANES` of its words, and these in scope: `splat`, `count_up`, `add`, `xor`, `xor3`, `choose`,
//! `majority`, `rotate`, `shift` and `not_above`. The attribute names the instructions that they
//! need, so that the compiler checks that the loop calls them only where the processor has them.

/// Repeats a block for each of some numbers: loops whose index the compiler knows.
macro_rules! unroll {
    ($index:ident in [$($number:literal)*] $body:block) => {
        $({ const $index: usize = $number; $body })*
    };
}

/// Makes the function `find` of a module.
macro_rules! lanes {
    ($(#[$features:meta])*) => {
        /// The first nonce from `first` to below `end` whose hash may be small enough: its highest
        /// 32 bits are at most `top`. All nonces are below 2^32.
        $(#[$features])*
        pub(in crate::scan) fn find(
            header: &Prepared,
            first: u64,
            end: u64,
            top: u32,
        ) -> Option<u32> {
            let mut start = first;
            while start < end {
                let nonces = add(splat(start as u32), count_up());
                let hash = header_hash(header, swap_bytes(nonces));
                let lanes = not_above(swap_bytes(last_word(hash)), top);
                if lanes != 0 {
                    let nonce = start + u64::from(lanes.trailing_zeros());
                    return if nonce < end { u32::try_from(nonce).ok() } else { None };
                }
                start += LANES;
            }
            None
        }

        /// SHA-256 of the header, begun in its midstate.
        $(#[$features])*
        #[inline]
        fn header_hash(header: &Prepared, nonces: Lanes) -> [Lanes; 8] {
            let mut state = splat_state(&header.after_3);
            state = step(state, add(nonces, splat(K[0][3])));
            state = step(state, splat(K[0][4].wrapping_add(END_MARK)));
            unroll!(I in [5 6 7 8 9 10 11 12 13 14] { state = step(state, splat(K[0][I])); });
            state = step(state, splat(K[0][15].wrapping_add(HEADER_BITS)));

            // The words before these are mostly zero, so that little of the sums is left.
            let [w16, w17] = [splat(header.schedule[0]), splat(header.schedule[1])];
            let [part18, part19, part31] = header.schedule_parts;
            let w18 = add(small_sigma0(nonces), splat(part18));
            let w19 = add(nonces, splat(part19));
            let w20 = add(small_sigma1(w18), splat(END_MARK));
            let w21 = small_sigma1(w19);
            let w22 = add(small_sigma1(w20), splat(HEADER_BITS));
            let w23 = add(small_sigma1(w21), w16);
            let w24 = add(small_sigma1(w22), w17);
            let w25 = add(small_sigma1(w23), w18);
            let w26 = add(small_sigma1(w24), w19);
            let w27 = add(small_sigma1(w25), w20);
            let w28 = add(small_sigma1(w26), w21);
            let w29 = add(small_sigma1(w27), w22);
            let part30 = const { scalar_sigma0(HEADER_BITS) };
            let w30 = add(add(small_sigma1(w28), w23), splat(part30));
            let w31 = add(add(small_sigma1(w29), w24), splat(part31));
            let mut words = [
                w16, w17, w18, w19, w20, w21, w22, w23, w24, w25, w26, w27, w28, w29, w30, w31,
            ];

            unroll!(I in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] {
                state = step(state, add(words[I], splat(K[1][I])));
            });
            for constants in &K[2..] {
                unroll!(I in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] {
                    words[I] = extended(&words, I);
                    state = step(state, add(words[I], splat(constants[I])));
                });
            }
            let mut hash = splat_state(&header.midstate);
            unroll!(I in [0 1 2 3 4 5 6 7] { hash[I] = add(hash[I], state[I]); });
            hash
        }

        /// The last word of a hash's own SHA-256, which holds the highest bits of the number.
        $(#[$features])*
        #[inline]
        fn last_word(hash: [Lanes; 8]) -> Lanes {
            let [w0, w1, w2, w3, w4, w5, w6, w7] = hash;
            let [mark, none, bits] = [splat(END_MARK), splat(0), splat(HASH_BITS)];
            let mut words = [
                w0, w1, w2, w3, w4, w5, w6, w7, mark, none, none, none, none, none, none, bits,
            ];
            let mut state = splat_state(&INITIAL);
            unroll!(I in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] {
                state = step(state, add(words[I], splat(K[0][I])));
            });
            for constants in &K[1..3] {
                unroll!(I in [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] {
                    words[I] = extended(&words, I);
                    state = step(state, add(words[I], splat(constants[I])));
                });
            }
            // What round 60 makes is the last word three rounds later, and of the first words of
            // the four rounds up to it nothing gets there.
            unroll!(I in [0 1 2 3 4 5 6 7 8] {
                words[I] = extended(&words, I);
                state = step(state, add(words[I], splat(K[3][I])));
            });
            unroll!(I in [9 10 11 12] {
                words[I] = extended(&words, I);
                let [a, b, c, d, e, f, g, _] = state;
                let t1 = half_step(state, add(words[I], splat(K[3][I])));
                state = [a, a, b, c, add(d, t1), e, f, g];
            });
            add(state[4], splat(INITIAL[7]))
        }

        /// A word of the schedule, from the sixteen before it.
        $(#[$features])*
        #[inline]
        fn extended(words: &[Lanes; 16], i: usize) -> Lanes {
            let near = add(words[i], small_sigma0(words[(i + 1) % 16]));
            add(add(near, words[(i + 9) % 16]), small_sigma1(words[(i + 14) % 16]))
        }

        /// One round.
        $(#[$features])*
        #[inline]
        fn step(state: [Lanes; 8], constant_and_word: Lanes) -> [Lanes; 8] {
            let [a, b, c, d, e, f, g, _] = state;
            let t1 = half_step(state, constant_and_word);
            let sum0 = xor3(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a));
            let t2 = add(sum0, majority(a, b, c));
            [add(t1, t2), a, b, c, add(d, t1), e, f, g]
        }

        $(#[$features])*
        #[inline]
        fn half_step(state: [Lanes; 8], constant_and_word: Lanes) -> Lanes {
            let [_, _, _, _, e, f, g, h] = state;
            let sum1 = xor3(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e));
            // In this order, because the rotations are what comes last.
            add(add(add(h, constant_and_word), choose(e, f, g)), sum1)
        }

        $(#[$features])*
        #[inline]
        fn small_sigma0(x: Lanes) -> Lanes {
            xor3(rotate::<7, 25>(x), rotate::<18, 14>(x), shift::<3>(x))
        }

        $(#[$features])*
        #[inline]
        fn small_sigma1(x: Lanes) -> Lanes {
            xor3(rotate::<17, 15>(x), rotate::<19, 13>(x), shift::<10>(x))
        }

        $(#[$features])*
        #[inline]
        fn swap_bytes(x: Lanes) -> Lanes {
            choose(splat(0x00ff_00ff), rotate::<24, 8>(x), rotate::<8, 24>(x))
        }

        $(#[$features])*
        #[inline]
        fn splat_state(state: &[u32; 8]) -> [Lanes; 8] {
            let [a, b, c, d, e, f, g, h] = *state;
            [splat(a), splat(b), splat(c), splat(d), splat(e), splat(f), splat(g), splat(h)]
        }
    };
}

/// One nonce at a time, for any processor.
pub(super) mod portable {
    use crate::scan::words::{
        END_MARK, HASH_BITS, HEADER_BITS, INITIAL, K, Prepared, small_sigma0 as scalar_sigma0,
    };

    type Lanes = u32;
    const LANES: u64 = 1;

    fn splat(word: u32) -> u32 {
        word
    }

    fn count_up() -> u32 {
        0
    }

    fn add(x: u32, y: u32) -> u32 {
        x.wrapping_add(y)
    }

    fn xor3(x: u32, y: u32, z: u32) -> u32 {
        x ^ y ^ z
    }

    fn choose(x: u32, y: u32, z: u32) -> u32 {
        z ^ (x & (y ^ z))
    }

    fn majority(x: u32, y: u32, z: u32) -> u32 {
        (x & y) | (z & (x | y))
    }

    fn rotate<const RIGHT: i32, const LEFT: i32>(x: u32) -> u32 {
        (x >> RIGHT) | (x << LEFT)
    }

    fn shift<const RIGHT: i32>(x: u32) -> u32 {
        x >> RIGHT
    }

    fn not_above(x: u32, top: u32) -> u32 {
        u32::from(x <= top)
    }

    lanes!();
}

/// Eight nonces at a time.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use core::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi32,
        _mm256_min_epu32, _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32,
        _mm256_setr_epi32, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_xor_si256,
    };

    use crate::scan::words::{
        END_MARK, HASH_BITS, HEADER_BITS, INITIAL, K, Prepared, small_sigma0 as scalar_sigma0,
    };

    type Lanes = __m256i;
    const LANES: u64 = 8;

    #[target_feature(enable = "avx2")]
    #[inline]
    fn splat(word: u32) -> __m256i {
        _mm256_set1_epi32(word.cast_signed())
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn count_up() -> __m256i {
        _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn add(x: __m256i, y: __m256i) -> __m256i {
        _mm256_add_epi32(x, y)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn xor3(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_xor_si256(_mm256_xor_si256(x, y), z)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn choose(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn majority(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        let either = _mm256_and_si256(z, _mm256_or_si256(x, y));
        _mm256_or_si256(_mm256_and_si256(x, y), either)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn rotate<const RIGHT: i32, const LEFT: i32>(x: __m256i) -> __m256i {
        _mm256_or_si256(_mm256_srli_epi32::<RIGHT>(x), _mm256_slli_epi32::<LEFT>(x))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn shift<const RIGHT: i32>(x: __m256i) -> __m256i {
        _mm256_srli_epi32::<RIGHT>(x)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn not_above(x: __m256i, top: u32) -> u32 {
        let is_least = _mm256_cmpeq_epi32(_mm256_min_epu32(x, splat(top)), x);
        _mm256_movemask_ps(_mm256_castsi256_ps(is_least)).cast_unsigned()
    }

    lanes!(#[target_feature(enable = "avx2")]);
}

/// Sixteen nonces at a time.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512 {
    use core::arch::x86_64::{
        __m512i, _mm512_add_epi32, _mm512_cmple_epu32_mask, _mm512_ror_epi32, _mm512_set1_epi32,
        _mm512_setr_epi32, _mm512_srlv_epi32, _mm512_ternarylogic_epi32,
    };

    use crate::scan::words::{
        END_MARK, HASH_BITS, HEADER_BITS, INITIAL, K, Prepared, small_sigma0 as scalar_sigma0,
    };

    type Lanes = __m512i;
    const LANES: u64 = 16;

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn splat(word: u32) -> __m512i {
        _mm512_set1_epi32(word.cast_signed())
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn count_up() -> __m512i {
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn add(x: __m512i, y: __m512i) -> __m512i {
        _mm512_add_epi32(x, y)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn xor3(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
        _mm512_ternarylogic_epi32::<0b1001_0110>(x, y, z)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn choose(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
        _mm512_ternarylogic_epi32::<0b1100_1010>(x, y, z)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn majority(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
        _mm512_ternarylogic_epi32::<0b1110_1000>(x, y, z)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn rotate<const RIGHT: i32, const LEFT: i32>(x: __m512i) -> __m512i {
        const { assert!(RIGHT + LEFT == 32) };
        _mm512_ror_epi32::<RIGHT>(x)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn shift<const RIGHT: i32>(x: __m512i) -> __m512i {
        // The type of the number is not that of the other instructions.
        _mm512_srlv_epi32(x, _mm512_set1_epi32(RIGHT))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn not_above(x: __m512i, top: u32) -> u32 {
        u32::from(_mm512_cmple_epu32_mask(x, splat(top)))
    }

    lanes!(#[target_feature(enable = "avx512f")]);
}

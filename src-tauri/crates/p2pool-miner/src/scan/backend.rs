//! What hashes: found out at run time, and the one place of this program with `unsafe` code.

use super::words::Prepared;
use super::{HEADER_BYTES, lanes};

/// A way to hash that this processor has and that was seen to find the nonce of a known block.
///
/// There is no other way to get one than [`Backend::available`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    ShaNi,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Armv8,
    Portable,
}

impl Backend {
    /// All that work here, the fastest first. The last one works everywhere.
    pub fn available() -> Vec<Self> {
        let mut kinds = detected();
        kinds.retain(|kind| Self(*kind).finds_known_nonce());
        kinds.push(Kind::Portable);
        kinds.into_iter().map(Self).collect()
    }

    /// The fastest that works here.
    pub fn fastest() -> Self {
        Self::available().first().copied().unwrap_or(Self(Kind::Portable))
    }

    /// Its name, as people know the instructions.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Kind::ShaNi => "SHA-NI",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Kind::Armv8 => "ARMv8 SHA2",
            Kind::Portable => "portable",
        }
    }

    /// The first nonce from `first` to below `end`, both at most 2^32, whose hash has at most
    /// `top` as its highest 32 bits.
    #[cfg_attr(
        any(target_arch = "x86_64", target_arch = "aarch64"),
        expect(unsafe_code, reason = "instructions that not every processor has")
    )]
    pub(super) fn find(self, header: &Prepared, first: u64, end: u64, top: u32) -> Option<u32> {
        // SAFETY, for all calls: the functions are safe but for the instructions that they are
        // compiled to. Values of `Kind` other than `Portable` come from `detected` alone, which
        // asked the processor for exactly these.
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: see above.
            Kind::Avx512 => unsafe { lanes::avx512::find(header, first, end, top) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: see above.
            Kind::ShaNi => unsafe { super::sha_ni::find(header, first, end, top) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: see above.
            Kind::Avx2 => unsafe { lanes::avx2::find(header, first, end, top) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: see above.
            Kind::Armv8 => unsafe { super::armv8::find(header, first, end, top) },
            Kind::Portable => lanes::portable::find(header, first, end, top),
        }
    }

    fn finds_known_nonce(self) -> bool {
        let header = Prepared::new(&GENESIS);
        let nonce = u64::from(GENESIS_NONCE);
        // Odd bounds, so that the nonce is in the middle of what is hashed at once.
        self.find(&header, nonce - 37, nonce + 21, 0) == Some(GENESIS_NONCE)
    }
}

/// What the processor has, the fastest first.
fn detected() -> Vec<Kind> {
    let mut kinds = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            kinds.push(Kind::Avx512);
        }
        if is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("ssse3")
        {
            kinds.push(Kind::ShaNi);
        }
        if is_x86_feature_detected!("avx2") {
            kinds.push(Kind::Avx2);
        }
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("sha2") {
        kinds.push(Kind::Armv8);
    }
    kinds
}

/// Nonce of Bitcoin's first block.
const GENESIS_NONCE: u32 = 0x7c2b_ac1d;
/// Header of Bitcoin's first block.
const GENESIS: [u8; HEADER_BYTES] = {
    let mut header = [0; HEADER_BYTES];
    header[0] = 1;
    let root: [u8; 32] = [
        0x3b, 0xa3, 0xed, 0xfd, 0x7a, 0x7b, 0x12, 0xb2, 0x7a, 0xc7, 0x2c, 0x3e, 0x67, 0x76, 0x8f,
        0x61, 0x7f, 0xc8, 0x1b, 0xc3, 0x88, 0x8a, 0x51, 0x32, 0x3a, 0x9f, 0xb8, 0xaa, 0x4b, 0x1e,
        0x5e, 0x4a,
    ];
    header.split_at_mut(36).1.split_at_mut(32).0.copy_from_slice(&root);
    let rest: [u8; 12] = [0x29, 0xab, 0x5f, 0x49, 0xff, 0xff, 0x00, 0x1d, 0x1d, 0xac, 0x2b, 0x7c];
    header.split_at_mut(68).1.copy_from_slice(&rest);
    header
};

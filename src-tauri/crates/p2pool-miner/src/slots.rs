//! Dividing the work of one job: each slot is a header whose nonces are to be tried.

use p2pool_stratum::client::{Found, Work};

use crate::scan::HEADER_BYTES;

/// How far the header time is moved when everything else is used up.
const TIME_ROLL_MAX_SECONDS: u64 = 600;

/// One choice of everything but the nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    extranonce2: Vec<u8>,
    version_bits: u32,
    time: u32,
}

impl Slot {
    /// The slot with this number, or `None` when the job has no more.
    ///
    /// Extranonces come first, then version bits, then times. The same number always gives the same
    /// slot, and no two numbers do.
    pub fn of(work: &Work, number: u64) -> Option<Self> {
        let (extranonce2, rest) = extranonce2(work.extranonce2_bytes, number);
        let versions = 1_u64 << work.version_mask.count_ones();
        // Starting from the bits of the job, so that slots before those of rolled versions are
        // right even for pools that read bits otherwise.
        let bits = deposit(rest % versions, work.version_mask) ^ work.notify.version;
        let seconds = rest / versions;
        if seconds > TIME_ROLL_MAX_SECONDS {
            return None;
        }
        let time = work.notify.time.checked_add(u32::try_from(seconds).ok()?)?;
        Some(Self { extranonce2, version_bits: bits & work.version_mask, time })
    }

    /// The header, nonce zero.
    pub fn header(&self, work: &Work) -> [u8; HEADER_BYTES] {
        let root = work.merkle_root(&self.extranonce2);
        work.notify.header(&root, work.version(self.version_bits), self.time, 0)
    }

    /// What to submit for a nonce of this slot.
    pub fn found(&self, work: &Work, nonce: u32) -> Found {
        Found {
            job_id: work.notify.job_id.clone(),
            extranonce2: self.extranonce2.clone(),
            time: self.time,
            nonce,
            version_bits: self.version_bits,
        }
    }
}

/// The extranonce of a number, big-endian, and what is left of the number.
fn extranonce2(bytes: usize, number: u64) -> (Vec<u8>, u64) {
    let mut extranonce = vec![0; bytes];
    let mut rest = number;
    for byte in extranonce.iter_mut().rev() {
        *byte = rest.to_le_bytes()[0];
        rest >>= 8;
    }
    (extranonce, rest)
}

/// Spreads the low bits of `value` over the bits of `mask`, lowest first.
fn deposit(value: u64, mask: u32) -> u32 {
    let places = (0..u32::BITS).filter(|place| mask >> place & 1 == 1);
    places.zip(0..).fold(0, |bits, (place, index)| bits | (((value >> index) as u32 & 1) << place))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use p2pool_sharechain::U256;
    use p2pool_stratum::notify::Notify;

    use super::*;

    fn work(extranonce2_bytes: usize, version_mask: u32) -> Work {
        Work {
            notify: Notify {
                job_id: "j".into(),
                previous_block: [1; 32],
                coinbase_prefix: vec![2; 50],
                coinbase_suffix: vec![3; 4],
                branch: vec![[4; 32]],
                version: 0x2000_2000,
                bits: 0x1d00_ffff,
                time: 1000,
                clean: true,
            },
            extranonce1: vec![5; 4],
            extranonce2_bytes,
            difficulty: 1.0,
            target: U256::ZERO,
            version_mask,
        }
    }

    #[test]
    fn slots_differ_whatever_the_pool_leaves_to_choose() {
        for (bytes, mask) in [(4, 0x1fff_e000), (1, 0x0000_6000), (0, 0x0000_6000), (1, 0), (0, 0)]
        {
            let work = work(bytes, mask);
            let headers: Vec<[u8; 80]> = (0..3000)
                .map_while(|number| Slot::of(&work, number))
                .map(|slot| slot.header(&work))
                .collect();
            let distinct: HashSet<&[u8; 80]> = headers.iter().collect();
            assert_eq!(distinct.len(), headers.len(), "{bytes} bytes, mask {mask:08x}");
        }
    }

    #[test]
    fn first_slots_leave_version_and_time_alone() {
        let work = work(2, 0x1fff_e000);
        let last = Slot::of(&work, 0xffff).unwrap();
        assert_eq!(last.extranonce2, [0xff, 0xff]);
        assert_eq!((work.version(last.version_bits), last.time), (0x2000_2000, 1000));
        let next = Slot::of(&work, 0x1_0000).unwrap();
        assert_eq!(next.extranonce2, [0, 0]);
        assert_eq!((work.version(next.version_bits), next.time), (0x2000_0000, 1000));
    }

    #[test]
    fn times_end_ten_minutes_ahead() {
        let work = work(0, 0);
        assert_eq!(Slot::of(&work, 600).unwrap().time, 1600);
        assert_eq!(Slot::of(&work, 601), None);
        assert_eq!(Slot::of(&work, u64::MAX), None);
    }

    #[test]
    fn large_extranonces_are_filled_from_the_end() {
        let slot = Slot::of(&work(16, 0), u64::MAX).unwrap();
        assert_eq!((&slot.extranonce2[..8], &slot.extranonce2[8..]), (&[0; 8][..], &[0xff; 8][..]));
    }

    #[test]
    fn found_names_what_was_hashed() {
        let work = work(4, 0x1fff_e000);
        let slot = Slot::of(&work, 7).unwrap();
        let found = slot.found(&work, 9);
        assert_eq!((found.extranonce2.as_slice(), found.nonce), ([0, 0, 0, 7].as_slice(), 9));
        assert_eq!(found.version_bits, 0x2000);
    }
}

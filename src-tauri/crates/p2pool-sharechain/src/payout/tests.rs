use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::forest::Delta;
use crate::params::Params;

/// A forest with payees, as the tracker keeps it, and the plain facts beside it.
struct World {
    forest: Forest<Stake>,
    payees: PayeeTable,
    cursor: WindowCursor,
    facts: BTreeMap<ShareHash, Fact>,
    addresses: AddressParams,
}

struct Fact {
    parent: Option<ShareHash>,
    work: u32,
    payee: Vec<u8>,
    donation: u16,
}

/// What happens to the world.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A share on top of a recent one: so many back, paid to this payee.
    Add { back: u8, work: u32, payee: u8, donation: u16 },
    /// A share leaves if it may: the newest so many back, or the oldest.
    Remove { back: u8, is_oldest: bool },
    /// A window from a recent share, so many back.
    Window { back: u8, shares_max: u32, work_max: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let donation = prop_oneof![Just(0_u16), Just(65_535), any::<u16>()];
    // Mostly on the newest share, sometimes far below: forks of every depth.
    let back = || prop_oneof![4 => Just(0_u8), 2 => 0..4_u8, 1 => 0..60_u8];
    prop_oneof![
        6 => (back(), 0..5000_u32, 0..6_u8, donation)
            .prop_map(|(back, work, payee, donation)| Step::Add { back, work, payee, donation }),
        1 => (back(), any::<bool>()).prop_map(|(back, is_oldest)| Step::Remove { back, is_oldest }),
        4 => (back(), 0..80_u32, prop_oneof![Just(u32::MAX), 0..200_000_u32])
            .prop_map(|(back, shares_max, work_max)| Step::Window { back, shares_max, work_max }),
    ]
}

impl World {
    fn new() -> Self {
        Self {
            forest: Forest::new(3),
            payees: PayeeTable::default(),
            cursor: WindowCursor::default(),
            facts: BTreeMap::new(),
            addresses: Params::mainnet().addresses,
        }
    }

    /// The known share so many insertions back.
    fn recent(&self, back: u8) -> Option<ShareHash> {
        self.facts.keys().rev().nth(usize::from(back)).or(self.facts.keys().next()).copied()
    }

    fn add(&mut self, number: u32, back: u8, work: u32, payee: u8, donation: u16) {
        let mut bytes = [7; 32];
        bytes[28..].copy_from_slice(&number.to_le_bytes());
        let hash = ShareHash::from_internal(bytes);
        let parent = self.recent(back);
        let text = address::p2pkh_text(&[payee; 20], &self.addresses).into_bytes();
        let id = self.payees.add(&text, &self.addresses).unwrap();
        let delta = Delta { work: Attempts::from(work), min_work: Attempts::ZERO };
        assert!(self.forest.insert(hash, parent, delta, Stake { payee: id, donation }));
        self.facts.insert(hash, Fact { parent, work, payee: text, donation });
    }

    fn remove(&mut self, back: u8, is_oldest: bool) {
        let oldest = self.facts.keys().next().copied();
        let Some(hash) = (if is_oldest { oldest } else { self.recent(back) }) else { return };
        self.cursor.forget(&self.forest, hash);
        if let Ok(stake) = self.forest.remove(hash) {
            self.payees.remove(stake.payee);
            self.facts.remove(&hash);
        }
    }

    fn window(&mut self, back: u8, shares_max: u32, work_max: u32) {
        let start = self.recent(back);
        let work_max = Attempts::from(work_max);
        let window = self.cursor.window(&self.forest, &self.payees, start, shares_max, work_max);
        let weights: BTreeMap<Vec<u8>, Attempts> =
            window.weights.iter().map(|(key, weight)| (key.text().to_vec(), *weight)).collect();
        assert_eq!(weights.len(), window.weights.len(), "each payee once");
        let naive = self.naive(start, shares_max, work_max);
        assert_eq!((weights, window.total, window.donation(), window.shares), naive);
    }

    /// The walk as it is written down in sharechain.md section 6.5.
    fn naive(
        &self,
        start: Option<ShareHash>,
        shares_max: u32,
        work_max: Attempts,
    ) -> (BTreeMap<Vec<u8>, Attempts>, Attempts, Attempts, u32) {
        let unit = Attempts::from(65_535);
        let cap = unit * work_max;
        let mut weights: BTreeMap<Vec<u8>, Attempts> = BTreeMap::new();
        let (mut total, mut donation, mut n) = (Attempts::ZERO, Attempts::ZERO, 0);
        let mut at = start.and_then(|hash| self.facts.get(&hash));
        while let Some(fact) = at.filter(|_| n != shares_max && total != cap) {
            let (a, d) = (Attempts::from(fact.work), Attempts::from(fact.donation));
            let weight = weights.entry(fact.payee.clone()).or_default();
            if total + a * unit > cap {
                let r = (cap - total) / unit;
                *weight += r * (unit - d);
                donation += r * d;
                total = cap;
            } else {
                *weight += a * (unit - d);
                donation += a * d;
                total += a * unit;
            }
            n += 1;
            at = fact.parent.and_then(|parent| self.facts.get(&parent));
        }
        weights.retain(|_, weight| !weight.is_zero());
        (weights, total, donation, n)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happened before, a window equals the walk over its shares.
    #[test]
    fn moved_window_equals_the_linear_walk(steps in prop::collection::vec(step(), 1..200)) {
        let mut world = World::new();
        for (number, step) in (0..).zip(steps) {
            match step {
                Step::Add { back, work, payee, donation } => {
                    world.add(number, back, work, payee, donation);
                }
                Step::Remove { back, is_oldest } => world.remove(back, is_oldest),
                Step::Window { back, shares_max, work_max } => {
                    world.window(back, shares_max, work_max);
                }
            }
        }
    }
}

#[test]
fn window_follows_jumps_that_are_too_far_to_move() {
    let mut world = World::new();
    for number in 0..2_000 {
        world.add(number, 0, 1 + number % 7, u8::try_from(number % 5).unwrap(), 655);
    }
    let start = |world: &World, back: usize| world.facts.keys().rev().nth(back).copied();
    for back in [0, 1, 700, 3, 1_900, 0] {
        let from = start(&world, back);
        for (shares_max, work_max) in [(500, u32::MAX), (5, u32::MAX), (1_800, 4_000)] {
            let (max, work) = (shares_max, Attempts::from(work_max));
            let window = world.cursor.window(&world.forest, &world.payees, from, max, work);
            let naive = world.naive(from, max, work);
            assert_eq!(
                (window.total, window.donation(), window.shares),
                (naive.1, naive.2, naive.3)
            );
        }
    }
}

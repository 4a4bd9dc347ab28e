use super::*;
use proptest::prelude::*;

/// The obvious forest: parents in a map, everything else recomputed.
#[derive(Default)]
struct Naive {
    parents: BTreeMap<ShareHash, (Option<ShareHash>, u32)>,
}

impl Naive {
    fn chain(&self, hash: ShareHash) -> Vec<(ShareHash, u32)> {
        let mut out = Vec::new();
        let mut at = Some(hash);
        while let Some((parent, work)) = at.and_then(|hash| self.parents.get(&hash)) {
            out.push((at.unwrap(), *work));
            at = *parent;
        }
        out
    }

    fn last(&self, hash: ShareHash) -> Option<ShareHash> {
        let chain = self.chain(hash);
        chain.last().map_or(Some(hash), |(bottom, _)| self.parents[bottom].0)
    }

    fn heads(&self) -> BTreeMap<ShareHash, Option<ShareHash>> {
        let parents: BTreeSet<_> =
            self.parents.values().filter_map(|(parent, _)| *parent).collect();
        let heads = self.parents.keys().filter(|hash| !parents.contains(hash));
        heads.map(|head| (*head, self.last(*head))).collect()
    }
}

fn name(number: u32) -> ShareHash {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes[31] = 1;
    ShareHash::from_internal(bytes)
}

fn delta(work: u32) -> Delta {
    Delta { work: Attempts::from(work), min_work: Attempts::from(work / 2) }
}

fn compare(forest: &Forest<()>, naive: &Naive) {
    assert_eq!(forest.len(), naive.parents.len());
    assert_eq!(forest.heads(), &naive.heads());
    let mut tails: BTreeMap<Option<ShareHash>, BTreeSet<ShareHash>> = BTreeMap::new();
    for (head, tail) in naive.heads() {
        tails.entry(tail).or_default().insert(head);
    }
    assert_eq!(forest.tails(), &tails);
    for hash in naive.parents.keys() {
        let chain = naive.chain(*hash);
        let height = u32::try_from(chain.len()).unwrap();
        assert_eq!(forest.height_and_last(Some(*hash)), (height, naive.last(*hash)));
        let children: BTreeSet<_> =
            naive.parents.iter().filter(|(_, (p, _))| *p == Some(*hash)).map(|(h, _)| *h).collect();
        assert_eq!(forest.children(Some(*hash)).into_iter().collect::<BTreeSet<_>>(), children);
        for n in [0, 1, 2, 3, height / 2, height.saturating_sub(1), height, height + 1] {
            let expected = match chain.get(n as usize) {
                Some((ancestor, _)) => Some(*ancestor),
                None => naive.last(*hash),
            };
            assert_eq!(forest.nth_parent(Some(*hash), n), expected);
            let sum = forest.sum_of(Some(*hash), n);
            let work: u32 = chain.iter().take(n as usize).map(|(_, work)| work).sum();
            let min_work: u32 = chain.iter().take(n as usize).map(|(_, work)| work / 2).sum();
            assert_eq!((sum.work, sum.min_work), (Attempts::from(work), Attempts::from(min_work)));
            let reach = forest.reach(Some(*hash), |sum| sum.work <= Attempts::from(work));
            assert_eq!(reach.sum.work, Attempts::from(work));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Random trees, inserted in random order, with removals in between, always equal the model.
    #[test]
    fn skip_list_equals_naive_sum(
        parents in prop::collection::vec((any::<u32>(), 1..1000_u32), 1..70),
        order in any::<u64>(),
        seed in any::<u64>(),
        removals in prop::collection::vec(any::<u32>(), 0..40),
    ) {
        let count = u32::try_from(parents.len()).unwrap();
        let mut records: Vec<_> = parents.iter().zip(0_u32..).map(|((pick, work), index)| {
            // Mostly long chains; now and then a fork, a first share, or a parent never known.
            let parent = match pick % 16 {
                0 => None,
                1 => Some(name(1000 + pick % 3)),
                2..=4 => Some(name(pick / 16 % (index + 1))),
                _ => Some(name(index.wrapping_sub(1))),
            };
            (name(index), parent.filter(|parent| *parent != name(index)), *work)
        }).collect();
        let mut state = order;
        for at in (1..records.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            records.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let mut forest = Forest::new(seed);
        let mut naive = Naive::default();
        let mut removals = removals.into_iter();
        for (hash, parent, work) in records {
            prop_assert!(forest.insert(hash, parent, delta(work), ()));
            prop_assert!(!forest.insert(hash, parent, delta(work), ()));
            naive.parents.insert(hash, (parent, work));
            compare(&forest, &naive);
            if work % 3 == 0 && let Some(pick) = removals.next() {
                let victim = name(pick % count);
                let is_known = naive.parents.contains_key(&victim);
                let is_head = naive.heads().contains_key(&victim);
                let is_bottom = naive.parents.get(&victim)
                    .is_some_and(|(p, _)| p.is_none_or(|p| !naive.parents.contains_key(&p)));
                let outcome = forest.remove(victim);
                if is_head || is_bottom {
                    prop_assert_eq!(outcome, Ok(()));
                    naive.parents.remove(&victim);
                } else if is_known {
                    prop_assert_eq!(outcome, Err(RemoveError::Interior));
                } else {
                    prop_assert_eq!(outcome, Err(RemoveError::Unknown));
                }
                compare(&forest, &naive);
            }
        }
    }
}

#[test]
fn long_chain_is_walked_in_few_steps_and_sums_right() {
    let mut forest = Forest::new(7);
    for index in 0..20_000 {
        let parent = if index == 0 { None } else { Some(name(index - 1)) };
        forest.insert(name(index), parent, delta(3), ());
    }
    assert_eq!(forest.height_and_last(Some(name(19_999))), (20_000, None));
    assert_eq!(forest.nth_parent(Some(name(19_999)), 19_999), Some(name(0)));
    assert_eq!(forest.nth_parent(Some(name(19_999)), 20_000), None);
    assert_eq!(forest.sum_of(Some(name(19_999)), 8_640).work, Attempts::from(3 * 8_640));
    assert!(forest.is_ancestor(name(5), name(19_999)));
    assert!(!forest.is_ancestor(name(19_999), name(5)));
}

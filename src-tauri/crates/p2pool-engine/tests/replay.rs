//! What is stored is what is known: replayed change sets equal the live state.

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use p2pool_engine::{Input, Loaded, LoadedShare, Output};
use p2pool_sharechain::change::{ChangeSet, StoredShare};
use p2pool_sharechain::{CheckedShare, Params, ShareHash};
use proptest::prelude::*;
use rig::{HARD_BITS, Rig};

/// So short a chain that it is pruned while one watches.
fn short() -> Params {
    Params { chain_length: 20, real_chain_length: 20, target_lookbehind: 10, ..rig::params() }
}

/// A disk that holds what change sets say.
#[derive(Default)]
struct Disk {
    shares: BTreeMap<ShareHash, StoredShare>,
    best: Option<ShareHash>,
}

impl Disk {
    fn apply(&mut self, changes: ChangeSet) {
        for share in changes.added {
            self.shares.insert(share.hash, share);
        }
        for hash in changes.verified {
            self.shares.get_mut(&hash).expect("verified shares are stored").verified = true;
        }
        for hash in changes.removed {
            self.shares.remove(&hash);
        }
        self.best = changes.best.or(self.best);
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            if let Output::Persist { changes, .. } = output {
                self.apply(changes);
            }
        }
    }
}

fn known(rig: &Rig) -> (BTreeSet<ShareHash>, BTreeSet<ShareHash>) {
    let tracker = rig.engine.tracker();
    let heads: Vec<ShareHash> = tracker.heads().map(|(head, _)| head).collect();
    let all: BTreeSet<ShareHash> = heads
        .into_iter()
        .flat_map(|head| tracker.chain(Some(head)).map(|known| known.share.hash()))
        .collect();
    let verified = all.iter().copied().filter(|hash| tracker.is_verified(*hash)).collect();
    (all, verified)
}

fn compare(disk: &Disk, rig: &Rig) {
    let (all, verified) = known(rig);
    assert_eq!(disk.shares.keys().copied().collect::<BTreeSet<_>>(), all);
    let stored = disk.shares.values().filter(|share| share.verified).map(|share| share.hash);
    assert_eq!(stored.collect::<BTreeSet<_>>(), verified);
    assert_eq!(disk.best, rig.engine.best());
}

fn restarted(disk: &Disk, old: &Rig) -> Rig {
    let mut shares: Vec<&StoredShare> = disk.shares.values().collect();
    shares.sort_by_key(|share| share.abs_height);
    let load = |stored: &&StoredShare| LoadedShare {
        share: Arc::new(CheckedShare::parse(&stored.raw, &short()).expect("own shares parse")),
        is_verified: stored.verified,
    };
    let shares = shares.iter().map(load).collect();
    let mut rig = Rig::new(short(), 0);
    rig.now = old.now;
    rig.template(10, HARD_BITS);
    rig.handle(Input::Load(Box::new(Loaded { shares, ..Loaded::default() })));
    rig
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Chains with forks, late finds, pauses and pruning: the disk always has what the engine has,
    /// and an engine that starts from the disk goes on from the same share.
    #[test]
    fn replayed_changes_equal_live_state(steps in prop::collection::vec(0..20_u8, 60..160)) {
        let mut rig = Rig::new(short(), 0);
        let mut disk = Disk::default();
        rig.template(10, HARD_BITS);
        let mut late = None;
        for step in steps {
            // Slow enough for the share target to stay easy.
            let wait = if step == 0 { 400 } else { 12 };
            let outputs = rig.advance(Duration::from_secs(wait));
            disk.take(outputs);
            if step == 1 {
                late = Some(rig.find_share());
            }
            if step == 2 && let Some((template, solution)) = late.take() {
                let outputs = rig.hand_in(template, solution, false);
                disk.take(outputs);
            }
            let outputs = rig.mine(true);
            disk.take(outputs);
            compare(&disk, &rig);
        }
        let again = restarted(&disk, &rig);
        compare(&disk, &again);
    }
}

//! A node's disk: what is written survives a crash, what waits does not.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use p2pool_engine::{Loaded, LoadedShare};
use p2pool_sharechain::change::{ChangeSet, FoundBlock, OwnShare, StoredShare};
use p2pool_sharechain::{CheckedShare, Params, ShareHash};
use p2pool_wire::addrbook::{AddressChanges, AddressRecord};
use p2pool_wire::peering::BanRecord;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) shares: BTreeMap<ShareHash, StoredShare>,
    pub(crate) own: BTreeMap<ShareHash, OwnShare>,
    pub(crate) blocks: BTreeMap<ShareHash, FoundBlock>,
    pub(crate) best: Option<ShareHash>,
    pub(crate) addresses: BTreeMap<SocketAddr, AddressRecord>,
    pub(crate) bans: BTreeMap<IpAddr, BanRecord>,
    /// Time that one change set takes.
    pub(crate) pace: Range<Duration>,
    waiting: VecDeque<(u64, ChangeSet)>,
    free_at: Duration,
}

impl Disk {
    pub(crate) fn new(pace: Range<Duration>) -> Self {
        Self {
            shares: BTreeMap::new(),
            own: BTreeMap::new(),
            blocks: BTreeMap::new(),
            best: None,
            addresses: BTreeMap::new(),
            bans: BTreeMap::new(),
            pace,
            waiting: VecDeque::new(),
            free_at: Duration::ZERO,
        }
    }

    /// Writes shares as an earlier run would have left them.
    pub(crate) fn fill(&mut self, history: &[StoredShare]) {
        self.shares.extend(history.iter().map(|share| (share.hash, share.clone())));
        self.best = history.last().map(|share| share.hash);
    }

    /// A new disk.
    pub(crate) fn wipe(&mut self) {
        *self = Self::new(self.pace.clone());
    }

    /// Writes addresses of other nodes.
    pub(crate) fn save_addresses(&mut self, changes: AddressChanges) {
        let changed = changes.changed.into_iter();
        self.addresses.extend(changed.map(|record| (record.address, record)));
        for address in changes.removed {
            self.addresses.remove(&address);
        }
    }

    /// Takes a change set; says when it will have been written.
    pub(crate) fn write(
        &mut self,
        now: Duration,
        sequence: u64,
        changes: ChangeSet,
        rng: &mut Rng,
    ) -> Duration {
        let span = self.pace.end.saturating_sub(self.pace.start);
        let takes = self.pace.start + span.mul_f64(rng.f64());
        self.waiting.push_back((sequence, changes));
        self.free_at = self.free_at.max(now) + takes;
        self.free_at
    }

    /// One more change set is on the disk; its number.
    pub(crate) fn advance(&mut self) -> Option<u64> {
        let (sequence, changes) = self.waiting.pop_front()?;
        self.apply(changes);
        Some(sequence)
    }

    /// Power fails: what waits is lost.
    pub(crate) fn crash(&mut self) {
        self.waiting.clear();
    }

    /// An orderly end: everything is written.
    pub(crate) fn flush(&mut self) {
        while self.advance().is_some() {}
    }

    /// Hashes of all shares that are or will be written.
    pub(crate) fn hashes_in_the_end(&self) -> std::collections::BTreeSet<ShareHash> {
        let mut hashes: std::collections::BTreeSet<ShareHash> =
            self.shares.keys().copied().collect();
        for (_, changes) in &self.waiting {
            hashes.extend(changes.added.iter().map(|share| share.hash));
            for hash in &changes.removed {
                hashes.remove(hash);
            }
        }
        hashes
    }

    /// What a starting node finds.
    pub(crate) fn load(&self, params: &Params) -> Loaded {
        let mut shares: Vec<&StoredShare> = self.shares.values().collect();
        shares.sort_by_key(|share| (share.abs_height, share.hash));
        let load = |stored: &&StoredShare| LoadedShare {
            share: Arc::new(CheckedShare::parse(&stored.raw, params).expect("it was checked once")),
            is_verified: stored.verified,
        };
        Loaded {
            shares: shares.iter().map(load).collect(),
            own: self.own.values().cloned().collect(),
            blocks: self.blocks.values().cloned().collect(),
        }
    }

    fn apply(&mut self, changes: ChangeSet) {
        self.shares.extend(changes.added.into_iter().map(|share| (share.hash, share)));
        for hash in changes.verified {
            self.shares.get_mut(&hash).expect("what is verified is stored").verified = true;
        }
        for hash in changes.removed {
            assert!(self.shares.remove(&hash).is_some(), "only what is stored is pruned");
        }
        self.best = changes.best.or(self.best);
        self.own.extend(changes.own.into_iter().map(|own| (own.hash, own)));
        self.blocks.extend(changes.blocks.into_iter().map(|block| (block.hash, block)));
    }
}

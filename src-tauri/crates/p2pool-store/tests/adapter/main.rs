//! The store against real files: what comes back, after which mishaps.

mod crash;
mod damage;
mod history;
mod migrations;
mod opening;
mod payments;
mod peers;
mod replay;
mod round_trip;

use std::path::Path;
use std::sync::Arc;

use p2pool_sharechain::CompactBits;
use p2pool_sharechain::change::{
    BlockStatus, ChangeSet, Fate, FoundBlock, Origin, OwnPlace, OwnShare, Standing, StoredShare,
};
use p2pool_sharechain::hash::ShareHash;
use p2pool_sharechain::time::UnixTime;
use p2pool_store::{Opened, Store};

const NETWORK: &str = "practice-7072616374696334";
const NOW: UnixTime = UnixTime(1_700_000_000);

fn open(dir: &Path) -> Opened {
    Store::open(dir, NETWORK, "0.1.0", NOW).expect("the folder is fine")
}

fn hash(number: u8) -> ShareHash {
    ShareHash::from_internal([number; 32])
}

fn share(number: u8) -> StoredShare {
    StoredShare {
        hash: hash(number),
        parent: number.checked_sub(1).map(hash),
        abs_height: u32::from(number),
        seen_at: UnixTime(NOW.0 + u64::from(number)),
        origin: Origin::Peer,
        verified: false,
        raw: Arc::from(vec![number; 300]),
    }
}

fn own_share(number: u8) -> OwnShare {
    OwnShare {
        hash: hash(number),
        worker: format!("rig{number}"),
        found_at: UnixTime(NOW.0 + u64::from(number)),
        fate: Fate::Open,
        place: Some(OwnPlace { abs_height: u32::from(number), bits: CompactBits(0x1d00_ffff) }),
    }
}

fn block(number: u8) -> FoundBlock {
    FoundBlock {
        hash: hash(number),
        height: 900_000 + u32::from(number),
        found_at: UnixTime(NOW.0 + u64::from(number)),
        own: true,
        status: BlockStatus::Submitting,
        reason: None,
        raw: Some(Arc::from(vec![0xb0, number])),
        payouts: vec![(vec![0, 20, number], 312_000_000), (vec![0x51], 500_000)],
        txid: Some([number; 32]),
        paid_heights: Some((1, u32::from(number))),
        standing: Some(Standing {
            abs_work: u128::MAX - u128::from(number),
            bits: CompactBits(0x1d00_ffff),
        }),
    }
}

/// Everything that a restart begins with.
#[derive(Debug, PartialEq)]
struct Contents {
    shares: Vec<StoredShare>,
    own: Vec<OwnShare>,
    blocks: Vec<FoundBlock>,
    best: Option<ShareHash>,
}

fn contents(store: &Store) -> Contents {
    let mut shares: Vec<_> = store.load_shares().map(|share| share.expect("readable")).collect();
    shares.sort_by_key(|share| (share.abs_height, share.hash));
    let mut own = store.load_own_shares(1000).expect("readable");
    own.sort_by_key(|share| share.hash);
    let mut blocks = store.load_blocks(1000).expect("readable");
    blocks.sort_by_key(|block| block.hash);
    Contents { shares, own, blocks, best: store.load_best().expect("readable") }
}

fn one_share(number: u8) -> ChangeSet {
    ChangeSet { added: vec![share(number)], best: Some(hash(number)), ..ChangeSet::default() }
}

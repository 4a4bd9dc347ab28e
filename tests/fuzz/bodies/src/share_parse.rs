//! Shares as bytes: parsing, checking alone, and the checks in a chain, on several networks.

use std::sync::Arc;

use bitcoin::Network;
use p2pool_sharechain::share::ParseShareError;
use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::verify::StandaloneError;
use p2pool_sharechain::{CheckedShare, Params, Share, ShareHash, Tracker, U256, generation, stats};

/// What parsing adds at most where the end of the data is cut off: one hash.
const CUT_OFF_BYTES_MAX: usize = 64;
/// Times the data's size that a parsed share may take: a pair of two bytes takes sixteen.
const GROWTH_MAX: usize = 8;

/// Parses the bytes as a share of each network.
///
/// # Panics
/// Where a share changes by being written and read again, takes more memory than its bytes allow,
/// or passes a check that it should not.
pub fn share_parse(data: &[u8]) {
    for params in networks() {
        on_network(data, &Arc::new(params));
    }
}

fn networks() -> [Params; 6] {
    // Two on which proof of work is no obstacle, or the fuzzer would rarely get past it.
    let easy = |params| Params { max_target: U256::MAX, ..params };
    [
        Params::mainnet(),
        Params::testnet(),
        Params::regtest(),
        Params::practice(Network::Testnet4),
        easy(Params::mainnet()),
        easy(Params::regtest()),
    ]
}

fn on_network(data: &[u8], params: &Arc<Params>) {
    let checked = CheckedShare::parse(data, params);
    let share = match Share::parse(data, params) {
        Ok(share) => share,
        Err(error) => {
            assert_eq!(checked, Err(StandaloneError::Parse(error.clone())));
            check_refusal(data, &error);
            return;
        }
    };
    assert!(heap_bytes(&share) <= GROWTH_MAX * data.len(), "{} bytes of data", data.len());
    assert_eq!(CheckedShare::check(share.clone(), params), checked);
    let lacks_witness =
        share.info.segwit.is_none() && share.version.number() >= params.segwit_activation;
    if lacks_witness && share.version.refers_to_transactions() {
        // Such a share cannot be written; it must not pass, then.
        assert!(checked.is_err(), "a share without witness data passes");
        return;
    }
    let written = share.to_bytes();
    assert!(written.len() <= data.len() + CUT_OFF_BYTES_MAX);
    assert_eq!(Share::parse(&written, params).as_ref(), Ok(&share));
    if let Ok(checked) = checked {
        assert_eq!(CheckedShare::parse(&written, params).as_ref(), Ok(&checked));
        assert!(!lacks_witness, "a share without witness data passes");
        assert!(checked.hash().to_uint() <= checked.target());
        assert!(checked.target() <= params.max_target);
        in_a_chain(&Arc::new(checked), params);
    }
}

fn check_refusal(data: &[u8], error: &ParseShareError) {
    if let ParseShareError::UnknownVersion(version) = error {
        assert!(![17, 32, 33, 34, 35].contains(version), "{data:?}");
    }
    assert!(!error.to_string().is_empty());
}

fn heap_bytes(share: &Share) -> usize {
    let info = &share.info;
    let hashes =
        [&share.ref_merkle_branch, &share.merkle_branch].map(Vec::len).iter().sum::<usize>()
            + info.segwit.as_ref().map_or(0, |segwit| segwit.txid_branch.len())
            + info.tx_refs.as_ref().map_or(0, |refs| refs.new_hashes.len());
    let pairs = info.tx_refs.as_ref().map_or(0, |refs| refs.refs.len());
    // A list's last hash may be cut off.
    hashes.saturating_sub(4) * 32 + pairs * 16 + info.data.coinbase.len()
}

/// Everything that a tracker does with a share that came alone.
fn in_a_chain(share: &Arc<CheckedShare>, params: &Arc<Params>) {
    let hash = share.hash();
    let mut tracker = Tracker::new(Arc::clone(params), 1);
    let known = KnownShare { share: Arc::clone(share), seen: MonoTime::ZERO, sender: Some(1) };
    assert_eq!(tracker.insert(known.clone()), Ok(true));
    assert_eq!(tracker.insert(known), Ok(false));
    assert_eq!(tracker.children(share.share().parent()), [hash]);
    let verdict = tracker.verify(hash, UnixTime(u64::from(u32::MAX)));
    assert_eq!(tracker.is_verified(hash), verdict.is_ok());
    if let Ok(generation) = tracker.generation_of(share) {
        let paid: u128 = generation.outputs().iter().map(|out| u128::from(out.value_sats)).sum();
        assert_eq!(paid, u128::from(share.share().info.data.subsidy_sats), "outputs sum up");
    }
    look_at(&mut tracker, share);
    assert_eq!(tracker.remove(hash), Ok(()));
    assert!(tracker.is_empty() && tracker.verified().is_empty());
}

/// Figures and windows over a chain of one.
fn look_at(tracker: &mut Tracker, share: &CheckedShare) {
    let (hash, bits) = (Some(share.hash()), share.share().header.bits);
    let window = tracker.expected_window(hash, bits);
    assert!(window.shares <= 1);
    let subsidy = share.share().info.data.subsidy_sats;
    let paid: u128 =
        generation::expected_payouts(&window, subsidy).values().map(|sats| u128::from(*sats)).sum();
    assert!(paid <= u128::from(subsidy));
    for distance in [0, 1, 2, 200] {
        let _rate = stats::attempts_per_second(tracker, hash, distance);
        let _counts = stats::stale_counts(tracker, hash, distance);
    }
    let users: f64 = stats::users(tracker, hash).iter().map(|(_, part)| part).sum();
    assert!(users < 1.000_001, "parts of {users}");
    let _vote = stats::leading_vote(tracker, hash);
    assert_eq!(tracker.nth_parent(hash, 0), hash);
    assert!(tracker.is_ancestor(share.hash(), share.hash()));
    let display = share.hash().to_string();
    assert_eq!(display.parse::<ShareHash>(), Ok(share.hash()));
}

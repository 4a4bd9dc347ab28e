use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn hashes(most: usize) -> impl Strategy<Value = Vec<Hash32>> {
    vec(any::<Hash32>(), 0..=most)
}

/// Any hash but zero, which stands for none.
fn share_hash() -> impl Strategy<Value = Option<ShareHash>> {
    let some = any::<Hash32>().prop_filter("zero is none", |hash| *hash != [0; 32]);
    prop::option::of(some.prop_map(ShareHash::from_internal))
}

fn segwit() -> impl Strategy<Value = SegwitData> {
    (hashes(3), any::<Hash32>())
        .prop_map(|(txid_branch, wtxid_root)| SegwitData { txid_branch, wtxid_root })
        .prop_filter("stands for none", |data| {
            !data.txid_branch.is_empty() || data.wtxid_root != SEGWIT_NONE_ROOT
        })
}

fn data(version: ShareVersion) -> impl Strategy<Value = ShareData> {
    let payee = if version.pays_addresses() {
        vec(any::<u8>(), 0..300).prop_map(Payee::Address).boxed()
    } else {
        any::<[u8; 20]>().prop_map(Payee::PubkeyHash).boxed()
    };
    let chosen = (any::<u32>(), any::<u64>(), any::<u16>(), any::<u8>(), any::<u64>());
    (share_hash(), vec(any::<u8>(), 0..300), payee, chosen).prop_map(
        |(previous_share, coinbase, payee, (nonce, subsidy_sats, donation, stale, vote))| {
            ShareData {
                previous_share,
                coinbase,
                nonce,
                payee,
                subsidy_sats,
                donation,
                stale_info: StaleInfo(stale),
                desired_version: vote,
            }
        },
    )
}

fn info(version: ShareVersion, params: &Params) -> impl Strategy<Value = ShareInfo> + use<> {
    let segwit = if version.number() >= params.segwit_activation {
        segwit().prop_map(Some).boxed()
    } else {
        Just(None).boxed()
    };
    let tx_refs = if version.refers_to_transactions() {
        (hashes(3), vec(any::<(u64, u64)>(), 0..5))
            .prop_map(|(new_hashes, refs)| Some(TxRefs { new_hashes, refs }))
            .boxed()
    } else {
        Just(None).boxed()
    };
    let follows = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u128>());
    (data(version), segwit, tx_refs, share_hash(), follows).prop_map(
        |(data, segwit, tx_refs, far_share, (max_bits, bits, timestamp, abs_height, abs_work))| {
            ShareInfo {
                data,
                segwit,
                tx_refs,
                far_share,
                max_bits: CompactBits(max_bits),
                bits: CompactBits(bits),
                timestamp,
                abs_height,
                abs_work,
            }
        },
    )
}

fn share(version: ShareVersion, params: &Params) -> impl Strategy<Value = Share> + use<> {
    let header = (any::<u64>(), any::<Hash32>(), any::<u32>(), any::<u32>(), any::<u32>());
    let header = header.prop_map(|(version, previous_block, timestamp, bits, nonce)| MinHeader {
        version,
        previous_block,
        timestamp,
        bits: CompactBits(bits),
        nonce,
    });
    let link = any::<(Hash32, u64)>().prop_map(|(state, length)| HashLink { state, length });
    (header, info(version, params), hashes(3), any::<u64>(), link, hashes(3)).prop_map(
        move |(header, info, ref_merkle_branch, last_txout_nonce, hash_link, merkle_branch)| {
            Share {
                version,
                header,
                info,
                ref_merkle_branch,
                last_txout_nonce,
                hash_link,
                merkle_branch,
            }
        },
    )
}

/// A network and any share that can be written there.
fn network_and_share() -> impl Strategy<Value = (Params, Share)> {
    let network = prop_oneof![Just(Params::mainnet()), Just(Params::regtest())];
    let version = prop::sample::select(vec![
        ShareVersion::V17,
        ShareVersion::V32,
        ShareVersion::V33,
        ShareVersion::V34,
        ShareVersion::V35,
    ]);
    (network, version).prop_flat_map(|(params, version)| {
        let share = share(version, &params);
        (Just(params), share)
    })
}

proptest! {
    #[test]
    fn every_share_reads_back_as_itself((params, share) in network_and_share()) {
        let bytes = share.to_bytes();
        prop_assert_eq!(Share::parse(&bytes, &params), Ok(share.clone()));
        let contents = share.contents_to_bytes();
        prop_assert_eq!(
            Share::parse_contents(share.version.number(), &contents, &params),
            Ok(share)
        );
        let mut longer = bytes;
        longer.push(0);
        prop_assert_eq!(
            Share::parse(&longer, &params),
            Err(ParseShareError::Pack(PackError::Trailing(1)))
        );
    }

    /// Cut off anywhere, or with a byte changed: refused, or a share that reads back as itself.
    #[test]
    fn damaged_bytes_never_lead_to_two_readings(
        (params, share) in network_and_share(),
        at in any::<prop::sample::Index>(),
        change in any::<u8>(),
        cuts in any::<bool>(),
    ) {
        let mut bytes = share.to_bytes();
        let at = at.index(bytes.len());
        if cuts {
            bytes.truncate(at);
        } else {
            bytes[at] ^= change;
        }
        if let Ok(read) = Share::parse(&bytes, &params) {
            // Lacking witness data is read, but refused by the checks and never written.
            let lacks_witness =
                read.info.segwit.is_none() && read.version.number() >= params.segwit_activation;
            if !lacks_witness {
                prop_assert_eq!(Share::parse(&read.to_bytes(), &params), Ok(read));
            }
        }
    }

    #[test]
    fn arbitrary_contents_never_panic(
        number in 0..40_u64,
        contents in vec(any::<u8>(), 0..600),
    ) {
        for params in [Params::mainnet(), Params::regtest()] {
            if let Ok(share) = Share::parse_contents(number, &contents, &params) {
                let _ = crate::CheckedShare::check(share, &params);
            }
        }
    }
}

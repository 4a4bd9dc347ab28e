//! Block templates, which the kernel does not build.

use bitcoin::{BlockHash, CompactTarget, Network, Target};
use p2pool_bitcoind::model::TemplateAnswer;
use p2pool_sharechain::Params;

/// Version of blocks without signalling. Source: BIP-0009.
const VERSION: i32 = 0x2000_0000;

/// What the chain demands of its next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextBlock {
    /// The block to build on.
    pub previous_block: BlockHash,
    /// Height of the next block.
    pub height: u32,
    /// Target, right for [`time`](Self::time).
    pub bits: CompactTarget,
    /// Lowest header time allowed, unix seconds.
    pub min_time: u32,
    /// Present time or, if later, the lowest allowed, unix seconds.
    pub time: u32,
}

/// Answer to `getblocktemplate`: no transactions, so the subsidy is all that there is to pay.
pub fn answer(network: Network, next: &NextBlock) -> TemplateAnswer<'static> {
    TemplateAnswer {
        version: VERSION,
        rules: vec!["csv".into(), "!segwit".into(), "taproot".into()],
        vbavailable: Default::default(),
        vbrequired: 0,
        previousblockhash: next.previous_block,
        transactions: Vec::new(),
        coinbaseaux: Default::default(),
        coinbasevalue: Params::practice(network).subsidy_sats(next.height),
        longpollid: longpollid(next.previous_block),
        target: format!("{:064x}", Target::from_compact(next.bits)).into(),
        mintime: next.min_time,
        mutable: ["time", "transactions", "prevblock"].map(str::to_owned).into(),
        noncerange: "00000000ffffffff".into(),
        sigoplimit: 80_000,
        sizelimit: 4_000_000,
        weightlimit: Some(4_000_000),
        curtime: next.time,
        bits: next.bits.to_consensus(),
        height: next.height,
        default_witness_commitment: None,
        signet_challenge: None,
    }
}

/// The id of templates on `tip`. The digit after the hash counts changes of the mempool, of which
/// there are none.
pub fn longpollid(tip: BlockHash) -> String {
    format!("{tip}0")
}

/// The tip that a long-poll id speaks of; `None` if it is no such id.
pub fn longpoll_tip(longpollid: &str) -> Option<BlockHash> {
    longpollid.get(..64)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use bitcoin::constants::genesis_block;
    use p2pool_bitcoind::template::parse;

    use super::*;

    fn next(network: Network, height: u32) -> NextBlock {
        let genesis = genesis_block(network).header;
        NextBlock {
            previous_block: genesis.block_hash(),
            height,
            bits: genesis.bits,
            min_time: genesis.time + 1,
            time: genesis.time + 60,
        }
    }

    #[test]
    fn our_own_client_understands_it() {
        for (network, bits) in [(Network::Testnet4, 0x1d00_ffff), (Network::Regtest, 0x207f_ffff)] {
            let answer = answer(network, &next(network, 1));
            let text = serde_json::to_string(&answer).unwrap();
            let read = serde_json::from_str(&text).unwrap();
            let template = parse(&read, network, Some(0)).unwrap();
            assert_eq!((template.height, template.bits.0), (1, bits));
            assert_eq!(template.coinbase_value_sats, 5_000_000_000);
        }
    }

    #[test]
    fn subsidy_halves_as_the_chain_demands() {
        let value = |network, height| answer(network, &next(network, height)).coinbasevalue;
        assert_eq!(value(Network::Regtest, 149), 5_000_000_000);
        assert_eq!(value(Network::Regtest, 150), 2_500_000_000);
        assert_eq!(value(Network::Testnet4, 209_999), 5_000_000_000);
        assert_eq!(value(Network::Testnet4, 210_000), 2_500_000_000);
    }

    #[test]
    fn long_poll_ids_name_their_tip() {
        let tip = genesis_block(Network::Regtest).block_hash();
        assert_eq!(longpoll_tip(&longpollid(tip)), Some(tip));
        assert_eq!(longpoll_tip(&format!("{tip}17")), Some(tip));
        for bad in ["", "00", "é", &"z".repeat(65)] {
            assert_eq!(longpoll_tip(bad), None);
        }
    }
}

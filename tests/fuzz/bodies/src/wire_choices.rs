//! Messages between nodes, taken from the fuzzer's bytes: every kind, well made.

use bitcoin::absolute::LockTime;
use bitcoin::bip152::{
    BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds, PrefilledTransaction, ShortId,
};
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version as TxVersion;
use bitcoin::{
    Amount, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Witness,
};
use p2pool_sharechain::{Hash32, ShareHash};
use p2pool_wire::frame::{Command, Frame};
use p2pool_wire::message::{
    AddrRecord, NetAddr, RawShare, ReplyResult, ShareReply, ShareReq, Version,
};
use p2pool_wire::{Message, Services};

use crate::choices::Choices;

/// Elements of one list, most of the time.
const LIST_MAX: usize = 6;

/// One message of any kind but the greeting.
pub(crate) fn message(choices: &mut Choices<'_>) -> Message {
    match choices.below(17) {
        0 => Message::Ping,
        1 => Message::AddrMe { port: choices.u16() },
        2 => Message::Addrs(list(choices, |choices| AddrRecord {
            timestamp: choices.u64(),
            address: address(choices),
        })),
        3 => Message::GetAddrs { count: u32::from(choices.u16()) },
        4 => Message::Shares(shares(choices)),
        5 => Message::ShareReq(question(choices)),
        6 => Message::ShareReply(ShareReply {
            id: hash(choices),
            result: choices.pick(&[
                ReplyResult::Good,
                ReplyResult::TooLong,
                ReplyResult::Other(2),
                ReplyResult::Other(6),
            ]),
            shares: shares(choices),
        }),
        7 => {
            let mut header = [0; 80];
            let bytes = choices.slice(80);
            header[..bytes.len()].copy_from_slice(bytes);
            Message::BestBlock(header)
        }
        8 => Message::HaveTx(list(choices, hash)),
        9 => Message::LosingTx(list(choices, hash)),
        10 => Message::RememberTx {
            tx_hashes: list(choices, hash),
            txs: list(choices, |choices| bitcoin::consensus::serialize(&transaction(choices))),
        },
        11 => Message::ForgetTx(list(choices, hash)),
        12 => Message::ShareHashes(share_hashes(choices)),
        13 => Message::CompactBlock(Box::new(compact_block(choices))),
        14 => Message::GetBlockTxn(BlockTransactionsRequest {
            block_hash: BlockHash::from_byte_array(hash(choices)),
            indexes: places(choices),
        }),
        15 => Message::BlockTxn(BlockTransactions {
            block_hash: BlockHash::from_byte_array(hash(choices)),
            transactions: list(choices, transaction),
        }),
        _ => Message::Unknown(Frame {
            command: Command::new(choices.pick(&["bogus", "", "123456789012"])),
            payload: {
                let bytes = choices.below(300);
                choices.slice(bytes).to_vec()
            },
        }),
    }
}

/// A greeting that nobody refuses.
pub(crate) fn greeting(choices: &mut Choices<'_>, nonce: u64) -> Version {
    Version {
        version: choices.pick(&[3500, 3501, 3502, u32::MAX]),
        services: services(choices),
        addr_to: address(choices),
        addr_from: address(choices),
        nonce,
        sub_version: {
            let bytes = choices.below(600);
            choices.slice(bytes).to_vec()
        },
        mode: u32::from(choices.u16()),
        best_share_hash: Some(hash(choices))
            .filter(|h| *h != [0; 32])
            .map(ShareHash::from_internal),
    }
}

/// Any bits of services.
pub(crate) fn services(choices: &mut Choices<'_>) -> Services {
    let known = [Services::COMPACT_BLOCKS, Services::SHARE_HASHES, Services::WANTS_SHARE_HASHES];
    let mut services = Services(u64::from(choices.u8() >> 3));
    for bit in known {
        if choices.flag() {
            services = services | bit;
        }
    }
    services
}

/// A question for shares, small or as large as may be.
fn question(choices: &mut Choices<'_>) -> ShareReq {
    ShareReq {
        id: hash(choices),
        hashes: share_hashes(choices),
        parents: choices.pick(&[0, 1, 499, u64::MAX]),
        stops: share_hashes(choices),
    }
}

fn shares(choices: &mut Choices<'_>) -> Vec<RawShare> {
    list(choices, |choices| RawShare {
        version: choices.pick(&[35, 36, 0, u64::MAX]),
        contents: {
            let bytes = choices.below(300);
            choices.slice(bytes).to_vec()
        },
    })
}

fn compact_block(choices: &mut Choices<'_>) -> HeaderAndShortIds {
    let short_ids = list(choices, |choices| {
        let mut id = [0; 6];
        id.copy_from_slice(&hash(choices)[..6]);
        ShortId::from(id)
    });
    let mut free = short_ids.len();
    let prefilled_txs = list(choices, |choices| {
        let idx = choices.below(free + 1);
        free -= idx;
        PrefilledTransaction {
            idx: u16::try_from(idx).expect("a short list"),
            tx: transaction(choices),
        }
    });
    let header = Header {
        version: BlockVersion::from_consensus(i32::from(choices.u8())),
        prev_blockhash: BlockHash::from_byte_array(hash(choices)),
        merkle_root: TxMerkleNode::from_byte_array(hash(choices)),
        time: u32::from(choices.u16()),
        bits: CompactTarget::from_consensus(u32::from(choices.u16())),
        nonce: u32::from(choices.u16()),
    };
    HeaderAndShortIds { header, nonce: choices.u64(), short_ids, prefilled_txs }
}

fn transaction(choices: &mut Choices<'_>) -> Transaction {
    let input = list(choices, |choices| TxIn {
        previous_output: OutPoint::null(),
        script_sig: script(choices),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&list(choices, |choices| script(choices).into_bytes())),
    });
    let output = list(choices, |choices| TxOut {
        value: Amount::from_sat(choices.u64()),
        script_pubkey: script(choices),
    });
    Transaction {
        version: TxVersion::TWO,
        lock_time: LockTime::from_consensus(u32::from(choices.u16())),
        input,
        output,
    }
}

fn script(choices: &mut Choices<'_>) -> ScriptBuf {
    let bytes = choices.below(40);
    ScriptBuf::from_bytes(choices.slice(bytes).to_vec())
}

/// Places in ascending order.
fn places(choices: &mut Choices<'_>) -> Vec<u64> {
    let mut next = 0;
    list(choices, |choices| {
        let place = next + u64::from(choices.u16());
        next = place + 1;
        place
    })
}

fn address(choices: &mut Choices<'_>) -> NetAddr {
    let [a, b, ..] = hash(choices);
    let text = std::net::Ipv4Addr::new(a, b, 3, 4);
    NetAddr { services: services(choices), ip: text.to_ipv6_mapped(), port: choices.u16() }
}

fn share_hashes(choices: &mut Choices<'_>) -> Vec<ShareHash> {
    list(choices, hash).into_iter().map(ShareHash::from_internal).collect()
}

/// A hash from two bytes: what matters is which are equal.
fn hash(choices: &mut Choices<'_>) -> Hash32 {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&choices.u16().to_le_bytes());
    hash
}

fn list<T>(choices: &mut Choices<'_>, mut element: impl FnMut(&mut Choices<'_>) -> T) -> Vec<T> {
    let count = choices.below(LIST_MAX + 1);
    (0..count).map(|_| element(choices)).collect()
}

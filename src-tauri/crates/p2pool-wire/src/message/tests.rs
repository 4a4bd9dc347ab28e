use bitcoin::absolute::LockTime;
use bitcoin::bip152::PrefilledTransaction;
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version as TxVersion;
use bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use p2pool_sharechain::pack::write_var_int;

use super::codec::*;
use super::*;
use crate::frame::Decoder;

const PREFIX: [u8; 8] = [0x24, 0x72, 0xef, 0x18, 0x1e, 0xfc, 0xd3, 0x7b];

fn payload(command: &str, payload: &[u8]) -> Frame {
    Frame { command: Command::new(command), payload: payload.to_vec() }
}

fn round_trip(message: &Message) -> Message {
    let bytes = message.encode(PREFIX).unwrap();
    let frame = Decoder::new(PREFIX).decode(&mut &bytes[..]).unwrap().unwrap();
    Message::decode(frame).unwrap()
}

fn error(command: &str, bytes: &[u8]) -> PayloadError {
    Message::decode(payload(command, bytes)).unwrap_err().source
}

#[test]
fn ports_are_little_endian_in_addrme_and_big_endian_in_addresses() {
    let message = Message::decode(payload("addrme", &[0x75, 0x24])).unwrap();
    assert_eq!(message, Message::AddrMe { port: 9333 });

    let record = AddrRecord {
        timestamp: 1_700_000_000,
        address: NetAddr::from("203.0.113.7:9333".parse::<SocketAddr>().unwrap()),
    };
    let bytes = Message::Addrs(vec![record]).encode(PREFIX).unwrap();
    assert_eq!(bytes[bytes.len() - 8..], [0xff, 0xff, 203, 0, 113, 7, 0x24, 0x75]);
}

#[test]
fn an_empty_list_of_shares_is_normal() {
    assert_eq!(Message::decode(payload("shares", &[0])).unwrap(), Message::Shares(vec![]));
}

#[test]
fn short_and_long_payloads_are_refused() {
    assert_eq!(error("getaddrs", &[1, 0, 0]), PayloadError::Pack(PackError::Short));
    assert_eq!(error("ping", &[0x78]), PayloadError::Pack(PackError::Trailing(1)));
    assert_eq!(error("bestblock", &[0; 79]), PayloadError::Pack(PackError::Short));
    assert_eq!(error("bestblock", &[0; 81]), PayloadError::Pack(PackError::Trailing(1)));
    assert_eq!(error("shares", &[]), PayloadError::Pack(PackError::Short));
    assert_eq!(error("have_tx", &[0xfd, 1, 0]), PayloadError::Pack(PackError::NonMinimal));
}

#[test]
fn wide_numbers_and_strings_may_be_cut_off_at_the_end() {
    let mut bytes = vec![5; 32];
    bytes.extend([0, 0, 1, 0x99]);
    let Message::ShareReq(request) = Message::decode(payload("sharereq", &bytes)).unwrap() else {
        panic!("not a sharereq");
    };
    let mut stop = [0; 32];
    stop[0] = 0x99;
    assert_eq!(request.stops, vec![ShareHash::from_internal(stop)]);

    let message = Message::decode(payload("shares", &[1, 35, 9, 0xaa])).unwrap();
    assert_eq!(message, Message::Shares(vec![RawShare { version: 35, contents: vec![0xaa] }]));
}

#[test]
fn results_above_six_do_not_exist() {
    let reply = |result| {
        let mut bytes = vec![0; 32];
        bytes.extend([result, 0]);
        payload("sharereply", &bytes)
    };
    for result in 0..=6 {
        let message = Message::decode(reply(result)).unwrap();
        assert_eq!(round_trip(&message), message);
    }
    let error = Message::decode(reply(7)).unwrap_err();
    assert_eq!(error.source, PayloadError::Result(7));
    assert_eq!(error.blame(), Blame::Nobody);
}

#[test]
fn more_shares_than_any_honest_message_has_are_refused_before_they_take_memory() {
    let mut bytes = Vec::new();
    write_var_int(&mut bytes, SHARES_MAX as u64 + 1);
    bytes.resize(bytes.len() + 2 * (SHARES_MAX + 1), 0);
    assert_eq!(error("shares", &bytes), PayloadError::ListTooLong(SHARES_MAX));

    bytes.clear();
    write_var_int(&mut bytes, SHARES_MAX as u64);
    bytes.resize(bytes.len() + 2 * SHARES_MAX, 0);
    let Message::Shares(shares) = Message::decode(payload("shares", &bytes)).unwrap() else {
        panic!("not shares");
    };
    assert_eq!(shares.len(), SHARES_MAX);
}

#[test]
fn a_question_for_more_shares_than_anyone_wants_is_refused() {
    let mut bytes = vec![5; 32];
    write_var_int(&mut bytes, REQUEST_HASHES_MAX as u64 + 1);
    assert_eq!(error("sharereq", &bytes), PayloadError::ListTooLong(REQUEST_HASHES_MAX));
}

#[test]
fn a_claimed_count_alone_takes_no_memory() {
    for command in ["addrs", "have_tx", "remember_tx"] {
        let mut bytes = Vec::new();
        write_var_int(&mut bytes, u64::MAX);
        assert_eq!(error(command, &bytes), PayloadError::Pack(PackError::Short), "{command}");
    }
    let mut bytes = vec![0];
    write_var_int(&mut bytes, u64::MAX);
    let too_many = PayloadError::ListTooLong(TRANSACTIONS_MAX);
    assert_eq!(error("remember_tx", &bytes), too_many);
}

#[test]
fn absurd_counts_inside_a_transaction_end_with_the_data() {
    // Version, witness marker and flag, then nine bytes of count.
    let tx = [1, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let bytes = [&[0, 1][..], &tx].concat();
    assert_eq!(error("remember_tx", &bytes), PayloadError::Pack(PackError::Short));
}

#[test]
fn an_unknown_command_is_kept_as_it_is() {
    let frame = payload("foobar", b"abc");
    let message = Message::decode(frame.clone()).unwrap();
    assert_eq!(message, Message::Unknown(frame));
    assert_eq!(round_trip(&message), message);
}

#[test]
fn addresses_of_both_families_travel() {
    for text in ["198.51.100.2:50123", "[2001:db8::1]:9333"] {
        let addr: SocketAddr = text.parse().unwrap();
        assert_eq!(NetAddr::from(addr).socket_addr(), addr);
    }
}

fn net_addrs() -> impl Strategy<Value = NetAddr> {
    (any::<u64>(), any::<u128>(), any::<u16>()).prop_map(|(services, ip, port)| NetAddr {
        services: Services(services),
        ip: Ipv6Addr::from(ip),
        port,
    })
}

fn hashes() -> impl Strategy<Value = Vec<Hash32>> {
    vec(any::<[u8; 32]>(), 0..4)
}

fn share_hashes() -> impl Strategy<Value = Vec<ShareHash>> {
    vec(any::<[u8; 32]>().prop_map(ShareHash::from_internal), 0..4)
}

fn raw_shares() -> impl Strategy<Value = Vec<RawShare>> {
    let share = (any::<u64>(), vec(any::<u8>(), 0..300))
        .prop_map(|(version, contents)| RawShare { version, contents });
    vec(share, 0..4)
}

prop_compose! {
    fn versions()(
        version in any::<u32>(),
        services in any::<u64>(),
        addr_to in net_addrs(),
        addr_from in net_addrs(),
        nonce in any::<u64>(),
        sub_version in vec(any::<u8>(), 0..40),
        mode in any::<u32>(),
        best in any::<Option<[u8; 32]>>(),
    ) -> Version {
        let best_share_hash =
            best.filter(|hash| *hash != [0; 32]).map(ShareHash::from_internal);
        let services = Services(services);
        Version { version, services, addr_to, addr_from, nonce, sub_version, mode, best_share_hash }
    }
}

fn transaction(lock_time: u32, witness: &[Vec<u8>]) -> Transaction {
    Transaction {
        version: TxVersion::TWO,
        lock_time: LockTime::from_consensus(lock_time),
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: ScriptBuf::from_bytes(vec![3, 1, 2, 3]),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(witness),
        }],
        output: vec![TxOut { value: Amount::from_sat(7), script_pubkey: ScriptBuf::new() }],
    }
}

fn blocks() -> impl Strategy<Value = Block> {
    let txs = vec((any::<u32>(), vec(vec(any::<u8>(), 0..9), 0..3)), 1..5);
    (txs, vec(any::<u8>(), 80)).prop_map(|(txs, header)| Block {
        header: deserialize::<Header>(&header).unwrap(),
        txdata: txs.into_iter().map(|(time, witness)| transaction(time, &witness)).collect(),
    })
}

fn compact(block: &Block, nonce: u64) -> Message {
    Message::CompactBlock(Box::new(HeaderAndShortIds::from_block(block, nonce, 2, &[]).unwrap()))
}

fn small_block() -> Block {
    let txdata = vec![transaction(1, &[]), transaction(2, &[vec![9]])];
    Block { header: deserialize(&[1; 80]).unwrap(), txdata }
}

#[test]
fn a_compact_block_has_a_place_for_every_transaction() {
    let Message::CompactBlock(block) = compact(&small_block(), 5) else { panic!("no block") };
    assert_eq!((block.short_ids.len(), block.prefilled_txs.len()), (1, 1));
    let outside = PrefilledTransaction { idx: 1, tx: transaction(3, &[]) };
    let with = |idx| {
        let mut block = block.clone();
        block.prefilled_txs.push(PrefilledTransaction { idx, ..outside.clone() });
        let frame = Message::CompactBlock(block).encode(PREFIX).unwrap();
        let frame = Decoder::new(PREFIX).decode(&mut &frame[..]).unwrap().unwrap();
        Message::decode(frame).map(drop).map_err(|error| error.source)
    };
    assert_eq!(with(1), Ok(()), "the third of three");
    assert_eq!(with(2), Err(PayloadError::PlacesOutside), "the fourth of three");
}

#[test]
fn more_bytes_than_a_block_has_are_not_looked_at() {
    for command in ["cmpctblock", "getblocktxn", "blocktxn"] {
        let bytes = vec![0; BLOCK_BYTES_MAX + 1];
        assert_eq!(error(command, &bytes), PayloadError::BlockTooLong(bytes.len()), "{command}");
        assert!(matches!(error(command, &[0; 20]), PayloadError::Block(_)), "{command}");
    }
}

#[test]
fn places_in_a_question_for_transactions_are_written_as_distances() {
    let message = Message::GetBlockTxn(BlockTransactionsRequest {
        block_hash: BlockHash::all_zeros(),
        indexes: vec![1, 2, 300],
    });
    let mut bytes = Vec::new();
    message.write(&mut bytes);
    assert_eq!(bytes[32..], [3, 1, 0, 0xfd, 0x29, 0x01]);
    assert_eq!(round_trip(&message), message);
}

#[test]
fn more_announced_shares_than_a_pool_finds_are_refused() {
    let mut bytes = Vec::new();
    write_var_int(&mut bytes, ANNOUNCED_HASHES_MAX as u64 + 1);
    bytes.resize(bytes.len() + 32 * (ANNOUNCED_HASHES_MAX + 1), 0);
    assert_eq!(error("sharehashes", &bytes), PayloadError::ListTooLong(ANNOUNCED_HASHES_MAX));
}

fn messages() -> impl Strategy<Value = Message> {
    let results = prop_oneof![
        Just(ReplyResult::Good),
        Just(ReplyResult::TooLong),
        (2_u8..=6).prop_map(ReplyResult::Other)
    ];
    prop_oneof![
        versions().prop_map(Message::Version),
        Just(Message::Ping),
        any::<u16>().prop_map(|port| Message::AddrMe { port }),
        vec(
            (any::<u64>(), net_addrs())
                .prop_map(|(timestamp, address)| AddrRecord { timestamp, address }),
            0..4
        )
        .prop_map(Message::Addrs),
        any::<u32>().prop_map(|count| Message::GetAddrs { count }),
        raw_shares().prop_map(Message::Shares),
        (any::<[u8; 32]>(), share_hashes(), any::<u64>(), share_hashes()).prop_map(
            |(id, hashes, parents, stops)| Message::ShareReq(ShareReq {
                id,
                hashes,
                parents,
                stops
            })
        ),
        (any::<[u8; 32]>(), results, raw_shares()).prop_map(|(id, result, shares)| {
            Message::ShareReply(ShareReply { id, result, shares })
        }),
        vec(any::<u8>(), 80).prop_map(|header| Message::BestBlock(header.try_into().unwrap())),
        hashes().prop_map(Message::HaveTx),
        hashes().prop_map(Message::LosingTx),
        hashes().prop_map(Message::ForgetTx),
        hashes().prop_map(|tx_hashes| Message::RememberTx { tx_hashes, txs: vec![] }),
        share_hashes().prop_map(Message::ShareHashes),
        (blocks(), any::<u64>()).prop_map(|(block, nonce)| compact(&block, nonce)),
        blocks().prop_map(|block| Message::BlockTxn(BlockTransactions {
            block_hash: block.block_hash(),
            transactions: block.txdata,
        })),
        (any::<[u8; 32]>(), btree_set(0..=u64::from(u16::MAX), 0..9)).prop_map(|(hash, places)| {
            Message::GetBlockTxn(BlockTransactionsRequest {
                block_hash: BlockHash::from_byte_array(hash),
                indexes: places.into_iter().collect(),
            })
        }),
    ]
}

const COMMANDS: [Command; 17] = [
    VERSION,
    PING,
    ADDRME,
    ADDRS,
    GETADDRS,
    SHARES,
    SHAREREQ,
    SHAREREPLY,
    BESTBLOCK,
    HAVE_TX,
    LOSING_TX,
    REMEMBER_TX,
    FORGET_TX,
    SHAREHASHES,
    CMPCTBLOCK,
    GETBLOCKTXN,
    BLOCKTXN,
];

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(message in messages()) {
        prop_assert_eq!(round_trip(&message), message);
    }

    #[test]
    fn any_payload_is_a_message_or_an_error(
        command in prop::sample::select(&COMMANDS[..]),
        payload in vec(any::<u8>(), 0..400),
    ) {
        // What could be read is written in full, and then reads the same.
        if let Ok(message) = Message::decode(Frame { command, payload }) {
            prop_assert_eq!(round_trip(&message), message);
        }
    }

    #[test]
    fn a_damaged_message_is_a_message_or_an_error(
        message in messages(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut payload = Vec::new();
        message.write(&mut payload);
        if !payload.is_empty() {
            let at = at.index(payload.len());
            payload[at] = byte;
            payload.truncate(cut.index(payload.len()) + 1);
        }
        if let Ok(message) = Message::decode(Frame { command: message.command(), payload }) {
            prop_assert_eq!(round_trip(&message), message);
        }
    }
}

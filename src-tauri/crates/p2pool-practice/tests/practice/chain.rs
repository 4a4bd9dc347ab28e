//! The kernel's verdicts, and what survives.

use std::fs;
use std::path::Path;

use bitcoin::block::Header;
use bitcoin::consensus::{deserialize_partial, serialize};
use bitcoin::constants::genesis_block;
use bitcoin::{BlockHash, Network, ScriptBuf};
use p2pool_bitcoind::template::parse;
use p2pool_practice::{ChainError, OpenError, PracticeChain, SubmitError, Verdict, template};
use p2pool_sharechain::template::BlockTemplate;

use crate::mining::mine;

/// Long after the first blocks of both networks.
const NOW: u32 = 1_780_000_000;

async fn open(folder: &Path) -> PracticeChain {
    PracticeChain::open(folder, Network::Regtest).await.unwrap()
}

/// The template as the client of the served chain would see it.
async fn template_at(chain: &PracticeChain, now: u32) -> BlockTemplate {
    let answer = template::answer(chain.network(), &chain.next_block(now).await.unwrap());
    let text = serde_json::to_string(&answer).unwrap();
    parse(&serde_json::from_str(&text).unwrap(), chain.network(), Some(chain.tip().time)).unwrap()
}

fn block_of(template: &BlockTemplate, sats: u64) -> Vec<u8> {
    mine(template, sats, &ScriptBuf::from_bytes(vec![0x51]))
}

async fn good_block(chain: &PracticeChain) -> Vec<u8> {
    let template = template_at(chain, NOW).await;
    block_of(&template, template.coinbase_value_sats)
}

/// Extends the chain by `count` blocks.
async fn extend(chain: &PracticeChain, count: u32) {
    for _ in 0..count {
        let block = good_block(chain).await;
        assert_eq!(chain.submit(block).await, Ok(Verdict::Accepted));
    }
}

fn hash_of(block: &[u8]) -> BlockHash {
    deserialize_partial::<Header>(block).unwrap().0.block_hash()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn rejected(reason: &str) -> Result<Verdict, SubmitError> {
    Ok(Verdict::Rejected(reason.into()))
}

#[tokio::test]
async fn one_satoshi_too_much_is_refused_and_the_tip_stays() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    extend(&chain, 1).await;
    let before = chain.tip();

    let template = template_at(&chain, NOW).await;
    let greedy = block_of(&template, template.coinbase_value_sats + 1);
    assert_eq!(chain.submit(greedy.clone()).await, rejected("bad-cb-amount"));
    assert_eq!(chain.tip(), before);
    assert_eq!(chain.submit(greedy).await, rejected("duplicate-invalid"));
    assert_eq!(chain.tip(), before);

    let modest = block_of(&template, template.coinbase_value_sats - 1);
    assert_eq!(chain.submit(modest.clone()).await, Ok(Verdict::Accepted));
    assert_eq!((chain.tip().height, chain.tip().hash), (2, hash_of(&modest)));
    chain.close().await;
}

#[tokio::test]
async fn broken_rules_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    let template = template_at(&chain, NOW).await;
    let value = template.coinbase_value_sats;
    let genesis = genesis_block(Network::Regtest).block_hash();

    let altered = |change: fn(&mut BlockTemplate)| {
        let mut template = template.clone();
        change(&mut template);
        block_of(&template, value)
    };
    let early = altered(|template| template.current_time = 1_296_688_602);
    assert_eq!(chain.submit(early).await, rejected("time-too-old"));
    let late = altered(|template| template.current_time = u32::MAX);
    assert_eq!(chain.submit(late).await, rejected("time-too-new"));
    let high = altered(|template| template.height = 7);
    assert_eq!(chain.submit(high).await, rejected("bad-cb-height"));
    let soft = altered(|template| template.bits.0 = 0x207f_fffe);
    assert_eq!(chain.submit(soft).await, rejected("bad-diffbits"));
    let lost = altered(|template| {
        template.previous_block = "11".repeat(32).parse().unwrap();
    });
    assert_eq!(chain.submit(lost).await, rejected("prev-blk-not-found"));

    let good = block_of(&template, value);
    let mut torn = good.clone();
    let end = torn.len() - 5;
    torn[end] ^= 1;
    assert!(matches!(chain.submit(torn).await, Ok(Verdict::Rejected(_))));
    let mut weak = good.clone();
    while deserialize_partial::<Header>(&weak)
        .is_ok_and(|(header, _)| header.validate_pow(header.target()).is_ok())
    {
        weak[76] = weak[76].wrapping_add(1);
    }
    assert_eq!(chain.submit(weak).await, rejected("high-hash"));
    for junk in [&[][..], &[0; 80], &good[..good.len() - 1], b"deadbeef"] {
        assert_eq!(chain.submit(junk.to_vec()).await, Err(SubmitError::Undecodable));
    }
    assert_eq!(chain.tip().hash, genesis, "none of them moved the tip");
    assert_eq!(chain.submit(good).await, Ok(Verdict::Accepted));
}

#[tokio::test]
async fn races_are_neither_won_nor_refused() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    let template = template_at(&chain, NOW).await;
    let first = block_of(&template, template.coinbase_value_sats);
    let second = block_of(&template, template.coinbase_value_sats - 1);
    assert_eq!(chain.submit(first.clone()).await, Ok(Verdict::Accepted));
    assert_eq!(chain.submit(first.clone()).await, Ok(Verdict::Duplicate));
    assert_eq!(chain.submit(second.clone()).await, Ok(Verdict::Inconclusive));
    assert_eq!(chain.submit(second.clone()).await, Ok(Verdict::Inconclusive));
    assert_eq!(chain.tip().hash, hash_of(&first));

    // A child of the second one makes both win.
    let mut above = template.clone();
    above.previous_block = hash_of(&second);
    above.height = 2;
    above.current_time += 1;
    let child = block_of(&above, above.coinbase_value_sats);
    assert_eq!(chain.submit(child.clone()).await, Ok(Verdict::Accepted));
    assert_eq!((chain.tip().hash, chain.tip().height), (hash_of(&child), 2));
    assert_eq!(chain.hash_at(1).await, Ok(Some(hash_of(&second))));
    let (_, place) = chain.header(hash_of(&first)).await.unwrap().unwrap();
    assert_eq!((place.height, place.confirmations, place.next), (1, -1, None));
}

#[tokio::test]
async fn headers_and_blocks_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    extend(&chain, 12).await;
    let tip = chain.tip();
    assert_eq!(tip.height, 12);
    // The clock stands still in this test, and the median pushes the times on.
    assert!(tip.time > NOW && tip.median_time >= NOW, "{tip:?}");

    let hash = chain.hash_at(7).await.unwrap().unwrap();
    let (header, place) = chain.header(hash).await.unwrap().unwrap();
    assert_eq!(header.block_hash(), hash);
    assert_eq!((place.height, place.confirmations), (7, 6));
    assert_eq!(place.next, chain.hash_at(8).await.unwrap());
    let raw = chain.block(hash).await.unwrap().unwrap();
    assert_eq!(raw[..80], serialize(&header));

    let nobody: BlockHash = "22".repeat(32).parse().unwrap();
    assert_eq!(chain.hash_at(13).await, Ok(None));
    assert_eq!(chain.header(nobody).await, Ok(None));
    assert_eq!(chain.block(nobody).await, Ok(None));
}

#[tokio::test]
async fn a_closed_chain_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    extend(&chain, 3).await;
    let tip = chain.tip();
    chain.close().await;
    assert_eq!(chain.next_block(NOW).await, Err(ChainError::Closed));
    assert_eq!(fs::read_dir(folder.path().join("regtest/unflushed")).unwrap().count(), 0);

    let chain = open(folder.path()).await;
    assert_eq!(chain.tip(), tip);
    extend(&chain, 1).await;
    assert_eq!(chain.tip().height, 4);
    chain.close().await;
}

#[tokio::test]
async fn a_killed_chain_has_lost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    extend(&chain, 5).await;
    // What is on disk now is what a killed process leaves behind.
    let killed = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), killed.path());

    let again = open(killed.path()).await;
    assert_eq!(again.tip(), chain.tip());
    assert_eq!(fs::read_dir(killed.path().join("regtest/unflushed")).unwrap().count(), 0);
    extend(&again, 1).await;

    // And once more, with blocks from before and after the first accident.
    let killed_again = tempfile::tempdir().unwrap();
    copy_folder(killed.path(), killed_again.path());
    let third = open(killed_again.path()).await;
    assert_eq!(third.tip(), again.tip());
    assert_eq!(third.tip().height, 6);
}

#[tokio::test]
async fn a_long_run_is_written_down_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    extend(&chain, 101).await;
    let kept = fs::read_dir(folder.path().join("regtest/unflushed")).unwrap().count();
    assert_eq!(kept, 0, "the kernel was made to flush when 100 blocks were kept");
    extend(&chain, 1).await;
    let killed = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), killed.path());
    assert_eq!(open(killed.path()).await.tip(), chain.tip());
}

#[tokio::test]
async fn only_one_program_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(folder.path()).await;
    let second = PracticeChain::open(folder.path(), Network::Regtest).await;
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    chain.close().await;
    assert_eq!(open(folder.path()).await.tip().height, 0);
}

#[tokio::test]
async fn places_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"not a folder").unwrap();
    let outcome = PracticeChain::open(&file, Network::Regtest).await;
    assert!(matches!(outcome, Err(OpenError::Disk { .. })), "{outcome:?}");
    let outcome = PracticeChain::open(folder.path(), Network::Bitcoin).await;
    assert!(matches!(outcome, Err(OpenError::Network(Network::Bitcoin))), "{outcome:?}");

    fs::create_dir_all(folder.path().join("regtest/blocks/index")).unwrap();
    fs::write(folder.path().join("regtest/blocks/index/CURRENT"), b"nonsense").unwrap();
    let outcome = PracticeChain::open(folder.path(), Network::Regtest).await;
    assert!(matches!(outcome, Err(OpenError::Kernel(_))), "{outcome:?}");
}

#[tokio::test]
async fn testnet4_begins_at_difficulty_one() {
    let folder = tempfile::tempdir().unwrap();
    let chain = PracticeChain::open(folder.path(), Network::Testnet4).await.unwrap();
    assert_eq!(chain.tip().hash, genesis_block(Network::Testnet4).block_hash());
    let template = template_at(&chain, NOW).await;
    assert_eq!((template.height, template.bits.0), (1, 0x1d00_ffff));
    assert_eq!(template.coinbase_value_sats, 5_000_000_000);
    assert_eq!(template.current_time, NOW);
    chain.close().await;
}

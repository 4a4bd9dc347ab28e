//! Tests of the Bitcoin node in words; they themselves are [`p2pool_bitcoind::examine`]'s.

use bitcoin::Network;
use p2pool_bitcoind::examine::{Examined, Fact, Outcome, Test, examine};
use p2pool_bitcoind::model::BlockchainInfo;
use p2pool_bitcoind::{Condition, RpcConfig};

use super::check::{Check, Watch};
use crate::failure::Failure;
use crate::notice::now;

/// The clock may be off by so much without a word, and before shares are refused.
const CLOCK_NOTE_S: u64 = 60;
const CLOCK_TROUBLE_S: u64 = 300;

/// Runs all tests of the node; the clock's is among them, because the node knows the time.
pub(super) async fn checks(
    rpc: &RpcConfig,
    chain: Network,
    tell: &mut impl FnMut(Check) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut offset, mut nodes_time, mut told) = (None, None, Ok(()));
    examine(rpc, chain, now(), |examined| {
        match examined.fact() {
            Some(Fact::Connections { clock_offset_s, .. }) => offset = *clock_offset_s,
            Some(Fact::Template(template)) => nodes_time = Some(u64::from(template.current_time)),
            Some(Fact::Port(_) | Fact::Login | Fact::Chain(_) | Fact::NewBlocks) | None => {}
        }
        if told.is_ok() {
            told = tell(in_words(&examined, chain));
        }
    })
    .await;
    told?;
    tell(clock(offset, nodes_time, now()))
}

fn name(test: Test) -> &'static str {
    match test {
        Test::Port => "RPC port",
        Test::Login => "login",
        Test::Chain => "chain",
        Test::Connections => "connections",
        Test::Template => "template",
        Test::NewBlocks => "new blocks",
    }
}

fn in_words(examined: &Examined, chain: Network) -> Check {
    let Examined { test, took, outcome } = examined;
    let watch = Watch::start(name(*test));
    let mut check = match outcome {
        Outcome::Skipped => watch.skipped("not possible yet"),
        Outcome::Passed(fact) => watch.good(good(fact, chain)),
        Outcome::Slow(fact) => slow(watch, fact, chain),
        Outcome::NotTold(error) => {
            let advice = "New blocks are asked for instead: work may be a second late.";
            watch.note(None, &format!("The node does not tell of them: {error}"), advice)
        }
        Outcome::Failed { condition, details, fact } => {
            let advice = advice(*test, *condition, fact.as_ref());
            watch.condition(condition.code(), details, &advice)
        }
    };
    check.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    check
}

fn good(fact: &Fact, chain: Network) -> String {
    match fact {
        Fact::Port(place) => format!("{place} answers"),
        Fact::Login => "the node lets us in".into(),
        Fact::Chain(BlockchainInfo { blocks, headers, pruned, .. }) => {
            let pruned = if *pruned { ", pruned, which is fine" } else { "" };
            format!("{}, block {blocks} of {headers}{pruned}", chain.to_core_arg())
        }
        Fact::Connections { info, .. } => {
            format!("{}, {} connections", info.subversion.trim_matches('/'), info.connections)
        }
        Fact::Template(template) => {
            let count = template.transactions.len();
            format!("block {} with {count} transactions", template.height)
        }
        Fact::NewBlocks => "the node tells of them at once".into(),
    }
}

fn slow(watch: Watch, fact: &Fact, chain: Network) -> Check {
    if matches!(fact, Fact::Login) {
        let advice = "Mine with a node in your own house: late work is lost.";
        return watch.note(None, "The login works, but the answer took long.", advice);
    }
    let advice = "Give the node a faster disk, more memory (dbcache) or less to do.";
    watch.note(Some("N-02"), &format!("{}, but it took long", good(fact, chain)), advice)
}

fn advice(test: Test, condition: Condition, fact: Option<&Fact>) -> String {
    let words = match (test, condition) {
        (_, Condition::PublicAddress) => "Use a tunnel (WireGuard, SSH) and its address.",
        (Test::Port, _) => {
            "Start Bitcoin Core, or name another node with --rpc-url. Where it runs, `p2poold conf \
             check` says whether it accepts connections."
        }
        (Test::Chain, Condition::WrongChain) => {
            let found = match fact {
                Some(Fact::Chain(info)) => info.chain.as_str(),
                Some(_) | None => "NAME",
            };
            return format!("Choose another node, or mine with --network {found}.");
        }
        (_, Condition::LoginRefused) => {
            "`p2poold conf check` says which login the node knows, `p2poold conf write` adds ours."
        }
        (_, Condition::Forbidden) => {
            "Its owner has to allow this computer: rpcallowip=ADDRESS/32 in its bitcoin.conf."
        }
        (_, Condition::CookieUnreadable) => {
            "`p2poold conf write --login rpcauth` gives us a login that needs no file."
        }
        (_, Condition::Starting | Condition::Syncing) => "Nothing has to be done: wait.",
        (_, Condition::TipOld) => "Look at the node's connections; a restart often helps.",
        (Test::Connections, Condition::TooOld) => {
            "Install a release of Bitcoin Core from bitcoincore.org."
        }
        (Test::Connections, Condition::Alone) => "Check this computer's way to the internet.",
        _ => "See the node's own debug.log.",
    };
    words.to_owned()
}

/// Compares this computer's clock with what the node and its peers say.
fn clock(offset: Option<i64>, nodes_time: Option<u64>, our_time: u64) -> Check {
    let watch = Watch::start("clock");
    let from_node = nodes_time.map(|time| time.abs_diff(our_time)).unwrap_or_default();
    let from_peers = offset.map(i64::unsigned_abs).unwrap_or_default();
    let off_s = from_node.max(from_peers);
    let message =
        format!("Your computer's clock is off by about {off_s} s. Shares may be refused.");
    let advice = "Switch on automatic time (NTP) on this computer and on that of the node.";
    if off_s > CLOCK_TROUBLE_S {
        watch.trouble("P-11", &message, advice)
    } else if off_s > CLOCK_NOTE_S {
        watch.note(Some("P-11"), &message, advice)
    } else if offset.is_none() && nodes_time.is_none() {
        watch.skipped("nobody tells the time yet")
    } else {
        watch.good(format!("right to {off_s} s"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Grade;

    #[test]
    fn a_wrong_clock_is_noted_before_shares_are_refused() {
        for (offset, nodes_time, expected) in [
            (None, None, Grade::Skipped),
            (Some(-3), None, Grade::Good),
            (Some(-61), None, Grade::Note),
            (Some(0), Some(1_000_400), Grade::Trouble),
            (Some(301), Some(1_000_000), Grade::Trouble),
            (None, Some(999_990), Grade::Good),
        ] {
            let check = clock(offset, nodes_time, 1_000_000);
            assert_eq!(check.result, expected, "{offset:?} {nodes_time:?}");
            let is_told = matches!(expected, Grade::Note | Grade::Trouble);
            assert_eq!(check.code.as_deref() == Some("P-11"), is_told);
        }
    }
}

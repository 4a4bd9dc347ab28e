//! Tests of the Bitcoin node, each building on the one before.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use p2pool_bitcoind::model::{BlockchainInfo, NetworkInfo};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{
    Condition, RpcClient, RpcConfig, RpcError, TemplateSource, TemplateState, Timings,
};
use p2pool_sharechain::template::BlockTemplate;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::check::{Check, Grade, Watch};
use crate::failure::Failure;
use crate::notice::now;

/// The oldest version that makes blocks for us.
const VERSION_MIN: u32 = p2pool_bitcoind::chain_check::NODE_VERSION_MIN;
/// No new block for so long is unusual on the main chain.
const TIP_AGE_MAX_S: u64 = 2 * 3600;
/// Work made from a template that took longer is often late.
const TEMPLATE_SLOW: Duration = Duration::from_secs(2);
/// So is work for a node that answers later than this.
const ANSWER_SLOW: Duration = Duration::from_millis(150);
/// A node may be this busy.
const PATIENCE: Duration = Duration::from_secs(15);
/// The clock may be off by so much without a word, and before shares are refused.
const CLOCK_NOTE_S: u64 = 60;
const CLOCK_TROUBLE_S: u64 = 300;

/// Runs all tests of the node; the clock's is among them, because the node knows the time.
pub(super) async fn checks(
    rpc: &RpcConfig,
    chain: Network,
    tell: &mut impl FnMut(Check) -> Result<(), Failure>,
) -> Result<(), Failure> {
    const REST: [&str; 5] = ["chain", "connections", "template", "new blocks", "clock"];
    let reached = port(rpc).await;
    let is_reached = reached.result != Grade::Trouble;
    tell(reached)?;
    let client = match RpcClient::new(rpc) {
        Ok(client) if is_reached => client,
        Ok(_) | Err(_) => return skip(&["login"], tell).and_then(|()| skip(&REST, tell)),
    };
    let watch = Watch::start("login");
    let info = match client.blockchain_info().await {
        Ok(info) => info,
        Err(error) => {
            tell(refused(watch, &error))?;
            return skip(&REST, tell);
        }
    };
    tell(answered(watch))?;
    let is_ready = chain_test(&info, chain, tell)?;
    let offset = connections(&client, chain, tell).await?;
    let current_time = if is_ready {
        let found = template(rpc, chain, tell).await?;
        tell(new_blocks(&client).await)?;
        found.map(|template| u64::from(template.current_time))
    } else {
        skip(&["template", "new blocks"], tell)?;
        None
    };
    tell(clock(offset, current_time, now()))
}

fn skip(
    checks: &[&'static str],
    tell: &mut impl FnMut(Check) -> Result<(), Failure>,
) -> Result<(), Failure> {
    checks.iter().try_for_each(|check| tell(Watch::start(check).skipped("not possible yet")))
}

/// Whether anybody listens there.
async fn port(rpc: &RpcConfig) -> Check {
    let watch = Watch::start("RPC port");
    let place = rpc.url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let place = if place.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
        place.to_owned()
    } else {
        format!("{place}:80")
    };
    let connect = async {
        let mut failure = std::io::Error::other("the name leads nowhere");
        for address in lookup_host(&place).await? {
            match TcpStream::connect(address).await {
                Ok(_) => return Ok(()),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    };
    let advice = "Start Bitcoin Core, or name another node with --rpc-url. Where it runs, \
                  `p2poold conf check` says whether it accepts connections.";
    match timeout(PATIENCE, connect).await {
        Ok(Ok(())) => watch.good(format!("{place} answers")),
        Ok(Err(error)) => watch.condition("N-01", &format!("{place}: {error}"), advice),
        Err(_) => watch.condition("N-01", &format!("{place}: no answer"), advice),
    }
}

fn answered(watch: Watch) -> Check {
    if watch.took() > ANSWER_SLOW {
        let advice = "Mine with a node in your own house: late work is lost.";
        return watch.note(None, "The login works, but the answer took long.", advice);
    }
    watch.good("the node lets us in")
}

/// A call that brought no answer.
fn refused(watch: Watch, error: &RpcError) -> Check {
    let code = Condition::from(error).code();
    let advice = match code {
        "N-03" => {
            "`p2poold conf check` says which login the node knows, `p2poold conf write` adds ours."
        }
        "N-04" => {
            "Its owner has to allow this computer: rpcallowip=ADDRESS/32 in its bitcoin.conf."
        }
        "N-05" => "`p2poold conf write --login rpcauth` gives us a login that needs no file.",
        "N-06" => "Nothing has to be done: wait.",
        "N-14" => "Use a tunnel (WireGuard, SSH) and its address.",
        _ => "See the node's own debug.log.",
    };
    watch.condition(code, &error.to_string(), advice)
}

/// Chain, version and progress; whether templates can be asked for.
fn chain_test(
    info: &BlockchainInfo,
    chain: Network,
    tell: &mut impl FnMut(Check) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let watch = Watch::start("chain");
    let wanted = chain.to_core_arg();
    if info.chain != wanted {
        let advice = format!("Choose another node, or mine with --network {}.", info.chain);
        let details = format!("it is on {}, not on {wanted}", info.chain);
        tell(watch.condition("N-08", &details, &advice))?;
        return Ok(false);
    }
    let is_test = chain == Network::Regtest;
    if info.initialblockdownload && !is_test {
        let part = info.verificationprogress * 100.0;
        let details = format!("{part:.1} %, block {} of {}", info.blocks, info.headers);
        tell(watch.condition("N-07", &details, "Nothing has to be done: wait."))?;
        return Ok(false);
    }
    let age_s = info.time.map(|time| now().saturating_sub(time.into())).unwrap_or_default();
    let pruned = if info.pruned { ", pruned, which is fine" } else { "" };
    let place = format!("{wanted}, block {} of {}{pruned}", info.blocks, info.headers);
    tell(if age_s > TIP_AGE_MAX_S && chain == Network::Bitcoin {
        let advice = "Look at the node's connections; a restart often helps.";
        watch.condition("N-10", &place, advice)
    } else {
        watch.good(place)
    })?;
    Ok(true)
}

/// Version and peers of the node; gives its clock's distance to its peers' clocks.
async fn connections(
    client: &RpcClient,
    chain: Network,
    tell: &mut impl FnMut(Check) -> Result<(), Failure>,
) -> Result<Option<i64>, Failure> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(flatten)]
        known: NetworkInfo,
        timeoffset: Option<i64>,
    }
    let watch = Watch::start("connections");
    let info: Info = match client.call("getnetworkinfo", (), Limits::SHORT).await {
        Ok(info) => info,
        Err(error) => {
            tell(refused(watch, &error))?;
            return Ok(None);
        }
    };
    let Info { known, timeoffset } = info;
    let program = known.subversion.trim_matches('/').to_owned();
    let place = format!("{program}, {} connections", known.connections);
    tell(if known.version < VERSION_MIN {
        watch.condition("N-11", &program, "Install a release of Bitcoin Core from bitcoincore.org.")
    } else if known.connections == 0 && chain == Network::Bitcoin {
        watch.condition("N-09", &program, "Check this computer's way to the internet.")
    } else {
        watch.good(place)
    })?;
    Ok(timeoffset.filter(|_| known.connections > 0))
}

/// Asks for a template and reads it as strictly as mining does.
async fn template(
    rpc: &RpcConfig,
    chain: Network,
    tell: &mut impl FnMut(Check) -> Result<(), Failure>,
) -> Result<Option<Arc<BlockTemplate>>, Failure> {
    let watch = Watch::start("template");
    let Ok((source, mut states)) = TemplateSource::new(rpc, chain, Timings::default()) else {
        tell(watch.condition("N-01", &rpc.url, "Mend the address."))?;
        return Ok(None);
    };
    let token = CancellationToken::new();
    let _ends = token.clone().drop_guard();
    let first = async {
        tokio::select! {
            () = source.run(token) => None,
            state = states.wait_for(|state| !matches!(state, TemplateState::Starting)) => {
                state.ok().map(|state| state.clone())
            }
        }
    };
    let (check, found) = match timeout(PATIENCE, first).await {
        Ok(Some(TemplateState::Ready(template))) => {
            let count = template.transactions.len();
            let words = format!("block {} with {count} transactions", template.height);
            let check = if watch.took() > TEMPLATE_SLOW {
                let advice = "Give the node a faster disk, more memory (dbcache) or less to do.";
                watch.note(Some("N-02"), &format!("{words}, but it took long"), advice)
            } else {
                watch.good(words)
            };
            (check, Some(template))
        }
        Ok(Some(TemplateState::Unavailable { error, .. })) => {
            let code = Condition::from(&*error).code();
            (watch.condition(code, &error.to_string(), "See the node's own debug.log."), None)
        }
        Ok(Some(TemplateState::Starting) | None) | Err(_) => {
            (watch.condition("N-02", "no template yet", "See the node's own debug.log."), None)
        }
    };
    tell(check)?;
    Ok(found)
}

/// Whether the node tells of new blocks at once.
async fn new_blocks(client: &RpcClient) -> Check {
    let watch = Watch::start("new blocks");
    // One millisecond: what counts is that the call is answered.
    let answer: Result<Value, RpcError> = client.call("waitfornewblock", [1], Limits::SHORT).await;
    match answer {
        Ok(_) => watch.good("the node tells of them at once"),
        Err(error) => {
            let advice = "New blocks are asked for instead: work may be a second late.";
            watch.note(None, &format!("The node does not tell of them: {error}"), advice)
        }
    }
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

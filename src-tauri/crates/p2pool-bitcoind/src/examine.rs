//! Whether one could mine with a node: test after test, each building on the one before.
//!
//! Changes nothing at the node. Every test says how long it took; the words are the caller's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::Network;
use p2pool_sharechain::template::BlockTemplate;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::chain_check::NODE_VERSION_MIN;
use crate::condition::Condition;
use crate::error::RpcError;
use crate::model::{BlockchainInfo, NetworkInfo};
use crate::reach::Reach;
use crate::rpc::{Limits, RpcClient, RpcConfig};
use crate::tip::{TemplateSource, TemplateState, Timings};

/// No new block for so long is unusual on the main chain.
const TIP_AGE_MAX_S: u64 = 2 * 3600;
/// Work made from a template that took longer is often late.
const TEMPLATE_SLOW: Duration = Duration::from_secs(2);
/// So is work for a node that answers later than this.
const ANSWER_SLOW: Duration = Duration::from_millis(150);
/// A node may be this busy.
const PATIENCE: Duration = Duration::from_secs(15);

/// One test, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// Whether anybody listens there.
    Port,
    /// Whether the login is taken.
    Login,
    /// Chain and progress, by `getblockchaininfo`.
    Chain,
    /// Version and connections, by `getnetworkinfo`.
    Connections,
    /// Whether `getblocktemplate` gives what a block can be made from.
    Template,
    /// Whether the node tells of new blocks at once.
    NewBlocks,
}

impl Test {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Port, Self::Login, Self::Chain, Self::Connections, Self::Template, Self::NewBlocks];
}

/// What came out of one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// Which one.
    pub test: Test,
    /// How long it took.
    pub took: Duration,
    /// What came out.
    pub outcome: Outcome,
}

impl Examined {
    /// What was found out, whatever came of it.
    pub fn fact(&self) -> Option<&Fact> {
        match &self.outcome {
            Outcome::Passed(fact) | Outcome::Slow(fact) => Some(fact),
            Outcome::Failed { fact, .. } => fact.as_ref(),
            Outcome::Skipped | Outcome::NotTold(_) => None,
        }
    }
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It makes no sense, because an earlier one failed.
    Skipped,
    /// All is well.
    Passed(Fact),
    /// Mining works, but work may be late.
    Slow(Fact),
    /// The node does not tell of new blocks; they are asked for instead.
    NotTold(RpcError),
    /// Mining does not work like this.
    Failed {
        /// What is wrong.
        condition: Condition,
        /// In the words of the node or the system; without secrets.
        details: String,
        /// What was found out all the same.
        fact: Option<Fact>,
    },
}

/// What a test found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Host and port that answer.
    Port(String),
    /// The login works.
    Login,
    /// The node's chain.
    Chain(BlockchainInfo),
    /// The node itself.
    Connections {
        /// Version, program, peers.
        info: NetworkInfo,
        /// How far its peers' clocks are from its own, in seconds; `None` without peers.
        clock_offset_s: Option<i64>,
    },
    /// A template.
    Template(Arc<BlockTemplate>),
    /// New blocks are told at once.
    NewBlocks,
}

/// Makes all tests and tells of each when it is done; `now_unix_s` is the present time.
pub async fn examine(
    rpc: &RpcConfig,
    chain: Network,
    now_unix_s: u64,
    mut tell: impl FnMut(Examined),
) {
    Visit { rpc, chain, now_unix_s, tell: &mut tell }.all().await;
}

struct Visit<'a, F> {
    rpc: &'a RpcConfig,
    chain: Network,
    now_unix_s: u64,
    tell: &'a mut F,
}

impl<F: FnMut(Examined)> Visit<'_, F> {
    async fn all(&mut self) {
        if !self.port().await {
            return self.skip(&Test::ALL[1..]);
        }
        let Ok(client) = RpcClient::new(self.rpc) else { return self.skip(&Test::ALL[1..]) };
        let began = Instant::now();
        let info = match client.blockchain_info().await {
            Ok(info) => info,
            Err(error) => {
                self.refused(Test::Login, began, &error);
                return self.skip(&Test::ALL[2..]);
            }
        };
        let took = began.elapsed();
        let is_slow = took > ANSWER_SLOW;
        let outcome =
            if is_slow { Outcome::Slow(Fact::Login) } else { Outcome::Passed(Fact::Login) };
        (self.tell)(Examined { test: Test::Login, took, outcome });
        let is_ready = self.chain(info);
        self.connections(&client).await;
        if is_ready {
            self.template().await;
            self.new_blocks(&client).await;
        } else {
            self.skip(&[Test::Template, Test::NewBlocks]);
        }
    }

    fn end(&mut self, test: Test, began: Instant, outcome: Outcome) {
        (self.tell)(Examined { test, took: began.elapsed(), outcome });
    }

    fn skip(&mut self, tests: &[Test]) {
        for test in tests {
            let took = Duration::ZERO;
            (self.tell)(Examined { test: *test, took, outcome: Outcome::Skipped });
        }
    }

    /// A call that brought no answer.
    fn refused(&mut self, test: Test, began: Instant, error: &RpcError) {
        let condition = Condition::from(error);
        let details = error.to_string();
        self.end(test, began, Outcome::Failed { condition, details, fact: None });
    }

    /// Whether anybody listens there.
    async fn port(&mut self) -> bool {
        let began = Instant::now();
        let place = self.rpc.place();
        let mut is_public = false;
        let connect = async {
            let mut failure = std::io::Error::other("the name leads nowhere");
            for address in lookup_host(&place).await? {
                if !self.rpc.allows_public && Reach::of(address.ip()) == Reach::Public {
                    is_public = true;
                    failure = std::io::Error::other("it is on the open internet");
                    continue;
                }
                is_public = false;
                match TcpStream::connect(address).await {
                    Ok(_) => return Ok(()),
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        };
        let details = match timeout(PATIENCE, connect).await {
            Ok(Ok(())) => {
                self.end(Test::Port, began, Outcome::Passed(Fact::Port(place)));
                return true;
            }
            Ok(Err(error)) => format!("{place}: {error}"),
            Err(_) => format!("{place}: no answer"),
        };
        let condition = if is_public { Condition::PublicAddress } else { Condition::Unreachable };
        self.end(Test::Port, began, Outcome::Failed { condition, details, fact: None });
        false
    }

    /// Judges chain and progress; whether templates can be asked for.
    fn chain(&mut self, info: BlockchainInfo) -> bool {
        let began = Instant::now();
        let wanted = self.chain.to_core_arg();
        let age_s = info.time.map_or(0, |time| self.now_unix_s.saturating_sub(time.into()));
        let is_test = self.chain == Network::Regtest;
        let place = format!("block {} of {}", info.blocks, info.headers);
        let wrong = if info.chain != wanted {
            let found: String = info.chain.chars().take(40).collect();
            Some((Condition::WrongChain, format!("it is on {found}, not on {wanted}")))
        } else if info.initialblockdownload && !is_test {
            let percent = info.verificationprogress * 100.0;
            Some((Condition::Syncing, format!("{percent:.1} %, {place}")))
        } else if age_s > TIP_AGE_MAX_S && self.chain == Network::Bitcoin {
            Some((Condition::TipOld, format!("{wanted}, {place}")))
        } else {
            None
        };
        let Some((condition, details)) = wrong else {
            self.end(Test::Chain, began, Outcome::Passed(Fact::Chain(info)));
            return true;
        };
        let fact = Some(Fact::Chain(info));
        self.end(Test::Chain, began, Outcome::Failed { condition, details, fact });
        condition == Condition::TipOld
    }

    /// Version and peers of the node.
    async fn connections(&mut self, client: &RpcClient) {
        #[derive(Deserialize)]
        struct Info {
            #[serde(flatten)]
            known: NetworkInfo,
            timeoffset: Option<i64>,
        }
        let began = Instant::now();
        let answer = client.call::<Info>("getnetworkinfo", (), Limits::SHORT).await;
        let Info { known: info, timeoffset } = match answer {
            Ok(info) => info,
            Err(error) => return self.refused(Test::Connections, began, &error),
        };
        let wrong = if info.version < NODE_VERSION_MIN {
            Some(Condition::TooOld)
        } else if info.connections == 0 && self.chain == Network::Bitcoin {
            Some(Condition::Alone)
        } else {
            None
        };
        let details = info.subversion.trim_matches('/').to_owned();
        let clock_offset_s = timeoffset.filter(|_| info.connections > 0);
        let fact = Fact::Connections { info, clock_offset_s };
        let outcome = match wrong {
            None => Outcome::Passed(fact),
            Some(condition) => Outcome::Failed { condition, details, fact: Some(fact) },
        };
        self.end(Test::Connections, began, outcome);
    }

    /// Asks for a template and reads it as strictly as mining does.
    async fn template(&mut self) {
        let began = Instant::now();
        let failed = |condition, details| Outcome::Failed { condition, details, fact: None };
        let outcome = match TemplateSource::new(self.rpc, self.chain, Timings::default()) {
            Err(error) => failed(Condition::Unreachable, error.to_string()),
            Ok((source, mut states)) => {
                let token = CancellationToken::new();
                let _ends = token.clone().drop_guard();
                let first = async {
                    tokio::select! {
                        () = source.run(token) => None,
                        state = states.wait_for(|s| !matches!(s, TemplateState::Starting)) => {
                            state.ok().map(|state| state.clone())
                        }
                    }
                };
                match timeout(PATIENCE, first).await {
                    Ok(Some(TemplateState::Ready(template))) => {
                        let fact = Fact::Template(template);
                        let is_slow = began.elapsed() > TEMPLATE_SLOW;
                        if is_slow { Outcome::Slow(fact) } else { Outcome::Passed(fact) }
                    }
                    Ok(Some(TemplateState::Unavailable { error, .. })) => {
                        failed(Condition::from(&*error), error.to_string())
                    }
                    Ok(Some(TemplateState::Starting) | None) | Err(_) => {
                        failed(Condition::Slow, "no template yet".into())
                    }
                }
            }
        };
        self.end(Test::Template, began, outcome);
    }

    /// Whether the node tells of new blocks at once.
    async fn new_blocks(&mut self, client: &RpcClient) {
        let began = Instant::now();
        // One millisecond: what counts is that the call is answered.
        let answer = client.call::<Value>("waitfornewblock", [1], Limits::SHORT).await;
        let outcome = match answer {
            Ok(_) => Outcome::Passed(Fact::NewBlocks),
            Err(error) => Outcome::NotTold(error),
        };
        self.end(Test::NewBlocks, began, outcome);
    }
}

//! `p2poold doctor`: whether a node could mine here with these settings, test by test.
//!
//! Changes nothing: what it opens it closes again. Every test says how long it took and, if
//! something is wrong, what to do.

mod check;
mod node;
mod place;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use clap::Args;
use p2pool_bitcoind::RpcConfig;
use p2pool_node::{P2pPlace, ProblemCode};
use tokio::runtime::Builder;

use self::check::{Check, Grade, Watch};
use crate::bitcoin_login::Search;
use crate::conf::finding;
use crate::conf::found::Place;
use crate::failure::{EXIT_FAILURE, EXIT_TO_DO, Failure};
use crate::folders;
use crate::output::Console;
use crate::run_args::{NodeArgs, Wanted, not_payable};
use crate::status_file::Report;

/// Look whether mining can begin: test after test, with times, and what to do.
///
/// Takes the same settings as `run`. Ends with 0 if all is well, with 4 if something is worth a
/// look, with 1 if something keeps you from mining.
#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Folder of settings.toml and of all data [default: p2pool-desktop in your own data folder]
    #[arg(long, value_name = "DIR", env = "P2POOL_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Print one test a line, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Carries out `p2poold doctor`; gives the exit code.
pub(crate) fn doctor(args: &DoctorArgs, console: Console<'_>) -> Result<u8, Failure> {
    let data_dir = match &args.data_dir {
        Some(folder) => folder.clone(),
        None => folders::data_dir().ok_or_else(Failure::no_data_folder)?,
    };
    let search = Search::here(&data_dir);
    let mut visit = Visit { console, is_json: args.json, worst: Grade::Skipped };
    visit.all(&args.node, &search)?;
    visit.end()
}

/// One look at everything.
struct Visit<'a> {
    console: Console<'a>,
    is_json: bool,
    worst: Grade,
}

impl Visit<'_> {
    fn tell(&mut self, check: &Check) -> Result<(), Failure> {
        self.worst = self.worst.max(check.result);
        if self.is_json {
            self.console.say(&json(check))
        } else {
            self.console.say(&check.lines().join("\n"))
        }
    }

    fn all(&mut self, args: &NodeArgs, search: &Search<'_>) -> Result<(), Failure> {
        let watch = Watch::start("settings");
        let wanted = match args.wanted(search.data_dir) {
            Ok(wanted) => wanted,
            // Nothing else makes sense without them.
            Err(failure) => return self.tell(&watch.failure(&failure)),
        };
        let Wanted { raw, p2p, params, .. } = &wanted;
        let (settings, stratum) = (p2p.check(params, P2pPlace::Network), raw.stratum(params));
        let (p2p, stratum) = match (settings, stratum) {
            (Ok(p2p), Ok(stratum)) => (p2p, stratum),
            (p2p, stratum) => {
                let mut mistakes = p2p.err().unwrap_or_default();
                mistakes.extend(stratum.err());
                let failure = Failure::bad_options(&mistakes.join("\n"));
                return self.tell(&watch.failure(&failure));
            }
        };
        self.tell(&watch.good(format!("mining on {}", params.chain.to_core_arg())))?;
        let watch = Watch::start("address");
        self.tell(&match raw.payout_address(params) {
            Ok(Some(address)) => watch.good(address),
            Ok(None) => watch.good("none given; on this chain a worthless one will do"),
            Err(error) => watch.failure(&not_payable(error, params.chain)),
        })?;
        let node_dir = search.data_dir.join(&params.name);
        let (check, running) = place::data_folder(search.data_dir, &node_dir);
        self.tell(&check)?;
        self.tell(&place::disk(search.data_dir))?;
        let miner = folders::beside_this_program("p2pool-miner");
        self.tell(&place::cpu_miner(&miner, raw.threads.unwrap_or(0)))?;
        self.tell(&place::miners_port(stratum, running.as_ref()))?;
        self.tell(&place::members_port(&p2p, running.as_ref()))?;
        let rpc = self.bitcoin_login(search, &wanted)?;
        self.asynchronous(rpc.as_ref(), &wanted, &p2p)?;
        self.agrees(running.as_ref())
    }

    /// The Bitcoin node and how to log in, with what its settings give reason to say.
    fn bitcoin_login(
        &mut self,
        search: &Search<'_>,
        wanted: &Wanted,
    ) -> Result<Option<RpcConfig>, Failure> {
        let Wanted { raw, params, .. } = wanted;
        let watch = Watch::start("Bitcoin node");
        let login = match search.login(raw, params.chain) {
            Ok(login) => login,
            Err(failure) => {
                self.tell(&watch.failure(&failure))?;
                return Ok(None);
            }
        };
        self.tell(&watch.good(format!("{}, {}", login.rpc.url, login.words)))?;
        let watch = Watch::start("bitcoin.conf");
        let place = Place { bitcoin_dir: raw.bitcoin_dir.clone(), conf: raw.bitcoin_conf.clone() };
        let found = login.is_found.then(|| place.choose(&search.surroundings, Some(params.chain)));
        let Some(Ok(node)) = found else {
            self.tell(&watch.skipped("not on this computer, or not found"))?;
            return Ok(Some(login.rpc));
        };
        let (dangers, oddities): (Vec<_>, Vec<_>) =
            node.findings().iter().partition(|found| found.kind.is_danger());
        let path = node.conf_path().display().to_string();
        self.tell(&if dangers.is_empty() && oddities.is_empty() {
            watch.good(path)
        } else {
            let words: Vec<String> = dangers.into_iter().chain(oddities).map(finding).collect();
            watch.note(None, &path, &words.join("\n"))
        })?;
        Ok(Some(login.rpc))
    }

    fn asynchronous(
        &mut self,
        rpc: Option<&RpcConfig>,
        wanted: &Wanted,
        p2p: &p2pool_node::P2pSettings,
    ) -> Result<(), Failure> {
        let refused = |error: io::Error| {
            let sentence = format!("The system refuses to begin: {error}.");
            Failure::of_run(ProblemCode::EngineRestarted, sentence)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let params = &wanted.params;
        runtime.block_on(async {
            if let Some(rpc) = rpc {
                node::checks(rpc, params.chain, &mut |check| self.tell(&check)).await?;
            }
            let check = place::members(p2p, params.needs_peers).await;
            self.tell(&check)
        })
    }

    /// What the node says that runs on this data.
    fn agrees(&mut self, running: Option<&Report>) -> Result<(), Failure> {
        let watch = Watch::start("running node");
        let Some(report) = running else {
            return self.tell(&watch.skipped("none runs on this data"));
        };
        let mut problems = report.status.problems.iter();
        self.tell(&match problems.next() {
            None => watch.good("no problems"),
            Some(first) => {
                let advice = "`p2poold status` tells more.";
                let message = format!("{} {}", first.message, first.details);
                watch.note(Some(&first.code), message.trim_end(), advice)
            }
        })
    }

    fn end(mut self) -> Result<u8, Failure> {
        let (code, words) = match self.worst {
            Grade::Skipped | Grade::Good => (0, "All is well: mining can begin."),
            Grade::Note => (EXIT_TO_DO, "Mining can begin; what is noted is worth a look."),
            Grade::Trouble => (EXIT_FAILURE, "Something keeps you from mining; see above."),
        };
        if !self.is_json {
            self.console.say(&format!("\n{words}"))?;
        }
        Ok(code)
    }
}

fn json(check: &Check) -> String {
    serde_json::to_string(check).expect("texts and numbers are JSON")
}

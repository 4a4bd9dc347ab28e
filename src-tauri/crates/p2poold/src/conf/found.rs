//! Which Bitcoin node of this computer is meant.

use std::path::{Path, PathBuf};

use bitcoin::Network;
use clap::Args;
use p2pool_bitcoind::local::{ChooseError, ConfState, LocalNode, Surroundings, inspect, look_at};
use p2pool_node::ProblemCode;

use crate::failure::Failure;

/// Where to look for the Bitcoin node.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// Data folder of the Bitcoin node [default: looked for]
    #[arg(long, value_name = "DIR", env = "P2POOL_BITCOIN_DIR")]
    pub(crate) bitcoin_dir: Option<PathBuf>,
    /// Its configuration file [default: bitcoin.conf in its data folder]
    #[arg(long, value_name = "FILE", env = "P2POOL_BITCOIN_CONF")]
    pub(crate) conf: Option<PathBuf>,
}

impl Place {
    /// The node that is named, or the only one that there is; one that runs on this chain before
    /// others, and one that does not run as if it were started on this chain.
    ///
    /// # Errors
    /// None, or several.
    pub(crate) fn choose(
        &self,
        surroundings: &Surroundings,
        chain: Option<Network>,
    ) -> Result<LocalNode, ChooseError> {
        let conf = self.conf.as_deref().map(absolute);
        if let Some(folder) = &self.bitcoin_dir {
            return Ok(look_at(surroundings, &absolute(folder), conf.as_deref(), chain));
        }
        let inspection = inspect(surroundings);
        let Some(conf) = conf else {
            let chosen = inspection.choose(chain.unwrap_or(Network::Bitcoin))?;
            let is_other = chain.is_some_and(|chain| chain != chosen.chain());
            if chosen.is_running() || !is_other {
                return Ok(chosen.clone());
            }
            let (folder, conf) = (chosen.started_folder(), chosen.conf_path());
            let conf = (*chosen.conf_state() == ConfState::Read).then_some(conf);
            return Ok(look_at(surroundings, folder, conf, chain));
        };
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let of_file = |node: &&LocalNode| real(node.conf_path()) == real(&conf);
        if let Some(node) = inspection.nodes.iter().find(of_file) {
            return Ok(node.clone());
        }
        let folder = conf.parent().unwrap_or(Path::new("/"));
        Ok(look_at(surroundings, folder, Some(&conf), chain))
    }

    /// The same for somebody who wants to change the node's settings.
    ///
    /// # Errors
    /// None, several, or a folder that is not there.
    pub(crate) fn find(
        &self,
        surroundings: &Surroundings,
        chain: Option<Network>,
    ) -> Result<LocalNode, Failure> {
        if let Some(folder) = self.bitcoin_dir.as_deref().filter(|folder| !folder.is_dir()) {
            return Err(Failure::bad_value(format!("There is no folder {}.", folder.display())));
        }
        self.choose(surroundings, chain).map_err(Failure::from)
    }
}

/// A path that no current folder decides about.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl From<ChooseError> for Failure {
    fn from(error: ChooseError) -> Self {
        match error {
        ChooseError::Several(folders) => {
            let list: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
            Self {
                code: "N-16",
                sentence: "We found several Bitcoin folders. Name the one that your node uses \
                           with --bitcoin-dir."
                    .into(),
                details: list.join("\n"),
                exit: crate::failure::EXIT_INPUT,
            }
        }
        ChooseError::OtherUser => Self {
            code: "N-05",
            sentence: "A Bitcoin node runs as another user of this computer, who alone knows \
                       where its data is. Name its folder with --bitcoin-dir, or its login with \
                       --rpc-url and --rpc-user."
                .into(),
            details: String::new(),
            exit: crate::failure::EXIT_INPUT,
        },
        ChooseError::Nothing | _ => Self::of_run(
            ProblemCode::NodeUnreachable,
            "No Bitcoin node was found on this computer. Install Bitcoin Core, or name its data \
             folder with --bitcoin-dir."
                .into(),
        ),
    }
    }
}

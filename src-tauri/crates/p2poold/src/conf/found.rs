//! Which Bitcoin node of this computer is meant.

use std::path::{Path, PathBuf};

use bitcoin::Network;
use clap::Args;
use p2pool_bitcoind::local::{ChooseError, LocalNode, Surroundings, inspect, look_at};
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
    /// The node that is named, or the only one that there is; on this chain, if several run.
    ///
    /// # Errors
    /// None, several, or a folder that is not there.
    pub(crate) fn find(
        &self,
        surroundings: &Surroundings,
        chain: Network,
    ) -> Result<LocalNode, Failure> {
        let conf = self.conf.as_deref().map(absolute).transpose()?;
        let named = self.bitcoin_dir.as_deref().map(absolute).transpose()?;
        if let Some(folder) = &named {
            if !folder.is_dir() {
                let sentence = format!("There is no folder {}.", folder.display());
                return Err(Failure::bad_value(sentence));
            }
            return Ok(look_at(surroundings, folder, conf.as_deref()));
        }
        let inspection = inspect(surroundings);
        let Some(conf) = conf else {
            return inspection.choose(chain).cloned().map_err(not_chosen);
        };
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let of_file = |node: &&LocalNode| real(node.conf_path()) == real(&conf);
        if let Some(node) = inspection.nodes.iter().find(of_file) {
            return Ok(node.clone());
        }
        let folder = conf.parent().unwrap_or(Path::new("/"));
        Ok(look_at(surroundings, folder, Some(&conf)))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::bad_value(format!("{} makes no sense: {error}.", path.display())))
}

/// Why no node was chosen, in words.
fn not_chosen(error: ChooseError) -> Failure {
    match error {
        ChooseError::Several(folders) => {
            let list: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
            Failure {
                code: "N-16",
                sentence: "We found several Bitcoin folders. Name the one that your node uses \
                           with --bitcoin-dir."
                    .into(),
                details: list.join("\n"),
                exit: crate::failure::EXIT_INPUT,
            }
        }
        ChooseError::OtherUser => Failure {
            code: "N-05",
            sentence: "A Bitcoin node runs as another user of this computer, who alone knows \
                       where its data is. Name its folder with --bitcoin-dir, or its login with \
                       --rpc-url and --rpc-user."
                .into(),
            details: String::new(),
            exit: crate::failure::EXIT_INPUT,
        },
        ChooseError::Nothing | _ => Failure::of_run(
            ProblemCode::NodeUnreachable,
            "No Bitcoin node was found on this computer. Install Bitcoin Core, or name its data \
             folder with --bitcoin-dir."
                .into(),
        ),
    }
}

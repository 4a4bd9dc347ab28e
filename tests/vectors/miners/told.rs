//! What the other files of a run tell of its miners' work: who runs the node, the Bitcoin node's
//! templates, and the solutions that were shares or blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bitcoin::BlockHash;
use p2pool_sharechain::template::BlockTemplate;
use p2pool_sharechain::{Params, ShareHash};
use serde_json::Value;

use crate::history::beside;
use crate::read::Read;
use crate::{files, rpc};

/// Facts about a run.
#[derive(Default)]
pub(super) struct Told {
    /// Payout addresses of the nodes' owners.
    pub(super) operators: BTreeSet<Vec<u8>>,
    /// Templates by the block to build on.
    pub(super) templates: BTreeMap<BlockHash, Vec<BlockTemplate>>,
    /// What shares of the nodes' miners give, in 65535ths: one of the whole numbers around it.
    pub(super) donations: BTreeSet<u16>,
    /// Solutions that a node took for shares, or handed to its Bitcoin node as blocks.
    pub(super) solutions: BTreeSet<ShareHash>,
}

impl Told {
    /// Reads the files of a run beside this one.
    pub(super) fn of_run(path: &Path, params: &Params) -> Result<Self, String> {
        let mut told = Self::default();
        for file in beside(path, "_web_api")? {
            told.read_pages(&files::load(&file)?)?;
        }
        for file in beside(path, "_rpc")? {
            told.read_calls(&files::load(&file)?, params)?;
        }
        Ok(told)
    }

    /// Whether the nodes of the run tell of themselves.
    pub(super) fn has_pages(&self) -> bool {
        !self.operators.is_empty()
    }

    fn read_pages(&mut self, doc: &Value) -> Result<(), String> {
        for pages in doc.at("nodes")?.as_object().ok_or("nodes: not an object")?.values() {
            for page in pages.as_array().ok_or("a node without pages")? {
                match page.text("path")? {
                    "/payout_addr" => {
                        self.operators.insert(page.text("json")?.as_bytes().to_vec());
                    }
                    "/local_stats" => {
                        let part = page.at("json")?.at("donation_proportion")?.as_f64();
                        let wanted = part.unwrap_or_default() * 65_535.0;
                        self.donations.extend([wanted.floor() as u16, wanted.ceil() as u16]);
                    }
                    "/web/my_share_hashes" => {
                        for hash in page.hashes("json")? {
                            self.solutions.insert(ShareHash::from_internal(hash));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn read_calls(&mut self, doc: &Value, params: &Params) -> Result<(), String> {
        for call in doc.list("submitblock")? {
            self.solutions.insert(ShareHash::from_internal(call.hash("block_hash")?));
        }
        for call in doc.list("getblocktemplate")? {
            let template = rpc::template_of(call, params.chain)?;
            self.templates.entry(template.previous_block).or_default().push(template);
        }
        Ok(())
    }
}

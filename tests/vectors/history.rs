//! What nodes that ran had seen: every share in the share stores and transcripts of a folder.
//!
//! Runs continue one another, and a store holds less than what crossed the wire; taken together
//! the files of a folder hold whole chains, side branches included.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::tracker::KnownShare;
use p2pool_sharechain::{CheckedShare, Params, ShareHash, Tracker};
use p2pool_wire::frame::Decoder;
use p2pool_wire::message::{Message, RawShare, ShareReply};
use serde::Deserialize;
use serde_json::Value;

use crate::files;
use crate::networks;
use crate::read::bytes;

/// The shares that files of one network in one folder hold.
pub(crate) struct History {
    /// The network.
    pub(crate) params: Arc<Params>,
    /// All shares of all runs.
    pub(crate) tracker: Tracker,
    /// Shares in each run's own files.
    runs: BTreeMap<String, BTreeSet<ShareHash>>,
}

impl History {
    /// Shares in the files of a run, in no particular order.
    pub(crate) fn of_run(&self, run: &str) -> impl Iterator<Item = ShareHash> + '_ {
        self.runs.get(run).into_iter().flatten().copied()
    }

    /// Shares in all files.
    pub(crate) fn all(&self) -> impl Iterator<Item = ShareHash> + '_ {
        self.runs.values().flatten().copied()
    }

    /// The chain from `hash` down, oldest first.
    pub(crate) fn chain(&self, hash: Option<ShareHash>) -> Vec<Arc<CheckedShare>> {
        let mut chain: Vec<_> =
            self.tracker.chain(hash).map(|known| Arc::clone(&known.share)).collect();
        chain.reverse();
        chain
    }

    /// A tracker that knows these shares and no other, all of them verified.
    pub(crate) fn tracker_of(&self, shares: &[Arc<CheckedShare>]) -> Result<Tracker, String> {
        let mut tracker = Tracker::new(Arc::clone(&self.params), 1);
        for share in shares {
            insert(&mut tracker, share)?;
            tracker.mark_verified(share.hash());
        }
        Ok(tracker)
    }

    fn take(&mut self, run: &str, shares: Vec<CheckedShare>) -> Result<(), String> {
        let hashes = self.runs.entry(run.to_owned()).or_default();
        for share in shares {
            hashes.insert(share.hash());
            insert(&mut self.tracker, &Arc::new(share))?;
        }
        Ok(())
    }
}

fn insert(tracker: &mut Tracker, share: &Arc<CheckedShare>) -> Result<(), String> {
    let known = KnownShare { share: Arc::clone(share), seen: MonoTime::ZERO, sender: None };
    tracker.insert(known).map(drop).map_err(|e| format!("inserting {}: {e}", share.hash()))
}

/// Histories by folder, each read once.
#[derive(Default)]
pub(crate) struct Histories {
    folders: BTreeMap<PathBuf, Vec<History>>,
}

impl Histories {
    /// The history of a file's run; `None` if no file of the run has shares.
    pub(crate) fn of(&mut self, path: &Path) -> Result<Option<&mut History>, String> {
        let run = run_of(path);
        Ok(self.all(path)?.iter_mut().find(|history| history.runs.contains_key(run)))
    }

    /// The network of a file's run, or of another one beside it; the reference's own regtest if
    /// no file there has shares.
    pub(crate) fn params_of(&mut self, path: &Path) -> Result<Arc<Params>, String> {
        let own = self.of(path)?.map(|history| Arc::clone(&history.params));
        let other = self.all(path)?.first().map(|history| Arc::clone(&history.params));
        Ok(own.or(other).unwrap_or_else(|| Arc::new(Params::regtest())))
    }

    /// All histories in the folder of this file, one per network.
    pub(crate) fn all(&mut self, path: &Path) -> Result<&mut [History], String> {
        let folder = path.parent().ok_or("the file lies in no folder")?;
        if !self.folders.contains_key(folder) {
            self.folders.insert(folder.to_owned(), load(folder)?);
        }
        Ok(self.folders.get_mut(folder).ok_or("just inserted")?)
    }
}

/// The run that a file belongs to: its name up to the first underscore.
pub(crate) fn run_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('_').next().unwrap_or_default()
}

/// The files of a run beside this one whose name has `part` in it.
pub(crate) fn beside(path: &Path, part: &str) -> Result<Vec<PathBuf>, String> {
    let folder = path.parent().ok_or("the file lies in no folder")?;
    let is_meant = |file: &files::VectorFile| {
        file.path.parent() == Some(folder)
            && run_of(&file.path) == run_of(path)
            && file.name.contains(part)
    };
    let files = files::below(folder)?.into_iter().filter(is_meant);
    Ok(files.map(|file| file.path).collect())
}

fn load(folder: &Path) -> Result<Vec<History>, String> {
    let mut histories: Vec<History> = Vec::new();
    for file in files::below(folder)? {
        let is_store = file.name.contains("_share_store");
        let is_transcript = file.name.contains("_p2p");
        if file.path.parent() != Some(folder) || !(is_store || is_transcript) {
            continue;
        }
        let doc: Recorded = files::load_as(&file.path)?;
        let params = networks::of_network(&doc.network)?;
        let mut shares = doc.stored(&params)?;
        shares.extend(doc.sent(&params)?);
        let known = histories.iter().position(|history| *history.params == params);
        let at = known.unwrap_or(histories.len());
        if known.is_none() {
            let params = Arc::new(params);
            let tracker = Tracker::new(Arc::clone(&params), 1);
            histories.push(History { params, tracker, runs: BTreeMap::new() });
        }
        histories[at].take(run_of(&file.path), shares)?;
    }
    Ok(histories)
}

/// What is needed of a share store or a transcript; the rest is skipped.
#[derive(Deserialize)]
struct Recorded {
    network: Value,
    #[serde(default)]
    shares: Vec<RecordedShare>,
    #[serde(default)]
    connections: Vec<RecordedConnection>,
}

#[derive(Deserialize)]
struct RecordedShare {
    packed: String,
}

#[derive(Deserialize)]
struct RecordedConnection {
    messages: Vec<RecordedMessage>,
}

#[derive(Deserialize)]
struct RecordedMessage {
    command: String,
    frame: String,
}

impl Recorded {
    /// Shares of a store.
    fn stored(&self, params: &Params) -> Result<Vec<CheckedShare>, String> {
        let parse = |share: &RecordedShare| {
            CheckedShare::parse(&bytes(&share.packed)?, params).map_err(|e| e.to_string())
        };
        self.shares.iter().map(parse).collect()
    }

    /// Shares that crossed the wire.
    fn sent(&self, params: &Params) -> Result<Vec<CheckedShare>, String> {
        let messages = self.connections.iter().flat_map(|connection| &connection.messages);
        let mut all = Vec::new();
        for message in messages {
            if !matches!(message.command.as_str(), "shares" | "sharereply") {
                continue;
            }
            let frame = Decoder::new(params.prefix)
                .decode(&mut &bytes(&message.frame)?[..])
                .map_err(|e| e.to_string())?
                .ok_or("the frame is not complete")?;
            let message = Message::decode(frame).map_err(|e| e.to_string())?;
            for share in shares_in(&message) {
                all.push(checked(share, params)?);
            }
        }
        Ok(all)
    }
}

/// The shares that a message carries.
pub(crate) fn shares_in(message: &Message) -> &[RawShare] {
    match message {
        Message::Shares(shares) | Message::ShareReply(ShareReply { shares, .. }) => shares,
        Message::Version(_)
        | Message::Ping
        | Message::AddrMe { .. }
        | Message::Addrs(_)
        | Message::GetAddrs { .. }
        | Message::ShareReq(_)
        | Message::BestBlock(_)
        | Message::HaveTx(_)
        | Message::LosingTx(_)
        | Message::RememberTx { .. }
        | Message::ForgetTx(_)
        | Message::ShareHashes(_)
        | Message::CompactBlock(_)
        | Message::GetBlockTxn(_)
        | Message::BlockTxn(_)
        | Message::Unknown(_) => &[],
    }
}

/// Reads a share as it travels, and runs the checks that need no other share.
pub(crate) fn checked(share: &RawShare, params: &Params) -> Result<CheckedShare, String> {
    let parsed = p2pool_sharechain::Share::parse_contents(share.version, &share.contents, params)
        .map_err(|e| e.to_string())?;
    CheckedShare::check(parsed, params).map_err(|e| e.to_string())
}

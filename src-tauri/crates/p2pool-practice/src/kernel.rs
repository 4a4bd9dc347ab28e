//! libbitcoinkernel, blocking: called on the chain's own thread only.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network};
use bitcoinkernel::prelude::*;
use bitcoinkernel::{
    Block, BlockTreeEntry, BlockValidationResult, BlockValidationStateRef, ChainType,
    ChainstateManager, ChainstateManagerBuilder, Context, ContextBuilder, KernelError, Log, Logger,
    ProcessBlockResult, ValidationMode,
};
use p2pool_bitcoind::model::Place;
use tracing::debug;

use crate::chain::{ChainError, OpenError, SubmitError, Tip, Verdict};
use crate::template::NextBlock;
use crate::work::{self, Parent};

/// Blocks whose median is the median time past.
const MEDIAN_SPAN: usize = 11;
/// Most characters of the kernel's words that we keep.
const WORDS_CHARS_MAX: usize = 300;

/// One open chain.
pub(crate) struct Kernel {
    // In order of destruction: the manager writes to disk and needs the context until then.
    manager: Option<ChainstateManager>,
    context: Context,
    heard: Heard,
    network: Network,
    folder: PathBuf,
    _log: Logger,
}

/// What the kernel's callbacks have told.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Words>>);

#[derive(Default)]
struct Words {
    /// Blocks checked since the last question.
    checked: Vec<(BlockHash, ValidationMode, BlockValidationResult)>,
    /// The reject reason logged last.
    reason: Option<String>,
    /// The error logged last.
    error: Option<String>,
    /// Set for good: the kernel cannot go on.
    fatal: Option<String>,
}

impl Heard {
    fn words(&self) -> MutexGuard<'_, Words> {
        // Every change is a single assignment or push: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fatal(&self, message: &str) {
        self.words().fatal = Some(shorten(message));
    }
}

/// The kernel logs for the whole process; each chain hears what its own thread causes.
struct LogListener {
    thread: ThreadId,
    heard: Heard,
}

impl Log for LogListener {
    fn log(&self, line: &str) {
        if thread::current().id() != self.thread {
            return;
        }
        let line = line.trim_end();
        debug!(target: "bitcoinkernel", "{line}");
        if let Some((_, error)) = line.split_once("[error] ") {
            let mut words = self.heard.words();
            words.reason = reject_reason(error).or(words.reason.take());
            words.error = Some(shorten(error));
        }
    }
}

/// The reject reason in the two messages that end a block's check:
/// `.. AcceptBlock FAILED (reason, ..)` and `.. ConnectBlock HASH failed, reason, ..`.
///
/// The verdict never depends on this, only its wording: the interface of the kernel gives the
/// kind of a failure, and the reason nowhere but here.
fn reject_reason(line: &str) -> Option<String> {
    let text = line
        .split_once("AcceptBlock FAILED (")
        .or_else(|| line.split_once("ConnectBlock ")?.1.split_once(" failed, "))?
        .1;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let reason: String = text.chars().take_while(|c| is_word(*c)).take(60).collect();
    (!reason.is_empty()).then_some(reason)
}

fn shorten(words: &str) -> String {
    words.chars().take(WORDS_CHARS_MAX).collect()
}

impl Kernel {
    /// Opens the chain in `folder`, which exists.
    pub(crate) fn open(folder: &Path, network: Network) -> Result<Self, OpenError> {
        let chain_type = match network {
            Network::Testnet4 => ChainType::Testnet4,
            Network::Regtest => ChainType::Regtest,
            Network::Bitcoin | Network::Testnet | Network::Signet => {
                return Err(OpenError::Network(network));
            }
        };
        let heard = Heard::default();
        let listener = LogListener { thread: thread::current().id(), heard: heard.clone() };
        let log = Logger::new(listener).map_err(|error| open_error(&error))?;
        let context = context(chain_type, &heard).map_err(|error| open_error(&error))?;
        let folder = folder.to_owned();
        let mut kernel = Self { manager: None, context, heard, network, folder, _log: log };
        kernel.load()?;
        Ok(kernel)
    }

    /// Makes the kernel write everything down, by closing and opening it.
    pub(crate) fn flush(&mut self) -> Result<(), OpenError> {
        self.manager = None;
        self.load()?;
        match self.heard.words().fatal.clone() {
            Some(fatal) => Err(OpenError::Kernel(fatal)),
            None => Ok(()),
        }
    }

    /// Closes the chain. Returns whether everything is written down.
    pub(crate) fn close(mut self) -> bool {
        self.manager = None;
        self.heard.words().fatal.is_none()
    }

    fn load(&mut self) -> Result<(), OpenError> {
        let data = text(&self.folder)?;
        let blocks = self.folder.join("blocks");
        self.heard.words().error = None;
        let manager = ChainstateManagerBuilder::new(&self.context, data, text(&blocks)?)
            .and_then(|builder| builder.worker_threads(0).build())
            .and_then(|manager| manager.import_blocks().map(|()| manager))
            .map_err(|error| {
                let told = self.heard.words().error.take();
                told.map_or_else(|| open_error(&error), OpenError::Kernel)
            })?;
        self.manager = Some(manager);
        Ok(())
    }

    /// Gives a block to the kernel and hears its verdict.
    ///
    /// The kernel's direct answer does not tell: it says "new" of a block that it has stored and
    /// then failed to connect. The verdict is what the block-checked callback hears.
    pub(crate) fn submit(&self, raw: &[u8]) -> Result<Verdict, SubmitError> {
        let manager = self.manager()?;
        let block = Block::new(raw).map_err(|_| SubmitError::Undecodable)?;
        let hash = BlockHash::from_byte_array(block.hash().to_bytes());
        {
            let mut words = self.heard.words();
            words.checked.clear();
            words.reason = None;
        }
        let outcome = manager.process_block(&block);
        let mut words = self.heard.words();
        if let Some(fatal) = words.fatal.clone() {
            return Err(ChainError::Kernel(fatal).into());
        }
        let checked = words.checked.iter().rev().find(|(checked, ..)| *checked == hash);
        match (checked.map(|(_, mode, result)| (*mode, *result)), outcome) {
            (Some((ValidationMode::Invalid, result)), _) => {
                let reason = words.reason.take().unwrap_or_else(|| name_of(result).to_owned());
                Ok(Verdict::Rejected(reason))
            }
            (Some((ValidationMode::InternalError, _)), _)
            | (None, ProcessBlockResult::Rejected) => {
                let told = words.error.take().unwrap_or_else(|| "no verdict".into());
                Err(ChainError::Kernel(told).into())
            }
            (_, ProcessBlockResult::Duplicate) if self.is_in_best_chain(hash)? => {
                Ok(Verdict::Duplicate)
            }
            (Some((ValidationMode::Valid, _)), _) if self.is_in_best_chain(hash)? => {
                Ok(Verdict::Accepted)
            }
            (Some((ValidationMode::Valid, _)) | None, _) => Ok(Verdict::Inconclusive),
        }
    }

    /// The newest block.
    pub(crate) fn tip(&self) -> Result<Tip, ChainError> {
        let entry = self.manager()?.active_chain().tip();
        Ok(Tip {
            hash: hash_of(&entry),
            height: height_of(&entry),
            time: entry.header().timestamp(),
            median_time: median_time(entry),
        })
    }

    /// What the next block must be like if it is made at `now`, unix seconds.
    pub(crate) fn next_block(&self, now: u32) -> Result<NextBlock, ChainError> {
        let chain = self.manager()?.active_chain();
        let tip = chain.tip();
        let parent = Parent { height: height_of(&tip), header: header_of(&tip)? };
        let min_time = work::min_time(parent, median_time(tip));
        let time = now.max(min_time);
        let header_at = |height: u32| {
            // Only heights up to the tip's are asked for; the tip's own header fits any gap.
            let entry = i32::try_from(height).ok().and_then(|height| tip.ancestor(height));
            entry.and_then(|entry| header_of(&entry).ok()).unwrap_or(parent.header)
        };
        let bits = work::next_bits(self.network, parent, time, header_at);
        Ok(NextBlock {
            previous_block: hash_of(&tip),
            height: parent.height + 1,
            bits,
            min_time,
            time,
        })
    }

    /// A header and its place, on the best chain or off it.
    pub(crate) fn header(&self, hash: BlockHash) -> Result<Option<(Header, Place)>, ChainError> {
        let manager = self.manager()?;
        let Some(entry) = find(manager, hash) else { return Ok(None) };
        let chain = manager.active_chain();
        let is_in_chain = chain.contains(&entry);
        let next = (entry.height() + 1).try_into().ok().and_then(|height| chain.at_height(height));
        let place = Place {
            height: height_of(&entry),
            confirmations: if is_in_chain {
                i64::from(chain.height()) - i64::from(entry.height()) + 1
            } else {
                -1
            },
            median_time: median_time(entry),
            next: next.filter(|_| is_in_chain).map(|next| hash_of(&next)),
        };
        Ok(Some((header_of(&entry)?, place)))
    }

    /// The block at a height of the best chain.
    pub(crate) fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, ChainError> {
        let chain = self.manager()?.active_chain();
        let entry = usize::try_from(height).ok().and_then(|height| chain.at_height(height));
        Ok(entry.map(|entry| hash_of(&entry)))
    }

    /// A block as it came, on the best chain or off it.
    pub(crate) fn block(&self, hash: BlockHash) -> Result<Option<Vec<u8>>, ChainError> {
        let manager = self.manager()?;
        let Some(entry) = find(manager, hash) else { return Ok(None) };
        let block = manager.read_block_data(&entry).map_err(|error| kernel_error(&error))?;
        block.consensus_encode().map(Some).map_err(|error| kernel_error(&error))
    }

    fn is_in_best_chain(&self, hash: BlockHash) -> Result<bool, ChainError> {
        let manager = self.manager()?;
        Ok(find(manager, hash).is_some_and(|entry| manager.active_chain().contains(&entry)))
    }

    /// Absent only after a flush that could not open the chain again.
    fn manager(&self) -> Result<&ChainstateManager, ChainError> {
        self.manager.as_ref().ok_or(ChainError::Closed)
    }
}

fn context(chain_type: ChainType, heard: &Heard) -> Result<Context, KernelError> {
    let (checked, fatal, flush) = (heard.clone(), heard.clone(), heard.clone());
    ContextBuilder::new()
        .chain_type(chain_type)
        .with_block_checked_validation(move |block: Block, state: BlockValidationStateRef<'_>| {
            let hash = BlockHash::from_byte_array(block.hash().to_bytes());
            checked.words().checked.push((hash, state.mode(), state.result()));
        })
        .with_fatal_error_notification(move |message: String| fatal.fatal(&message))
        .with_flush_error_notification(move |message: String| flush.fatal(&message))
        .build()
}

/// A name for a kind of failure, should the reason not have been logged.
fn name_of(result: BlockValidationResult) -> &'static str {
    match result {
        BlockValidationResult::Consensus | BlockValidationResult::Unset => "rejected",
        BlockValidationResult::CachedInvalid => "duplicate-invalid",
        BlockValidationResult::InvalidHeader => "bad-header",
        BlockValidationResult::Mutated => "bad-txnmrklroot",
        BlockValidationResult::MissingPrev => "prev-blk-not-found",
        BlockValidationResult::InvalidPrev => "bad-prevblk",
        BlockValidationResult::TimeFuture => "time-too-new",
        BlockValidationResult::HeaderLowWork => "too-little-chainwork",
    }
}

fn find(manager: &ChainstateManager, hash: BlockHash) -> Option<BlockTreeEntry<'_>> {
    manager.get_block_tree_entry(&bitcoinkernel::BlockHash::from(hash.to_byte_array()))
}

fn hash_of(entry: &BlockTreeEntry<'_>) -> BlockHash {
    BlockHash::from_byte_array(entry.block_hash().to_bytes())
}

fn height_of(entry: &BlockTreeEntry<'_>) -> u32 {
    u32::try_from(entry.height()).expect("heights count up from zero")
}

fn header_of(entry: &BlockTreeEntry<'_>) -> Result<Header, ChainError> {
    let bytes = entry.header().consensus_encode().map_err(|error| kernel_error(&error))?;
    deserialize(&bytes).map_err(|error| ChainError::Kernel(error.to_string()))
}

/// Median of the header times of a block and the ten before it.
fn median_time(entry: BlockTreeEntry<'_>) -> u32 {
    let entries = std::iter::successors(Some(entry), BlockTreeEntry::prev);
    let mut times: Vec<u32> =
        entries.take(MEDIAN_SPAN).map(|entry| entry.header().timestamp()).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn text(path: &Path) -> Result<&str, OpenError> {
    path.to_str().ok_or_else(|| OpenError::Path(path.to_owned()))
}

fn open_error(error: &KernelError) -> OpenError {
    OpenError::Kernel(error.to_string())
}

fn kernel_error(error: &KernelError) -> ChainError {
    ChainError::Kernel(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reject_reasons_are_found_in_the_log() {
        for (line, reason) in [
            ("ProcessNewBlock: AcceptBlock FAILED (high-hash, proof of work failed)", "high-hash"),
            ("ProcessNewBlock: AcceptBlock FAILED (bad-diffbits)", "bad-diffbits"),
            ("ConnectTip: ConnectBlock 00ab failed, bad-cb-amount, too much", "bad-cb-amount"),
        ] {
            assert_eq!(reject_reason(line).as_deref(), Some(reason));
        }
        assert_eq!(reject_reason("ConnectTip: ConnectBlock 00ab failed, "), None);
        assert_eq!(reject_reason("Disk space is too low!"), None);
    }
}

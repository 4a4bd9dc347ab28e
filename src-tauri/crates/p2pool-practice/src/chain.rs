//! The chain: one thread that owns the kernel, and handles to ask it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use bitcoin::block::Header;
use bitcoin::{BlockHash, Network};
use p2pool_bitcoind::model::Place;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::kernel::Kernel;
use crate::template::NextBlock;
use crate::unflushed::{BLOCKS_MAX, Unflushed};

/// Questions under way; whoever has one more waits.
const JOBS_MAX: usize = 64;

/// A private Bitcoin chain on disk. Cheap to clone; clones speak to the same chain.
///
/// When the last handle is gone the chain closes; [`close`](Self::close) does so at once and
/// says when it is done.
#[derive(Clone, Debug)]
pub struct PracticeChain {
    network: Network,
    jobs: mpsc::Sender<Job>,
    tip: watch::Receiver<Tip>,
}

/// The newest block of the best chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The block.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// Its header time, unix seconds.
    pub time: u32,
    /// Its median time past, unix seconds.
    pub median_time: u32,
}

/// What the kernel says of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid and connected: it is in the best chain now.
    Accepted,
    /// In the best chain already.
    Duplicate,
    /// Stored, but off the best chain.
    Inconclusive,
    /// Invalid; Bitcoin Core's word for the rule that it breaks.
    Rejected(String),
}

/// The chain does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// It has been closed.
    #[error("the practice chain is closed")]
    Closed,
    /// The kernel failed; the text is its own.
    #[error("the practice chain failed: {0}")]
    Kernel(String),
}

/// A block brought no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The bytes are not a block.
    #[error("the block does not decode")]
    Undecodable,
    /// The chain does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A chain cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Practice takes place on chains with testnet4's or regtest's rules.
    #[error("{0} is not a network to practise on")]
    Network(Network),
    /// Somebody else, probably this program, has it open.
    #[error("the practice chain in {0:?} is in use by another program")]
    InUse(PathBuf),
    /// The kernel takes Unicode paths only.
    #[error("the path {0:?} is not Unicode")]
    Path(PathBuf),
    /// A file or folder cannot be read or written.
    #[error("cannot use {path:?}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The kernel failed; the text is its own.
    #[error("the practice chain cannot be opened: {0}")]
    Kernel(String),
}

enum Job {
    Do(Box<dyn FnOnce(&mut Worker) + Send>),
    Close(oneshot::Sender<()>),
}

impl PracticeChain {
    /// Opens the chain in `folder`, or begins one there with the network's first block.
    ///
    /// Each network has a folder of its own inside `folder`.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is left running.
    pub async fn open(folder: &Path, network: Network) -> Result<Self, OpenError> {
        let folder = folder.to_owned();
        let (jobs, inbox) = mpsc::channel(JOBS_MAX);
        let (opened, outcome) = oneshot::channel();
        let body = move || match Worker::open(&folder, network) {
            Ok((worker, tip)) => {
                // Nobody waits any more: the worker then finds its inbox closed, too.
                let _ = opened.send(Ok(tip));
                worker.run(inbox);
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        };
        thread::Builder::new()
            .name("practice-chain".into())
            .spawn(body)
            .map_err(|error| OpenError::Kernel(error.to_string()))?;
        let died = |_| Err(OpenError::Kernel("its thread died".into()));
        let tip = outcome.await.unwrap_or_else(died)?;
        Ok(Self { network, jobs, tip })
    }

    /// The network whose rules hold.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The newest block.
    pub fn tip(&self) -> Tip {
        *self.tip.borrow()
    }

    /// The newest block, and word of every newer one.
    pub fn watch_tip(&self) -> watch::Receiver<Tip> {
        self.tip.clone()
    }

    /// Gives a block, serialised with witness, to the kernel. An accepted block is on disk when
    /// this returns.
    ///
    /// # Errors
    /// No verdict; an invalid block is [`Verdict::Rejected`] and no error.
    pub async fn submit(&self, raw: Vec<u8>) -> Result<Verdict, SubmitError> {
        self.ask(move |worker| worker.submit(&raw)).await?
    }

    /// What the next block must be like if it is made at `now`, unix seconds.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn next_block(&self, now: u32) -> Result<NextBlock, ChainError> {
        self.ask(move |worker| worker.kernel.next_block(now)).await?
    }

    /// A header and its place, on the best chain or off it.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn header(&self, hash: BlockHash) -> Result<Option<(Header, Place)>, ChainError> {
        self.ask(move |worker| worker.kernel.header(hash)).await?
    }

    /// The block at a height of the best chain.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, ChainError> {
        self.ask(move |worker| worker.kernel.hash_at(height)).await?
    }

    /// A block as it came, on the best chain or off it.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn block(&self, hash: BlockHash) -> Result<Option<Vec<u8>>, ChainError> {
        self.ask(move |worker| worker.kernel.block(hash)).await?
    }

    /// Writes everything down and closes the chain for all handles. Returns when that is done.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        // Both fail only if the chain is closed already.
        if self.jobs.send(Job::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Worker) -> R + Send + 'static,
    ) -> Result<R, ChainError> {
        let (reply, answer) = oneshot::channel();
        let job = move |worker: &mut Worker| {
            // Whoever asked may have gone; the answer then interests nobody.
            let _ = reply.send(question(worker));
        };
        self.jobs.send(Job::Do(Box::new(job))).await.map_err(|_| ChainError::Closed)?;
        answer.await.map_err(|_| ChainError::Closed)
    }
}

/// What lives on the chain's thread.
struct Worker {
    kernel: Kernel,
    unflushed: Unflushed,
    tip: watch::Sender<Tip>,
    /// Held, not read: keeps other processes out.
    _lock: File,
}

impl Worker {
    fn open(folder: &Path, network: Network) -> Result<(Self, watch::Receiver<Tip>), OpenError> {
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Disk { path, source }
        };
        fs::create_dir_all(folder).map_err(disk(folder))?;
        let lock = lock(folder)?;
        let folder = folder.join(network.to_core_arg());
        fs::create_dir_all(&folder).map_err(disk(&folder))?;
        let kept = folder.join("unflushed");
        let mut unflushed = Unflushed::open(&kept).map_err(disk(&kept))?;
        let mut kernel = Kernel::open(&folder, network)?;
        if unflushed.count() > 0 {
            for raw in unflushed.blocks().map_err(disk(&kept))? {
                let verdict = kernel.submit(&raw);
                info!(?verdict, "block of an unfinished run");
            }
            kernel.flush()?;
            unflushed.clear().map_err(disk(&kept))?;
        }
        let tip = kernel.tip().map_err(|error| OpenError::Kernel(error.to_string()))?;
        info!(%network, height = tip.height, "practice chain open");
        let (sender, receiver) = watch::channel(tip);
        Ok((Self { kernel, unflushed, tip: sender, _lock: lock }, receiver))
    }

    fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut closing = None;
        while let Some(job) = inbox.blocking_recv() {
            match job {
                Job::Do(job) => job(&mut self),
                Job::Close(done) => {
                    closing = Some(done);
                    break;
                }
            }
        }
        // Questions still under way are answered with "closed" from here on.
        drop(inbox);
        self.close();
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    fn close(self) {
        let Self { kernel, mut unflushed, tip: _, _lock } = self;
        if !kernel.close() {
            warn!("the practice chain could not write everything down; it will catch up");
        } else if let Err(error) = unflushed.clear() {
            // Offering a known block again does no harm.
            warn!(%error, "blocks that are safe could not be removed");
        }
        info!("practice chain closed");
    }

    fn submit(&mut self, raw: &[u8]) -> Result<Verdict, SubmitError> {
        let verdict = self.kernel.submit(raw)?;
        if matches!(verdict, Verdict::Accepted | Verdict::Inconclusive) {
            self.make_safe(raw)?;
        }
        let tip = self.kernel.tip()?;
        self.tip.send_if_modified(|known| {
            let is_new = *known != tip;
            *known = tip;
            is_new
        });
        Ok(verdict)
    }

    /// Sees to it that a block survives the process.
    fn make_safe(&mut self, raw: &[u8]) -> Result<(), ChainError> {
        if self.unflushed.count() < BLOCKS_MAX {
            match self.keep(raw) {
                Ok(()) => return Ok(()),
                Err(error) => warn!(%error, "a block could not be kept; flushing the chain"),
            }
        }
        self.kernel.flush().map_err(|error| {
            error!(%error, "the practice chain could not be written down");
            ChainError::Kernel(error.to_string())
        })?;
        if let Err(error) = self.unflushed.clear() {
            warn!(%error, "blocks that are safe could not be removed");
        }
        Ok(())
    }

    fn keep(&mut self, raw: &[u8]) -> io::Result<()> {
        let header: Header = bitcoin::consensus::deserialize_partial(raw)
            .map(|(header, _)| header)
            .map_err(io::Error::other)?;
        let hash = header.block_hash();
        let found = self.kernel.header(hash).map_err(io::Error::other)?;
        let (_, place) = found.ok_or_else(|| io::Error::other("the block is not indexed"))?;
        self.unflushed.keep(place.height, hash, raw)
    }
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let disk = |source| OpenError::Disk { path: path.clone(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(disk)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(disk(source)),
    }
}

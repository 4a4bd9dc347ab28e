//! [`StratumMiner`]: a miner that finds something exactly when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hashes::{Hash, sha256d};
use p2pool_sharechain::U256;
use p2pool_stratum::client::{ClientAction, Found, Work};
use p2pool_stratum::{Client, ClientConfig};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Wait before the pool is dialled again.
const DIAL_AGAIN: Duration = Duration::from_millis(50);

/// A connection to a pool that is made anew whenever it breaks. Ends when dropped.
#[derive(Debug)]
pub struct StratumMiner {
    work: watch::Receiver<Option<MinerWork>>,
    answers: watch::Receiver<Answers>,
    submits: mpsc::Sender<Found>,
    _task: JoinSet<()>,
    extranonce2: u64,
}

/// Work and when its line had arrived.
#[derive(Clone, Debug)]
pub struct MinerWork {
    /// The work.
    pub work: Arc<Work>,
    /// When it came.
    pub at: Instant,
}

/// What the pool said about finds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Accepted finds.
    pub accepted: u64,
    /// Refused finds.
    pub rejected: u64,
}

impl StratumMiner {
    /// Dials a pool under this name.
    pub fn start(pool: SocketAddr, user: &str) -> Self {
        let (work_sender, work) = watch::channel(None);
        let (answers_sender, answers) = watch::channel(Answers::default());
        let (submits, submits_reader) = mpsc::channel(16);
        let mut connection = Connection {
            user: user.to_owned(),
            work: work_sender,
            answers: answers_sender,
            submits: submits_reader,
        };
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                if let Ok(stream) = TcpStream::connect(pool).await {
                    // However it ended, it is made anew.
                    let _ = connection.run(stream).await;
                }
                connection.work.send_replace(None);
                tokio::time::sleep(DIAL_AGAIN).await;
            }
        });
        Self { work, answers, submits, _task: task, extranonce2: 0 }
    }

    /// The first work that fits, present or to come.
    ///
    /// # Panics
    /// There is none in time.
    pub async fn work(
        &mut self,
        within: Duration,
        mut fits: impl FnMut(&Work) -> bool,
    ) -> MinerWork {
        let is_it = |work: &Option<MinerWork>| work.as_ref().is_some_and(|work| fits(&work.work));
        let found = tokio::time::timeout(within, self.work.wait_for(is_it)).await;
        let work = found.expect("work in time").expect("the connection's task lives");
        work.as_ref().expect("it fits").clone()
    }

    /// Finds a solution and sends it; gives back the header's hash, internal order.
    ///
    /// # Panics
    /// The pool's target cannot be met.
    pub async fn find(&mut self, work: &Work) -> [u8; 32] {
        self.extranonce2 += 1;
        let mut extranonce2 = self.extranonce2.to_be_bytes().to_vec();
        extranonce2.drain(..8_usize.saturating_sub(work.extranonce2_bytes));
        extranonce2.resize(work.extranonce2_bytes, 0);
        let root = work.merkle_root(&extranonce2);
        let mut header = work.notify.header(&root, work.notify.version, work.notify.time, 0);
        for nonce in 0..u32::MAX {
            header[76..].copy_from_slice(&nonce.to_le_bytes());
            let hash = sha256d::Hash::hash(&header).to_byte_array();
            if U256::from_le_bytes(hash) <= work.target {
                let found = Found {
                    job_id: work.notify.job_id.clone(),
                    extranonce2,
                    time: work.notify.time,
                    nonce,
                    version_bits: 0,
                };
                self.submits.send(found).await.expect("the connection's task lives");
                return hash;
            }
        }
        panic!("no solution among all nonces");
    }

    /// Waits until so many finds have been answered.
    ///
    /// # Panics
    /// They are not in time.
    pub async fn answered(&mut self, count: u64, within: Duration) -> Answers {
        let is_it = |answers: &Answers| answers.accepted + answers.rejected >= count;
        let found = tokio::time::timeout(within, self.answers.wait_for(is_it)).await;
        *found.expect("answers in time").expect("the connection's task lives")
    }
}

/// The task's part.
struct Connection {
    user: String,
    work: watch::Sender<Option<MinerWork>>,
    answers: watch::Sender<Answers>,
    submits: mpsc::Receiver<Found>,
}

impl Connection {
    async fn run(&mut self, stream: TcpStream) -> std::io::Result<()> {
        let mut client = Client::new(ClientConfig {
            user: self.user.clone(),
            password: "x".into(),
            user_agent: "test/1".into(),
        });
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        loop {
            while let Some(action) = client.poll() {
                match action {
                    ClientAction::Send(line) => writer.write_all(&line).await?,
                    ClientAction::Work(work) => {
                        self.work.send_replace(Some(MinerWork { work, at: Instant::now() }));
                    }
                    ClientAction::Accepted { .. } => {
                        self.answers.send_modify(|answers| answers.accepted += 1);
                    }
                    ClientAction::Rejected { .. } => {
                        self.answers.send_modify(|answers| answers.rejected += 1);
                    }
                    ClientAction::Authorized | ClientAction::Message(_) => {}
                    ClientAction::Failed(error) => return Err(std::io::Error::other(error)),
                }
            }
            tokio::select! {
                line = lines.next_line() => match line? {
                    Some(line) => client.handle_line(line.as_bytes()),
                    None => return Ok(()),
                },
                Some(found) = self.submits.recv() => client.submit(&found),
            }
        }
    }
}

//! The miner's life: threads, connection after connection, until it is told to end.

use std::io::{self, ErrorKind, Write};
use std::time::{Duration, SystemTime};

use p2pool_stratum::client::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::options::{Options, PoolAddress};
use crate::pool::Rig;
use crate::report::{Event, Reporter};
use crate::rest::RestRules;
use crate::scan::Backend;
use crate::threads::Threads;

/// Solutions that wait to be sent.
const FOUND_QUEUE: usize = 64;
/// Time for a connection to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// First pause between two connections; doubles up to the last.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Why the miner cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The system refuses threads.
    #[error("the hash threads could not be started: {0}")]
    Threads(io::Error),
    /// Reports cannot be written.
    #[error("the reports could not be written: {0}")]
    Output(io::Error),
}

/// Mines until `end` is done or nobody reads the reports any more.
///
/// # Errors
/// What makes going on impossible; never the pool.
pub async fn run<W: Write>(
    options: &Options,
    output: W,
    end: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let backend = Backend::fastest();
    let (sender, found) = mpsc::channel(FOUND_QUEUE);
    let threads = Threads::start(options.threads, options.limit, backend, sender)
        .map_err(RunError::Threads)?;
    let rules =
        RestRules { on_battery: options.pause_on_battery, when_active: options.pause_when_active };
    let rest = rules.watch().map_err(RunError::Threads)?;
    let count = threads.count();
    let mut rig = Rig::new(threads, found, Reporter::new(output, options.json), rest);
    let life = async {
        rig.tell(&Event::Started { threads: count, hashing: backend.name() })?;
        live(options, &mut rig).await
    };
    tokio::select! {
        () = end => Ok(()),
        ended = life => match ended {
            Ok(never) => match never {},
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(RunError::Output(error)),
        },
    }
}

async fn live<W: Write>(
    options: &Options,
    rig: &mut Rig<W>,
) -> io::Result<std::convert::Infallible> {
    let mut pause = PAUSE_FIRST;
    loop {
        let (reason, was_good) = match rig.while_waiting_for(connect(&options.url)).await? {
            Ok(stream) => {
                rig.tell(&Event::Connected { pool: options.url.to_string() })?;
                let ending = rig.converse(stream, client_config(options)).await?;
                (ending.reason, ending.was_authorized)
            }
            Err(reason) => (reason, false),
        };
        if was_good {
            pause = PAUSE_FIRST;
        }
        let wait = pause.mul_f64(jitter());
        rig.tell(&Event::Disconnected { reason, retry_seconds: wait.as_secs_f64() })?;
        rig.while_waiting_for(sleep(wait)).await?;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn connect(pool: &PoolAddress) -> Result<TcpStream, String> {
    let connecting = TcpStream::connect((pool.host.as_str(), pool.port));
    let stream = timeout(CONNECT_WITHIN, connecting)
        .await
        .map_err(|_| format!("no answer from {pool} within {} s", CONNECT_WITHIN.as_secs()))?
        .map_err(|error| format!("{pool}: {error}"))?;
    // Small messages that must leave at once.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}

fn client_config(options: &Options) -> ClientConfig {
    ClientConfig {
        user: options.user.clone(),
        password: options.password.clone(),
        user_agent: concat!("p2pool-miner/", env!("CARGO_PKG_VERSION")).into(),
    }
}

/// A factor from 0.75 to 1.25, so that many miners do not come back at the same moment.
fn jitter() -> f64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    0.75 + f64::from(since_epoch.subsec_nanos() % 1000) / 2000.0
}

//! The miners' door: one port for miners, browsers and exporters.
//!
//! A first byte `{` is Stratum, a method in capitals is HTTP, and whatever else comes is told off in
//! its own language where possible. One task a connection, each with its own session.

mod desk;
pub(crate) mod http;
mod lease;
mod limits;
mod miner;
pub(crate) mod settings;
pub(crate) mod workshop;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pool_engine::Solved;
use p2pool_sharechain::Params;
use p2pool_stratum::first::{FIRST_BYTES, Protocol, TLS_ALERT, protocol};
use p2pool_stratum::login::Login;
use p2pool_stratum::vardiff::coinbase_bytes_max;
use p2pool_stratum::{Prepared, check_payee};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::state::{MinerNotice, UnknownProtocol};
use crate::stats::Count;
use crate::supervise::Tasks;

use desk::Desk;
use http::Site;
use lease::Leases;
use limits::{Limits, Refusal};
use settings::DoorSettings;

pub(crate) use lease::new_leases;

/// Connections at once.
const CONNECTIONS_MAX: usize = 4000;
/// Patience with a connection that says nothing.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(30);
/// Time for the miners to be told that the node stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Miners without connections are looked after this often.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// The door's state.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) settings: DoorSettings,
    pub(crate) links: Links,
}

/// What every session needs.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) clock: Clock,
    pub(crate) params: Arc<Params>,
    pub(crate) payout_address: Arc<[u8]>,
    /// The network, if addresses in user names are paid.
    pub(crate) pays_user_names: Option<Arc<Params>>,
    pub(crate) work: watch::Receiver<Option<Arc<Prepared>>>,
    pub(crate) solved: mpsc::Sender<Solved>,
    pub(crate) counts: mpsc::Sender<Count>,
    pub(crate) leases: Arc<Mutex<Leases>>,
    pub(crate) site: Arc<Site>,
}

impl Links {
    /// What is to be said about a miner as soon as it is known by name.
    fn notices(&self, worker: &str, user_agent: &str) -> Vec<MinerNotice> {
        let mut notices = Vec::new();
        let account = Login::account(worker);
        let is_own = account.as_bytes() == self.payout_address.as_ref();
        let is_paid = is_own || self.pays_user_names.is_some();
        if !is_paid && check_payee(account, &self.params).is_ok() {
            notices.push(MinerNotice::ForeignAddress { address: account.to_owned() });
        }
        let work = self.work.borrow().clone();
        let bytes = work.map_or(0, |work| work.coinbase_bytes());
        if let Some(bytes_max) = coinbase_bytes_max(user_agent)
            && bytes > bytes_max
        {
            notices.push(MinerNotice::CoinbaseTooLong { bytes, bytes_max });
        }
        notices
    }
}

impl Door {
    /// Serves miners until cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        let mut sessions = Tasks::under(&token);
        let limits = Arc::new(Mutex::new(Limits::new(self.settings.allows_outside)));
        let desk = Arc::new(Desk::new(self.links.clone()));
        let mut tidying = tokio::time::interval(TIDY_EVERY);
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                _ = tidying.tick() => desk.tidy(),
                accepted = self.listener.accept(), if sessions.len() < CONNECTIONS_MAX => {
                    match accepted {
                        Ok((stream, address)) => self.let_in(stream, address, (&limits, &desk), &mut sessions),
                        Err(error) => {
                            tracing::debug!(%error, "connection not accepted");
                            tokio::time::sleep(Duration::from_millis(100)).await;
                        }
                    }
                }
                ended = sessions.next_ended() => {
                    if let Some(panic) = ended.panic {
                        tracing::error!(panic, "a miner's session failed");
                    }
                }
            }
        }
        sessions.finish(FAREWELL).await;
    }

    fn let_in(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        (limits, desk): (&Arc<Mutex<Limits>>, &Arc<Desk>),
        sessions: &mut Tasks,
    ) {
        let now = self.links.clock.now();
        let entered = lock(limits).enter(address.ip(), now.mono);
        match entered {
            Ok(()) => {
                let visit = Visit { ip: address.ip().to_canonical(), limits: Arc::clone(limits) };
                let token = sessions.token().clone();
                sessions.spawn("miner", serve(stream, visit, Arc::clone(desk), token));
            }
            Err(refusal) => {
                tracing::debug!(%address, ?refusal, "connection refused");
                if refusal == Refusal::Outside {
                    let note = Count::RefusedOutside { ip: address.ip(), at: now.wall };
                    // Lost notes are the price of never waiting for statistics.
                    let _ = self.links.counts.try_send(note);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection that was let in; leaves when dropped.
#[derive(Debug)]
struct Visit {
    ip: IpAddr,
    limits: Arc<Mutex<Limits>>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.limits).leave(self.ip);
    }
}

async fn serve(mut stream: TcpStream, visit: Visit, desk: Arc<Desk>, token: CancellationToken) {
    let (ip, links) = (visit.ip, &desk.links);
    tune(&stream, ip);
    // In a box that is gone afterwards: a connection holds on to all its task's memory.
    let Some(spoken) = Box::pin(first_words_in_time(&stream, &token)).await else {
        tracing::debug!(%ip, "connection said nothing");
        return;
    };
    match spoken {
        Protocol::Stratum => Box::pin(miner::serve(stream, visit, links, &token)).await,
        Protocol::Http => {
            let served = http::serve(stream, ip, Arc::clone(&desk));
            // Pages end with the node.
            let _ = Box::pin(token.run_until_cancelled(served)).await;
        }
        Protocol::Tls | Protocol::Unknown => {
            let (is_tls, at) = (spoken == Protocol::Tls, links.clock.now().wall);
            let note = UnknownProtocol { ip, is_tls, at };
            // Lost notes are the price of never waiting for statistics.
            let _ = links.counts.try_send(Count::UnknownProtocol(note));
            if spoken == Protocol::Tls {
                // Whether it is heard or not, the connection ends.
                let _ = stream.try_write(&TLS_ALERT);
                let _ = stream.shutdown().await;
            }
        }
    }
}

async fn first_words_in_time(stream: &TcpStream, token: &CancellationToken) -> Option<Protocol> {
    let words = tokio::time::timeout(FIRST_BYTES_WITHIN, first_words(stream));
    token.run_until_cancelled(words).await?.ok()?
}

/// Waits for enough bytes to tell the protocol; they stay unread. `None` if there are none.
async fn first_words(stream: &TcpStream) -> Option<Protocol> {
    let mut bytes = [0; FIRST_BYTES];
    let mut known = 0;
    loop {
        let count = stream.peek(&mut bytes).await.ok()?;
        if count == 0 {
            return None;
        }
        if let Some(protocol) = protocol(bytes.get(..count)?) {
            return Some(protocol);
        }
        if count == known {
            // Peeking again returns at once: wait for more to arrive.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        known = count;
    }
}

/// Small lines must leave at once, and a peer that is gone must be noticed.
fn tune(stream: &TcpStream, ip: IpAddr) {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(50))
        .with_interval(Duration::from_secs(15));
    let tuned = stream
        .set_nodelay(true)
        .and_then(|()| socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = tuned {
        tracing::debug!(%ip, %error, "connection not tuned");
    }
}

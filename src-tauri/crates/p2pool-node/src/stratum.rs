//! The miners' door: one task a connection, each with its own session.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pool_engine::Solved;
use p2pool_sharechain::template::TemplateBase;
use p2pool_stratum::{
    Action, Event, Extranonce1, ExtranonceAllocator, LineBuffer, Session, SessionConfig,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::stats::Count;
use crate::supervise::Tasks;

/// Connections at once.
const CONNECTIONS_MAX: usize = 1000;
/// Longest line from a miner.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// A miner that does not read is let go after this time.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// User agent of the node's own CPU miner.
const HELPER_AGENT: &str = "p2pool-miner/";
/// What a browser gets.
const HTTP_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\
Connection: close\r\n\r\nThis port is for Bitcoin miners. Enter it in your miner as \
stratum+tcp://<this address>.\n";

/// The door's state.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) links: Links,
}

/// What every session needs.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) clock: Clock,
    pub(crate) payout_address: Vec<u8>,
    pub(crate) work: watch::Receiver<Option<Arc<TemplateBase>>>,
    pub(crate) solved: mpsc::Sender<Solved>,
    pub(crate) counts: mpsc::Sender<Count>,
    pub(crate) extranonces: Arc<Mutex<ExtranonceAllocator>>,
}

impl Door {
    /// Serves miners until cancelled.
    pub(crate) async fn run(self, token: CancellationToken) {
        let mut sessions = Tasks::under(&token);
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                accepted = self.listener.accept(), if sessions.len() < CONNECTIONS_MAX => {
                    match accepted {
                        Ok((stream, address)) if is_near(address.ip()) => {
                            let session = serve(
                                stream, address, self.links.clone(), sessions.token().clone(),
                            );
                            sessions.spawn("miner", session);
                        }
                        Ok((_, address)) => tracing::debug!(%address, "not a private address"),
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
        sessions.finish(Duration::from_secs(2)).await;
    }
}

/// Only this computer and private networks are served.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Gives the number back when the connection ends, however it ends.
struct Lease {
    extranonce: Extranonce1,
    allocator: Arc<Mutex<ExtranonceAllocator>>,
}

impl Lease {
    fn take(allocator: &Arc<Mutex<ExtranonceAllocator>>) -> Self {
        let extranonce = allocator.lock().unwrap_or_else(PoisonError::into_inner).allocate();
        Self { extranonce, allocator: Arc::clone(allocator) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut allocator = self.allocator.lock().unwrap_or_else(PoisonError::into_inner);
        allocator.release(self.extranonce);
    }
}

async fn serve(stream: TcpStream, address: SocketAddr, links: Links, token: CancellationToken) {
    // Small lines that must leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "no-delay refused");
    }
    let lease = Lease::take(&links.extranonces);
    let mut config = SessionConfig::new(links.payout_address.clone());
    config.share_nonce_seed = lease.extranonce.0.rotate_left(16) ^ links.clock.now().wall.to_u32();
    let session = Session::new(config, lease.extranonce, links.clock.now());
    let connection = Connection {
        is_local: address.ip().is_loopback(),
        stream,
        session,
        links,
        joined: Vec::new(),
        wake: None,
    };
    connection.run(token).await;
    drop(lease);
    tracing::debug!(%address, "miner's connection ended");
}

/// One miner's connection.
struct Connection {
    stream: TcpStream,
    is_local: bool,
    session: Session,
    links: Links,
    /// Worker names reported as joined.
    joined: Vec<String>,
    wake: Option<tokio::time::Instant>,
}

impl Connection {
    async fn run(mut self, token: CancellationToken) {
        let mut lines = LineBuffer::new(LINE_BYTES_MAX);
        let mut buffer = vec![0; 4096];
        let mut is_first = true;
        self.links.work.mark_changed();
        loop {
            let far = tokio::time::Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                () = token.cancelled() => break,
                Ok(()) = self.links.work.changed() => {
                    let work = self.links.work.borrow_and_update().clone();
                    let event = work.map_or(Event::NoWork, Event::NewWork);
                    self.session.handle(self.links.clock.now(), event);
                }
                () = tokio::time::sleep_until(self.wake.unwrap_or(far)) => {
                    self.wake = None;
                    self.session.handle(self.links.clock.now(), Event::Timer);
                }
                read = self.stream.read(&mut buffer) => {
                    let Ok(count @ 1..) = read else { break };
                    let bytes = &buffer[..count];
                    if is_first && is_http(bytes) {
                        // A browser may be gone already; it gets no second chance.
                        let _ = self.stream.write_all(HTTP_ANSWER).await;
                        break;
                    }
                    is_first = false;
                    lines.push(bytes);
                    loop {
                        match lines.next_line() {
                            Ok(Some(line)) => {
                                self.session.handle(self.links.clock.now(), Event::Line(&line));
                                if !self.carry_out().await {
                                    return self.leave().await;
                                }
                            }
                            Ok(None) => break,
                            Err(error) => {
                                tracing::debug!(%error, "miner's connection ends");
                                return self.leave().await;
                            }
                        }
                    }
                }
            }
            if !self.carry_out().await {
                break;
            }
        }
        self.leave().await;
    }

    /// Carries out what the session wants; `false` ends the connection.
    async fn carry_out(&mut self) -> bool {
        while let Some(action) = self.session.poll() {
            match action {
                Action::Send(line) => {
                    let sent = tokio::time::timeout(WRITE_WITHIN, self.stream.write_all(&line));
                    if !matches!(sent.await, Ok(Ok(()))) {
                        return false;
                    }
                }
                Action::Solved { template, solution, grade, worker, on_time } => {
                    if grade.is_share {
                        self.count(Count::Share);
                    }
                    let found_at = self.links.clock.now().wall;
                    let solved =
                        Solved { template, solution, worker, is_on_time: on_time, found_at };
                    if self.links.solved.send(solved).await.is_err() {
                        return false;
                    }
                }
                Action::Accepted { worker, difficulty, late } => {
                    self.count(Count::Accepted { worker, difficulty, is_late: late });
                }
                Action::Rejected { worker, reason } => {
                    tracing::debug!(worker, ?reason, "result refused");
                    self.count(Count::Rejected { worker });
                }
                Action::Close(reason) => {
                    tracing::debug!(%reason, "miner's connection ends");
                    return false;
                }
                Action::WakeAt(at) => self.wake = Some(self.links.clock.instant(at)),
            }
        }
        self.report_joined();
        true
    }

    /// Reports worker names that the session has accepted since the last look.
    fn report_joined(&mut self) {
        let user_agent = self.session.user_agent().to_owned();
        for worker in self.session.workers().iter().skip(self.joined.len()) {
            let is_helper = self.is_local && user_agent.starts_with(HELPER_AGENT);
            let joined =
                Count::Joined { worker: worker.clone(), user_agent: user_agent.clone(), is_helper };
            self.joined.push(worker.clone());
            // Lost counters are the price of never waiting for statistics.
            let _ = self.links.counts.try_send(joined);
        }
    }

    fn count(&self, count: Count) {
        // Lost counters are the price of never waiting for statistics.
        let _ = self.links.counts.try_send(count);
    }

    async fn leave(mut self) {
        for worker in std::mem::take(&mut self.joined) {
            // A name must not stay connected for ever: here the session waits.
            let _ = self.links.counts.send(Count::Left { worker }).await;
        }
        let _ = self.stream.shutdown().await;
    }
}

/// Whether the first bytes are those of a browser or a program that speaks HTTP.
fn is_http(bytes: &[u8]) -> bool {
    [&b"GET "[..], b"POST", b"HEAD", b"OPTI", b"PUT "].iter().any(|verb| bytes.starts_with(verb))
}

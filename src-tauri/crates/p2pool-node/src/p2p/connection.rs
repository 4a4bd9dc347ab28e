//! Connections to other nodes: one task each, between a socket, a session and the driver.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use p2pool_engine::{ChainSummary, Input, PeerId, RequestId, Served};
use p2pool_sharechain::share::ParseShareError;
use p2pool_sharechain::verify::StandaloneError;
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CheckedShare, Params, Share, ShareHash};
use p2pool_wire::message::{RawShare, ReplyResult, ShareReply, ShareReq};
use p2pool_wire::{Message, Output, Services, Session, SessionConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::driver::FromPeer;
use crate::p2p::host::HostPort;
use crate::state::{NodeEvent, NodeEventKind};
use crate::supervise::Tasks;

/// Incoming connections at once.
const INCOMING_MAX: usize = 40;
/// Messages to one peer under way; a peer that cannot keep up is dropped.
const COMMANDS: usize = 64;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// Waits between attempts to reach a fixed peer.
const REDIAL_FIRST: Duration = Duration::from_millis(500);
const REDIAL_MAX: Duration = Duration::from_secs(30);
/// So many shares are checked without leaving the other tasks of this thread alone.
const CHECK_INLINE_MAX: usize = 32;

/// What the driver tells a peer's task.
#[derive(Debug)]
pub(crate) enum PeerCommand {
    Shares(Vec<Arc<CheckedShare>>),
    Request {
        request: RequestId,
        hashes: Vec<ShareHash>,
        parents: u64,
        stops: Vec<ShareHash>,
    },
    Announce(Vec<ShareHash>),
    BestBlock([u8; 80]),
    CompactBlock(Arc<HeaderAndShortIds>),
    RequestBlockTxn(BlockTransactionsRequest),
    BlockTxn(Arc<BlockTransactions>),
    /// The last command: the engine wants the connection ended.
    Drop {
        is_ban: bool,
    },
}

/// What every connection needs.
#[derive(Clone, Debug)]
pub(crate) struct PeerLinks {
    pub(crate) clock: Clock,
    pub(crate) params: Arc<Params>,
    pub(crate) driver: mpsc::Sender<FromPeer>,
    pub(crate) summary: watch::Receiver<Arc<ChainSummary>>,
    /// Answers to questions for shares.
    pub(crate) served: watch::Receiver<Served>,
    /// `None`: nobody is told who comes and goes.
    pub(crate) events: Option<broadcast::Sender<NodeEvent>>,
    /// Random number of this node.
    pub(crate) nonce: u64,
    /// Random numbers of connected nodes.
    pub(crate) connected: Arc<Mutex<BTreeSet<u64>>>,
    pub(crate) next_id: Arc<AtomicU64>,
}

impl PeerLinks {
    pub(crate) fn new(
        clock: Clock,
        params: Arc<Params>,
        driver: &crate::driver::DriverHandle,
        nonce: u64,
        events: Option<broadcast::Sender<NodeEvent>>,
    ) -> Self {
        Self {
            clock,
            params,
            driver: driver.peers.clone(),
            summary: driver.summary.clone(),
            served: driver.served.clone(),
            events,
            nonce,
            connected: Arc::default(),
            next_id: Arc::new(AtomicU64::new(1)),
        }
    }
}

/// Takes in connections until cancelled.
pub(crate) async fn listen(listener: TcpListener, links: PeerLinks, token: CancellationToken) {
    let mut peers = Tasks::under(&token);
    loop {
        tokio::select! {
            () = token.cancelled() => break,
            accepted = listener.accept(), if peers.len() < INCOMING_MAX => match accepted {
                Ok((stream, address)) => {
                    let peer = connection(stream, address, links.clone(), peers.token().clone());
                    peers.spawn("peer", peer);
                }
                Err(error) => {
                    tracing::debug!(%error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            ended = peers.next_ended() => {
                if let Some(panic) = ended.panic {
                    tracing::error!(panic, "a peer's session failed");
                }
            }
        }
    }
    peers.finish(Duration::from_secs(2)).await;
}

/// Keeps a connection to one fixed peer until cancelled.
pub(crate) async fn keep_dialling(peer: HostPort, links: PeerLinks, token: CancellationToken) {
    let mut pause = REDIAL_FIRST;
    loop {
        let place = (peer.host(), peer.port());
        let dialled = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(place));
        tokio::select! {
            () = token.cancelled() => return,
            dialled = dialled => {
                if let Ok(Ok(stream)) = dialled
                    && let Ok(address) = stream.peer_addr()
                {
                    pause = REDIAL_FIRST;
                    connection(stream, address, links.clone(), token.clone()).await;
                }
            }
        }
        tokio::select! {
            () = token.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(REDIAL_MAX);
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    links: PeerLinks,
    token: CancellationToken,
) {
    let Ok(own_addr) = stream.local_addr() else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "no-delay refused");
    }
    let id = links.next_id.fetch_add(1, Ordering::Relaxed);
    let config = SessionConfig {
        prefix: links.params.prefix,
        version_min: p2pool_wire::session::PROTOCOL_VERSION_MIN,
        nonce: links.nonce,
        services: Services::NONE,
        sub_version: format!("p2pool-desktop/{}", env!("CARGO_PKG_VERSION")),
        best_share: links.summary.borrow().best,
        own_addr,
        peer_addr: address,
        seed: links.nonce ^ id,
    };
    let session = Session::new(config, links.clock.now().mono);
    let connection =
        Connection { id, address, stream, session, links, commands: None, nonce: None };
    connection.run(&token).await;
}

/// One connection.
struct Connection {
    id: PeerId,
    address: SocketAddr,
    stream: TcpStream,
    session: Session,
    links: PeerLinks,
    /// Messages from the driver, once the handshake is done.
    commands: Option<mpsc::Receiver<PeerCommand>>,
    nonce: Option<u64>,
}

impl Connection {
    async fn run(mut self, token: &CancellationToken) {
        let mut buffer = vec![0; 32 * 1024];
        while self.carry_out().await {
            let Some(wakes_at) = self.session.wakes_at() else { break };
            let wake = self.links.clock.instant(wakes_at);
            tokio::select! {
                () = token.cancelled() => break,
                read = self.stream.read(&mut buffer), if self.session.wants_bytes() => {
                    let Ok(count @ 1..) = read else { break };
                    let now = self.links.clock.now().mono;
                    let connected = self.lock_connected().clone();
                    let bytes = &buffer[..count];
                    let input = p2pool_wire::Input::Bytes { bytes, connected: &connected };
                    self.session.handle(now, input);
                }
                command = next_command(&mut self.commands) => {
                    let Some(message) = command.and_then(message) else { break };
                    self.send(message);
                }
                () = tokio::time::sleep_until(wake) => {
                    let now = self.links.clock.now().mono;
                    self.session.handle(now, p2pool_wire::Input::Wake);
                }
            }
        }
        self.leave().await;
    }

    /// Carries out what the session wants; `false` ends the connection.
    async fn carry_out(&mut self) -> bool {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Write(bytes) => {
                    let written =
                        tokio::time::timeout(WRITE_WITHIN, self.stream.write_all(&bytes)).await;
                    if !matches!(written, Ok(Ok(()))) {
                        return false;
                    }
                }
                Output::Joined(peer) => {
                    let (commands, receiver) = mpsc::channel(COMMANDS);
                    self.commands = Some(receiver);
                    self.nonce = Some(peer.nonce);
                    self.lock_connected().insert(peer.nonce);
                    self.tell_all(NodeEventKind::MemberJoined { address: self.address });
                    let joined = FromPeer::Joined {
                        peer: self.id,
                        best_share: peer.best_share,
                        services: peer.services,
                        commands,
                    };
                    if self.links.driver.send(joined).await.is_err() {
                        return false;
                    }
                }
                Output::Received(message) => {
                    if !self.receive(message).await {
                        return false;
                    }
                }
                Output::Closed(error) => {
                    tracing::debug!(address = %self.address, %error, "peer's connection ends");
                    return false;
                }
            }
        }
        true
    }

    /// Passes a message on; `false` ends the connection.
    async fn receive(&mut self, message: Message) -> bool {
        let peer = self.id;
        let input = match message {
            Message::Shares(raw) => match self.check(&raw) {
                Ok(shares) => {
                    if !self.report_unknown(&raw).await {
                        return false;
                    }
                    Input::Shares { peer, shares }
                }
                Err(error) => {
                    tracing::debug!(address = %self.address, %error, "bad share");
                    return false;
                }
            },
            Message::ShareReply(reply) => match self.check(&reply.shares) {
                Ok(shares) => {
                    let shares = (reply.result == ReplyResult::Good).then_some(shares);
                    Input::ShareReply { peer, request: reply.id, shares }
                }
                Err(error) => {
                    tracing::debug!(address = %self.address, %error, "bad share");
                    return false;
                }
            },
            Message::ShareReq(question) => return self.serve(&question),
            Message::ShareHashes(hashes) => Input::ShareHashes { peer, hashes },
            Message::BestBlock(header) => Input::BestBlock { peer, header },
            Message::CompactBlock(block) => Input::CompactBlock { peer, block },
            Message::GetBlockTxn(request) => Input::GetBlockTxn { peer, request },
            Message::BlockTxn(transactions) => Input::BlockTxn { peer, transactions },
            // Addresses of others are not used yet; the rest concerns the session.
            Message::Version(_)
            | Message::Ping
            | Message::AddrMe { .. }
            | Message::Addrs(_)
            | Message::GetAddrs { .. }
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_)
            | Message::Unknown(_) => return true,
        };
        self.links.driver.send(FromPeer::Engine(input)).await.is_ok()
    }

    /// Answers a question for shares; `false` ends the connection, as asking for nothing does.
    fn serve(&mut self, question: &ShareReq) -> bool {
        if question.hashes.is_empty() {
            return false;
        }
        let shares = self.links.served.borrow().answer(question);
        let shares = shares.iter().map(raw).collect();
        let (id, result) = (question.id, ReplyResult::Good);
        self.send(Message::ShareReply(ShareReply { id, result, shares }));
        true
    }

    fn send(&mut self, message: Message) {
        let now = self.links.clock.now().mono;
        self.session.handle(now, p2pool_wire::Input::Send(message));
    }

    /// Checks shares as far as they can be without others; unknown types are left out.
    fn check(&self, raw: &[RawShare]) -> Result<Vec<Arc<CheckedShare>>, StandaloneError> {
        let params = &self.links.params;
        let check_all = || raw.iter().filter_map(|raw| check(raw, params)).collect();
        if raw.len() > CHECK_INLINE_MAX {
            tokio::task::block_in_place(check_all)
        } else {
            check_all()
        }
    }

    /// Reports shares of types above those that this program knows; `false` ends the connection.
    async fn report_unknown(&self, raw: &[RawShare]) -> bool {
        let newest = ShareVersion::NEWEST.number();
        let Some(version) = raw.iter().map(|raw| raw.version).filter(|v| *v > newest).max() else {
            return true;
        };
        let count = raw.iter().filter(|raw| raw.version > newest).count() as u64;
        let input = Input::UnknownShares { version, count };
        self.links.driver.send(FromPeer::Engine(input)).await.is_ok()
    }

    fn lock_connected(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.links.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_all(&self, kind: NodeEventKind) {
        if let Some(events) = &self.links.events {
            // Nobody has to listen.
            let _ = events.send(NodeEvent { at: self.links.clock.now().wall, kind });
        }
    }

    async fn leave(mut self) {
        if let Some(nonce) = self.nonce {
            self.lock_connected().remove(&nonce);
            self.tell_all(NodeEventKind::MemberLeft { address: self.address });
            let left = FromPeer::Engine(Input::PeerLeft { peer: self.id });
            // A driver that is gone has forgotten the peer already.
            let _ = self.links.driver.send(left).await;
        }
        let _ = self.stream.shutdown().await;
    }
}

/// The next message from the driver; never before the handshake; `None` if it let the peer go.
async fn next_command(commands: &mut Option<mpsc::Receiver<PeerCommand>>) -> Option<PeerCommand> {
    match commands {
        Some(commands) => commands.recv().await,
        None => std::future::pending().await,
    }
}

fn check(raw: &RawShare, params: &Params) -> Option<Result<Arc<CheckedShare>, StandaloneError>> {
    match Share::parse_contents(raw.version, &raw.contents, params) {
        // Types too new are counted, types long gone are passed over: wire.md section 4.
        Err(ParseShareError::UnknownVersion(_) | ParseShareError::ObsoleteVersion(_)) => None,
        Err(error) => Some(Err(error.into())),
        Ok(share) => Some(CheckedShare::check(share, params).map(Arc::new)),
    }
}

/// The message that a command sends; `None` if the connection ends.
fn message(command: PeerCommand) -> Option<Message> {
    Some(match command {
        PeerCommand::Shares(shares) => Message::Shares(shares.iter().map(raw).collect()),
        PeerCommand::Request { request, hashes, parents, stops } => {
            Message::ShareReq(ShareReq { id: request, hashes, parents, stops })
        }
        PeerCommand::Announce(hashes) => Message::ShareHashes(hashes),
        PeerCommand::BestBlock(header) => Message::BestBlock(header),
        PeerCommand::CompactBlock(block) => {
            Message::CompactBlock(Box::new(Arc::unwrap_or_clone(block)))
        }
        PeerCommand::RequestBlockTxn(request) => Message::GetBlockTxn(request),
        PeerCommand::BlockTxn(transactions) => {
            Message::BlockTxn(Arc::unwrap_or_clone(transactions))
        }
        PeerCommand::Drop { is_ban } => {
            tracing::debug!(is_ban, "connection ended by the engine");
            return None;
        }
    })
}

fn raw(share: &Arc<CheckedShare>) -> RawShare {
    let share = share.share();
    RawShare { version: share.version.number(), contents: share.contents_to_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_types_not_known_are_nobodys_fault() {
        let params = Params::simulation();
        for version in [16, 36, u64::MAX] {
            assert!(check(&RawShare { version, contents: vec![0; 40] }, &params).is_none());
        }
        let broken = check(&RawShare { version: 35, contents: vec![0; 40] }, &params);
        assert!(matches!(broken, Some(Err(StandaloneError::Parse(_)))));
    }
}

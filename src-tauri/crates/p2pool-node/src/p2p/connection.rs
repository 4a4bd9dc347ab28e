//! One connection to another node: a socket, a session, and the driver behind it.
//!
//! Reading and writing go on beside each other, so that two nodes that send each other much at
//! once never wait for one another.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use p2pool_engine::{ChainSummary, Input, PeerId, RequestId, Served};
use p2pool_sharechain::verify::{Blame, StandaloneError};
use p2pool_sharechain::{CheckedShare, Params, ShareHash};
use p2pool_wire::message::{ReplyResult, ShareReply, ShareReq};
use p2pool_wire::peering::{BAN_MISBEHAVIOUR, Departure};
use p2pool_wire::{Message, Output, Peer, Services, Session, SessionConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::intake::{self, raw};
use super::outgoing::Outgoing;
use crate::clock::Clock;
use crate::driver::FromPeer;
use crate::state::{NodeEvent, NodeEventKind};

/// Messages to one peer under way; a peer that cannot keep up is dropped.
const COMMANDS: usize = 64;
/// A peer that takes not a single byte for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// At the end what waits for the peer has so long to get on its way.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(500);
/// Nothing more is read, and so answered, while so many bytes wait for the peer.
const UNREAD_ABOVE: usize = 1 << 20;
/// A peer that has so many bytes waiting does not keep up.
const OUTGOING_MAX: usize = 64 << 20;
/// Questions whose answers are timed; the engine has far fewer under way.
const ASKED_MAX: usize = 16;

/// What the driver tells a peer's task. A closed channel ends the connection.
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

/// What the peering service tells a peer's task. A closed channel ends the connection.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Message),
    Close,
}

/// What a peer's task tells the peering service; its end is told by the task's end.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The target has answered.
    Connected { peer: PeerId, address: Option<SocketAddr> },
    /// The handshake is done.
    Joined { peer: PeerId, info: Peer },
    /// A message about addresses.
    Received { peer: PeerId, message: Message },
}

/// What one connection has come to so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Bytes.
    pub(crate) sent: AtomicU64,
    /// Bytes.
    pub(crate) received: AtomicU64,
    /// Shares received.
    pub(crate) shares: AtomicU64,
    /// Microseconds; zero as long as nothing was measured.
    round_trip_us: AtomicU64,
}

impl Traffic {
    /// Takes in a measurement. Answers take longer the longer they are, so a short time counts at
    /// once and a long one only little by little.
    pub(crate) fn note_round_trip(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let known = self.round_trip_us.load(Ordering::Relaxed);
        let is_shorter = known == 0 || took <= known;
        let new = if is_shorter { took } else { known + (took - known) / 8 };
        self.round_trip_us.store(new, Ordering::Relaxed);
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let known = self.round_trip_us.load(Ordering::Relaxed);
        (known > 0).then(|| Duration::from_micros(known))
    }
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
    /// What peers are told that this node understands.
    pub(crate) services: Services,
    /// Random numbers of connected nodes.
    pub(crate) connected: Arc<Mutex<BTreeSet<u64>>>,
}

impl PeerLinks {
    pub(crate) fn new(
        clock: Clock,
        params: Arc<Params>,
        driver: &crate::driver::DriverHandle,
        nonce: u64,
        services: Services,
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
            services,
            connected: Arc::default(),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: PeerId,
    /// As the socket sees it: behind a proxy, the proxy.
    pub(crate) address: SocketAddr,
    pub(crate) stream: TcpStream,
    pub(crate) links: PeerLinks,
    pub(crate) heard: mpsc::Sender<Heard>,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) traffic: Arc<Traffic>,
}

impl Connection {
    /// Talks until either side has had enough. Says how it ended.
    pub(crate) async fn run(self, token: &CancellationToken) -> Departure {
        let Ok(own_addr) = self.stream.local_addr() else { return Departure::Ended };
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(address = %self.address, %error, "no-delay refused");
        }
        let config = SessionConfig {
            prefix: self.links.params.prefix,
            version_min: p2pool_wire::session::PROTOCOL_VERSION_MIN,
            nonce: self.links.nonce,
            services: self.links.services,
            sub_version: format!("p2pool-desktop/{}", env!("CARGO_PKG_VERSION")),
            best_share: self.links.summary.borrow().best,
            own_addr,
            peer_addr: self.address,
            seed: self.links.nonce ^ self.peer,
        };
        let talk = Talk {
            session: Session::new(config, self.links.clock.now().mono),
            outgoing: Outgoing::default(),
            commands: None,
            nonce: None,
            taken_at: Instant::now(),
            asked: VecDeque::new(),
            connection: self,
        };
        talk.run(token).await
    }
}

/// A connection and its session.
#[derive(Debug)]
struct Talk {
    connection: Connection,
    session: Session,
    outgoing: Outgoing,
    /// Messages from the driver, once the handshake is done.
    commands: Option<mpsc::Receiver<PeerCommand>>,
    nonce: Option<u64>,
    /// When the peer last took bytes, or had none to take.
    taken_at: Instant,
    /// Questions for shares that were sent, oldest first, and when.
    asked: VecDeque<(RequestId, Instant)>,
}

/// Whether a connection goes on, or how it has ended.
type Ended = Result<(), Departure>;

impl Talk {
    async fn run(mut self, token: &CancellationToken) -> Departure {
        let mut buffer = vec![0; 32 * 1024];
        let how = loop {
            if let Err(how) = self.carry_out().await {
                break how;
            }
            match self.step(&mut buffer, token).await {
                Ok(()) => {}
                Err(how) => break how,
            }
        };
        if !matches!(how, Departure::Misbehaved { .. }) {
            // The last words may be a block.
            let _ = tokio::time::timeout(LAST_WORDS_WITHIN, self.flush()).await;
        }
        self.leave().await;
        how
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        while !self.outgoing.is_empty() {
            let count = self.connection.stream.write(self.outgoing.next()).await?;
            self.outgoing.sent(count);
        }
        Ok(())
    }

    /// Waits for the next thing to happen, and takes it in.
    async fn step(&mut self, buffer: &mut [u8], token: &CancellationToken) -> Ended {
        let clock = self.connection.links.clock;
        let wake = clock.instant(self.session.wakes_at().ok_or(Departure::Ended)?);
        let may_read = self.session.wants_bytes() && self.outgoing.len() < UNREAD_ABOVE;
        let is_writing = !self.outgoing.is_empty();
        let (mut reader, mut writer) = self.connection.stream.split();
        tokio::select! {
            () = token.cancelled() => return Err(Departure::Ended),
            read = reader.read(buffer), if may_read => {
                let Ok(count @ 1..) = read else { return Err(Departure::Ended) };
                self.received(&buffer[..count]);
            }
            written = writer.write(self.outgoing.next()), if is_writing => {
                let Ok(count @ 1..) = written else { return Err(Departure::Ended) };
                self.outgoing.sent(count);
                self.taken_at = Instant::now();
                self.connection.traffic.sent.fetch_add(count as u64, Ordering::Relaxed);
            }
            command = next_command(&mut self.commands) => {
                let message = message(command.ok_or(Departure::Failed)?)?;
                if let Message::ShareReq(question) = &message {
                    self.asked.push_back((question.id, Instant::now()));
                    self.asked.drain(..self.asked.len().saturating_sub(ASKED_MAX));
                }
                self.send(message);
            }
            order = self.connection.orders.recv() => match order {
                Some(Order::Send(message)) => self.send(message),
                Some(Order::Close) => return Err(Departure::Ended),
                None => return Err(Departure::Failed),
            },
            () = tokio::time::sleep_until(wake) => {
                self.session.handle(clock.now().mono, p2pool_wire::Input::Wake);
            }
            () = tokio::time::sleep_until(self.taken_at + WRITE_WITHIN), if is_writing => {
                return Err(Departure::Failed);
            }
        }
        Ok(())
    }

    fn received(&mut self, bytes: &[u8]) {
        let links = &self.connection.links;
        self.connection.traffic.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let connected = links.connected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let input = p2pool_wire::Input::Bytes { bytes, connected: &connected };
        self.session.handle(links.clock.now().mono, input);
    }

    /// Carries out what the session wants.
    async fn carry_out(&mut self) -> Ended {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Write(bytes) => {
                    if self.outgoing.is_empty() {
                        self.taken_at = Instant::now();
                    }
                    self.outgoing.push(bytes);
                    if self.outgoing.len() > OUTGOING_MAX {
                        return Err(Departure::Failed);
                    }
                }
                Output::Joined(info) => self.join(info).await?,
                Output::Received(message) => self.receive(message).await?,
                Output::Closed(error) => {
                    let address = self.connection.address;
                    tracing::debug!(%address, %error, "peer's connection ends");
                    return Err(Departure::from(&error));
                }
            }
        }
        Ok(())
    }

    async fn join(&mut self, info: Peer) -> Ended {
        let peer = self.connection.peer;
        let (commands, receiver) = mpsc::channel(COMMANDS);
        self.commands = Some(receiver);
        self.nonce = Some(info.nonce);
        self.lock_connected().insert(info.nonce);
        self.tell_all(NodeEventKind::MemberJoined { address: self.connection.address });
        let (best_share, services) = (info.best_share, info.services);
        self.to_driver(FromPeer::Joined { peer, best_share, services, commands }).await?;
        self.to_service(Heard::Joined { peer, info }).await
    }

    /// Passes a message on to whom it concerns.
    async fn receive(&mut self, message: Message) -> Ended {
        let peer = self.connection.peer;
        let input = match message {
            Message::Shares(raw) => {
                let params = &self.connection.links.params;
                self.note_shares(raw.len());
                let shares = intake::check_all(&raw, params).map_err(|error| self.bad(&error))?;
                if let Some((version, count)) = intake::unknown(&raw) {
                    let input = Input::UnknownShares { version, count };
                    self.to_driver(FromPeer::Engine(input)).await?;
                }
                Input::Shares { peer, shares }
            }
            Message::ShareReply(reply) => {
                self.note_shares(reply.shares.len());
                self.note_answer(reply.id);
                let params = &self.connection.links.params;
                let shares = intake::check_all(&reply.shares, params);
                let shares = shares.map_err(|error| self.bad(&error))?;
                let shares = (reply.result == ReplyResult::Good).then_some(shares);
                Input::ShareReply { peer, request: reply.id, shares }
            }
            Message::ShareReq(question) => return self.serve(&question),
            Message::ShareHashes(hashes) => Input::ShareHashes { peer, hashes },
            Message::BestBlock(header) => Input::BestBlock { peer, header },
            Message::CompactBlock(block) => Input::CompactBlock { peer, block },
            Message::GetBlockTxn(request) => Input::GetBlockTxn { peer, request },
            Message::BlockTxn(transactions) => Input::BlockTxn { peer, transactions },
            message @ (Message::AddrMe { .. } | Message::Addrs(_) | Message::GetAddrs { .. }) => {
                return self.to_service(Heard::Received { peer, message }).await;
            }
            // These concern the session alone.
            Message::Version(_)
            | Message::Ping
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_)
            | Message::Unknown(_) => return Ok(()),
        };
        self.to_driver(FromPeer::Engine(input)).await
    }

    /// Answers a question for shares from the snapshot; the engine never hears of it. One
    /// question is answered at a time, and none is read while answers wait for the peer.
    fn serve(&mut self, question: &ShareReq) -> Ended {
        if question.hashes.is_empty() {
            return Err(Departure::Failed);
        }
        let shares = self.connection.links.served.borrow().answer(question);
        let shares = shares.iter().map(raw).collect();
        let (id, result) = (question.id, ReplyResult::Good);
        self.send(Message::ShareReply(ShareReply { id, result, shares }));
        Ok(())
    }

    fn note_shares(&self, count: usize) {
        self.connection.traffic.shares.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn note_answer(&mut self, id: RequestId) {
        if let Some(place) = self.asked.iter().position(|(asked, _)| *asked == id)
            && let Some((_, at)) = self.asked.remove(place)
        {
            self.connection.traffic.note_round_trip(at.elapsed());
        }
    }

    fn send(&mut self, message: Message) {
        let now = self.connection.links.clock.now().mono;
        self.session.handle(now, p2pool_wire::Input::Send(message));
    }

    /// How a connection ends over a share that is wrong by itself.
    fn bad(&self, error: &StandaloneError) -> Departure {
        tracing::debug!(address = %self.connection.address, %error, "bad share");
        match error.blame() {
            Blame::Sender => Departure::Misbehaved { ban: BAN_MISBEHAVIOUR },
            Blame::Nobody => Departure::Failed,
        }
    }

    /// A driver that is gone ends the connection.
    async fn to_driver(&self, message: FromPeer) -> Ended {
        self.connection.links.driver.send(message).await.map_err(|_| Departure::Ended)
    }

    async fn to_service(&self, heard: Heard) -> Ended {
        self.connection.heard.send(heard).await.map_err(|_| Departure::Ended)
    }

    fn lock_connected(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.connection.links.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_all(&self, kind: NodeEventKind) {
        let links = &self.connection.links;
        if let Some(events) = &links.events {
            // Nobody has to listen.
            let _ = events.send(NodeEvent { at: links.clock.now().wall, kind });
        }
    }

    async fn leave(mut self) {
        if let Some(nonce) = self.nonce {
            self.lock_connected().remove(&nonce);
            self.tell_all(NodeEventKind::MemberLeft { address: self.connection.address });
            let left = FromPeer::Engine(Input::PeerLeft { peer: self.connection.peer });
            // A driver that is gone has forgotten the peer already.
            let _ = self.to_driver(left).await;
        }
        let _ = self.connection.stream.shutdown().await;
    }
}

/// The next message from the driver; never before the handshake; `None` if it let the peer go.
async fn next_command(commands: &mut Option<mpsc::Receiver<PeerCommand>>) -> Option<PeerCommand> {
    match commands {
        Some(commands) => commands.recv().await,
        None => std::future::pending().await,
    }
}

/// The message that a command sends, or the end that it makes.
fn message(command: PeerCommand) -> Result<Message, Departure> {
    Ok(match command {
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
        PeerCommand::Drop { is_ban: true } => {
            return Err(Departure::Misbehaved { ban: BAN_MISBEHAVIOUR });
        }
        PeerCommand::Drop { is_ban: false } => return Err(Departure::Failed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_round_trip_counts_at_once_and_a_long_one_little_by_little() {
        let traffic = Traffic::default();
        assert_eq!(traffic.round_trip(), None);
        traffic.note_round_trip(Duration::from_millis(80));
        traffic.note_round_trip(Duration::from_millis(40));
        assert_eq!(traffic.round_trip(), Some(Duration::from_millis(40)));
        traffic.note_round_trip(Duration::from_millis(840));
        assert_eq!(traffic.round_trip(), Some(Duration::from_millis(140)));
    }
}

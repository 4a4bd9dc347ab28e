//! News of blocks by ZMQ, where the node is set up to publish them.
//!
//! A subscriber and nothing more: ZMTP 3.0 without authentication, one topic. A message is only a
//! reason to ask the node at once, never an answer; without it everything goes on as before.
//!
//! *Invariant:* whatever the publisher sends, nothing of it is kept in memory, the node is asked
//! at most once a second because of it, and no connection is made to a public address.
//!
//! Source: ZeroMQ RFC 23 (ZMTP 3.0); Bitcoin Core, `doc/zmq.md`.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, copy, sink};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, info};

use crate::backoff::Backoff;
use crate::error::RpcError;
use crate::model::ZmqNotification;
use crate::reach::Reach;
use crate::rpc::RpcClient;

/// Shortest time between two wake-ups.
const WAKE_GAP: Duration = Duration::from_secs(1);
/// From looking up the name to the subscription.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// A connection that has been silent for so long may be dead: blocks are not that rare.
const SILENCE_MAX: Duration = Duration::from_secs(60 * 60);
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Most bytes of a frame: more than the largest block.
const FRAME_BYTES_MAX: u64 = 4 << 20;
/// Topic, body, sequence number.
const MESSAGE_FRAMES: usize = 3;

const GREETING_BYTES: usize = 64;
const READY: &[u8] = b"\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB";
const FLAG_MORE: u8 = 1;
const FLAG_LONG: u8 = 2;
const FLAG_COMMAND: u8 = 4;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum ListenError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no answer in time")]
    Silent,
    #[error("no address that is not on the open internet")]
    NoAddress,
    #[error("unexpected {0}")]
    Unexpected(&'static str),
}

/// Where blocks are published.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    host: String,
    port: u16,
    topic: &'static str,
}

/// Wakes the template loop, not too often.
struct Alarm<'a> {
    refresh: &'a Notify,
    /// Not before then again.
    next: Instant,
    /// Of the connections: short again once a message came.
    backoff: Backoff,
}

impl Alarm<'_> {
    async fn ring(&mut self) {
        self.backoff.reset();
        sleep_until(self.next).await;
        self.next = Instant::now() + WAKE_GAP;
        self.refresh.notify_one();
    }
}

/// Notifies `refresh` when the node publishes a block; for good, also if it never does.
pub(crate) async fn listen(client: &RpcClient, refresh: &Notify) -> Infallible {
    let backoff = Backoff::new(RETRY_FIRST, RETRY_MAX);
    let mut alarm = Alarm { refresh, next: Instant::now(), backoff };
    loop {
        match client.zmq_notifications().await {
            Ok(all) => {
                let Some(endpoint) = client.host().and_then(|host| choose(&all, host)) else {
                    return std::future::pending().await;
                };
                let Err(error) = subscribe(&endpoint, &mut alarm).await;
                debug!(host = endpoint.host, port = endpoint.port, %error, "no news by ZMQ");
            }
            // Built without ZMQ, or not for us to know.
            Err(RpcError::Rpc { .. } | RpcError::Forbidden) => {
                return std::future::pending().await;
            }
            Err(error) => debug!(%error, "no answer about ZMQ"),
        }
        sleep(alarm.backoff.next_wait()).await;
    }
}

/// The endpoint to listen to, seen from here: a node's "everywhere" is where its RPC is, its
/// loopback is ours only if it runs here. The short message goes first.
fn choose(all: &[ZmqNotification], rpc_host: &str) -> Option<Endpoint> {
    let find = |kind, topic| {
        let mut addresses = all.iter().filter(move |one| one.kind == kind);
        addresses.find_map(|one| {
            let (host, port) = one.address.strip_prefix("tcp://")?.rsplit_once(':')?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let port = port.parse().ok().filter(|port| *port != 0)?;
            let literal = host.parse::<IpAddr>().ok();
            let is_everywhere = host == "*" || literal.is_some_and(|ip| ip.is_unspecified());
            let host = if is_everywhere { rpc_host } else { host };
            let is_elsewhere = is_loopback(host) && !is_loopback(rpc_host);
            (!is_elsewhere).then(|| Endpoint { host: host.to_owned(), port, topic })
        })
    };
    find("pubhashblock", "hashblock").or_else(|| find("pubrawblock", "rawblock"))
}

fn is_loopback(host: &str) -> bool {
    host.parse().map_or(host == "localhost", |ip| Reach::of(ip) == Reach::Loopback)
}

/// Connects and rings for every message until something fails.
async fn subscribe(endpoint: &Endpoint, alarm: &mut Alarm<'_>) -> Result<Infallible, ListenError> {
    let connected = timeout(HANDSHAKE_MAX, connect(endpoint)).await;
    let mut stream = connected.map_err(|_| ListenError::Silent)??;
    info!(host = endpoint.host, port = endpoint.port, "the Bitcoin node tells of blocks by ZMQ");
    loop {
        let message = read_message(&mut stream, endpoint.topic);
        timeout(SILENCE_MAX, message).await.map_err(|_| ListenError::Silent)??;
        alarm.ring().await;
    }
}

async fn connect(endpoint: &Endpoint) -> Result<BufReader<TcpStream>, ListenError> {
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await?;
    let near: Vec<SocketAddr> =
        found.filter(|found| Reach::of(found.ip()) != Reach::Public).collect();
    if near.is_empty() {
        return Err(ListenError::NoAddress);
    }
    let mut stream = BufReader::new(TcpStream::connect(near.as_slice()).await?);
    stream.write_all(&greeting()).await?;
    let mut theirs = [0; GREETING_BYTES];
    stream.read_exact(&mut theirs).await?;
    let ours = greeting();
    // Signature and mechanism as ours, and a version that speaks ours.
    if (theirs[0], theirs[9]) != (ours[0], ours[9]) || theirs[10] < 3 {
        return Err(ListenError::Unexpected("greeting"));
    }
    if theirs[12..32] != ours[12..32] {
        return Err(ListenError::Unexpected("mechanism"));
    }
    stream.write_all(&short_frame(FLAG_COMMAND, READY)).await?;
    let (flags, bytes) = read_frame_head(&mut stream).await?;
    if flags & FLAG_COMMAND == 0 || read_start(&mut stream, bytes).await? != *b"\x05READY" {
        return Err(ListenError::Unexpected("command"));
    }
    let subscription = [b"\x01", endpoint.topic.as_bytes()].concat();
    stream.write_all(&short_frame(0, &subscription)).await?;
    Ok(stream)
}

/// Version 3.0, mechanism NULL, a client.
fn greeting() -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

fn short_frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).expect("our frames are short");
    [&[flags, length], body].concat()
}

/// Reads one message of our topic and forgets it.
async fn read_message(
    stream: &mut (impl AsyncRead + Unpin),
    topic: &'static str,
) -> Result<(), ListenError> {
    for frame in 1..=MESSAGE_FRAMES {
        let (flags, bytes) = read_frame_head(stream).await?;
        if flags & FLAG_COMMAND != 0 {
            return Err(ListenError::Unexpected("command"));
        }
        if (flags & FLAG_MORE != 0) != (frame < MESSAGE_FRAMES) {
            return Err(ListenError::Unexpected("number of frames"));
        }
        if frame > 1 {
            skip(stream, bytes).await?;
        } else if usize::try_from(bytes) != Ok(topic.len())
            || read_topic(stream, topic).await? != topic.as_bytes()
        {
            return Err(ListenError::Unexpected("topic"));
        }
    }
    Ok(())
}

async fn read_topic(
    stream: &mut (impl AsyncRead + Unpin),
    topic: &'static str,
) -> io::Result<Vec<u8>> {
    let mut read = vec![0; topic.len()];
    stream.read_exact(&mut read).await?;
    Ok(read)
}

/// Flags and length of the next frame.
async fn read_frame_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<(u8, u64), ListenError> {
    let flags = stream.read_u8().await?;
    let bytes = match flags & FLAG_LONG {
        0 => u64::from(stream.read_u8().await?),
        _ => stream.read_u64().await?,
    };
    if flags > FLAG_MORE | FLAG_LONG | FLAG_COMMAND || bytes > FRAME_BYTES_MAX {
        return Err(ListenError::Unexpected("frame"));
    }
    Ok((flags, bytes))
}

/// The first bytes of a frame; the rest is passed over.
async fn read_start(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: u64,
) -> Result<[u8; 6], ListenError> {
    let mut start = [0; 6];
    let rest = bytes.checked_sub(6).ok_or(ListenError::Unexpected("frame"))?;
    stream.read_exact(&mut start).await?;
    skip(stream, rest).await?;
    Ok(start)
}

async fn skip(stream: &mut (impl AsyncRead + Unpin), bytes: u64) -> Result<(), ListenError> {
    let skipped = copy(&mut stream.take(bytes), &mut sink()).await?;
    if skipped < bytes {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(kind_and_address: &[(&str, &str)], rpc_host: &str) -> Option<String> {
        let all: Vec<_> = kind_and_address
            .iter()
            .map(|(kind, address)| ZmqNotification {
                kind: (*kind).into(),
                address: (*address).into(),
            })
            .collect();
        choose(&all, rpc_host).map(|e| format!("{} {} {}", e.topic, e.host, e.port))
    }

    #[test]
    fn blocks_are_listened_to_where_they_can_be_reached() {
        for (address, rpc_host, expected) in [
            ("tcp://127.0.0.1:28332", "127.0.0.1", Some("hashblock 127.0.0.1 28332")),
            ("tcp://127.0.0.1:28332", "localhost", Some("hashblock 127.0.0.1 28332")),
            ("tcp://0.0.0.0:28332", "192.168.1.5", Some("hashblock 192.168.1.5 28332")),
            ("tcp://*:28332", "umbrel.local", Some("hashblock umbrel.local 28332")),
            ("tcp://[::]:28332", "::1", Some("hashblock ::1 28332")),
            ("tcp://[fd12::1]:28332", "fd12::2", Some("hashblock fd12::1 28332")),
            ("tcp://127.0.0.1:28332", "192.168.1.5", None),
            ("tcp://127.0.0.1:0", "127.0.0.1", None),
            ("tcp://127.0.0.1", "127.0.0.1", None),
            ("ipc:///tmp/blocks", "127.0.0.1", None),
            ("", "127.0.0.1", None),
        ] {
            let found = chosen(&[("pubhashblock", address)], rpc_host);
            assert_eq!(found.as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn hashes_are_preferred_to_blocks_and_the_rest_is_not_ours() {
        let here = "127.0.0.1";
        let raw = ("pubrawblock", "tcp://127.0.0.1:1");
        let hash = ("pubhashblock", "tcp://127.0.0.1:2");
        assert_eq!(chosen(&[raw, hash], here).as_deref(), Some("hashblock 127.0.0.1 2"));
        assert_eq!(chosen(&[raw], here).as_deref(), Some("rawblock 127.0.0.1 1"));
        assert_eq!(chosen(&[("pubhashtx", "tcp://127.0.0.1:3")], here), None);
    }

    #[tokio::test]
    async fn nothing_connects_to_the_open_internet() {
        // An address for documentation: nobody has it.
        let endpoint = Endpoint { host: "203.0.113.7".into(), port: 28332, topic: "hashblock" };
        assert!(matches!(connect(&endpoint).await, Err(ListenError::NoAddress)));
    }

    #[tokio::test]
    async fn messages_of_another_form_are_refused() {
        let good = b"\x01\x09hashblock\x01\x02ab\x00\x041234";
        assert!(read_message(&mut good.as_slice(), "hashblock").await.is_ok());
        for bad in [
            b"\x00\x09hashblock".as_slice(),
            b"\x01\x09hashblocc\x01\x02ab\x00\x041234",
            b"\x01\x08rawblock\x01\x02ab\x00\x041234",
            b"\x01\x09hashblock\x01\x02ab\x01\x041234",
            b"\x01\x09hashblock\x01\x02a",
            b"\x04\x04PING",
            b"\x03\x3f\xff\xff\xff\xff\xff\xff\xff",
            b"\xff",
        ] {
            assert!(read_message(&mut &*bad, "hashblock").await.is_err(), "{bad:?}");
        }
    }
}

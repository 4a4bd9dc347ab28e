//! Typed messages and their payloads.
//!
//! Source: protocol notes, wire.md sections 2 to 7.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod block;
mod codec;

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use bitcoin::bip152::{BlockTransactions, BlockTransactionsRequest, HeaderAndShortIds};
use p2pool_sharechain::pack::{PackError, Reader};
use p2pool_sharechain::verify::Blame;
use p2pool_sharechain::{Hash32, ShareHash};

use crate::frame::{self, Command, Frame, PAYLOAD_BYTES_MAX, PayloadTooLong};
use crate::services::Services;

/// Most shares in one message. Real shares take hundreds of bytes, so no honest message comes
/// near; without the limit, empty ones could fill twenty times the memory that they travelled in.
pub const SHARES_MAX: usize = 100_000;
/// Most transactions in one message; each would count at least 100 of the 25,000,000 bytes that
/// a node remembers for a peer.
pub const TRANSACTIONS_MAX: usize = 250_000;

/// Most hashes in either list of a question for shares. One wanted share and a hundred stops are
/// usual; an answer holds a thousand shares beyond those asked for.
pub const REQUEST_HASHES_MAX: usize = 10_000;

/// Most hashes in one announcement; a pool finds one share in thirty seconds.
pub const ANNOUNCED_HASHES_MAX: usize = 1000;
/// Most bytes of a message about a block: as many as the largest block has.
pub const BLOCK_BYTES_MAX: usize = 4_000_000;

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// First message of either side.
    Version(Version),
    /// Keeps the connection alive.
    Ping,
    /// "Advertise me under the address you see, with this port."
    AddrMe {
        /// Where the sender listens.
        port: u16,
    },
    /// Addresses of other nodes.
    Addrs(Vec<AddrRecord>),
    /// Asks for addresses.
    GetAddrs {
        /// How many; more than 100 count as 100.
        count: u32,
    },
    /// Shares nobody asked for.
    Shares(Vec<RawShare>),
    /// Asks for shares.
    ShareReq(ShareReq),
    /// Answers [`Message::ShareReq`].
    ShareReply(ShareReply),
    /// Newest Bitcoin block seen: its header of 80 bytes.
    BestBlock([u8; 80]),
    /// Obsolete: transactions that the sender has.
    HaveTx(Vec<Hash32>),
    /// Obsolete: transactions that the sender will not have for long.
    LosingTx(Vec<Hash32>),
    /// Obsolete: transactions to be held for shares that name them.
    RememberTx {
        /// By hash.
        tx_hashes: Vec<Hash32>,
        /// In full, with witness.
        txs: Vec<Vec<u8>>,
    },
    /// Obsolete: transactions that need not be held any longer.
    ForgetTx(Vec<Hash32>),
    /// Hashes of new shares, newest first. Only for peers with [`Services::SHARE_HASHES`].
    ShareHashes(Vec<ShareHash>),
    /// A found block: header, coinbase, and short names of the other transactions. Only for peers
    /// with [`Services::COMPACT_BLOCKS`], like the two that follow.
    CompactBlock(Box<HeaderAndShortIds>),
    /// Asks for transactions of a [`Message::CompactBlock`] by their places, which ascend.
    GetBlockTxn(BlockTransactionsRequest),
    /// Answers [`Message::GetBlockTxn`].
    BlockTxn(BlockTransactions),
    /// A command that this program does not know.
    Unknown(Frame),
}

/// What either side says of itself first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Protocol version.
    pub version: u32,
    /// What the sender understands beyond the reference's protocol.
    pub services: Services,
    /// The receiver's address as the sender sees it.
    pub addr_to: NetAddr,
    /// The sender's address.
    pub addr_from: NetAddr,
    /// Random number of the sender's process.
    pub nonce: u64,
    /// Name and version of the sender's program; any bytes.
    pub sub_version: Vec<u8>,
    /// One.
    pub mode: u32,
    /// The sender's best share.
    pub best_share_hash: Option<ShareHash>,
}

/// A node's address as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetAddr {
    /// What the node offers, by hearsay.
    pub services: Services,
    /// IPv4 addresses travel inside of IPv6 ones.
    pub ip: Ipv6Addr,
    /// Where it listens.
    pub port: u16,
}

impl NetAddr {
    /// The address, IPv4 as such.
    pub fn socket_addr(&self) -> SocketAddr {
        SocketAddr::new(self.ip.to_canonical(), self.port)
    }
}

impl From<SocketAddr> for NetAddr {
    fn from(addr: SocketAddr) -> Self {
        let ip = match addr.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Self { services: Services::NONE, ip, port: addr.port() }
    }
}

/// An address and when it was last known to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrRecord {
    /// Unix seconds.
    pub timestamp: u64,
    /// The address.
    pub address: NetAddr,
}

/// A share as it travels: any type, contents not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawShare {
    /// The share type.
    pub version: u64,
    /// Its contents.
    pub contents: Vec<u8>,
}

/// A question for shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareReq {
    /// Random, repeated in the answer.
    pub id: Hash32,
    /// Shares wanted. Zero names no share: it only measures the way there and back.
    pub hashes: Vec<ShareHash>,
    /// Ancestors wanted of each.
    pub parents: u64,
    /// Shares at which the answer stops.
    pub stops: Vec<ShareHash>,
}

/// An answer to a question for shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareReply {
    /// As in the question.
    pub id: Hash32,
    /// Whether it worked.
    pub result: ReplyResult,
    /// The shares, newest first; unknown ones are left out.
    pub shares: Vec<RawShare>,
}

/// How a question for shares fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyResult {
    /// Answered.
    Good,
    /// The answer does not fit into a message.
    TooLong,
    /// A number from 2 to 6, without a meaning so far.
    Other(u8),
}

/// Why a payload is not what its command says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message {command} is malformed")]
pub struct MessageError {
    /// Which message.
    pub command: Command,
    /// What is wrong with it.
    pub source: PayloadError,
}

impl MessageError {
    /// Whose fault it is. The reference ends such a connection but does not hold it against the
    /// address.
    pub fn blame(&self) -> Blame {
        Blame::Nobody
    }
}

/// What is wrong with a payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Its encoding.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A result that cannot be.
    #[error("{0} is no result of a question for shares")]
    Result(u64),
    /// A list longer than any honest one.
    #[error("a list of more than {0} elements")]
    ListTooLong(usize),
    /// More bytes than a block has.
    #[error("{0} bytes are more than a block has")]
    BlockTooLong(usize),
    /// Parts of a block that Bitcoin's rules cannot read.
    #[error("no parts of a block: {0}")]
    Block(String),
    /// A compact block whose given transactions have no place in it.
    #[error("transactions beyond the end of the block")]
    PlacesOutside,
}

impl Message {
    /// Reads a frame's payload. A command that is not known is no error.
    ///
    /// # Errors
    /// Broken encodings, bytes left over.
    pub fn decode(frame: Frame) -> Result<Self, MessageError> {
        let mut reader = Reader::new(&frame.payload);
        let message = match codec::read(frame.command, &mut reader) {
            Some(message) => message.and_then(|message| Ok(reader.end().map(|()| message)?)),
            None => return Ok(Self::Unknown(frame)),
        };
        message.map_err(|source| MessageError { command: frame.command, source })
    }

    /// What a peer must have said of itself before it is sent this.
    pub fn needs(&self) -> Services {
        match self {
            Self::ShareHashes(_) => Services::SHARE_HASHES,
            Self::CompactBlock(_) | Self::GetBlockTxn(_) | Self::BlockTxn(_) => {
                Services::COMPACT_BLOCKS
            }
            Self::Version(_)
            | Self::Ping
            | Self::AddrMe { .. }
            | Self::Addrs(_)
            | Self::GetAddrs { .. }
            | Self::Shares(_)
            | Self::ShareReq(_)
            | Self::ShareReply(_)
            | Self::BestBlock(_)
            | Self::HaveTx(_)
            | Self::LosingTx(_)
            | Self::RememberTx { .. }
            | Self::ForgetTx(_)
            | Self::Unknown(_) => Services::NONE,
        }
    }

    /// The whole frame.
    ///
    /// # Errors
    /// A payload that no frame can hold.
    pub fn encode(&self, prefix: [u8; 8]) -> Result<Vec<u8>, PayloadTooLong> {
        if let Self::Shares(shares) | Self::ShareReply(ShareReply { shares, .. }) = self {
            // Before it takes memory.
            let bytes =
                shares.iter().map(|share| share.contents.len()).fold(0, usize::saturating_add);
            if bytes > PAYLOAD_BYTES_MAX {
                return Err(PayloadTooLong { command: self.command(), bytes });
            }
        }
        frame::encode(prefix, self.command(), |out| self.write(out))
    }
}

#[cfg(test)]
mod tests;

//! Payloads, read and written.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::net::Ipv6Addr;

use p2pool_sharechain::ShareHash;
use p2pool_sharechain::pack::{PackError, Reader, write_list, write_var_bytes, write_var_int};

use super::{
    ANNOUNCED_HASHES_MAX, AddrRecord, Message, NetAddr, PayloadError, REQUEST_HASHES_MAX, RawShare,
    ReplyResult, SHARES_MAX, ShareReply, ShareReq, TRANSACTIONS_MAX, Version, block,
};
use crate::frame::Command;
use crate::services::Services;
use crate::transaction;

pub(super) const VERSION: Command = Command::new("version");
pub(super) const PING: Command = Command::new("ping");
pub(super) const ADDRME: Command = Command::new("addrme");
pub(super) const ADDRS: Command = Command::new("addrs");
pub(super) const GETADDRS: Command = Command::new("getaddrs");
pub(super) const SHARES: Command = Command::new("shares");
pub(super) const SHAREREQ: Command = Command::new("sharereq");
pub(super) const SHAREREPLY: Command = Command::new("sharereply");
pub(super) const BESTBLOCK: Command = Command::new("bestblock");
pub(super) const HAVE_TX: Command = Command::new("have_tx");
pub(super) const LOSING_TX: Command = Command::new("losing_tx");
pub(super) const REMEMBER_TX: Command = Command::new("remember_tx");
pub(super) const FORGET_TX: Command = Command::new("forget_tx");
pub(super) const SHAREHASHES: Command = Command::new("sharehashes");
pub(super) const CMPCTBLOCK: Command = Command::new("cmpctblock");
pub(super) const GETBLOCKTXN: Command = Command::new("getblocktxn");
pub(super) const BLOCKTXN: Command = Command::new("blocktxn");

impl Message {
    /// Its name on the wire.
    pub fn command(&self) -> Command {
        match self {
            Self::Version(_) => VERSION,
            Self::Ping => PING,
            Self::AddrMe { .. } => ADDRME,
            Self::Addrs(_) => ADDRS,
            Self::GetAddrs { .. } => GETADDRS,
            Self::Shares(_) => SHARES,
            Self::ShareReq(_) => SHAREREQ,
            Self::ShareReply(_) => SHAREREPLY,
            Self::BestBlock(_) => BESTBLOCK,
            Self::HaveTx(_) => HAVE_TX,
            Self::LosingTx(_) => LOSING_TX,
            Self::RememberTx { .. } => REMEMBER_TX,
            Self::ForgetTx(_) => FORGET_TX,
            Self::ShareHashes(_) => SHAREHASHES,
            Self::CompactBlock(_) => CMPCTBLOCK,
            Self::GetBlockTxn(_) => GETBLOCKTXN,
            Self::BlockTxn(_) => BLOCKTXN,
            Self::Unknown(frame) => frame.command,
        }
    }

    /// Appends the payload.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Version(version) => version.write(out),
            Self::Ping => {}
            Self::AddrMe { port } => out.extend_from_slice(&port.to_le_bytes()),
            Self::Addrs(records) => {
                write_var_int(out, records.len() as u64);
                for record in records {
                    out.extend_from_slice(&record.timestamp.to_le_bytes());
                    record.address.write(out);
                }
            }
            Self::GetAddrs { count } => out.extend_from_slice(&count.to_le_bytes()),
            Self::Shares(shares) => write_shares(out, shares),
            Self::ShareReq(request) => {
                out.extend_from_slice(&request.id);
                write_share_hashes(out, &request.hashes);
                write_var_int(out, request.parents);
                write_share_hashes(out, &request.stops);
            }
            Self::ShareReply(reply) => {
                out.extend_from_slice(&reply.id);
                write_var_int(out, reply.result.number());
                write_shares(out, &reply.shares);
            }
            Self::BestBlock(header) => out.extend_from_slice(header),
            Self::HaveTx(hashes) | Self::LosingTx(hashes) | Self::ForgetTx(hashes) => {
                write_list(out, hashes);
            }
            Self::RememberTx { tx_hashes, txs } => {
                write_list(out, tx_hashes);
                write_var_int(out, txs.len() as u64);
                txs.iter().for_each(|tx| out.extend_from_slice(tx));
            }
            Self::ShareHashes(hashes) => write_share_hashes(out, hashes),
            Self::CompactBlock(message) => block::write(out, message.as_ref()),
            Self::GetBlockTxn(message) => block::write(out, message),
            Self::BlockTxn(message) => block::write(out, message),
            Self::Unknown(frame) => out.extend_from_slice(&frame.payload),
        }
    }
}

/// Reads the payload of a known command; `None` if the command is not known.
pub(super) fn read(
    command: Command,
    reader: &mut Reader<'_>,
) -> Option<Result<Message, PayloadError>> {
    Some(match command {
        VERSION => Version::read(reader).map(Message::Version).map_err(Into::into),
        PING => Ok(Message::Ping),
        ADDRME => reader.u16().map(|port| Message::AddrMe { port }).map_err(Into::into),
        ADDRS => reader.list(AddrRecord::read).map(Message::Addrs).map_err(Into::into),
        GETADDRS => reader.u32().map(|count| Message::GetAddrs { count }).map_err(Into::into),
        SHARES => read_shares(reader).map(Message::Shares),
        SHAREREQ => ShareReq::read(reader).map(Message::ShareReq),
        SHAREREPLY => ShareReply::read(reader).map(Message::ShareReply),
        BESTBLOCK => reader.array().map(Message::BestBlock).map_err(Into::into),
        HAVE_TX => reader.hashes().map(Message::HaveTx).map_err(Into::into),
        LOSING_TX => reader.hashes().map(Message::LosingTx).map_err(Into::into),
        REMEMBER_TX => read_remember_tx(reader),
        FORGET_TX => reader.hashes().map(Message::ForgetTx).map_err(Into::into),
        SHAREHASHES => read_share_hashes(reader, ANNOUNCED_HASHES_MAX).map(Message::ShareHashes),
        CMPCTBLOCK => block::read_compact(reader).map(Message::CompactBlock),
        GETBLOCKTXN => block::read(reader).map(Message::GetBlockTxn),
        BLOCKTXN => block::read(reader).map(Message::BlockTxn),
        _ => return None,
    })
}

fn read_remember_tx(reader: &mut Reader<'_>) -> Result<Message, PayloadError> {
    let tx_hashes = reader.hashes()?;
    let txs = bounded_list(reader, TRANSACTIONS_MAX, |reader| {
        transaction::take(reader).map(<[u8]>::to_vec)
    })?;
    Ok(Message::RememberTx { tx_hashes, txs })
}

fn read_shares(reader: &mut Reader<'_>) -> Result<Vec<RawShare>, PayloadError> {
    bounded_list(reader, SHARES_MAX, |reader| {
        let version = reader.var_int()?;
        Ok(RawShare { version, contents: reader.var_bytes()?.to_vec() })
    })
}

fn bounded_list<'a, T>(
    reader: &mut Reader<'a>,
    max: usize,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, PackError>,
) -> Result<Vec<T>, PayloadError> {
    let count = reader.clone().var_int()?;
    if usize::try_from(count).is_ok_and(|count| count <= max) {
        Ok(reader.list(|reader| read(reader))?)
    } else {
        Err(PayloadError::ListTooLong(max))
    }
}

fn write_shares(out: &mut Vec<u8>, shares: &[RawShare]) {
    write_var_int(out, shares.len() as u64);
    for share in shares {
        write_var_int(out, share.version);
        write_var_bytes(out, &share.contents);
    }
}

/// A list of share hashes in which zero stands for itself.
fn read_share_hashes(reader: &mut Reader<'_>, max: usize) -> Result<Vec<ShareHash>, PayloadError> {
    bounded_list(reader, max, |reader| reader.hash().map(ShareHash::from_internal))
}

fn write_share_hashes(out: &mut Vec<u8>, hashes: &[ShareHash]) {
    write_var_int(out, hashes.len() as u64);
    hashes.iter().for_each(|hash| out.extend_from_slice(&hash.to_internal()));
}

impl Version {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PackError> {
        Ok(Self {
            version: reader.u32()?,
            services: Services(reader.u64()?),
            addr_to: NetAddr::read(reader)?,
            addr_from: NetAddr::read(reader)?,
            nonce: reader.u64()?,
            sub_version: reader.var_bytes()?.to_vec(),
            mode: reader.u32()?,
            best_share_hash: reader.share_hash()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.services.0.to_le_bytes());
        self.addr_to.write(out);
        self.addr_from.write(out);
        out.extend_from_slice(&self.nonce.to_le_bytes());
        write_var_bytes(out, &self.sub_version);
        out.extend_from_slice(&self.mode.to_le_bytes());
        out.extend_from_slice(&self.best_share_hash.map_or([0; 32], ShareHash::to_internal));
    }
}

impl NetAddr {
    /// Source: protocol notes, encoding.md section 10.
    fn read(reader: &mut Reader<'_>) -> Result<Self, PackError> {
        Ok(Self {
            services: Services(reader.u64()?),
            ip: Ipv6Addr::from(reader.array::<16>()?),
            port: u16::from_be_bytes(reader.array()?),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.services.0.to_le_bytes());
        out.extend_from_slice(&self.ip.octets());
        out.extend_from_slice(&self.port.to_be_bytes());
    }
}

impl AddrRecord {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PackError> {
        Ok(Self { timestamp: reader.u64()?, address: NetAddr::read(reader)? })
    }
}

impl ShareReq {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PayloadError> {
        Ok(Self {
            id: reader.hash()?,
            hashes: read_share_hashes(reader, REQUEST_HASHES_MAX)?,
            parents: reader.var_int()?,
            stops: read_share_hashes(reader, REQUEST_HASHES_MAX)?,
        })
    }
}

impl ShareReply {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PayloadError> {
        Ok(Self {
            id: reader.hash()?,
            result: ReplyResult::from_number(reader.var_int()?)?,
            shares: read_shares(reader)?,
        })
    }
}

impl ReplyResult {
    fn from_number(number: u64) -> Result<Self, PayloadError> {
        match u8::try_from(number) {
            Ok(0) => Ok(Self::Good),
            Ok(1) => Ok(Self::TooLong),
            Ok(other @ 2..=6) => Ok(Self::Other(other)),
            _ => Err(PayloadError::Result(number)),
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Good => 0,
            Self::TooLong => 1,
            Self::Other(number) => u64::from(number),
        }
    }
}

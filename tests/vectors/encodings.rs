//! Primitive encodings.
//!
//! A value that the reference refuses to write must either not exist in our types, or not read
//! back as itself: both mean that it cannot be expressed.

use std::net::Ipv6Addr;
use std::path::Path;

use bitcoin::Sequence;
use bitcoin::consensus::encode;
use p2pool_sharechain::pack::{
    PackError, Reader, write_list, write_pairs, write_share_hash, write_var_bytes, write_var_int,
};
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::{Attempts, Hash32, ShareHash, U256};
use serde_json::Value;

use crate::cases::{Cases, hex, same_bytes};
use crate::read::{Read, bytes, hash, text, whole};

/// Checks `encodings`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    for case in doc.list("pack_cases")? {
        cases.run(&format!("pack {case}"), || pack_case(case));
    }
    for case in doc.list("unpack_cases")? {
        cases.run(&format!("unpack {case}"), || unpack_case(case));
    }
    Ok(())
}

fn pack_case(case: &Value) -> Result<(), String> {
    let encoding = Encoding::named(case.text("type")?)?;
    let value = case.at("value")?;
    let written = encoding.write(value);
    if case.maybe("pack_error").is_none() {
        return same_bytes("bytes", &case.bytes("hex")?, &written?);
    }
    let Ok(written) = written else { return Ok(()) };
    match encoding.read(&written) {
        Ok(read) if read == *value => Err(format!("expected a refusal, got {}", hex(&written))),
        _ => Ok(()),
    }
}

fn unpack_case(case: &Value) -> Result<(), String> {
    let encoding = Encoding::named(case.text("type")?)?;
    let read = encoding.read(&case.bytes("hex")?);
    match (case.get("value"), read) {
        (None, Err(_)) => Ok(()),
        (None, Ok(value)) => Err(format!("expected a refusal, got {value}")),
        (Some(expected), Ok(value)) if *expected == value => Ok(()),
        (Some(expected), read) => Err(format!("expected {expected}, got {read:?}")),
    }
}

/// A primitive type of the protocol.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    VarInt,
    VarStr,
    FixedStr,
    MaybeHash,
    MaybeSequence,
    /// So many bits, little endian.
    Integer(u32),
    BigEndian16,
    /// The merkle index of shares: no bytes at all.
    Nothing,
    Hashes,
    Pairs,
    Address,
    Stale,
}

impl Encoding {
    fn named(name: &str) -> Result<Self, String> {
        Ok(match name {
            "varint" => Self::VarInt,
            "varstr" => Self::VarStr,
            "fixedstr(32)" => Self::FixedStr,
            "possiblynone(0,int256)" => Self::MaybeHash,
            "possiblynone(0xffffffff,int32) (tx_in.sequence)" => Self::MaybeSequence,
            "int0 (merkle_link.index in shares)" => Self::Nothing,
            "int8 little endian" => Self::Integer(8),
            "int16 little endian" => Self::Integer(16),
            "int32 little endian" => Self::Integer(32),
            "int64 little endian" => Self::Integer(64),
            "int128 little endian" => Self::Integer(128),
            "int160 little endian" => Self::Integer(160),
            "int256 little endian" => Self::Integer(256),
            "int16 big endian (port)" => Self::BigEndian16,
            "list(int256)" => Self::Hashes,
            "list(varint, mul=2) (transaction_hash_refs)" => Self::Pairs,
            "ipv6address" => Self::Address,
            "stale_info enum(int8)" => Self::Stale,
            _ => return Err(format!("{name} is not a known encoding")),
        })
    }

    /// The value's bytes, as our writers make them.
    fn write(self, value: &Value) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        match self {
            Self::VarInt => write_var_int(&mut out, whole(value)?),
            Self::VarStr => write_var_bytes(&mut out, &bytes(text(value)?)?),
            Self::FixedStr => {
                let value: [u8; 32] =
                    bytes(text(value)?)?.try_into().map_err(|_| "not 32 bytes long")?;
                out.extend_from_slice(&value);
            }
            Self::MaybeHash => {
                let hash = if value.is_null() { None } else { Some(hash(value)?) };
                write_share_hash(&mut out, hash.map(ShareHash::from_internal));
            }
            Self::MaybeSequence => {
                let number = if value.is_null() { u32::MAX } else { number(value)? };
                out = encode::serialize(&Sequence(number));
            }
            Self::Integer(bits) => write_integer(&mut out, bits, text(value)?)?,
            Self::BigEndian16 => out.extend_from_slice(&number::<u16>(value)?.to_be_bytes()),
            Self::Nothing => {}
            Self::Hashes => write_list(&mut out, &hashes(value)?),
            Self::Pairs => write_pairs(&mut out, &pairs(value)?),
            Self::Address => out.extend_from_slice(&address(text(value)?)?.octets()),
            Self::Stale => out.push(stale(value)?.0),
        }
        Ok(out)
    }

    /// The value of a whole buffer, as our readers see it.
    fn read(self, buffer: &[u8]) -> Result<Value, String> {
        let mut reader = Reader::new(buffer);
        let value = self.read_from(&mut reader).map_err(|e| e.to_string())?;
        reader.end().map_err(|e| e.to_string())?;
        Ok(value)
    }

    fn read_from(self, reader: &mut Reader<'_>) -> Result<Value, PackError> {
        Ok(match self {
            Self::VarInt => reader.var_int()?.to_string().into(),
            Self::VarStr => hex(reader.var_bytes()?).into(),
            Self::FixedStr => hex(reader.fixed(32)).into(),
            Self::MaybeHash => {
                reader.share_hash()?.map_or(Value::Null, |hash| hash.to_string().into())
            }
            Self::MaybeSequence => match Sequence(reader.u32()?) {
                Sequence::MAX => Value::Null,
                Sequence(number) => number.into(),
            },
            Self::Integer(8) => reader.u8()?.to_string().into(),
            Self::Integer(16) => reader.u16()?.to_string().into(),
            Self::Integer(32) => reader.u32()?.to_string().into(),
            Self::Integer(64) => reader.u64()?.to_string().into(),
            Self::Integer(128) => reader.u128()?.to_string().into(),
            Self::Integer(160) => U256::from_le_slice(&reader.hash_20()?).to_string().into(),
            Self::Integer(_) => U256::from_le_bytes(reader.hash()?).to_string().into(),
            Self::BigEndian16 => u16::from_be_bytes(reader.array()?).to_string().into(),
            Self::Nothing => "0".into(),
            Self::Hashes => reader.hashes()?.iter().map(shown_hash).collect(),
            Self::Pairs => {
                reader.pairs()?.into_iter().flat_map(|(first, second)| [first, second]).collect()
            }
            Self::Address => shown_address(reader.fixed(16)).into(),
            Self::Stale => match StaleInfo(reader.u8()?) {
                StaleInfo::NONE => Value::Null,
                StaleInfo::ORPHAN => "orphan".into(),
                StaleInfo::DEAD_ON_ARRIVAL => "doa".into(),
                StaleInfo(byte) => format!("unk{byte}").into(),
            },
        })
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> Result<T, String> {
    T::try_from(whole(value)?).map_err(|_| format!("{value} is too large"))
}

fn write_integer(out: &mut Vec<u8>, bits: u32, digits: &str) -> Result<(), String> {
    let number: Attempts = digits.parse().map_err(|e| format!("{digits}: {e}"))?;
    let width = usize::try_from(bits).map_err(|e| e.to_string())?;
    if number.bit_len() > width {
        return Err(format!("{digits} is too large"));
    }
    out.extend_from_slice(&number.to_le_bytes::<48>()[..width / 8]);
    Ok(())
}

fn hashes(value: &Value) -> Result<Vec<Hash32>, String> {
    value.as_array().ok_or("not a list")?.iter().map(hash).collect()
}

fn pairs(value: &Value) -> Result<Vec<(u64, u64)>, String> {
    let numbers = value.as_array().ok_or("not a list")?;
    let pair = |pair: &[Value]| match pair {
        [first, second] => Ok((whole(first)?, whole(second)?)),
        _ => Err("half a pair".to_owned()),
    };
    numbers.chunks(2).map(pair).collect()
}

fn shown_hash(hash: &Hash32) -> Value {
    ShareHash::from_internal(*hash).to_string().into()
}

/// An announcement by the reference's name for it, null for none.
pub(crate) fn stale(value: &Value) -> Result<StaleInfo, String> {
    if value.is_null() {
        return Ok(StaleInfo::NONE);
    }
    match text(value)? {
        "orphan" => Ok(StaleInfo::ORPHAN),
        "doa" => Ok(StaleInfo::DEAD_ON_ARRIVAL),
        name => {
            let number = name.strip_prefix("unk").ok_or("not an announcement")?;
            Ok(StaleInfo(number.parse().map_err(|e| format!("{name}: {e}"))?))
        }
    }
}

/// The reference writes addresses in full, or as four numbers; nothing in between.
fn address(text: &str) -> Result<Ipv6Addr, String> {
    if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
        return Ok(address.to_ipv6_mapped());
    }
    if text.len() != 39 {
        return Err("not written in full".to_owned());
    }
    text.parse().map_err(|e| format!("{text}: {e}"))
}

fn shown_address(octets: &[u8]) -> String {
    let whole = <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from);
    if let Some(address) = whole.and_then(|address| address.to_ipv4_mapped()) {
        return address.to_string();
    }
    let groups: Vec<String> = octets.chunks(2).map(hex).collect();
    groups.join(":")
}

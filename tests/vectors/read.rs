//! Typed values out of a vector file's JSON.
//!
//! Hashes and targets are written as numbers, most significant digit first; whole numbers beyond
//! 2^53 as decimal texts; byte strings as hexadecimal digits in the order of the wire.

use p2pool_sharechain::{Attempts, CompactBits, Hash32, ShareHash, U256};
use serde_json::Value;

/// Reads members of an object. Each failure names the member.
pub(crate) trait Read {
    /// The member, which must be there.
    fn at(&self, key: &str) -> Result<&Value, String>;

    /// The member, `None` if it is missing or null.
    fn maybe(&self, key: &str) -> Option<&Value>;

    /// A text.
    fn text(&self, key: &str) -> Result<&str, String> {
        text(self.at(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// A list.
    fn list(&self, key: &str) -> Result<&[Value], String> {
        let list = self.at(key)?.as_array().ok_or_else(|| format!("{key}: not a list"))?;
        Ok(list)
    }

    /// True or false.
    fn truth(&self, key: &str) -> Result<bool, String> {
        self.at(key)?.as_bool().ok_or_else(|| format!("{key}: neither true nor false"))
    }

    /// A whole number, written as a number or as decimal text.
    fn whole(&self, key: &str) -> Result<u64, String> {
        whole(self.at(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// A whole number of 32 bits.
    fn whole_32(&self, key: &str) -> Result<u32, String> {
        u32::try_from(self.whole(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// A wide whole number in decimal text.
    fn attempts(&self, key: &str) -> Result<Attempts, String> {
        self.text(key)?.parse().map_err(|e| format!("{key}: {e}"))
    }

    /// Bytes.
    fn bytes(&self, key: &str) -> Result<Vec<u8>, String> {
        bytes(self.text(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// A hash.
    fn hash(&self, key: &str) -> Result<Hash32, String> {
        hash(self.at(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// A list of hashes.
    fn hashes(&self, key: &str) -> Result<Vec<Hash32>, String> {
        self.list(key)?.iter().map(|entry| hash(entry).map_err(|e| format!("{key}: {e}"))).collect()
    }

    /// A share hash, null for none.
    fn share_hash(&self, key: &str) -> Result<Option<ShareHash>, String> {
        if self.at(key)?.is_null() {
            return Ok(None);
        }
        Ok(Some(ShareHash::from_internal(self.hash(key)?)))
    }

    /// A target.
    fn target(&self, key: &str) -> Result<U256, String> {
        target(self.text(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// The compact form of a target.
    fn compact(&self, key: &str) -> Result<CompactBits, String> {
        compact(self.text(key)?).map_err(|e| format!("{key}: {e}"))
    }

    /// A double, written in the shortest form that reads back as itself.
    fn double(&self, key: &str) -> Result<f64, String> {
        let text = self.at(key)?.text("repr")?;
        text.parse().map_err(|e| format!("{key}: {text}: {e}"))
    }
}

impl Read for Value {
    fn at(&self, key: &str) -> Result<&Value, String> {
        self.get(key).ok_or_else(|| format!("{key} is missing"))
    }

    fn maybe(&self, key: &str) -> Option<&Value> {
        self.get(key).filter(|value| !value.is_null())
    }
}

/// A text.
pub(crate) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not a text"))
}

/// A whole number, written as a number or as decimal text.
pub(crate) fn whole(value: &Value) -> Result<u64, String> {
    if let Some(text) = value.as_str() {
        return text.parse().map_err(|e| format!("{text}: {e}"));
    }
    value.as_u64().ok_or_else(|| format!("{value} is not a whole number"))
}

/// Bytes from hexadecimal digits. A plain loop: much of the time goes by in here.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let fault = || format!("{text} are not hexadecimal digits in pairs");
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return Err(fault()) };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(fault()) };
        bytes.push(high << 4 | low);
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A hash from 64 digits, most significant first.
pub(crate) fn hash(value: &Value) -> Result<Hash32, String> {
    let mut bytes: Hash32 =
        bytes(text(value)?)?.try_into().map_err(|_| format!("{value} is not a hash"))?;
    bytes.reverse();
    Ok(bytes)
}

/// A target from hexadecimal digits.
pub(crate) fn target(text: &str) -> Result<U256, String> {
    U256::from_str_radix(text, 16).map_err(|e| format!("{text}: {e}"))
}

/// A compact target from eight hexadecimal digits.
pub(crate) fn compact(text: &str) -> Result<CompactBits, String> {
    u32::from_str_radix(text, 16).map(CompactBits).map_err(|e| format!("{text}: {e}"))
}

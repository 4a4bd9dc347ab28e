//! Serialisation primitives: little-endian integers, VarInts, strings and lists.
//!
//! [`Reader`] keeps a lenience of the network: strings and integers of 128 bits and more that
//! are cut off by the end of the buffer are read as far as they go. What is accepted is written
//! back in full, so no two nodes can come to disagree. Source: protocol notes, encoding.md
//! sections 1 to 5.

use crate::hash::{Hash32, ShareHash};

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The buffer ended inside a value.
    #[error("the data ends inside a value")]
    Short,
    /// A VarInt takes more bytes than its value needs.
    #[error("a VarInt is not in its shortest form")]
    NonMinimal,
    /// Bytes follow the last value.
    #[error("{0} bytes follow the last value")]
    Trailing(usize),
}

/// Reads values from the front of a byte slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Number of unread bytes.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Succeeds if every byte was read.
    ///
    /// # Errors
    /// [`PackError::Trailing`].
    pub fn end(&self) -> Result<(), PackError> {
        if self.rest.is_empty() { Ok(()) } else { Err(PackError::Trailing(self.rest.len())) }
    }

    /// Exactly `count` bytes.
    ///
    /// # Errors
    /// [`PackError::Short`].
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(PackError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Exactly `N` bytes as an array.
    ///
    /// # Errors
    /// [`PackError::Short`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], PackError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(PackError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Up to `N` bytes, zeros after the end of the buffer; at least one must be there.
    fn lenient_array<const N: usize>(&mut self) -> Result<[u8; N], PackError> {
        if self.rest.is_empty() {
            return Err(PackError::Short);
        }
        let (taken, rest) = self.rest.split_at(N.min(self.rest.len()));
        let mut out = [0; N];
        out[..taken.len()].copy_from_slice(taken);
        self.rest = rest;
        Ok(out)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`PackError::Short`].
    pub fn u8(&mut self) -> Result<u8, PackError> {
        Ok(self.array::<1>()?[0])
    }

    /// 16 bits, little endian.
    ///
    /// # Errors
    /// [`PackError::Short`].
    pub fn u16(&mut self) -> Result<u16, PackError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// 32 bits, little endian.
    ///
    /// # Errors
    /// [`PackError::Short`].
    pub fn u32(&mut self) -> Result<u32, PackError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// 64 bits, little endian.
    ///
    /// # Errors
    /// [`PackError::Short`].
    pub fn u64(&mut self) -> Result<u64, PackError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// 128 bits, little endian; leniently.
    ///
    /// # Errors
    /// [`PackError::Short`] if not one byte is left.
    pub fn u128(&mut self) -> Result<u128, PackError> {
        Ok(u128::from_le_bytes(self.lenient_array()?))
    }

    /// A 160-bit hash in natural order; leniently.
    ///
    /// # Errors
    /// [`PackError::Short`] if not one byte is left.
    pub fn hash_20(&mut self) -> Result<[u8; 20], PackError> {
        self.lenient_array()
    }

    /// A 256-bit hash in internal order; leniently.
    ///
    /// # Errors
    /// [`PackError::Short`] if not one byte is left.
    pub fn hash(&mut self) -> Result<Hash32, PackError> {
        self.lenient_array()
    }

    /// A share hash, zero standing for none; leniently.
    ///
    /// # Errors
    /// [`PackError::Short`] if not one byte is left.
    pub fn share_hash(&mut self) -> Result<Option<ShareHash>, PackError> {
        let hash = self.hash()?;
        Ok((hash != [0; 32]).then(|| ShareHash::from_internal(hash)))
    }

    /// A string of fixed length; cut off at the end of the buffer, even to nothing.
    pub fn fixed(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A VarInt in its shortest form.
    ///
    /// # Errors
    /// Short data, longer forms.
    pub fn var_int(&mut self) -> Result<u64, PackError> {
        let (value, least) = match self.u8()? {
            0xfd => (u64::from(self.u16()?), 0xfd),
            0xfe => (u64::from(self.u32()?), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            byte => return Ok(u64::from(byte)),
        };
        if value < least { Err(PackError::NonMinimal) } else { Ok(value) }
    }

    /// A string with its length in front; cut off at the end of the buffer.
    ///
    /// # Errors
    /// As [`Reader::var_int`].
    pub fn var_bytes(&mut self) -> Result<&'a [u8], PackError> {
        let length = self.var_int()?;
        Ok(self.fixed(usize::try_from(length).unwrap_or(usize::MAX)))
    }

    /// A list whose elements `read` takes from the buffer.
    ///
    /// Memory stays below the size of the buffer's elements, whatever count is claimed, as long
    /// as each element takes at least one byte.
    ///
    /// # Errors
    /// As [`Reader::var_int`] and `read`.
    pub fn list<T, E: From<PackError>>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let count = self.var_int()?;
        let mut out = Vec::new();
        for _ in 0..count {
            out.push(read(self)?);
        }
        Ok(out)
    }

    /// A list of hashes.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn hashes(&mut self) -> Result<Vec<Hash32>, PackError> {
        self.list(Self::hash)
    }

    /// A list of pairs of VarInts, the count being that of pairs.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn pairs(&mut self) -> Result<Vec<(u64, u64)>, PackError> {
        self.list(|reader| Ok((reader.var_int()?, reader.var_int()?)))
    }
}

/// Appends a VarInt in its shortest form.
pub fn write_var_int(out: &mut Vec<u8>, value: u64) {
    if let Ok(byte) = u8::try_from(value)
        && byte < 0xfd
    {
        out.push(byte);
    } else if let Ok(word) = u16::try_from(value) {
        out.push(0xfd);
        out.extend_from_slice(&word.to_le_bytes());
    } else if let Ok(word) = u32::try_from(value) {
        out.push(0xfe);
        out.extend_from_slice(&word.to_le_bytes());
    } else {
        out.push(0xff);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends a string with its length in front.
pub fn write_var_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_var_int(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a list of hashes.
pub fn write_list(out: &mut Vec<u8>, hashes: &[Hash32]) {
    write_var_int(out, hashes.len() as u64);
    for hash in hashes {
        out.extend_from_slice(hash);
    }
}

/// Appends pairs of VarInts, the count being that of pairs.
pub fn write_pairs(out: &mut Vec<u8>, pairs: &[(u64, u64)]) {
    write_var_int(out, pairs.len() as u64);
    for (first, second) in pairs {
        write_var_int(out, *first);
        write_var_int(out, *second);
    }
}

/// Appends a share hash, zeros for none.
pub fn write_share_hash(out: &mut Vec<u8>, hash: Option<ShareHash>) {
    out.extend_from_slice(&hash.map_or([0; 32], ShareHash::to_internal));
}

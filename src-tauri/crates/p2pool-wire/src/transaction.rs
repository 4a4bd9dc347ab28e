//! Bitcoin transactions as far as they must be told apart inside a message.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use p2pool_sharechain::pack::{PackError, Reader};

/// Takes one transaction, with or without witness, from the front of the buffer.
///
/// Source: protocol notes, encoding.md section 14.
pub(crate) fn take<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], PackError> {
    let mut start = reader.clone();
    skip(reader)?;
    start.bytes(start.remaining().saturating_sub(reader.remaining()))
}

fn skip(reader: &mut Reader<'_>) -> Result<(), PackError> {
    reader.u32()?;
    let mut inputs = reader.var_int()?;
    // No inputs: this is the witness marker; a flag and the true count follow.
    let has_witness = inputs == 0;
    if has_witness {
        reader.u8()?;
        inputs = reader.var_int()?;
    }
    repeat(inputs, || {
        reader.bytes(36)?;
        reader.var_bytes()?;
        reader.u32().map(drop)
    })?;
    let outputs = reader.var_int()?;
    repeat(outputs, || {
        reader.u64()?;
        reader.var_bytes().map(drop)
    })?;
    if has_witness {
        repeat(inputs, || {
            let items = reader.var_int()?;
            repeat(items, || reader.var_bytes().map(drop))
        })?;
    }
    reader.u32().map(drop)
}

/// Every step takes at least one byte or fails: the buffer bounds the loop, not the count.
fn repeat(count: u64, mut step: impl FnMut() -> Result<(), PackError>) -> Result<(), PackError> {
    (0..count).try_for_each(|_| step())
}

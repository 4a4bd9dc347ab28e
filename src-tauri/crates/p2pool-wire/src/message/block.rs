//! Parts of Bitcoin blocks, in Bitcoin's own encoding.
//!
//! Source: BIP-0152; `docs/extensions.md`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use bitcoin::bip152::HeaderAndShortIds;
use bitcoin::consensus::{Decodable, Encodable, encode};
use p2pool_sharechain::pack::Reader;

use super::{BLOCK_BYTES_MAX, PayloadError};

pub(super) fn write(out: &mut Vec<u8>, part: &impl Encodable) {
    part.consensus_encode(out).expect("writing to memory does not fail");
}

/// Reads everything that is left.
pub(super) fn read<T: Decodable>(reader: &mut Reader<'_>) -> Result<T, PayloadError> {
    let bytes = reader.remaining();
    if bytes > BLOCK_BYTES_MAX {
        return Err(PayloadError::BlockTooLong(bytes));
    }
    encode::deserialize(reader.bytes(bytes)?)
        .map_err(|error| PayloadError::Block(error.to_string()))
}

/// Reads a compact block whose given transactions all have a place in it.
pub(super) fn read_compact(
    reader: &mut Reader<'_>,
) -> Result<Box<HeaderAndShortIds>, PayloadError> {
    let block: Box<HeaderAndShortIds> = Box::new(read(reader)?);
    let total = block.short_ids.len().saturating_add(block.prefilled_txs.len());
    let steps = block.prefilled_txs.iter().map(|given| usize::from(given.idx).saturating_add(1));
    if steps.fold(0, usize::saturating_add) <= total {
        Ok(block)
    } else {
        Err(PayloadError::PlacesOutside)
    }
}

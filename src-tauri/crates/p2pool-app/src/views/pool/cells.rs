//! The shares of the window, compact.

use std::collections::BTreeMap;

use super::{Sight, count, payee, short_name};
use crate::api::pages::pool::{CELLS_MAX, ShareCells};

/// Shares of the window, newest first: all of them, or those above `since` if that is still there.
pub(crate) fn cells(sight: &Sight<'_>, since: Option<&str>) -> ShareCells {
    let window = &sight.node.summary.window;
    let window = &window[..window.len().min(CELLS_MAX)];
    let known =
        since.and_then(|since| window.iter().position(|share| short_name(share.hash) == since));
    let mut cells = ShareCells {
        is_whole: known.is_none(),
        total: count(window.len()),
        ..ShareCells::default()
    };
    let mut places: BTreeMap<&str, u32> = BTreeMap::new();
    for share in &window[..known.unwrap_or(window.len())] {
        cells.ids.push_str(&short_name(share.hash));
        cells.times.push(share.timestamp);
        let mark = u8::from(share.is_own)
            + 2 * u8::from(share.is_stale_notice)
            + 4 * u8::from(share.is_block);
        cells.marks.push(char::from(b'0' + mark));
        let place = *places.entry(&share.payee).or_insert_with(|| {
            cells.payees.push(payee(sight, &share.payee));
            count(cells.payees.len() - 1)
        });
        cells.payee_of.push(place);
    }
    cells
}

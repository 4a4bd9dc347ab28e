//! Pool blocks and whom they paid.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Party, Sats, UnixSeconds};

/// Most rows of [`Payouts::rows`]; the newest are kept.
pub const PAYOUTS_MAX: usize = 50;

/// Most rows of [`Payout::payees`]; the smallest are added up in one row of [`Party::Others`].
pub const PAYEES_MAX: usize = 20;

/// Every pool block with whom it paid. Push on change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Payouts {
    /// All that blocks paid to my address so far, lost blocks left out.
    pub mine_total_sats: Sats,
    /// Pool blocks ever seen in this mode, those beyond the rows included.
    pub blocks_total: u32,
    /// Newest first, at most [`PAYOUTS_MAX`].
    pub rows: Vec<Payout>,
}

/// One pool block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Payout {
    /// Block hash, display order.
    pub block_hash: String,
    /// Block height.
    pub height: u32,
    /// When it was found.
    pub at: UnixSeconds,
    /// Who found it.
    pub found_by: Party,
    /// What it paid to my address; `None` if I had no share in the window.
    pub mine_sats: Option<Sats>,
    /// `mine_sats` as a part of `value_sats`, 0 to 1.
    pub mine_part: Option<f64>,
    /// Sum of all coinbase outputs.
    pub value_sats: Sats,
    /// The block's subsidy.
    pub subsidy_sats: Sats,
    /// The block's fees.
    pub fees_sats: Sats,
    /// Whether `value_sats` is exactly subsidy plus fees: checked against the block itself.
    pub is_sum_exact: bool,
    /// What has become of it.
    pub state: PayoutState,
    /// Id of the transaction that pays, if it is known.
    pub txid: Option<String>,
    /// Why it did not pay me; only on the Payouts page.
    pub unpaid: Option<UnpaidReason>,
    /// The coinbase outputs, largest first, mine wherever it falls; at most [`PAYEES_MAX`].
    pub payees: Vec<Payee>,
}

/// What has become of a pool block's payments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum PayoutState {
    /// Found and handed to the Bitcoin node, which has not answered yet.
    Submitting,
    /// In the block chain; coins may be spent after `needed` confirmations.
    Maturing {
        /// Confirmations so far.
        confirmations: u32,
        /// Confirmations needed (100).
        needed: u32,
        /// Average time until it has them; `None` while it cannot be told.
        left_secs: Option<f64>,
    },
    /// Enough confirmations.
    Spendable,
    /// Replaced by another block: nobody was paid.
    Lost,
    /// Refused by the Bitcoin node: nobody was paid (`N-13`).
    Refused,
}

/// Why a pool block did not pay me.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum UnpaidReason {
    /// No share of mine had come into the chain before it.
    NoShareYet,
    /// My last share before it had left the window.
    ShareLeft {
        /// When that share was found.
        last_share_at: UnixSeconds,
    },
}

/// One coinbase output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Payee {
    /// Whose it is.
    pub party: Party,
    /// The address in full; `None` for [`Party::Others`] and for outputs without an address.
    pub address: Option<String>,
    /// Amount paid.
    pub sats: Sats,
    /// `sats` as a part of the block's value, 0 to 1.
    pub part: f64,
}

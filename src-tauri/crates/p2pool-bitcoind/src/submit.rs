//! Handing in a block: what the node's word means, and how long to insist.
//!
//! Use a client of its own for this: a block must never stand behind another call.

use std::time::Duration;

use bitcoin::hex::DisplayHex;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::error::RpcError;
use crate::rpc::{BLOCK_REPLY_BYTES_MAX, Limits, RpcClient};

/// A node checks a full block in a second or two; a slow one gets a minute.
const SUBMIT: Limits =
    Limits { timeout: Duration::from_secs(60), bytes_max: BLOCK_REPLY_BYTES_MAX };

/// What became of a block. Source: BIP-0022, "submitblock".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitOutcome {
    /// Valid, and the best block now.
    Accepted,
    /// Valid, and known before: as good as accepted.
    Duplicate,
    /// Not refused, but not the best block: usually it lost a race. It may win yet.
    Inconclusive,
    /// The node does not have the block's parent, yet.
    ParentUnknown,
    /// Invalid; the node's reason.
    Rejected(String),
}

impl SubmitOutcome {
    /// Whether the node holds the block as valid.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Accepted | Self::Duplicate)
    }

    /// The node's answer to `submitblock`: nothing, or one word.
    pub fn from_result(result: Option<String>) -> Self {
        let Some(reason) = result else {
            return Self::Accepted;
        };
        match reason.as_str() {
            "duplicate" => Self::Duplicate,
            "inconclusive" | "duplicate-inconclusive" => Self::Inconclusive,
            "prev-blk-not-found" => Self::ParentUnknown,
            _ => Self::Rejected(reason),
        }
    }
}

/// How long to insist when a node does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait between attempts.
    pub every: Duration,
    /// No new attempt after this long.
    pub give_up_after: Duration,
}

impl Default for RetryPolicy {
    /// Every half second for a minute: a block that old has lost its race.
    fn default() -> Self {
        Self { every: Duration::from_millis(500), give_up_after: Duration::from_secs(60) }
    }
}

/// Hands in a block once. `raw` is its serialisation with witness.
///
/// # Errors
/// The call failed, which says nothing about the block; code -22 if the block does not decode.
pub async fn submit_block(client: &RpcClient, raw: &[u8]) -> Result<SubmitOutcome, RpcError> {
    submit_hex(client, &raw.to_lower_hex_string()).await
}

/// Hands in a block until the node has an opinion on it.
///
/// A second attempt does no harm: if the first one did arrive, the answer is
/// [`SubmitOutcome::Duplicate`].
///
/// # Errors
/// The last failure, if none of the attempts brought an answer or a repetition is useless.
pub async fn submit_with_retries(
    client: &RpcClient,
    raw: &[u8],
    policy: RetryPolicy,
) -> Result<SubmitOutcome, RpcError> {
    let hex = raw.to_lower_hex_string();
    let started = Instant::now();
    let mut attempts = 1_u32;
    loop {
        match submit_hex(client, &hex).await {
            Ok(outcome) => {
                info!(?outcome, attempts, "block submitted");
                return Ok(outcome);
            }
            Err(error) if is_final(&error) || started.elapsed() >= policy.give_up_after => {
                warn!(%error, attempts, "block not submitted");
                return Err(error);
            }
            Err(error) => {
                if attempts == 1 {
                    warn!(%error, "block not submitted yet");
                }
                sleep(policy.every).await;
                attempts = attempts.saturating_add(1);
            }
        }
    }
}

/// Only the node's word on the block itself ends the attempts: everything else may pass.
fn is_final(error: &RpcError) -> bool {
    matches!(error, RpcError::Rpc { .. })
}

async fn submit_hex(client: &RpcClient, hex: &str) -> Result<SubmitOutcome, RpcError> {
    client.call("submitblock", [hex], SUBMIT).await.map(SubmitOutcome::from_result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_words_are_understood() {
        let outcome = |text: &str| SubmitOutcome::from_result(Some(text.to_owned()));
        assert_eq!(SubmitOutcome::from_result(None), SubmitOutcome::Accepted);
        assert_eq!(outcome("duplicate"), SubmitOutcome::Duplicate);
        assert_eq!(outcome("duplicate-inconclusive"), SubmitOutcome::Inconclusive);
        assert_eq!(outcome("inconclusive"), SubmitOutcome::Inconclusive);
        assert_eq!(outcome("prev-blk-not-found"), SubmitOutcome::ParentUnknown);
        for reason in ["duplicate-invalid", "bad-cb-amount", "high-hash", "bad-prevblk", "rejected"]
        {
            assert_eq!(outcome(reason), SubmitOutcome::Rejected(reason.to_owned()));
        }
    }

    #[test]
    fn only_accepted_and_duplicate_are_success() {
        assert!(SubmitOutcome::Accepted.is_success());
        assert!(SubmitOutcome::Duplicate.is_success());
        assert!(!SubmitOutcome::Inconclusive.is_success());
        assert!(!SubmitOutcome::Rejected("rejected".into()).is_success());
    }
}

//! From the answer of `getblocktemplate` to the share chain's [`BlockTemplate`].
//!
//! Strict on purpose: a template that does not add up would make every block found with it
//! worthless, and nobody would notice before the first one.

use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::{Network, Txid, Wtxid};
use p2pool_sharechain::CompactBits;
use p2pool_sharechain::template::{BlockTemplate, ROLLING_MASK, TemplateTransaction};

use crate::model::{TemplateAnswer, TemplateRequest, TemplateTransactionAnswer};

/// Soft forks whose rules the blocks we build obey.
const RULES_KNOWN: [&str; 4] = ["csv", "segwit", "taproot", "signet"];
/// `OP_TRUE`: the challenge of a signet that anybody may mine.
const ANYONES_CHALLENGE: &str = "51";
/// Blocks of one difficulty period.
const PERIOD: u32 = 2016;
/// Seconds after which testnet3 and testnet4 take a block of least difficulty.
const MIN_DIFFICULTY_AFTER: u32 = 1200;
/// Least difficulty of testnet3 and testnet4.
const MIN_DIFFICULTY_BITS: u32 = 0x1d00_ffff;
/// Weight limit of nodes that do not name one.
const WEIGHT_LIMIT: u32 = 4_000_000;
/// More bytes cannot stand in a scriptSig.
const COINBASE_AUX_BYTES_MAX: usize = 80;

/// A template that we cannot build a block from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTemplateError {
    /// A soft fork is in force that this program does not know: it has to be updated.
    #[error("the template demands the unknown soft fork {0:?}")]
    UnknownRule(String),
    /// Blocks without witness data are not what the share chain commits to.
    #[error("the template is not for segregated witness")]
    WithoutSegwit,
    /// On this signet only its makers can sign blocks.
    #[error("blocks of this signet need a signature for {0:?}")]
    SignedOnly(String),
    /// Version bits are demanded that miners roll.
    #[error("the template demands version bits {0:08x}, which miners change")]
    RequiredVersionBits(u32),
    /// `bits` and `target` are not the same number, or none.
    #[error("bits {bits:08x} are not the target {target}")]
    Target {
        /// The compact form.
        bits: u32,
        /// The long form.
        target: String,
    },
    /// The clock is before the lowest time allowed.
    #[error("time {curtime} is before {mintime}, the lowest allowed")]
    Time {
        /// Template's time.
        curtime: u32,
        /// Lowest time.
        mintime: u32,
    },
    /// Height 0 is the block that everybody has.
    #[error("a template for height 0")]
    Height,
    /// On testnet3 and testnet4 the parent's time is needed.
    #[error("the time of the parent block is not known")]
    ParentTimeMissing,
    /// `coinbaseaux` is not hex, or too long.
    #[error("coinbaseaux cannot stand in a scriptSig")]
    CoinbaseAux,
    /// Something is wrong with one transaction.
    #[error("transaction {index} of the template: {what}")]
    Transaction {
        /// Position from 0.
        index: usize,
        /// What is wrong.
        what: TransactionFault,
    },
    /// Fees exceed what the generation transaction may pay.
    #[error("fees of {fees_sats} sats in a template that pays {coinbase_value_sats} sats")]
    Fees {
        /// Sum of all fees.
        fees_sats: u64,
        /// `coinbasevalue`.
        coinbase_value_sats: u64,
    },
    /// The transactions alone exceed the block's limit.
    #[error("transactions of weight {weight} with a limit of {limit}")]
    Weight {
        /// Sum of all weights.
        weight: u64,
        /// `weightlimit`.
        limit: u32,
    },
}

/// What is wrong with a transaction of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionFault {
    /// `data` is not hex, or empty.
    #[error("its data is not hex")]
    Data,
    /// `txid` or `hash` is not a hash.
    #[error("its hash is not 64 hex digits")]
    Hash,
    /// The weight does not fit the size.
    #[error("its weight does not fit its size")]
    Weight,
    /// It depends on a transaction that does not come before it.
    #[error("it depends on a later one")]
    Order,
}

/// The request for a template of `network`, long-polling if `longpollid` is given.
pub fn request(network: Network, longpollid: Option<String>) -> TemplateRequest {
    let mut rules = vec!["segwit".to_owned()];
    if network == Network::Signet {
        rules.push("signet".to_owned());
    }
    TemplateRequest { mode: None, rules, longpollid }
}

/// Whether [`parse`] needs the parent's header time for a block at `height`.
///
/// On testnet3 and testnet4 a block more than 20 minutes after its parent has the least
/// difficulty, except the first of a period. So a template's `bits` are right up to that border
/// only, or from there on only.
pub fn needs_parent_time(network: Network, height: u32) -> bool {
    matches!(network, Network::Testnet | Network::Testnet4) && !height.is_multiple_of(PERIOD)
}

/// Reads an answer. `parent_time` is the header time of the block to build on, needed where
/// [`needs_parent_time`] says so.
///
/// # Errors
/// The first thing that is wrong with the template.
pub fn parse(
    answer: &TemplateAnswer<'_>,
    network: Network,
    parent_time: Option<u32>,
) -> Result<BlockTemplate, ParseTemplateError> {
    check_rules(answer)?;
    let bits = check_target(answer)?;
    if answer.height == 0 {
        return Err(ParseTemplateError::Height);
    }
    if answer.curtime < answer.mintime {
        let (curtime, mintime) = (answer.curtime, answer.mintime);
        return Err(ParseTemplateError::Time { curtime, mintime });
    }
    let (min_time, max_time) = times(answer, network, parent_time)?;
    let transactions = answer
        .transactions
        .iter()
        .enumerate()
        .map(|(index, transaction)| {
            parse_transaction(index, transaction)
                .map_err(|what| ParseTemplateError::Transaction { index, what })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let weight_limit = answer.weightlimit.unwrap_or(WEIGHT_LIMIT);
    check_sums(answer, weight_limit)?;
    Ok(BlockTemplate {
        // The same 32 bits; the sign of the field has no meaning.
        version: answer.version.cast_unsigned(),
        previous_block: answer.previousblockhash,
        transactions,
        coinbase_value_sats: answer.coinbasevalue,
        coinbase_aux: coinbase_aux(answer)?,
        bits,
        current_time: answer.curtime,
        min_time,
        max_time,
        height: answer.height,
        weight_limit,
        sigop_limit: answer.sigoplimit,
    })
}

fn check_rules(answer: &TemplateAnswer<'_>) -> Result<(), ParseTemplateError> {
    for rule in &answer.rules {
        if let Some(demanded) = rule.strip_prefix('!')
            && !RULES_KNOWN.contains(&demanded)
        {
            let name = demanded.chars().take(40).collect();
            return Err(ParseTemplateError::UnknownRule(name));
        }
    }
    if !answer.rules.iter().any(|rule| rule.trim_start_matches('!') == "segwit") {
        return Err(ParseTemplateError::WithoutSegwit);
    }
    // Source: BIP-0325. A script that needs no solution leaves blocks as they are elsewhere.
    if let Some(challenge) = answer.signet_challenge.as_deref()
        && challenge != ANYONES_CHALLENGE
    {
        return Err(ParseTemplateError::SignedOnly(challenge.chars().take(40).collect()));
    }
    if answer.vbrequired & ROLLING_MASK != 0 {
        return Err(ParseTemplateError::RequiredVersionBits(answer.vbrequired));
    }
    Ok(())
}

fn check_target(answer: &TemplateAnswer<'_>) -> Result<CompactBits, ParseTemplateError> {
    let bits = CompactBits(answer.bits);
    let target = bits.target().filter(|target| !target.is_zero());
    match target {
        Some(target) if format!("{target:064x}") == answer.target.to_ascii_lowercase() => Ok(bits),
        Some(_) | None => Err(ParseTemplateError::Target {
            bits: answer.bits,
            target: answer.target.chars().take(64).collect(),
        }),
    }
}

/// Lowest and highest header time for which the template's `bits` are right.
fn times(
    answer: &TemplateAnswer<'_>,
    network: Network,
    parent_time: Option<u32>,
) -> Result<(u32, Option<u32>), ParseTemplateError> {
    if !needs_parent_time(network, answer.height) {
        return Ok((answer.mintime, None));
    }
    let parent_time = parent_time.ok_or(ParseTemplateError::ParentTimeMissing)?;
    let border = parent_time.saturating_add(MIN_DIFFICULTY_AFTER);
    if answer.curtime > border {
        // Least difficulty by the 20-minute rule: an earlier time may need more.
        Ok((answer.mintime.max(border.saturating_add(1)), None))
    } else if answer.bits == MIN_DIFFICULTY_BITS {
        // The chain's own difficulty is the least one: the same on both sides of the border.
        Ok((answer.mintime, None))
    } else {
        Ok((answer.mintime, Some(border)))
    }
}

fn parse_transaction(
    index: usize,
    transaction: &TemplateTransactionAnswer<'_>,
) -> Result<TemplateTransaction, TransactionFault> {
    let data = Vec::<u8>::from_hex(&transaction.data).map_err(|_| TransactionFault::Data)?;
    if data.is_empty() {
        return Err(TransactionFault::Data);
    }
    let txid: Txid = transaction.txid.parse().map_err(|_| TransactionFault::Hash)?;
    let wtxid: Wtxid = transaction.hash.parse().map_err(|_| TransactionFault::Hash)?;
    // Witness bytes weigh one unit, all others four.
    let (size, weight) = (data.len() as u64, u64::from(transaction.weight));
    if weight < size || weight > 4 * size {
        return Err(TransactionFault::Weight);
    }
    let depends = transaction
        .depends
        .iter()
        .map(|position| {
            let position = position.checked_sub(1).ok_or(TransactionFault::Order)?;
            if (position as usize) < index { Ok(position) } else { Err(TransactionFault::Order) }
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(TemplateTransaction {
        data: Arc::from(data),
        txid: txid.to_byte_array(),
        wtxid: wtxid.to_byte_array(),
        fee_sats: transaction.fee,
        weight: transaction.weight,
        sigops: transaction.sigops,
        depends,
    })
}

fn check_sums(answer: &TemplateAnswer<'_>, limit: u32) -> Result<(), ParseTemplateError> {
    let transactions = &answer.transactions;
    let fees_sats = transactions.iter().fold(0_u64, |sum, tx| sum.saturating_add(tx.fee));
    if fees_sats > answer.coinbasevalue {
        let coinbase_value_sats = answer.coinbasevalue;
        return Err(ParseTemplateError::Fees { fees_sats, coinbase_value_sats });
    }
    let weight: u64 = transactions.iter().map(|tx| u64::from(tx.weight)).sum();
    if weight > u64::from(limit) {
        return Err(ParseTemplateError::Weight { weight, limit });
    }
    Ok(())
}

fn coinbase_aux(answer: &TemplateAnswer<'_>) -> Result<Vec<u8>, ParseTemplateError> {
    let mut all = Vec::new();
    for value in answer.coinbaseaux.values() {
        let bytes = Vec::<u8>::from_hex(value).map_err(|_| ParseTemplateError::CoinbaseAux)?;
        all.extend_from_slice(&bytes);
        if all.len() > COINBASE_AUX_BYTES_MAX {
            return Err(ParseTemplateError::CoinbaseAux);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;

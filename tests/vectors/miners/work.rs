//! Each job handed out: its coinbase is well formed, its block is that of a template.

use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, Script, Transaction};
use p2pool_sharechain::ShareHash;
use p2pool_sharechain::params::DONATION_SCRIPT;
use p2pool_sharechain::share::MinHeader;
use p2pool_sharechain::template::{BlockTemplate, witness_commitment_script};
use p2pool_stratum::notify::Notify;

use super::told::Told;
use crate::blocks::height_of;
use crate::cases::{same, same_bytes};
use crate::history::History;

/// Lowest version of headers that jobs are for.
const VERSION_MIN: u32 = 0x2000_0000;

/// What follows from the job alone, and from the templates of the run.
pub(super) fn check(notify: &Notify, told: &Told, history: &History) -> Result<(), String> {
    let coinbase = coinbase_of(notify)?;
    shape(notify, &coinbase)?;
    let height = height_of(&coinbase.input[0].script_sig)?;
    Place { notify, coinbase: &coinbase, height, told, history }.check()
}

/// A job in its run.
struct Place<'a> {
    notify: &'a Notify,
    coinbase: &'a Transaction,
    height: u32,
    told: &'a Told,
    history: &'a History,
}

impl Place<'_> {
    fn check(&self) -> Result<(), String> {
        self.templates()?;
        self.above_share()
    }

    /// If a template of the run builds on the same block for the same amount, the job is for its
    /// transactions.
    fn templates(&self) -> Result<(), String> {
        let previous = BlockHash::from_byte_array(self.notify.previous_block);
        let value = value_of(self.coinbase);
        let known = self.told.templates.get(&previous).into_iter().flatten();
        let known = known.filter(|template| template.coinbase_value_sats == value);
        let mut outcome = Ok(());
        for template in known {
            outcome = self.template(template);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn template(&self, template: &BlockTemplate) -> Result<(), String> {
        let segwit = template.segwit_data();
        same("merkle branch", &segwit.txid_branch, &self.notify.branch)?;
        let commitment = witness_commitment_script(&segwit.wtxid_root);
        let script = &self.coinbase.output[0].script_pubkey;
        same_bytes("commitment", &commitment, script.as_bytes())?;
        same("bits", &template.bits.0, &self.notify.bits)?;
        same("height", &template.height, &self.height)?;
        // Right after a block the work is on its header alone, with its version.
        if self.below().is_none_or(|(header, _)| header.version != u64::from(self.notify.version)) {
            same("version", &template.version.max(VERSION_MIN), &self.notify.version)?;
        }
        Ok(())
    }

    /// If the block below is a share, the job is for the height above it.
    fn above_share(&self) -> Result<(), String> {
        let Some((_, script)) = self.below() else { return Ok(()) };
        let below = height_of(Script::from_bytes(script))?;
        same("height above the share's block", &(below + 1), &self.height)
    }

    /// Header and scriptSig of the block below, if it is a share.
    fn below(&self) -> Option<(&MinHeader, &[u8])> {
        let below = ShareHash::from_internal(self.notify.previous_block);
        let share = self.history.tracker.get(below)?.share();
        Some((&share.header, &share.info.data.coinbase))
    }
}

/// The transaction of a job, the miner's bytes zero.
pub(super) fn coinbase_of(notify: &Notify) -> Result<Transaction, String> {
    let bytes = [&notify.coinbase_prefix[..], &[0; 4], &notify.coinbase_suffix].concat();
    let coinbase: Transaction =
        encode::deserialize(&bytes).map_err(|e| format!("the coinbase: {e}"))?;
    same("inputs", &1, &coinbase.input.len())?;
    same("three outputs at least", &true, &(coinbase.output.len() >= 3))?;
    Ok(coinbase)
}

pub(super) fn value_of(coinbase: &Transaction) -> u64 {
    coinbase.output.iter().map(|output| output.value.to_sat()).sum()
}

/// What every generation transaction has in common.
fn shape(notify: &Notify, coinbase: &Transaction) -> Result<(), String> {
    same("version", &1, &coinbase.version.0)?;
    same("lock time", &0, &coinbase.lock_time.to_consensus_u32())?;
    same_bytes("suffix", &[0; 4], &notify.coinbase_suffix)?;
    same("spends nothing", &OutPoint::null(), &coinbase.input[0].previous_output)?;
    same("sequence", &u32::MAX, &coinbase.input[0].sequence.0)?;
    let script_bytes = coinbase.input[0].script_sig.len();
    same("scriptSig of 2 to 100 bytes", &true, &(2..=100).contains(&script_bytes))?;
    let [commitment, .., donation, last] = &coinbase.output[..] else {
        return Err("fewer than three outputs".to_owned());
    };
    let commits =
        commitment.script_pubkey.as_bytes().starts_with(&witness_commitment_script(&[0; 32])[..6]);
    same("commits to the witnesses", &true, &commits)?;
    same_bytes("donation", &DONATION_SCRIPT, donation.script_pubkey.as_bytes())?;
    same("value of the last", &0, &last.value.to_sat())?;
    let last = last.script_pubkey.as_bytes();
    same("length of the last script", &42, &last.len())?;
    same_bytes("start of the last script", &[0x6a, 0x28], &last[..2])
}

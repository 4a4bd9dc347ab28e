//! The generation transaction: every output, in order, to the byte.
//!
//! Source: protocol notes, sharechain.md sections 6.5 to 6.8.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::{self, AddressError};
use crate::compact::Attempts;
use crate::hash::{Hash32, sha256d};
use crate::hash_link::HashLinkEngine;
use crate::merkle_link;
use crate::pack::{write_var_bytes, write_var_int};
use crate::params::{DONATION_SCRIPT, Params, WITNESS_RESERVED_VALUE};
use crate::payout::PayeeKey;
pub use crate::payout::Window;
pub use crate::retarget::Position;
use crate::share::{Payee, ShareInfo};
use crate::versions::ShareVersion;

/// Most payees of one transaction; beyond, the smallest amounts are lost.
const PAYEES_MAX: usize = 4000;

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Value in sats.
    pub value_sats: u64,
    /// Output script.
    pub script: Vec<u8>,
}

/// A generation transaction, complete but for the eight nonce bytes, which are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Without witness.
    bytes: Vec<u8>,
    outputs: Vec<Output>,
    ref_hash: Hash32,
    has_witness: bool,
}

/// Bytes after the ref hash: nonce and lock time.
const AFTER_REF_HASH: usize = 12;
/// Bytes from the ref hash on.
const FROM_REF_HASH: usize = 32 + AFTER_REF_HASH;

/// Builds the generation transaction of a share with these fields.
///
/// # Errors
/// A payee of the window, or the share's own, that shares of this type cannot pay.
pub fn generate(
    params: &Params,
    version: ShareVersion,
    info: &ShareInfo,
    window: &Window,
    ref_merkle_branch: &[Hash32],
) -> Result<Generation, AddressError> {
    let ref_hash = ref_hash(params, version, info, ref_merkle_branch);
    let mut outputs = Vec::with_capacity(window.weights.len().saturating_add(4));
    if let Some(segwit) = &info.segwit {
        let script = crate::template::witness_commitment_script(&segwit.wtxid_root);
        outputs.push(Output { value_sats: 0, script });
    }
    payouts(params, version, info, window, &mut outputs)?;
    let mut script = vec![0x6a, 0x28];
    script.extend_from_slice(&ref_hash);
    script.extend_from_slice(&[0; 8]);
    outputs.push(Output { value_sats: 0, script });

    let mut bytes = Vec::with_capacity(outputs.len().saturating_mul(34).saturating_add(200));
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.push(1);
    bytes.extend_from_slice(&[0; 32]);
    bytes.extend_from_slice(&[0xff; 4]);
    write_var_bytes(&mut bytes, &info.data.coinbase);
    bytes.extend_from_slice(&[0xff; 4]);
    write_var_int(&mut bytes, outputs.len() as u64);
    for output in &outputs {
        bytes.extend_from_slice(&output.value_sats.to_le_bytes());
        write_var_bytes(&mut bytes, &output.script);
    }
    bytes.extend_from_slice(&[0; 4]);
    Ok(Generation { bytes, outputs, ref_hash, has_witness: info.segwit.is_some() })
}

/// What a share's last output commits to. Source: protocol notes, encoding.md section 13.
pub fn ref_hash(
    params: &Params,
    version: ShareVersion,
    info: &ShareInfo,
    ref_merkle_branch: &[Hash32],
) -> Hash32 {
    let mut preimage = Vec::with_capacity(512);
    preimage.extend_from_slice(&params.identifier);
    info.write(&mut preimage, version);
    merkle_link::fold(sha256d(&preimage), ref_merkle_branch)
}

/// The payee key of a share.
pub fn payee_text(payee: &Payee, params: &Params) -> Vec<u8> {
    match payee {
        Payee::Address(text) => text.clone(),
        Payee::PubkeyHash(hash) => address::p2pkh_text(hash, &params.addresses).into_bytes(),
    }
}

/// One payee with its amount while the outputs are put in order.
struct Due<'a> {
    sats: u64,
    key: &'a PayeeKey,
}

/// Appends the payouts and, last, the donation.
fn payouts(
    params: &Params,
    version: ShareVersion,
    info: &ShareInfo,
    window: &Window,
    outputs: &mut Vec<Output>,
) -> Result<(), AddressError> {
    let subsidy = info.data.subsidy_sats;
    let donation_key = params.donation_key();
    let own_text = payee_text(&info.data.payee, params);
    let own_key = own_key(&own_text, window, params)?;
    let finder_sats = subsidy / 200;

    let mut paid_sats = 0_u64;
    let mut own_is_due = true;
    let mut donation_sats = 0_u64;
    let mut dues = Vec::with_capacity(window.weights.len().saturating_add(1));
    for (key, weight) in &window.weights {
        let mut sats = amount(subsidy, *weight, window.total);
        if key.text() == own_text {
            sats = sats.wrapping_add(finder_sats);
            own_is_due = false;
        }
        paid_sats = paid_sats.wrapping_add(sats);
        if key.text() == donation_key {
            donation_sats = sats;
        } else {
            dues.push(Due { sats, key });
        }
    }
    if own_is_due {
        paid_sats = paid_sats.wrapping_add(finder_sats);
        if own_text == donation_key {
            donation_sats = finder_sats;
        } else {
            dues.push(Due { sats: finder_sats, key: &own_key });
        }
    }
    // The parts add up to at most the subsidy: 199/200 by weight, 1/200 to the finder.
    donation_sats = donation_sats.wrapping_add(subsidy.saturating_sub(paid_sats));

    dues.sort_unstable_by(|a, b| (a.sats, a.key.text()).cmp(&(b.sats, b.key.text())));
    // The donation key takes one of the places, being the last of all keys.
    let dropped = dues.len().saturating_add(1).saturating_sub(PAYEES_MAX);
    for due in dues.iter().skip(dropped).filter(|due| due.sats != 0) {
        let script = due.key.script(version.pads_programs())?.to_vec();
        outputs.push(Output { value_sats: due.sats, script });
    }
    outputs.push(Output { value_sats: donation_sats, script: DONATION_SCRIPT.to_vec() });
    Ok(())
}

/// The share's own payee, from the window if it is there.
fn own_key(text: &[u8], window: &Window, params: &Params) -> Result<Arc<PayeeKey>, AddressError> {
    match window.weights.iter().find(|(key, _)| key.text() == text) {
        Some((key, _)) => Ok(Arc::clone(key)),
        None => Ok(Arc::new(PayeeKey::new(text, &params.addresses)?)),
    }
}

/// `subsidy * (199 * weight) / (200 * total)`, rounded down once.
fn amount(subsidy_sats: u64, weight: Attempts, total: Attempts) -> u64 {
    let numerator =
        Attempts::from(subsidy_sats).wrapping_mul(Attempts::from(199)).wrapping_mul(weight);
    let denominator = total.wrapping_mul(Attempts::from(200));
    numerator.checked_div(denominator).map_or(0, |sats| sats.saturating_to())
}

/// Sats of each payee's part of `subsidy_sats` if the window were paid as it stands, without a
/// finder. The donation script's part is what is left.
///
/// Source: protocol notes, chain-selection.md section 9.
pub fn expected_payouts(window: &Window, subsidy_sats: u64) -> HashMap<Vec<u8>, u64> {
    let part = |weight: &Attempts| {
        let numerator = Attempts::from(subsidy_sats).wrapping_mul(*weight);
        numerator.checked_div(window.total).map_or(0, |sats| sats.saturating_to())
    };
    window.weights.iter().map(|(key, weight)| (key.text().to_vec(), part(weight))).collect()
}

impl Generation {
    /// Outputs in order: commitment (if any), payouts, donation, ref hash.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The transaction without witness, nonce bytes zero.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Everything before the ref hash; ends with the constant ending of hash links.
    pub fn prefix(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().saturating_sub(FROM_REF_HASH)]
    }

    /// Everything before the nonce.
    pub fn up_to_nonce(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().saturating_sub(AFTER_REF_HASH)]
    }

    /// What the last output commits to.
    pub fn ref_hash(&self) -> &Hash32 {
        &self.ref_hash
    }

    /// Transaction id with these nonce bytes, internal order.
    pub fn txid(&self, nonce: [u8; 8]) -> Hash32 {
        let mut tail = [0; AFTER_REF_HASH];
        tail[..8].copy_from_slice(&nonce);
        HashLinkEngine::new(self.up_to_nonce()).finish_double(&tail)
    }

    /// Appends the transaction as it stands in a block, with its witness if it has one.
    pub fn write_with_witness(&self, out: &mut Vec<u8>, nonce: [u8; 8]) {
        let (version, rest) = self.up_to_nonce().split_at(4);
        out.extend_from_slice(version);
        if self.has_witness {
            out.extend_from_slice(&[0, 1]);
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(&nonce);
        if self.has_witness {
            out.extend_from_slice(&[1, 32]);
            out.extend_from_slice(&WITNESS_RESERVED_VALUE);
        }
        out.extend_from_slice(&[0; 4]);
    }

    /// Weight units in a block.
    pub fn weight(&self) -> usize {
        let witness = if self.has_witness { 36 } else { 0 };
        self.bytes.len().saturating_mul(4).saturating_add(witness)
    }
}

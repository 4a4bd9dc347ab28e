//! Whether an address that a person gives can be paid by the pool, and if not, why.
//!
//! The share chain's own reading of addresses is kinder than a wallet's: it takes some texts that
//! nobody could spend from. This is the careful reading, for a person's money: an address is
//! good only if the shares in force pay exactly its owner. What it is not: consensus.
//!
//! *Invariant:* a text that may be a secret is never repeated in a fault.

use bitcoin::base58;
use bitcoin::bech32::primitives::decode::{CheckedHrpstring, UncheckedHrpstring};
use bitcoin::bech32::{Bech32, Bech32m};
use p2pool_sharechain::Params;
use p2pool_sharechain::address::{self, AddressError, Decoded};
use p2pool_sharechain::versions::ShareVersion;

/// Longest text that is looked at; invoices and seed words are shorter.
const TEXT_BYTES_MAX: usize = 4096;
/// Human-readable parts of all Bitcoin networks.
const HRPS: [&str; 3] = ["bc", "tb", "bcrt"];
/// Letters of the data part of a Bech32 text.
const BECH32_LETTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Letters of a Base58 text.
const BASE58_LETTERS: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Numbers of words that a seed can have.
const SEED_WORDS: [usize; 5] = [12, 15, 18, 21, 24];

/// An address that shares can pay and its owner can spend from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayableAddress {
    /// The address as shares should name it: nothing around it, Bech32 in lower case.
    pub text: String,
    /// What it pays to.
    pub kind: AddressKind,
}

/// Kinds of payable addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Hash of a public key, witness version 0: `bc1q…`, 42 characters.
    Segwit,
    /// Hash of a witness script: `bc1q…`, 62 characters.
    SegwitScript,
    /// Hash of a script: `3…`.
    Script,
    /// Hash of a public key: `1…`.
    Legacy,
}

/// Why a text is no payable address. The words are those of the error catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressFault {
    /// Nothing but space.
    #[error("There is no address yet.")]
    Empty,
    /// A private key, seed words or an extended private key.
    #[error("That looks like a secret key. Never paste it into any program. Nothing was stored.")]
    Secret,
    /// Of another Bitcoin network.
    #[error("{}", other_network(*is_test))]
    OtherNetwork {
        /// Whether the address belongs to a test network.
        is_test: bool,
    },
    /// A taproot address, witness version 1.
    #[error(
        "P2Pool can't pay Taproot addresses yet. In your wallet choose SegWit (bc1q…) or Nested (3…)."
    )]
    Taproot,
    /// A witness version above 1.
    #[error("P2Pool can't pay this new kind of address yet. Choose a SegWit address (bc1q…).")]
    UnknownWitness,
    /// A script hash that shares would pay wrongly.
    #[error("P2Pool can't pay this address safely. Please use another address.")]
    UnsafeScript,
    /// A key hash that shares of the type in force would pay wrongly.
    #[error(
        "This rare address would be paid wrongly by the pool's current rules. Please use another address."
    )]
    ZeroPrefix,
    /// Shares of the type in force pay key hashes only.
    #[error("Today the pool can only pay addresses that start with 1.")]
    OnlyLegacy,
    /// A Lightning invoice or address.
    #[error("That is for Lightning. The pool pays on the Bitcoin chain: use an address (bc1q…).")]
    Lightning,
    /// A silent-payment address.
    #[error("That is a silent-payment address. Choose a SegWit address (bc1q…).")]
    SilentPayment,
    /// An extended public key.
    #[error("That is a whole wallet's public key, not one address. Take one of its addresses.")]
    ExtendedKey,
    /// A character that no address of this kind has.
    #[error("There is a typing error in this address: the character “{found}” at place {}.", index + 1)]
    Character {
        /// Place of the character, from 0, in the address without space around it.
        index: usize,
        /// The character.
        found: char,
    },
    /// Upper and lower case in one Bech32 text.
    #[error("There is a typing error in this address: it mixes capital and small letters.")]
    MixedCase {
        /// Place of the first character that differs, from 0.
        index: usize,
    },
    /// The checksum does not fit.
    #[error("There is a typing error in this address.")]
    Checksum {
        /// Place of the wrong character, from 0, if there is only one that it can be.
        index: Option<usize>,
    },
    /// Nothing that resembles an address.
    #[error("That is not a Bitcoin address.")]
    NotAnAddress,
}

fn other_network(is_test: bool) -> &'static str {
    if is_test {
        "That is a test-network address."
    } else {
        "That is an address of the real Bitcoin network; here coins have no value."
    }
}

impl AddressFault {
    /// Code of the error catalogue.
    pub fn code(self) -> &'static str {
        match self {
            Self::OtherNetwork { .. } => "A-03",
            Self::Secret => "A-04",
            Self::ZeroPrefix => "A-05",
            Self::Taproot
            | Self::UnknownWitness
            | Self::UnsafeScript
            | Self::OnlyLegacy
            | Self::Lightning
            | Self::SilentPayment
            | Self::ExtendedKey => "A-02",
            Self::Empty
            | Self::Character { .. }
            | Self::MixedCase { .. }
            | Self::Checksum { .. }
            | Self::NotAnAddress => "A-01",
        }
    }
}

/// Judges what a person typed or pasted; `version` is the share type in force.
///
/// # Errors
/// [`AddressFault`], the most helpful one.
pub fn judge(
    typed: &str,
    params: &Params,
    version: ShareVersion,
) -> Result<PayableAddress, AddressFault> {
    if typed.len() > TEXT_BYTES_MAX {
        return Err(AddressFault::NotAnAddress);
    }
    if is_seed(typed) {
        return Err(AddressFault::Secret);
    }
    let text: String = typed.chars().filter(|letter| !is_invisible(*letter)).collect();
    let text = without_uri(&text);
    if text.is_empty() {
        return Err(AddressFault::Empty);
    }
    refuse_other_things(text)?;
    if let Some(hrp) = hrp_of(text) {
        judge_bech32(text, hrp, params, version)
    } else {
        judge_base58(text, params, version)
    }
}

/// Spaces and what cannot be seen between letters.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
}

/// Takes the address out of a `bitcoin:` link. Source: BIP-0021.
fn without_uri(text: &str) -> &str {
    let scheme = "bitcoin:";
    let rest = match text.get(..scheme.len()) {
        Some(start) if start.eq_ignore_ascii_case(scheme) => &text[scheme.len()..],
        Some(_) | None => return text,
    };
    let rest = rest.trim_start_matches('/');
    rest.split(['?', '#']).next().unwrap_or_default()
}

/// Whether the words may be a wallet's seed.
fn is_seed(typed: &str) -> bool {
    let is_word =
        |word: &str| (3..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic());
    let words: Vec<&str> = typed.split_whitespace().map(|word| word.trim_matches(',')).collect();
    SEED_WORDS.contains(&words.len()) && words.iter().all(|word| is_word(word))
}

fn refuse_other_things(text: &str) -> Result<(), AddressFault> {
    let lower = text.to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.starts_with(prefix));
    if is_private_key(text) || starts(&["xprv", "yprv", "zprv", "tprv", "uprv", "vprv"]) {
        return Err(AddressFault::Secret);
    }
    if starts(&["xpub", "ypub", "zpub", "tpub", "upub", "vpub"]) {
        return Err(AddressFault::ExtendedKey);
    }
    if starts(&["lightning:", "lnbc", "lntb", "lno1", "lnurl"]) || text.contains('@') {
        return Err(AddressFault::Lightning);
    }
    if starts(&["sp1", "tsp1"]) {
        return Err(AddressFault::SilentPayment);
    }
    Ok(())
}

/// Whether it looks like a private key in wallet import format, whole or with a slip of the pen,
/// or like a bare key in hexadecimal digits.
fn is_private_key(text: &str) -> bool {
    let is_base58 = text.chars().all(|letter| BASE58_LETTERS.contains(letter));
    let is_wif =
        is_base58 && (50..=53).contains(&text.len()) && text.starts_with(['5', 'K', 'L', '9', 'c']);
    is_wif || text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The human-readable part of a Bech32 text of a Bitcoin network.
fn hrp_of(text: &str) -> Option<&'static str> {
    let (start, _) = text.split_once('1')?;
    HRPS.into_iter().find(|hrp| start.eq_ignore_ascii_case(hrp))
}

fn judge_bech32(
    text: &str,
    hrp: &str,
    params: &Params,
    version: ShareVersion,
) -> Result<PayableAddress, AddressFault> {
    let data_at = hrp.len() + 1;
    let letters = text.chars().enumerate();
    for (index, letter) in letters.clone().skip(data_at) {
        if !BECH32_LETTERS.contains(letter.to_ascii_lowercase()) {
            return Err(AddressFault::Character { index, found: letter });
        }
    }
    let mut cases = letters.filter(|(_, letter)| letter.is_ascii_alphabetic());
    let is_upper = cases.next().is_some_and(|(_, letter)| letter.is_ascii_uppercase());
    if let Some((index, _)) = cases.find(|(_, letter)| letter.is_ascii_uppercase() != is_upper) {
        return Err(AddressFault::MixedCase { index });
    }
    let text = text.to_ascii_lowercase();
    let is_old = CheckedHrpstring::new::<Bech32>(&text).is_ok();
    let is_new = CheckedHrpstring::new::<Bech32m>(&text).is_ok();
    if !is_old && !is_new {
        return Err(AddressFault::Checksum { index: wrong_letter(&text, data_at) });
    }
    if hrp != params.addresses.hrp {
        return Err(AddressFault::OtherNetwork { is_test: hrp != "bc" });
    }
    match (text.as_bytes().get(data_at), is_new) {
        // Version 0 belongs to the old checksum, all others to the new one. Source: BIP-0350.
        (Some(b'q'), false) => {}
        (Some(b'p'), true) => return Err(AddressFault::Taproot),
        (Some(b'q' | b'p'), _) | (None, _) => return Err(AddressFault::NotAnAddress),
        (Some(_), _) => return Err(AddressFault::UnknownWitness),
    }
    let decoded = address::decode(text.as_bytes(), &params.addresses)
        .map_err(|_| AddressFault::NotAnAddress)?;
    let Decoded::Witness { length, .. } = decoded else {
        return Err(AddressFault::NotAnAddress);
    };
    if !version.pays_addresses() {
        return Err(AddressFault::OnlyLegacy);
    }
    let is_key = length == 20;
    if !address::pays_its_owner(&decoded, version.pads_programs()) {
        return Err(if is_key { AddressFault::ZeroPrefix } else { AddressFault::UnsafeScript });
    }
    let kind = if is_key { AddressKind::Segwit } else { AddressKind::SegwitScript };
    Ok(PayableAddress { text, kind })
}

/// The only letter of a Bech32 text whose exchange would mend the checksum, if there is one.
fn wrong_letter(text: &str, data_at: usize) -> Option<usize> {
    let is_whole = |text: &str| {
        UncheckedHrpstring::new(text).is_ok_and(|text| {
            text.has_valid_checksum::<Bech32>() || text.has_valid_checksum::<Bech32m>()
        })
    };
    // Longer texts are no addresses, and trying them would take long.
    if text.len() > 90 {
        return None;
    }
    let mends = |index: &usize| {
        BECH32_LETTERS.chars().any(|letter| {
            let mut other = text.to_owned();
            other.replace_range(*index..=*index, letter.encode_utf8(&mut [0; 4]));
            is_whole(&other)
        })
    };
    let mut places = (data_at..text.len()).filter(mends);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

fn judge_base58(
    text: &str,
    params: &Params,
    version: ShareVersion,
) -> Result<PayableAddress, AddressFault> {
    let resembles = text.len() >= 25
        && text.len() <= 36
        && text.chars().all(|letter| letter.is_ascii_alphanumeric())
        && text.starts_with(['1', '3', 'm', 'n', '2']);
    if !resembles {
        return Err(AddressFault::NotAnAddress);
    }
    if let Some((index, found)) =
        text.chars().enumerate().find(|(_, letter)| !BASE58_LETTERS.contains(*letter))
    {
        return Err(AddressFault::Character { index, found });
    }
    let decoded = match address::decode(text.as_bytes(), &params.addresses) {
        Ok(decoded) => decoded,
        Err(AddressError::OtherNetwork) => {
            let prefix = base58::decode_check(text).unwrap_or_default();
            let is_test = matches!(prefix.first(), Some(111 | 196));
            return Err(AddressFault::OtherNetwork { is_test });
        }
        Err(_) => return Err(AddressFault::Checksum { index: None }),
    };
    let kind = match decoded {
        Decoded::P2pkh(_) => AddressKind::Legacy,
        Decoded::P2sh(_) => AddressKind::Script,
        Decoded::Witness { .. } => return Err(AddressFault::NotAnAddress),
    };
    if kind != AddressKind::Legacy && !version.pays_addresses() {
        return Err(AddressFault::OnlyLegacy);
    }
    Ok(PayableAddress { text: text.to_owned(), kind })
}

#[cfg(test)]
mod tests;

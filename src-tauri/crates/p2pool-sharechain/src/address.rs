//! Payout addresses as the share chain reads them: exactly what it accepts, exactly what it pays.
//!
//! The odd rules here are consensus: witness versions are dropped, taproot addresses do not
//! decode, long witness programs lose leading zero bytes. A wallet must not use this module.
//! Source: protocol notes, encoding.md section 9.

use bitcoin::base58;
use bitcoin::bech32::primitives::decode::UncheckedHrpstring;
use bitcoin::bech32::{Bech32, Fe32, Hrp, segwit};
use bitcoin::hashes::{Hash, hash160};

use crate::hash::sha256d;
use crate::params::AddressParams;

/// Why an address is not payable in a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Neither Base58Check nor Bech32 of this network.
    #[error("not an address of this network that the pool can pay")]
    Invalid,
    /// Base58Check of another network or kind.
    #[error("an address of another network")]
    OtherNetwork,
    /// The witness program's digits cannot be written back.
    #[error("a witness program that the pool cannot pay")]
    UnpayableProgram,
}

/// A decoded address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Pay to the hash of a public key.
    P2pkh([u8; 20]),
    /// Pay to the hash of a script.
    P2sh([u8; 20]),
    /// A witness program of any version.
    Witness {
        /// Version in the text, 0 to 16; payments ignore it.
        version: u8,
        /// Bytes of the program, the first `length` of them.
        program: [u8; 40],
        /// 2 to 40.
        length: usize,
    },
}

/// Longest text that Base58Check of 25 bytes can take.
const BASE58_LENGTH_MAX: usize = 35;
/// Longest Bech32 text.
const BECH32_LENGTH_MAX: usize = 90;

/// Decodes an address text.
///
/// # Errors
/// Texts that the network refuses; see [`AddressError`].
pub fn decode(text: &[u8], params: &AddressParams) -> Result<Decoded, AddressError> {
    let text = core::str::from_utf8(text).map_err(|_| AddressError::Invalid)?;
    if let Some((version, hash)) = decode_base58(text) {
        return if version == params.p2pkh {
            Ok(Decoded::P2pkh(hash))
        } else if version == params.p2sh {
            Ok(Decoded::P2sh(hash))
        } else {
            Err(AddressError::OtherNetwork)
        };
    }
    decode_bech32(text, &params.hrp).ok_or(AddressError::Invalid)
}

fn decode_base58(text: &str) -> Option<(u8, [u8; 20])> {
    if text.len() > BASE58_LENGTH_MAX {
        return None;
    }
    let data: [u8; 25] = base58::decode(text).ok()?.try_into().ok()?;
    let (payload, checksum) = data.split_last_chunk::<4>()?;
    if sha256d(payload).first_chunk() != Some(checksum) {
        return None;
    }
    let (version, hash) = payload.split_first()?;
    Some((*version, hash.try_into().ok()?))
}

fn decode_bech32(text: &str, hrp: &str) -> Option<Decoded> {
    if text.len() > BECH32_LENGTH_MAX {
        return None;
    }
    let unchecked = UncheckedHrpstring::new(text).ok()?;
    unchecked.validate_checksum::<Bech32>().ok()?;
    let checked = unchecked.remove_checksum::<Bech32>();
    if !checked.hrp().as_str().eq_ignore_ascii_case(hrp) {
        return None;
    }
    let mut groups = checked
        .data_part_ascii_no_checksum()
        .iter()
        .map(|byte| Fe32::from_char(char::from(*byte)).map(Fe32::to_u8));
    let version = groups.next()?.ok()?;
    if version > 16 {
        return None;
    }
    let (program, length) = regroup(groups)?;
    let fits = length >= 2 && (version != 0 || length == 20 || length == 32);
    fits.then_some(Decoded::Witness { version, program, length })
}

/// Groups of five bits as bytes, at most 40, and how many; `None` if more than padding is left.
fn regroup<E>(groups: impl Iterator<Item = Result<u8, E>>) -> Option<([u8; 40], usize)> {
    let mut program = [0; 40];
    let mut room = program.iter_mut();
    // Bits read and not yet written, at most 12, and how many.
    let (mut bits, mut count) = (0_u32, 0_u32);
    for group in groups {
        bits = (bits << 5 | u32::from(group.ok()?)) & 0xfff;
        count = count.wrapping_add(5);
        if let Some(rest) = count.checked_sub(8) {
            *room.next()? = u8::try_from(bits.wrapping_shr(rest) & 0xff).ok()?;
            count = rest;
        }
    }
    let is_padding = count < 5 && bits.trailing_zeros() >= count;
    let unused = room.len();
    is_padding.then_some((program, program.len().saturating_sub(unused)))
}

/// The output script that pays `decoded`.
///
/// `pads` is whether the paying share's type pads witness programs.
///
/// # Errors
/// [`AddressError::UnpayableProgram`].
pub fn script(decoded: &Decoded, pads: bool) -> Result<Vec<u8>, AddressError> {
    match decoded {
        Decoded::P2pkh(hash) => Ok([&[0x76, 0xa9, 0x14], hash.as_slice(), &[0x88, 0xac]].concat()),
        Decoded::P2sh(hash) => Ok([&[0xa9, 0x14], hash.as_slice(), &[0x87]].concat()),
        Decoded::Witness { program, length, .. } => {
            let program = convert_program(first_bytes(program, *length), pads)?;
            let length = u8::try_from(program.len()).map_err(|_| AddressError::UnpayableProgram)?;
            Ok([&[0x00, length], program.as_slice()].concat())
        }
    }
}

fn first_bytes(program: &[u8; 40], length: usize) -> &[u8] {
    program.get(..length).unwrap_or(program)
}

/// Sends a program through its number, as hexadecimal digits. Source: encoding.md section 9.4.
fn convert_program(program: &[u8], pads: bool) -> Result<Vec<u8>, AddressError> {
    let zeros = program.iter().take_while(|byte| **byte == 0).count();
    let significant = program.get(zeros..).unwrap_or_default();
    let digits = match significant.first() {
        None => 1,
        Some(first) => {
            significant.len().saturating_mul(2).saturating_sub(usize::from(*first < 0x10))
        }
    };
    let digits = if pads { digits.max(40) } else { digits };
    if digits % 2 == 1 {
        return Err(AddressError::UnpayableProgram);
    }
    let mut out = vec![0; (digits / 2).saturating_sub(significant.len())];
    out.extend_from_slice(significant);
    Ok(out)
}

/// The address text that shares would use to pay `script`, for display; `None` if no text of this
/// network pays exactly that in shares that pad witness programs or not.
///
/// Payments to a bare public key are shown as the address of its hash, as the donation is.
pub fn of_script(script: &[u8], pads: bool, params: &AddressParams) -> Option<String> {
    match script {
        [0x41, key @ .., 0xac] if key.len() == 65 => Some(of_public_key(key, params)),
        [0x21, key @ .., 0xac] if key.len() == 33 => Some(of_public_key(key, params)),
        [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] if hash.len() == 20 => {
            Some(base58_text(params.p2pkh, hash))
        }
        [0xa9, 0x14, hash @ .., 0x87] if hash.len() == 20 => Some(base58_text(params.p2sh, hash)),
        [0x00, length, program @ ..] if usize::from(*length) == program.len() => {
            let hrp = Hrp::parse(&params.hrp).ok()?;
            let text = segwit::encode_v0(hrp, program).ok()?;
            let pays_it =
                convert_program(program, pads).is_ok_and(|converted| converted == program);
            pays_it.then_some(text)
        }
        _ => None,
    }
}

fn of_public_key(key: &[u8], params: &AddressParams) -> String {
    p2pkh_text(&hash160::Hash::hash(key).to_byte_array(), params)
}

fn base58_text(version: u8, hash: &[u8]) -> String {
    base58::encode_check(&[&[version], hash].concat())
}

/// Whether the script really can be spent by the address's owner; stricter than the chain.
///
/// True for P2PKH, P2SH, P2WPKH, and P2WSH without leading zero byte.
pub fn pays_its_owner(decoded: &Decoded, pads: bool) -> bool {
    match decoded {
        Decoded::P2pkh(_) | Decoded::P2sh(_) => true,
        Decoded::Witness { version, program, length } => {
            *version == 0
                && convert_program(first_bytes(program, *length), pads)
                    .is_ok_and(|converted| converted == first_bytes(program, *length))
        }
    }
}

/// The P2PKH address text of a public key's hash, the payee key of types below 34.
pub fn p2pkh_text(hash: &[u8; 20], params: &AddressParams) -> String {
    base58_text(params.p2pkh, hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;

    fn pay(text: &str, pads: bool) -> Result<String, AddressError> {
        let decoded = decode(text.as_bytes(), &Params::mainnet().addresses)?;
        Ok(script(&decoded, pads)?.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    #[test]
    fn table_of_the_notes_holds() {
        let same = [
            (
                "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
                "76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac",
            ),
            (
                "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
                "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87",
            ),
            (
                "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
                "0014751e76e8199196d454941c45d1b3a323f1433bd6",
            ),
            ("1111111111111111111114oLvT2", "76a914000000000000000000000000000000000000000088ac"),
        ];
        for (text, script) in same {
            assert_eq!(pay(text, false).as_deref(), Ok(script));
            assert_eq!(pay(text, true).as_deref(), Ok(script));
        }
        let short = "bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3e5rns0";
        assert_eq!(pay(short, false).as_deref(), Ok("001311111111111111111111111111111111111111"));
        assert_eq!(pay(short, true).as_deref(), Ok("00140011111111111111111111111111111111111111"));
        let odd_long = "bc1qqyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsaejx5k";
        assert_eq!(pay(odd_long, true), Err(AddressError::UnpayableProgram));
        let sixteen = "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj";
        assert_eq!(
            pay(sixteen, true).as_deref(),
            Ok("001400000000751e76e8199196d454941c45d1b3a323")
        );
        for refused in [
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
            "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
            "",
            "garbage",
        ] {
            assert!(pay(refused, true).is_err(), "{refused}");
        }
    }

    #[test]
    fn endless_texts_are_refused_unread() {
        let params = Params::mainnet().addresses;
        for letter in ["1", "z", "q", "bc1", "\u{e9}"] {
            let text = letter.repeat(100_000);
            assert_eq!(decode(text.as_bytes(), &params), Err(AddressError::Invalid), "{letter}");
        }
    }

    #[test]
    fn only_plain_kinds_pay_their_owner() {
        let params = Params::mainnet().addresses;
        let spendable =
            |text: &str| pays_its_owner(&decode(text.as_bytes(), &params).unwrap(), true);
        assert!(spendable("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
        assert!(spendable("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"));
        // Taproot key behind an old checksum; long program with a leading zero byte.
        assert!(!spendable("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqr9a0ap"));
        assert!(!spendable("bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsmlzswf"));
    }
}

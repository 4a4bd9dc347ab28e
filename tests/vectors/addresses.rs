//! Address texts to scripts and back, accepted and refused as the network does.

use std::path::Path;

use p2pool_sharechain::address::{self, AddressError, Decoded};
use p2pool_sharechain::params::AddressParams;
use p2pool_sharechain::{Attempts, Params};
use serde_json::Value;

use crate::cases::{Cases, same, same_bytes};
use crate::networks;
use crate::read::Read;

/// The reference's own regtest network: it lacks two constants, so that it refuses nearly every
/// address by accident. Nobody can run it; ours is the patched one.
const BROKEN_NETWORK: &str = "btcregtest";

/// Checks `addresses`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    let donations = doc.at("donation_address")?.as_object().ok_or("not an object")?;
    for name in donations.keys() {
        cases.run(&format!("donation address of {name}"), || donation(name, doc));
    }
    for case in doc.list("address_to_script")? {
        let text = case.text("address")?;
        for (label, result) in case.at("results")?.as_object().ok_or("not an object")? {
            let (network, flag) = label.split_once(' ').unwrap_or((label, ""));
            if network != BROKEN_NETWORK {
                let params = networks::named(network)?;
                cases.run(&format!("{text} on {label}"), || to_script(text, result, flag, &params));
            }
        }
    }
    for case in doc.list("script_to_address")? {
        let network = case.text("network")?;
        if network != BROKEN_NETWORK {
            let params = networks::named(network)?;
            cases.run(&format!("address of {case}"), || of_script(case, &params.addresses));
        }
    }
    Ok(())
}

fn donation(name: &str, doc: &Value) -> Result<(), String> {
    let params = networks::named(name)?;
    let expected = doc.at("donation_address")?.text(name)?;
    same_bytes("donation key", expected.as_bytes(), params.donation_key())?;
    let script = p2pool_sharechain::params::DONATION_SCRIPT;
    let shown = address::of_script(&script, true, &params.addresses);
    same("address of the donation script", &Some(expected.to_owned()), &shown)
}

/// `flag` names the only padding rule that the result holds for, if it holds for one only.
fn to_script(text: &str, result: &Value, flag: &str, params: &Params) -> Result<(), String> {
    let decoded = address::decode(text.as_bytes(), &params.addresses);
    match result.maybe("to_pubkey_hash_error") {
        Some(_) => {
            return match decoded {
                Err(AddressError::Invalid | AddressError::OtherNetwork) => Ok(()),
                decoded => Err(format!("expected a refusal, got {decoded:?}")),
            };
        }
        None => decoded_fields(result, &decoded.map_err(|e| e.to_string())?, params)?,
    }
    let decoded = decoded.map_err(|e| e.to_string())?;
    let flags: &[bool] = match flag {
        "" => &[false, true],
        "padding_bugfix=false" => &[false],
        "padding_bugfix=true" => &[true],
        _ => return Err(format!("{flag} is not a known flag")),
    };
    for pads in flags {
        let script = address::script(&decoded, *pads);
        if result.maybe("script_error").is_some() {
            same("script", &Err(AddressError::UnpayableProgram), &script)?;
        } else {
            same("script", &Ok(result.bytes("script")?), &script)?;
        }
    }
    Ok(())
}

/// The three values that the reference makes of an address.
fn decoded_fields(result: &Value, decoded: &Decoded, params: &Params) -> Result<(), String> {
    let expected = Attempts::from_str_radix(result.text("pubkey_hash")?, 16);
    let expected = expected.map_err(|e| e.to_string())?;
    let version = |key: &str| result.at(key)?.as_i64().ok_or(format!("{key} is not a number"));
    let (number, base58, bech32) = match decoded {
        Decoded::P2pkh(hash) => {
            (Attempts::from_le_slice(hash), i64::from(params.addresses.p2pkh), -1)
        }
        Decoded::P2sh(hash) => {
            (Attempts::from_le_slice(hash), i64::from(params.addresses.p2sh), -1)
        }
        Decoded::Witness { version, program, length } => {
            (Attempts::from_be_slice(&program[..*length]), -1, i64::from(*version))
        }
    };
    same("version", &version("version")?, &base58)?;
    same("witness version", &version("bech32_version")?, &bech32)?;
    same("number", &expected, &number)
}

/// The reference is told which kind of address to try; ours tries all.
fn of_script(case: &Value, params: &AddressParams) -> Result<(), String> {
    let script = case.bytes("script")?;
    let kind = (case.at("address_version")?.as_i64(), case.at("bech32_version")?.as_i64());
    let shown = address::of_script(&script, case.truth("padding_bugfix")?, params);
    let is_of_kind = |text: &String| match address::decode(text.as_bytes(), params) {
        // Bare public keys are shown as addresses whatever is asked for.
        Ok(Decoded::P2pkh(_)) if script.last() == Some(&0xac) && script[0] != 0x76 => true,
        Ok(Decoded::P2pkh(_)) => kind == (Some(i64::from(params.p2pkh)), Some(-1)),
        Ok(Decoded::P2sh(_)) => kind == (Some(i64::from(params.p2sh)), Some(-1)),
        Ok(Decoded::Witness { .. }) => kind == (Some(-1), Some(0)),
        Err(_) => false,
    };
    let expected = case.maybe("address").and_then(Value::as_str).map(str::to_owned);
    same("address", &expected, &shown.filter(is_of_kind))
}

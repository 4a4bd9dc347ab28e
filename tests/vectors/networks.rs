//! Constants of the public networks, and the subsidy of a block.

use std::path::Path;

use bitcoin::Weight;
use p2pool_sharechain::Params;
use p2pool_sharechain::params::{AddressParams, DONATION_SCRIPT};
use serde_json::Value;

use crate::cases::{Cases, same, same_bytes};
use crate::read::{Read, text, whole};

/// Stands for a constant that the reference lacks.
const UNDEFINED: &str = "(not defined)";

/// The constants of a network by the reference's name.
pub(crate) fn named(name: &str) -> Result<Params, String> {
    match name {
        "bitcoin" => Ok(Params::mainnet()),
        "bitcoin_testnet" => Ok(Params::testnet()),
        "btcregtest" | "btcregtest+patched" => Ok(Params::regtest()),
        _ => Err(format!("{name} is not a known network")),
    }
}

/// The constants that a file with shares was made with.
pub(crate) fn of_file(doc: &Value) -> Result<Params, String> {
    of_network(doc.at("network")?)
}

/// The constants that a file's `network` names.
pub(crate) fn of_network(network: &Value) -> Result<Params, String> {
    let parent = network.at("PARENT")?;
    Ok(Params {
        identifier: eight(network, "IDENTIFIER")?,
        prefix: eight(network, "PREFIX")?,
        share_period: network.whole_32("SHARE_PERIOD")?,
        chain_length: network.whole_32("CHAIN_LENGTH")?,
        real_chain_length: network.whole_32("REAL_CHAIN_LENGTH")?,
        target_lookbehind: network.whole_32("TARGET_LOOKBEHIND")?,
        spread: network.whole_32("SPREAD")?,
        min_target: network.target("MIN_TARGET")?,
        max_target: network.target("MAX_TARGET")?,
        segwit_activation: network.whole("SEGWIT_ACTIVATION_VERSION")?,
        addresses: AddressParams {
            p2pkh: byte(parent, "ADDRESS_VERSION")?,
            p2sh: byte(parent, "ADDRESS_P2SH_VERSION")?,
            hrp: parent.text("HUMAN_READABLE_PART")?.to_owned(),
        },
        block_period: parent.whole_32("BLOCK_PERIOD")?,
        ..named(network.text("name")?)?
    })
}

fn eight(network: &Value, key: &str) -> Result<[u8; 8], String> {
    network.bytes(key)?.try_into().map_err(|_| format!("{key} is not eight bytes long"))
}

fn byte(network: &Value, key: &str) -> Result<u8, String> {
    u8::try_from(network.whole(key)?).map_err(|e| format!("{key}: {e}"))
}

/// Checks `networks_subsidy`.
pub(crate) fn check(doc: &Value, _: &Path, cases: &mut Cases) -> Result<(), String> {
    let donation = doc.bytes("donation_script")?;
    cases.run("donation script", || same_bytes("script", &donation, &DONATION_SCRIPT));
    for network in doc.list("networks")? {
        let name = network.text("name")?;
        cases.run(name, || constants(network, &named(name)?));
    }
    for case in doc.list("cases")? {
        cases.run(&format!("subsidy {case}"), || {
            let column = |index: usize| case.get(index).unwrap_or(&Value::Null);
            let params = named(text(column(0))?)?;
            // The reference halves one block early: what it takes for this height is the
            // subsidy of the next. Source: protocol notes, pitfalls.md section 4.
            let height = u32::try_from(whole(column(1))? + 1).map_err(|e| e.to_string())?;
            same("subsidy", &whole(column(2))?, &params.subsidy_sats(height))
        });
    }
    Ok(())
}

fn constants(network: &Value, params: &Params) -> Result<(), String> {
    same("name", &network.text("name")?, &params.name.as_str())?;
    for (key, actual) in [
        ("SHARE_PERIOD", u64::from(params.share_period)),
        ("CHAIN_LENGTH", u64::from(params.chain_length)),
        ("REAL_CHAIN_LENGTH", u64::from(params.real_chain_length)),
        ("TARGET_LOOKBEHIND", u64::from(params.target_lookbehind)),
        ("SPREAD", u64::from(params.spread)),
        ("P2P_PORT", u64::from(params.p2p_port)),
        ("WORKER_PORT", u64::from(params.worker_port)),
        ("SEGWIT_ACTIVATION_VERSION", params.segwit_activation),
        ("BLOCK_MAX_WEIGHT", Weight::MAX_BLOCK.to_wu()),
    ] {
        same(key, &network.whole(key)?, &actual)?;
    }
    same("PERSIST", &network.truth("PERSIST")?, &params.needs_peers)?;
    same_bytes("IDENTIFIER", &network.bytes("IDENTIFIER")?, &params.identifier)?;
    same_bytes("PREFIX", &network.bytes("PREFIX")?, &params.prefix)?;
    same("MIN_TARGET", &network.target("MIN_TARGET")?, &params.min_target)?;
    same("MAX_TARGET", &network.target("MAX_TARGET")?, &params.max_target)?;
    bitcoin_constants(network.at("PARENT")?, params)
}

fn bitcoin_constants(parent: &Value, params: &Params) -> Result<(), String> {
    same("ADDRESS_VERSION", &byte(parent, "ADDRESS_VERSION")?, &params.addresses.p2pkh)?;
    // The reference lacks these two for regtest, where ours are those of Bitcoin.
    let is_defined = |key: &str| Ok::<_, String>(parent.at(key)?.as_str() != Some(UNDEFINED));
    if is_defined("ADDRESS_P2SH_VERSION")? {
        same("P2SH", &byte(parent, "ADDRESS_P2SH_VERSION")?, &params.addresses.p2sh)?;
    }
    if is_defined("HUMAN_READABLE_PART")? {
        let expected = parent.text("HUMAN_READABLE_PART")?;
        same("HUMAN_READABLE_PART", &expected, &params.addresses.hrp.as_str())?;
    }
    same("BLOCK_PERIOD", &parent.whole_32("BLOCK_PERIOD")?, &params.block_period)?;
    let magic = params.chain.magic().to_bytes();
    same_bytes("P2P_PREFIX", &parent.bytes("P2P_PREFIX")?, &magic)?;
    let dust = parent.at("DUST_THRESHOLD")?.as_f64();
    let actual = u32::try_from(params.dust_threshold_sats).ok().map(f64::from);
    same("DUST_THRESHOLD", &dust, &actual)?;
    let sane = parent.list("SANE_TARGET_RANGE")?;
    let sane: Vec<_> = sane.iter().map(|end| crate::read::target(text(end)?)).collect();
    same("SANE_TARGET_RANGE", &sane, &vec![Ok(params.sane_targets.0), Ok(params.sane_targets.1)])
}

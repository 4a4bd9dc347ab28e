//! Payout addresses: any text, on every network, compared with what wallets make of it.

use std::str::FromStr;

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, AddressType, Network, ScriptBuf};
use p2pool_sharechain::address::{Decoded, decode, of_script, pays_its_owner, script};
use p2pool_sharechain::params::AddressParams;

/// Decodes a text on all networks.
///
/// # Panics
/// Where what the pool would pay is not what a wallet would, though it claims to pay the owner;
/// or where a plain address that wallets take is refused.
pub fn address_decode(data: &[u8]) {
    for network in [Network::Bitcoin, Network::Testnet, Network::Regtest] {
        let params = AddressParams::of(network);
        let wallets = script_of_wallets(data, network);
        match decode(data, &params) {
            Ok(decoded) => {
                for pads in [false, true] {
                    check_script(&decoded, pads, wallets.as_ref(), &params);
                }
            }
            Err(error) => {
                let is_plain = wallets.is_some_and(|(kind, _)| is_plain(kind));
                assert!(!is_plain, "{network}: refused: {error}");
            }
        }
    }
}

/// What the library that wallets use makes of the text.
fn script_of_wallets(text: &[u8], network: Network) -> Option<(AddressType, ScriptBuf)> {
    let text = std::str::from_utf8(text).ok()?;
    let address = Address::<NetworkUnchecked>::from_str(text).ok()?;
    let address = address.require_network(network).ok()?;
    Some((address.address_type()?, address.script_pubkey()))
}

fn is_plain(kind: AddressType) -> bool {
    matches!(
        kind,
        AddressType::P2pkh | AddressType::P2sh | AddressType::P2wpkh | AddressType::P2wsh
    )
}

fn check_script(
    decoded: &Decoded,
    pads: bool,
    wallets: Option<&(AddressType, ScriptBuf)>,
    params: &AddressParams,
) {
    let paid = script(decoded, pads);
    if !pays_its_owner(decoded, pads) {
        return;
    }
    let paid = paid.expect("who is paid can be paid");
    assert!((22..=42).contains(&paid.len()), "a script of {} bytes", paid.len());
    let (_, expected) = wallets.expect("an address that pays its owner is one for wallets");
    assert_eq!(paid, expected.as_bytes(), "the pool pays what the wallet watches");
    let text = of_script(&paid, pads, params).expect("a plain script has a text");
    let again = decode(text.as_bytes(), params).expect("own texts decode");
    assert_eq!(script(&again, pads).as_ref(), Ok(&paid), "{text}");
}

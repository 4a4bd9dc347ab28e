//! The address step: acceptance 10, 11 and 46.

use p2pool_app::api::{
    AddressFaultKind, AddressOwner, AddressType, AddressVerdict, AppReply, AppRequest,
    SetupRequest, SetupStep, TypedText,
};
use serde_json::json;

use super::Bench;
use super::node::assert_nowhere;
use crate::world::LIVE_ME;

const WIF: &str = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ";

/// Every row of the table of addresses: what is typed, and what it is.
#[rustfmt::skip]
fn vectors() -> Vec<(&'static str, &'static str)> {
    vec![
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "segwit"),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "segwit"),
        ("  bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\r\n", "segwit"),
        ("bc1qw508 d6qejxtdg4y5r3zarv\nary0c5xw7kv8f3t4", "segwit"),
        ("\u{feff}bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\u{200b}", "segwit"),
        ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "segwit"),
        ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=0.1&label=x", "segwit"),
        ("BITCOIN:BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4?AMOUNT=1", "segwit"),
        ("bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3e5rns0", "segwit"),
        ("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", "segwitScript"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "script"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "legacy"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "legacy"),
        ("1111111111111111111114oLvT2", "legacy"),
        ("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", "taproot"),
        ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "newKind"),
        ("bc1gmk9yu", "newKind"),
        ("bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsmlzswf", "unsafeScript"),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "testNetwork"),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "testNetwork"),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "testNetwork"),
        ("n2eMqTT929pb1RDNuqEnxdaLau1rxy3efi", "testNetwork"),
        ("2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", "testNetwork"),
        ("lnbc20u1pvjluezhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqspp5qqqsyq", "lightning"),
        ("someone@example.com", "lightning"),
        ("sp1qqgste7k9hx0qftg6qmwlkqtwuy6cycyavzmzj85c6qdfhjdpdjtdgqjuexzk6murw56suy3e0rd2cgqvycxttddwsvgxe2usfpxumr70xc9pkqwv", "silentPayment"),
        ("xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8", "extendedKey"),
        ("zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs", "extendedKey"),
        (WIF, "secret"),
        ("KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617", "secret"),
        ("L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ", "secret"),
        ("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about", "secret"),
        ("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art", "secret"),
        ("", "empty"),
        (" \t\r\n\u{200b}", "empty"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3tb", "character"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3ti", "character"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN0", "character"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVNl", "character"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", "mixedCase"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "checksum"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLz", "checksum"),
        ("hello", "notAnAddress"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "notAnAddress"),
    ]
}

/// The name of a verdict's kind, as the window has it.
fn name(verdict: &AddressVerdict) -> String {
    let value = match verdict {
        AddressVerdict::Empty => return "empty".into(),
        AddressVerdict::Good { address_type, .. } => json!(address_type),
        AddressVerdict::Bad { fault, .. } => json!(fault),
    };
    value.as_str().unwrap().to_owned()
}

async fn judge(bench: &Bench, text: &str) -> AddressVerdict {
    let request = SetupRequest::JudgeAddress { text: TypedText::new(text) };
    let reply = bench.world.try_ask(AppRequest::Setup { request }).await.unwrap();
    let AppReply::Address { verdict } = reply else { panic!("a question has an answer") };
    verdict
}

/// Acceptance 10: at least forty texts, and no secret anywhere.
#[tokio::test]
async fn every_row_of_the_address_table_is_judged() {
    let bench = Bench::with(&[]).await;
    assert!(vectors().len() >= 40);
    for (typed, expected) in vectors() {
        assert_eq!(name(&judge(&bench, typed).await), expected, "{typed:?}");
    }
}

/// Acceptance 10, second half.
#[tokio::test]
async fn secret_in_the_address_field_is_kept_nowhere() {
    let (mut bench, _node) = Bench::at_address().await;
    bench.ask(SetupRequest::UseAddress { text: TypedText::new(WIF) }).await;
    let request = SetupRequest::UseAddress { text: TypedText::new(WIF) };
    assert!(!format!("{request:?}").contains(WIF), "what is logged of a request");
    assert!(!serde_json::to_string(&request).unwrap().contains(WIF));
    bench.give_address(LIVE_ME).await;
    bench.until(|view| view.can_go_on).await;
    bench.world.file_with("setup.toml", LIVE_ME).await;
    assert_nowhere(&mut bench, WIF);
}

/// Acceptance 11.
#[tokio::test]
async fn address_has_to_be_compared_before_going_on() {
    let (mut bench, _node) = Bench::at_address().await;
    bench.ask(SetupRequest::UseAddress { text: TypedText::new(LIVE_ME) }).await;
    let is_given = |verdict: &AddressVerdict| {
        matches!(verdict, AddressVerdict::Good { address_type: AddressType::Segwit, .. })
    };
    let view = bench.until(|view| is_given(&view.address.verdict)).await;
    assert!(!view.can_go_on && !view.address.is_checked);
    bench.go_to(SetupStep::Network).await;
    bench.ask(SetupRequest::CheckAddress { is_checked: true }).await;
    let view = bench.until(|view| view.can_go_on).await;
    assert_eq!(view.step, SetupStep::Address);
    // Another address has to be compared anew.
    let other = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";
    bench.ask(SetupRequest::UseAddress { text: TypedText::new(other) }).await;
    let view = bench.until(|view| !view.address.is_checked).await;
    assert!(!view.can_go_on);
}

/// Acceptance 46, live half: practice addresses are refused.
#[tokio::test]
async fn practice_addresses_are_refused_for_real_mining() {
    let bench = Bench::with(&[]).await;
    let verdict = judge(&bench, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx").await;
    let AddressVerdict::Bad { fault, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(fault, AddressFaultKind::TestNetwork);
}

#[tokio::test]
async fn wallet_of_the_node_gives_a_new_address_and_knows_its_own() {
    let (mut bench, node) = Bench::ready().await;
    node.on("listwallets", Ok(json!(["main"])));
    node.on("getnewaddress", Ok(json!(LIVE_ME)));
    node.on("validateaddress", Ok(json!({ "isvalid": true })));
    node.on("getaddressinfo", Ok(json!({ "ismine": true })));
    bench.go_to(SetupStep::Address).await;
    bench.until(|view| view.address.wallets == ["main"]).await;
    bench.ask(SetupRequest::NewAddress).await;
    let owner = AddressOwner::Wallet { name: "main".into() };
    let view = bench.until(|view| view.address.owner == owner).await;
    assert!(matches!(view.address.verdict, AddressVerdict::Good { .. }));
}

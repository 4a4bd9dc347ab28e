use super::*;

const SEGWIT: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const SCRIPT: &str = "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3";

fn on(network: &Params, typed: &str) -> Result<PayableAddress, AddressFault> {
    judge(typed, network, ShareVersion::NEWEST)
}

fn live(typed: &str) -> Result<PayableAddress, AddressFault> {
    on(&Params::mainnet(), typed)
}

fn fault(typed: &str) -> AddressFault {
    live(typed).expect_err(typed)
}

#[test]
fn payable_kinds_are_recognised() {
    for (typed, kind) in [
        (SEGWIT, AddressKind::Segwit),
        (SCRIPT, AddressKind::SegwitScript),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", AddressKind::Script),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", AddressKind::Legacy),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", AddressKind::Legacy),
        ("1111111111111111111114oLvT2", AddressKind::Legacy),
        // A hash that begins with a zero byte: padded by shares in force.
        ("bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3e5rns0", AddressKind::Segwit),
    ] {
        let text = typed.to_owned();
        assert_eq!(live(typed), Ok(PayableAddress { text, kind }), "{typed}");
    }
}

#[test]
fn everything_around_an_address_is_taken_off() {
    for typed in [
        format!("  {SEGWIT}\r\n"),
        format!("\u{feff}{SEGWIT}\u{200b}"),
        "bc1qw508 d6qejxtdg4y5r3zarv\nary0c5xw7kv8f3t4".to_owned(),
        SEGWIT.to_uppercase(),
        format!("bitcoin:{SEGWIT}"),
        format!("bitcoin:{SEGWIT}?amount=0.1&label=x"),
        format!("BITCOIN:{}?AMOUNT=1", SEGWIT.to_uppercase()),
        format!("bitcoin://{SEGWIT}"),
    ] {
        assert_eq!(live(&typed).map(|good| good.text), Ok(SEGWIT.to_owned()), "{typed:?}");
    }
}

#[test]
fn addresses_that_would_be_paid_wrongly_are_refused() {
    assert_eq!(
        fault("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
        AddressFault::Taproot
    );
    // A taproot key behind the old checksum, which shares would take and burn.
    assert_eq!(
        fault("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqr9a0ap"),
        AddressFault::NotAnAddress
    );
    assert_eq!(fault("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"), AddressFault::UnknownWitness);
    assert_eq!(fault("bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj"), AddressFault::UnknownWitness);
    assert_eq!(fault("bc1gmk9yu"), AddressFault::UnknownWitness);
    // A script hash with a leading zero byte would lose it.
    assert_eq!(
        fault("bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsmlzswf"),
        AddressFault::UnsafeScript
    );
}

#[test]
fn older_share_types_pay_less() {
    let by = |typed: &str, version| judge(typed, &Params::mainnet(), version).err();
    let (short, odd) = (
        "bc1qqqg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3e5rns0",
        "bc1qqyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsaejx5k",
    );
    assert_eq!(by(short, ShareVersion::V34), Some(AddressFault::ZeroPrefix));
    assert_eq!(by(odd, ShareVersion::V35), Some(AddressFault::UnsafeScript));
    assert_eq!(by(SEGWIT, ShareVersion::V34), None);
    assert_eq!(by(SEGWIT, ShareVersion::V33), Some(AddressFault::OnlyLegacy));
    let script = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy";
    assert_eq!(by(script, ShareVersion::V33), Some(AddressFault::OnlyLegacy));
    assert_eq!(by("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", ShareVersion::V17), None);
}

#[test]
fn networks_are_told_apart() {
    for typed in [
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
    ] {
        assert_eq!(fault(typed), AddressFault::OtherNetwork { is_test: true }, "{typed}");
        assert!(on(&Params::testnet(), typed).is_ok(), "{typed}");
    }
    for typed in [SEGWIT, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"] {
        let other = AddressFault::OtherNetwork { is_test: false };
        assert_eq!(on(&Params::testnet(), typed), Err(other), "{typed}");
    }
}

#[test]
fn secrets_are_recognised_and_never_repeated() {
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let long = format!("{} art", ["abandon"; 23].join(" "));
    for typed in [
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
        "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
        "L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ",
        "cTpB4YiyKiBcPxnefsDpbnDxFDffjqJob8wGCEDXxgQ7zQoMXJdH",
        // With one character missing.
        "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP9861",
        " 5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ\n",
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
        "0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d",
        words,
        &words.replace(' ', "\n"),
        &long,
    ] {
        let fault = fault(typed);
        assert_eq!(fault, AddressFault::Secret, "{typed}");
        assert_eq!(fault.code(), "A-04");
        assert!(!fault.to_string().contains(typed.trim()));
    }
}

#[test]
fn other_things_are_named() {
    for (typed, expected) in [
        ("", AddressFault::Empty),
        (" \t\r\n\u{200b}", AddressFault::Empty),
        ("bitcoin:", AddressFault::Empty),
        (
            "lnbc20u1pvjluezhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqspp5qqqsyq",
            AddressFault::Lightning,
        ),
        (
            "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS",
            AddressFault::Lightning,
        ),
        ("someone@example.com", AddressFault::Lightning),
        (
            "sp1qqgste7k9hx0qftg6qmwlkqtwuy6cycyavzmzj85c6qdfhjdpdjtdgqjuexzk6murw56suy3e0rd2cgqvycxttddwsvgxe2usfpxumr70xc9pkqwv",
            AddressFault::SilentPayment,
        ),
        (
            "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
            AddressFault::ExtendedKey,
        ),
        (
            "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs",
            AddressFault::ExtendedKey,
        ),
        ("hello", AddressFault::NotAnAddress),
        ("0x52908400098527886E0F7030069857D2E4169EE7", AddressFault::NotAnAddress),
        ("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", AddressFault::NotAnAddress),
        ("bc1", AddressFault::Checksum { index: None }),
    ] {
        assert_eq!(fault(typed), expected, "{typed:?}");
    }
    assert_eq!(fault(&"q".repeat(100_000)), AddressFault::NotAnAddress);
    assert_eq!(fault(&format!("bc1{}", "q".repeat(4_000))), AddressFault::Checksum { index: None });
}

#[test]
fn typing_errors_point_to_their_place() {
    for (typed, index, found) in [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t1", 41, '1'),
        ("bc1bw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 3, 'b'),
        ("bc1qi508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 4, 'i'),
        ("bc1qwo08d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 5, 'o'),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVO2", 32, 'O'),
        ("10vBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", 1, '0'),
        ("1IvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", 1, 'I'),
        ("1lvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", 1, 'l'),
    ] {
        assert_eq!(fault(typed), AddressFault::Character { index, found }, "{typed}");
    }
    let mixed = "bc1qw508d6qejxtdg4y5r3zarvarY0c5xw7kv8f3t4";
    assert_eq!(fault(mixed), AddressFault::MixedCase { index: 28 });
    // Every single exchanged letter is found where it is.
    for index in 3..SEGWIT.len() {
        let old = SEGWIT.as_bytes()[index];
        let new = if old == b'z' { "r" } else { "z" };
        let mut typed = SEGWIT.to_owned();
        typed.replace_range(index..=index, new);
        assert_eq!(fault(&typed), AddressFault::Checksum { index: Some(index) }, "{typed}");
    }
    let swapped = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8ft34";
    assert!(matches!(fault(swapped), AddressFault::Checksum { .. }));
    assert_eq!(fault("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"), AddressFault::Checksum { index: None });
}

#[test]
fn what_is_good_here_is_paid_to_its_owner_by_the_chain() {
    let params = Params::mainnet();
    for typed in [SEGWIT, SCRIPT, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"] {
        let good = live(typed).unwrap();
        let decoded = address::decode(good.text.as_bytes(), &params.addresses).unwrap();
        let script = address::script(&decoded, true).unwrap();
        let true_script = typed
            .parse::<bitcoin::Address<bitcoin::address::NetworkUnchecked>>()
            .unwrap()
            .assume_checked()
            .script_pubkey();
        assert_eq!(script, true_script.into_bytes());
    }
}

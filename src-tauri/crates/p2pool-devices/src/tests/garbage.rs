//! Devices may say anything: no parser and no planner panics, and nothing grows.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::clock::wishes;
use crate::cgminer::{bracketed, identify, parse_reply};
use crate::fingerprint::{HttpAnswer, recognise, title};
use crate::info::{Info, model_in_asic};
use crate::script::{Document, Reading};
use crate::{
    AddressRange, Backup, DEVICE_TEXT_CHARS_MAX, DeviceAddress, DeviceText, FirmwareVersion,
    Health, Mac, OneTimeCode, Pools, Reach, Secrets, Wishes, plan_change,
};

const INFO_KEYS: [&str; 30] = [
    "ASICModel",
    "deviceModel",
    "minerModel",
    "boardVersion",
    "version",
    "hostname",
    "macAddr",
    "hashRate",
    "temp",
    "power",
    "wifiRSSI",
    "bestDiff",
    "sharesRejectedReasons",
    "stratumURL",
    "stratumPort",
    "stratumUser",
    "fallbackStratumURL",
    "fallbackStratumPort",
    "fallbackStratumUser",
    "useFallbackStratum",
    "pools",
    "primaryPoolIndex",
    "secondaryPoolIndex",
    "coinbaseVerifyMode",
    "coinbaseVerifyForce",
    "poolMode",
    "otp",
    "stratum",
    "coinbaseValueTotalSatoshis",
    "coinbaseValueUserSatoshis",
];

fn address() -> DeviceAddress {
    DeviceAddress::new([192, 168, 1, 57].into(), Reach::Private).unwrap()
}

/// Values that a device might give: sensible ones often enough to get deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u8..10).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![
            Just("v2.14.0"),
            Just("2.15.0"),
            Just("NerdQAxe"),
            Just("1.23M"),
            Just("E0:E1:A9:0C:04:05")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 9, |inner| {
        let slot = (0_u64..9, inner.clone(), inner.clone()).prop_map(|(id, url, port)| {
            json!({"id": id, "stratumURL": url, "stratumPort": port, "stratumUser": "u"})
        });
        let key = proptest::sample::select(INFO_KEYS.to_vec());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(slot, 0..9).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4).prop_map(|pairs| {
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

fn info() -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(INFO_KEYS.to_vec());
    proptest::collection::vec((key, value()), 0..30).prop_map(|pairs| {
        let mut map: Map<String, Value> =
            pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        map.insert("ASICModel".into(), "BM1370".into());
        Value::Object(map)
    })
}

fn look_through(info: Info) {
    let _ = Health::of_info(&info);
    let identity = info.identity(address());
    assert!(identity.model.as_str().chars().count() <= DEVICE_TEXT_CHARS_MAX);
    let reading = Reading { identity, document: Document::Info(info) };
    for tries_other_way in [false, true] {
        let wishes = Wishes { tries_other_way, ..wishes() };
        if let Ok(plan) = plan_change(&reading, &wishes) {
            let wires = plan.script.writes.iter().map(|write| write.wire(&Secrets::default()));
            let sent = format!("{:?}", wires.collect::<Vec<_>>());
            assert!(!sent.contains("wifiPass") && !sent.contains("ssid"), "{sent}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_document_of_known_keys_is_survived(info in info()) {
        look_through(Info::parse(info.to_string().as_bytes()).unwrap());
    }

    #[test]
    fn any_pool_list_is_survived(list in proptest::collection::vec(value(), 0..6), urls in
        proptest::collection::vec((0_u16..4, any::<String>(), any::<String>()), 0..4))
    {
        let mut entries = list;
        entries.extend(urls.into_iter().map(|(pool, url, user)| {
            json!({"POOL": pool, "URL": url, "User": user})
        }));
        for version in [json!({"CGMiner": "4"}), json!({"PROD": "Avalon Nano3s"})] {
            let reply = json!({"STATUS": [{"STATUS": "S"}], "POOLS": entries, "VERSION": [version],
                "SUMMARY": [{"MHS av": 1}], "STATS": entries});
            let bytes = reply.to_string().into_bytes();
            let _ = Health::of_replies(&bytes, &bytes, Some(&bytes));
            let pools = Pools::parse(&bytes).unwrap();
            let identity = identify(&parse_reply(&bytes).unwrap(), address()).unwrap();
            let reading = Reading { identity, document: Document::Pools(pools) };
            let _ = plan_change(&reading, &wishes());
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(info) = Info::parse(&bytes) {
            look_through(info);
        }
        let _ = (Pools::parse(&bytes), parse_reply(&bytes), model_in_asic(&bytes), title(&bytes));
        let _ = Backup::from_bytes(&bytes);
        for status in [200, 401] {
            let authenticate = String::from_utf8_lossy(&bytes).into_owned();
            let answer = HttpAnswer { status, authenticate, body: bytes.clone() };
            let _ = (recognise(&answer, address()), answer.body(&Secrets::default()));
        }
    }

    #[test]
    fn any_text_is_survived(text in any::<String>(), part in "[<>/a-zT\\[\\]Ié ]{0,40}") {
        let shown = DeviceText::clean(&text);
        prop_assert!(shown.as_str().chars().count() <= DEVICE_TEXT_CHARS_MAX);
        prop_assert_eq!(&DeviceText::clean(shown.as_str()), &shown);
        let _ = (text.parse::<Mac>(), FirmwareVersion::parse(&text), OneTimeCode::parse(&text));
        let _ = AddressRange::parse(&text, Reach::Private);
        let _ = (bracketed(&text, "TAvg"), bracketed(&part, "a"));
        let _ = title(format!("<title>{part}").as_bytes());
    }

    #[test]
    fn any_range_stays_small_and_private(a in any::<u32>(), b in any::<u32>(), prefix in 0_u8..40) {
        let (a, b) = (std::net::Ipv4Addr::from(a), std::net::Ipv4Addr::from(b));
        let texts = [format!("{a}-{b}"), format!("{a}/{prefix}"), format!("10.0.{prefix}.0/{prefix}")];
        for text in texts {
            if let Ok(range) = AddressRange::parse(&text, Reach::Private) {
                prop_assert!(range.addresses().count() <= 256);
                prop_assert!(range.addresses().all(|ip| ip.is_private()));
            }
        }
    }
}

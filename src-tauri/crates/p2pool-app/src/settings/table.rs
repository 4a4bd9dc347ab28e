//! The plain settings as a table: where each stands in the file, and what it is unless chosen.

use p2pool_node::RawSettings;

use crate::api::{Setting, SettingGroup, SettingKey, SettingValue};

use SettingGroup as Group;
use SettingKey as Key;

/// Every plain setting, in the order of the page.
const KEYS: [SettingKey; 15] = [
    Key::PayUserNames,
    Key::Donation,
    Key::CoinbaseText,
    Key::RpcPublic,
    Key::PoolPort,
    Key::Listen,
    Key::MapPort,
    Key::MaxIncoming,
    Key::MaxOutgoing,
    Key::Members,
    Key::Proxy,
    Key::LowBandwidth,
    Key::Door,
    Key::AllowOutside,
    Key::RecordShares,
];

/// The value has another kind than the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongKind;

/// Every plain setting as it is.
pub(crate) fn all(raw: &RawSettings) -> Vec<Setting> {
    let usual = RawSettings::default();
    let setting = |key| Setting {
        key,
        group: group(key),
        value: read(raw, key),
        usual: read(&usual, key),
        range: range(key),
    };
    KEYS.map(setting).to_vec()
}

/// Leaves a group to the application.
pub(crate) fn restore(raw: &mut RawSettings, which: SettingGroup) {
    let usual = RawSettings::default();
    // Twice: what is usual may depend on another setting of the group.
    for key in KEYS.into_iter().chain(KEYS).filter(|key| group(*key) == which) {
        put(raw, key, read(&usual, key)).expect("a setting has its own kind");
    }
    if which == Group::Mining {
        raw.run.door.share_factor = None;
        raw.run.door.share_worth_sats = None;
    }
}

fn group(key: SettingKey) -> SettingGroup {
    match key {
        Key::PayUserNames | Key::Donation | Key::CoinbaseText => Group::Mining,
        Key::RpcPublic => Group::Node,
        Key::PoolPort
        | Key::Listen
        | Key::MapPort
        | Key::MaxIncoming
        | Key::MaxOutgoing
        | Key::Members
        | Key::Proxy
        | Key::LowBandwidth => Group::Network,
        Key::Door | Key::AllowOutside => Group::Door,
        Key::RecordShares => Group::Data,
    }
}

fn range(key: SettingKey) -> Option<(u32, u32)> {
    match key {
        Key::Donation => Some((0, 5)),
        Key::PoolPort => Some((1, u32::from(u16::MAX))),
        Key::MaxIncoming => Some((0, 1_000)),
        Key::MaxOutgoing => Some((0, 10)),
        Key::PayUserNames
        | Key::CoinbaseText
        | Key::RpcPublic
        | Key::Listen
        | Key::MapPort
        | Key::Members
        | Key::Proxy
        | Key::LowBandwidth
        | Key::Door
        | Key::AllowOutside
        | Key::RecordShares => None,
    }
}

fn read(raw: &RawSettings, key: SettingKey) -> SettingValue {
    let (run, p2p) = (&raw.run, &raw.p2p);
    let switch =
        |is_on: Option<bool>, usual| SettingValue::Switch { is_on: is_on.unwrap_or(usual) };
    let number = |number| SettingValue::Number { number };
    let text =
        |text: &Option<String>| SettingValue::Text { text: text.clone().unwrap_or_default() };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let port = run.params(p2p).map_or(9333, |params| params.p2p_port);
    match key {
        Key::PayUserNames => switch(run.door.pay_user_names, false),
        Key::Donation => number(run.donation.unwrap_or(0).into()),
        Key::CoinbaseText => text(&run.coinbase_text),
        Key::RpcPublic => switch(run.rpc_public, false),
        Key::PoolPort => number(p2p.port.unwrap_or(port).into()),
        Key::Listen => switch(p2p.listen, p2p.proxy.is_none()),
        Key::MapPort => switch(p2p.map_port, false),
        Key::MaxIncoming => number(p2p.max_incoming.map_or(40, count)),
        Key::MaxOutgoing => {
            let usual = if p2p.low_bandwidth == Some(true) { 3 } else { 6 };
            number(p2p.max_peers.map_or(usual, count))
        }
        Key::Members => SettingValue::Lines { lines: p2p.peers.clone() },
        Key::Proxy => text(&p2p.proxy),
        Key::LowBandwidth => switch(p2p.low_bandwidth, false),
        Key::Door => text(&run.stratum),
        Key::AllowOutside => switch(run.door.allow_outside, false),
        Key::RecordShares => switch(run.record_shares, false),
    }
}

/// Changes a setting. A value that is the usual one is left out of the file.
///
/// # Errors
/// A value of another kind, or a number that no such setting can have.
pub(crate) fn put(
    raw: &mut RawSettings,
    key: SettingKey,
    value: SettingValue,
) -> Result<(), WrongKind> {
    let is_usual = read(&RawSettings::default(), key) == value;
    let (run, p2p) = (&mut raw.run, &mut raw.p2p);
    match (key, value) {
        (Key::PayUserNames, SettingValue::Switch { is_on }) => {
            run.door.pay_user_names = Some(is_on).filter(|_| !is_usual);
        }
        (Key::AllowOutside, SettingValue::Switch { is_on }) => {
            run.door.allow_outside = Some(is_on).filter(|_| !is_usual);
        }
        (Key::RpcPublic, SettingValue::Switch { is_on }) => {
            run.rpc_public = Some(is_on).filter(|_| !is_usual);
        }
        (Key::RecordShares, SettingValue::Switch { is_on }) => {
            run.record_shares = Some(is_on).filter(|_| !is_usual);
        }
        // Behind a proxy the usual value is another one.
        (Key::Listen, SettingValue::Switch { is_on }) => {
            p2p.listen = Some(is_on).filter(|_| !is_usual || p2p.proxy.is_some());
        }
        (Key::MapPort, SettingValue::Switch { is_on }) => {
            p2p.map_port = Some(is_on).filter(|_| !is_usual);
        }
        (Key::LowBandwidth, SettingValue::Switch { is_on }) => {
            p2p.low_bandwidth = Some(is_on).filter(|_| !is_usual);
        }
        (Key::Donation, SettingValue::Number { number }) => {
            run.donation = small(number)?.filter(|_| !is_usual);
        }
        (Key::PoolPort, SettingValue::Number { number }) => {
            p2p.port = small(number)?.filter(|_| !is_usual);
        }
        (Key::MaxIncoming, SettingValue::Number { number }) => {
            p2p.max_incoming = small(number)?.filter(|_| !is_usual);
        }
        // On a thrifty line the usual number is another one.
        (Key::MaxOutgoing, SettingValue::Number { number }) => {
            let is_thrifty = p2p.low_bandwidth == Some(true);
            p2p.max_peers = small(number)?.filter(|_| !is_usual || is_thrifty);
        }
        (Key::CoinbaseText, SettingValue::Text { text }) => run.coinbase_text = filled(&text),
        (Key::Proxy, SettingValue::Text { text }) => p2p.proxy = filled(&text),
        (Key::Door, SettingValue::Text { text }) => run.stratum = filled(&text),
        (Key::Members, SettingValue::Lines { lines }) => {
            p2p.peers = lines.into_iter().filter_map(|line| filled(&line)).collect();
        }
        _ => return Err(WrongKind),
    }
    Ok(())
}

fn small<T: TryFrom<u32>>(number: u32) -> Result<Option<T>, WrongKind> {
    T::try_from(number).map(Some).map_err(|_| WrongKind)
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_back_and_the_usual_is_left_out() {
        let usual = all(&RawSettings::default());
        for setting in &usual {
            let other = match &setting.value {
                SettingValue::Switch { is_on } => SettingValue::Switch { is_on: !is_on },
                SettingValue::Number { number } => SettingValue::Number { number: number + 1 },
                SettingValue::Text { .. } => SettingValue::Text { text: "x:1".into() },
                SettingValue::Lines { .. } => SettingValue::Lines { lines: vec!["a".into()] },
            };
            let mut raw = RawSettings::default();
            put(&mut raw, setting.key, other.clone()).unwrap();
            assert_ne!(raw, RawSettings::default(), "{:?}", setting.key);
            assert_eq!(read(&raw, setting.key), other);
            restore(&mut raw, setting.group);
            assert_eq!(raw, RawSettings::default(), "{:?}", setting.key);
        }
    }

    #[test]
    fn values_of_another_kind_change_nothing() {
        let mut raw = RawSettings::default();
        let text = || SettingValue::Text { text: "5".into() };
        assert_eq!(put(&mut raw, Key::Donation, text()), Err(WrongKind));
        let number = SettingValue::Number { number: 70_000 };
        assert_eq!(put(&mut raw, Key::PoolPort, number), Err(WrongKind));
        assert_eq!(raw, RawSettings::default());
    }
}

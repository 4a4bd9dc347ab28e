//! User names for devices: the payout address and a short name.

use std::collections::BTreeSet;

use p2pool_devices::{Identity, USER_CHARS_MAX};

/// Longest name behind an address.
const NAME_CHARS_MAX: usize = 20;

/// The user name for a device, unlike those that are taken.
pub(super) fn user_name(payout: &str, identity: &Identity, taken: &BTreeSet<String>) -> String {
    let room = USER_CHARS_MAX.saturating_sub(payout.len() + 1).min(NAME_CHARS_MAX);
    let said = [identity.name.as_str(), identity.model.as_str(), "miner"];
    let base = said.iter().map(|text| plain(text)).find(|text| !text.is_empty());
    let base = base.unwrap_or_default();
    let number = |number: u32| {
        let suffix = if number == 0 { String::new() } else { number.to_string() };
        let kept: String = base.chars().take(room.saturating_sub(suffix.len())).collect();
        format!("{payout}.{kept}{suffix}")
    };
    (0..).map(number).find(|user| !taken.contains(user)).unwrap_or_default()
}

/// The same name behind another address.
pub(super) fn moved(user: &str, payout: &str) -> Option<String> {
    let (_, name) = user.split_once('.')?;
    Some(format!("{payout}.{name}")).filter(|user| user.len() <= USER_CHARS_MAX)
}

/// What of a name every device keeps: lower-case letters, digits and hyphens.
fn plain(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    text.replace([' ', '_'], "-").chars().filter(is_plain).collect()
}

#[cfg(test)]
mod tests {
    use p2pool_devices::{DeviceAddress, DeviceId, DeviceText, Family, Reach};

    use super::*;

    const PAYOUT: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

    fn device(name: &str) -> Identity {
        let address = DeviceAddress::new([192, 168, 1, 57].into(), Reach::Private).unwrap();
        Identity {
            id: DeviceId::Address(address),
            address,
            family: Family::Bitaxe,
            model: DeviceText::clean("Bitaxe 601"),
            name: DeviceText::clean(name),
            firmware: DeviceText::default(),
        }
    }

    #[test]
    fn devices_of_one_name_are_numbered() {
        let mut taken = BTreeSet::new();
        let mut names = Vec::new();
        for _ in 0..3 {
            let user = user_name(PAYOUT, &device("bitaxe"), &taken);
            names.push(user.strip_prefix(PAYOUT).unwrap().to_owned());
            taken.insert(user);
        }
        assert_eq!(names, [".bitaxe", ".bitaxe1", ".bitaxe2"]);
    }

    #[test]
    fn names_are_cut_and_cleaned_so_that_every_device_keeps_them() {
        for name in ["Küche, 1|2", &"x".repeat(300), "", "..."] {
            let user = user_name(PAYOUT, &device(name), &BTreeSet::new());
            assert!(user.len() <= USER_CHARS_MAX && user.len() > PAYOUT.len() + 1, "{user}");
            assert!(!user.contains([',', '|', ' ']), "{user}");
        }
    }

    #[test]
    fn name_stays_behind_another_address() {
        assert_eq!(moved("bc1qold.cellar", PAYOUT), Some(format!("{PAYOUT}.cellar")));
        assert_eq!(moved("bc1qold", PAYOUT), None);
    }
}

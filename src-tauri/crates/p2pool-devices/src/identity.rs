//! Who a device is: its kind, its firmware, its hardware address.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::address::DeviceAddress;
use crate::text::DeviceText;

/// A hardware address. Devices are known by it, because routers change IP addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac([u8; 6]);

/// The text is not a hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hardware address")]
pub struct NotAMac;

impl FromStr for Mac {
    type Err = NotAMac;

    /// Takes `AA:BB:CC:DD:EE:FF`, with colons or hyphens and one or two digits each, or twelve
    /// digits in a row. All zeros and all ones are nobody's.
    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let mut bytes = [0_u8; 6];
        if text.len() == 12 {
            for (at, byte) in (0..).step_by(2).zip(&mut bytes) {
                *byte = hex(text.get(at..at + 2).ok_or(NotAMac)?)?;
            }
        } else {
            let mut parts = text.split([':', '-']);
            for byte in &mut bytes {
                *byte = hex(parts.next().ok_or(NotAMac)?)?;
            }
            if parts.next().is_some() {
                return Err(NotAMac);
            }
        }
        if bytes == [0; 6] || bytes == [0xff; 6] { Err(NotAMac) } else { Ok(Self(bytes)) }
    }
}

fn hex(digits: &str) -> Result<u8, NotAMac> {
    let is_hex = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hex {
        return Err(NotAMac);
    }
    u8::from_str_radix(digits, 16).map_err(|_| NotAMac)
}

impl TryFrom<String> for Mac {
    type Error = NotAMac;

    fn try_from(text: String) -> Result<Self, NotAMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a device is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceId {
    /// Its hardware address.
    Mac(Mac),
    /// Its network address, where it does not tell the other.
    Address(DeviceAddress),
}

impl DeviceId {
    /// A name for a folder: lower-case letters, digits, hyphens and dots.
    pub fn folder(self) -> String {
        match self {
            Self::Mac(mac) => mac.to_string().replace(':', "-"),
            Self::Address(address) => format!("at-{address}"),
        }
    }
}

/// A kind of device that speaks one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Family {
    /// Bitaxe with AxeOS.
    Bitaxe,
    /// NerdAxe, NerdQAxe and their relatives.
    NerdAxe,
    /// Another firmware on the base of AxeOS; its ways are not proven.
    AxeOsFork,
    /// Avalon Nano, Mini, Q.
    Avalon,
    /// cgminer or a relative, running on a computer.
    Cgminer,
    /// Antminer with the maker's firmware.
    Antminer,
    /// Braiins OS.
    Braiins,
    /// LuxOS.
    LuxOs,
    /// VNish.
    Vnish,
    /// Whatsminer.
    Whatsminer,
    /// ePIC.
    Epic,
}

/// How far we can go with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// Its pool can be changed by a click.
    OneClick,
    /// Its pool can be changed with its login.
    WithLogin,
    /// Its pool can be changed, and it forgets the change when it stops.
    UntilItStops,
    /// The user changes its pool; we say how.
    Instructions,
}

impl Family {
    /// How far we can go with this family when the firmware is a known one.
    pub fn ability(self) -> Ability {
        match self {
            Self::Bitaxe | Self::NerdAxe => Ability::OneClick,
            Self::Avalon => Ability::WithLogin,
            Self::Cgminer => Ability::UntilItStops,
            Self::AxeOsFork
            | Self::Antminer
            | Self::Braiins
            | Self::LuxOs
            | Self::Vnish
            | Self::Whatsminer
            | Self::Epic => Ability::Instructions,
        }
    }

    /// The interface that this family is read through; nothing if we do not read it.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Bitaxe | Self::NerdAxe | Self::AxeOsFork => Some(Dialect::AxeOs),
            Self::Avalon | Self::Cgminer | Self::Antminer => Some(Dialect::Cgminer),
            Self::Braiins | Self::LuxOs | Self::Vnish | Self::Whatsminer | Self::Epic => None,
        }
    }
}

/// An interface of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// HTTP with JSON.
    AxeOs,
    /// One JSON command on a TCP connection.
    Cgminer,
}

/// The numbers in front of a firmware's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirmwareVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number, 0 where none is given.
    pub patch: u16,
}

impl FirmwareVersion {
    /// A version by its first two numbers.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// Reads `2.15.0`, `v2.4.1-12-gabc`, `2.13.0b2`: a leading `v` and anything after the numbers
    /// are left out.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text.get(..end)?.split('.').filter(|part| !part.is_empty());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let patch = numbers.next().map_or(Ok(0), str::parse).ok()?;
        Some(Self { major, minor, patch })
    }
}

/// Who a device says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What it is known by.
    pub id: DeviceId,
    /// Where it is now.
    pub address: DeviceAddress,
    /// Its kind.
    pub family: Family,
    /// Its model, in its own words.
    pub model: DeviceText,
    /// The name it gives itself on the network; empty if it does not tell.
    pub name: DeviceText,
    /// Its firmware, in its own words; empty if it does not tell.
    pub firmware: DeviceText,
}

impl Identity {
    /// The firmware's numbers, if it begins with such.
    pub fn version(&self) -> Option<FirmwareVersion> {
        FirmwareVersion::parse(self.firmware.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_read_in_all_their_spellings() {
        for text in ["E0:E1:A9:0C:04:05", "e0-e1-a9-0c-04-05", "e0:e1:a9:c:4:5", "e0e1a90c0405"] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "e0:e1:a9:0c:04:05", "{text}");
        }
        for wrong in [
            "",
            "e0:e1:a9:0c:04",
            "e0:e1:a9:0c:04:05:06",
            "e0e1a90c040g",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "+1:e1:a9:0c:04:05",
            "é0e1a90c040",
            "e0:e1:a9:0c:04:005",
        ] {
            assert_eq!(wrong.parse::<Mac>(), Err(NotAMac), "{wrong}");
        }
    }

    #[test]
    fn versions_are_read_with_and_without_ornaments() {
        let parse = |text| FirmwareVersion::parse(text).map(|v| (v.major, v.minor, v.patch));
        assert_eq!(parse("2.15.0"), Some((2, 15, 0)));
        assert_eq!(parse("v2.4.1-12-gabcdef-dirty"), Some((2, 4, 1)));
        assert_eq!(parse("2.13.0b2"), Some((2, 13, 0)));
        assert_eq!(parse("2.9"), Some((2, 9, 0)));
        assert_eq!(parse("1.0.38-alpha9"), Some((1, 0, 38)));
        for wrong in ["", "v", "abc1234", "2", "2.x", "99999.1", "latest 2.15"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert!(FirmwareVersion::parse("2.14.9") < Some(FirmwareVersion::new(2, 15)));
    }

    #[test]
    fn a_folder_is_named_by_what_a_device_is_known_by() {
        let mac: Mac = "E0:E1:A9:0C:04:05".parse().unwrap();
        assert_eq!(DeviceId::Mac(mac).folder(), "e0-e1-a9-0c-04-05");
    }
}

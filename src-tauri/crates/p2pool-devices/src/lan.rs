//! This computer's networks, and ranges of addresses on them.

use std::io;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use crate::address::{DeviceAddress, NotPrivate, Reach};

/// Most addresses of a range: a /24.
pub const RANGE_ADDRESSES_MAX: u32 = 256;

/// Beginnings of names that systems give to tunnels, containers and virtual machines.
const VIRTUAL_NAMES: [&str; 29] = [
    "awdl",
    "br-",
    "bridge",
    "cali",
    "cni",
    "docker",
    "flannel",
    "gif",
    "ham",
    "ipsec",
    "llw",
    "lxc",
    "lxd",
    "nordlynx",
    "podman",
    "ppp",
    "stf",
    "tailscale",
    "tap",
    "tun",
    "utun",
    "vboxnet",
    "veth",
    "virbr",
    "vmnet",
    "vnet",
    "wg",
    "wsl",
    "zt",
];

/// Words in names that makers of such software give.
const VIRTUAL_WORDS: [&str; 8] =
    ["hyper-v", "openvpn", "virtualbox", "vmware", "vpn", "wireguard", "wintun", "zerotier"];

/// A network that this computer is on, with a private IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The system's name of it.
    pub name: String,
    /// This computer's address there.
    pub address: Ipv4Addr,
    /// Length of the network's prefix in bits.
    pub prefix: u8,
    /// Whether it is a tunnel, a container or a virtual machine: not searched unless ticked.
    pub is_virtual: bool,
}

impl Interface {
    /// Whether an address lies on this network.
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        let mask = mask(self.prefix);
        u32::from(ip) & mask == u32::from(self.address) & mask
    }
}

/// The private IPv4 networks that this computer is on. Sends nothing.
///
/// # Errors
/// What the system says.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let found = if_addrs::get_if_addrs()?.into_iter().filter_map(|found| {
        let if_addrs::IfAddr::V4(v4) = &found.addr else { return None };
        if !v4.ip.is_private() || !found.is_oper_up() {
            return None;
        }
        let is_virtual = found.is_p2p() || is_virtual(&found.name, v4.prefixlen);
        let (address, prefix) = (v4.ip, v4.prefixlen);
        Some(Interface { name: found.name, address, prefix, is_virtual })
    });
    Ok(found.collect())
}

fn is_virtual(name: &str, prefix: u8) -> bool {
    let name = name.to_lowercase();
    prefix >= 31
        || VIRTUAL_NAMES.iter().any(|start| name.starts_with(start))
        || VIRTUAL_WORDS.iter().any(|word| name.contains(word))
}

/// At most 256 addresses in a row, all on private networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    first: u32,
    last: u32,
}

/// The text or the numbers are no range that may be searched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRange {
    /// Not `192.168.1.0/24`, `192.168.1.10-192.168.1.50`, `192.168.1.10-50` or one address.
    #[error("{0:?} is not a range of addresses")]
    NotARange(String),
    /// Outside private networks.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// More than a /24.
    #[error("{count} addresses are more than {RANGE_ADDRESSES_MAX}")]
    TooMany {
        /// Asked for.
        count: u64,
    },
}

impl AddressRange {
    /// The network around an address; of a network larger than a /24 the /24 around it.
    ///
    /// # Errors
    /// An address outside private networks.
    pub fn around(address: Ipv4Addr, prefix: u8, reach: Reach) -> Result<Self, BadRange> {
        let prefix = prefix.clamp(24, 32);
        let hosts = hosts(address, prefix);
        Self::new(hosts, reach)
    }

    /// Reads what a user types.
    ///
    /// # Errors
    /// What is no range, too large, or not private.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, BadRange> {
        let text = text.trim();
        let range = parse_bounds(text);
        let range = range.ok_or_else(|| BadRange::NotARange(text.chars().take(64).collect()))?;
        Self::new(range, reach)
    }

    fn new(range: RangeInclusive<u32>, reach: Reach) -> Result<Self, BadRange> {
        let (first, last) = range.into_inner();
        let count = u64::from(last.saturating_sub(first)) + 1;
        if count > u64::from(RANGE_ADDRESSES_MAX) {
            return Err(BadRange::TooMany { count });
        }
        // Private networks are larger than a range, so two private ends of one network have only
        // private addresses between them; the ends of two networks are farther apart.
        DeviceAddress::new(first.into(), reach)?;
        DeviceAddress::new(last.into(), reach)?;
        Ok(Self { first, last })
    }

    /// The addresses in order.
    pub fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (self.first..=self.last).map(Ipv4Addr::from)
    }

    /// Whether an address lies in the range.
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&u32::from(ip))
    }
}

/// The addresses of a network that hosts can have: not the first and the last, which mean all.
fn hosts(address: Ipv4Addr, prefix: u8) -> RangeInclusive<u32> {
    let mask = mask(prefix);
    let first = u32::from(address) & mask;
    let last = first | !mask;
    if last - first >= 3 { first + 1..=last - 1 } else { first..=last }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

fn parse_bounds(text: &str) -> Option<RangeInclusive<u32>> {
    if let Some((address, prefix)) = text.split_once('/') {
        let address: Ipv4Addr = address.trim().parse().ok()?;
        let prefix = prefix.trim().parse().ok().filter(|prefix| *prefix <= 32)?;
        return Some(hosts(address, prefix));
    }
    let Some((first, last)) = text.split_once('-') else {
        let address: Ipv4Addr = text.parse().ok()?;
        return Some(u32::from(address)..=u32::from(address));
    };
    let first: Ipv4Addr = first.trim().parse().ok()?;
    let last = match last.trim().parse::<u8>() {
        Ok(byte) => {
            let [a, b, c, _] = first.octets();
            Ipv4Addr::new(a, b, c, byte)
        }
        Err(_) => last.trim().parse().ok()?,
    };
    (first <= last).then(|| u32::from(first)..=u32::from(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(text: &str) -> Result<(String, String), BadRange> {
        let range = AddressRange::parse(text, Reach::Private)?;
        let addresses: Vec<Ipv4Addr> = range.addresses().collect();
        let ends = [addresses.first(), addresses.last()].map(|end| end.unwrap().to_string());
        Ok(ends.into())
    }

    #[test]
    fn ranges_are_read_in_their_spellings() {
        for (text, first, last) in [
            ("192.168.1.0/24", "192.168.1.1", "192.168.1.254"),
            (" 10.0.0.7/30 ", "10.0.0.5", "10.0.0.6"),
            ("10.0.0.7/32", "10.0.0.7", "10.0.0.7"),
            ("192.168.1.10-192.168.1.50", "192.168.1.10", "192.168.1.50"),
            ("192.168.1.10 - 50", "192.168.1.10", "192.168.1.50"),
            ("172.16.3.4", "172.16.3.4", "172.16.3.4"),
        ] {
            assert_eq!(bounds(text), Ok((first.into(), last.into())), "{text}");
        }
    }

    #[test]
    fn what_is_too_large_public_or_no_range_is_refused() {
        assert_eq!(bounds("10.0.0.0/8"), Err(BadRange::TooMany { count: 16_777_214 }));
        assert_eq!(bounds("0.0.0.0/0"), Err(BadRange::TooMany { count: 4_294_967_294 }));
        for text in ["8.8.8.0/24", "192.167.255.250-192.168.0.3", "172.31.255.250-172.32.0.3"] {
            assert!(matches!(bounds(text), Err(BadRange::NotPrivate(_))), "{text}");
        }
        for text in ["", "-", "/", "192.168.1.50-10", "192.168.1.0/33", "home", "192.168.1.5-300"] {
            assert!(matches!(bounds(text), Err(BadRange::NotARange(_))), "{text}");
        }
    }

    #[test]
    fn a_large_network_is_cut_to_our_own_part_of_it() {
        let around = |ip: [u8; 4], prefix| AddressRange::around(ip.into(), prefix, Reach::Private);
        let range = around([10, 1, 2, 3], 8).unwrap();
        assert_eq!(range.addresses().count(), 254);
        assert!(range.contains([10, 1, 2, 1].into()) && !range.contains([10, 1, 3, 1].into()));
        assert_eq!(around([192, 168, 4, 9], 28).unwrap().addresses().count(), 14);
        assert_eq!(around([192, 168, 4, 9], 32).unwrap().addresses().count(), 1);
        assert!(around([8, 8, 8, 8], 24).is_err());
    }

    #[test]
    fn tunnels_containers_and_virtual_machines_are_known_by_name() {
        for name in
            ["docker0", "br-1a2b", "utun4", "wg0", "vEthernet (WSL)", "VMware VMnet8", "tun0"]
        {
            assert!(is_virtual(name, 24), "{name}");
        }
        for name in ["eth0", "enp3s0", "wlan0", "wlp2s0", "en0", "Ethernet", "Wi-Fi", "br0"] {
            assert!(!is_virtual(name, 24), "{name}");
        }
        assert!(is_virtual("eth0", 32));
    }

    #[test]
    fn an_interface_knows_who_is_on_its_network() {
        let address = Ipv4Addr::new(10, 1, 2, 3);
        let at = |prefix| Interface { name: "x".into(), address, prefix, is_virtual: false };
        assert!(at(16).contains([10, 1, 200, 9].into()));
        assert!(!at(24).contains([10, 1, 200, 9].into()));
        assert!(at(32).contains(address) && !at(32).contains([10, 1, 2, 4].into()));
    }

    #[test]
    fn interfaces_have_private_addresses_only() {
        for interface in interfaces().unwrap() {
            assert!(interface.address.is_private(), "{interface:?}");
        }
    }
}

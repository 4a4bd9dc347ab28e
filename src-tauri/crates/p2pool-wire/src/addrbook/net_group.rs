//! Which addresses can be reached over the internet, and which ones probably have one owner.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// A part of the internet in which many addresses are cheap to one owner: an IPv4 /16 or an IPv6
/// /32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetGroup {
    /// First half of an IPv4 address.
    V4([u8; 2]),
    /// First quarter of an IPv6 address.
    V6([u16; 2]),
}

impl NetGroup {
    /// The group of a public address; `None` for addresses that have a meaning on this computer
    /// or in the own network only, where counting by groups protects from nobody.
    pub fn of(ip: IpAddr) -> Option<Self> {
        is_public(ip).then(|| match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, _, _] = ip.octets();
                Self::V4([a, b])
            }
            IpAddr::V6(ip) => {
                let [a, b, ..] = ip.segments();
                Self::V6([a, b])
            }
        })
    }

    /// First and last address of the group in their natural order.
    pub(super) fn bounds(self) -> (SocketAddr, SocketAddr) {
        match self {
            Self::V4([a, b]) => (
                SocketAddr::from((Ipv4Addr::new(a, b, 0, 0), 0)),
                SocketAddr::from((Ipv4Addr::new(a, b, 255, 255), u16::MAX)),
            ),
            Self::V6([a, b]) => {
                const LAST: u16 = u16::MAX;
                let first = Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0);
                let last = Ipv6Addr::new(a, b, LAST, LAST, LAST, LAST, LAST, LAST);
                let last = SocketAddrV6::new(last, LAST, u32::MAX, u32::MAX);
                (SocketAddr::from((first, 0)), SocketAddr::V6(last))
            }
        }
    }
}

/// The address in the one form that all parts compare: IPv4 as such, no zone, no flow.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether strangers can be meant by this address: not this computer, not the own network, not
/// reserved, not a tunnel around the counting by groups.
///
/// Source: the IANA registries of special-purpose addresses (RFC 6890).
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && b & 0xc0 == 64;
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_relay = a == 192 && b == 88 && c == 99;
    let is_benchmark = a == 198 && b & 0xfe == 18;
    !(a == 0
        || a >= 240
        || is_shared
        || is_protocol
        || is_relay
        || is_benchmark
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Protocol assignments with Teredo and ORCHID; 6to4; documentation.
    let is_special = a == 0x2001 && (b < 0x0200 || b == 0x0db8);
    let is_tunnel = a == 0x2002;
    let is_documentation = a == 0x3fff && b < 0x1000;
    a & 0xe000 == 0x2000 && !is_special && !is_tunnel && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_addresses_of_strangers_are_public() {
        for text in ["1.2.3.4", "100.63.0.1", "172.32.0.1", "198.20.0.1", "2a01:4f8::1", "2600::1"]
        {
            assert!(is_public(ip(text)), "{text}");
        }
        for text in [
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::102:304",
            "2001::1",
            "2001:db8::1",
            "2002:102:304::1",
            "3fff::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn neighbours_share_a_group_however_they_are_written() {
        assert_eq!(NetGroup::of(ip("1.2.3.4")), NetGroup::of(ip("::ffff:1.2.250.1")));
        assert_ne!(NetGroup::of(ip("1.2.3.4")), NetGroup::of(ip("1.3.3.4")));
        assert_eq!(NetGroup::of(ip("2a01:4f8:1::1")), NetGroup::of(ip("2a01:4f8:ffff::2")));
        assert_ne!(NetGroup::of(ip("2a01:4f8::1")), NetGroup::of(ip("2a01:4f9::1")));
        assert_eq!(NetGroup::of(ip("192.168.1.1")), None);
    }

    #[test]
    fn a_group_lies_between_its_bounds() {
        for text in ["1.2.0.0:0", "1.2.255.255:65535", "[2a01:4f8::]:0", "[2a01:4f8:ffff::9]:7"] {
            let address: SocketAddr = text.parse().unwrap();
            let (first, last) = NetGroup::of(address.ip()).unwrap().bounds();
            assert!((first..=last).contains(&address), "{text}");
        }
        let (_, last) = NetGroup::V4([1, 2]).bounds();
        assert!(last < "1.3.0.0:0".parse().unwrap());
    }
}

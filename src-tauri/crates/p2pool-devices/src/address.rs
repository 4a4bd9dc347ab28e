//! Where a device may be: on a private network, nowhere else.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// 10/8, 172.16/12 and 192.168/16: the networks of homes, and those that devices answer to.
    Private,
    /// These and this computer itself: for tests with devices made of software.
    PrivateAndLoopback,
}

/// The address is not one on a private network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address on a private network")]
pub struct NotPrivate(pub Ipv4Addr);

/// An IPv4 address on a private network. The only kind that is ever called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceAddress(Ipv4Addr);

impl DeviceAddress {
    /// Takes the address if it lies within reach.
    ///
    /// # Errors
    /// Public, link-local, shared (100.64/10), loopback and special addresses.
    pub fn new(ip: Ipv4Addr, reach: Reach) -> Result<Self, NotPrivate> {
        let is_own = reach == Reach::PrivateAndLoopback && ip.is_loopback();
        if ip.is_private() || is_own { Ok(Self(ip)) } else { Err(NotPrivate(ip)) }
    }

    /// The address.
    pub fn ip(self) -> Ipv4Addr {
        self.0
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_private_networks_are_taken() {
        let new = |text: &str| DeviceAddress::new(text.parse().unwrap(), Reach::Private);
        for ip in ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1"] {
            assert_eq!(new(ip).unwrap().to_string(), ip);
        }
        for ip in [
            "8.8.8.8",
            "172.32.0.1",
            "192.169.0.1",
            "100.64.0.1",
            "169.254.1.1",
            "127.0.0.1",
            "0.0.0.0",
            "224.0.0.251",
            "255.255.255.255",
        ] {
            assert!(new(ip).is_err(), "{ip}");
        }
    }

    #[test]
    fn loopback_is_taken_on_request_only() {
        let ip = Ipv4Addr::LOCALHOST;
        assert!(DeviceAddress::new(ip, Reach::PrivateAndLoopback).is_ok());
        assert_eq!(DeviceAddress::new(ip, Reach::Private), Err(NotPrivate(ip)));
        assert!(DeviceAddress::new([8, 8, 8, 8].into(), Reach::PrivateAndLoopback).is_err());
    }
}

//! How far away a node is, and that no login leaves for the open internet by mistake.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How far away an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This computer.
    Loopback,
    /// A network that strangers cannot listen to: the own house, a tunnel between own computers.
    Private,
    /// The open internet, where RPC would show its login to everybody on the way.
    Public,
}

impl Reach {
    /// How far away this address is.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [first, second, ..] = address.octets();
        // 100.64/10 is behind a provider's or a tunnel's own address translation (RFC 6598).
        let is_shared = first == 100 && (64..128).contains(&second);
        if address.is_loopback() || address.is_unspecified() {
            Self::Loopback
        } else if address.is_private() || address.is_link_local() || is_shared {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address.is_loopback() || address.is_unspecified() {
            Self::Loopback
        } else if address.is_unique_local() || address.is_unicast_link_local() {
            Self::Private
        } else {
            Self::Public
        }
    }
}

/// A name led to a public address only, where that was not allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0} is an address on the open internet")]
pub(crate) struct PublicAddress(pub(crate) String);

/// Looks names up and keeps public addresses back.
#[derive(Debug)]
pub(crate) struct PrivateResolver;

impl Resolve for PrivateResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public = found.first().map(|address| PublicAddress(address.ip().to_string()));
            let kept: Vec<_> =
                found.into_iter().filter(|found| Reach::of(found.ip()) != Reach::Public).collect();
            match public {
                Some(public) if kept.is_empty() => {
                    Err(Box::new(public) as Box<dyn Error + Send + Sync>)
                }
                _ => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (address, reach) in [
            ("127.0.0.1", Reach::Loopback),
            ("127.8.8.8", Reach::Loopback),
            ("::1", Reach::Loopback),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("10.1.2.3", Reach::Private),
            ("172.31.0.1", Reach::Private),
            ("192.168.1.5", Reach::Private),
            ("169.254.3.4", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("100.127.255.255", Reach::Private),
            ("fd12::1", Reach::Private),
            ("fe80::1", Reach::Private),
            ("::ffff:192.168.0.1", Reach::Private),
            ("100.63.0.1", Reach::Public),
            ("100.128.0.1", Reach::Public),
            ("172.32.0.1", Reach::Public),
            ("8.8.8.8", Reach::Public),
            ("2001:db8::1", Reach::Public),
            ("::ffff:8.8.8.8", Reach::Public),
        ] {
            assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
        }
    }

    #[tokio::test]
    async fn this_computers_own_name_is_not_kept_back() {
        let found: Vec<_> =
            PrivateResolver.resolve("localhost".parse().unwrap()).await.unwrap().collect();
        assert!(found.iter().all(|address| address.ip().is_loopback()) && !found.is_empty());
    }
}

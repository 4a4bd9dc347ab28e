//! Asks the router to let other nodes connect, and takes that back at the end.
//!
//! PCP and NAT-PMP first, then UPnP. IPv4 only: with IPv6 there is no address to be shared, and
//! what a router lets through is a matter of its firewall. Nothing outside this network is asked;
//! whether it worked is known when a node from outside has connected.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

use crab_nat::{InternetProtocol, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig};
use igd_next::aio::Gateway;
use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{AddPortError, PortMappingProtocol, SearchOptions};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::p2p::state::MappingState;

/// What is asked for; renewed at half of what is granted.
const LEASE: Duration = Duration::from_secs(2 * 3600);
/// A shorter lease is not renewed more often than this.
const RENEW_MIN: Duration = Duration::from_secs(60);
/// Routers come and go with the networks that a computer is in.
const ASK_AGAIN: Duration = Duration::from_secs(15 * 60);
/// Time to take the mapping back at the end.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(2);
/// First wait for an answer of a PCP or NAT-PMP router; doubled three times.
const PATIENCE: Duration = Duration::from_millis(250);
/// Wait for UPnP routers.
const SEARCH: Duration = Duration::from_secs(4);
/// Where UPnP routers listen.
const SSDP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 1900);
/// How a router's list of mappings names ours.
const DESCRIPTION: &str = "P2Pool";

/// Keeps `port` open in the router until cancelled.
pub(crate) async fn keep_port_open(
    port: NonZeroU16,
    state: watch::Sender<MappingState>,
    token: CancellationToken,
) {
    state.send_replace(MappingState::Asking);
    while !token.is_cancelled() {
        let asked = async {
            // It reads the system's tables, which may take a moment.
            let found = tokio::task::spawn_blocking(Routers::find).await.ok().flatten();
            match found {
                Some(routers) => routers.ask(port).await,
                None => Err(Refusal::NoAnswer),
            }
        };
        let asked = tokio::select! {
            () = token.cancelled() => return,
            asked = asked => asked,
        };
        match asked {
            Ok(mapping) => {
                tracing::info!(external = %mapping.external(), "the router lets other nodes connect");
                state.send_replace(mapping.state(port));
                mapping.keep(&token).await;
            }
            Err(refusal) => {
                state.send_replace(refusal.state());
                tokio::select! {
                    () = token.cancelled() => return,
                    () = tokio::time::sleep(ASK_AGAIN) => {}
                }
            }
        }
    }
}

/// Where routers are asked.
#[derive(Clone, Debug)]
struct Routers {
    /// Speaks PCP or NAT-PMP, perhaps.
    gateway: Ipv4Addr,
    /// Own address on the way there.
    own: Ipv4Addr,
    /// Where UPnP routers are searched.
    ssdp: SocketAddr,
    patience: Duration,
    search: Duration,
}

/// Why there is no mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// No router that does this has answered.
    NoAnswer,
    /// A mapping there would be in vain.
    CarrierNat,
}

impl Refusal {
    fn state(self) -> MappingState {
        match self {
            Self::NoAnswer => MappingState::NoAnswer,
            Self::CarrierNat => MappingState::CarrierNat,
        }
    }
}

impl Routers {
    /// The way out of this network; `None` if there is none.
    fn find() -> Option<Self> {
        let interface = netdev::get_default_interface().ok()?;
        let gateway = *interface.gateway?.ipv4.first()?;
        let own = interface.ipv4.first()?.addr();
        Some(Self { gateway, own, ssdp: SSDP, patience: PATIENCE, search: SEARCH })
    }

    /// Asks in turn whoever may let `port` through.
    async fn ask(&self, port: NonZeroU16) -> Result<Mapping, Refusal> {
        let mapping = match self.ask_pcp(port).await {
            Some(mapping) => mapping,
            None => self.ask_upnp(port).await.ok_or(Refusal::NoAnswer)?,
        };
        if is_outside(mapping.external().ip()) {
            Ok(mapping)
        } else {
            mapping.give_back().await;
            Err(Refusal::CarrierNat)
        }
    }

    async fn ask_pcp(&self, port: NonZeroU16) -> Option<Mapping> {
        let (gateway, own) = (self.gateway.into(), IpAddr::V4(self.own));
        let timing = TimeoutConfig {
            initial_timeout: self.patience,
            max_retries: 3,
            max_retry_timeout: None,
        };
        let options = PortMappingOptions {
            external_port: Some(port),
            lifetime_seconds: u32::try_from(LEASE.as_secs()).ok(),
            timeout_config: Some(timing),
        };
        let mapped = PortMapping::new(gateway, own, InternetProtocol::Tcp, port, options).await;
        let mapping = match mapped {
            Ok(mapping) => mapping,
            Err(error) => {
                // Some that know only the older protocol are silent about the newer one.
                tracing::debug!(%error, "no mapping by PCP");
                let protocol = InternetProtocol::Tcp;
                let mapped = crab_nat::natpmp::port_mapping(gateway, protocol, port, options).await;
                mapped.inspect_err(|error| tracing::debug!(%error, "nor by NAT-PMP")).ok()?
            }
        };
        let outside = match mapping.mapping_type() {
            PortMappingType::Pcp { external_ip, .. } => external_ip.to_canonical(),
            PortMappingType::NatPmp => {
                let outside = crab_nat::natpmp::external_address(gateway, Some(timing)).await;
                IpAddr::V4(outside.inspect_err(|error| tracing::debug!(%error, "no address")).ok()?)
            }
        };
        let external = SocketAddr::new(outside, mapping.external_port().get());
        Some(Mapping::Pcp { mapping: Box::new(mapping), external })
    }

    async fn ask_upnp(&self, port: NonZeroU16) -> Option<Mapping> {
        let mut options = SearchOptions::default();
        options.bind_addr = SocketAddr::new(self.own.into(), 0);
        options.broadcast_address = self.ssdp;
        options.timeout = Some(self.search);
        options.allowed_gateway_ips = vec![self.gateway.into()];
        let found = search_gateway(options).await;
        let gateway = found.inspect_err(|error| tracing::debug!(%error, "no UPnP router")).ok()?;
        let outside = gateway.get_external_ip().await;
        let outside = outside.inspect_err(|error| tracing::debug!(%error, "no address")).ok()?;
        let inside = SocketAddr::new(self.own.into(), port.get());
        let (external_port, lease) = add_upnp(&gateway, inside)
            .await
            .inspect_err(|error| tracing::debug!(%error, "no mapping by UPnP"))
            .ok()?;
        let external = SocketAddr::new(outside, external_port);
        Some(Mapping::Upnp { gateway: Box::new(gateway), inside, external, lease })
    }
}

/// Asks a UPnP router for the same port outside, else for any. Also says for how long.
async fn add_upnp(
    gateway: &Gateway<Tokio>,
    inside: SocketAddr,
) -> Result<(u16, Duration), igd_next::Error> {
    let tcp = PortMappingProtocol::TCP;
    let lease = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
    let port = inside.port();
    match gateway.add_port(tcp, port, inside, lease, DESCRIPTION).await {
        Ok(()) => Ok((port, LEASE)),
        // It is taken back at the end all the same.
        Err(AddPortError::OnlyPermanentLeasesSupported) => {
            gateway.add_port(tcp, port, inside, 0, DESCRIPTION).await?;
            Ok((port, LEASE))
        }
        Err(AddPortError::PortInUse) => {
            let any = gateway.add_any_port(tcp, inside, lease, DESCRIPTION).await?;
            Ok((any, LEASE))
        }
        Err(error) => Err(error.into()),
    }
}

/// A port that a router lets through.
enum Mapping {
    Pcp { mapping: Box<PortMapping>, external: SocketAddr },
    Upnp { gateway: Box<Gateway<Tokio>>, inside: SocketAddr, external: SocketAddr, lease: Duration },
}

impl Mapping {
    fn external(&self) -> SocketAddr {
        match self {
            Self::Pcp { external, .. } | Self::Upnp { external, .. } => *external,
        }
    }

    fn state(&self, wanted: NonZeroU16) -> MappingState {
        let external = self.external();
        if external.port() == wanted.get() {
            MappingState::Granted { external }
        } else {
            MappingState::OtherPort { external }
        }
    }

    /// Renews until that fails, or until cancelled: then the mapping is given back.
    async fn keep(mut self, token: &CancellationToken) {
        loop {
            let pause = (self.lease() / 2).max(RENEW_MIN);
            tokio::select! {
                () = token.cancelled() => {
                    self.give_back().await;
                    return;
                }
                () = tokio::time::sleep(pause) => {}
            }
            if !self.renew().await {
                return;
            }
        }
    }

    fn lease(&self) -> Duration {
        match self {
            Self::Pcp { mapping, .. } => Duration::from_secs(mapping.lifetime().into()),
            Self::Upnp { lease, .. } => *lease,
        }
    }

    /// Whether the same port is let through for another while.
    async fn renew(&mut self) -> bool {
        let before = self.external().port();
        match self {
            Self::Pcp { mapping, external } => {
                let renewed = mapping.renew().await;
                external.set_port(mapping.external_port().get());
                renewed.inspect_err(|error| tracing::debug!(%error, "not renewed")).is_ok()
                    && external.port() == before
            }
            Self::Upnp { gateway, inside, external, .. } => {
                let lease = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
                let (tcp, port) = (PortMappingProtocol::TCP, external.port());
                let added = gateway.add_port(tcp, port, *inside, lease, DESCRIPTION).await;
                // A permanent one needs no renewal.
                matches!(added, Ok(()) | Err(AddPortError::OnlyPermanentLeasesSupported))
            }
        }
    }

    /// Takes the mapping back; a router that does not answer forgets it by itself.
    async fn give_back(self) {
        let removed = async {
            match self {
                Self::Pcp { mapping, .. } => {
                    mapping.try_drop().await.map_err(|(error, _)| error.to_string())
                }
                Self::Upnp { gateway, external, .. } => {
                    let removed =
                        gateway.remove_port(PortMappingProtocol::TCP, external.port()).await;
                    removed.map_err(|error| error.to_string())
                }
            }
        };
        match tokio::time::timeout(GIVE_BACK_WITHIN, removed).await {
            Ok(Ok(())) => tracing::debug!("the router's mapping is taken back"),
            Ok(Err(error)) => tracing::debug!(error, "mapping not taken back"),
            Err(_) => tracing::debug!("mapping not taken back in time"),
        }
    }
}

/// Whether nodes outside can send to this address: not if it is one of a private network, of
/// this computer or link, or one that a provider shares among customers (RFC 6598).
fn is_outside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private()
                || is_shared
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified())
        }
        IpAddr::V6(_) => false,
    }
}

#[cfg(test)]
mod tests;

//! Against small routers on loopback. PCP routers have one port by protocol, so each has an
//! address of its own.

use super::*;

mod routers;

#[cfg(target_os = "linux")]
use routers::PcpRouter;
use routers::UpnpRouter;

const PORT: NonZeroU16 = NonZeroU16::new(9333).expect("not zero");

/// Nobody listens there.
fn nobody() -> Routers {
    Routers {
        gateway: Ipv4Addr::new(127, 0, 77, 1),
        own: Ipv4Addr::LOCALHOST,
        ssdp: SocketAddr::from((Ipv4Addr::LOCALHOST, 9)),
        patience: Duration::from_millis(20),
        search: Duration::from_millis(200),
    }
}

#[cfg(target_os = "linux")]
fn pcp(router: &PcpRouter) -> Routers {
    Routers { gateway: router.address, patience: Duration::from_secs(2), ..nobody() }
}

fn upnp(router: &UpnpRouter) -> Routers {
    let (gateway, search) = (Ipv4Addr::LOCALHOST, Duration::from_secs(10));
    Routers { gateway, ssdp: router.ssdp, search, ..nobody() }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn pcp_router_grants_renews_and_takes_back() {
    let router = PcpRouter::start([127, 0, 77, 2], "203.0.113.5", true, 9333).await;
    let mut mapping = pcp(&router).ask(PORT).await.ok().unwrap();
    let external = "203.0.113.5:9333".parse().unwrap();
    assert_eq!(mapping.state(PORT), MappingState::Granted { external });
    assert!(mapping.renew().await);
    mapping.give_back().await;
    assert_eq!(router.lifetimes(), [7200, 7200, 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn router_with_the_older_protocol_alone_is_asked_in_that() {
    let router = PcpRouter::start([127, 0, 77, 3], "203.0.113.6", false, 9333).await;
    let mut mapping = pcp(&router).ask(PORT).await.ok().unwrap();
    let external = "203.0.113.6:9333".parse().unwrap();
    assert_eq!(mapping.state(PORT), MappingState::Granted { external });
    assert!(mapping.renew().await);
    mapping.give_back().await;
    assert_eq!(router.lifetimes(), [7200, 7200, 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn other_port_is_told_when_the_wanted_one_is_taken() {
    let router = PcpRouter::start([127, 0, 77, 4], "203.0.113.7", true, 40_000).await;
    let mapping = pcp(&router).ask(PORT).await.ok().unwrap();
    let external = "203.0.113.7:40000".parse().unwrap();
    assert_eq!(mapping.state(PORT), MappingState::OtherPort { external });
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn address_shared_by_the_provider_is_given_back_at_once() {
    let router = PcpRouter::start([127, 0, 77, 5], "100.64.3.4", true, 9333).await;
    assert_eq!(pcp(&router).ask(PORT).await.err(), Some(Refusal::CarrierNat));
    assert_eq!(router.lifetimes(), [7200, 0]);
}

#[tokio::test]
async fn upnp_router_grants_renews_and_takes_back() {
    let router = UpnpRouter::start("203.0.113.8", None).await;
    let mut mapping = upnp(&router).ask(PORT).await.ok().unwrap();
    let external = "203.0.113.8:9333".parse().unwrap();
    assert_eq!(mapping.state(PORT), MappingState::Granted { external });
    assert!(mapping.renew().await);
    mapping.give_back().await;
    let expected =
        ["AddPortMapping 9333 7200", "AddPortMapping 9333 7200", "DeletePortMapping 9333"];
    assert_eq!(router.deeds(), expected);
}

#[tokio::test]
async fn upnp_router_with_the_port_taken_gives_another() {
    let router = UpnpRouter::start("203.0.113.9", Some(718)).await;
    let mapping = upnp(&router).ask(PORT).await.ok().unwrap();
    assert!(matches!(mapping.state(PORT), MappingState::OtherPort { .. }));
    mapping.give_back().await;
    assert!(router.deeds().last().unwrap().starts_with("DeletePortMapping"));
}

#[tokio::test]
async fn upnp_router_that_keeps_mappings_for_ever_is_asked_so_and_cleaned_up() {
    let router = UpnpRouter::start("203.0.113.10", Some(725)).await;
    let mapping = upnp(&router).ask(PORT).await.ok().unwrap();
    mapping.give_back().await;
    assert_eq!(router.deeds(), ["AddPortMapping 9333 0", "DeletePortMapping 9333"]);
}

#[tokio::test]
async fn upnp_router_behind_another_router_is_told_as_such() {
    let router = UpnpRouter::start("192.168.1.2", None).await;
    assert_eq!(upnp(&router).ask(PORT).await.err(), Some(Refusal::CarrierNat));
    assert!(router.deeds().last().unwrap().starts_with("DeletePortMapping"));
}

#[tokio::test]
async fn where_no_router_answers_there_is_no_answer() {
    assert_eq!(nobody().ask(PORT).await.err(), Some(Refusal::NoAnswer));
}

#[test]
fn shared_private_and_local_addresses_are_not_outside() {
    for inside in ["10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "100.127.255.255"] {
        assert!(!is_outside(inside.parse().unwrap()), "{inside}");
    }
    for inside in ["127.0.0.1", "169.254.1.1", "0.0.0.0", "fe80::1"] {
        assert!(!is_outside(inside.parse().unwrap()), "{inside}");
    }
    for outside in ["100.63.255.255", "100.128.0.1", "8.8.8.8"] {
        assert!(is_outside(outside.parse().unwrap()), "{outside}");
    }
}

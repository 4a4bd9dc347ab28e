//! Connections to other nodes.

use p2pool_node::{NodeSnapshot, PeerState};

use super::count;
use crate::api::UnixSeconds;
use crate::api::pages::pool::{MEMBERS_MAX, MemberBan, MemberRow, MemberSearch, PoolMembers};

pub(super) fn members(node: &NodeSnapshot) -> PoolMembers {
    let p2p = &node.p2p;
    let ban = |ban: &p2pool_node::BanState| MemberBan {
        host: ban.host.to_string(),
        until: UnixSeconds(ban.until.0),
    };
    PoolMembers {
        rows: p2p.peers.iter().take(MEMBERS_MAX).map(|peer| row(node, peer)).collect(),
        bans: p2p.bans.iter().take(MEMBERS_MAX).map(ban).collect(),
        search: MemberSearch {
            known: count(p2p.known_addresses),
            names: count(p2p.resolved_names),
            tried: count(p2p.tried),
            reached: count(p2p.reached),
            dialling: count(p2p.dialling),
        },
    }
}

fn row(node: &NodeSnapshot, peer: &PeerState) -> MemberRow {
    let ip = peer.address.map(|address| address.ip().to_canonical());
    let is_here = ip.is_some_and(|ip| ip.is_loopback());
    MemberRow {
        id: peer.id,
        address: peer.address.map(|address| address.to_string()),
        host: ip.filter(|_| !is_here).map(|ip| ip.to_string()),
        is_simulated: node.is_practice && is_here,
        is_incoming: peer.is_incoming,
        program: peer.program.clone(),
        protocol: peer.protocol,
        since: UnixSeconds(peer.since.0),
        ping_secs: peer.round_trip.map(|took| took.as_secs_f64()),
        shares_received: peer.shares_received,
    }
}

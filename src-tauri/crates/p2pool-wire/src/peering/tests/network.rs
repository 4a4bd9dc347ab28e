//! Many nodes that know one name find each other.

use super::*;

const NODES: u16 = 30;

/// Nodes by number; each listens at an address of its own part of the network, the last third
/// does not listen.
struct Network {
    rigs: Vec<Rig>,
    /// Both ends of every connection: node and its name for it.
    links: Vec<[(usize, PeerId); 2]>,
}

fn address_of(node: usize) -> SocketAddr {
    public(u16::try_from(node).unwrap(), 1)
}

fn listens(node: usize) -> bool {
    node < usize::from(NODES) * 2 / 3
}

impl Network {
    fn new() -> Self {
        let rig = |node: usize| {
            let listen_port = listens(node).then_some(9333);
            let bootstrap = vec![host("first.example")];
            let seed = node as u64;
            let mut rig = Rig::new(PeeringConfig { seed, listen_port, bootstrap, ..config() });
            rig.give(PeeringInput::Resolved {
                host: host("first.example"),
                addresses: vec![address_of(0)],
            });
            rig
        };
        Self { rigs: (0..usize::from(NODES)).map(rig).collect(), links: Vec::new() }
    }

    /// A second passes everywhere, and all that is wanted is carried out.
    fn step(&mut self) {
        for node in 0..self.rigs.len() {
            self.rigs[node].pass(SECOND);
            for (peer, target) in core::mem::take(&mut self.rigs[node].dialled) {
                let DialTarget::Address(at) = target else { panic!("{target} is a name") };
                self.connect(node, peer, at);
            }
        }
        for node in 0..self.rigs.len() {
            for (peer, message) in core::mem::take(&mut self.rigs[node].sent) {
                let there = self.other_end(node, peer);
                if let Some((other, peer)) = there {
                    self.rigs[other].hear(peer, message);
                }
            }
            for (peer, _) in core::mem::take(&mut self.rigs[node].closed) {
                self.hang_up(node, peer, Departure::Ended);
            }
        }
    }

    fn connect(&mut self, node: usize, peer: PeerId, at: SocketAddr) {
        let now = self.rigs[node].now;
        let other = (0..self.rigs.len()).find(|other| address_of(*other) == at && listens(*other));
        let from = SocketAddr::new(address_of(node).ip(), 50_000);
        let accepted = other.map(|other| self.rigs[other].peering.accept(now, from));
        let (Some(other), Some(Ok(there))) = (other, accepted) else {
            self.rigs[node].give(PeeringInput::DialFailed { peer });
            return;
        };
        self.rigs[node].connect(peer, Some(at));
        self.links.push([(node, peer), (other, there)]);
        if other == node {
            self.hang_up(node, peer, Departure::Itself);
        } else if self.rigs[node].closed.is_empty() {
            self.rigs[node].join(peer, other as u64);
            self.rigs[other].join(there, node as u64);
        }
    }

    fn other_end(&self, node: usize, peer: PeerId) -> Option<(usize, PeerId)> {
        let ends = self.links.iter().find(|ends| ends.contains(&(node, peer)))?;
        ends.iter().find(|end| **end != (node, peer)).copied()
    }

    fn hang_up(&mut self, node: usize, peer: PeerId, how: Departure) {
        let other = self.other_end(node, peer);
        self.links.retain(|ends| !ends.contains(&(node, peer)));
        self.rigs[node].leave(peer, how);
        if let Some((other, peer)) = other {
            self.rigs[other].leave(peer, Departure::Ended);
        }
    }
}

#[test]
fn nodes_that_know_one_name_find_each_other_and_stay() {
    let mut network = Network::new();
    for _ in 0..1800 {
        network.step();
    }
    for (node, rig) in network.rigs.iter().enumerate() {
        let status = rig.status();
        // Who is known to everybody is connected to everybody and dials nobody else.
        let is_content = status.outgoing == OUTGOING_WANTED || status.incoming >= OUTGOING_WANTED;
        assert!(is_content, "node {node}: {status:?}");
        assert_eq!(status.banned_hosts, 0);
        // Those who do not listen are told to nobody.
        let known: BTreeSet<_> = rig.peering.book.records().map(|known| known.address).collect();
        let listeners: BTreeSet<_> =
            (0..usize::from(NODES)).filter(|n| listens(*n)).map(address_of).collect();
        assert!(known.is_subset(&listeners), "node {node}");
        assert!(known.len() > 12, "node {node} knows {} of {}", known.len(), listeners.len());
    }
}

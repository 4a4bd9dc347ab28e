//! Feeding a node's peering and carrying out what it asks for, as the node's p2p service does.

use std::net::SocketAddr;
use std::time::Duration;

use p2pool_engine::PeerId;
use p2pool_wire::peering::{
    DialTarget, Host, INCOMING_MAX, OUTGOING_WANTED_LOW, Peering, PeeringConfig, PeeringInput,
    PeeringOutput,
};

use super::connection::{Who, services};
use super::{Event, World};

/// An attempt to connect that nobody answers ends after this time.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Time that a name server takes.
const RESOLVES_WITHIN: Duration = Duration::from_millis(80);
/// Nodes whose addresses the bootstrap names have.
const NAMED_NODES: usize = 4;
/// Where nodes listen.
pub(crate) const PORT: u16 = 9333;

impl World {
    /// A node's peering when it starts.
    pub(super) fn new_peering(&mut self, number: usize) -> Peering {
        let node = &self.nodes[number];
        let wanted = self.scenario.outgoing;
        let low = node.is_low_bandwidth.then_some(OUTGOING_WANTED_LOW);
        let names = (0..NAMED_NODES.min(self.nodes.len())).map(named);
        let config = PeeringConfig {
            outgoing_wanted: low.map_or(wanted, |low| low.min(wanted)),
            incoming_max: INCOMING_MAX,
            fixed_peers: Vec::new(),
            bootstrap: names.collect(),
            resolves_names: true,
            listen_port: node.listens.then_some(PORT),
            external_address: None,
            services: services(node.is_low_bandwidth),
            allows_private: false,
            seed: self.rng.u64(..),
        };
        Peering::new(config, self.clock(number))
    }

    pub(super) fn tell_peering(&mut self, node: usize, input: PeeringInput) {
        let now = self.clock(node);
        if let Some(run) = &mut self.nodes[node].run {
            run.peering.handle(now, input);
            self.follow_peering(node);
        }
    }

    /// Carries out whatever a node's peering wants.
    pub(super) fn follow_peering(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].run.as_mut().and_then(|run| run.peering.poll()) {
            self.carry_out_peering(node, output);
        }
        let Some(run) = &mut self.nodes[node].run else { return };
        let at = run.peering.wakes_at();
        if run.peering_wake != at {
            run.peering_wake = at;
            let due = at.0.saturating_sub(super::START_MONO);
            self.at(due, Event::PeeringWake { node, at });
        }
    }

    pub(super) fn peering_wake(&mut self, node: usize, at: p2pool_sharechain::time::MonoTime) {
        if let Some(run) = &mut self.nodes[node].run
            && run.peering_wake == at
        {
            run.peering_wake = p2pool_sharechain::time::MonoTime::ZERO;
            self.tell_peering(node, PeeringInput::Wake);
        }
    }

    fn carry_out_peering(&mut self, node: usize, output: PeeringOutput) {
        match output {
            PeeringOutput::Dial { peer, target } => {
                let address = match target {
                    DialTarget::Address(address) => Some(address),
                    DialTarget::Host(host) => host.address(),
                };
                self.dial(node, peer, address);
            }
            PeeringOutput::Send { peer, message } => self.tell(node, peer, message),
            PeeringOutput::Close { peer, .. } => self.let_go(node, peer, super::Departure::Ended),
            PeeringOutput::Resolve(host) => {
                let incarnation = self.nodes[node].incarnation;
                self.after(RESOLVES_WITHIN, Event::Resolved { node, incarnation, host });
            }
            PeeringOutput::Save(changes) => self.nodes[node].disk.save_addresses(changes),
            PeeringOutput::SaveBan(ban) => {
                self.nodes[node].disk.bans.insert(ban.host, ban);
            }
        }
    }

    pub(super) fn resolved(&mut self, node: usize, incarnation: u32, host: Host) {
        if self.is_run(node, incarnation) {
            let named = (0..self.nodes.len()).find(|number| named(*number) == host);
            let addresses = named.map(|number| self.nodes[number].address).into_iter().collect();
            self.tell_peering(node, PeeringInput::Resolved { host, addresses });
        }
    }

    fn dial(&mut self, node: usize, peer: PeerId, address: Option<SocketAddr>) {
        let incarnation = self.nodes[node].incarnation;
        let target = address.and_then(|address| self.by_address.get(&address)).copied();
        let is_reached = target.is_some_and(|target| self.answers(node, target));
        let takes = match target {
            Some(target) if is_reached => self.net.latency(node, target) * 2,
            _ => CONNECT_WITHIN,
        };
        self.after(takes, Event::Dialled { node, incarnation, peer, target });
    }

    pub(super) fn dialled(
        &mut self,
        node: usize,
        incarnation: u32,
        peer: PeerId,
        target: Option<Who>,
    ) {
        if !self.is_run(node, incarnation) {
            return;
        }
        let target = target.filter(|target| self.answers(node, *target));
        let Some(target) = target else {
            return self.tell_peering(node, PeeringInput::DialFailed { peer });
        };
        let there = self.let_in(target, node);
        let address = Some(self.address(target));
        self.tell_peering(node, PeeringInput::Connected { peer, address });
        match there {
            Some(there) => {
                let connection = self.connect([node, target], [peer, there]);
                self.stranger_is_dialled(target, connection);
            }
            // Whoever is refused is closed in silence.
            None => {
                self.tell_peering(node, PeeringInput::Left { peer, how: super::Departure::Ended })
            }
        }
    }

    /// Whether somebody takes in connections and can be reached.
    pub(super) fn answers(&self, from: Who, target: Who) -> bool {
        let listens = match self.nodes.get(target) {
            Some(node) => node.is_up() && node.listens,
            None => self.stranger_listens(target),
        };
        listens && !self.net.is_cut(from, target)
    }

    /// Asks whoever is dialled for a place; its name for the connection.
    pub(super) fn let_in(&mut self, target: Who, from: Who) -> Option<PeerId> {
        if target >= self.nodes.len() {
            return Some(0);
        }
        let (now, address) = (self.clock(target), self.visible_address(from));
        let run = self.nodes[target].run.as_mut()?;
        match run.peering.accept(now, address) {
            Ok(peer) => {
                self.follow_peering(target);
                Some(peer)
            }
            Err(refusal) => {
                self.judge_refusal(target, from, &refusal);
                None
            }
        }
    }

    /// An address as others see it: the port is not the one that it listens at.
    fn visible_address(&mut self, who: Who) -> SocketAddr {
        SocketAddr::new(self.address(who).ip(), self.rng.u16(20_000..))
    }

    fn is_run(&self, node: usize, incarnation: u32) -> bool {
        self.nodes[node].is_up() && self.nodes[node].incarnation == incarnation
    }
}

/// A bootstrap name.
fn named(number: usize) -> Host {
    Host { name: format!("seed{number}.example"), port: PORT }
}

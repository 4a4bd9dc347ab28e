//! Figures for Prometheus, in its text format.

use std::fmt::Write as _;

use crate::state::NodeSnapshot;

/// The page.
pub(super) fn page(node: &NodeSnapshot, uptime_seconds: f64) -> String {
    let (summary, miners) = (&node.summary, &node.miners);
    let mut page = Page::default();
    page.gauge("p2pool_uptime_seconds", "Time since the node was started", uptime_seconds);
    page.gauge("p2pool_mining", "Whether work is handed to miners", flag(node.is_mining));
    page.gauge("p2pool_has_work", "Whether there is work", flag(summary.has_work));
    page.gauge("p2pool_pool_hashrate_hps", "Rate of the whole pool", summary.pool_hashrate_hps);
    page.gauge("p2pool_hashrate_hps", "Rate of the miners of this node", miners.hashrate_hps);
    page.gauge("p2pool_share_difficulty", "Least difficulty of a share", summary.share_difficulty);
    page.gauge("p2pool_network_difficulty", "Bitcoin's difficulty", summary.network_difficulty);
    page.gauge("p2pool_chain_height", "Known shares in the best chain", summary.height.into());
    page.gauge("p2pool_peers", "Connected nodes", summary.peers as f64);
    page.gauge("p2pool_block_height", "Height being worked on", summary.next_height.into());
    page.gauge("p2pool_block_value_sats", "Subsidy and fees", summary.block_value_sats as f64);
    page.gauge(
        "p2pool_own_payout_sats",
        "Own part, were a block found now",
        summary.own_payout_sats as f64,
    );
    for (state, count) in [
        ("found", summary.own_found),
        ("in_chain", summary.own_in_chain),
        ("lost", summary.own_lost),
    ] {
        page.family("p2pool_own_shares", "Own shares by fate", "gauge");
        page.sample("p2pool_own_shares", &[("fate", state)], count as f64);
    }
    page.gauge("p2pool_blocks", "Blocks that the pool is known to have found", {
        summary.blocks.len() as f64
    });
    for miner in &miners.miners {
        let labels = [("worker", miner.worker.as_str())];
        for (name, help, kind, value) in [
            ("p2pool_miner_hashrate_hps", "Rate of a miner", "gauge", miner.hashrate_hps),
            ("p2pool_miner_connections", "Open connections", "gauge", miner.connections.into()),
            ("p2pool_miner_accepted_total", "Accepted results", "counter", miner.accepted as f64),
            ("p2pool_miner_late_total", "Late ones among them", "counter", miner.late as f64),
            ("p2pool_miner_rejected_total", "Refused results", "counter", miner.rejected as f64),
        ] {
            page.family(name, help, kind);
            page.sample(name, &labels, value);
        }
    }
    page.text()
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

/// Samples by family: those of one name must stand together.
#[derive(Default)]
struct Page {
    families: Vec<(&'static str, String)>,
}

impl Page {
    fn gauge(&mut self, name: &'static str, help: &str, value: f64) {
        self.family(name, help, "gauge");
        self.sample(name, &[], value);
    }

    /// Begins a family, unless it has begun.
    fn family(&mut self, name: &'static str, help: &str, kind: &str) {
        if self.families.iter().all(|(known, _)| *known != name) {
            let head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
            self.families.push((name, head));
        }
    }

    fn sample(&mut self, name: &'static str, labels: &[(&str, &str)], value: f64) {
        let Some((_, text)) = self.families.iter_mut().find(|(known, _)| *known == name) else {
            return;
        };
        let labels: Vec<String> =
            labels.iter().map(|(key, label)| format!("{key}=\"{}\"", escaped(label))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(text, "{name}{labels} {value}").expect("writing to a string succeeds");
    }

    fn text(self) -> String {
        self.families.into_iter().map(|(_, text)| text).collect()
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_family_stand_together_under_one_head() {
        let mut page = Page::default();
        for worker in ["a", "b\"\n"] {
            page.family("rate", "Rate", "gauge");
            page.sample("rate", &[("worker", worker)], 1.5);
            page.gauge("up", "Up", 1.0);
        }
        let text = page.text();
        assert_eq!(text.matches("# TYPE rate gauge").count(), 1);
        assert!(text.contains("rate{worker=\"a\"} 1.5\nrate{worker=\"b\\\"\\n\"} 1.5\n"));
    }
}

//! Arguments about connections to other nodes, the same for every command that runs a node.

use clap::Args;
use p2pool_node::RawP2p;

/// Arguments win over settings.toml.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Other nodes")]
pub(crate) struct P2pArgs {
    /// Port for other nodes [default: that of the network; in practice any free one]
    #[arg(long, value_name = "P")]
    p2p_port: Option<u16>,
    /// Node to always connect to, beside those found; may be given more than once
    #[arg(long = "peer", value_name = "HOST[:PORT]")]
    peers: Vec<String>,
    /// Connections to make by itself, 0 to 10 [default: 6, with -l 3]
    #[arg(long, value_name = "N")]
    max_peers: Option<usize>,
    /// Let no other node connect
    #[arg(long, conflicts_with_all = ["map_port", "external_address"])]
    no_listen: bool,
    /// How other nodes reach this one, if it is not the address that they see
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    external_address: Option<String>,
    /// SOCKS5 proxy for connections to other nodes, such as Tor's; it also looks up their names
    #[arg(long, value_name = "HOST:PORT")]
    proxy: Option<String>,
    /// Fewer connections, and shares announced before they are sent
    #[arg(short, long)]
    low_bandwidth: bool,
    /// Ask the router to let other nodes connect
    #[arg(long)]
    map_port: bool,
    /// Do not begin with the network's well-known hosts
    #[arg(long)]
    no_bootstrap: bool,
    /// Private pool to join: the text that its founder passed on, in quotes
    #[arg(long, value_name = "p2pool-pool:...")]
    pool: Option<String>,
}

impl P2pArgs {
    /// The settings file's part with these arguments over it.
    pub(crate) fn over(&self, file: &RawP2p) -> RawP2p {
        RawP2p {
            port: self.p2p_port.or(file.port),
            listen: if self.no_listen { Some(false) } else { file.listen },
            peers: if self.peers.is_empty() { file.peers.clone() } else { self.peers.clone() },
            max_peers: self.max_peers.or(file.max_peers),
            external_address: self.external_address.clone().or(file.external_address.clone()),
            proxy: self.proxy.clone().or(file.proxy.clone()),
            low_bandwidth: self.low_bandwidth.then_some(true).or(file.low_bandwidth),
            map_port: self.map_port.then_some(true).or(file.map_port),
            bootstrap: if self.no_bootstrap { Some(false) } else { file.bootstrap },
            pool: self.pool.clone().or(file.pool.clone()),
            // What no argument speaks of.
            ..file.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        p2p: P2pArgs,
    }

    fn over(line: &str, file: &RawP2p) -> RawP2p {
        let words = ["p2poold"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().p2p.over(file)
    }

    #[test]
    fn arguments_win_and_what_they_do_not_say_stays() {
        let file = RawP2p {
            port: Some(1),
            peers: vec!["a".into()],
            max_incoming: Some(7),
            low_bandwidth: Some(true),
            ..RawP2p::default()
        };
        let raw = over("--p2p-port 2 --peer b --peer c:3 --max-peers 4", &file);
        assert_eq!((raw.port, raw.max_peers, raw.max_incoming), (Some(2), Some(4), Some(7)));
        assert_eq!((raw.peers, raw.low_bandwidth), (vec!["b".into(), "c:3".into()], Some(true)));
        assert_eq!(over("", &file), file);
        assert_eq!(over("--no-listen --no-bootstrap", &file).listen, Some(false));
    }

    #[test]
    fn who_listens_to_nobody_asks_no_router() {
        let words = ["p2poold", "--no-listen", "--map-port"];
        assert!(Line::try_parse_from(words).is_err());
    }
}

//! What a node does when it receives this or that.
//!
//! The recorded node is the whole program; here a session reads the bytes, shares get their
//! standalone check as they do before they reach the engine, and both may end the connection.

use std::collections::BTreeSet;

use p2pool_sharechain::time::MonoTime;
use p2pool_sharechain::verify::Blame;
use p2pool_sharechain::{CheckedShare, Params, Share, ShareHash, U256};
use p2pool_wire::Services;
use p2pool_wire::message::{Message, RawShare, Version};
use p2pool_wire::session::{Input, Output, Session, SessionConfig};
use serde_json::{Value, json};

use super::{bytes, fields, list, prefix_of, same};

/// The recorded node's nonce, and the address of its visitor.
const OWN_NONCE: u64 = 0x1122_3344_5566_7788;
const VISITOR: &str = "10.11.12.13";

/// Streams that end the recorded connection and not ours: it keeps transactions for shares of
/// old types, and takes it amiss when one is not known. Nobody needs to any more.
const TOLERATED: [&str; 3] = [
    "remember_tx with unknown hash",
    "remember_tx with the same tx twice",
    "forget_tx of a tx not remembered",
];

/// What came of a stream.
#[derive(Debug, Default)]
struct Reaction {
    is_disconnected: bool,
    is_banned: bool,
    is_handshake_done: bool,
    events: Vec<Value>,
    sent: Vec<Vec<u8>>,
}

/// Checks one recorded stream.
pub(super) fn check(network: &Value, case: &Value) -> Result<(), String> {
    let params = params_of(network)?;
    let chunks = list(&case["received_chunks"]).iter().map(bytes).collect::<Result<Vec<_>, _>>()?;
    let reaction = react(&params, &chunks);

    let is_tolerated = TOLERATED.iter().any(|name| case["description"] == *name);
    let expected = |key: &str| if is_tolerated { json!(false) } else { case[key].clone() };
    same("disconnected", &expected("disconnected"), &json!(reaction.is_disconnected))?;
    same("banned", &expected("banned"), &json!(reaction.is_banned))?;
    same("handshake done", &case["handshake_done"], &json!(reaction.is_handshake_done))?;
    same("events", &case["node_events"], &Value::Array(reaction.events))?;

    // Answers and relayed addresses come from those who decide, not from the session.
    let is_own = |sent: &&Value| sent["command"] == "ping";
    let expected = list(&case["sent"])
        .iter()
        .filter(is_own)
        .map(|sent| bytes(&sent["frame"]))
        .collect::<Result<Vec<_>, _>>()?;
    same("sent", &expected, &reaction.sent)
}

fn params_of(network: &Value) -> Result<Params, String> {
    let params = match network["name"].as_str() {
        Some("bitcoin") => Params::mainnet(),
        Some("btcregtest") => Params::regtest(),
        other => return Err(format!("network {other:?} is not known")),
    };
    same("prefix", &prefix_of(network)?, &params.prefix)?;
    let max_target = network["MAX_TARGET"].as_str().unwrap_or_default();
    let max_target = U256::from_str_radix(max_target, 16).map_err(|error| error.to_string())?;
    Ok(Params { max_target, ..params })
}

/// The oldest version that the recorded node accepts at its start.
fn version_min(params: &Params) -> u32 {
    if params.name == "bitcoin" { 3301 } else { 3200 }
}

fn react(params: &Params, chunks: &[Vec<u8>]) -> Reaction {
    let config = SessionConfig {
        prefix: params.prefix,
        version_min: version_min(params),
        nonce: OWN_NONCE,
        services: Services::NONE,
        sub_version: String::new(),
        best_share: None,
        own_addr: ([10, 0, 0, 1], params.p2p_port).into(),
        peer_addr: ([10, 11, 12, 13], 40_000).into(),
        seed: 0,
    };
    let mut session = Session::new(config, MonoTime::ZERO);
    // The greeting is no reaction.
    session.poll();
    let mut reaction = Reaction::default();
    for chunk in chunks {
        let input = Input::Bytes { bytes: chunk, connected: &BTreeSet::new() };
        session.handle(MonoTime::ZERO, input);
        while let Some(output) = session.poll() {
            reaction.note(params, output);
        }
    }
    reaction
}

impl Reaction {
    fn note(&mut self, params: &Params, output: Output) {
        match output {
            Output::Write(bytes) => self.sent.push(bytes),
            Output::Joined(peer) => {
                self.is_handshake_done = true;
                if let Some(best) = peer.best_share {
                    self.event("handle_share_hashes", &[json!([best.to_string()])]);
                }
            }
            Output::Received(message) => self.receive(params, &message),
            Output::Closed(error) => self.end(error.blame()),
        }
    }

    fn end(&mut self, blame: Blame) {
        self.is_disconnected = true;
        self.is_banned = blame == Blame::Sender;
    }

    fn event(&mut self, name: &str, arguments: &[Value]) {
        let event = [&[json!(name)], arguments].concat();
        self.events.push(Value::Array(event));
    }

    fn receive(&mut self, params: &Params, message: &Message) {
        match message {
            Message::Shares(shares) => match hashes_of(params, shares) {
                Ok(hashes) => self.event("handle_shares", &[json!(hashes)]),
                Err(blame) => self.end(blame),
            },
            Message::ShareReq(request) => {
                let fields = fields::of(message);
                let arguments =
                    [fields["hashes"].clone(), json!(request.parents), fields["stops"].clone()];
                self.event("handle_get_shares", &arguments);
            }
            Message::BestBlock(header) => {
                let hash = ShareHash::of_header(header).to_string();
                self.event("handle_bestblock", &[json!(hash)]);
            }
            Message::GetAddrs { count } => {
                self.event("get_good_peers", &[json!(count.min(&100))]);
            }
            Message::Addrs(records) => {
                for record in records {
                    let addr = record.address.socket_addr();
                    let host = json!([addr.ip().to_string(), addr.port()]);
                    let services = json!(record.address.services.0);
                    self.event("got_addr", &[host, services, json!(record.timestamp)]);
                }
            }
            Message::AddrMe { port } => {
                let host = json!([VISITOR, port]);
                self.event("got_addr", &[host, json!(0), json!("(current time)")]);
            }
            // An answer that nobody asked for is no event.
            Message::ShareReply(_) => {}
            // The reference does not know them.
            Message::ShareHashes(_)
            | Message::CompactBlock(_)
            | Message::GetBlockTxn(_)
            | Message::BlockTxn(_) => {}
            Message::Version(Version { .. })
            | Message::Ping
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_)
            | Message::Unknown(_) => panic!("a session keeps {} to itself", message.command()),
        }
    }
}

/// Hashes of the shares after their standalone check; types below the oldest known are skipped.
fn hashes_of(params: &Params, shares: &[RawShare]) -> Result<Vec<String>, Blame> {
    shares
        .iter()
        .filter(|share| share.version >= 17)
        .map(|share| {
            let parsed = Share::parse_contents(share.version, &share.contents, params)
                .map_err(|_| Blame::Nobody)?;
            let checked = CheckedShare::check(parsed, params).map_err(|error| error.blame())?;
            Ok(checked.hash().to_string())
        })
        .collect()
}

//! Transcripts of connections between two nodes: each frame read, compared and written again; each
//! stream heard by a session of ours; each share checked; each question answered.

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::time::{MonoTime, UnixTime};
use p2pool_sharechain::{CheckedShare, CompactBits, Hash32, Params, ShareHash};
use p2pool_wire::Services;
use p2pool_wire::frame::Decoder;
use p2pool_wire::message::{Message, RawShare, ShareReq};
use p2pool_wire::session::{Input, Output, PROTOCOL_VERSION_MIN, Peer, Session, SessionConfig};
use serde_json::{Value, json};

use self::answers::Knowledge;
use crate::cases::{Cases, same, same_bytes};
use crate::history::{Histories, History, checked, shares_in};
use crate::messages::fields;
use crate::read::Read;

/// Checks a `live/*_p2p`.
pub(crate) fn check(
    doc: &Value,
    path: &Path,
    histories: &mut Histories,
    cases: &mut Cases,
) -> Result<(), String> {
    let history = histories.of(path)?.ok_or("the file itself has shares")?;
    let mut seen = BTreeSet::new();
    for connection in doc.list("connections")? {
        let number = connection.whole("connection")?;
        let mut conversation = Conversation::new(&history.params);
        for (index, entry) in connection.list("messages")?.iter().enumerate() {
            let name = format!("connection {number} message {index} ({})", entry.text("command")?);
            cases.run(&name, || conversation.hear(entry, history));
        }
        cases.run(&format!("connection {number} totals"), || conversation.totals(connection));
        seen.append(&mut conversation.seen);
    }
    in_chain(history, &seen, cases);
    Ok(())
}

/// Runs the contextual checks of all shares that crossed the wire, oldest first. Both nodes went
/// on talking, so that none was found wanting.
fn in_chain(history: &mut History, seen: &BTreeSet<ShareHash>, cases: &mut Cases) {
    let tracker = &mut history.tracker;
    let height = |hash: &ShareHash| tracker.get(*hash).map(|share| share.share().info.abs_height);
    let mut shares: Vec<_> = seen.iter().map(|hash| (height(hash), *hash)).collect();
    shares.sort_unstable();
    for (_, hash) in shares {
        if !tracker.can_judge(hash) {
            continue;
        }
        cases.run(&format!("share {hash} in its chain"), || {
            let share = tracker.get(hash).ok_or("the share is not known")?;
            // The transcript was written at some later time: no timestamp in it lay ahead.
            let now = UnixTime(u64::from(share.share().info.timestamp));
            tracker.verify(hash, now).map_err(|e| e.to_string())
        });
    }
}

/// One of the two nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// A connection as it goes on.
struct Conversation {
    params: Arc<Params>,
    /// Reads what the client says, and what the server says.
    decoders: [Decoder; 2],
    /// Hears what is said to the client, and to the server.
    sessions: [Session; 2],
    knowledge: [Knowledge; 2],
    questions: BTreeMap<Hash32, (Side, ShareReq)>,
    seen: BTreeSet<ShareHash>,
    counts: BTreeMap<String, u64>,
    bytes: u64,
    started: Option<f64>,
}

impl Conversation {
    fn new(params: &Arc<Params>) -> Self {
        let config = || SessionConfig {
            prefix: params.prefix,
            version_min: PROTOCOL_VERSION_MIN,
            nonce: 0,
            services: Services::NONE,
            sub_version: String::new(),
            best_share: None,
            own_addr: ([127, 0, 0, 1], params.p2p_port).into(),
            peer_addr: ([127, 0, 0, 1], 40_000).into(),
            seed: 0,
        };
        let decoder = || Decoder::new(params.prefix);
        let session = || Session::new(config(), MonoTime::ZERO);
        Self {
            params: Arc::clone(params),
            decoders: [decoder(), decoder()],
            sessions: [session(), session()],
            knowledge: [Knowledge::new(params), Knowledge::new(params)],
            questions: BTreeMap::new(),
            seen: BTreeSet::new(),
            counts: BTreeMap::new(),
            bytes: 0,
            started: None,
        }
    }

    /// Takes the next message.
    fn hear(&mut self, entry: &Value, history: &History) -> Result<(), String> {
        let (speaker, hearer) = match entry.text("dir")? {
            "client->server" => (Side::Client, Side::Server),
            "server->client" => (Side::Server, Side::Client),
            other => return Err(format!("{other} is no direction")),
        };
        let bytes = entry.bytes("frame")?;
        let time = entry.at("t")?.as_f64().ok_or("t: not a number")?;
        let started = *self.started.get_or_insert(time);
        let now = MonoTime(Duration::from_secs_f64((time - started).max(0.0)));

        let message = self.frame(speaker, entry, &bytes)?;
        let (shares, again) = self.shares(&message)?;
        same("fields", entry.at("fields")?, &fields_of(&message, &shares))?;
        same("shares written again", &shares_in(&message), &again.as_slice())?;
        let encoded = message.encode(self.params.prefix).map_err(|e| e.to_string())?;
        same_bytes("frame written again", &bytes, &encoded)?;
        self.session(hearer, now, &bytes, &message)?;
        self.consequences(speaker, hearer, now, &message, &bytes, history)?;
        for share in shares {
            self.seen.insert(share.hash());
            for knowledge in &mut self.knowledge {
                knowledge.learn(Arc::clone(&share));
            }
        }
        *self
            .counts
            .entry(format!("{} {}", entry.text("dir")?, entry.text("command")?))
            .or_default() += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Reads the frame, from the stream that it is the next part of.
    fn frame(&mut self, speaker: Side, entry: &Value, bytes: &[u8]) -> Result<Message, String> {
        let mut rest = bytes;
        let decoder = &mut self.decoders[speaker as usize];
        let frame = decoder.decode(&mut rest).map_err(|e| e.to_string())?;
        let frame = frame.ok_or("the frame is not complete")?;
        same("bytes left over", &0, &rest.len())?;
        same("command", &entry.text("command")?, &frame.command.to_string().as_str())?;
        Message::decode(frame).map_err(|error| format!("{error}: {}", error.source))
    }

    /// The shares of a message after their standalone checks, and as we write them.
    fn shares(&self, message: &Message) -> Result<(Vec<Arc<CheckedShare>>, Vec<RawShare>), String> {
        let mut shares = Vec::new();
        let mut again = Vec::new();
        for raw in shares_in(message) {
            let share = checked(raw, &self.params)?;
            again.push(answers::raw(&share));
            shares.push(Arc::new(share));
        }
        Ok((shares, again))
    }

    /// What a session at the other end makes of the bytes.
    fn session(
        &mut self,
        hearer: Side,
        now: MonoTime,
        bytes: &[u8],
        message: &Message,
    ) -> Result<(), String> {
        let session = &mut self.sessions[hearer as usize];
        // It owes its greeting before the first message, and pings after it.
        while session.poll().is_some() {}
        session.handle(now, Input::Wake);
        session.handle(now, Input::Bytes { bytes, connected: &BTreeSet::new() });
        let mut outputs = Vec::new();
        while let Some(output) = session.poll() {
            if !matches!(output, Output::Write(_)) {
                outputs.push(output);
            }
        }
        same("what the session says", &expected_outputs(message), &outputs)?;
        same("the session wants more", &true, &session.wants_bytes())
    }

    /// What follows from a message.
    fn consequences(
        &mut self,
        speaker: Side,
        hearer: Side,
        now: MonoTime,
        message: &Message,
        frame: &[u8],
        history: &History,
    ) -> Result<(), String> {
        match message {
            Message::Version(version) => {
                let chain = history.chain(version.best_share_hash);
                let is_known = version.best_share_hash.is_none() || !chain.is_empty();
                same("the best share is known", &true, &is_known)?;
                self.knowledge[speaker as usize].load(&chain);
                Ok(())
            }
            Message::ShareReq(request) => {
                self.questions.insert(request.id, (speaker, request.clone()));
                Ok(())
            }
            Message::ShareReply(reply) => {
                let (asker, question) =
                    self.questions.remove(&reply.id).ok_or("nobody has asked")?;
                same("the other side has asked", &true, &(asker == hearer))?;
                self.knowledge[speaker as usize].compare(now, &question, reply, frame)
            }
            Message::BestBlock(header) => proof_of_work(header),
            Message::Ping
            | Message::AddrMe { .. }
            | Message::Addrs(_)
            | Message::GetAddrs { .. }
            | Message::Shares(_)
            | Message::HaveTx(_)
            | Message::LosingTx(_)
            | Message::RememberTx { .. }
            | Message::ForgetTx(_) => Ok(()),
            Message::ShareHashes(_)
            | Message::CompactBlock(_)
            | Message::GetBlockTxn(_)
            | Message::BlockTxn(_) => Err(format!("{} to a reference", message.command())),
            Message::Unknown(frame) => Err(format!("{} is not known", frame.command)),
        }
    }

    /// The recorded totals, once all messages are heard.
    fn totals(&self, connection: &Value) -> Result<(), String> {
        let messages = connection.list("messages")?.len() as u64;
        same("messages kept", &connection.whole("messages_kept")?, &messages)?;
        if connection.whole("messages_total")? != messages {
            return Ok(());
        }
        same("bytes", &connection.whole("bytes_total")?, &self.bytes)?;
        same("counts", connection.at("counts")?, &json!(self.counts))?;
        same("questions without an answer", &0, &self.questions.len())
    }
}

/// Fields as the transcript writes them: of shares, only type and hash.
fn fields_of(message: &Message, shares: &[Arc<CheckedShare>]) -> Value {
    let mut fields = fields::of(message);
    if let Some(list) = fields.get_mut("shares") {
        let short = shares.iter().map(|share| {
            json!({ "type": share.share().version.number(), "hash": share.hash().to_string() })
        });
        *list = short.collect();
    }
    fields
}

/// What a session tells others of a message.
fn expected_outputs(message: &Message) -> Vec<Output> {
    match message {
        Message::Version(version) => vec![Output::Joined(Peer {
            version: version.version,
            services: version.services,
            nonce: version.nonce,
            sub_version: String::from_utf8_lossy(&version.sub_version).into_owned(),
            best_share: version.best_share_hash,
        })],
        Message::Ping
        | Message::HaveTx(_)
        | Message::LosingTx(_)
        | Message::RememberTx { .. }
        | Message::ForgetTx(_)
        | Message::Unknown(_) => Vec::new(),
        Message::AddrMe { .. }
        | Message::Addrs(_)
        | Message::GetAddrs { .. }
        | Message::Shares(_)
        | Message::ShareReq(_)
        | Message::ShareReply(_)
        | Message::BestBlock(_)
        | Message::ShareHashes(_)
        | Message::CompactBlock(_)
        | Message::GetBlockTxn(_)
        | Message::BlockTxn(_) => vec![Output::Received(message.clone())],
    }
}

/// A header that is passed on must meet its own target.
fn proof_of_work(header: &[u8; 80]) -> Result<(), String> {
    let bits = header[72..76].try_into().map(u32::from_le_bytes).map_err(|_| "no bits")?;
    let target = CompactBits(bits).target().ok_or("every hash would do")?;
    let hash = ShareHash::of_header(header);
    same("the header meets its target", &true, &(hash.to_uint() <= target))
}

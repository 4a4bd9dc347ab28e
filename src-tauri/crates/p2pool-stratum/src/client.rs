//! The miner's side of one connection, as a state machine.
//!
//! Says configure, subscribe and authorize at once, matches the answers by id, keeps the newest job,
//! and counts what the pool says about solutions. Works with any pool, not only ours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use p2pool_sharechain::template::ROLLING_MASK;
use p2pool_sharechain::{Hash32, U256, compact};
use serde_json::Value;

use crate::login::{is_positive, printable};
use crate::message::{self, Id, Message, from_hex, hex};
use crate::notify::Notify;

const CONFIGURE: u64 = 1;
const SUBSCRIBE: u64 = 2;
const AUTHORIZE: u64 = 3;
const FIRST_SUBMIT: u64 = 4;
/// Most extranonce bytes of either kind.
const EXTRANONCE_BYTES_MAX: usize = 16;
/// Most submits that wait for an answer; older ones are given up.
const UNANSWERED_MAX: usize = 1024;

/// Who the miner is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// User name at the pool.
    pub user: String,
    /// Password; most pools ignore it.
    pub password: String,
    /// What the miner calls itself.
    pub user_agent: String,
}

/// What the client wants done, or known.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientAction {
    /// Send these bytes, line end included.
    Send(Vec<u8>),
    /// The pool takes this miner.
    Authorized,
    /// Work on this from now on.
    Work(Arc<Work>),
    /// A solution was counted.
    Accepted {
        /// The difficulty of its job.
        difficulty: f64,
    },
    /// A solution was refused.
    Rejected {
        /// The pool's code, if it gave one.
        code: Option<i64>,
        /// The pool's words, fit for display.
        reason: String,
    },
    /// A text for the operator, fit for display.
    Message(String),
    /// The connection is of no use any more.
    Failed(ClientError),
}

/// Why a connection is given up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The pool sent what is no message, or a message that cannot be meant so.
    #[error("the pool sent something unreadable: {0}")]
    Unreadable(String),
    /// The subscription was refused or makes no sense.
    #[error("the pool refused the subscription: {0}")]
    NotSubscribed(String),
    /// The user name was refused.
    #[error("the pool refused the user name: {0}")]
    NotAuthorized(String),
    /// The pool wants the miner to connect again.
    #[error("the pool asked to connect again")]
    Reconnect,
}

/// A job with everything that this connection adds to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The job as sent.
    pub notify: Notify,
    /// The pool's part of the coinbase.
    pub extranonce1: Vec<u8>,
    /// Bytes of the coinbase that the miner chooses.
    pub extranonce2_bytes: usize,
    /// Difficulty of solutions worth sending.
    pub difficulty: f64,
    /// The same as a target: hashes up to it are worth sending.
    pub target: U256,
    /// Version bits that may be rolled; zero if none.
    pub version_mask: u32,
}

impl Work {
    /// Root of the transaction tree for this choice, internal order.
    pub fn merkle_root(&self, extranonce2: &[u8]) -> Hash32 {
        self.notify.merkle_root(&self.extranonce1, extranonce2)
    }

    /// The job's version with these bits rolled; bits outside the mask are left alone.
    pub fn version(&self, version_bits: u32) -> u32 {
        (self.notify.version & !self.version_mask) | (version_bits & self.version_mask)
    }
}

/// A solution as the miner found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The job it is for.
    pub job_id: String,
    /// The miner's part of the coinbase.
    pub extranonce2: Vec<u8>,
    /// Header time.
    pub time: u32,
    /// Header nonce.
    pub nonce: u32,
    /// Bits of the version that may be rolled, as they were in the header.
    pub version_bits: u32,
}

/// One connection to a pool, seen from the miner.
///
/// ```
/// use p2pool_stratum::client::{Client, ClientAction, ClientConfig};
///
/// let mut client = Client::new(ClientConfig {
///     user: "me".into(),
///     password: "x".into(),
///     user_agent: "example/1".into(),
/// });
/// let Some(ClientAction::Send(line)) = client.poll() else { panic!("it speaks first") };
/// assert!(line.starts_with(br#"{"id":1,"method":"mining.configure""#));
/// ```
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    extranonce: Option<Extranonce>,
    is_authorized: bool,
    version_mask: u32,
    /// Holds from the next job on.
    difficulty: f64,
    work: Option<Arc<Work>>,
    /// Difficulty of each submit without an answer.
    unanswered: BTreeMap<u64, f64>,
    next_submit: u64,
    actions: VecDeque<ClientAction>,
    has_failed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Extranonce {
    first: Vec<u8>,
    second_bytes: usize,
}

impl Client {
    /// Starts with the handshake.
    pub fn new(config: ClientConfig) -> Self {
        let text = |text: &str| Value::from(text).to_string();
        let greeting = [
            message::request(
                &Id::number(CONFIGURE),
                "mining.configure",
                &[
                    r#"["version-rolling"]"#.into(),
                    format!(
                        r#"{{"version-rolling.mask":"{}","version-rolling.min-bit-count":2}}"#,
                        hex(&ROLLING_MASK.to_be_bytes())
                    ),
                ],
            ),
            message::request(
                &Id::number(SUBSCRIBE),
                "mining.subscribe",
                &[text(&config.user_agent)],
            ),
            message::request(
                &Id::number(AUTHORIZE),
                "mining.authorize",
                &[text(&config.user), text(&config.password)],
            ),
        ];
        Self {
            config,
            extranonce: None,
            is_authorized: false,
            version_mask: 0,
            difficulty: 1.0,
            work: None,
            unanswered: BTreeMap::new(),
            next_submit: FIRST_SUBMIT,
            actions: greeting.into_iter().map(ClientAction::Send).collect(),
            has_failed: false,
        }
    }

    /// Takes one line from the pool. Nothing happens after [`ClientAction::Failed`].
    pub fn handle_line(&mut self, line: &[u8]) {
        if self.has_failed {
            return;
        }
        match message::parse(line, message::POOL_LINE_BYTES_MAX) {
            Ok(Message::Request { id, method, params }) => {
                self.take_call(id.as_ref(), &method, &params);
            }
            Ok(Message::Response { id, result, error }) => {
                let number = id.as_ref().and_then(Id::to_number);
                self.take_answer(number, &result, &error);
            }
            Err(error) => self.fail(ClientError::Unreadable(error.to_string())),
        }
    }

    /// Sends a solution. Nothing happens before there is work.
    pub fn submit(&mut self, found: &Found) {
        let Some(work) = self.work.as_ref().filter(|_| !self.has_failed) else { return };
        let number = self.next_submit;
        self.next_submit += 1;
        self.unanswered.insert(number, work.difficulty);
        while self.unanswered.len() > UNANSWERED_MAX {
            self.unanswered.pop_first();
        }
        let text = |text: &str| Value::from(text).to_string();
        let mut params = vec![
            text(&self.config.user),
            text(&found.job_id),
            text(&hex(&found.extranonce2)),
            text(&hex(&found.time.to_be_bytes())),
            text(&hex(&found.nonce.to_be_bytes())),
        ];
        if self.version_mask != 0 {
            let bits = found.version_bits & self.version_mask;
            params.push(text(&hex(&bits.to_be_bytes())));
        }
        self.send(message::request(&Id::number(number), "mining.submit", &params));
    }

    /// The next thing to do, until there is nothing.
    pub fn poll(&mut self) -> Option<ClientAction> {
        self.actions.pop_front()
    }

    /// Submits that the pool has not answered yet.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    fn send(&mut self, line: Vec<u8>) {
        self.actions.push_back(ClientAction::Send(line));
    }

    fn fail(&mut self, error: ClientError) {
        self.has_failed = true;
        self.actions.push_back(ClientAction::Failed(error));
    }

    fn take_answer(&mut self, number: Option<u64>, result: &Value, error: &Value) {
        match number {
            // A pool that does not know the call refuses it, and bits are not rolled.
            Some(CONFIGURE) => self.version_mask = configured_mask(result),
            Some(SUBSCRIBE) => match Extranonce::parse(result) {
                Some(extranonce) => self.extranonce = Some(extranonce),
                None => self.fail(ClientError::NotSubscribed(reason_text(result, error).1)),
            },
            Some(AUTHORIZE) if *result == Value::Bool(true) => {
                self.is_authorized = true;
                self.actions.push_back(ClientAction::Authorized);
            }
            Some(AUTHORIZE) => self.fail(ClientError::NotAuthorized(reason_text(result, error).1)),
            Some(number) => self.take_verdict(number, result, error),
            None => {}
        }
    }

    fn take_verdict(&mut self, number: u64, result: &Value, error: &Value) {
        let Some(difficulty) = self.unanswered.remove(&number) else { return };
        self.actions.push_back(if *result == Value::Bool(true) && error.is_null() {
            ClientAction::Accepted { difficulty }
        } else {
            let (code, reason) = reason_text(result, error);
            ClientAction::Rejected { code, reason }
        });
    }

    fn take_call(&mut self, id: Option<&Id>, method: &str, params: &[Value]) {
        match method {
            "mining.notify" => match Notify::parse(params) {
                Ok(notify) => self.take_job(notify),
                Err(error) => self.fail(ClientError::Unreadable(error.to_string())),
            },
            "mining.set_difficulty" => {
                let difficulty = params.first().and_then(Value::as_f64);
                match difficulty.filter(|difficulty| is_positive(*difficulty)) {
                    Some(difficulty) => self.difficulty = difficulty,
                    None => self.fail(ClientError::Unreadable("a difficulty that is none".into())),
                }
            }
            "mining.set_extranonce" => match Extranonce::from_pair(params) {
                Some(extranonce) => self.extranonce = Some(extranonce),
                None => self.fail(ClientError::Unreadable("an extranonce that is none".into())),
            },
            "mining.set_version_mask" => {
                let mask = params.first().and_then(Value::as_str);
                self.version_mask = mask.and_then(message::number_from_hex).unwrap_or(0);
            }
            "client.reconnect" => self.fail(ClientError::Reconnect),
            "client.show_message" => {
                if let Some(text) = params.first().and_then(Value::as_str) {
                    self.actions.push_back(ClientAction::Message(printable(text)));
                }
            }
            "client.get_version" | "mining.ping" => {
                let text = match method {
                    "mining.ping" => "pong",
                    _ => &self.config.user_agent,
                };
                let line = id.map(|id| message::answer(id, &text.into()));
                self.actions.extend(line.map(ClientAction::Send));
            }
            _ => {
                let line = id.map(|id| message::refusal(id, 20, "Not supported."));
                self.actions.extend(line.map(ClientAction::Send));
            }
        }
    }

    fn take_job(&mut self, notify: Notify) {
        let Some(extranonce) = &self.extranonce else {
            let text = "a job before the subscription was answered";
            return self.fail(ClientError::Unreadable(text.into()));
        };
        let work = Arc::new(Work {
            notify,
            extranonce1: extranonce.first.clone(),
            extranonce2_bytes: extranonce.second_bytes,
            difficulty: self.difficulty,
            target: compact::target_of_difficulty(self.difficulty),
            version_mask: self.version_mask,
        });
        self.work = Some(Arc::clone(&work));
        self.actions.push_back(ClientAction::Work(work));
    }
}

impl Extranonce {
    /// From the answer to a subscribe: subscriptions, then the pair.
    fn parse(result: &Value) -> Option<Self> {
        Self::from_pair(result.as_array()?.get(1..)?)
    }

    fn from_pair(pair: &[Value]) -> Option<Self> {
        let first = from_hex(pair.first()?.as_str()?)?;
        let second_bytes = usize::try_from(pair.get(1)?.as_u64()?).ok()?;
        let fits = first.len() <= EXTRANONCE_BYTES_MAX && second_bytes <= EXTRANONCE_BYTES_MAX;
        fits.then_some(Self { first, second_bytes })
    }
}

fn configured_mask(result: &Value) -> u32 {
    let field = |name| result.get(name).unwrap_or(&Value::Null);
    if *field("version-rolling") != Value::Bool(true) {
        return 0;
    }
    let mask = field("version-rolling.mask").as_str().and_then(message::number_from_hex);
    mask.unwrap_or(0) & ROLLING_MASK
}

/// Code and text of a refusal; pools write `[code, text, data]`, an object, a text or nothing.
fn reason_text(result: &Value, error: &Value) -> (Option<i64>, String) {
    let field = |index: usize, name: &str| error.get(index).or_else(|| error.get(name));
    let code = field(0, "code").and_then(Value::as_i64);
    let text = field(1, "message").and_then(Value::as_str).or(error.as_str());
    let text = match text {
        Some(text) => text.to_owned(),
        None if error.is_null() => format!("answered {result}"),
        None => error.to_string(),
    };
    (code, printable(&text))
}

#[cfg(test)]
mod tests;

//! The methods that miners call, except submit.

use p2pool_sharechain::template::ROLLING_MASK;
use p2pool_sharechain::time::Now;
use p2pool_sharechain::{U256, compact};
use serde_json::{Map, Value, json};

use super::{CloseReason, MALFORMED_MAX, Session, WORKERS_MAX};
use crate::extranonce::EXTRANONCE2_BYTES;
use crate::login::{Login, is_positive, positive, printable};
use crate::message::{self, Id, Message, ParseError};
use crate::submit::{PlainSubmit, RejectReason, Submit};

/// Expected hashes for difficulty 1.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;
/// Code of answers to what this server does not do.
const NOT_SUPPORTED: (u8, &str) = (20, "Not supported.");

impl Session {
    /// Reads one line and carries it out.
    pub(super) fn read(&mut self, now: Now, line: &[u8]) {
        let bytes_max = if self.workers.is_empty() {
            message::LINE_BYTES_BEFORE_AUTHORIZE_MAX
        } else {
            message::LINE_BYTES_MAX
        };
        if line.trim_ascii().is_empty() {
            return;
        }
        if line.len() <= bytes_max
            && let Some(plain) = PlainSubmit::parse(line)
        {
            self.malformed = 0;
            self.submit(now, plain.id(), plain.submit());
            return;
        }
        match message::parse(line, bytes_max) {
            Ok(Message::Request { id, method, params }) => {
                self.malformed = 0;
                self.call(now, id.as_ref(), &method, &params);
            }
            // Nothing here is asked that an answer would matter to.
            Ok(Message::Response { .. }) => self.malformed = 0,
            Err(ParseError::TooLong { .. }) => self.close(CloseReason::LineTooLong),
            Err(_) => {
                self.malformed += 1;
                if self.malformed >= MALFORMED_MAX {
                    self.close(CloseReason::Malformed);
                }
            }
        }
    }

    fn call(&mut self, now: Now, id: Option<&Id>, method: &str, params: &[Value]) {
        match method {
            "mining.submit" => {
                self.submit(now, id.map(Id::as_json), Submit::parse(params));
            }
            "mining.subscribe" => self.subscribe(now, id, params),
            "mining.authorize" => self.authorize(now, id, params),
            "mining.configure" => self.configure(now, id, params),
            "mining.suggest_difficulty" => {
                self.suggest(now, id, params.first().and_then(number));
            }
            "mining.suggest_target" => {
                self.suggest(now, id, params.first().and_then(difficulty_of_target));
            }
            "mining.extranonce.subscribe" | "mining.multi_version" | "mining.capabilities" => {
                self.answer(id, &Value::Bool(true));
            }
            "mining.ping" => self.answer(id, &json!("pong")),
            "mining.term" => {
                self.answer(id, &Value::Bool(true));
                self.close(CloseReason::Ended);
            }
            _ => match suggestion_in_name(method) {
                Some(difficulty) => self.suggest(now, id, Some(difficulty)),
                // Among them mining.get_transactions and mining.get_txnhashes.
                None => self.refuse(id, NOT_SUPPORTED.0, NOT_SUPPORTED.1),
            },
        }
    }

    fn answer(&mut self, id: Option<&Id>, result: &Value) {
        if let Some(id) = id {
            self.send(message::answer(id, result));
        }
    }

    fn refuse(&mut self, id: Option<&Id>, code: u8, text: &str) {
        if let Some(id) = id {
            self.send(message::refusal(id, code, text));
        }
    }

    /// Answers the same each time it is asked.
    fn subscribe(&mut self, now: Now, id: Option<&Id>, params: &[Value]) {
        if let (None, Some(agent)) = (self.subscribed, params.first().and_then(Value::as_str)) {
            self.user_agent = printable(agent);
        }
        if !self.ask_for_former(id, params.get(1).and_then(Value::as_str)) {
            self.answer_subscribe(now, id);
        }
    }

    pub(super) fn answer_subscribe(&mut self, now: Now, id: Option<&Id>) {
        self.subscribed.get_or_insert(now.mono);
        let session_id = self.extranonce1.to_string();
        // Nested like this because small miners read a fixed place; the text "mining.notify" is
        // what some firmware looks for when it tries whether a pool is back.
        let result = json!([
            [["mining.notify", session_id], ["mining.set_difficulty", session_id]],
            session_id,
            EXTRANONCE2_BYTES
        ]);
        self.answer(id, &result);
        self.begin(now);
    }

    fn authorize(&mut self, now: Now, id: Option<&Id>, params: &[Value]) {
        let text = |index: usize| params.get(index).and_then(Value::as_str).unwrap_or_default();
        let login = Login::parse(text(0), text(1));
        if let Err(words) = self.admit(now, &login) {
            return self.refuse(id, RejectReason::Unauthorized.code(), &words);
        }
        self.answer(id, &Value::Bool(true));
        self.follow_login(now, &login);
    }

    /// Takes a user name in.
    ///
    /// # Errors
    /// Why it is refused, in words for the miner.
    pub(super) fn admit(&mut self, now: Now, login: &Login) -> Result<(), String> {
        if self.workers.contains(&login.name) {
            return Ok(());
        }
        if self.workers.len() >= WORKERS_MAX {
            return Err("Too many workers".to_owned());
        }
        self.adopt_payee(now, &login.name)?;
        self.workers.push(login.name.clone());
        Ok(())
    }

    /// Does what the options of a login ask for, and begins.
    pub(super) fn follow_login(&mut self, now: Now, login: &Login) {
        if let Some(share_difficulty) = login.share_difficulty {
            self.set_wanted_target(compact::target_of_difficulty(share_difficulty));
        }
        if let Some(difficulty) = login.difficulty {
            self.fixed_difficulty = Some(difficulty);
            if let Some(mining) = &mut self.mining {
                mining.vardiff.fix(difficulty);
            }
            self.follow_wish(now, difficulty);
        }
        if let Some(terahashes) = login.terahashes
            && self.suggested_difficulty.is_none()
        {
            let per_second = self.config.vardiff.shares_per_minute / 60.0;
            let wish = terahashes * 1e12 / HASHES_PER_DIFFICULTY / per_second;
            self.suggested_difficulty = Some(wish);
            if self.fixed_difficulty.is_none() {
                self.follow_wish(now, wish);
            }
        }
        self.begin(now);
    }

    /// Source: BIP-0310.
    fn configure(&mut self, now: Now, id: Option<&Id>, params: &[Value]) {
        let nothing = Map::new();
        let values = params.get(1).and_then(Value::as_object).unwrap_or(&nothing);
        let mut result = Map::new();
        let extensions = params.first().and_then(Value::as_array);
        for extension in extensions.into_iter().flatten().filter_map(Value::as_str) {
            let answer = match extension {
                "version-rolling" => {
                    let mask = self.configure_rolling(values);
                    if mask != 0 {
                        let mask = format!("{mask:08x}");
                        result.insert("version-rolling.mask".into(), mask.into());
                    }
                    mask != 0
                }
                "minimum-difficulty" => {
                    let value = values.get("minimum-difficulty.value").and_then(number);
                    self.minimum_difficulty = value.unwrap_or(self.minimum_difficulty);
                    value.is_some()
                }
                "subscribe-extranonce" | "info" => true,
                _ => false,
            };
            result.insert(extension.to_owned(), answer.into());
        }
        self.answer(id, &Value::Object(result));
        if let Some(announced) = self.difficulty()
            && announced < self.minimum_difficulty
        {
            self.follow_wish(now, self.minimum_difficulty);
        }
    }

    /// Agrees on a mask and gives it; zero if there is nothing in common.
    fn configure_rolling(&mut self, values: &Map<String, Value>) -> u32 {
        let wanted = match values.get("version-rolling.mask") {
            None | Some(Value::Null) => u32::MAX,
            Some(mask) => mask.as_str().and_then(message::number_from_hex).unwrap_or(0),
        };
        let mask = wanted & ROLLING_MASK;
        if mask != 0 {
            self.version_mask = mask;
        }
        mask
    }

    /// A wish about the difficulty. Some miners repeat it to stay connected: only a new one counts.
    fn suggest(&mut self, now: Now, id: Option<&Id>, difficulty: Option<f64>) {
        self.answer(id, &Value::Bool(difficulty.is_some()));
        let Some(difficulty) = difficulty else { return };
        if self.suggested_difficulty == Some(difficulty) {
            return;
        }
        self.suggested_difficulty = Some(difficulty);
        if self.fixed_difficulty.is_none() {
            self.follow_wish(now, difficulty);
        }
    }
}

/// A number above zero, also if written as a text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|number| is_positive(*number)),
        Value::String(text) => positive(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn difficulty_of_target(value: &Value) -> Option<f64> {
    let text = value.as_str().filter(|text| text.len() <= 64)?;
    let is_hex = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    let target = U256::from_str_radix(text, 16).ok()?;
    Some(compact::difficulty(target))
}

/// Old clients write the wish into the method: `mining.suggest_difficulty(64)`.
fn suggestion_in_name(method: &str) -> Option<f64> {
    method.strip_prefix("mining.suggest_difficulty(")?.strip_suffix(')').and_then(positive)
}

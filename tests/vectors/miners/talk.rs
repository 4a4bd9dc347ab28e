//! One session, heard line by line by our client.

use std::collections::BTreeMap;
use std::sync::Arc;

use p2pool_sharechain::ShareHash;
use p2pool_stratum::client::{Client, ClientAction, ClientConfig, Found, Work};
use p2pool_stratum::message::{self, LINE_BYTES_MAX, Message, ParseError};
use serde_json::Value;

use crate::cases::{Cases, same};
use crate::read::{Read, bytes, text};

/// Numbers of our client's first calls.
const FIRST_CALLS: [(&str, u64); 3] =
    [("mining.configure", 1), ("mining.subscribe", 2), ("mining.authorize", 3)];

/// A line of a session.
pub(super) struct Line {
    /// Unix seconds.
    pub(super) at: f64,
    pub(super) is_from_miner: bool,
    pub(super) text: String,
    /// Null if it is no JSON.
    pub(super) json: Value,
}

/// A job handed out.
pub(super) struct Job {
    pub(super) id: String,
    /// Which line it stands in.
    pub(super) line: usize,
    pub(super) work: Arc<Work>,
}

/// A solution handed in.
pub(super) struct Submit {
    pub(super) id: u64,
    pub(super) line: usize,
    /// Which of the session's jobs it is for.
    pub(super) job: Option<usize>,
    pub(super) extranonce2: Vec<u8>,
    pub(super) time: u32,
    pub(super) nonce: u32,
    /// The sixth parameter.
    pub(super) version_bits: Option<u32>,
    /// Version of the header, as the pool puts it together.
    pub(super) version: u32,
    pub(super) hash: Option<ShareHash>,
    /// The line that answers it.
    pub(super) answer: Value,
}

impl Submit {
    /// Whether it is as miners write it: a job handed out, four bytes, bits that may be rolled.
    pub(super) fn is_regular(&self, talk: &Talk) -> bool {
        let outside = self.version_bits.unwrap_or_default() & !talk.version_mask;
        self.job.is_some() && self.extranonce2.len() == 4 && outside == 0
    }
}

/// A session as our client heard it.
pub(super) struct Talk {
    pub(super) lines: Vec<Line>,
    pub(super) jobs: Vec<Job>,
    pub(super) submits: Vec<Submit>,
    /// User name and password.
    pub(super) login: (String, String),
    /// Number of the call that says them.
    pub(super) authorize_id: Value,
    pub(super) version_mask: u32,
    client: Client,
    /// Number of each recorded call among the client's.
    numbers: BTreeMap<u64, u64>,
}

impl Talk {
    /// Plays a recorded session through our client, a case per line.
    pub(super) fn hear(session: &Value, cases: &mut Cases) -> Result<Self, String> {
        let name = session.text("name")?;
        let lines: Vec<Line> =
            session.list("lines")?.iter().map(Line::read).collect::<Result<_, _>>()?;
        let call = |method: &str| lines.iter().find(|line| line.json["method"] == method);
        let parameter = |method: &str, index: usize| {
            call(method).and_then(|line| line.json["params"][index].as_str()).unwrap_or_default()
        };
        let login = (parameter("mining.authorize", 0), parameter("mining.authorize", 1));
        let config = ClientConfig {
            user: login.0.to_owned(),
            password: login.1.to_owned(),
            user_agent: parameter("mining.subscribe", 0).to_owned(),
        };
        let mut talk = Self {
            login: (config.user.clone(), config.password.clone()),
            authorize_id: call("mining.authorize")
                .map(|line| line.json["id"].clone())
                .unwrap_or_default(),
            lines: Vec::new(),
            jobs: Vec::new(),
            submits: Vec::new(),
            version_mask: 0,
            client: Client::new(config),
            numbers: BTreeMap::new(),
        };
        cases.run(&format!("{name} greeting"), || talk.greeting(&lines));
        for (index, line) in lines.iter().enumerate() {
            cases.run(&format!("{name} line {index}"), || {
                if line.is_from_miner {
                    talk.hear_miner(line, index)
                } else {
                    talk.hear_pool(line, index)
                }
            });
        }
        talk.lines = lines;
        Ok(talk)
    }

    /// What our client says first is what the recorded miner says.
    fn greeting(&mut self, lines: &[Line]) -> Result<(), String> {
        for (method, _) in FIRST_CALLS {
            let Some(ClientAction::Send(ours)) = self.client.poll() else {
                return Err(format!("the client does not call {method}"));
            };
            let ours: Value = serde_json::from_slice(&ours).map_err(|e| e.to_string())?;
            same("method", &method, &ours["method"].as_str().unwrap_or_default())?;
            let recorded = lines.iter().find(|line| line.json["method"] == method);
            // Both ask for version rolling, ours for no more bits than there are.
            if let Some(line) = recorded.filter(|_| method != "mining.configure") {
                same(method, &line.json["params"], &ours["params"])?;
            }
        }
        Ok(())
    }

    fn hear_miner(&mut self, line: &Line, index: usize) -> Result<(), String> {
        let parsed = message::parse(line.text.as_bytes(), LINE_BYTES_MAX);
        if line.json.is_null() {
            let is_refused = matches!(parsed, Err(ParseError::NotAnObject(_)));
            return same("is refused", &true, &is_refused);
        }
        let number = line.json.whole("id")?;
        let expected = Message::Request {
            id: Some(message::Id::number(number)),
            method: line.json.text("method")?.to_owned(),
            params: line.json.list("params")?.to_vec(),
        };
        same("message", &Ok(expected), &parsed)?;
        let method = line.json.text("method")?;
        if let Some((_, ours)) = FIRST_CALLS.iter().find(|(name, _)| *name == method) {
            self.numbers.insert(number, *ours);
        }
        if method == "mining.submit" { self.submit(line, index, number) } else { Ok(()) }
    }

    fn submit(&mut self, line: &Line, index: usize, id: u64) -> Result<(), String> {
        let params = line.json.list("params")?;
        let parameter = |index: usize| text(params.get(index).ok_or("a parameter is missing")?);
        let number = |index: usize| {
            u32::from_str_radix(parameter(index)?, 16)
                .map_err(|e| format!("parameter {index}: {e}"))
        };
        let job_id = parameter(1)?.to_owned();
        let job = self.jobs.iter().position(|job| job.id == job_id);
        let version_bits = params.get(5).map(|_| number(5)).transpose()?;
        let mut submit = Submit {
            id,
            line: index,
            job,
            extranonce2: bytes(parameter(2)?)?,
            time: number(3)?,
            nonce: number(4)?,
            version_bits,
            version: 0,
            hash: None,
            answer: Value::Null,
        };
        let mut rolled = version_bits.unwrap_or_default();
        if let Some(Job { work, .. }) = job.map(|job| &self.jobs[job]) {
            rolled = version_bits.unwrap_or(work.notify.version);
            submit.version = work.version(rolled);
            let root = work.merkle_root(&submit.extranonce2);
            let header = work.notify.header(&root, submit.version, submit.time, submit.nonce);
            submit.hash = Some(ShareHash::of_header(&header));
        }
        self.client.submit(&Found {
            job_id,
            extranonce2: submit.extranonce2.clone(),
            time: submit.time,
            nonce: submit.nonce,
            version_bits: rolled,
        });
        let Some(ClientAction::Send(ours)) = self.client.poll() else {
            return Err("the client does not submit".to_owned());
        };
        let ours: Value = serde_json::from_slice(&ours).map_err(|e| e.to_string())?;
        self.numbers.insert(id, ours.whole("id")?);
        let is_usual = version_bits.is_some() == (self.version_mask != 0);
        let is_regular = submit.is_regular(self) && is_usual;
        self.submits.push(submit);
        if is_regular { same("submit", &line.json["params"], &ours["params"]) } else { Ok(()) }
    }

    fn hear_pool(&mut self, line: &Line, index: usize) -> Result<(), String> {
        let mut json = line.json.clone();
        if json.get("method").is_none() {
            let Some(number) = json["id"].as_u64() else { return Ok(()) };
            if let Some(submit) = self.submits.iter_mut().find(|submit| submit.id == number) {
                submit.answer = json.clone();
            }
            // Calls that our client does not make.
            let Some(ours) = self.numbers.get(&number) else { return Ok(()) };
            json["id"] = Value::from(*ours);
        }
        self.client.handle_line(json.to_string().as_bytes());
        let actions: Vec<ClientAction> = std::iter::from_fn(|| self.client.poll()).collect();
        let method = json["method"].as_str();
        match (actions.as_slice(), method, json["id"].as_u64()) {
            ([ClientAction::Work(work)], Some("mining.notify"), _) => {
                self.version_mask = work.version_mask;
                let id = work.notify.job_id.clone();
                let again: Value = serde_json::from_slice(&work.notify.to_line())
                    .map_err(|e| format!("the job written again: {e}"))?;
                self.jobs.push(Job { id, line: index, work: Arc::clone(work) });
                same("job written again", &json["params"], &again["params"])
            }
            ([], Some("mining.set_difficulty"), _) | ([], None, Some(1 | 2)) => Ok(()),
            ([ClientAction::Authorized], None, Some(3)) => Ok(()),
            ([ClientAction::Accepted { .. }], None, Some(_)) => {
                same("result", &Value::Bool(true), &json["result"])
            }
            ([ClientAction::Rejected { code, .. }], None, Some(_)) => {
                same("was refused", &true, &(json["result"] != Value::Bool(true)))?;
                same("code", &json["error"]["code"].as_i64(), code)
            }
            _ => Err(format!("the client makes of it: {actions:?}")),
        }
    }
}

impl Line {
    fn read(entry: &Value) -> Result<Self, String> {
        let direction = text(entry.get(1).ok_or("a line without direction")?)?;
        let is_from_miner = match direction {
            "miner->pool" => true,
            "pool->miner" => false,
            other => return Err(format!("{other} is no direction")),
        };
        let line = text(entry.get(2).ok_or("a line without text")?)?;
        Ok(Self {
            at: entry.get(0).and_then(Value::as_f64).ok_or("a line without time")?,
            is_from_miner,
            text: line.to_owned(),
            json: serde_json::from_str(line).unwrap_or_default(),
        })
    }
}

//! What both pools answer: the recorded one, and our server.

use p2pool_stratum::Action;
use serde_json::{Value, json};

use super::again::EXTRANONCE1;
use crate::cases::same;
use crate::read::bytes;

/// What the recorded pool answers to what it does not take: JSON-RPC's codes.
pub(super) const REFUSED: i64 = -32_099;
const NO_SUCH_METHOD: i64 = -32_601;
pub(super) const NO_JSON: i64 = -32_700;

/// Compares the answers to all calls but submit.
pub(super) fn answered(method: &str, theirs: &Value, ours: &Value) -> Result<(), String> {
    match method {
        "mining.authorize" | "mining.configure" => same(method, &theirs["result"], &ours["result"]),
        "mining.subscribe" => subscribed(&theirs["result"], &ours["result"]),
        // Taken, where the recorded pool knows no such thing.
        "mining.extranonce.subscribe" | "mining.suggest_difficulty" => {
            same("recorded refusal", &Some(NO_SUCH_METHOD), &code_of(theirs))?;
            same(method, &json!(true), &ours["result"])
        }
        _ => {
            same("recorded refusal", &Some(NO_SUCH_METHOD), &code_of(theirs))?;
            same(method, &json!(20), &ours["error"][0])
        }
    }
}

/// Both leave four bytes to the miner. The recorded pool puts its own part into the job; there
/// are miners that give up on an empty one in the subscription.
fn subscribed(theirs: &Value, ours: &Value) -> Result<(), String> {
    same("recorded subscription", &json!("mining.notify"), &theirs[0][0])?;
    same("recorded extranonce1", &json!(""), &theirs[1])?;
    same("extranonce2 bytes", &theirs[2], &ours[2])?;
    same("subscription", &json!("mining.notify"), &ours[0][0][0])?;
    same("extranonce1", &EXTRANONCE1.to_bytes().to_vec(), &bytes(ours.pick(1)?)?)
}

/// Texts within lists.
trait Pick {
    fn pick(&self, index: usize) -> Result<&str, String>;
}

impl Pick for Value {
    fn pick(&self, index: usize) -> Result<&str, String> {
        self[index].as_str().ok_or(format!("element {index} is no text"))
    }
}

pub(super) fn code_of(answer: &Value) -> Option<i64> {
    answer["error"]["code"].as_i64()
}

/// Our lines among actions.
pub(super) fn sent(actions: &[Action]) -> Vec<Value> {
    let lines = actions.iter().filter_map(|action| {
        let Action::Send(line) = action else { return None };
        serde_json::from_slice(line).ok()
    });
    lines.collect()
}

/// Our answer to a call, null if there is none; the session must not end.
pub(super) fn answer_to(id: &Value, actions: &[Action]) -> Result<Value, String> {
    let end = actions.iter().find(|action| matches!(action, Action::Close(_)));
    if let Some(end) = end {
        return Err(format!("the session ends: {end:?}"));
    }
    let is_answer = |line: &Value| line.get("method").is_none() && line["id"] == *id;
    let mut answers: Vec<Value> = sent(actions).into_iter().filter(is_answer).collect();
    same("at most one answer", &true, &(answers.len() <= 1))?;
    Ok(answers.pop().unwrap_or_default())
}

//! One JSON object a line: reading what the other side sends, writing what it gets.
//!
//! Reading is lenient where miners in the field are odd (ids of any type, missing or null
//! parameters) and strict in what keeps the reader safe: size, depth, and one object per line.
//! Writing keeps to what the smallest JSON parsers understand: ASCII keys, no blanks, nothing extra.
//!
//! Source: `docs/stratum.md`, section 1.

use std::fmt::Write as _;
use std::io::Write as _;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::submit::RejectReason;

/// Longest line that an authorized miner may send.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// Longest line before authorization: an unknown sender gets less memory.
pub const LINE_BYTES_BEFORE_AUTHORIZE_MAX: usize = 8 * 1024;
/// Longest line that a client takes from a pool: a large coinbase twice over in hex, and a branch.
pub const POOL_LINE_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 8;
/// Longest `id`, as text; it is echoed.
pub const ID_BYTES_MAX: usize = 128;

/// The `id` of a request, kept letter by letter so that the answer carries the same type and value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// The id that is this number.
    pub fn number(number: u64) -> Self {
        Self(number.to_string())
    }

    /// The id of an answer to what had none.
    pub fn null() -> Self {
        Self("null".to_owned())
    }

    /// The id as JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The id as a number, if it is one or a string that spells one.
    pub fn to_number(&self) -> Option<u64> {
        self.0.trim_matches('"').parse().ok()
    }
}

/// A line, understood as far as the envelope.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A call. Without an id it is a notification: carried out, never answered.
    Request {
        /// What the answer must carry.
        id: Option<Id>,
        /// Method name as sent.
        method: String,
        /// Parameters; empty when missing, null or no array.
        params: Vec<Value>,
    },
    /// The answer to a call of ours.
    Response {
        /// The id of that call.
        id: Option<Id>,
        /// What came back; null on failure.
        result: Value,
        /// Why it failed; null on success.
        error: Value,
    },
}

/// Why a line is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// More bytes than allowed.
    #[error("a line of {bytes} bytes, {bytes_max} are allowed")]
    TooLong {
        /// Size of the line.
        bytes: usize,
        /// Largest size allowed.
        bytes_max: usize,
    },
    /// Arrays and objects inside one another beyond [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// No JSON object.
    #[error("no JSON object: {0}")]
    NotAnObject(String),
    /// The `id` is an array or object, or long.
    #[error("an id that is no short number or string")]
    BadId,
    /// The `method` is no string.
    #[error("a method that is no string")]
    BadMethod,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Value,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Value,
}

/// Parses one line, with or without its line end.
///
/// # Errors
/// Whatever is no JSON object within the limits. Input of any kind never panics.
pub fn parse(line: &[u8], bytes_max: usize) -> Result<Message, ParseError> {
    if line.len() > bytes_max {
        return Err(ParseError::TooLong { bytes: line.len(), bytes_max });
    }
    let line = line.trim_ascii();
    if line.first() != Some(&b'{') {
        // A derived reader would also take an array for the object.
        return Err(ParseError::NotAnObject("it does not start with a brace".into()));
    }
    if depth(line) > DEPTH_MAX {
        return Err(ParseError::TooDeep);
    }
    let envelope: Envelope<'_> =
        serde_json::from_slice(line).map_err(|error| ParseError::NotAnObject(error.to_string()))?;
    let id = envelope.id.map(parse_id).transpose()?;
    match envelope.method {
        Value::String(method) => {
            let params = match envelope.params {
                Value::Array(params) => params,
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_) => Vec::new(),
            };
            Ok(Message::Request { id, method, params })
        }
        Value::Null => Ok(Message::Response { id, result: envelope.result, error: envelope.error }),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(ParseError::BadMethod)
        }
    }
}

fn parse_id(raw: &RawValue) -> Result<Id, ParseError> {
    plain_id(raw).map(|text| Id(text.to_owned())).ok_or(ParseError::BadId)
}

/// The text of an id that may be echoed.
pub(crate) fn plain_id(raw: &RawValue) -> Option<&str> {
    let text = raw.get();
    (!text.starts_with(['[', '{']) && text.len() <= ID_BYTES_MAX).then_some(text)
}

/// Deepest nesting in a text that may or may not be JSON.
fn depth(text: &[u8]) -> usize {
    let (mut level, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Answers a request.
pub fn answer(id: &Id, result: &Value) -> Vec<u8> {
    format!("{{\"id\":{},\"result\":{result},\"error\":null}}\n", id.as_json()).into_bytes()
}

/// Refuses a request; `code` and `text` as [`RejectReason`] has them.
pub fn refusal(id: &Id, code: u8, text: &str) -> Vec<u8> {
    let text = Value::from(text);
    format!("{{\"id\":{},\"result\":null,\"error\":[{code},{text},null]}}\n", id.as_json())
        .into_bytes()
}

/// Answers a submit; `id` as JSON text.
pub(crate) fn verdict(id: &str, outcome: Result<(), RejectReason>) -> Vec<u8> {
    let (start, result, end) = ("{\"id\":", ",\"result\":true,\"error\":null}\n", "null]}\n");
    let mut line = Vec::with_capacity(id.len() + 80);
    line.extend_from_slice(start.as_bytes());
    line.extend_from_slice(id.as_bytes());
    match outcome {
        Ok(()) => line.extend_from_slice(result.as_bytes()),
        Err(reason) => {
            let (code, text) = (reason.code(), reason.text());
            write!(line, ",\"result\":null,\"error\":[{code},\"{text}\",{end}")
                .expect("writing to memory succeeds");
        }
    }
    line
}

/// Tells something without wanting an answer. `params` are JSON texts.
pub fn notification(method: &str, params: &[String]) -> Vec<u8> {
    call("null", method, params)
}

/// Asks something. `params` are JSON texts.
pub fn request(id: &Id, method: &str, params: &[String]) -> Vec<u8> {
    call(id.as_json(), method, params)
}

fn call(id: &str, method: &str, params: &[String]) -> Vec<u8> {
    format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":[{}]}}\n", params.join(","))
        .into_bytes()
}

/// A difficulty as JSON: whole numbers without a point, small ones without an exponent.
///
/// Old firmware reads an integer there; some parsers know no exponents.
pub fn difficulty_text(difficulty: f64) -> String {
    debug_assert!(difficulty.is_finite() && difficulty > 0.0);
    format!("{difficulty}")
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string succeeds");
        text
    })
}

/// Bytes from hex digits of either case; `None` for an odd number of digits or anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| Some(hex_digit(*pair.first()?)? << 4 | hex_digit(*pair.last()?)?))
        .collect()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A 32-bit number from 1 to 8 hex digits of either case: no prefix, sign or blank.
///
/// Fewer than 8 digits are what NerdMiner sends for one nonce in sixteen.
pub(crate) fn number_from_hex(text: &str) -> Option<u32> {
    let is_hex = text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex || !(1..=8).contains(&text.len()) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests;

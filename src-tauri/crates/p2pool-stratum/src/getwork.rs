//! getwork on the wire: how miners asked for work before Stratum, one header at a time.
//!
//! A piece of work is a header as SHA-256 takes it, padding included, each four bytes turned
//! around; what comes back is the same text with another nonce, and perhaps another time.
//! Source: protocol notes, mining.md section 8; the recorded answers in the tests below.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p2pool_sharechain::U256;
use p2pool_sharechain::hash_link::HashLinkEngine;
use serde_json::{Value, json};

use crate::message::{self, Id, Message, from_hex, hex};

/// Longest call that is read.
pub const CALL_BYTES_MAX: usize = 4096;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 80;
/// Code of the answer when there is no work.
pub const NO_WORK_CODE: i32 = -12345;

/// Bytes of a header with its padding.
const DATA_BYTES: usize = 128;
/// What was sent so that miners need not know how the second hash begins.
const HASH1: &str = "0000000000000000000000000000000000000000000000000000000000000000\
                     0000008000000000000000000000000000000000000000000000000000010000";

/// A header to hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The header, nonce zero.
    pub header: [u8; HEADER_BYTES],
    /// What its hash must not be above.
    pub target: U256,
    /// A name that says nothing; some miners log it.
    pub identifier: String,
}

impl Work {
    /// The `result` of a call.
    pub fn to_json(&self) -> Value {
        let first: &[u8; 64] = self.header.first_chunk().expect("a header is longer");
        let midstate = HashLinkEngine::new(first).midstate().state;
        json!({
            "data": hex(&padded(&self.header)),
            "hash1": HASH1,
            "midstate": hex(&words_reversed(midstate)),
            "target": hex(&self.target.to_le_bytes::<32>()),
            "identifier": self.identifier,
            "submitold": true,
        })
    }
}

/// What a miner wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Something to work on.
    Work,
    /// To hand in a header; `None` if what was sent is none.
    Submit(Option<[u8; HEADER_BYTES]>),
}

/// A call of a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What the answer must carry.
    pub id: Id,
    /// What it is about.
    pub wish: Wish,
}

/// Why a request is no call that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No call at all.
    #[error("no call: {0}")]
    Unreadable(#[from] message::ParseError),
    /// Neither work nor anything else that is known here.
    #[error("no method but getwork")]
    OtherMethod {
        /// What the answer must carry.
        id: Id,
    },
}

impl CallError {
    /// The answer's id and code. Source: JSON-RPC 2.0, section 5.1.
    pub fn id_and_code(&self) -> (Id, i32) {
        match self {
            Self::Unreadable(_) => (Id::null(), -32700),
            Self::OtherMethod { id } => (id.clone(), -32601),
        }
    }
}

impl Call {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// What is no call, or one of something else.
    pub fn parse(body: &[u8]) -> Result<Self, CallError> {
        let (id, method, params) = match message::parse(body, CALL_BYTES_MAX)? {
            Message::Request { id, method, params } => {
                (id.unwrap_or_else(Id::null), method, params)
            }
            Message::Response { id, .. } => {
                return Err(CallError::OtherMethod { id: id.unwrap_or_else(Id::null) });
            }
        };
        if method != "getwork" {
            return Err(CallError::OtherMethod { id });
        }
        let wish = match params.first() {
            None | Some(Value::Null) => Wish::Work,
            Some(data) => Wish::Submit(data.as_str().and_then(header_of)),
        };
        Ok(Self { id, wish })
    }
}

/// User name and password in an `Authorization` header. Source: RFC 7617.
pub fn credentials(header: &str) -> Option<(String, String)> {
    let (scheme, digits) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(digits.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':').unwrap_or((&text, ""));
    Some((user.to_owned(), password.to_owned()))
}

/// An answer that something went wrong.
pub fn failure(id: &Id, code: i32, text: &str) -> Vec<u8> {
    let error = json!({ "code": code, "message": text });
    format!("{{\"id\":{},\"result\":null,\"error\":{error}}}\n", id.as_json()).into_bytes()
}

/// Header and padding as they travel.
fn padded(header: &[u8; HEADER_BYTES]) -> [u8; DATA_BYTES] {
    let mut data = [0; DATA_BYTES];
    data[..HEADER_BYTES].copy_from_slice(header);
    data[HEADER_BYTES] = 0x80;
    let bits = 8 * HEADER_BYTES as u64;
    data[DATA_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
    words_reversed(data)
}

/// The header in what a miner hands in, with its padding or without.
fn header_of(data: &str) -> Option<[u8; HEADER_BYTES]> {
    if !(2 * HEADER_BYTES..=2 * DATA_BYTES).contains(&data.len()) {
        return None;
    }
    let bytes = from_hex(data)?;
    bytes.first_chunk::<HEADER_BYTES>().copied().map(words_reversed)
}

/// Turns around the bytes within each group of four; its own inverse.
fn words_reversed<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Answers of a Bitcoin node of 2011 and of a pool of 2013, as quoted in public forums: the
    /// data without its padding, the midstate and the target.
    const RECORDED: [[&str; 3]; 2] = [
        [
            "000000013d9dcbbc2d120137c5b1cb1da96bd45b249fd1014ae2c2b400001511000000009726fba0\
             01940ebb5c04adc4450bdc0c20b50db44951d9ca22fc5e75d51d501f4deec2711a1d932f00000000",
            "695d56ae173bbd0fd5f51d8f7753438b940b7cdd61eb62039036acd1af5e51e3",
            "00000000000000000000000000000000000000000000002f931d000000000000",
        ],
        [
            "00000002df54a70cd769d78b9605c0a6574638db799e86bdd1183cfc000001c2000000009e7ed0ae\
             4ccdb1dbf283f4ab608791f21b1a5f437f405f4f9ba0bb3b693506a95169d43c1a022fbe00000000",
            "24a747c3d16eadbc1481bd342b5558b2e235301c11353faf4bc25a384102c9c9",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000",
        ],
    ];
    const PADDING: &str = "000000800000000000000000000000000000000000000000\
                           000000000000000000000000000000000000000080020000";

    fn target_of(text: &str) -> U256 {
        U256::from_le_slice(&from_hex(text).unwrap())
    }

    #[test]
    fn work_is_written_as_others_have_written_it() {
        for [data, midstate, target] in RECORDED {
            let header = header_of(data).unwrap();
            let work = Work { header, target: target_of(target), identifier: "1".into() };
            let json = work.to_json();
            assert_eq!(json["data"], format!("{data}{PADDING}"));
            assert_eq!(json["midstate"], midstate);
            assert_eq!(json["target"], target);
            assert_eq!(json["hash1"].as_str().unwrap().len(), 128);
        }
    }

    #[test]
    fn header_in_recorded_work_has_its_fields_in_place() {
        let header = header_of(RECORDED[0][0]).unwrap();
        assert_eq!(header[..4], [1, 0, 0, 0], "version 1");
        assert_eq!(header[32..36], [0; 4], "a block hash ends with zeros");
        assert_eq!(header[72..76], 0x1a1d_932f_u32.to_le_bytes(), "as in its target");
    }

    #[test]
    fn calls_are_told_apart() {
        let parse = |text: &str| Call::parse(text.as_bytes());
        let work = Call { id: Id::number(7), wish: Wish::Work };
        assert_eq!(parse(r#"{"method":"getwork","params":[],"id":7}"#), Ok(work.clone()));
        assert_eq!(parse(r#"{"jsonrpc":"2.0","id":7,"method":"getwork"}"#), Ok(work));
        let [data, ..] = RECORDED[0];
        for text in [data.to_owned(), format!("{data}{PADDING}")] {
            let text = json!({ "method": "getwork", "params": [text], "id": null }).to_string();
            let wish = Wish::Submit(header_of(data));
            assert_eq!(parse(&text), Ok(Call { id: Id::null(), wish }));
        }
        for data in [json!(5), json!("zz"), json!(""), json!("0".repeat(159))] {
            let text = json!({ "method": "getwork", "params": [data], "id": 1 }).to_string();
            assert_eq!(parse(&text).unwrap().wish, Wish::Submit(None));
        }
    }

    #[test]
    fn what_is_no_call_is_answered_as_such() {
        for (text, code) in [
            ("", -32700),
            ("[]", -32700),
            (r#"{"method":"getblock","id":"a"}"#, -32601),
            (r#"{"id":"a"}"#, -32601),
        ] {
            let error = Call::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.id_and_code().1, code, "{text}");
        }
        let answer = failure(&Id::number(3), NO_WORK_CODE, "no \"work\"");
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["error"]["code"], -12345);
        assert_eq!((&answer["id"], &answer["result"]), (&json!(3), &Value::Null));
    }

    #[test]
    fn logins_are_read_as_in_the_rfc() {
        let read =
            |header: &str| credentials(header).map(|(user, password)| format!("{user} {password}"));
        let aladdin = Some("Aladdin open sesame".to_owned());
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin);
        assert_eq!(read("basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ== "), aladdin);
        assert_eq!(read("Basic YQ=="), Some("a ".to_owned()), "no password is none");
        assert_eq!(read("Basic YTpiOmM="), Some("a b:c".to_owned()));
        for bad in ["", "Basic", "Basic ?", "Bearer YTpi", "Basic /w=="] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn header_survives_the_journey(header in prop::collection::vec(any::<u8>(), 80)) {
            let header: [u8; 80] = header.try_into().unwrap();
            let work = Work { header, target: U256::ZERO, identifier: String::new() };
            let data = work.to_json()["data"].as_str().unwrap().to_owned();
            prop_assert_eq!(header_of(&data), Some(header));
            prop_assert_eq!(header_of(&data.to_uppercase()), Some(header));
        }
    }
}

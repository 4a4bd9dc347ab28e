//! Reading `mining.submit`, and every way in which it can be refused.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::extranonce::EXTRANONCE2_BYTES;
use crate::message::{number_from_hex, plain_id};

/// Why a solution was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RejectReason {
    /// Parameters missing or not what they should be.
    Malformed,
    /// Another number of extranonce bytes than agreed.
    ExtranonceSize,
    /// Version bits outside what may be rolled.
    VersionBits,
    /// Header time outside what Bitcoin allows.
    TimeOutOfRange,
    /// More solutions for one job than are kept.
    TooManySolutions,
    /// A job that was never handed out or is long gone.
    UnknownJob,
    /// A job of the former Bitcoin tip.
    Stale,
    /// The same solution again.
    Duplicate,
    /// Above the target of its job.
    LowDifficulty,
    /// A user name that is not authorized on this connection.
    Unauthorized,
    /// Not subscribed.
    NotSubscribed,
}

impl RejectReason {
    /// The code in the answer.
    pub fn code(self) -> u8 {
        match self {
            Self::Malformed
            | Self::ExtranonceSize
            | Self::VersionBits
            | Self::TimeOutOfRange
            | Self::TooManySolutions => 20,
            Self::UnknownJob | Self::Stale => 21,
            Self::Duplicate => 22,
            Self::LowDifficulty => 23,
            Self::Unauthorized => 24,
            Self::NotSubscribed => 25,
        }
    }

    /// The text in the answer, shown on the miner's own page.
    pub fn text(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed submit",
            Self::ExtranonceSize => "Wrong extranonce2 size",
            Self::VersionBits => "Version bits outside mask",
            Self::TimeOutOfRange => "Time out of range",
            Self::TooManySolutions => "Too many shares for this job",
            Self::UnknownJob => "Job not found",
            Self::Stale => "Stale",
            Self::Duplicate => "Duplicate share",
            Self::LowDifficulty => "Low difficulty share",
            Self::Unauthorized => "Unauthorized worker",
            Self::NotSubscribed => "Not subscribed",
        }
    }
}

/// The parameters of a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Submit<'a> {
    /// User name; empty if missing.
    pub(crate) user: &'a str,
    pub(crate) job_id: &'a str,
    pub(crate) extranonce2: [u8; EXTRANONCE2_BYTES],
    pub(crate) time: u32,
    pub(crate) nonce: u32,
    /// Version bits that were rolled; zero if missing or empty.
    pub(crate) version_bits: u32,
}

/// Parameters of a submit; more are ignored.
const PARAMS_MAX: usize = 6;

impl<'a> Submit<'a> {
    /// Reads five or six parameters; more are ignored.
    pub(crate) fn parse(params: &'a [Value]) -> Result<Self, RejectReason> {
        let mut texts = [None; PARAMS_MAX];
        for (text, param) in texts.iter_mut().zip(params) {
            *text = param.as_str();
        }
        if params.get(5).is_some_and(|bits| !bits.is_null() && !bits.is_string()) {
            return Err(RejectReason::Malformed);
        }
        Self::from_texts(texts)
    }

    fn from_texts(texts: [Option<&'a str>; PARAMS_MAX]) -> Result<Self, RejectReason> {
        let [user, job_id, extranonce2, time, nonce, bits] = texts;
        let text = |text: Option<&'a str>| text.ok_or(RejectReason::Malformed);
        let number = |digits| number_from_hex(text(digits)?).ok_or(RejectReason::Malformed);
        Ok(Self {
            user: user.unwrap_or_default(),
            job_id: text(job_id)?,
            extranonce2: extranonce2_from_hex(text(extranonce2)?)?,
            time: number(time)?,
            nonce: number(nonce)?,
            version_bits: match bits {
                None | Some("") => 0,
                bits => number(bits)?,
            },
        })
    }
}

fn extranonce2_from_hex(text: &str) -> Result<[u8; EXTRANONCE2_BYTES], RejectReason> {
    if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) || !text.len().is_multiple_of(2) {
        return Err(RejectReason::Malformed);
    }
    if text.len() != 2 * EXTRANONCE2_BYTES {
        return Err(RejectReason::ExtranonceSize);
    }
    number_from_hex(text).map(u32::to_be_bytes).ok_or(RejectReason::Malformed)
}

/// A submit in the form that nearly all miners send, read where it lies, without copies.
///
/// Whatever this does not read (escapes, numbers for texts, nulls, keys twice) the general reader
/// gets: it decides what is an error.
#[derive(Deserialize)]
pub(crate) struct PlainSubmit<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: &'a str,
    #[serde(borrow)]
    params: Texts<'a>,
}

/// The first texts of a list of nothing but texts.
struct Texts<'a>([Option<&'a str>; PARAMS_MAX]);

impl<'a> PlainSubmit<'a> {
    /// The submit of this line, if it is one and plain.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let line: Self = serde_json::from_slice(line).ok()?;
        (line.method == "mining.submit" && line.id.is_none_or(|id| plain_id(id).is_some()))
            .then_some(line)
    }

    /// The id to echo, as JSON text.
    pub(crate) fn id(&self) -> Option<&'a str> {
        self.id.and_then(plain_id)
    }

    /// What is submitted.
    pub(crate) fn submit(&self) -> Result<Submit<'a>, RejectReason> {
        Submit::from_texts(self.params.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut texts = [None; PARAMS_MAX];
                for text in &mut texts {
                    *text = list.next_element()?;
                    if text.is_none() {
                        return Ok(Texts(texts));
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_seq(Reader)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(params: &Value) -> Result<(u32, u32, u32), RejectReason> {
        Submit::parse(params.as_array().unwrap())
            .map(|submit| (submit.time, submit.nonce, submit.version_bits))
    }

    #[test]
    fn short_nonces_are_numbers_too() {
        assert_eq!(
            parse(&json!(["u", "1", "00000001", "66000000", "ab12"])),
            Ok((0x6600_0000, 0xab12, 0))
        );
    }

    #[test]
    fn sixth_parameter_may_be_missing_null_empty_or_there() {
        for (sixth, bits) in [(json!(null), 0), (json!(""), 0), (json!("00C00000"), 0x00c0_0000)] {
            assert_eq!(
                parse(&json!(["u", "1", "00000001", "66000000", "0", sixth, "more"])),
                Ok((0x6600_0000, 0, bits))
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for params in [
            json!([]),
            json!(["u", "1", "00000001", "66000000"]),
            json!(["u", null, "00000001", "66000000", "0"]),
            json!(["u", "1", "0000000x", "66000000", "0"]),
            json!(["u", "1", "00000001", "0x660000", "0"]),
            json!(["u", "1", "00000001", "66000000", "123456789"]),
            json!(["u", "1", "00000001", "66000000", ""]),
            json!(["u", "1", "00000001", "66000000", 5]),
            json!(["u", "1", "00000001", "66000000", "0", "xyz"]),
            json!(["u", "1", "00000001", "66000000", "0", 1]),
        ] {
            assert_eq!(parse(&params), Err(RejectReason::Malformed), "{params}");
        }
        for extranonce2 in ["", "000001", "0000000001"] {
            assert_eq!(
                parse(&json!(["u", "1", extranonce2, "66000000", "0"])),
                Err(RejectReason::ExtranonceSize)
            );
        }
    }

    #[test]
    fn plain_form_is_read_as_the_general_one() {
        let read = |line: &str| {
            PlainSubmit::parse(line.as_bytes())
                .map(|plain| (plain.id().map(str::to_owned), plain.submit().map(|s| s.nonce)))
        };
        let params = r#"["u","1","00000001","66000000","ab","00c00000","more"]"#;
        let line = format!(r#" {{"id":"x","method":"mining.submit","params":{params}}} "#);
        assert_eq!(read(&line), Some((Some("\"x\"".into()), Ok(0xab))));
        let line = r#"{"params":["u","1"],"method":"mining.submit","id":null,"more":[1]}"#;
        assert_eq!(read(line), Some((None, Err(RejectReason::Malformed))));
        for strange in [
            r#"{"id":1,"method":"mining.ping","params":["a"]}"#,
            r#"{"id":[1],"method":"mining.submit","params":["a"]}"#,
            r#"{"id":1,"id":2,"method":"mining.submit","params":["a"]}"#,
            r#"{"id":1,"method":"mining.submit","params":["a",5]}"#,
            r#"{"id":1,"method":"mining.submit","params":["a\n"]}"#,
            r#"{"id":1,"method":"mining.submit"}"#,
            r#"{"id":1,"method":"mining.submit","params":["a"]} {}"#,
        ] {
            assert_eq!(read(strange), None, "{strange}");
        }
    }

    #[test]
    fn codes_are_those_that_miners_know() {
        use RejectReason::*;
        for (reason, code) in [
            (Malformed, 20),
            (ExtranonceSize, 20),
            (VersionBits, 20),
            (TimeOutOfRange, 20),
            (TooManySolutions, 20),
            (UnknownJob, 21),
            (Stale, 21),
            (Duplicate, 22),
            (LowDifficulty, 23),
            (Unauthorized, 24),
            (NotSubscribed, 25),
        ] {
            assert_eq!(reason.code(), code);
        }
    }
}

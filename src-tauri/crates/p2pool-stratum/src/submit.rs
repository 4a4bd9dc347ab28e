//! Reading `mining.submit`, and every way in which it can be refused.

use serde_json::Value;

use crate::extranonce::EXTRANONCE2_BYTES;
use crate::message::{from_hex, number_from_hex};

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

impl<'a> Submit<'a> {
    /// Reads five or six parameters; more are ignored.
    pub(crate) fn parse(params: &'a [Value]) -> Result<Self, RejectReason> {
        let text =
            |index: usize| params.get(index).and_then(Value::as_str).ok_or(RejectReason::Malformed);
        let number = |index| number_from_hex(text(index)?).ok_or(RejectReason::Malformed);
        let extranonce2 = from_hex(text(2)?).ok_or(RejectReason::Malformed)?;
        let version_bits = match params.get(5) {
            None | Some(Value::Null) => 0,
            Some(_) if text(5)?.is_empty() => 0,
            Some(_) => number(5)?,
        };
        Ok(Self {
            user: params.first().and_then(Value::as_str).unwrap_or_default(),
            job_id: text(1)?,
            extranonce2: extranonce2.try_into().map_err(|_| RejectReason::ExtranonceSize)?,
            time: number(3)?,
            nonce: number(4)?,
            version_bits,
        })
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

//! `mining.notify`: a job on the wire, written by the server and read by the client.
//!
//! Source: `docs/stratum.md`, section 4.

use bitcoin::hashes::{Hash as _, HashEngine as _, sha256d};
use p2pool_sharechain::Hash32;
use serde_json::Value;

use crate::message::{self, from_hex, hex};

/// Most branch elements that are read; a block of 2^32 transactions has 32.
const BRANCH_MAX: usize = 32;
/// Longest job id that is read.
const JOB_ID_BYTES_MAX: usize = 256;

/// Everything that a miner needs to build headers, less what it chooses itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Opaque name of the job.
    pub job_id: String,
    /// Previous block, internal order.
    pub previous_block: Hash32,
    /// Coinbase transaction without witness, up to the extranonces.
    pub coinbase_prefix: Vec<u8>,
    /// The rest of it.
    pub coinbase_suffix: Vec<u8>,
    /// Merkle branch from the coinbase up, internal order.
    pub branch: Vec<Hash32>,
    /// Header version, rolling bits clear if the server knows about rolling.
    pub version: u32,
    /// Compact network target.
    pub bits: u32,
    /// Header time to start from.
    pub time: u32,
    /// Whether older jobs are worthless.
    pub clean: bool,
}

/// Which field of a notification cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable job: {field}")]
pub struct NotifyError {
    field: &'static str,
}

impl Notify {
    /// The notification as a line.
    pub fn to_line(&self) -> Vec<u8> {
        let fields = Fields {
            previous_block: self.previous_block,
            coinbase_prefix: &self.coinbase_prefix,
            coinbase_suffix: &self.coinbase_suffix,
            branch: &self.branch,
            version: self.version,
            bits: self.bits,
        };
        line(&self.job_id, &fields.to_text(), self.time, self.clean)
    }

    /// Reads the parameters of a notification; more than nine are ignored.
    ///
    /// # Errors
    /// A field that is missing or not what it should be.
    pub fn parse(params: &[Value]) -> Result<Self, NotifyError> {
        let text = |index: usize, field| {
            params.get(index).and_then(Value::as_str).ok_or(NotifyError { field })
        };
        let bytes = |index, field| from_hex(text(index, field)?).ok_or(NotifyError { field });
        let number = |index, field| {
            message::number_from_hex(text(index, field)?).ok_or(NotifyError { field })
        };
        let job_id = text(0, "job id")?;
        if job_id.len() > JOB_ID_BYTES_MAX {
            return Err(NotifyError { field: "job id" });
        }
        let previous_block = bytes(1, "previous block")?
            .try_into()
            .map_err(|_| NotifyError { field: "previous block" })?;
        let field = "merkle branch";
        let branch = params
            .get(4)
            .and_then(Value::as_array)
            .filter(|branch| branch.len() <= BRANCH_MAX)
            .ok_or(NotifyError { field })?
            .iter()
            .map(|node| node.as_str().and_then(from_hex).and_then(|node| node.try_into().ok()))
            .collect::<Option<Vec<Hash32>>>()
            .ok_or(NotifyError { field })?;
        Ok(Self {
            job_id: job_id.to_owned(),
            previous_block: words_reversed(previous_block),
            coinbase_prefix: bytes(2, "coinbase prefix")?,
            coinbase_suffix: bytes(3, "coinbase suffix")?,
            branch,
            version: number(5, "version")?,
            bits: number(6, "bits")?,
            time: number(7, "time")?,
            clean: params.get(8).and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// Root of the block's transaction tree for this choice of extranonces, internal order.
    pub fn merkle_root(&self, extranonce1: &[u8], extranonce2: &[u8]) -> Hash32 {
        let coinbase = double_sha256(&[
            self.coinbase_prefix.as_slice(),
            extranonce1,
            extranonce2,
            self.coinbase_suffix.as_slice(),
        ]);
        self.branch.iter().fold(coinbase, |root, node| double_sha256(&[&root, node]))
    }

    /// The 80-byte header.
    pub fn header(&self, merkle_root: &Hash32, version: u32, time: u32, nonce: u32) -> [u8; 80] {
        let mut header = [0; 80];
        header[..4].copy_from_slice(&version.to_le_bytes());
        header[4..36].copy_from_slice(&self.previous_block);
        header[36..68].copy_from_slice(merkle_root);
        header[68..72].copy_from_slice(&time.to_le_bytes());
        header[72..76].copy_from_slice(&self.bits.to_le_bytes());
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        header
    }
}

/// What all notifications of the same work have in common.
pub(crate) struct Fields<'a> {
    pub(crate) previous_block: Hash32,
    pub(crate) coinbase_prefix: &'a [u8],
    pub(crate) coinbase_suffix: &'a [u8],
    pub(crate) branch: &'a [Hash32],
    pub(crate) version: u32,
    pub(crate) bits: u32,
}

impl Fields<'_> {
    /// The parameters between job id and time.
    pub(crate) fn to_text(&self) -> Vec<u8> {
        let branch: Vec<String> = self.branch.iter().map(|node| quoted_hex(node)).collect();
        format!(
            "{},{},{},[{}],{},{}",
            quoted_hex(&words_reversed(self.previous_block)),
            quoted_hex(self.coinbase_prefix),
            quoted_hex(self.coinbase_suffix),
            branch.join(","),
            quoted_hex(&self.version.to_be_bytes()),
            quoted_hex(&self.bits.to_be_bytes()),
        )
        .into_bytes()
    }
}

/// A notification, from the text that it shares with others and what is its own.
pub(crate) fn line(job_id: &str, fields: &[u8], time: u32, clean: bool) -> Vec<u8> {
    let id = Value::from(job_id);
    // `clean` is the last parameter: some firmware looks for it there.
    let head = format!("{{\"id\":null,\"method\":\"mining.notify\",\"params\":[{id},");
    let tail = format!(",\"{time:08x}\",{clean}]}}\n");
    [head.as_bytes(), fields, tail.as_bytes()].concat()
}

fn double_sha256(parts: &[&[u8]]) -> Hash32 {
    let mut engine = sha256d::Hash::engine();
    for part in parts {
        engine.input(part);
    }
    sha256d::Hash::from_engine(engine).to_byte_array()
}

/// Turns around the bytes within each group of four; its own inverse.
fn words_reversed(mut hash: Hash32) -> Hash32 {
    hash.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    hash
}

fn quoted_hex(bytes: &[u8]) -> String {
    format!("\"{}\"", hex(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{LINE_BYTES_MAX, Message, parse};

    fn bytes(text: &str) -> Vec<u8> {
        from_hex(text).unwrap()
    }

    fn params_of(line: &[u8]) -> Vec<Value> {
        let Ok(Message::Request { id: None, method, params }) = parse(line, LINE_BYTES_MAX) else {
            panic!("no notification");
        };
        assert_eq!(method, "mining.notify");
        params
    }

    /// The worked example of `docs/stratum.md`, section 4.
    fn worked_example() -> Notify {
        let mut previous_block: Hash32 =
            bytes("00000000000008a3a41b85b8b29ad444def299fee21793cd8b9e567eab02cd81")
                .try_into()
                .unwrap();
        previous_block.reverse();
        Notify {
            job_id: "1a".into(),
            previous_block,
            coinbase_prefix: bytes(
                "02000000010000000000000000000000000000000000000000000000000000000000000000\
                 ffffffff1703a0bb0d052f7032702f0c",
            ),
            coinbase_suffix: bytes(
                "ffffffff02205fa01200000000160014751e76e8199196d454941c45d1b3a323f1433bd6\
                 0000000000000000266a24aa21a9ed50e721e49c013f00c62cf59f2163542a9d8df02464\
                 efeb615d31051b0fddc32600000000",
            ),
            branch: [
                "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
                "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
            ]
            .map(|node| bytes(node).try_into().unwrap())
            .to_vec(),
            version: 0x2000_0000,
            bits: 0x1a44_b9f2,
            time: 0x6600_0000,
            clean: true,
        }
    }

    #[test]
    fn worked_example_is_written_to_the_letter() {
        let params = params_of(&worked_example().to_line());
        assert_eq!(params[1], "ab02cd818b9e567ee21793cddef299feb29ad444a41b85b8000008a300000000");
        assert_eq!(params[2].as_str().unwrap().len(), 2 * 53);
        assert_eq!(params[3].as_str().unwrap().len(), 2 * 87);
        assert_eq!(params[5], "20000000");
        assert_eq!(params[6], "1a44b9f2");
        assert_eq!(params[7], "66000000");
        assert_eq!((params.len(), &params[8]), (9, &Value::Bool(true)));
    }

    #[test]
    fn worked_example_hashes_as_said() {
        let notify = Notify::parse(&params_of(&worked_example().to_line())).unwrap();
        assert_eq!(notify, worked_example());
        let root = notify.merkle_root(&bytes("0badcafe"), &bytes("0000000000000001"));
        assert_eq!(hex(&root), "6ba759d8c0c2545af45750f6e5ea98c886ca56b8b16834d0f61cfc3fec479475");
        let header = notify.header(&root, 0x2000_0000 | 0x00c0_0000, 0x6600_0000, 0x1234_5678);
        assert_eq!(
            hex(&header),
            "0000c02081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000\
             6ba759d8c0c2545af45750f6e5ea98c886ca56b8b16834d0f61cfc3fec47947500000066\
             f2b9441a78563412"
        );
        let mut hash = double_sha256(&[&header]);
        hash.reverse();
        assert_eq!(hex(&hash), "1d78666ccbf3f8aab4655bf0f68368c4c8f0d7cf0c10ecaf7b7469f7e96e2fbf");
    }

    #[test]
    fn real_block_125552_hashes_as_in_the_chain() {
        let mut root: Hash32 =
            bytes("2b12fcf1b09288fcaff797d71e950e71ae42b91e8bdb2304758dfcffc2b620e3")
                .try_into()
                .unwrap();
        root.reverse();
        let header = worked_example().header(&root, 1, 0x4dd7_f5c7, 0x9546_a142);
        let mut hash = double_sha256(&[&header]);
        hash.reverse();
        assert_eq!(hex(&hash), "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d");
    }

    #[test]
    fn unreadable_fields_are_named() {
        let good = params_of(&worked_example().to_line());
        let fields = [
            "job id",
            "previous block",
            "coinbase prefix",
            "coinbase suffix",
            "merkle branch",
            "version",
            "bits",
            "time",
        ];
        for (index, field) in fields.into_iter().enumerate() {
            for bad in [Value::Null, Value::from(5), Value::from("zz".repeat(200))] {
                let mut params = good.clone();
                params[index] = bad;
                assert_eq!(Notify::parse(&params), Err(NotifyError { field }));
            }
            assert!(Notify::parse(&good[..index]).is_err());
        }
        assert!(!Notify::parse(&good[..8]).unwrap().clean);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            previous_block in any::<[u8; 32]>(),
            prefix in prop::collection::vec(any::<u8>(), 0..100),
            branch in prop::collection::vec(any::<[u8; 32]>(), 0..8),
            numbers in any::<(u32, u32, u32, bool)>(),
        ) {
            let notify = Notify {
                job_id: "j".into(),
                previous_block,
                coinbase_prefix: prefix,
                coinbase_suffix: vec![0; 4],
                branch,
                version: numbers.0,
                bits: numbers.1,
                time: numbers.2,
                clean: numbers.3,
            };
            prop_assert_eq!(Notify::parse(&params_of(&notify.to_line())).unwrap(), notify);
        }
    }
}

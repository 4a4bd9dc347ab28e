//! Constants of a share-chain network, as a value.
//!
//! Everything that differs between networks is here, so that no rule is ever compiled out or
//! switched off for tests or for practice. Source: protocol notes, protocol.md section 6.

use bitcoin::Network;
use ruint::aliases::U256;

/// One network's constants. Fields marked *consensus* decide which shares are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Short name, also that of the data folder.
    pub name: String,
    /// The Bitcoin chain underneath.
    pub chain: Network,
    /// *Consensus.* Eight bytes that every share commits to, raw order.
    pub identifier: [u8; 8],
    /// Eight bytes in front of every message between nodes, raw order.
    pub prefix: [u8; 8],
    /// Port for other nodes.
    pub p2p_port: u16,
    /// Port for miners.
    pub worker_port: u16,
    /// *Consensus.* Wanted seconds between shares.
    pub share_period: u32,
    /// *Consensus.* Shares below a share that make its history complete.
    pub chain_length: u32,
    /// *Consensus.* Most shares in the payout window.
    pub real_chain_length: u32,
    /// *Consensus.* Shares that the share target is averaged over.
    pub target_lookbehind: u32,
    /// *Consensus.* The window is cut at this many blocks' worth of work.
    pub spread: u32,
    /// *Consensus.* Hardest share target.
    pub min_target: U256,
    /// *Consensus.* Easiest share target.
    pub max_target: U256,
    /// *Consensus.* Share type from which witness data is part of a share.
    pub segwit_activation: u64,
    /// *Consensus.* Address prefixes.
    pub addresses: AddressParams,
    /// *Consensus.* Whether shares above height 3,927,800 that vote for type 16 are refused.
    pub refuses_late_votes_for_16: bool,
    /// Whether work is served only with peers and a best share.
    pub needs_peers: bool,
    /// Wanted seconds between Bitcoin blocks.
    pub block_period: u32,
    /// Blocks between halvings of the subsidy.
    pub halving_interval: u32,
    /// Outputs below this many sats count as dust in the classic share-size rule.
    pub dust_threshold_sats: u64,
    /// Bounds of pseudoshare targets, hardest and easiest.
    pub sane_targets: (U256, U256),
}

/// Prefixes of address texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressParams {
    /// Version byte of pay-to-public-key-hash addresses.
    pub p2pkh: u8,
    /// Version byte of pay-to-script-hash addresses.
    pub p2sh: u8,
    /// Human-readable part of witness addresses, lower case.
    pub hrp: String,
}

impl AddressParams {
    /// The prefixes of a Bitcoin chain.
    pub fn of(chain: Network) -> Self {
        let (p2pkh, p2sh, hrp) = match chain {
            Network::Bitcoin => (0, 5, "bc"),
            Network::Regtest => (111, 196, "bcrt"),
            Network::Testnet | Network::Testnet4 | Network::Signet => (111, 196, "tb"),
        };
        Self { p2pkh, p2sh, hrp: hrp.to_owned() }
    }
}

/// The script that collects donations and rounding dust, pay-to-public-key, 67 bytes.
///
/// Source: protocol notes, protocol.md section 6.
pub const DONATION_SCRIPT: [u8; 67] = [
    0x41, 0x04, 0xff, 0xd0, 0x3d, 0xe4, 0x4a, 0x6e, 0x11, 0xb9, 0x91, 0x7f, 0x3a, 0x29, 0xf9, 0x44,
    0x32, 0x83, 0xd9, 0x87, 0x1c, 0x9d, 0x74, 0x3e, 0xf3, 0x0d, 0x5e, 0xdd, 0xcd, 0x37, 0x09, 0x4b,
    0x64, 0xd1, 0xb3, 0xd8, 0x09, 0x04, 0x96, 0xb5, 0x32, 0x56, 0x78, 0x6b, 0xf5, 0xc8, 0x29, 0x32,
    0xec, 0x23, 0xc3, 0xb7, 0x4d, 0x9f, 0x05, 0xa6, 0xf9, 0x5a, 0x8b, 0x55, 0x29, 0x35, 0x26, 0x56,
    0x66, 0x4b, 0xac,
];

/// The witness reserved value that every generation transaction uses: `[P2Pool]` four times.
pub const WITNESS_RESERVED_VALUE: [u8; 32] = *b"[P2Pool][P2Pool][P2Pool][P2Pool]";

fn power_of_two_less_one(exponent: usize) -> U256 {
    U256::MAX.wrapping_shr(U256::BITS.saturating_sub(exponent))
}

/// The target that is met so many times less often than one of difficulty 1, about.
fn harder_target(times: u64) -> U256 {
    let base = U256::ONE.wrapping_shl(224);
    base.checked_div(U256::from(times)).unwrap_or(base).saturating_sub(U256::ONE)
}

impl Params {
    /// The live network.
    pub fn mainnet() -> Self {
        let easiest = power_of_two_less_one(224);
        Self {
            name: "bitcoin".into(),
            chain: Network::Bitcoin,
            identifier: [0xfc, 0x70, 0x03, 0x5c, 0x7a, 0x81, 0xbc, 0x6f],
            prefix: [0x24, 0x72, 0xef, 0x18, 0x1e, 0xfc, 0xd3, 0x7b],
            p2p_port: 9333,
            worker_port: 9332,
            share_period: 30,
            chain_length: 8640,
            real_chain_length: 8640,
            target_lookbehind: 200,
            spread: 3,
            min_target: U256::ZERO,
            max_target: easiest,
            segwit_activation: 33,
            addresses: AddressParams::of(Network::Bitcoin),
            refuses_late_votes_for_16: true,
            needs_peers: true,
            block_period: 600,
            halving_interval: 210_000,
            dust_threshold_sats: 100_000,
            sane_targets: (harder_target(1_000_000), easiest),
        }
    }

    /// The public test network, on testnet3.
    pub fn testnet() -> Self {
        let easiest = power_of_two_less_one(224);
        Self {
            name: "bitcoin_testnet".into(),
            chain: Network::Testnet,
            identifier: [0x5f, 0xc2, 0xbe, 0x2d, 0x4f, 0x0d, 0x6b, 0xfb],
            prefix: [0x3f, 0x60, 0x57, 0xa1, 0x50, 0x36, 0xf4, 0x41],
            p2p_port: 19333,
            worker_port: 19332,
            chain_length: 360,
            real_chain_length: 360,
            segwit_activation: 15,
            addresses: AddressParams::of(Network::Testnet),
            refuses_late_votes_for_16: false,
            needs_peers: false,
            dust_threshold_sats: 100_000_000,
            sane_targets: (harder_target(100_000_000), easiest),
            ..Self::mainnet()
        }
    }

    /// The reference's regtest network, with the two address constants it lacks.
    pub fn regtest() -> Self {
        let easiest = power_of_two_less_one(255);
        Self {
            name: "btcregtest".into(),
            chain: Network::Regtest,
            identifier: [0x5a, 0xd2, 0xc6, 0xec, 0xbd, 0x7d, 0x93, 0x72],
            prefix: [0x8f, 0x2c, 0x8d, 0x54, 0xb3, 0x27, 0x8b, 0xc8],
            p2p_port: 19444,
            worker_port: 19443,
            max_target: easiest,
            addresses: AddressParams::of(Network::Regtest),
            halving_interval: 150,
            sane_targets: (harder_target(1000), easiest),
            ..Self::testnet()
        }
    }

    /// Our own pool on a Bitcoin test chain: testnet4, a signet that anybody may mine, regtest.
    ///
    /// One node may mine alone there. A share takes at least 2^22 hashes, a fifth of a second of
    /// one processor core, and on regtest 2^16; every other rule is that of the live network
    /// with the shorter history of its test network.
    pub fn test_pool(chain: Network) -> Self {
        let (digit, p2p_port, worker_port) = match chain {
            Network::Bitcoin | Network::Testnet => (b'3', 29333, 29332),
            Network::Testnet4 => (b'4', 49333, 49332),
            Network::Signet => (b'S', 39333, 39332),
            Network::Regtest => (b'R', 19444, 19443),
        };
        let easiest = power_of_two_less_one(if chain == Network::Regtest { 240 } else { 234 });
        Self {
            name: format!("p2pool-{chain}"),
            chain,
            identifier: [b'p', b'2', b'p', b'o', b'o', b'l', b'-', digit],
            prefix: [0x7d, 0x31, 0xa6, 0x0e, 0xc2, 0x58, 0x94, digit],
            p2p_port,
            worker_port,
            max_target: easiest,
            addresses: AddressParams::of(chain),
            halving_interval: if chain == Network::Regtest { 150 } else { 210_000 },
            sane_targets: (U256::ZERO, power_of_two_less_one(252)),
            ..Self::testnet()
        }
    }

    /// The practice pool on a private chain with the rules of `chain`.
    ///
    /// The pool aims at a share every ten seconds. On testnet4 a share takes at least 2^22
    /// hashes, a fifth of a second of one processor core; on regtest, where everything is quick,
    /// 2^16. Every other rule is that of the live network.
    pub fn practice(chain: Network) -> Self {
        let easiest = power_of_two_less_one(if chain == Network::Regtest { 240 } else { 234 });
        Self {
            name: format!("practice-{chain}"),
            chain,
            identifier: if chain == Network::Regtest { *b"practicR" } else { *b"practic4" },
            prefix: [0x9a, 0x11, 0x5e, 0xd4, 0x3b, 0x60, 0xc7, chain.magic().to_bytes()[0]],
            p2p_port: 19333,
            worker_port: 19332,
            share_period: 10,
            chain_length: 360,
            real_chain_length: 360,
            target_lookbehind: 30,
            max_target: easiest,
            segwit_activation: 15,
            addresses: AddressParams::of(chain),
            refuses_late_votes_for_16: false,
            needs_peers: false,
            halving_interval: if chain == Network::Regtest { 150 } else { 210_000 },
            sane_targets: (U256::ZERO, power_of_two_less_one(252)),
            ..Self::mainnet()
        }
    }

    /// Whole networks in one test process: the practice pool's rules with shares so cheap, one hash
    /// in 256, that thousands are mined in a second.
    pub fn simulation() -> Self {
        Self {
            name: "simulation".into(),
            identifier: *b"simulate",
            prefix: *b"simulati",
            max_target: power_of_two_less_one(248),
            ..Self::practice(Network::Regtest)
        }
    }

    /// The payout key under which the donation script takes part in a window: its address text.
    pub fn donation_key(&self) -> &'static [u8] {
        match self.addresses.p2pkh {
            0 => b"1Kz5QaUPDtKrj5SqW5tFkn7WZh8LmQaQi4",
            _ => b"mzW2hdZN2um7WBvTDerdahKqRgj3md9C29",
        }
    }

    /// Bitcoin's subsidy for a block at `height`, in sats.
    pub fn subsidy_sats(&self, height: u32) -> u64 {
        let halvings = height.checked_div(self.halving_interval).unwrap_or(0);
        5_000_000_000_u64.checked_shr(halvings).unwrap_or(0)
    }
}

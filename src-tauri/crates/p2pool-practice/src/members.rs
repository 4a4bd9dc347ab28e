//! Simulated pool members: their names, their addresses, and a slow miner for each.
//!
//! They are real pool nodes in every other way: what they send has passed the same code, and
//! cost the same hashes, as anybody's.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::{Address, KnownHrp, Network, WitnessProgram, WitnessVersion};
use p2pool_sharechain::U256;
use p2pool_sharechain::hash_link::HashLinkEngine;
use p2pool_sharechain::template::{ShareTemplate, Solution};

/// Names in the order in which members join.
const NAMES: [&str; 8] = ["Ada", "Blaise", "Carl", "Dorothy", "Emmy", "Frank", "Grace", "Henri"];
/// Hashes per second of the first member; each next one has two thirds of the one before.
const FASTEST_HPS: u32 = 600_000;

/// One simulated member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Address that it is paid at; nobody has its key.
    pub address: String,
    /// Hashes per second.
    pub hashrate_hps: u32,
}

/// The first `count` members, at most eight.
pub fn members(count: u32, chain: Network) -> Vec<Member> {
    let mut hashrate_hps = FASTEST_HPS;
    let take = NAMES.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX));
    take.map(|name| {
        let member = Member { name, address: worthless_address(name, chain), hashrate_hps };
        hashrate_hps = hashrate_hps / 3 * 2;
        member
    })
    .collect()
}

/// A witness address that belongs to a name and to nobody's key.
pub fn worthless_address(name: &str, chain: Network) -> String {
    let hash = sha256::Hash::hash(format!("p2pool-desktop practice {name}").as_bytes());
    let program = WitnessProgram::new(WitnessVersion::V0, &hash.as_byte_array()[..20])
        .expect("20 bytes are a program of version 0");
    let hrp = if chain == Network::Regtest { KnownHrp::Regtest } else { KnownHrp::Testnets };
    Address::from_witness_program(program, hrp).to_string()
}

/// Goes through nonces of one share template, as slowly as it is asked to.
#[derive(Clone, Debug)]
pub struct SlowMiner {
    coinbase_nonce: u64,
    nonce: u32,
}

impl SlowMiner {
    /// `seed` keeps miners with the same template apart.
    pub fn new(seed: u64) -> Self {
        Self { coinbase_nonce: seed, nonce: 0 }
    }

    /// Tries `hashes` nonces; gives the first solution that makes a share, as miners do that are given
    /// a share's target: a block is among these, unless blocks are the easier ones (regtest).
    pub fn scan(&mut self, template: &ShareTemplate, time: u32, hashes: u32) -> Option<Solution> {
        let target = template.share_target();
        let mut solution = self.solution(template, time);
        let mut prefix = header_prefix(template, &solution);
        for _ in 0..hashes {
            let Some(next) = self.nonce.checked_add(1) else {
                self.nonce = 0;
                self.coinbase_nonce = self.coinbase_nonce.wrapping_add(1);
                solution = self.solution(template, time);
                prefix = header_prefix(template, &solution);
                continue;
            };
            let hash = prefix.clone().finish_double(&self.nonce.to_le_bytes());
            if U256::from_le_bytes(hash) <= target {
                solution.nonce = self.nonce;
                self.nonce = next;
                return Some(solution);
            }
            self.nonce = next;
        }
        None
    }

    fn solution(&self, template: &ShareTemplate, time: u32) -> Solution {
        Solution {
            version: template.header_version(),
            coinbase_nonce: self.coinbase_nonce.to_le_bytes(),
            time,
            nonce: 0,
        }
    }
}

/// The hash state after a header's first 76 bytes.
fn header_prefix(template: &ShareTemplate, solution: &Solution) -> HashLinkEngine {
    HashLinkEngine::new(&template.header(solution)[..76])
}

#[cfg(test)]
mod tests {
    use super::*;
    use p2pool_sharechain::Params;
    use p2pool_sharechain::address::{decode, pays_its_owner};

    #[test]
    fn members_have_payable_addresses_of_their_own() {
        for chain in [Network::Testnet4, Network::Regtest] {
            let members = members(8, chain);
            let params = Params::practice(chain);
            for member in &members {
                let decoded = decode(member.address.as_bytes(), &params.addresses).unwrap();
                assert!(pays_its_owner(&decoded, true));
                assert_eq!(members.iter().filter(|m| m.address == member.address).count(), 1);
            }
        }
    }
}

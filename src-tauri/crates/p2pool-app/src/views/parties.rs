//! Whose payout address something is.

use std::collections::BTreeMap;

use p2pool_node::NodeSnapshot;
use p2pool_sharechain::Params;
use p2pool_sharechain::address::{self, AddressError};

use super::count;
use crate::api::Party;

/// The addresses that have names.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    params: Params,
    mine: String,
    my_script: Option<Vec<u8>>,
    simulated: BTreeMap<String, u32>,
    donation: String,
}

impl Parties {
    /// Learns the names from a node.
    pub(crate) fn new(node: &NodeSnapshot, params: &Params) -> Self {
        let numbered = node.members.iter().zip(1..);
        Self {
            params: params.clone(),
            mine: node.payout_address.clone(),
            my_script: script_of(&node.payout_address, params).ok(),
            simulated: numbered.map(|(member, number)| (member.address.clone(), number)).collect(),
            donation: String::from_utf8_lossy(params.donation_key()).into_owned(),
        }
    }

    /// Whether they are still the names of this node.
    pub(crate) fn are_those_of(&self, node: &NodeSnapshot) -> bool {
        self.mine == node.payout_address && self.simulated.len() == node.members.len()
    }

    /// Whose address this is.
    pub(crate) fn of_address(&self, address: &str) -> Party {
        if address == self.mine {
            Party::Me
        } else if let Some(number) = self.simulated.get(address) {
            Party::Simulated { number: *number }
        } else if address == self.donation {
            Party::Donation
        } else {
            Party::Member
        }
    }

    /// Whose output this is, and its address if it has one.
    pub(crate) fn of_script(&self, script: &[u8]) -> (Party, Option<String>) {
        if self.is_mine(script) {
            return (Party::Me, Some(self.mine.clone()));
        }
        let addresses = &self.params.addresses;
        let address = address::of_script(script, true, addresses)
            .or_else(|| address::of_script(script, false, addresses));
        let party = address.as_deref().map_or(Party::Member, |text| self.of_address(text));
        (party, address)
    }

    /// Whether an output pays me.
    pub(crate) fn is_mine(&self, script: &[u8]) -> bool {
        self.my_script.as_deref() == Some(script)
    }

    /// The script that pays me.
    pub(crate) fn my_script(&self) -> Option<&[u8]> {
        self.my_script.as_deref()
    }

    /// Number of simulated members.
    pub(crate) fn simulated(&self) -> u32 {
        count(self.simulated.len())
    }
}

fn script_of(text: &str, params: &Params) -> Result<Vec<u8>, AddressError> {
    address::script(&address::decode(text.as_bytes(), &params.addresses)?, true)
}

//! Whom a script pays, for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use p2pool_node::NodeSnapshot;
use p2pool_sharechain::{Params, address, params};
use serde::{Deserialize, Serialize};

/// An amount for one script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    /// Address text, or `script` and its bytes if no address pays exactly that.
    pub(crate) address: String,
    /// `you`, a simulated member's name, `donation`, or nothing for anybody else.
    pub(crate) who: String,
    pub(crate) value_sats: u64,
}

/// The names of scripts.
#[derive(Clone, Debug)]
pub(crate) struct Payees {
    params: Arc<Params>,
    names: BTreeMap<Vec<u8>, String>,
}

impl Payees {
    /// The names that this node knows.
    pub(crate) fn new(params: Arc<Params>, snapshot: &NodeSnapshot) -> Self {
        let donation = (params::DONATION_SCRIPT.to_vec(), "donation".to_owned());
        let mut payees = Self { params, names: BTreeMap::from([donation]) };
        for member in &snapshot.members {
            payees.name(&member.address, &member.name);
        }
        payees.name(&snapshot.payout_address, "you");
        payees
    }

    fn name(&mut self, text: &str, name: &str) {
        let script = address::decode(text.as_bytes(), &self.params.addresses)
            .and_then(|decoded| address::script(&decoded, true));
        // Addresses of a running node have passed the same test.
        if let Ok(script) = script {
            self.names.insert(script, name.to_owned());
        }
    }

    /// A payment to this script.
    pub(crate) fn payment(&self, script: &[u8], value_sats: u64) -> Payment {
        let address = address::of_script(script, true, &self.params.addresses);
        Payment {
            address: address.unwrap_or_else(|| {
                let digits: String = script.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("script {digits}")
            }),
            who: self.names.get(script).cloned().unwrap_or_default(),
            value_sats,
        }
    }

    /// Payments in order of their amount, largest first.
    pub(crate) fn by_amount<'a>(
        &self,
        payments: impl Iterator<Item = (&'a Vec<u8>, u64)>,
    ) -> Vec<Payment> {
        let mut all: Vec<Payment> =
            payments.map(|(script, value_sats)| self.payment(script, value_sats)).collect();
        all.sort_by(|a, b| b.value_sats.cmp(&a.value_sats).then_with(|| a.address.cmp(&b.address)));
        all
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use p2pool_node::PracticeMember;

    pub(crate) const MINE: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    const ADAS: &str = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn";

    pub(crate) fn payees() -> Payees {
        let params = Arc::new(Params::practice(bitcoin::Network::Regtest));
        let donation = (params::DONATION_SCRIPT.to_vec(), "donation".to_owned());
        let mut payees = Payees { params, names: BTreeMap::from([donation]) };
        let ada = PracticeMember { name: "Ada".into(), address: ADAS.into() };
        payees.name(&ada.address, &ada.name);
        payees.name(MINE, "you");
        payees
    }

    pub(crate) fn script(address_text: &str) -> Vec<u8> {
        let decoded = address::decode(address_text.as_bytes(), &payees().params.addresses).unwrap();
        address::script(&decoded, true).unwrap()
    }

    #[test]
    fn scripts_are_named_and_given_their_address() {
        let payees = payees();
        let mine = payees.payment(&script(MINE), 7);
        assert_eq!((mine.who.as_str(), mine.address.as_str(), mine.value_sats), ("you", MINE, 7));
        assert_eq!(payees.payment(&script(ADAS), 1).who, "Ada");
        let donation = payees.payment(&params::DONATION_SCRIPT, 1);
        assert_eq!(donation.who, "donation");
        assert!(donation.address.starts_with('m'), "{}", donation.address);
        let odd = payees.payment(&[0x6a, 0x01], 0);
        assert_eq!((odd.who.as_str(), odd.address.as_str()), ("", "script 6a01"));
    }

    #[test]
    fn largest_amounts_come_first() {
        let (mine, adas) = (script(MINE), script(ADAS));
        let sorted = payees().by_amount([(&mine, 5), (&adas, 9)].into_iter());
        assert_eq!(sorted.iter().map(|p| p.value_sats).collect::<Vec<_>>(), [9, 5]);
    }
}

//! What a change consists of: requests to send, and what must be read back afterwards.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::cgminer::Pools;
use crate::identity::{DeviceId, Family, Identity};
use crate::info::Info;
use crate::request::{Key, Request, SlotId};

/// Time for a device to come back and log in.
pub const BACK_WITHIN: Duration = Duration::from_secs(90);
/// The same for an Avalon, which starts slowly.
pub const AVALON_BACK_WITHIN: Duration = Duration::from_secs(180);

/// The settings of a device, in the form its family gives them.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// Of the AxeOS family.
    Info(Info),
    /// Of the cgminer API.
    Pools(Pools),
}

impl Document {
    /// The document as it came.
    pub fn raw(&self) -> &str {
        match self {
            Self::Info(info) => info.raw(),
            Self::Pools(pools) => pools.raw(),
        }
    }
}

/// A device read once: who it is and how it is set.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Who it is.
    pub identity: Identity,
    /// How it is set.
    pub document: Document,
}

/// Something that a device's document must show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expectation {
    /// A setting has a value.
    Setting { key: Key, value: Value },
    /// A slot holds these fields, among others.
    Slot { id: SlotId, fields: Map<String, Value> },
    /// A slot is empty.
    NoSlot { id: SlotId },
    /// A pool stands at a place of the list.
    PoolAt { index: u16, url: String, user: String },
    /// A pool is used first.
    FirstPool { url: String, user: String },
    /// A pool is not in the list.
    NoPool { url: String, user: String },
}

impl Expectation {
    /// The name of what is not as expected; nothing if all is well.
    fn unmet(&self, document: &Document) -> Option<String> {
        match (self, document) {
            (Self::Setting { key, value }, Document::Info(info)) => {
                let is_met = info.setting(*key).is_some_and(|shown| is_same(shown, value));
                (!is_met).then(|| key.name().to_owned())
            }
            (Self::Slot { id, fields }, Document::Info(info)) => {
                let shown = info.slot(*id);
                let differs = |(key, value): &(&String, &Value)| {
                    !shown.and_then(|slot| slot.get(*key)).is_some_and(|v| is_same(v, value))
                };
                let (key, _) = fields.iter().find(differs)?;
                Some(format!("pools/{}/{key}", u8::from(*id)))
            }
            (Self::NoSlot { id }, Document::Info(info)) => {
                info.slot(*id).map(|_| format!("pools/{}", u8::from(*id)))
            }
            (Self::PoolAt { index, url, user }, Document::Pools(pools)) => {
                let is_met = pools.at(*index).is_some_and(|pool| is_pool(pool, url, user));
                (!is_met).then(|| format!("pool {index}"))
            }
            (Self::FirstPool { url, user }, Document::Pools(pools)) => {
                let is_met = pools.first().is_some_and(|pool| is_pool(pool, url, user));
                (!is_met).then(|| "first pool".to_owned())
            }
            (Self::NoPool { url, user }, Document::Pools(pools)) => {
                let is_met = !pools.list().iter().any(|pool| is_pool(pool, url, user));
                (!is_met).then(|| "pools".to_owned())
            }
            (
                Self::Setting { .. } | Self::Slot { .. } | Self::NoSlot { .. },
                Document::Pools(_),
            )
            | (
                Self::PoolAt { .. } | Self::FirstPool { .. } | Self::NoPool { .. },
                Document::Info(_),
            ) => Some("interface".to_owned()),
        }
    }
}

/// Names of all that is not as expected.
pub(crate) fn unmet(expectations: &[Expectation], document: &Document) -> Vec<String> {
    expectations.iter().filter_map(|expectation| expectation.unmet(document)).collect()
}

/// Whether two JSON values mean the same: 1 is 1.0, and 0 and 1 are a device's no and yes.
fn is_same(shown: &Value, expected: &Value) -> bool {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_bool().map(f64::from));
    match (number(shown), number(expected)) {
        (Some(shown), Some(expected)) => shown.to_bits() == expected.to_bits(),
        _ => shown == expected,
    }
}

fn is_pool(pool: &crate::cgminer::PoolEntry, url: &str, user: &str) -> bool {
    is_same_url(&pool.url, url) && pool.user == user
}

/// Whether two URLs name one pool, with the scheme that everybody means or without.
pub(crate) fn is_same_url(a: &str, b: &str) -> bool {
    let bare = |url: &str| {
        let lower = url.trim().trim_end_matches('/').to_ascii_lowercase();
        lower.strip_prefix("stratum+tcp://").map_or(lower.clone(), str::to_owned)
    };
    bare(a) == bare(b)
}

/// Where a script ends well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The device works for us.
    AtOurDoor,
    /// The device shows its old settings.
    OldSettings,
}

/// A change of one device's settings from beginning to end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Script {
    /// The device that is meant.
    pub(crate) id: DeviceId,
    /// Must be so before anything is sent.
    pub(crate) requires: Vec<Expectation>,
    /// Sent in order.
    pub(crate) writes: Vec<Request>,
    /// Must be so afterwards.
    pub(crate) expects: Vec<Expectation>,
    /// Whether the device shows new settings before it restarts.
    pub(crate) shows_at_once: bool,
    /// Whether sending the writes twice does what sending them once does.
    pub(crate) may_repeat: bool,
    /// Makes the settings count.
    pub(crate) restart: Option<Request>,
    /// Time to come back.
    pub(crate) back_within: Duration,
    /// Sent when the device is back.
    pub(crate) finishing: Vec<Request>,
    /// Must be so in the end.
    pub(crate) finally: Vec<Expectation>,
    /// Where it leads.
    pub(crate) goal: Goal,
}

impl Script {
    /// A script that does nothing yet.
    pub(crate) fn new(identity: &Identity, goal: Goal) -> Self {
        let is_avalon = identity.family == Family::Avalon;
        Self {
            id: identity.id,
            requires: Vec::new(),
            writes: Vec::new(),
            expects: Vec::new(),
            shows_at_once: true,
            may_repeat: true,
            restart: None,
            back_within: if is_avalon { AVALON_BACK_WITHIN } else { BACK_WITHIN },
            finishing: Vec::new(),
            finally: Vec::new(),
            goal,
        }
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.finishing.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_compared_by_meaning() {
        for (a, b) in [(json!(1), json!(1.0)), (json!(true), json!(1)), (json!("x"), json!("x"))] {
            assert!(is_same(&a, &b) && is_same(&b, &a), "{a} {b}");
        }
        for (a, b) in [(json!(1), json!(2)), (json!("1"), json!(1)), (json!(false), json!(null))] {
            assert!(!is_same(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn urls_are_compared_without_their_usual_scheme() {
        assert!(is_same_url("stratum+tcp://Pool.example:3333", "pool.example:3333/"));
        assert!(!is_same_url("stratum+ssl://pool.example:3333", "pool.example:3333"));
        assert!(!is_same_url("pool.example:3333", "pool.example:3334"));
    }

    #[test]
    fn a_document_of_another_interface_meets_nothing() {
        let pools = br#"{"STATUS":[{"STATUS":"S"}],"POOLS":[]}"#;
        let pools = Document::Pools(Pools::parse(pools).unwrap());
        let info = Document::Info(Info::parse(br#"{"ASICModel":"x"}"#).unwrap());
        let slot = Expectation::NoSlot { id: SlotId::try_from(0).unwrap() };
        let pool = Expectation::NoPool { url: "u".into(), user: "v".into() };
        assert_eq!(unmet(&[slot.clone(), pool.clone()], &pools), ["interface"]);
        assert_eq!(unmet(&[slot, pool], &info), ["interface"]);
    }
}

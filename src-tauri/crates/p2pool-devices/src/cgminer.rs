//! Replies of the cgminer API: one JSON object, ended by a zero byte or by the end of the
//! connection.

use serde_json::{Map, Value};

use crate::address::DeviceAddress;
use crate::error::{CallError, Denial};
use crate::identity::{DeviceId, Family, Identity};
use crate::text::DeviceText;

/// Stock cgminer's code for a caller that may only read.
const CODE_ACCESS_DENIED: i64 = 45;

/// More pools than a miner has are not read.
const POOLS_MAX: usize = 64;

/// The body of one section of a good reply: the first object of its list.
pub(crate) type Section = Map<String, Value>;

/// Reads a reply.
///
/// # Errors
/// What is no reply, and what is one and says no.
pub(crate) fn parse_reply(bytes: &[u8]) -> Result<Map<String, Value>, CallError> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    let reply: Map<String, Value> = serde_json::from_str(text.trim())
        .map_err(|_| CallError::NotUnderstood("not a JSON object"))?;
    let status = section(&reply, "STATUS").ok_or(CallError::NotUnderstood("no STATUS in it"))?;
    let said = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or_default();
    let message = said("Msg");
    // An Avalon says so in its message, whatever the letter in front.
    if message.contains("username err") || message.contains("userpass err") {
        return Err(Denial::WrongLogin.into());
    }
    match said("STATUS") {
        "S" | "I" | "W" => Ok(reply),
        "E" | "F" => {
            if status.get("Code").and_then(Value::as_i64) == Some(CODE_ACCESS_DENIED) {
                return Err(Denial::ThisComputer.into());
            }
            Err(CallError::Rejected(DeviceText::clean(message)))
        }
        _ => Err(CallError::NotUnderstood("no known STATUS in it")),
    }
}

/// The first object of a section.
pub(crate) fn section<'a>(reply: &'a Map<String, Value>, name: &str) -> Option<&'a Section> {
    reply.get(name)?.as_array()?.first()?.as_object()
}

/// Who answers `version`; nothing for what is no miner of a known kind.
pub(crate) fn identify(reply: &Map<String, Value>, address: DeviceAddress) -> Option<Identity> {
    let version = section(reply, "VERSION")?;
    let text = |key: &str| version.get(key).and_then(Value::as_str).unwrap_or_default();
    let family = family(version)?;
    let mac = text("MAC").parse().ok();
    let software = ["CGMiner", "BFGMiner", "SGMiner", "BMMiner", "BOSer", "BOSminer", "LUXminer"];
    let named = software.iter().find(|name| !text(name).is_empty());
    let model = [text("PROD"), text("Type"), text("MODEL"), named.copied().unwrap_or_default()];
    let model = model.into_iter().find(|model| !model.is_empty()).unwrap_or_default();
    Some(Identity {
        id: mac.map_or(DeviceId::Address(address), DeviceId::Mac),
        address,
        family,
        model: DeviceText::clean(model),
        name: DeviceText::default(),
        firmware: DeviceText::clean(named.map_or("", |name| text(name))),
    })
}

/// The makers' marks, the rarest first: many say `CGMiner` beside their own name.
fn family(version: &Section) -> Option<Family> {
    let has_key = |start: &str| version.keys().any(|key| key.to_lowercase().starts_with(start));
    let says = |word: &str| {
        let texts = version.values().filter_map(Value::as_str);
        has_key(word) || texts.map(str::to_lowercase).any(|text| text.contains(word))
    };
    if says("avalon") {
        Some(Family::Avalon)
    } else if has_key("bos") || says("braiins") {
        Some(Family::Braiins)
    } else if has_key("luxminer") {
        Some(Family::LuxOs)
    } else if says("vnish") {
        Some(Family::Vnish)
    } else if says("btminer") || says("whatsminer") {
        Some(Family::Whatsminer)
    } else if says("antminer") || has_key("bmminer") {
        Some(Family::Antminer)
    } else if ["cgminer", "bfgminer", "sgminer"].iter().any(|name| has_key(name)) {
        Some(Family::Cgminer)
    } else {
        None
    }
}

/// One entry of a miner's pool list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolEntry {
    /// Its place in the list.
    pub index: u16,
    /// Where it is, as the miner says it.
    pub url: String,
    /// User name there.
    pub user: String,
    /// Lowest is used first.
    pub priority: i64,
    /// Whether the miner works for it now.
    pub is_active: bool,
}

/// The reply to `pools`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pools {
    raw: String,
    list: Vec<PoolEntry>,
}

impl Pools {
    /// Reads the reply.
    ///
    /// # Errors
    /// What is no reply, and what is one and says no.
    pub fn parse(bytes: &[u8]) -> Result<Self, CallError> {
        let reply = parse_reply(bytes)?;
        let list = reply.get("POOLS").and_then(Value::as_array);
        let list = list.ok_or(CallError::NotUnderstood("no POOLS in it"))?;
        let list = list.iter().take(POOLS_MAX).filter_map(entry).collect();
        Ok(Self { raw: String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned(), list })
    }

    /// The reply as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The entries, in the miner's order.
    pub fn list(&self) -> &[PoolEntry] {
        &self.list
    }

    /// The entry at a place of the list.
    pub(crate) fn at(&self, index: u16) -> Option<&PoolEntry> {
        self.list.iter().find(|pool| pool.index == index)
    }

    /// The entry that is used first; entries without a pool do not count.
    pub fn first(&self) -> Option<&PoolEntry> {
        let used = self.list.iter().filter(|pool| !pool.url.is_empty());
        used.min_by_key(|pool| (pool.priority, pool.index))
    }
}

fn entry(value: &Value) -> Option<PoolEntry> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let index = u16::try_from(value.get("POOL")?.as_u64()?).ok()?;
    Some(PoolEntry {
        index,
        url: text("URL"),
        user: text("User"),
        priority: value.get("Priority").and_then(Value::as_i64).unwrap_or(i64::from(index)),
        is_active: value.get("Stratum Active").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// Values of an Avalon's long text of `KEY[value]` pairs.
pub(crate) fn bracketed<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    // A key that ends another one ("Avg" in "TAvg[61]") is not it.
    let starts = text.match_indices(key).map(|(at, _)| at);
    starts
        .filter(|at| {
            let before = text.get(..*at).and_then(|front| front.chars().next_back());
            !before.is_some_and(char::is_alphanumeric)
        })
        .find_map(|at| {
            let value = text.get(at + key.len()..)?.strip_prefix('[')?;
            value.split_once(']').map(|(value, _)| value)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Reach;

    fn identity(version: &str) -> Option<Identity> {
        let reply = format!(r#"{{"STATUS":[{{"STATUS":"S","Code":22}}],"VERSION":[{version}]}}"#);
        let address = DeviceAddress::new([10, 0, 0, 9].into(), Reach::Private).unwrap();
        identify(&parse_reply(reply.as_bytes()).unwrap(), address)
    }

    #[test]
    fn makers_are_told_apart_by_their_version() {
        for (version, family) in [
            (r#"{"CGMiner":"4.11.1","API":"3.7","PROD":"Avalon Nano3s"}"#, Family::Avalon),
            (r#"{"BOSer":"boser-buildroot 0.1.0","API":"3.7"}"#, Family::Braiins),
            (r#"{"LUXminer":"2024.5.1","API":"3.7","Type":"Antminer S19"}"#, Family::LuxOs),
            (r#"{"CGMiner":"4.11","Type":"Antminer S19 (Vnish 1.2.0)"}"#, Family::Vnish),
            (r#"{"BTMiner":"1"}"#, Family::Whatsminer),
            (r#"{"BMMiner":"2.0.0","Type":"Antminer S9"}"#, Family::Antminer),
            (r#"{"CGMiner":"4.12.1","API":"3.7"}"#, Family::Cgminer),
            (r#"{"BFGMiner":"5.5.0"}"#, Family::Cgminer),
        ] {
            assert_eq!(identity(version).map(|i| i.family), Some(family), "{version}");
        }
        assert_eq!(identity(r#"{"Something":"else"}"#), None);
    }

    #[test]
    fn an_avalon_tells_model_and_hardware_address() {
        let version = r#"{"CGMiner":"4.11.1","PROD":"Avalon Nano3s","MAC":"e0e1a90c0405"}"#;
        let avalon = identity(version).unwrap();
        assert_eq!(avalon.model.as_str(), "Avalon Nano3s");
        assert_eq!(avalon.id.folder(), "e0-e1-a9-0c-04-05");
        assert_eq!(avalon.firmware.as_str(), "4.11.1");
    }

    #[test]
    fn refusals_are_told_apart() {
        let parse = |status: &str| parse_reply(format!(r#"{{"STATUS":[{status}]}}"#).as_bytes());
        assert!(parse(r#"{"STATUS":"S","Msg":"x"}"#).is_ok());
        assert_eq!(
            parse(r#"{"STATUS":"E","Code":45,"Msg":"Access denied"}"#),
            Err(Denial::ThisComputer.into())
        );
        for words in ["username err", "userpass err"] {
            let status = format!(r#"{{"STATUS":"E","Code":1,"Msg":"ASC 0 set info: {words}"}}"#);
            assert_eq!(parse(&status), Err(Denial::WrongLogin.into()));
        }
        assert_eq!(
            parse(r#"{"STATUS":"E","Code":14,"Msg":"Invalid command"}"#),
            Err(CallError::Rejected(DeviceText::clean("Invalid command")))
        );
        assert!(matches!(parse("{}"), Err(CallError::NotUnderstood(_))));
    }

    #[test]
    fn pools_are_read_to_the_zero_byte() {
        let reply = b"{\"STATUS\":[{\"STATUS\":\"S\"}],\"POOLS\":[\
            {\"POOL\":0,\"URL\":\"stratum+tcp://a:1\",\"User\":\"u\",\"Priority\":1},\
            {\"POOL\":1,\"URL\":\"stratum+tcp://b:2\",\"User\":\"v\",\"Priority\":0,\"Stratum Active\":true},\
            {\"POOL\":-1},7]}\0rest";
        let pools = Pools::parse(reply).unwrap();
        assert_eq!(pools.list().len(), 2);
        assert_eq!(pools.first().map(|pool| pool.index), Some(1));
        assert!(pools.at(1).unwrap().is_active && pools.at(2).is_none());
    }

    #[test]
    fn bracketed_values_are_found_by_their_whole_key() {
        let text = "Ver[Nano3s-25] TAvg[61] Avg[3] TMax[70] PS[0 1 2] Open[";
        assert_eq!(bracketed(text, "Avg"), Some("3"));
        assert_eq!(bracketed(text, "TAvg"), Some("61"));
        assert_eq!(bracketed(text, "PS"), Some("0 1 2"));
        assert_eq!(bracketed(text, "Open"), None);
        assert_eq!(bracketed(text, "Fan1"), None);
    }
}

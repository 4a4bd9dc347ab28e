//! Every sentence that is ever said to a device. What is not here cannot be sent: no wireless
//! password, no frequency, no voltage, no firmware.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::Denial;
use crate::text::{Secret, Secrets};

/// What a device shows in place of a slot's password; sent back, it keeps the one it has.
const KEPT_PASSWORD: &str = "*****";

/// The password we give where a device must be told one. Ours takes any.
const ANY_PASSWORD: &str = "x";

/// A setting that may be changed with `PATCH /api/system`, by the device's own name.
///
/// There is none for a password: only sent keys are written, so the device keeps what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Key {
    /// Host of the pool, without scheme and port.
    #[serde(rename = "stratumURL")]
    StratumUrl,
    /// Port of the pool.
    #[serde(rename = "stratumPort")]
    StratumPort,
    /// User name at the pool.
    #[serde(rename = "stratumUser")]
    StratumUser,
    /// Host of the backup pool.
    #[serde(rename = "fallbackStratumURL")]
    FallbackUrl,
    /// Port of the backup pool.
    #[serde(rename = "fallbackStratumPort")]
    FallbackPort,
    /// User name at the backup pool.
    #[serde(rename = "fallbackStratumUser")]
    FallbackUser,
    /// Forces the backup pool.
    #[serde(rename = "useFallbackStratum")]
    UseFallback,
    /// Slot of the pool.
    #[serde(rename = "primaryPoolIndex")]
    PrimaryPoolIndex,
    /// Slot of the backup pool.
    #[serde(rename = "secondaryPoolIndex")]
    SecondaryPoolIndex,
    /// Blocks pools whose coinbase does not pay the device's user as it demands.
    #[serde(rename = "coinbaseVerifyForce")]
    CoinbaseVerifyForce,
}

impl Key {
    /// The device's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StratumUrl => "stratumURL",
            Self::StratumPort => "stratumPort",
            Self::StratumUser => "stratumUser",
            Self::FallbackUrl => "fallbackStratumURL",
            Self::FallbackPort => "fallbackStratumPort",
            Self::FallbackUser => "fallbackStratumUser",
            Self::UseFallback => "useFallbackStratum",
            Self::PrimaryPoolIndex => "primaryPoolIndex",
            Self::SecondaryPoolIndex => "secondaryPoolIndex",
            Self::CoinbaseVerifyForce => "coinbaseVerifyForce",
        }
    }
}

/// Settings with their values, as sent.
pub(crate) type Settings = BTreeMap<Key, Value>;

/// Number of a pool slot: 0 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SlotId(u8);

/// There is no such slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no pool slot {0}")]
pub struct NoSuchSlot(u8);

impl SlotId {
    /// All slots.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..8).map(Self)
    }

    /// Reads the number out of a device's document.
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        u8::try_from(value.as_u64()?).ok()?.try_into().ok()
    }
}

impl TryFrom<u8> for SlotId {
    type Error = NoSuchSlot;

    fn try_from(id: u8) -> Result<Self, NoSuchSlot> {
        if id < 8 { Ok(Self(id)) } else { Err(NoSuchSlot(id)) }
    }
}

impl From<SlotId> for u8 {
    fn from(id: SlotId) -> Self {
        id.0
    }
}

/// A pool slot as it is written: always whole, because left-out keys fall back to defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot(Map<String, Value>);

impl Slot {
    /// A slot for a pool that asks for nothing special.
    pub(crate) fn plain(host: &str, port: u16, user: &str) -> Self {
        let fields: [(&str, Value); 9] = [
            ("stratumURL", host.into()),
            ("stratumPort", port.into()),
            ("stratumUser", user.into()),
            ("stratumPassword", ANY_PASSWORD.into()),
            ("stratumProtocol", "SV1".into()),
            ("stratumTLS", 0.into()),
            ("stratumExtranonceSubscribe", false.into()),
            ("stratumSuggestedDifficulty", 0.into()),
            ("stratumDecodeCoinbase", true.into()),
        ];
        Self(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The same, leaving the slot's stored password where it is.
    pub(crate) fn keeping_password(mut self) -> Self {
        self.0.insert("stratumPassword".into(), KEPT_PASSWORD.into());
        self
    }

    /// A slot as the device showed it, with its stored password kept.
    pub(crate) fn as_shown(shown: &Map<String, Value>) -> Self {
        let fields = shown.iter().filter(|(key, _)| key.starts_with("stratum"));
        Self(fields.map(|(key, value)| (key.clone(), value.clone())).collect()).keeping_password()
    }

    /// What can be read back: everything but the password.
    pub(crate) fn readable(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().filter(|(key, _)| *key != "stratumPassword")
    }
}

/// Which password a pool entry gets, without the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PoolPassword {
    /// Any will do.
    Any,
    /// The old pool's, if the user typed it; otherwise any.
    OldPools,
}

/// A request that changes something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// `PATCH /api/system`.
    Settings(Settings),
    /// `PUT /api/system/pools/{id}`.
    PutSlot {
        /// Which slot.
        id: SlotId,
        /// What is put there.
        slot: Slot,
    },
    /// `DELETE /api/system/pools/{id}`.
    DeleteSlot {
        /// Which slot.
        id: SlotId,
    },
    /// `POST /api/system/restart`.
    Restart,
    /// `POST /api/system/identify`: shows a greeting on the screen, or takes it away.
    Greet,
    /// `setpool`: writes one of an Avalon's three pools. Needs the login.
    SetPool {
        /// 0 to 2.
        index: u8,
        /// With scheme and port.
        url: String,
        /// User name at the pool.
        user: String,
        /// Password at the pool.
        password: PoolPassword,
    },
    /// `addpool`: adds a pool behind the others.
    AddPool {
        /// With scheme and port.
        url: String,
        /// User name at the pool.
        user: String,
    },
    /// `switchpool`: makes a pool the first.
    SwitchPool {
        /// Its place in the list.
        index: u16,
    },
    /// `removepool`.
    RemovePool {
        /// Its place in the list.
        index: u16,
    },
    /// `ascset 0,reboot,0`.
    Reboot,
}

/// A question to a device's web server. Changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// `GET /api/system/info`.
    Info,
    /// `GET /api/system/asic`.
    Asic,
}

/// A question in the cgminer API. Changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// `version`.
    Version,
    /// `summary`.
    Summary,
    /// `pools`.
    Pools,
    /// `estats`.
    Estats,
}

/// A request as it goes over the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wire {
    /// Over HTTP.
    Http(HttpRequest),
    /// As one JSON object on a connection of its own.
    Command(Value),
}

/// An HTTP request without its host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Patch,
    Put,
    Delete,
    Post,
}

impl Page {
    pub(crate) fn request(self) -> HttpRequest {
        let path = match self {
            Self::Info => "/api/system/info",
            Self::Asic => "/api/system/asic",
        };
        HttpRequest { method: Method::Get, path: path.to_owned(), body: None }
    }
}

impl Query {
    pub(crate) fn command(self) -> Value {
        let name = match self {
            Self::Version => "version",
            Self::Summary => "summary",
            Self::Pools => "pools",
            Self::Estats => "estats",
        };
        json!({ "command": name })
    }
}

impl Request {
    /// The request with the secrets it needs.
    ///
    /// # Errors
    /// A device login that is needed and was not given.
    pub(crate) fn wire(&self, secrets: &Secrets) -> Result<Wire, Denial> {
        Ok(match self {
            Self::Settings(settings) => {
                let named = settings.iter().map(|(key, value)| (key.name().into(), value.clone()));
                http(Method::Patch, "/api/system", Some(Value::Object(named.collect())))
            }
            Self::PutSlot { id, slot } => {
                http(Method::Put, &slot_path(*id), Some(Value::Object(slot.0.clone())))
            }
            Self::DeleteSlot { id } => http(Method::Delete, &slot_path(*id), None),
            Self::Restart => http(Method::Post, "/api/system/restart", None),
            Self::Greet => http(Method::Post, "/api/system/identify", None),
            Self::SetPool { index, url, user, password } => {
                let login = secrets.login.as_ref().ok_or(Denial::NeedsLogin)?;
                let known = secrets.old_pool_password.as_ref().map(Secret::expose);
                let pool_password = match password {
                    PoolPassword::Any => ANY_PASSWORD,
                    PoolPassword::OldPools => known.unwrap_or(ANY_PASSWORD),
                };
                let index = index.to_string();
                let device = [login.user.as_str(), login.password.expose()];
                let pool = [index.as_str(), url, user, pool_password];
                let values = [device.as_slice(), pool.as_slice()].concat();
                // A comma would move every value behind it; such a login cannot be the right one.
                if values.iter().any(|value| value.contains(',')) {
                    return Err(Denial::WrongLogin);
                }
                command("setpool", &values.join(","))
            }
            Self::AddPool { url, user } => command("addpool", &[url, user, ANY_PASSWORD].join(",")),
            Self::SwitchPool { index } => command("switchpool", &index.to_string()),
            Self::RemovePool { index } => command("removepool", &index.to_string()),
            Self::Reboot => command("ascset", "0,reboot,0"),
        })
    }
}

fn slot_path(id: SlotId) -> String {
    format!("/api/system/pools/{}", id.0)
}

fn http(method: Method, path: &str, body: Option<Value>) -> Wire {
    Wire::Http(HttpRequest { method, path: path.to_owned(), body })
}

fn command(name: &str, parameter: &str) -> Wire {
    Wire::Command(json!({ "command": name, "parameter": parameter }))
}

#[cfg(test)]
mod tests;

//! Where a device shall work.

use std::net::Ipv4Addr;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::address::NotPrivate;
use crate::text::DeviceText;

/// Longest user name that every family keeps whole: an Avalon cuts there.
pub const USER_CHARS_MAX: usize = 63;

/// Where a device shall work: an address of this computer, and a user name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawTarget", into = "RawTarget")]
pub struct Target {
    host: Ipv4Addr,
    port: NonZeroU16,
    user: String,
}

/// The values do not fit every device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTarget {
    /// Devices reach this computer over a private network only.
    #[error(transparent)]
    Host(#[from] NotPrivate),
    /// 1 to 63 visible ASCII characters, no comma and no vertical bar.
    #[error("a device may not keep the user name {0:?}")]
    User(String),
}

impl Target {
    /// Takes the values if every family of devices can.
    ///
    /// # Errors
    /// A host that is not private, a user name that a device would cut or misread.
    pub fn new(host: Ipv4Addr, port: NonZeroU16, user: &str) -> Result<Self, BadTarget> {
        if !host.is_private() {
            return Err(NotPrivate(host).into());
        }
        let is_good = (1..=USER_CHARS_MAX).contains(&user.len())
            && user.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b',' | b'|'));
        if !is_good {
            return Err(BadTarget::User(user.chars().take(USER_CHARS_MAX).collect()));
        }
        Ok(Self { host, port, user: user.to_owned() })
    }

    /// This computer's address.
    pub fn address(&self) -> Ipv4Addr {
        self.host
    }

    pub(crate) fn host(&self) -> String {
        self.host.to_string()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.get()
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Scheme, host and port in one.
    pub(crate) fn url(&self) -> String {
        format!("stratum+tcp://{}:{}", self.host, self.port)
    }

    pub(crate) fn shown(&self) -> DeviceText {
        DeviceText::clean(&format!("{}:{}", self.host, self.port))
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct RawTarget {
    host: Ipv4Addr,
    port: NonZeroU16,
    user: String,
}

impl TryFrom<RawTarget> for Target {
    type Error = BadTarget;

    fn try_from(raw: RawTarget) -> Result<Self, BadTarget> {
        Self::new(raw.host, raw.port, &raw.user)
    }
}

impl From<Target> for RawTarget {
    fn from(target: Target) -> Self {
        Self { host: target.host, port: target.port, user: target.user }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_that_some_device_would_cut_or_misread_is_refused() {
        let port = NonZeroU16::MIN;
        let target = |user: &str| Target::new([10, 0, 0, 1].into(), port, user);
        assert!(target("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.bitaxe1").is_ok());
        assert!(target(&"x".repeat(USER_CHARS_MAX)).is_ok());
        for user in ["", "a b", "a,b", "a|b", "ä", "a\n", &"x".repeat(USER_CHARS_MAX + 1)] {
            assert!(matches!(target(user), Err(BadTarget::User(_))), "{user}");
        }
    }

    #[test]
    fn a_target_outside_private_networks_is_refused_even_from_a_file() {
        let target = Target::new([8, 8, 8, 8].into(), NonZeroU16::MIN, "a");
        assert!(matches!(target, Err(BadTarget::Host(_))));
        let text = r#"{"host":"8.8.8.8","port":1,"user":"a"}"#;
        assert!(serde_json::from_str::<Target>(text).is_err());
    }
}

//! A place to connect to: a name or an IP address, with a port.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Longest name that the name system has.
const NAME_BYTES_MAX: usize = 253;

/// A host and a port. Displays as it is written down: `host:port`, `[IPv6]:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

/// Why a text names no place to connect to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostPortError {
    /// Neither a name nor an IP address.
    #[error("{0:?} is neither a host name nor an IP address")]
    Host(String),
    /// No port from 1 to 65535.
    #[error("{0:?} is no port from 1 to 65535")]
    Port(String),
    /// A port is needed here.
    #[error("{0:?} has no port; write HOST:PORT")]
    PortMissing(String),
}

impl HostPort {
    /// Reads `host`, `host:port`, `IPv6` or `[IPv6]:port`; `None` makes the port needed.
    ///
    /// # Errors
    /// Texts that are no host or no port, and a missing port where one is needed.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, HostPortError> {
        let text = text.trim();
        let default_port = || default_port.ok_or_else(|| HostPortError::PortMissing(text.into()));
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Self::checked(&address.ip().to_string(), address.port(), text);
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Self::checked(&ip.to_string(), default_port()?, text);
        }
        match text.rsplit_once(':') {
            None => Self::checked(text, default_port()?, text),
            Some((host, port)) => {
                let port = port.parse().map_err(|_| HostPortError::Port(port.to_owned()))?;
                Self::checked(host, port, text)
            }
        }
    }

    fn checked(host: &str, port: u16, text: &str) -> Result<Self, HostPortError> {
        let is_name = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        let is_host = is_name || host.parse::<IpAddr>().is_ok();
        if host.is_empty() || host.len() > NAME_BYTES_MAX || !is_host {
            return Err(HostPortError::Host(text.to_owned()));
        }
        if port == 0 {
            return Err(HostPortError::Port("0".into()));
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }

    /// The name or IP address; IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if the host is one and not a name.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.socket_addr() {
            Some(address) => address.fmt(f),
            None => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_with_and_without_a_port() {
        let shown = |text| HostPort::parse(text, Some(9333)).map(|place| place.to_string());
        assert_eq!(shown("Node.Example:1234").as_deref(), Ok("node.example:1234"));
        assert_eq!(shown("node.example").as_deref(), Ok("node.example:9333"));
        assert_eq!(shown("192.0.2.1").as_deref(), Ok("192.0.2.1:9333"));
        assert_eq!(shown("192.0.2.1:80").as_deref(), Ok("192.0.2.1:80"));
        assert_eq!(shown("2001:db8::1").as_deref(), Ok("[2001:db8::1]:9333"));
        assert_eq!(shown("[2001:db8::1]").as_deref(), Ok("[2001:db8::1]:9333"));
        assert_eq!(shown("[2001:db8::1]:80").as_deref(), Ok("[2001:db8::1]:80"));
        for wrong in ["", " ", ":80", "a b", "a:0", "a:65536", "a:b", "http://a", "a/b", "ä"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn where_a_port_is_needed_none_is_made_up() {
        let port = |text| HostPort::parse(text, None).map(|place| place.port());
        assert_eq!((port("127.0.0.1:9050"), port("[::1]:9050")), (Ok(9050), Ok(9050)));
        for wrong in ["127.0.0.1", "localhost", "::1", "2001:db8::9050", "[::1]"] {
            assert!(matches!(port(wrong), Err(HostPortError::PortMissing(_))), "{wrong}");
        }
    }
}

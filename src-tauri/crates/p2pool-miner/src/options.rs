//! The command line.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use clap::Parser;

/// Most threads that can be asked for.
const THREADS_MAX: i64 = 1024;

/// Mine with this computer's processor.
///
/// Connects to a pool that speaks Stratum and stays connected. Ends with code 0 when told to, with
/// code 2 for options it does not understand, and with code 1 when it cannot go on.
#[derive(Clone, Debug, Parser)]
#[command(name = "p2pool-miner", version)]
pub struct Options {
    /// Where the pool listens, as stratum+tcp://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub url: PoolAddress,
    /// User name at the pool
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Password at the pool; most pools ignore it
    #[arg(long, value_name = "PASSWORD", default_value = "x")]
    pub password: String,
    /// Threads that hash
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_threads)]
    pub threads: NonZeroU32,
    /// Most hashes a second, all threads together
    #[arg(long, value_name = "HASHES_PER_S", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Rest while the computer runs on its battery
    #[arg(long)]
    pub pause_on_battery: bool,
    /// Rest while somebody uses the computer, and for a minute after
    #[arg(long)]
    pub pause_when_active: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    /// End when the standard input is closed, as it is when the program that started this one ends
    #[arg(long)]
    pub parent_watch: bool,
}

fn parse_threads(text: &str) -> Result<NonZeroU32, String> {
    let threads = text.parse().ok().filter(|count| (1..=THREADS_MAX).contains(count));
    threads
        .and_then(|count: i64| NonZeroU32::new(u32::try_from(count).ok()?))
        .ok_or(format!("a number from 1 to {THREADS_MAX} is needed"))
}

/// Host and port of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolAddress {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Why a text is no pool address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolAddressError {
    /// Encrypted and other kinds of connections.
    #[error("'{0}://' is not spoken here, only stratum+tcp://")]
    Scheme(String),
    /// No port, or no number for one.
    #[error("a port is missing, as in stratum+tcp://127.0.0.1:9332")]
    Port,
    /// No host, or one that cannot be.
    #[error("a host is missing, as in stratum+tcp://127.0.0.1:9332")]
    Host,
}

impl FromStr for PoolAddress {
    type Err = PoolAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("stratum+tcp", text.trim()));
        if !matches!(scheme, "stratum+tcp" | "tcp") {
            return Err(PoolAddressError::Scheme(scheme.to_owned()));
        }
        let (host, port) =
            rest.trim_end_matches('/').rsplit_once(':').ok_or(PoolAddressError::Port)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(PoolAddressError::Port)?;
        let is_ipv6 = host.starts_with('[') && host.ends_with(']');
        let host = if is_ipv6 { host.trim_matches(['[', ']']) } else { host };
        let is_odd = |letter: char| letter.is_whitespace() || "/@[]".contains(letter);
        if host.is_empty() || host.contains(is_odd) || (host.contains(':') && !is_ipv6) {
            return Err(PoolAddressError::Host);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for PoolAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<(String, u16), PoolAddressError> {
        text.parse().map(|PoolAddress { host, port }| (host, port))
    }

    #[test]
    fn addresses_are_read_with_or_without_scheme() {
        for text in [
            "stratum+tcp://pool.example:9332",
            "stratum+tcp://pool.example:9332/",
            "tcp://pool.example:9332",
            " pool.example:9332",
        ] {
            assert_eq!(address(text), Ok(("pool.example".into(), 9332)), "{text}");
        }
        assert_eq!(address("stratum+tcp://[::1]:9332"), Ok(("::1".into(), 9332)));
        assert_eq!("[::1]:9332".parse::<PoolAddress>().unwrap().to_string(), "[::1]:9332");
    }

    #[test]
    fn what_is_no_address_is_named() {
        for (text, error) in [
            ("stratum+ssl://a:1", PoolAddressError::Scheme("stratum+ssl".into())),
            ("http://a:1", PoolAddressError::Scheme("http".into())),
            ("pool.example", PoolAddressError::Port),
            ("pool.example:", PoolAddressError::Port),
            ("pool.example:0", PoolAddressError::Port),
            ("pool.example:99999", PoolAddressError::Port),
            (":9332", PoolAddressError::Host),
            ("::1:9332", PoolAddressError::Host),
            ("user@host:9332", PoolAddressError::Host),
            ("", PoolAddressError::Port),
        ] {
            assert_eq!(address(text), Err(error), "{text}");
        }
    }

    #[test]
    fn options_have_sensible_defaults_and_limits() {
        let parse = |more: &[&str]| {
            let base = ["p2pool-miner", "--url", "a:1", "--user", "me"];
            Options::try_parse_from(base.iter().chain(more))
        };
        let options = parse(&[]).unwrap();
        assert_eq!((options.threads.get(), options.limit, options.json), (1, None, false));
        for bad in [
            ["--threads", "0"],
            ["--threads", "1025"],
            ["--threads", "many"],
            ["--limit", "0"],
            ["--limit", "-1"],
            ["--made-up", "1"],
        ] {
            assert_eq!(parse(&bad).unwrap_err().exit_code(), 2, "{bad:?}");
        }
        assert_eq!(Options::try_parse_from(["p2pool-miner"]).unwrap_err().exit_code(), 2);
    }
}

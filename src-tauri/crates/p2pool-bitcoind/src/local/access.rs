//! How programs reach a node by its settings: address, cookie, logins, who may call what.
//!
//! Source: Bitcoin Core, `src/httprpc.cpp`, `InitRPCAuthentication` and `src/httpserver.cpp`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use bitcoin::Network;

use crate::auth::{Auth, Secret};
use crate::local::conf::{Value, number, rpcauth_user};
use crate::local::configuration::path;
use crate::local::login::NewLogin;
use crate::local::settings::{Found, Origin, Sources};

/// Every method of a node that we call: a whitelist for us has to name them.
pub const METHODS: [&str; 14] = [
    "getbestblockhash",
    "getblock",
    "getblockchaininfo",
    "getblockhash",
    "getblockheader",
    "getblockstats",
    "getblocktemplate",
    "getnetworkinfo",
    "getpeerinfo",
    "getzmqnotifications",
    "submitblock",
    "uptime",
    "validateaddress",
    "waitfornewblock",
];

/// Whether the node accepts connections from programs, and what decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A setting switches it on.
    On(Origin),
    /// A setting switches it off.
    Off(Origin),
    /// Nothing says so: it depends on the program, see
    /// [`Program::serves_by_default`](crate::local::Program::serves_by_default).
    Unsaid,
}

/// How programs reach a node.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) server: Server,
    /// Where it listens, as seen from this computer.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The cookie file; `None` if the node makes none.
    pub(crate) cookie: Option<PathBuf>,
    /// The login that stands in clear.
    pub(crate) login: Option<Auth>,
    /// Whether a user name stands in clear.
    pub(crate) has_user: bool,
    /// Whether a password stands in clear, even if we cannot use it.
    pub(crate) has_password: bool,
    /// Values of `rpcauth`.
    pub(crate) rpcauth: Vec<Vec<u8>>,
    whitelists: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
    is_closed_to_unlisted: bool,
}

impl Access {
    pub(crate) fn new(sources: &Sources, chain: Network, chain_folder: &Path) -> Self {
        let single = |name| sources.single(name, chain);
        let user = single("rpcuser").map_or(&b""[..], |found| found.value.text());
        let password = single("rpcpassword").map_or(&b""[..], |found| found.value.text());
        let has_password = !password.is_empty();
        let login = as_text(user).zip(as_text(password)).filter(|_| has_password);
        let cookie = cookie_file(single("rpccookiefile"), chain_folder);
        let (host, port) = address(sources, chain);
        let rpcauth = sources.list("rpcauth", chain);
        let whitelist = sources.list("rpcwhitelist", chain);
        let is_closed_to_unlisted = single("rpcwhitelistdefault")
            .map_or(!whitelist.is_empty(), |found| found.value.is_on());
        Self {
            server: server(single("server"), sources),
            host,
            port,
            cookie: cookie.filter(|_| !has_password),
            login: login.map(|(user, password)| Auth::UserPassword {
                user,
                password: Secret::new(password),
            }),
            has_user: !user.is_empty(),
            has_password,
            rpcauth: rpcauth.iter().map(|found| found.value.text().to_owned()).collect(),
            whitelists: whitelists(&whitelist),
            is_closed_to_unlisted,
        }
    }

    /// Names of the users that `rpcauth` knows.
    pub(crate) fn users(&self) -> Vec<String> {
        let users = self.rpcauth.iter().filter_map(|value| rpcauth_user(value));
        users.map(|user| String::from_utf8_lossy(user).into_owned()).collect()
    }

    /// Whether the proof of this login is among the values of `rpcauth`.
    pub(crate) fn has_rpcauth(&self, login: &NewLogin) -> bool {
        self.rpcauth.iter().any(|value| *value == login.rpcauth().as_bytes())
    }

    /// Whether this user may call all that we call.
    pub(crate) fn admits(&self, user: &str) -> bool {
        match self.whitelists.get(user.as_bytes()) {
            Some(methods) => METHODS.iter().all(|method| methods.contains(method.as_bytes())),
            None => !self.is_closed_to_unlisted,
        }
    }

    /// Address for [`RpcConfig`](crate::RpcConfig).
    pub(crate) fn url(&self) -> String {
        match self.host.parse::<Ipv6Addr>() {
            Ok(address) => format!("http://[{address}]:{}", self.port),
            Err(_) => format!("http://{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for Access {
    /// Shows no login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("server", &self.server)
            .field("url", &self.url())
            .field("cookie", &self.cookie)
            .field("login", &self.login)
            .field("users", &self.users())
            .finish_non_exhaustive()
    }
}

/// The port of a chain unless told otherwise.
pub fn usual_port(chain: Network) -> u16 {
    match chain.to_core_arg() {
        "test" => 18_332,
        "testnet4" => 48_332,
        "signet" => 38_332,
        "regtest" => 18_443,
        _ => 8_332,
    }
}

/// Splits `host`, `host:port`, `[address]:port` as the node does.
pub(crate) fn split_port(text: &str) -> (&str, Option<u16>) {
    let colon = text.rfind(':');
    let is_bracketed = text.starts_with('[') && colon.is_some_and(|at| text[..at].ends_with(']'));
    let is_many = colon.is_some_and(|at| text[..at].contains(':'));
    let (host, port) = match colon {
        Some(at) if is_bracketed || !is_many => match text[at + 1..].parse::<u16>() {
            Ok(port) => (&text[..at], Some(port)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    };
    (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
}

fn server(found: Option<Found<'_>>, sources: &Sources) -> Server {
    match found {
        Some(found) if found.value.is_on() => Server::On(sources.origin(found.spot)),
        Some(found) => Server::Off(sources.origin(found.spot)),
        None => Server::Unsaid,
    }
}

fn cookie_file(found: Option<Found<'_>>, chain_folder: &Path) -> Option<PathBuf> {
    match found.map(|found| found.value) {
        Some(Value::Negated) => None,
        Some(Value::Text(name)) if !name.is_empty() => Some(chain_folder.join(path(name)?)),
        Some(Value::Text(_) | Value::Affirmed) | None => Some(chain_folder.join(".cookie")),
    }
}

/// Where the node listens, as seen from this computer.
///
/// `rpcbind` counts only beside `rpcallowip`; a loopback address is preferred.
fn address(sources: &Sources, chain: Network) -> (String, u16) {
    let port = sources
        .single("rpcport", chain)
        .and_then(|found| u16::try_from(number(found.value.text())).ok())
        .filter(|port| *port != 0)
        .unwrap_or(usual_port(chain));
    let loopback = || (Ipv4Addr::LOCALHOST.to_string(), port);
    if sources.list("rpcallowip", chain).is_empty() {
        return loopback();
    }
    let bound = sources.list("rpcbind", chain);
    let mut bound: Vec<(String, u16)> = bound
        .iter()
        .filter_map(|found| as_text(found.value.text()))
        .map(|text| {
            let (host, own_port) = split_port(&text);
            (reachable(host), own_port.unwrap_or(port))
        })
        .collect();
    bound.sort_by_key(|(host, _)| !is_loopback(host));
    bound.into_iter().next().unwrap_or_else(loopback)
}

/// An address to call for one that a node listens on.
fn reachable(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(address)) if address.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        Ok(_) | Err(_) => host.to_owned(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Users with what they may call; several lines for one user leave what all of them name.
fn whitelists(found: &[Found<'_>]) -> BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> {
    let mut lists: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for value in found.iter().map(|found| found.value.text()) {
        let mut halves = value.splitn(2, |byte| *byte == b':');
        let user = halves.next().unwrap_or_default().to_owned();
        let named = halves.next().map(|methods| -> BTreeSet<Vec<u8>> {
            methods.split(|byte| matches!(byte, b',' | b' ')).map(<[u8]>::to_vec).collect()
        });
        match (lists.get_mut(&user), named) {
            (Some(known), Some(named)) => known.retain(|method| named.contains(method)),
            (Some(_), None) => {}
            (None, named) => {
                lists.insert(user, named.unwrap_or_default());
            }
        }
    }
    lists
}

fn as_text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::conf::ConfFile;

    fn access(text: &str, chain: Network) -> Access {
        let file = (PathBuf::from("bitcoin.conf"), ConfFile::parse(text.as_bytes().into()));
        let sources = Sources { files: vec![file], ..Sources::default() };
        Access::new(&sources, chain, Path::new("/data"))
    }

    #[test]
    fn address_follows_port_and_bind() {
        for (text, expected) in [
            ("", "http://127.0.0.1:8332"),
            ("rpcport=9000\n", "http://127.0.0.1:9000"),
            ("rpcport=abc\n", "http://127.0.0.1:8332"),
            ("rpcport=99999\n", "http://127.0.0.1:8332"),
            ("rpcbind=10.0.0.5\n", "http://127.0.0.1:8332"),
            ("rpcallowip=10.0.0.0/8\nrpcbind=10.0.0.5\n", "http://10.0.0.5:8332"),
            ("rpcallowip=::1\nrpcbind=10.0.0.5\nrpcbind=127.0.0.1:7\n", "http://127.0.0.1:7"),
            ("rpcallowip=::1\nrpcbind=0.0.0.0\n", "http://127.0.0.1:8332"),
            ("rpcallowip=::1\nrpcbind=[::]:9\n", "http://[::1]:9"),
            ("rpcallowip=::1\nrpcbind=::1\n", "http://[::1]:8332"),
            ("rpcallowip=::1\nrpcbind=box:9\n", "http://box:9"),
        ] {
            assert_eq!(access(text, Network::Bitcoin).url(), expected, "{text}");
        }
        let ports = [
            (Network::Testnet, 18_332),
            (Network::Testnet4, 48_332),
            (Network::Signet, 38_332),
            (Network::Regtest, 18_443),
        ];
        for (chain, port) in ports {
            assert_eq!(access("rpcport=9000\n", chain).port, port);
        }
    }

    #[test]
    fn cookie_is_made_unless_a_password_stands_in_clear() {
        let cookie = |text| access(text, Network::Bitcoin).cookie;
        let usual = Some(PathBuf::from("/data/.cookie"));
        assert_eq!(cookie(""), usual);
        assert_eq!(cookie("rpcuser=u\nrpcauth=u:1$2\n"), usual);
        assert_eq!(cookie("rpcpassword=\n"), usual);
        assert_eq!(cookie("rpccookiefile=\n"), usual);
        assert_eq!(cookie("rpccookiefile=my\n"), Some("/data/my".into()));
        assert_eq!(cookie("rpccookiefile=/run/c\n"), Some("/run/c".into()));
        assert_eq!(cookie("norpccookiefile=1\n"), None);
        assert_eq!(cookie("rpcpassword=x\n"), None);
        assert_eq!(cookie("norpcpassword=1\n"), None);
    }

    #[test]
    fn login_in_clear_and_users_are_found() {
        let login = |text| access(text, Network::Bitcoin).login;
        let auth = |user: &str, password: &str| {
            let password = Secret::new(password.into());
            Some(Auth::UserPassword { user: user.into(), password })
        };
        assert_eq!(login("rpcuser=u\n"), None);
        assert_eq!(login("rpcpassword=p\n"), auth("", "p"));
        assert_eq!(login("rpcuser=u\nrpcpassword=p\nrpcuser=v\n"), auth("u", "p"));
        assert_eq!(login("norpcpassword=1\n"), auth("", "0"));
        let users = access("rpcauth=a:1$2\nrpcauth=b:1$2\n", Network::Bitcoin).users();
        assert_eq!(users, ["a", "b"]);
    }

    #[test]
    fn whitelists_admit_whom_the_node_admits() {
        let all = METHODS.join(",");
        for (text, expected) in [
            (String::new(), true),
            ("rpcwhitelist=x:uptime\n".into(), false),
            ("rpcwhitelist=x:uptime\nrpcwhitelistdefault=0\n".into(), true),
            ("rpcwhitelistdefault=1\n".into(), false),
            (format!("rpcwhitelist=me:{all}\n"), true),
            (format!("rpcwhitelist=me:{}\n", METHODS.join(", ")), true),
            (format!("rpcwhitelist=me:{all}\nrpcwhitelist=me:uptime\n"), false),
            (format!("rpcwhitelist=me:{all}\nrpcwhitelist=me\n"), true),
            ("rpcwhitelist=me:uptime\nrpcwhitelistdefault=0\n".into(), false),
        ] {
            assert_eq!(access(&text, Network::Bitcoin).admits("me"), expected, "{text}");
        }
    }

    #[test]
    fn ports_are_split_off_hosts() {
        for (text, expected) in [
            ("1.2.3.4", ("1.2.3.4", None)),
            ("1.2.3.4:5", ("1.2.3.4", Some(5))),
            ("::1", ("::1", None)),
            ("[::1]", ("::1", None)),
            ("[::1]:5", ("::1", Some(5))),
            ("host:x", ("host:x", None)),
            ("", ("", None)),
        ] {
            assert_eq!(split_port(text), expected, "{text}");
        }
    }
}

//! The calls themselves: one device, one request at a time, with a limit on everything.

mod http;
mod tcp;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::address::{DeviceAddress, NotPrivate, Reach};
use crate::cgminer::{self, Pools};
use crate::error::{CallError, Silence};
use crate::fingerprint::{HttpAnswer, Recognised, recognise};
use crate::health::Health;
use crate::identity::{Dialect, Family, FirmwareVersion, Identity};
use crate::info::{Info, model_in_asic};
use crate::request::{Page, Query, Request, Wire};
use crate::script::{Document, Reading};
use crate::text::{DeviceText, Secrets};

/// From connecting to the last byte of an answer.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// First firmware of a Bitaxe that shows a greeting on request.
const GREETING_SINCE: FirmwareVersion = FirmwareVersion::new(2, 12);
/// Time to look up a name.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest name in the domain name system.
const HOST_NAME_CHARS_MAX: usize = 253;

const UNKNOWN: CallError = CallError::NotUnderstood("no miner of a known kind");

/// The ports that devices listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Of their web server.
    pub http: u16,
    /// Of the cgminer API.
    pub cgminer: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http: 80, cgminer: 4028 }
    }
}

/// How devices are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// Says who we are, so that an administrator can recognise us:
    /// `{AppName}/{version} (local miner setup)`.
    pub user_agent: String,
    /// Which addresses may be called.
    pub reach: Reach,
    /// Where devices listen.
    pub ports: Ports,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no client for devices: {0}")]
pub struct BadClient(#[from] reqwest::Error);

/// A name did not lead to a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The text is no name and no address.
    #[error("{0:?} is neither a name nor an address")]
    BadName(String),
    /// Nobody knows the name.
    #[error("nobody knows the name {0:?}")]
    NotFound(String),
    /// The name leads out of the home.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
}

/// Calls devices. Sends nothing by itself. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DeviceClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: http::Http,
    reach: Reach,
    ports: Ports,
}

impl DeviceClient {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// A user agent that is no header text.
    pub fn new(config: &ClientConfig) -> Result<Self, BadClient> {
        let http = http::Http::new(&config.user_agent)?;
        let shared = Shared { http, reach: config.reach, ports: config.ports };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Takes an address that the user typed or a scan found.
    ///
    /// # Errors
    /// An address that must not be called.
    pub fn address(&self, ip: Ipv4Addr) -> Result<DeviceAddress, NotPrivate> {
        DeviceAddress::new(ip, self.shared.reach)
    }

    /// Finds the address behind what the user typed: an IPv4 address or a host name.
    ///
    /// # Errors
    /// No name, an unknown one, or one that leads out of the home.
    pub async fn resolve(&self, typed: &str) -> Result<DeviceAddress, ResolveError> {
        let typed = typed.trim();
        if let Ok(ip) = typed.parse::<Ipv4Addr>() {
            return Ok(self.address(ip)?);
        }
        let is_name = (1..=HOST_NAME_CHARS_MAX).contains(&typed.len())
            && typed.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if !is_name {
            let shown = typed.chars().take(HOST_NAME_CHARS_MAX).collect();
            return Err(ResolveError::BadName(shown));
        }
        let unknown = || ResolveError::NotFound(typed.to_owned());
        let found = timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((typed, 0))).await;
        let found = found.ok().and_then(Result::ok).ok_or_else(unknown)?;
        let mut refused = None;
        for ip in found.filter_map(|found| match found.ip() {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        }) {
            match self.address(ip) {
                Ok(address) => return Ok(address),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.map_or_else(unknown, Into::into))
    }

    /// A handle to one device. Keep one for each: it makes sure that a device, whose web server is
    /// small, gets one request at a time.
    ///
    /// # Errors
    /// An address that must not be called: one made with a wider reach than this client's.
    pub fn device(&self, address: DeviceAddress) -> Result<Device, NotPrivate> {
        let address = self.address(address.ip())?;
        Ok(Device { client: self.clone(), address })
    }

    /// One probe of the web server at an address: what answers there, if it answers.
    pub(crate) async fn probe_http(&self, address: DeviceAddress) -> Result<HttpAnswer, CallError> {
        self.shared.http.probe(self.http_at(address), &Page::Info.request()).await
    }

    /// One probe of the cgminer API at an address.
    pub(crate) async fn probe_cgminer(
        &self,
        address: DeviceAddress,
    ) -> Result<Option<Identity>, CallError> {
        let bytes = tcp::probe(self.cgminer_at(address), &Query::Version.command()).await?;
        Ok(cgminer::identify(&cgminer::parse_reply(&bytes)?, address))
    }

    fn http_at(&self, address: DeviceAddress) -> SocketAddrV4 {
        SocketAddrV4::new(address.ip(), self.shared.ports.http)
    }

    fn cgminer_at(&self, address: DeviceAddress) -> SocketAddrV4 {
        SocketAddrV4::new(address.ip(), self.shared.ports.cgminer)
    }
}

/// What a device tells about itself at a first look.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstLook {
    /// A device that can be read.
    Read(Box<Reading>),
    /// A device that tells only what it is.
    Only(Identity),
}

impl FirstLook {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        match self {
            Self::Read(reading) => &reading.identity,
            Self::Only(identity) => identity,
        }
    }
}

/// One device. `&mut self` on every call keeps them one after the other.
#[derive(Debug)]
pub struct Device {
    client: DeviceClient,
    address: DeviceAddress,
}

impl Device {
    /// Where it is.
    pub fn address(&self) -> DeviceAddress {
        self.address
    }

    /// Looks once at what is there: the user added it by hand, or asked to learn its model.
    ///
    /// # Errors
    /// Any [`CallError`]; [`CallError::NotUnderstood`] for what is no miner of a known kind.
    pub async fn look(&mut self, secrets: &Secrets) -> Result<FirstLook, CallError> {
        let failure = match self.get(Page::Info, secrets).await {
            Ok(answer) => match recognise(&answer, self.address) {
                Some(Recognised::Info(info)) => {
                    return Ok(FirstLook::Read(Box::new(self.reading_of(info))));
                }
                Some(Recognised::Only(identity)) => return Ok(FirstLook::Only(identity)),
                None => answer.body(secrets).err().unwrap_or(UNKNOWN),
            },
            Err(error) => error,
        };
        match self.client.probe_cgminer(self.address).await {
            Ok(Some(identity)) if identity.family.dialect() == Some(Dialect::Cgminer) => {
                let reading = self.read(Dialect::Cgminer, secrets).await?;
                Ok(FirstLook::Read(Box::new(reading)))
            }
            Ok(Some(identity)) => Ok(FirstLook::Only(identity)),
            Ok(None) | Err(_) => Err(failure),
        }
    }

    /// Reads who the device is and how it is set.
    ///
    /// # Errors
    /// Any [`CallError`].
    pub async fn read(
        &mut self,
        dialect: Dialect,
        secrets: &Secrets,
    ) -> Result<Reading, CallError> {
        match dialect {
            Dialect::AxeOs => {
                let bytes = self.page(Page::Info, secrets).await?;
                Ok(self.reading_of(Info::parse(&bytes)?))
            }
            Dialect::Cgminer => {
                let version = self.ask(Query::Version).await?;
                let version = cgminer::parse_reply(&version)?;
                let identity = cgminer::identify(&version, self.address).ok_or(UNKNOWN)?;
                let pools = Pools::parse(&self.ask(Query::Pools).await?)?;
                Ok(Reading { identity, document: Document::Pools(pools) })
            }
        }
    }

    /// Reads how the device is doing.
    ///
    /// # Errors
    /// Any [`CallError`]; [`CallError::NotUnderstood`] for a family that we do not read.
    pub async fn health(&mut self, family: Family, secrets: &Secrets) -> Result<Health, CallError> {
        match family.dialect() {
            Some(Dialect::AxeOs) => {
                let bytes = self.page(Page::Info, secrets).await?;
                Ok(Health::of_info(&Info::parse(&bytes)?))
            }
            Some(Dialect::Cgminer) => {
                let summary = self.ask(Query::Summary).await?;
                let pools = self.ask(Query::Pools).await?;
                let details = if family == Family::Avalon {
                    Some(self.ask(Query::Estats).await?)
                } else {
                    None
                };
                Health::of_replies(&summary, &pools, details.as_deref())
            }
            None => Err(CallError::NotUnderstood("this family is not read by us")),
        }
    }

    /// The model in the words of a Bitaxe since AxeOS 2.7, such as `Gamma`.
    ///
    /// # Errors
    /// Any [`CallError`].
    pub async fn model(&mut self, secrets: &Secrets) -> Result<DeviceText, CallError> {
        model_in_asic(&self.page(Page::Asic, secrets).await?)
    }

    /// Whether the device can show a greeting on its screen.
    pub fn can_greet(identity: &Identity) -> bool {
        let is_new = identity.version().is_some_and(|version| version >= GREETING_SINCE);
        identity.family == Family::Bitaxe && is_new
    }

    /// Shows a greeting on the device's screen for half a minute, or takes it away.
    ///
    /// # Errors
    /// Any [`CallError`].
    pub async fn greet(&mut self, secrets: &Secrets) -> Result<(), CallError> {
        self.send(&Request::Greet, secrets).await
    }

    /// Restarts the device.
    ///
    /// # Errors
    /// Any [`CallError`]; [`CallError::NotUnderstood`] for a family that we do not restart.
    pub async fn restart(&mut self, family: Family, secrets: &Secrets) -> Result<(), CallError> {
        let request = if family == Family::Avalon {
            Request::Reboot
        } else if matches!(family, Family::Bitaxe | Family::NerdAxe) {
            Request::Restart
        } else {
            return Err(CallError::NotUnderstood("this family is not restarted by us"));
        };
        self.send(&request, secrets).await
    }

    pub(crate) async fn send(
        &mut self,
        request: &Request,
        secrets: &Secrets,
    ) -> Result<(), CallError> {
        match request.wire(secrets)? {
            Wire::Http(request) => {
                let at = self.client.http_at(self.address);
                let answer = self.client.shared.http.call(at, &request, secrets).await?;
                answer.body(secrets).map(drop)
            }
            Wire::Command(command) => {
                let bytes = tcp::call(self.client.cgminer_at(self.address), &command).await?;
                cgminer::parse_reply(&bytes).map(drop)
            }
        }
    }

    async fn get(&mut self, page: Page, secrets: &Secrets) -> Result<HttpAnswer, CallError> {
        let at = self.client.http_at(self.address);
        self.client.shared.http.call(at, &page.request(), secrets).await
    }

    async fn page(&mut self, page: Page, secrets: &Secrets) -> Result<Vec<u8>, CallError> {
        self.get(page, secrets).await?.body(secrets)
    }

    async fn ask(&mut self, query: Query) -> Result<Vec<u8>, CallError> {
        tcp::call(self.client.cgminer_at(self.address), &query.command()).await
    }

    fn reading_of(&self, info: Info) -> Reading {
        Reading { identity: info.identity(self.address), document: Document::Info(info) }
    }
}

/// The innermost cause is the system's word, the outer ones repeat it.
fn silence_of(error: &(dyn std::error::Error + 'static)) -> Silence {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.downcast_ref::<io::Error>().map_or(Silence::Broken, silence_of_io)
}

fn silence_of_io(error: &io::Error) -> Silence {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};

    let kind = error.kind();
    if kind == ConnectionRefused {
        Silence::Refused
    } else if kind == TimedOut {
        Silence::TimedOut
    } else if matches!(kind, HostUnreachable | NetworkUnreachable) {
        Silence::NoRoute
    } else {
        Silence::Broken
    }
}

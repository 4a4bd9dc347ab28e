//! What the application needs from whatever it runs on: a desktop, or a test.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use p2pool_bitcoind::Secret;
use p2pool_bitcoind::local::Surroundings;
use p2pool_devices::{ClientConfig, Interface, Ports, Reach};

use crate::api::{Outside, UnixSeconds};
use crate::logbook::LogBook;
use crate::session::Session;

/// The computer and the session the application runs in.
///
/// The desktop shell implements it over the real system, tests over a temporary folder and a
/// clock of their own.
pub trait Host: fmt::Debug + Send + Sync + 'static {
    /// The application's version, without a leading "v".
    fn version(&self) -> &str;

    /// Folder of everything the application keeps; settings and practice lie in it.
    fn data_dir(&self) -> &Path;

    /// Program file of the CPU miner. That it exists is not promised.
    fn helper_program(&self) -> PathBuf;

    /// Threads this computer can run at once.
    fn threads_available(&self) -> u32;

    /// The present wall time.
    fn now(&self) -> UnixSeconds;

    /// The session the person works in.
    fn session(&self) -> &dyn Session;

    /// The computer's password store.
    fn keychain(&self) -> &dyn Keychain;

    /// Folder that files for the person are written to; `None` if this computer has none.
    fn downloads_dir(&self) -> Option<PathBuf> {
        None
    }

    /// The log in memory; `None` if this host keeps none.
    fn log(&self) -> Option<Arc<LogBook>> {
        None
    }

    /// Opens something of the system outside the window.
    ///
    /// # Errors
    /// The system has no such thing, or refuses; a host without a screen always does.
    fn open(&self, place: Outside) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, format!("no way to open {place:?}")))
    }

    /// Processes and folders among which a Bitcoin node may be. Blocks for some milliseconds.
    fn surroundings(&self) -> Surroundings {
        Surroundings::of_this_computer()
    }

    /// This computer's address on the network where miners are; `None` while it is on no private
    /// network. Sends nothing.
    fn lan_address(&self) -> Option<Ipv4Addr> {
        lan_address()
    }

    /// How miners' own interfaces are called.
    fn device_client(&self) -> ClientConfig {
        ClientConfig {
            user_agent: format!("P2Pool Desktop/{} (local miner setup)", self.version()),
            reach: Reach::Private,
            ports: Ports::default(),
        }
    }

    /// The private networks that this computer is on.
    ///
    /// # Errors
    /// What the system says.
    fn interfaces(&self) -> io::Result<Vec<Interface>> {
        p2pool_devices::interfaces()
    }
}

/// The computer's password store: the system's own, which may ask the person. Every call may
/// block for as long as the person thinks.
pub trait Keychain: fmt::Debug + Send + Sync {
    /// The password kept for an account; `None` if there is none.
    ///
    /// # Errors
    /// No store, or no access to it.
    fn get(&self, account: &str) -> Result<Option<Secret>, KeychainError>;

    /// Keeps a password for an account, in place of an older one.
    ///
    /// # Errors
    /// No store, or no access to it.
    fn set(&self, account: &str, password: &Secret) -> Result<(), KeychainError>;

    /// Forgets the password of an account, if there is one.
    ///
    /// # Errors
    /// No store, or no access to it.
    fn delete(&self, account: &str) -> Result<(), KeychainError>;
}

/// Why the password store is of no use now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// There is none, or it does not answer: `K-01`.
    #[error("the system's password store isn't available: {0}")]
    Unavailable(String),
    /// The person, or the system, declined: `K-02`.
    #[error("access to the stored login was declined: {0}")]
    Declined(String),
}

/// The address of the network that the system would take to the outside, else of the first one
/// that is neither a tunnel nor a virtual machine's.
fn lan_address() -> Option<Ipv4Addr> {
    let interfaces = p2pool_devices::interfaces().unwrap_or_else(|error| {
        tracing::warn!(%error, "networks of this computer not known");
        Vec::new()
    });
    let real: Vec<Ipv4Addr> = interfaces
        .iter()
        .filter(|interface| !interface.is_virtual)
        .map(|interface| interface.address)
        .collect();
    outward_address().filter(|address| real.contains(address)).or_else(|| real.first().copied())
}

/// The own address on the way to the outside. Choosing it sends nothing.
fn outward_address() -> Option<Ipv4Addr> {
    // An address for documentation: any that lies outside will do.
    let outside = (Ipv4Addr::new(203, 0, 113, 1), 9);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(outside).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

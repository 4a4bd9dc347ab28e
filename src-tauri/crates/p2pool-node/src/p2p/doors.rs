//! The sockets on which other nodes connect.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that may wait to be taken.
const BACKLOG: i32 = 64;

/// The open doors, and what had to be done about the port.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    pub(crate) listeners: Vec<TcpListener>,
    /// The wanted port was in use, so that another one was taken.
    pub(crate) is_other_port: bool,
}

impl Doors {
    /// Opens a door on each address, all on one port. A computer without one kind of addresses
    /// gets the doors that it can have; a port in use is replaced by any other.
    ///
    /// # Errors
    /// Not one door opens.
    pub(crate) fn open(wanted: &[SocketAddr]) -> io::Result<Self> {
        match Self::open_on(wanted) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let any: Vec<_> =
                    wanted.iter().map(|address| SocketAddr::new(address.ip(), 0)).collect();
                Ok(Self { is_other_port: true, ..Self::open_on(&any)? })
            }
            outcome => outcome,
        }
    }

    fn open_on(wanted: &[SocketAddr]) -> io::Result<Self> {
        let mut listeners: Vec<TcpListener> = Vec::new();
        let mut failure = None;
        for address in wanted {
            let mut address = *address;
            if let Some(first) = listeners.first().filter(|_| address.port() == 0) {
                address.set_port(first.local_addr()?.port());
            }
            match listen(address) {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                Err(error) => {
                    tracing::debug!(%address, %error, "no door for other nodes there");
                    failure = Some(error);
                }
            }
        }
        match failure {
            Some(error) if listeners.is_empty() => Err(error),
            _ => Ok(Self { listeners, is_other_port: false }),
        }
    }

    /// Where they are.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        // A socket that was just bound has an address.
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }
}

/// A door for one kind of addresses only, so that both kinds can have the same port.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Elsewhere it would let two programs share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[tokio::test]
    async fn both_kinds_of_addresses_get_one_port() {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
        let doors = Doors::open(&[v4, v6]).unwrap();
        let addresses = doors.addresses();
        // A computer without IPv6 has the other door alone.
        assert!(addresses.iter().all(|address| address.port() == addresses[0].port()));
        assert!(addresses[0].is_ipv4() && addresses[0].port() != 0 && !doors.is_other_port);
    }

    #[tokio::test]
    async fn port_in_use_is_replaced_and_said_so() {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let first = Doors::open(&[any]).unwrap();
        let second = Doors::open(&first.addresses()).unwrap();
        assert!(second.is_other_port);
        assert_ne!(second.addresses(), first.addresses());
    }

    #[tokio::test]
    async fn who_wants_no_door_gets_none() {
        assert!(Doors::open(&[]).unwrap().addresses().is_empty());
    }
}

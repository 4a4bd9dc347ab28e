//! Making connections: straight, or through a SOCKS5 proxy.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use p2pool_wire::peering::DialTarget;
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use super::host::HostPort;

const WITHIN: Duration = Duration::from_secs(5);
/// A proxy such as Tor's builds a path first.
const WITHIN_BY_PROXY: Duration = Duration::from_secs(20);

/// Connects. With a proxy names go there unresolved, so that no name is asked of anybody else.
///
/// Gives the other end's address as well; `None` if only the proxy knows it.
pub(crate) async fn dial(
    target: &DialTarget,
    proxy: Option<&HostPort>,
) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    let within = if proxy.is_some() { WITHIN_BY_PROXY } else { WITHIN };
    let dialled = tokio::time::timeout(within, async {
        match proxy {
            None => straight(target).await,
            Some(proxy) => by_proxy(target, proxy).await,
        }
    });
    dialled.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn straight(target: &DialTarget) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    let stream = match target {
        DialTarget::Address(address) => TcpStream::connect(address).await?,
        DialTarget::Host(host) => TcpStream::connect((host.name.as_str(), host.port)).await?,
    };
    let address = stream.peer_addr()?;
    Ok((stream, Some(address)))
}

async fn by_proxy(
    target: &DialTarget,
    proxy: &HostPort,
) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    let proxy = (proxy.host(), proxy.port());
    let (stream, address) = match target {
        DialTarget::Address(address) => {
            (Socks5Stream::connect(proxy, *address).await, Some(*address))
        }
        DialTarget::Host(host) => {
            let place = (host.name.as_str(), host.port);
            (Socks5Stream::connect(proxy, place).await, host.address())
        }
    };
    let stream = stream.map_err(io::Error::other)?;
    Ok((stream.into_inner(), address))
}

#[cfg(test)]
mod tests {
    use p2pool_wire::peering::Host;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Takes one request, says that it is done, and gives the request back.
    ///
    /// Source: RFC 1928.
    async fn fake_proxy(listener: TcpListener) -> Vec<u8> {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(greeting, [5, 1, 0]);
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = vec![0; 4];
        stream.read_exact(&mut request).await.unwrap();
        let rest = match request[3] {
            1 => 4 + 2,
            3 => usize::from(stream.read_u8().await.unwrap()) + 2,
            _ => 16 + 2,
        };
        let mut place = vec![0; rest];
        stream.read_exact(&mut place).await.unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        request.extend(place);
        request
    }

    async fn ask(target: DialTarget) -> (Option<SocketAddr>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = HostPort::from(listener.local_addr().unwrap());
        let (dialled, request) = tokio::join!(dial(&target, Some(&proxy)), fake_proxy(listener));
        (dialled.unwrap().1, request)
    }

    #[tokio::test]
    async fn names_are_given_to_the_proxy_as_they_are() {
        let host = Host { name: "pool.invalid".into(), port: 9333 };
        let (address, request) = ask(DialTarget::Host(host)).await;
        assert_eq!(address, None);
        assert_eq!(request, [&[5, 1, 0, 3][..], b"pool.invalid", &[0x24, 0x75]].concat());
    }

    #[tokio::test]
    async fn addresses_of_both_kinds_go_through_the_proxy() {
        let v4: SocketAddr = "192.0.2.7:80".parse().unwrap();
        let (address, request) = ask(DialTarget::Address(v4)).await;
        assert_eq!((address, &request[3..]), (Some(v4), &[1, 192, 0, 2, 7, 0, 80][..]));
        let v6: SocketAddr = "[2001:db8::7]:80".parse().unwrap();
        let (address, request) = ask(DialTarget::Address(v6)).await;
        assert_eq!((address, request[3], request.len()), (Some(v6), 4, 22));
    }

    #[tokio::test]
    async fn proxy_that_hangs_up_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = HostPort::from(listener.local_addr().unwrap());
        let target = DialTarget::Address("192.0.2.7:80".parse().unwrap());
        let (dialled, accepted) = tokio::join!(dial(&target, Some(&proxy)), async {
            drop(listener.accept().await.unwrap());
        });
        assert!(dialled.is_err());
        let () = accepted;
    }
}

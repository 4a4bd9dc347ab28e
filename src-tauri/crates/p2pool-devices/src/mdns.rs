//! One question to the whole network: who has a web server, who is a Bitaxe? Asked as a one-shot
//! query, which is answered to us alone.
//!
//! Source: RFC 6762 sections 5.1 and 6.7. Only the addresses of those who answer are used: what
//! they are is found out by asking them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

/// Where all who can answer listen.
pub(crate) const EVERYBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);
/// Asked again after this time, because such packets get lost.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// More answers than a home has devices are not read.
const ANSWERS_MAX: u32 = 512;
/// A packet on these networks is not longer.
const PACKET_BYTES_MAX: usize = 9000;
/// Number of our question, so that an answer can name it.
const QUESTION_ID: u16 = 0x4d69;

const HEADER_BYTES: usize = 12;
const KIND_POINTER: u16 = 12;
const CLASS_INTERNET: u16 = 1;

/// Services that are asked for.
const SERVICES: [&[&str]; 2] =
    [&["_axeos", "_sub", "_http", "_tcp", "local"], &["_http", "_tcp", "local"]];

/// Asks on the network of one of our addresses and tells who answers, until it is dropped.
///
/// # Errors
/// What the system says about the socket.
pub(crate) async fn browse(
    own: Ipv4Addr,
    to: SocketAddrV4,
    mut on_found: impl FnMut(Ipv4Addr),
) -> io::Result<()> {
    let socket = UdpSocket::bind(SocketAddrV4::new(own, 0)).await?;
    socket2::SockRef::from(&socket).set_multicast_if_v4(&own)?;
    let question = question();
    socket.send_to(&question, to).await?;
    let mut again = Some(Instant::now() + ASK_AGAIN_AFTER);
    let mut packet = vec![0; PACKET_BYTES_MAX];
    for _ in 0..ANSWERS_MAX {
        let received = loop {
            let received = socket.recv_from(&mut packet);
            match again {
                None => break received.await,
                Some(at) => tokio::select! {
                    received = received => break received,
                    () = sleep_until(at) => {
                        again = None;
                        socket.send_to(&question, to).await?;
                    }
                },
            }
        };
        // Someone who is not there may be reported as a failure of the socket; others still answer.
        let Ok((length, SocketAddr::V4(from))) = received else { continue };
        if is_answer(packet.get(..length).unwrap_or_default()) {
            on_found(*from.ip());
        }
    }
    Ok(())
}

/// The question for all services.
fn question() -> Vec<u8> {
    let count = u16::try_from(SERVICES.len()).expect("two services");
    let mut packet = Vec::new();
    for field in [QUESTION_ID, 0, count, 0, 0, 0] {
        packet.extend(field.to_be_bytes());
    }
    for labels in SERVICES {
        for label in labels {
            packet.push(u8::try_from(label.len()).expect("labels are short"));
            packet.extend(label.as_bytes());
        }
        packet.push(0);
        packet.extend(KIND_POINTER.to_be_bytes());
        packet.extend(CLASS_INTERNET.to_be_bytes());
    }
    packet
}

/// Whether a packet answers a question of ours with something.
fn is_answer(packet: &[u8]) -> bool {
    let field = |at: usize| {
        let bytes = packet.get(..HEADER_BYTES)?.get(at..at + 2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    };
    let (Some(id), Some(flags), Some(answers)) = (field(0), field(2), field(6)) else {
        return false;
    };
    let is_response = flags & 0x8000 != 0;
    // Who takes us for a full participant leaves the number out.
    is_response && matches!(id, QUESTION_ID | 0) && answers > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[test]
    fn the_question_is_well_formed() {
        let packet = question();
        let services = b"\x06_axeos\x04_sub\x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01\
            \x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01";
        assert_eq!(packet[HEADER_BYTES..], services[..]);
        assert_eq!(packet[4..6], [0, 2]);
        assert!(!is_answer(&packet), "a question is no answer");
    }

    #[test]
    fn answers_are_told_from_noise() {
        let header = |id: u16, flags: u16, answers: u16| {
            let fields = [id, flags, 0, answers, 0, 0];
            fields.into_iter().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()
        };
        assert!(is_answer(&header(QUESTION_ID, 0x8400, 1)));
        assert!(is_answer(&header(0, 0x8400, 3)));
        assert!(!is_answer(&header(QUESTION_ID, 0x0000, 1)));
        assert!(!is_answer(&header(QUESTION_ID, 0x8400, 0)));
        assert!(!is_answer(&header(77, 0x8400, 1)));
        assert!(!is_answer(&header(0, 0x8400, 3)[..11]));
        assert!(!is_answer(b""));
    }

    #[tokio::test]
    async fn who_answers_is_found() {
        let device = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let SocketAddr::V4(at) = device.local_addr().unwrap() else { panic!("bound to IPv4") };
        let (found, mut founds) = mpsc::unbounded_channel();
        let browsing = browse(Ipv4Addr::LOCALHOST, at, move |ip| found.send(ip).unwrap());
        let answering = async {
            let mut question = [0; 512];
            let (length, asker) = device.recv_from(&mut question).await.unwrap();
            device.send_to(b"noise", asker).await.unwrap();
            let mut answer = question[..length].to_vec();
            answer[2] = 0x84;
            answer[7] = 1;
            device.send_to(&answer, asker).await.unwrap();
            founds.recv().await.unwrap()
        };
        tokio::select! {
            ended = browsing => panic!("it asks until it is dropped: {ended:?}"),
            ip = answering => assert_eq!(ip, Ipv4Addr::LOCALHOST),
        }
    }
}

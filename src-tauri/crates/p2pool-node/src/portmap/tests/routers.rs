//! Routers as small as they can be.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// Answers PCP or NAT-PMP. Source: RFC 6887 sections 7 and 11, RFC 6886 section 3.
pub(super) struct PcpRouter {
    pub(super) address: Ipv4Addr,
    lifetimes: Arc<Mutex<Vec<u32>>>,
    _tasks: JoinSet<()>,
}

impl PcpRouter {
    pub(super) async fn start(
        address: [u8; 4],
        outside: &str,
        knows_pcp: bool,
        gives_port: u16,
    ) -> Self {
        let address = Ipv4Addr::from(address);
        let outside: Ipv4Addr = outside.parse().unwrap();
        let socket = UdpSocket::bind((address, crab_nat::GATEWAY_PORT)).await.unwrap();
        let lifetimes = Arc::<Mutex<Vec<u32>>>::default();
        let kept = Arc::clone(&lifetimes);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut buffer = [0; 1100];
            while let Ok((count, from)) = socket.recv_from(&mut buffer).await {
                let request = &buffer[..count];
                let answer = match request {
                    [2, 1, ..] if knows_pcp => {
                        kept.lock().unwrap().push(be32(&request[4..]));
                        pcp_answer(request, outside, gives_port)
                    }
                    [2, ..] => vec![0, 0x80, 0, 1, 0, 0, 0, 1],
                    [0, 0] => {
                        let mut answer = vec![0, 0x80, 0, 0, 0, 0, 0, 1];
                        answer.extend(outside.octets());
                        answer
                    }
                    _ => {
                        let lifetime = be32(&request[8..]);
                        kept.lock().unwrap().push(lifetime);
                        let port = if lifetime == 0 { 0 } else { gives_port };
                        let mut answer = vec![0, request[1] | 0x80, 0, 0, 0, 0, 0, 1];
                        answer.extend(&request[4..6]);
                        answer.extend(port.to_be_bytes());
                        answer.extend(lifetime.to_be_bytes());
                        answer
                    }
                };
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { address, lifetimes, _tasks: tasks }
    }

    /// Seconds asked for, one entry a request.
    pub(super) fn lifetimes(&self) -> Vec<u32> {
        self.lifetimes.lock().unwrap().clone()
    }
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

fn pcp_answer(request: &[u8], outside: Ipv4Addr, gives_port: u16) -> Vec<u8> {
    let mut answer = request.to_vec();
    answer[1] |= 0x80;
    answer[3] = 0;
    answer[8..12].copy_from_slice(&1_u32.to_be_bytes());
    answer[12..24].fill(0);
    // Nonce, protocol and inner port are repeated.
    if be32(&request[4..]) != 0 {
        answer[42..44].copy_from_slice(&gives_port.to_be_bytes());
        answer[44..60].copy_from_slice(&outside.to_ipv6_mapped().octets());
    }
    answer
}

/// Answers SSDP and the SOAP actions of a WAN connection.
pub(super) struct UpnpRouter {
    pub(super) ssdp: SocketAddr,
    deeds: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

impl UpnpRouter {
    /// `fault`: 718 when the wanted port is taken, 725 when only permanent mappings are known.
    pub(super) async fn start(outside: &str, fault: Option<u16>) -> Self {
        let ssdp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (ssdp_address, port) = (ssdp.local_addr().unwrap(), web.local_addr().unwrap().port());
        let deeds = Arc::<Mutex<Vec<String>>>::default();
        let (kept, outside) = (Arc::clone(&deeds), outside.to_owned());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((_, from)) = ssdp.recv_from(&mut buffer).await {
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nLOCATION: http://127.0.0.1:{port}/root.xml\r\n\
                     ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
                );
                ssdp.send_to(answer.as_bytes(), from).await.unwrap();
            }
        });
        tasks.spawn(async move {
            while let Ok((stream, _)) = web.accept().await {
                serve(stream, &outside, fault, &kept).await;
            }
        });
        Self { ssdp: ssdp_address, deeds, _tasks: tasks }
    }

    /// What was done: action, outer port, seconds.
    pub(super) fn deeds(&self) -> Vec<String> {
        self.deeds.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    outside: &str,
    fault: Option<u16>,
    deeds: &Mutex<Vec<String>>,
) {
    let request = read_request(&mut stream).await;
    let (status, body) = answer(&request, outside, fault, deeds);
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "a whole request, not {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        });
        if body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn answer(
    request: &str,
    outside: &str,
    fault: Option<u16>,
    deeds: &Mutex<Vec<String>>,
) -> (&'static str, String) {
    let value = |tag: &str| {
        let (_, rest) = request.split_once(&format!("<{tag}>"))?;
        rest.split_once('<').map(|(value, _)| value.to_owned())
    };
    if request.starts_with("GET /root.xml") {
        return ("200 OK", description());
    }
    if request.starts_with("GET ") {
        return ("200 OK", actions());
    }
    let action =
        ["GetExternalIPAddress", "AddAnyPortMapping", "AddPortMapping", "DeletePortMapping"]
            .into_iter()
            .find(|action| request.contains(action))
            .unwrap();
    let port = value("NewExternalPort").unwrap_or_default();
    let lease = value("NewLeaseDuration").unwrap_or_default();
    let is_fault = match fault {
        Some(718) => action == "AddPortMapping" && port == "9333",
        Some(725) => action == "AddPortMapping" && lease != "0",
        _ => false,
    };
    if is_fault {
        let code = fault.unwrap();
        return (
            "500 Internal Server Error",
            envelope(&format!(
                "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
             <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>\
             <errorDescription>no</errorDescription></UPnPError></detail></s:Fault>"
            )),
        );
    }
    if action != "GetExternalIPAddress" {
        deeds.lock().unwrap().push(format!("{action} {port} {lease}").trim().to_owned());
    }
    let inner = if action == "GetExternalIPAddress" {
        format!("<NewExternalIPAddress>{outside}</NewExternalIPAddress>")
    } else {
        String::new()
    };
    let body = format!("<u:{action}Response xmlns:u=\"{SERVICE}\">{inner}</u:{action}Response>");
    ("200 OK", envelope(&body))
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>{body}</s:Body>\
         </s:Envelope>"
    )
}

fn description() -> String {
    let device = |kind: &str, inner: &str| {
        format!(
            "<device><deviceType>urn:schemas-upnp-org:device:{kind}:1</deviceType>{inner}</device>"
        )
    };
    let service = format!(
        "<serviceList><service><serviceType>{SERVICE}</serviceType>\
         <serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><controlURL>/control</controlURL>\
         <eventSubURL>/events</eventSubURL><SCPDURL>/actions.xml</SCPDURL></service></serviceList>"
    );
    let list = |inner: String| format!("<deviceList>{inner}</deviceList>");
    let wan = device("WANDevice", &list(device("WANConnectionDevice", &service)));
    let root = device("InternetGatewayDevice", &list(wan));
    format!("<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">{root}</root>")
}

fn actions() -> String {
    let action = |name: &str, arguments: &[&str]| {
        let argument = |name: &&str| {
            format!("<argument><name>{name}</name><direction>in</direction></argument>")
        };
        let arguments: String = arguments.iter().map(argument).collect();
        format!("<action><name>{name}</name><argumentList>{arguments}</argumentList></action>")
    };
    let place = ["NewRemoteHost", "NewExternalPort", "NewProtocol"];
    let mapping = [
        &place[..],
        &["NewInternalPort", "NewInternalClient", "NewEnabled"],
        &["NewPortMappingDescription", "NewLeaseDuration"],
    ]
    .concat();
    let list = action("AddPortMapping", &mapping) + &action("DeletePortMapping", &place);
    format!(
        "<?xml version=\"1.0\"?><scpd xmlns=\"urn:schemas-upnp-org:service-1-0\">\
         <actionList>{list}</actionList></scpd>"
    )
}

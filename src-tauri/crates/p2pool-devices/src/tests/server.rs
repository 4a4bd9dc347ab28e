//! Servers that answer as a closure says, byte by byte if need be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Header lines in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `PATCH /api/system`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the server does with a request.
pub(crate) enum Answer {
    Http {
        status: u16,
        headers: &'static str,
        body: Vec<u8>,
    },
    Raw(Vec<u8>),
    /// Ends the connection.
    Drop,
    /// Says nothing and keeps the connection.
    Hang,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Http { status: 200, headers: "", body: body.into() }
    }

    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Http { status, headers: "", body: body.into() }
    }
}

/// A server on a port of its own. Lives as long as the value.
pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn http(answer: impl Fn(Heard) -> Answer + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::start(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                if let Some(heard) = read_http(&mut stream).await {
                    reply(&mut stream, answer(heard)).await;
                }
            }
        })
        .await
    }

    /// A server that takes one JSON object a connection.
    pub(crate) async fn commands(answer: impl Fn(Value) -> Answer + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::start(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                let mut bytes = Vec::new();
                while stream.read_buf(&mut bytes).await.is_ok_and(|length| length > 0) {
                    if let Ok(command) = serde_json::from_slice(&bytes) {
                        return reply(&mut stream, answer(command)).await;
                    }
                }
            }
        })
        .await
    }

    /// A port where every connection ends at once: nobody to talk to.
    pub(crate) async fn nobody() -> Self {
        Self::start(|_stream| async {}).await
    }

    async fn start<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                open.spawn(serve(stream));
            }
        });
        Self { port, connections, _tasks: tasks }
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn read_http(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<(String, String)> = lines.map(header).collect();
    let mut heard = Heard { method, path, headers, body: bytes[head_end + 4..].to_vec() };
    let length: usize = heard.header("content-length").map_or(0, |text| text.parse().unwrap());
    while heard.body.len() < length {
        if stream.read_buf(&mut heard.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(heard)
}

async fn reply(stream: &mut TcpStream, answer: Answer) {
    let bytes = match answer {
        Answer::Http { status, headers, body } => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{headers}\r\n");
            [head.into_bytes(), body].concat()
        }
        Answer::Raw(bytes) => bytes,
        Answer::Drop => return,
        Answer::Hang => std::future::pending().await,
    };
    // The other side may have heard enough.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

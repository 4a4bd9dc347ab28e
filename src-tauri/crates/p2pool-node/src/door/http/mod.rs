//! HTTP on the miners' port: the classic pages, one for phones, one for Prometheus, and work for
//! miners that ask for it in the old way.
//!
//! Bounded and patient with nobody: a request is small, has seconds to arrive, and is the only one
//! of its connection.

mod chain;
mod getwork;
mod hello;
mod local;
mod metrics;
mod pages;
mod record;
mod share;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use p2pool_engine::Engine;
use p2pool_sharechain::Params;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::desk::Desk;
use crate::clock::Clock;
use crate::driver::{Control, Look};
use crate::state::NodeSnapshot;
use crate::stats::Count;

pub(crate) use record::{Record, keep_record};

/// Most bytes of a request without its body.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Time for the head to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Time for a whole connection.
const CONNECTION_WITHIN: Duration = Duration::from_secs(30);
/// Patience with the engine.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// What pages are made of.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) params: Arc<Params>,
    pub(crate) snapshots: watch::Receiver<Arc<NodeSnapshot>>,
    pub(crate) control: mpsc::Sender<Control>,
    pub(crate) counts: mpsc::Sender<Count>,
    pub(crate) record: watch::Receiver<Arc<Record>>,
    /// One look at the engine at a time, however many ask.
    pub(crate) looking: Mutex<()>,
}

/// Who asks, and where this computer was reached.
#[derive(Clone, Debug)]
struct Visitor {
    ip: IpAddr,
    reached: SocketAddr,
    patience: Patience,
}

/// When a connection's time is over. Only miners that wait for work get more of it.
#[derive(Clone, Debug)]
struct Patience(Arc<watch::Sender<Instant>>);

impl Patience {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Instant::now() + CONNECTION_WITHIN)))
    }

    /// Gives the usual time from now on, and so much more.
    fn extend(&self, more: Duration) {
        self.0.send_replace(Instant::now() + CONNECTION_WITHIN + more);
    }

    async fn ends(&self) {
        let mut end = self.0.subscribe();
        loop {
            let at = *end.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep_until(at) => return,
                Ok(()) = end.changed() => {}
            }
        }
    }
}

/// Answers one request of a connection.
pub(super) async fn serve(stream: TcpStream, ip: IpAddr, desk: Arc<Desk>) {
    let Ok(reached) = stream.local_addr() else { return };
    let patience = Patience::new();
    let visitor = Visitor { ip, reached, patience: patience.clone() };
    let router = Router::new().fallback(answer).layer(Extension(visitor)).with_state(desk);
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES_MAX)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    let connection =
        server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::select! {
        served = connection => {
            if let Err(error) = served {
                tracing::debug!(%ip, %error, "page not served");
            }
        }
        () = patience.ends() => tracing::debug!(%ip, "page took too long"),
    }
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, Infallible> {
    let site = &desk.links.site;
    let path = request.uri().path();
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_for_miners = match path.trim_end_matches('/') {
        "" => *request.method() == Method::POST,
        getwork::LONG_POLLING => matches!(*request.method(), Method::GET | Method::POST),
        _ => false,
    };
    let page = match path {
        _ if is_for_miners => getwork::answer(&desk, &visitor, request).await,
        _ if !is_reading => {
            let words = "Only GET is answered here, and POST with getwork at /.\n";
            plain(StatusCode::METHOD_NOT_ALLOWED, "text/plain", words)
        }
        "/" | "/hello" => site.hello(&visitor),
        "/metrics" => {
            let node = site.snapshots.borrow().clone();
            let text = metrics::page(&node, site.uptime(&node));
            plain(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
        }
        _ => site.classic(path).await.into_response(),
    };
    Ok(page)
}

impl Site {
    /// The page for phones. Another device that sees it has come through the firewall.
    fn hello(&self, visitor: &Visitor) -> Response {
        if !visitor.ip.is_loopback() {
            let note = Count::HelloSeen { at: self.clock.now().wall };
            // Lost notes are the price of never waiting for statistics.
            let _ = self.counts.try_send(note);
        }
        let node = self.snapshots.borrow().clone();
        let page = hello::page(visitor.reached, &node.payout_address, node.is_mining);
        plain(StatusCode::OK, "text/html; charset=utf-8", page)
    }

    fn uptime(&self, node: &NodeSnapshot) -> f64 {
        self.clock.now().wall.0.saturating_sub(node.started_at.0) as f64
    }

    /// Computes something from the engine; `None` if the node has no time for it.
    async fn look<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let _turn = self.looking.lock().await;
        let (reply, answer) = oneshot::channel();
        let look = Look(Box::new(move |engine| {
            // Who asked may have gone.
            let _ = reply.send(what(engine));
        }));
        self.control.try_send(Control::Look(look)).ok()?;
        tokio::time::timeout(LOOK_WITHIN, answer).await.ok()?.ok()
    }
}

/// A page of the classic interface.
enum Page {
    /// JSON text.
    Json(String),
    Bytes(Vec<u8>),
    Text(&'static str),
    NotFound,
    /// Something went wrong, in the classic words.
    Failed,
}

impl Page {
    fn into_response(self) -> Response {
        let (status, kind, body): (_, _, Body) = match self {
            Self::Json(text) => (StatusCode::OK, "application/json", text.into()),
            Self::Bytes(bytes) => (StatusCode::OK, "application/octet-stream", bytes.into()),
            Self::Text(text) => (StatusCode::OK, "text/plain", text.into()),
            Self::NotFound => {
                let page = "<html><head><title>404 - No Such Resource</title></head>\
                    <body><h1>No Such Resource</h1></body></html>\n";
                return plain(StatusCode::NOT_FOUND, "text/html; charset=utf-8", page);
            }
            Self::Failed => {
                (StatusCode::INTERNAL_SERVER_ERROR, "application/json", "---ERROR---".into())
            }
        };
        let mut response = plain(status, kind, body);
        let open = header::HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, open);
        response
    }
}

/// A response that browsers neither guess about, nor embed, nor keep.
fn plain(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, kind)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::X_FRAME_OPTIONS, "DENY")
        .header(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )
        .body(body.into())
        .expect("all headers are constants")
}

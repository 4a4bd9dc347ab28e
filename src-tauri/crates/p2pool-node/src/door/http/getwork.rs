//! Work over HTTP: getwork, with the headers that miners of its time expect.
//!
//! Source: protocol notes, mining.md section 8; `docs/web-api.md`.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use p2pool_stratum::getwork::{self, Call, NO_WORK_CODE, Wish, credentials};
use p2pool_stratum::message::{self, Id};
use serde_json::Value;

use super::{Visitor, plain};
use crate::door::desk::{Asker, Denied, Desk};

/// Where miners wait for new work.
pub(super) const LONG_POLLING: &str = "/long-polling";
/// A miner waits this long at most, then it gets work however it is.
const WAIT_MAX: Duration = Duration::from_secs(240);
/// Longest user name, and longest password.
const LOGIN_BYTES_MAX: usize = 256;
/// What other nodes say; miners may let the time run for so many seconds.
const ROLL_TIME: HeaderValue = HeaderValue::from_static("expire=100");

/// Answers a miner.
pub(super) async fn answer(desk: &Desk, visitor: &Visitor, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Browsers name the page that makes them send something; miners are no browsers.
    if parts.headers.contains_key(header::ORIGIN) {
        return plain(StatusCode::FORBIDDEN, "text/plain", "Not from web pages.\n");
    }
    let miner = match miner_of(visitor, &parts.headers) {
        Ok(miner) => miner,
        Err(words) => return unauthorized(words),
    };
    let Ok(body) = to_bytes(body, getwork::CALL_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "Too long.\n");
    };
    let waits = parts.uri.path().trim_end_matches('/') == LONG_POLLING;
    let call = if parts.method == Method::GET {
        Call { id: Id::number(0), wish: Wish::Work }
    } else {
        match Call::parse(&body) {
            Ok(call) => call,
            Err(error) => {
                let (id, code) = error.id_and_code();
                return json(getwork::failure(&id, code, &error.to_string()));
            }
        }
    };
    let mut response = match call.wish {
        Wish::Work => {
            if waits {
                visitor.patience.extend(WAIT_MAX);
                wait(desk, &miner.asker).await;
                visitor.patience.extend(Duration::ZERO);
            }
            miner.work(desk, &call.id)
        }
        Wish::Submit(header) => miner.submit(desk, &call.id, header.as_ref()),
    };
    extend(response.headers_mut(), &parts.headers, visitor.reached);
    response
}

/// A miner as it introduces itself.
struct Miner {
    asker: Asker,
    user_agent: String,
}

impl Miner {
    fn work(&self, desk: &Desk, id: &Id) -> Response {
        match desk.work(&self.asker, &self.user_agent) {
            Ok(work) => json(message::answer(id, &work.to_json())),
            Err(denied) => refusal(id, denied),
        }
    }

    fn submit(&self, desk: &Desk, id: &Id, header: Option<&[u8; 80]>) -> Response {
        match desk.submit(&self.asker, &self.user_agent, header) {
            Ok(verdict) => {
                let mut response = json(message::answer(id, &Value::Bool(verdict.is_ok())));
                if let Err(reason) = verdict {
                    let (name, text) = ("x-reject-reason", reason.text());
                    let (name, text) =
                        (HeaderName::from_static(name), HeaderValue::from_static(text));
                    response.headers_mut().insert(name, text);
                }
                response
            }
            Err(denied) => refusal(id, denied),
        }
    }
}

fn miner_of(visitor: &Visitor, headers: &HeaderMap) -> Result<Miner, &'static str> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // Any user name and password will do, and none as well.
    let (user, password) = match text(header::AUTHORIZATION) {
        None => (String::new(), String::new()),
        Some(value) => credentials(value).ok_or("Unreadable login.\n")?,
    };
    if user.len() > LOGIN_BYTES_MAX || password.len() > LOGIN_BYTES_MAX {
        return Err("Too long a login.\n");
    }
    let user_agent = text(header::USER_AGENT).unwrap_or_default().to_owned();
    Ok(Miner { asker: Asker { ip: visitor.ip, user, password }, user_agent })
}

/// Waits for work that makes late what the miner has.
async fn wait(desk: &Desk, asker: &Asker) {
    let mut work = desk.links.work.clone();
    let newer = work.wait_for(|newest| desk.is_behind(asker, newest.as_deref()));
    // Too long, or the end of the node: either way it is time to answer.
    let _ = tokio::time::timeout(WAIT_MAX, newer).await;
}

fn refusal(id: &Id, denied: Denied) -> Response {
    match denied {
        Denied::NoWork => json(getwork::failure(id, NO_WORK_CODE, "No work at this moment")),
        Denied::Login(words) => unauthorized(words + "\n"),
        Denied::TooMany => {
            plain(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "Too many miners.\n")
        }
    }
}

fn unauthorized(words: impl Into<axum::body::Body>) -> Response {
    let mut response = plain(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", words);
    let realm = HeaderValue::from_static("Basic realm=\"p2pool\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

fn json(body: Vec<u8>) -> Response {
    plain(StatusCode::OK, "application/json", body)
}

/// Tells miners what else there is: waiting for new work, and Stratum.
fn extend(answer: &mut HeaderMap, question: &HeaderMap, reached: SocketAddr) {
    // As the miner calls this computer, so that it finds it again.
    let host = question.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.map_or_else(|| reached.to_string(), str::to_owned);
    let stratum = HeaderValue::try_from(format!("stratum+tcp://{host}"));
    let extensions = [
        ("x-long-polling", Some(HeaderValue::from_static(LONG_POLLING))),
        ("x-roll-ntime", Some(ROLL_TIME)),
        ("x-is-p2pool", Some(HeaderValue::from_static("true"))),
        ("x-stratum", stratum.ok()),
    ];
    for (name, value) in extensions {
        if let Some(value) = value {
            answer.insert(HeaderName::from_static(name), value);
        }
    }
}

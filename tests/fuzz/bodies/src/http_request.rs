//! HTTP on the miners' port: a request from anybody, as far as a miner's call in it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use p2pool_sharechain::U256;
use p2pool_stratum::first::{FIRST_BYTES, Protocol, protocol};
use p2pool_stratum::getwork::{CALL_BYTES_MAX, Call, Wish, credentials, failure};
use p2pool_stratum::login::{Login, TEXT_CHARS_MAX};
use p2pool_stratum::{
    Action, GetworkSession, Prepared, RejectReason, SessionConfig, Terms, message,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::choices::Choices;
use crate::stratum_line::{EXTRANONCE1, PAYOUT, base, start};

/// As at the door.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Far more than any answer has.
const ANSWER_BYTES_MAX: usize = 4096;

/// Recognises what is spoken, and answers it if it is HTTP.
///
/// # Panics
/// Where what is recognised depends on how bytes arrive, an answer is none, or a call is answered
/// with something else than its id and a result or an error.
pub fn http_request(data: &[u8]) {
    let first = data.get(..FIRST_BYTES).unwrap_or(data);
    let spoken = protocol(first);
    assert!(spoken.is_some() || first.len() < FIRST_BYTES, "enough is known: {first:?}");
    for length in 0..first.len() {
        let early = protocol(&first[..length]);
        assert!(early.is_none() || early == spoken, "{early:?}, then {spoken:?}");
    }
    if spoken == Some(Protocol::Http) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("no drivers are needed").block_on(converse(data));
    }
}

/// Says everything, hangs up, and looks at the answer.
async fn converse(data: &[u8]) {
    let (mut near, far) = tokio::io::duplex(ANSWER_BYTES_MAX);
    let desk = Arc::new(Mutex::new(Desk::default()));
    let router = Router::new()
        .fallback(async move |request: Request| Ok::<_, Infallible>(answer(&desk, request).await));
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server.http1().keep_alive(false).half_close(true).max_buf_size(HEAD_BYTES_MAX);
    let serving = server.serve_connection(TokioIo::new(far), TowerToHyperService::new(router));
    let asking = async {
        let mut answer = Vec::new();
        // The other end may have heard enough, or hang up.
        let _ = near.write_all(data).await;
        let _ = near.shutdown().await;
        let _ = near.read_to_end(&mut answer).await;
        answer
    };
    let (_, answer) = tokio::join!(serving, asking);
    assert!(answer.len() <= ANSWER_BYTES_MAX, "{} bytes", answer.len());
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{answer:?}");
}

/// The one miner of this run, once it is logged in.
#[derive(Default)]
struct Desk(Option<GetworkSession>);

async fn answer(desk: &Mutex<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (user, password) = match text(header::AUTHORIZATION).map(credentials) {
        Some(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Some(Some(login)) => login,
        None => (String::new(), String::new()),
    };
    let login = Login::parse(&user, &password);
    assert!(login.name.chars().count() <= TEXT_CHARS_MAX && !login.name.is_empty());
    let agent = text(header::USER_AGENT).unwrap_or_default();
    let Ok(body) = to_bytes(body, CALL_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = match Call::parse(&body) {
        Ok(call) => call,
        Err(error) => {
            let (id, code) = error.id_and_code();
            let answer = failure(&id, code, &error.to_string());
            check(&answer, id.as_json());
            return answer.into_response();
        }
    };
    let mut desk = desk.lock().expect("nobody else holds it");
    let session = desk.0.get_or_insert_with(|| logged_in(agent, &login));
    let result = match &call.wish {
        Wish::Work => session.work(start()).map(|work| work.to_json()).expect("there is work"),
        Wish::Submit(header) => {
            let verdict = session.submit(start(), header.as_ref());
            let is_known =
                !matches!(verdict, Err(RejectReason::UnknownJob | RejectReason::Malformed));
            assert!(!is_known, "nothing was handed out: {verdict:?}");
            Value::Bool(verdict.is_ok())
        }
    };
    while let Some(action) = session.poll() {
        let is_told = matches!(action, Action::Rejected { .. } | Action::Close(_));
        assert!(is_told, "nothing was found: {action:?}");
    }
    let answer = message::answer(&call.id, &result);
    check(&answer, call.id.as_json());
    answer.into_response()
}

fn logged_in(agent: &str, login: &Login) -> GetworkSession {
    let config = SessionConfig::new(PAYOUT);
    let session = GetworkSession::log_in(config, EXTRANONCE1, agent, login, start());
    let mut session = session.expect("every name will do");
    let base = base(&mut Choices::new(&[1, 1]));
    let terms = Terms { payout_address: PAYOUT.into(), wanted_target: U256::MAX };
    let work = Prepared::new(&base, &terms, 1, start()).expect("an address of this network");
    session.take_work(start(), &Arc::new(work));
    session
}

/// An answer is one JSON object with its call's id, letter by letter, and one of two things.
fn check(answer: &[u8], id: &str) {
    let text = std::str::from_utf8(answer).expect("answers are text");
    assert!(text.starts_with(&format!("{{\"id\":{id},")), "{text}");
    let parsed: Value = serde_json::from_str(text).expect("answers are JSON");
    assert!(parsed["result"].is_null() != parsed["error"].is_null(), "{text}");
}

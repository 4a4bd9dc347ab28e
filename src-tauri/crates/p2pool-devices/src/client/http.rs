//! HTTP to a device: no proxy, no redirect, no idle connections, no `Origin` header.

use std::net::SocketAddrV4;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect, retry};

use super::{ANSWER_BYTES_MAX, BadClient, CALL_TIMEOUT, silence_of};
use crate::error::{CallError, Silence};
use crate::fingerprint::HttpAnswer;
use crate::request::{HttpRequest, Method};
use crate::text::Secrets;

/// A device on weak wireless needs a second attempt of the system to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Most addresses of a home have nobody.
pub(super) const PROBE_CONNECT_TIMEOUT: Duration = Duration::from_millis(700);
/// Time for the answer of somebody who is there.
pub(super) const PROBE_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Header for the code of a device's authenticator.
const ONE_TIME_CODE: &str = "X-TOTP";
/// Longest header that is looked at.
const HEADER_CHARS_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Http {
    calls: Client,
    probes: Client,
}

impl Http {
    pub(super) fn new(user_agent: &str) -> Result<Self, BadClient> {
        let builder = || -> ClientBuilder {
            Client::builder()
                .user_agent(user_agent)
                .no_proxy()
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                .http1_only()
                // An open connection is one of the few that such a device can have.
                .pool_max_idle_per_host(0)
        };
        Ok(Self {
            calls: builder().connect_timeout(CONNECT_TIMEOUT).timeout(CALL_TIMEOUT).build()?,
            probes: builder()
                .connect_timeout(PROBE_CONNECT_TIMEOUT)
                .timeout(PROBE_CONNECT_TIMEOUT + PROBE_ANSWER_TIMEOUT)
                .build()?,
        })
    }

    pub(super) async fn call(
        &self,
        at: SocketAddrV4,
        request: &HttpRequest,
        secrets: &Secrets,
    ) -> Result<HttpAnswer, CallError> {
        let mut builder = start(&self.calls, at, request);
        if let Some(login) = &secrets.login {
            builder = builder.basic_auth(&login.user, Some(login.password.expose()));
        }
        if let (Some(code), Method::Patch) = (&secrets.one_time_code, request.method) {
            builder = builder.header(ONE_TIME_CODE, code.expose());
        }
        exchange(builder).await
    }

    /// One look at an address where perhaps nobody is, without any secret.
    pub(super) async fn probe(
        &self,
        at: SocketAddrV4,
        request: &HttpRequest,
    ) -> Result<HttpAnswer, CallError> {
        exchange(start(&self.probes, at, request)).await
    }
}

fn start(client: &Client, at: SocketAddrV4, request: &HttpRequest) -> RequestBuilder {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Patch => reqwest::Method::PATCH,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
        Method::Post => reqwest::Method::POST,
    };
    let builder = client.request(method, format!("http://{at}{}", request.path));
    match &request.body {
        Some(body) => builder.header(CONTENT_TYPE, "application/json").body(body.to_string()),
        None => builder,
    }
}

async fn exchange(builder: RequestBuilder) -> Result<HttpAnswer, CallError> {
    let mut response = builder.send().await.map_err(|error| failed(&error))?;
    let header = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let authenticate = header.unwrap_or_default().chars().take(HEADER_CHARS_MAX).collect();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(CallError::TooLong { bytes_max: ANSWER_BYTES_MAX });
        }
        body.extend_from_slice(&piece);
    }
    Ok(HttpAnswer { status, authenticate, body })
}

fn failed(error: &reqwest::Error) -> CallError {
    if error.is_timeout() {
        return Silence::TimedOut.into();
    }
    silence_of(error).into()
}

//! The cgminer API: one JSON command on a connection of its own.

use std::net::SocketAddrV4;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::http::{PROBE_ANSWER_TIMEOUT, PROBE_CONNECT_TIMEOUT};
use super::{ANSWER_BYTES_MAX, CALL_TIMEOUT, silence_of_io};
use crate::error::{CallError, Silence};

pub(super) async fn call(at: SocketAddrV4, command: &Value) -> Result<Vec<u8>, CallError> {
    within(CALL_TIMEOUT, exchange(at, command, CALL_TIMEOUT)).await
}

pub(super) async fn probe(at: SocketAddrV4, command: &Value) -> Result<Vec<u8>, CallError> {
    let all = PROBE_CONNECT_TIMEOUT + PROBE_ANSWER_TIMEOUT;
    within(all, exchange(at, command, PROBE_CONNECT_TIMEOUT)).await
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    timeout(limit, work).await.unwrap_or(Err(Silence::TimedOut.into()))
}

async fn exchange(
    at: SocketAddrV4,
    command: &Value,
    connect_limit: Duration,
) -> Result<Vec<u8>, CallError> {
    let failed = |error: std::io::Error| CallError::Silent(silence_of_io(&error));
    let connecting = async { TcpStream::connect(at).await.map_err(failed) };
    let mut stream = within(connect_limit, connecting).await?;
    stream.write_all(command.to_string().as_bytes()).await.map_err(failed)?;
    let mut answer = Vec::new();
    loop {
        let before = answer.len();
        if stream.read_buf(&mut answer).await.map_err(failed)? == 0 {
            break;
        }
        let is_ended = answer.get(before..).is_some_and(|piece| piece.contains(&0));
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(CallError::TooLong { bytes_max: ANSWER_BYTES_MAX });
        }
        if is_ended {
            break;
        }
    }
    if answer.is_empty() { Err(Silence::Broken.into()) } else { Ok(answer) }
}

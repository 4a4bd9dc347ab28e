//! Snapshot plus event stream into one channel of the window.

use std::sync::{Mutex, PoisonError};

use p2pool_app::api::{AppEvent, AppSnapshot, UiError};
use p2pool_app::{AppHandle, Subscription};
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// The window's stream, of which there is one at most.
#[derive(Debug, Default)]
pub(crate) struct Stream(Mutex<Option<JoinHandle<()>>>);

impl Stream {
    /// Ends the present stream.
    pub(crate) fn end(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<JoinHandle<()>>) {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = std::mem::replace(&mut *present, next) {
            old.abort();
        }
    }
}

/// Begins a stream of events and returns the snapshot it starts from.
pub(crate) async fn begin(
    app: &AppHandle,
    stream: &Stream,
    channel: Channel<AppEvent>,
) -> Result<AppSnapshot, UiError> {
    let Subscription { snapshot, events } = app.subscribe().await?;
    stream.replace(Some(tauri::async_runtime::spawn(forward(events, channel))));
    Ok(snapshot)
}

async fn forward(mut events: Receiver<AppEvent>, channel: Channel<AppEvent>) {
    loop {
        match events.recv().await {
            Ok(event) => {
                if let Err(error) = channel.send(event) {
                    tracing::debug!(%error, "the window is gone");
                    return;
                }
            }
            // The next number shows the gap, and the window subscribes again.
            Err(RecvError::Lagged(lost)) => tracing::debug!(lost, "the window is slow"),
            Err(RecvError::Closed) => return,
        }
    }
}

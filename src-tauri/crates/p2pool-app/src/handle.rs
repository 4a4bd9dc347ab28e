//! The handle that the shell holds.

use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::api::{AppEvent, AppReply, AppRequest, AppSnapshot, ProblemCode, UiError};
use crate::problems;

/// Longest wait for the controller's answer; it answers within milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the controller is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Give a snapshot and the events after it, to a window that is seen.
    Subscribe(oneshot::Sender<Subscription>),
    /// The same, to somebody who is not.
    Watch(oneshot::Sender<Subscription>),
    /// Do something the person asked for.
    Request(AppRequest, oneshot::Sender<Result<AppReply, UiError>>),
    /// End everything in order, then answer.
    Stop(oneshot::Sender<()>),
}

/// A snapshot and every event after it, without gaps.
#[derive(Debug)]
pub struct Subscription {
    /// Where the stream begins.
    pub snapshot: AppSnapshot,
    /// Events with `seq` rising by one. A reader that lags loses some: the window sees the gap
    /// and subscribes again.
    pub events: broadcast::Receiver<AppEvent>,
}

/// Asks the controller; cheap to copy.
#[derive(Clone, Debug)]
pub struct AppHandle {
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) is_node_up: watch::Receiver<bool>,
}

impl AppHandle {
    /// Begins a stream of events.
    ///
    /// # Errors
    /// `W-01` when the controller has ended.
    pub async fn subscribe(&self) -> Result<Subscription, UiError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Subscribe(reply), answer).await
    }

    /// Begins a stream of events for somebody who shows no window: what a window that is not seen
    /// would get.
    ///
    /// # Errors
    /// `W-01` when the controller has ended.
    pub async fn watch(&self) -> Result<Subscription, UiError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Watch(reply), answer).await
    }

    /// Asks for a deed. The answer says that it was understood; its effect arrives as events.
    ///
    /// # Errors
    /// Requests that make no sense now, and `W-01` when the controller has ended.
    pub async fn request(&self, request: AppRequest) -> Result<AppReply, UiError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Request(request, reply), answer).await?
    }

    /// Ends the node and the controller in order. Returns once both have ended.
    pub async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.asks.send(Ask::Stop(reply)).await.is_ok() {
            // Without an answer the controller has ended all the same.
            let _ = answer.await;
        }
    }

    /// Whether a node runs, starts or stops: then closing the window must not end the program.
    pub fn is_node_up(&self) -> bool {
        *self.is_node_up.borrow()
    }

    async fn ask<T>(&self, ask: Ask, answer: oneshot::Receiver<T>) -> Result<T, UiError> {
        let asked = async {
            self.asks.send(ask).await.map_err(|_| problems::no_controller())?;
            answer.await.map_err(|_| problems::no_controller())
        };
        tokio::time::timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(|_| {
            Err(UiError::new(ProblemCode::EngineLost, "the application's task does not answer"))
        })
    }
}

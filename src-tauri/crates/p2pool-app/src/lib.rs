//! The application without a window: what the desktop shell shows and asks for.
//!
//! [`Controller`] is the one task that owns the application's state. It starts and stops the
//! node, derives the overall state, problems and estimates from its snapshots, and keeps an
//! [`api::AppSnapshot`] true by a stream of [`api::AppEvent`]s. [`AppHandle`] asks it; [`Host`]
//! is what it needs from the computer.
//!
//! What it is not: a window. It runs in any tokio runtime, and its tests need no display.
//!
//! *Invariant:* data reaches the window in one way only, as a snapshot and the events after it,
//! whose `seq` rises without gaps. Only pure questions are answered directly.
//!
//! ```no_run
//! use std::path::{Path, PathBuf};
//! use std::sync::Arc;
//! use p2pool_app::api::{AppRequest, UnixSeconds};
//! use p2pool_app::{Controller, Host, Keychain, Session};
//!
//! #[derive(Debug)]
//! struct Here;
//!
//! impl Host for Here {
//!     fn version(&self) -> &str { "0.1.0" }
//!     fn data_dir(&self) -> &Path { Path::new("data") }
//!     fn helper_program(&self) -> PathBuf { "p2pool-miner".into() }
//!     fn threads_available(&self) -> u32 { 1 }
//!     fn now(&self) -> UnixSeconds { UnixSeconds(1_800_000_000) }
//!     fn session(&self) -> &dyn Session { unimplemented!("the person's own") }
//!     fn keychain(&self) -> &dyn Keychain { unimplemented!("the system's own") }
//! }
//!
//! # async fn example() -> Result<(), p2pool_app::api::UiError> {
//! let (app, controller) = Controller::new(Arc::new(Here), Arc::new(p2pool_app::start_node));
//! let window = async move {
//!     let mut subscription = app.subscribe().await?;
//!     app.request(AppRequest::EnterPractice { keeps_live: true }).await?;
//!     let event = subscription.events.recv().await;
//!     app.stop().await;
//!     Ok(())
//! };
//! let ((), result) = tokio::join!(controller.run(), window);
//! result
//! # }
//! ```

pub mod api;
mod bitcoin_login;
mod calendar;
mod chart;
mod checkup;
mod companion;
mod computer;
mod controller;
mod devices;
mod estimate;
mod handle;
mod history;
mod host;
mod latest;
mod link;
mod logbook;
mod mask;
mod notify;
mod problems;
mod report;
mod run;
mod save;
mod session;
mod settings;
mod setup;
mod state;
mod sync_pace;
mod tray;
mod views;
mod words;

pub use companion::Companion;
pub use controller::Controller;
pub use handle::{AppHandle, Subscription};
pub use host::{Host, Keychain, KeychainError};
pub use link::{NodeDeed, NodeLink, StartNode, start_node};
pub use logbook::{LOG_LINES_MAX, LogBook};
pub use p2pool_bitcoind::Secret;
pub use session::{Notification, Power, Session, SessionError, Sound};
pub use tray::{Tray, TrayIcon, TrayOffer};

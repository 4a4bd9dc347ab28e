//! The window shell: Tauri around `p2pool-app`, nothing else.
//!
//! It owns the program's lifetime. The window may come and go: while a node runs, closing it
//! leaves the node mining, and starting the program again shows it again. *Quit*, SIGTERM and
//! Ctrl-C end the node in order first.
//!
//! What it is not: a place where anything is decided about mining.
//!
//! *Invariant:* the program never runs without a window and without a way back to it.

mod commands;
mod host;
mod keychain;
mod lifetime;
mod logs;
mod session;
mod signals;
mod subscription;
mod tray;
mod window;

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::Context;
use p2pool_app::{Companion, Controller};
use tauri::Manager;

use crate::host::Desktop;
use crate::lifetime::Lifetime;
use crate::subscription::Stream;

/// What the program was started with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    /// It starts in the tray, without a window.
    is_hidden: bool,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// One of them means nothing.
    fn parse(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Self> {
        let mut options = Self::default();
        for argument in arguments {
            anyhow::ensure!(
                argument == session::HIDDEN,
                "E-CLI-01: unknown option {}; the only one is {}",
                argument.to_string_lossy(),
                session::HIDDEN
            );
            options.is_hidden = true;
        }
        Ok(options)
    }
}

/// The program was started a second time: its arguments hold here.
fn started_again(app: &tauri::AppHandle, arguments: Vec<String>, _folder: String) {
    let options = Options::parse(arguments.into_iter().skip(1).map(OsString::from));
    tracing::info!(?options, "started again");
    if !options.unwrap_or_default().is_hidden {
        window::show_again(app);
    }
}

/// Runs the application until the person quits.
///
/// # Errors
/// Arguments that mean nothing, no display, or a system that refuses a window.
pub fn run() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args_os().skip(1))?;
    host::check_display()?;
    tauri::Builder::default()
        // First of all: a second start ends here, and shows the window of the first.
        .plugin(tauri_plugin_single_instance::init(started_again))
        .plugin(window::remembered())
        .invoke_handler(tauri::generate_handler![
            commands::subscribe,
            commands::request,
            commands::hide,
            commands::quit
        ])
        .setup(move |app| set_up(app, options).map_err(Into::into))
        .build(tauri::generate_context!())
        .context("the window cannot be made")?
        .run(lifetime::on_event);
    Ok(())
}

/// Starts the controller, then opens the window.
fn set_up(app: &tauri::App, options: Options) -> anyhow::Result<()> {
    let host = Arc::new(Desktop::find(app)?);
    if let Err(error) = logs::begin(host.folder(), host.book()) {
        tracing::warn!(%error, "no log file");
    }
    tracing::info!(version = %app.package_info().version, folder = %host.folder().display(), "start");
    let (handle, controller) = Controller::new(host.clone(), Arc::new(p2pool_app::start_node));
    let companion = Companion::new(handle.clone(), host);
    let running = tauri::async_runtime::spawn(controller.run());
    app.manage(Lifetime::new(handle, running));
    app.manage(Stream::default());
    app.manage(tray::Shown::default());
    tauri::async_runtime::spawn(companion.run());
    signals::obey(app.handle().clone()).context("signals cannot be heard")?;
    if options.is_hidden {
        window::begin_hidden(app.handle());
        return Ok(());
    }
    window::open(app.handle()).context("the window cannot be made")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> anyhow::Result<Options> {
        Options::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn only_hidden_is_an_option() {
        assert_eq!(parse(&[]).unwrap(), Options { is_hidden: false });
        assert_eq!(parse(&["--hidden"]).unwrap(), Options { is_hidden: true });
        assert!(parse(&["--hiden"]).unwrap_err().to_string().starts_with("E-CLI-01"));
    }
}

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
mod signals;
mod subscription;
mod window;

use std::sync::Arc;

use anyhow::Context;
use p2pool_app::Controller;
use tauri::Manager;

use crate::host::Desktop;
use crate::lifetime::Lifetime;
use crate::subscription::Stream;

/// Runs the application until the person quits.
///
/// # Errors
/// Arguments that mean nothing, no display, or a system that refuses a window.
pub fn run() -> anyhow::Result<()> {
    if let Some(argument) = std::env::args_os().nth(1) {
        anyhow::bail!(
            "E-CLI-01: unknown option {}; this program takes none",
            argument.to_string_lossy()
        );
    }
    host::check_display()?;
    tauri::Builder::default()
        // First of all: a second start ends here, and shows the window of the first.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show_again(app)))
        .plugin(window::remembered())
        .invoke_handler(tauri::generate_handler![
            commands::subscribe,
            commands::request,
            commands::quit
        ])
        .setup(|app| set_up(app).map_err(Into::into))
        .build(tauri::generate_context!())
        .context("the window cannot be made")?
        .run(lifetime::on_event);
    Ok(())
}

/// Starts the controller, then opens the window.
fn set_up(app: &tauri::App) -> anyhow::Result<()> {
    let host = Desktop::find(app)?;
    if let Err(error) = logs::begin(host.folder(), host.book()) {
        tracing::warn!(%error, "no log file");
    }
    tracing::info!(version = %app.package_info().version, folder = %host.folder().display(), "start");
    let (handle, controller) = Controller::new(Arc::new(host), Arc::new(p2pool_app::start_node));
    let running = tauri::async_runtime::spawn(controller.run());
    app.manage(Lifetime::new(handle, running));
    app.manage(Stream::default());
    signals::obey(app.handle().clone()).context("signals cannot be heard")?;
    window::open(app.handle()).context("the window cannot be made")
}

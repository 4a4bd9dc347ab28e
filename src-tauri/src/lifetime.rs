//! When the program ends, and what ends before it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use p2pool_app::api::{AppReply, AppRequest, ComputerRequest, Leave};
use tauri::async_runtime::JoinHandle;
use tauri::{Manager, RunEvent, WindowEvent};

use crate::host;
use crate::subscription::Stream;
use crate::{tray, window};

/// Time for everything to end in order; the node promises less than ten seconds.
const END_WITHIN: Duration = Duration::from_secs(15);

/// The application inside this program.
#[derive(Debug)]
pub(crate) struct Lifetime {
    app: p2pool_app::AppHandle,
    controller: Mutex<Option<JoinHandle<()>>>,
    is_ending: AtomicBool,
}

impl Lifetime {
    pub(crate) fn new(app: p2pool_app::AppHandle, controller: JoinHandle<()>) -> Self {
        Self { app, controller: Mutex::new(Some(controller)), is_ending: AtomicBool::new(false) }
    }

    /// The application.
    pub(crate) fn app(&self) -> &p2pool_app::AppHandle {
        &self.app
    }

    async fn end(&self) {
        self.app.stop().await;
        let controller = self.controller.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(controller) = controller
            && let Err(error) = controller.await
        {
            tracing::error!(%error, "the application did not end in order");
        }
    }
}

/// Ends the node in order, then the program. Asking again changes nothing.
pub(crate) fn quit(app: &tauri::AppHandle) {
    if app.state::<Lifetime>().is_ending.swap(true, Ordering::SeqCst) {
        return;
    }
    tracing::info!("quitting");
    // What the window would show from here on is old news.
    for window in app.webview_windows().into_values() {
        if let Err(error) = window.hide() {
            tracing::debug!(%error, "window not hidden");
        }
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let lifetime = app.state::<Lifetime>();
        if tokio::time::timeout(END_WITHIN, lifetime.end()).await.is_err() {
            tracing::error!("not everything ended in time");
        }
        tracing::info!("end");
        app.exit(0);
    });
}

/// The person wants the window or the program gone: the application says how. One that does not
/// answer is ended.
pub(crate) fn leave(app: &tauri::AppHandle, request: ComputerRequest) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let answer = app.state::<Lifetime>().app().request(AppRequest::Computer { request }).await;
        match answer {
            Ok(AppReply::Leave { how: Leave::Asked }) => window::show_again(&app),
            Ok(AppReply::Leave { how: Leave::Hide }) => window::close(&app),
            Ok(AppReply::Leave { how: Leave::Minimise }) => window::minimise(&app),
            Ok(AppReply::Leave { how: Leave::Quit } | _) | Err(_) => quit(&app),
        }
    });
}

/// The close button was pressed.
fn close_asked(app: &tauri::AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        leave(&app, ComputerRequest::CloseWindow { has_tray: tray::is_seen() });
    });
}

/// Hides the window, or minimises it where there is no tray.
pub(crate) fn hide(app: &tauri::AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        if tray::is_seen() { window::close(&app) } else { window::minimise(&app) }
    });
}

/// What Tauri's loop tells.
pub(crate) fn on_event(app: &tauri::AppHandle, event: RunEvent) {
    match event {
        // The last window was closed. A node goes on without it, if there is a way back.
        RunEvent::ExitRequested { code: None, api, .. } => {
            api.prevent_exit();
            let is_ending = app.state::<Lifetime>().is_ending.load(Ordering::SeqCst);
            let goes_on = app.state::<Lifetime>().app().is_node_up() && host::has_way_back();
            if !is_ending && !goes_on {
                quit(app);
            }
        }
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. }
            if !app.state::<Lifetime>().is_ending.load(Ordering::SeqCst) =>
        {
            api.prevent_close();
            close_asked(app);
        }
        RunEvent::WindowEvent { event: WindowEvent::Destroyed, .. } => closed(app),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show_again(app),
        _ => {}
    }
}

/// Without a window nobody reads.
fn closed(app: &tauri::AppHandle) {
    app.state::<Stream>().end();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let hidden = AppRequest::SetVisible { is_visible: false };
        // An application that has ended hides nothing.
        let _ = app.state::<Lifetime>().app().request(hidden).await;
    });
}

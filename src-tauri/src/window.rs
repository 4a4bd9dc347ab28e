//! The one window: made anew each time it is opened, with the place and size it had.

use std::time::Duration;

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager, Runtime, WebviewWindowBuilder};
use tauri_plugin_window_state::{AppHandleExt, StateFlags};

use crate::tray;

/// Its label, as `tauri.conf.json` and the capability name it.
const LABEL: &str = "main";
/// A tray that comes later than a program started at login is waited for this long.
const TRAY_LOOKS: u32 = 40;
const TRAY_EVERY: Duration = Duration::from_millis(500);

/// Remembers where the window was.
pub(crate) fn remembered<R: Runtime>() -> TauriPlugin<R> {
    tauri_plugin_window_state::Builder::new().with_state_flags(remembered_flags()).build()
}

fn remembered_flags() -> StateFlags {
    StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED
}

/// Opens the window, or brings it to the front.
///
/// # Errors
/// The system refuses a window.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let windows = &app.config().app.windows;
    let config = windows
        .iter()
        .find(|window| window.label == LABEL)
        .expect("tauri.conf.json has the window");
    WebviewWindowBuilder::from_config(app, config)?
        // The page marks practice in its title; the window shows it too.
        .on_document_title_changed(|window, title| {
            if let Err(error) = window.set_title(&title) {
                tracing::debug!(%error, "title not set");
            }
        })
        .build()
        .map(drop)
}

/// The program was started a second time, or its icon was clicked: shows the window.
///
/// On a task of its own, because a window cannot be made inside every callback.
pub(crate) fn show_again(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = open(&app) {
            tracing::error!(%error, "window not opened again");
        }
    });
}

/// Hides the window by ending it: a page that nobody sees costs nothing.
pub(crate) fn close(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    // The place it had is remembered when it is closed, and here nobody closes it.
    if let Err(error) = app.save_window_state(remembered_flags()) {
        tracing::debug!(%error, "place of the window not remembered");
    }
    if let Err(error) = window.destroy() {
        tracing::warn!(%error, "window not hidden");
    }
}

/// Minimises the window.
pub(crate) fn minimise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if let Err(error) = window.minimize() {
        tracing::warn!(%error, "window not minimised");
    }
}

/// Starts without a window. At login the tray may come later than we do; where none comes, the
/// window is there, minimised.
pub(crate) fn begin_hidden(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        for _ in 0..TRAY_LOOKS {
            if tauri::async_runtime::spawn_blocking(tray::is_seen).await.unwrap_or(false) {
                tracing::info!("started in the tray");
                return;
            }
            tokio::time::sleep(TRAY_EVERY).await;
        }
        tracing::info!("no tray: started minimised");
        match open(&app) {
            Ok(()) => minimise(&app),
            Err(error) => tracing::error!(%error, "window not opened"),
        }
    });
}

//! The one window: made anew each time it is opened, with the place and size it had.

use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager, Runtime, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;

/// Its label, as `tauri.conf.json` and the capability name it.
const LABEL: &str = "main";

/// Remembers where the window was.
pub(crate) fn remembered<R: Runtime>() -> TauriPlugin<R> {
    let flags = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    tauri_plugin_window_state::Builder::new().with_state_flags(flags).build()
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

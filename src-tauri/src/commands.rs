//! What the window may ask: one thin function per request. Nothing is decided here.

use p2pool_app::api::{AppEvent, AppReply, AppRequest, AppSnapshot, UiError};
use tauri::State;
use tauri::ipc::Channel;

use crate::lifetime::{self, Lifetime};
use crate::subscription::{self, Stream};

/// Gives a snapshot and streams every event after it into `channel`; ends the stream before it.
#[tauri::command]
pub(crate) async fn subscribe(
    channel: Channel<AppEvent>,
    lifetime: State<'_, Lifetime>,
    stream: State<'_, Stream>,
) -> Result<AppSnapshot, UiError> {
    subscription::begin(lifetime.app(), &stream, channel).await
}

/// Asks for a deed; its effect arrives as events.
#[tauri::command]
pub(crate) async fn request(
    request: AppRequest,
    lifetime: State<'_, Lifetime>,
) -> Result<AppReply, UiError> {
    lifetime.app().request(request).await
}

/// Hides the window, or minimises it where there is no tray; mining goes on.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "Tauri hands commands their arguments by value")]
pub(crate) fn hide(app: tauri::AppHandle) {
    lifetime::hide(&app);
}

/// Ends the application in order, whatever runs.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "Tauri hands commands their arguments by value")]
pub(crate) fn quit(app: tauri::AppHandle) {
    lifetime::quit(&app);
}

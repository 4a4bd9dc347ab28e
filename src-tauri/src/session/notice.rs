//! Notifications of the system; a click opens the page.

use notify_rust::{Hint, Timeout};
use p2pool_app::api::{AppRequest, ComputerRequest, Page};
use p2pool_app::{Notification, Sound};
use tauri::{AppHandle, Manager};

use crate::lifetime::Lifetime;
use crate::window;

/// Shows a notification, on a thread of its own that waits for the click. There are few: one of
/// a kind in an hour.
pub(super) fn show(app: &AppHandle, notification: Notification) {
    let app = app.clone();
    let shown = move || {
        if let Err(error) = show_and_wait(&app, &notification) {
            tracing::debug!(%error, "notification not shown");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("notification".into()).spawn(shown) {
        tracing::warn!(%error, "notification not shown");
    }
}

fn show_and_wait(
    app: &AppHandle,
    notification: &Notification,
) -> Result<(), notify_rust::error::Error> {
    let mut shown = notify_rust::Notification::new();
    shown.appname("P2Pool Desktop").summary("P2Pool Desktop").body(&notification.text);
    shown.timeout(Timeout::Default);
    sound(&mut shown, notification.sound);
    let handle = shown.show()?;
    wait_for_click(app, handle, notification.page);
    Ok(())
}

#[cfg(target_os = "linux")]
fn sound(shown: &mut notify_rust::Notification, sound: Sound) {
    shown.icon("p2pool-desktop").action("default", "Open");
    match sound {
        Sound::Silent => shown.hint(Hint::SuppressSound(true)),
        Sound::Usual => shown,
        Sound::Loud => shown.hint(Hint::SoundName("message-new-instant".into())),
    };
}

#[cfg(not(target_os = "linux"))]
fn sound(shown: &mut notify_rust::Notification, sound: Sound) {
    if sound == Sound::Loud {
        shown.sound_name("Default");
    }
}

#[cfg(target_os = "linux")]
fn wait_for_click(app: &AppHandle, handle: notify_rust::NotificationHandle, page: Page) {
    handle.wait_for_action(|action| {
        if action == "default" {
            invite(app, page);
        }
    });
}

#[cfg(not(target_os = "linux"))]
fn wait_for_click(_: &AppHandle, _: notify_rust::NotificationHandle, _: Page) {}

/// Opens the window at a page.
pub(crate) fn invite(app: &AppHandle, page: Page) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let request = ComputerRequest::Invite { page };
        if let Err(error) =
            app.state::<Lifetime>().app().request(AppRequest::Computer { request }).await
        {
            tracing::debug!(%error, "page not opened");
        }
        window::show_again(&app);
    });
}

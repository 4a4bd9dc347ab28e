//! The icon in the tray and its menu.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

use p2pool_app::api::{AppRequest, ComputerRequest, Page};
use p2pool_app::{Tray, TrayIcon, TrayOffer};
use tauri::image::Image;
use tauri::menu::{IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{MouseButton, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager};

use crate::lifetime::{self, Lifetime};
use crate::session::invite;
use crate::window;

/// Menu entries, by what they do.
const STATUS: &str = "status";
const OPEN: &str = "open";
const PAUSE_HOUR: &str = "pause-hour";
const PAUSE: &str = "pause";
const RESUME: &str = "resume";
const COPY: &str = "copy";
const CHECK_UP: &str = "check-up";
const QUIT: &str = "quit";
/// Length of the short pause.
const HOUR_SECS: u32 = 3_600;

/// The icon, once there is one, and what it shows.
#[derive(Default)]
pub(crate) struct Shown {
    parts: Mutex<Option<Parts>>,
    /// What was copied is there for as long as its owner.
    clipboard: Mutex<Option<arboard::Clipboard>>,
}

/// What is changed when the state does.
struct Parts {
    icon: tauri::tray::TrayIcon,
    status: MenuItem<tauri::Wry>,
    tray: Tray,
}

/// Whether an icon in the tray would be seen. On Linux the desktop says so on the session bus.
#[cfg(target_os = "linux")]
pub(crate) fn is_seen() -> bool {
    let asked = || -> zbus::Result<bool> {
        let bus = zbus::blocking::Connection::session()?;
        let names = zbus::blocking::fdo::DBusProxy::new(&bus)?;
        let watcher = "org.kde.StatusNotifierWatcher".try_into()?;
        Ok(names.name_has_owner(watcher)?)
    };
    asked().unwrap_or_else(|error| {
        tracing::debug!(%error, "no tray");
        false
    })
}

/// Whether an icon in the tray would be seen.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_seen() -> bool {
    true
}

/// Shows a state. May be called from anywhere but the main thread.
pub(crate) fn show(app: &AppHandle, tray: Tray) {
    let is_seen = is_seen();
    let main = app.clone();
    let shown = app.run_on_main_thread(move || {
        // The system's library for trays is loaded at run time, and may not be there.
        let shown = std::panic::catch_unwind(AssertUnwindSafe(|| update(&main, tray, is_seen)));
        match shown {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "tray not shown"),
            Err(_) => tracing::warn!("the library for the tray is not installed"),
        }
    });
    if let Err(error) = shown {
        tracing::debug!(%error, "tray not shown");
    }
}

fn update(app: &AppHandle, tray: Tray, is_seen: bool) -> tauri::Result<()> {
    let state = app.state::<Shown>();
    let mut shown = state.parts.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(parts) = shown.as_mut() else {
        if is_seen {
            *shown = Some(build(app, tray)?);
        }
        return Ok(());
    };
    if parts.tray.icon != tray.icon {
        parts.icon.set_icon(Some(image(tray.icon)?))?;
    }
    if parts.tray.offer != tray.offer || parts.tray.miner_url != tray.miner_url {
        let (menu, status) = menu(app, &tray)?;
        parts.icon.set_menu(Some(menu))?;
        parts.status = status;
    } else if parts.tray.status != tray.status {
        parts.status.set_text(&tray.status)?;
    }
    parts.icon.set_tooltip(Some(&tray.status))?;
    parts.tray = tray;
    Ok(())
}

fn build(app: &AppHandle, tray: Tray) -> tauri::Result<Parts> {
    let (menu, status) = menu(app, &tray)?;
    let icon = TrayIconBuilder::with_id("main")
        .icon(image(tray.icon)?)
        .tooltip(&tray.status)
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| chosen(app, &event))
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
                window::show_again(icon.app_handle());
            }
        })
        .build(app)?;
    Ok(Parts { icon, status, tray })
}

fn image(icon: TrayIcon) -> tauri::Result<Image<'static>> {
    Image::from_bytes(match icon {
        TrayIcon::Mining => include_bytes!("../../icons/tray/mining.png"),
        TrayIcon::Waiting => include_bytes!("../../icons/tray/waiting.png"),
        TrayIcon::Problem => include_bytes!("../../icons/tray/problem.png"),
        TrayIcon::Practice => include_bytes!("../../icons/tray/practice.png"),
    })
}

type Item = MenuItem<tauri::Wry>;

/// The menu, and its first line.
fn menu(app: &AppHandle, tray: &Tray) -> tauri::Result<(Menu<tauri::Wry>, Item)> {
    let item = |id: &str, text: &str, is_on| Item::with_id(app, id, text, is_on, None::<&str>);
    let line = || PredefinedMenuItem::separator(app);
    let status = item(STATUS, &tray.status, false)?;
    let menu =
        Menu::with_items(app, &[&status, &line()?, &item(OPEN, "Open P2Pool Desktop", true)?])?;
    match tray.offer {
        TrayOffer::Nothing => {}
        TrayOffer::Pause => {
            let hour = item(PAUSE_HOUR, "For 1 hour", true)?;
            let until = item(PAUSE, "Until I resume", true)?;
            let items: [&dyn IsMenuItem<tauri::Wry>; 2] = [&hour, &until];
            menu.append(&Submenu::with_items(app, "Pause mining", true, &items)?)?;
        }
        TrayOffer::Resume => menu.append(&item(RESUME, "Resume mining", true)?)?,
    }
    if tray.miner_url.is_some() {
        menu.append(&item(COPY, "Copy miner address", true)?)?;
    }
    menu.append(&item(CHECK_UP, "Check-up", true)?)?;
    menu.append(&line()?)?;
    menu.append(&item(QUIT, "Quit", true)?)?;
    Ok((menu, status))
}

fn chosen(app: &AppHandle, event: &MenuEvent) {
    match event.id().as_ref() {
        OPEN => window::show_again(app),
        PAUSE_HOUR => ask(app, AppRequest::PauseMining { for_secs: Some(HOUR_SECS) }),
        PAUSE => ask(app, AppRequest::PauseMining { for_secs: None }),
        RESUME => ask(app, AppRequest::ResumeMining),
        COPY => copy_address(app),
        CHECK_UP => invite(app, Page::CheckUp),
        QUIT => lifetime::leave(app, ComputerRequest::AskToQuit),
        other => tracing::debug!(other, "not in the menu"),
    }
}

fn ask(app: &AppHandle, request: AppRequest) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = app.state::<Lifetime>().app().request(request).await {
            tracing::warn!(%error, "not done");
        }
    });
}

/// Copies the address that miners are pointed at.
fn copy_address(app: &AppHandle) {
    let state = app.state::<Shown>();
    let shown = state.parts.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(url) = shown.as_ref().and_then(|parts| parts.tray.miner_url.clone()) else { return };
    drop(shown);
    let copied = || -> Result<arboard::Clipboard, arboard::Error> {
        let mut clipboard = arboard::Clipboard::new()?;
        clipboard.set_text(url)?;
        Ok(clipboard)
    };
    match copied() {
        Ok(owner) => {
            *state.clipboard.lock().unwrap_or_else(PoisonError::into_inner) = Some(owner);
        }
        Err(error) => tracing::warn!(%error, "address not copied"),
    }
}

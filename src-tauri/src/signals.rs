//! The wish of the system, or of a terminal, that the program ends.

use std::io;

use tauri::AppHandle;

use crate::lifetime;

/// Ends the program in order on SIGTERM, Ctrl-C or a closed terminal; a second one at once.
///
/// # Errors
/// The system refuses.
#[cfg(unix)]
pub(crate) fn obey(app: AppHandle) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // The registration needs the runtime that will wait.
    let (mut terminate, mut interrupt, mut hangup) = tauri::async_runtime::block_on(async {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let hangup = signal(SignalKind::hangup())?;
        Ok::<_, io::Error>((terminate, interrupt, hangup))
    })?;
    tauri::async_runtime::spawn(async move {
        let mut is_first = true;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
            if !std::mem::take(&mut is_first) {
                tracing::warn!("asked twice: ending at once");
                std::process::exit(1);
            }
            lifetime::quit(&app);
        }
    });
    Ok(())
}

/// Ends the program in order on Ctrl-C; a second one at once.
///
/// # Errors
/// The system refuses.
#[cfg(windows)]
pub(crate) fn obey(app: AppHandle) -> io::Result<()> {
    let mut ctrl_c = tauri::async_runtime::block_on(async { tokio::signal::windows::ctrl_c() })?;
    tauri::async_runtime::spawn(async move {
        let mut is_first = true;
        while ctrl_c.recv().await.is_some() {
            if !std::mem::take(&mut is_first) {
                tracing::warn!("asked twice: ending at once");
                std::process::exit(1);
            }
            lifetime::quit(&app);
        }
    });
    Ok(())
}

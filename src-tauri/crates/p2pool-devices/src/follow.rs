//! Follows one device's health, politely.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::client::Device;
use crate::error::CallError;
use crate::health::Health;
use crate::identity::Family;
use crate::pace::{POLL_MIN, Pace};
use crate::text::Secrets;

/// Asks a device how it is doing for as long as the future lives: every 15 s while somebody looks
/// at its page, every minute otherwise, every five minutes while it does not answer. Cancel-safe:
/// dropping it ends a running question.
pub async fn follow(
    device: &mut Device,
    family: Family,
    secrets: &Secrets,
    mut is_watched: watch::Receiver<bool>,
    mut on_health: impl FnMut(Result<Health, CallError>),
) {
    let mut pace = Pace::default();
    loop {
        let health = device.health(family, secrets).await;
        let asked = Instant::now();
        let is_answered = health.is_ok();
        on_health(health);
        let watched_now = *is_watched.borrow_and_update();
        let next = asked + pace.after(is_answered, watched_now);
        wait(next, asked + POLL_MIN, &mut is_watched).await;
    }
}

/// Waits until `next`, or only until `earliest` if somebody begins to look.
async fn wait(next: Instant, earliest: Instant, is_watched: &mut watch::Receiver<bool>) {
    let was_watched = *is_watched.borrow();
    let looks = async {
        // With nobody left to say so, nobody begins to look.
        if is_watched.wait_for(|is_watched| *is_watched).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = sleep_until(next) => {}
        () = looks, if !was_watched => sleep_until(earliest).await,
    }
}

//! The real window over a real practice node, driven by WebDriver on a display of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test that is the point")]

mod display;
mod page;
mod rig;
mod tray;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::page::Page;
use crate::rig::{Rig, free_port};
use crate::tray::TrayWatcher;

/// Fast blocks: regtest rules, one slow thread.
fn settings(port: u16) -> String {
    format!(
        "[practice]\nchain = \"regtest\"\nthreads = 1\nlimit_hps = 4000000\nstratum_port = {port}\n"
    )
}

/// The mark of practice on a light page: `--practice` of the tokens. Nothing else has it.
const PRACTICE_COLOUR: u32 = 0x006b_33b8;
/// Opens the details of the newest block that paid me.
const PAID_ROW: &str = "[data-testid=payout-row]:not([data-sats='0']) button";

/// A rig; `None`, with the reason printed, where its programs are not installed.
#[expect(clippy::print_stdout, reason = "a test that was not run says so")]
async fn rig(settings: &str) -> Option<Rig> {
    if let Some(program) = rig::missing_program() {
        println!("skipped: {program} is not installed (cargo xtask setup installs it)");
        return None;
    }
    Some(Rig::start(settings).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_sees_shares_become_paid_blocks() {
    let port = free_port();
    let Some(rig) = rig(&settings(port)).await else { return };
    let page = Page::open(&rig, "practice").await;

    page.shows("page-welcome").await;
    page.reads("page-welcome", "Mine Bitcoin together").await;
    page.picture("1-welcome").await;

    page.click("practice-button").await;
    page.shows("page-home").await;
    page.reads("practice-band", "no value").await;
    page.shows("start-button").await;
    page.is("start-button", "data-armed", "false").await;
    page.reads_number("shares-mine", |shares| shares == 0).await;
    page.picture("2-ready").await;

    page.click("start-button").await;
    page.reads_number("shares-mine", |shares| shares >= 1).await;
    let first = page.number("shares-mine").await.unwrap();
    page.reads_number("shares-mine", |shares| shares > first).await;
    page.shows("payout-row").await;
    page.is_one_of("status-pill", "data-state", &["earning", "degraded"]).await;
    page.shows("hero-amount").await;
    page.reads("hashrate-value", "H/s").await;
    page.picture("3-mining").await;

    page.click("pause-button").await;
    page.is("status-pill", "data-state", "paused").await;

    // Every block paid subsidy and fees, to the satoshi, and me among others.
    page.press_moving(PAID_ROW).await;
    page.is("payout-sum", "data-exact", "true").await;
    page.shows("payee-row").await;
    page.scroll_to("payout-sum").await;
    page.picture("4-payout").await;

    page.choose("theme-select", "dark").await;
    page.scroll_to("status-pill").await;
    page.picture("5-paused-dark").await;

    page.click("leave-practice").await;
    page.shows("page-welcome").await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a39_a40_window_can_be_closed_and_opened_again_while_the_node_mines_and_quitting_is_clean()
{
    let port = free_port();
    let Some(rig) = rig(&settings(port)).await else { return };
    let watcher = TrayWatcher::start(rig.bus()).await;
    let page = Page::open(&rig, "window").await;
    page.click("practice-button").await;
    page.shows("start-button").await;
    page.click("start-button").await;
    page.reads_number("shares-mine", |shares| shares >= 1).await;
    let app = rig.app_process();

    rig.display.close_window().await;
    page.shows("close-dialog").await;
    page.picture("1-close").await;
    page.click("close-keep").await;
    rig.display.until_no_window().await;
    watcher.until_icon().await;
    page.forget();
    assert!(rig::is_alive(app), "closing the window does not end a node that runs");
    assert!(rig::takes_miners(port), "miners are still served");

    let second = rig.start_again();
    assert!(second.success(), "a second start ends at once: {second}");
    rig.display.until_window().await;
    assert_eq!(rig.app_process(), app, "it is the first program's window");
    rig.display.until_shown(PRACTICE_COLOUR).await;
    rig.display.picture("window-opened-again");

    let asked = Instant::now();
    rig.terminate(app);
    rig.until_gone(app).await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(!rig::takes_miners(port), "nobody listens any more");
    assert!(rig.helpers().is_empty(), "the CPU miner ended with it");
    let log = rig.log();
    assert!(log.contains("node stopped") && log.contains("late=[]"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_starts_are_sentences_that_can_be_tried_again() {
    let port = free_port();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let Some(rig) = rig("[practice]\nthread = 1\n").await else { return };
    let page = Page::open(&rig, "trouble").await;

    page.click("practice-button").await;
    page.is("error-card", "data-code", "E-APP-03").await;
    page.reads("error-card", "nothing was started").await;

    rig.write_settings(&settings(port));
    page.click("problem-tryAgain").await;
    page.is("error-card", "data-code", "S-01").await;
    page.reads("error-card", &port.to_string()).await;
    page.picture("1-port-taken").await;

    drop(taken);
    page.click("problem-tryAgain").await;
    page.shows("page-home").await;
    page.vanishes("error-card").await;
    page.shows("start-button").await;

    // Quitting in the window ends the program.
    let app = rig.app_process();
    page.click_to_end("quit").await;
    rig.until_gone(app).await;
    assert!(!rig.log().contains("ERROR"), "{}", rig.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_without_a_tray_closing_minimises_and_quitting_says_what_it_means() {
    let port = free_port();
    let Some(rig) = rig(&settings(port)).await else { return };
    let page = Page::open(&rig, "no-tray").await;
    page.click("practice-button").await;
    page.click("start-button").await;
    page.reads_number("shares-mine", |shares| shares >= 1).await;
    let app = rig.app_process();

    rig.display.close_window().await;
    page.is("close-no-tray", "data-code", "T-01").await;
    page.picture("1-close").await;
    page.click("close-keep").await;
    page.vanishes("close-dialog").await;
    assert!(rig::is_alive(app) && rig::takes_miners(port), "mining goes on");

    // The window is still there, and the same.
    page.click("quit").await;
    page.reads("quit-dialog", "1 miner").await;
    page.picture("2-quit").await;
    page.click("quit-no").await;
    page.vanishes("quit-dialog").await;
    page.click("quit").await;
    let asked = Instant::now();
    page.click_to_end("quit-yes").await;
    rig.until_gone(app).await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(!rig.log().contains("ERROR"), "{}", rig.log());
}

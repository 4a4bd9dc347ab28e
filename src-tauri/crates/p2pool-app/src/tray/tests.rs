use super::*;
use crate::api::{AppSnapshot, UnixSeconds};

fn view(overall: OverallState, control: MiningControl) -> AppSnapshot {
    let mut view = AppSnapshot::fresh("0.1.0", UnixSeconds(1));
    (view.overall, view.control) = (overall, control);
    view.rates.mine_hps = Some(1.21e12);
    view.lights.miners.working = 1;
    view.shares.mine_in_window = 1;
    view
}

#[test]
fn tray_speaks_as_specified_while_mining() {
    let tray = Tray::of(&view(OverallState::Earning, MiningControl::Pause));
    assert_eq!(tray.status, "Mining 1.21 TH/s · 1 miner · 1 share in window");
    assert_eq!((tray.icon, tray.offer), (TrayIcon::Mining, TrayOffer::Pause));
}

#[test]
fn every_state_has_its_icon_and_sentence() {
    let since = UnixSeconds(1);
    let states = [
        (OverallState::Setup, TrayIcon::Waiting, "Not set up yet"),
        (OverallState::NodeDown { since }, TrayIcon::Problem, "No Bitcoin node"),
        (
            OverallState::NodeSyncing { progress: 0.639, remaining_secs: None },
            TrayIcon::Waiting,
            "Bitcoin node is catching up, 63 %",
        ),
        (
            OverallState::Joining { shares_done: None, shares_total: None },
            TrayIcon::Waiting,
            "Joining the pool",
        ),
        (OverallState::NoMembers { tried: 3 }, TrayIcon::Problem, "No other pool members found"),
        (OverallState::WaitingMiner { miner_url: None }, TrayIcon::Waiting, "Waiting for a miner"),
        (OverallState::FirstShare, TrayIcon::Mining, "Mining 1.21 TH/s · 1 miner"),
        (OverallState::Between { last_left_at: None }, TrayIcon::Mining, "Mining 1.21 TH/s"),
        (OverallState::Paused { shares_count_secs: None }, TrayIcon::Waiting, "Paused"),
        (
            OverallState::Degraded { has_share_in_window: true },
            TrayIcon::Problem,
            "1 share in window, check needed",
        ),
        (
            OverallState::Blocked { code: crate::api::ProblemCode::WrongChain },
            TrayIcon::Problem,
            "Stopped",
        ),
    ];
    for (state, icon, words) in states {
        let tray = Tray::of(&view(state.clone(), MiningControl::None));
        assert_eq!(tray.icon, icon, "{state:?}");
        assert!(tray.status.contains(words), "{state:?}: {}", tray.status);
    }
}

#[test]
fn practice_is_never_taken_for_mining() {
    let mut view = view(OverallState::Earning, MiningControl::Resume);
    view.mode = Mode::Practice;
    let tray = Tray::of(&view);
    assert_eq!((tray.icon, tray.offer), (TrayIcon::Practice, TrayOffer::Resume));
    assert!(tray.status.starts_with("Practice"), "{}", tray.status);
}

#[test]
fn waiting_for_a_miner_offers_its_address() {
    let url = "stratum+tcp://192.168.1.20:9332";
    let waiting = OverallState::WaitingMiner { miner_url: Some(url.into()) };
    assert_eq!(Tray::of(&view(waiting, MiningControl::Pause)).miner_url.as_deref(), Some(url));
}

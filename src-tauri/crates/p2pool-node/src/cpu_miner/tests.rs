use super::*;

fn service(wish: watch::Receiver<Option<HelperSettings>>) -> (HelperService, watch::Sender<bool>) {
    let (sender, is_mining) = watch::channel(false);
    let stratum = "127.0.0.1:1".parse().unwrap();
    let state = watch::Sender::new(HelperState::Off);
    (HelperService { settings: wish, stratum, is_mining, state }, sender)
}

#[test]
fn reports_become_states() {
    let (service, _) = service(watch::channel(None).1);
    let mut cannot_tell = Vec::new();
    let mut state_after = |line: &str| {
        service.note(3, line, &mut cannot_tell);
        service.state.borrow().clone()
    };
    let running =
        |hashrate_hps, cannot_tell| HelperState::Running { threads: 3, hashrate_hps, cannot_tell };
    for noise in [
        "",
        "{}",
        "no JSON",
        r#"{"event":"work","difficulty":1}"#,
        r#"{"event":"made up"}"#,
        r#"{"event":"hashrate"}"#,
        r#"{"event":"hashrate","hashrate_hps":1e999}"#,
        r#"{"event":"paused","reason":"boredom"}"#,
    ] {
        assert_eq!(state_after(noise), HelperState::Off, "{noise}");
    }
    let hashrate = r#"{"event":"hashrate","hashrate_hps":5.0,"accepted":1}"#;
    assert_eq!(state_after(hashrate), running(5.0, Vec::new()));
    let battery = HelperState::Paused { reason: HelperPause::OnBattery };
    assert_eq!(state_after(r#"{"event":"paused","reason":"on_battery"}"#), battery);
    assert_eq!(state_after(r#"{"event":"resumed"}"#), battery, "until it hashes");
    state_after(r#"{"event":"cannot_tell","reasons":["user_active"]}"#);
    assert_eq!(state_after(hashrate), running(5.0, vec![HelperPause::UserActive]));
}

/// The program ends at once; whether it is running or waiting to be started again when its time is
/// up, it stays ended until mining is switched off and on.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn helper_stops_for_good_when_its_time_is_up() {
    let (_wish, wanted) = watch::channel(Some(echo()));
    let (service, is_mining) = service(wanted);
    let mut state = service.state.subscribe();
    let token = CancellationToken::new();
    let changes = async {
        for _ in 0..2 {
            let begin = tokio::time::Instant::now();
            is_mining.send_replace(true);
            state.wait_for(|state| *state == HelperState::Starting).await.unwrap();
            state.wait_for(|state| *state == HelperState::Finished).await.unwrap();
            assert!(begin.elapsed() >= Duration::from_secs(600));
            assert!(begin.elapsed() < Duration::from_secs(610));
            tokio::time::sleep(Duration::from_secs(3600)).await;
            assert_eq!(*state.borrow(), HelperState::Finished);
            is_mining.send_replace(false);
            state.wait_for(|state| *state == HelperState::Off).await.unwrap();
        }
        token.cancel();
    };
    tokio::join!(service.run(token.clone()), changes);
}

/// A program that ends at once.
#[cfg(unix)]
fn echo() -> HelperSettings {
    HelperSettings { stop_above_celsius: None, ..HelperSettings::live("/bin/echo".into(), 1) }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn helper_comes_and_goes_with_the_wish_while_mining_goes_on() {
    let (wish, wanted) = watch::channel(None);
    let (service, is_mining) = service(wanted);
    let mut state = service.state.subscribe();
    let token = CancellationToken::new();
    let changes = async {
        is_mining.send_replace(true);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(*state.borrow(), HelperState::Off, "nobody wants it");
        wish.send_replace(Some(echo()));
        state.wait_for(|state| *state == HelperState::Starting).await.unwrap();
        wish.send_replace(None);
        state.wait_for(|state| *state == HelperState::Off).await.unwrap();
        wish.send_replace(Some(echo()));
        state.wait_for(|state| *state == HelperState::Finished).await.unwrap();
        wish.send_replace(Some(echo()));
        state.wait_for(|state| *state == HelperState::Starting).await.unwrap();
        token.cancel();
    };
    tokio::join!(service.run(token.clone()), changes);
}

//! A login of ours, from the plan to the node that takes it and back again.

use std::fs;

use p2pool_bitcoind::local::{
    Cookie, FindingKind, LocalNode, LoginStyle, METHODS, NewLogin, Plan, RestartProgress,
    RestartWatch, Stamp, Surroundings, Wish, apply, inspect, plan, running_nodes, undo,
};
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{Auth, RpcClient, RpcError};
use serde_json::Value;

use crate::bitcoind::Place;

const NOON: Stamp = Stamp { year: 2026, month: 11, day: 22, hour: 14, minute: 5, second: 1 };

fn wish(style: LoginStyle, new_login: &NewLogin) -> Wish<'_> {
    Wish { style, new_login, known_login: None, may_switch_server_on: true, stamp: NOON }
}

async fn call(node: &LocalNode, auth: Auth, method: &str) -> Result<Value, RpcError> {
    let client = RpcClient::new(&node.rpc_config(auth)).unwrap();
    client.call(method, (), Limits::SHORT).await
}

fn write(node: &LocalNode, style: LoginStyle, login: &NewLogin) {
    match plan(node, &wish(style, login)) {
        Ok(Plan::Write(change)) => assert_eq!(apply(&change, NOON).unwrap().path, node.conf_path()),
        other => panic!("a change is due, not {other:?}"),
    }
}

fn cookie(node: &LocalNode) -> Auth {
    let Cookie::Readable(path) = node.cookie() else { panic!("{:?}", node.cookie()) };
    Auth::Cookie(path.clone())
}

#[tokio::test]
async fn a_login_is_written_taken_after_a_restart_and_undone() {
    let Some(place) = Place::new() else { return };
    let mut first = place.start().expect("no configuration is a sound one");
    // Found among the processes of this computer, by its arguments.
    let node = place.find(&inspect(&Surroundings::of_this_computer()));
    let process = node.process().expect("it runs").clone();
    assert_eq!(process.pid, first.pid());
    assert_eq!(process.is_of_other_user, Some(false));
    let login = NewLogin::generate().unwrap();
    let automatic = plan(&node, &wish(LoginStyle::Automatic, &login)).unwrap();
    assert_eq!(automatic, Plan::UseLogin(cookie(&node)), "nothing has to be written");

    write(&node, LoginStyle::RpcAuth, &login);
    let watch = RestartWatch::new(process.started_unix_s, Some(process));
    let early = call(&node, login.auth(), "uptime").await;
    assert_eq!(early, Err(RpcError::Unauthorized));
    let progress = watch.judge(&running_nodes(), early.as_ref().map(|_| ()));
    assert_eq!((progress, progress.code()), (RestartProgress::StillRunning, Some("C-05")));

    call(&node, cookie(&node), "stop").await.unwrap();
    first.ends();
    let gone = call(&node, login.auth(), "uptime").await;
    let mine: Vec<_> = running_nodes().into_iter().filter(|n| n.pid == first.pid()).collect();
    let progress = watch.judge(&mine, gone.as_ref().map(|_| ()));
    assert_eq!(progress, RestartProgress::Stopped);

    let _second = place.start().expect("our lines are sound");
    let node = place.find(&inspect(&Surroundings::of_this_computer()));
    let late = call(&node, login.auth(), "uptime").await;
    let progress = watch.judge(&running_nodes(), late.as_ref().map(|_| ()));
    assert_eq!(progress, RestartProgress::LoginWorks);
    assert!(call(&node, cookie(&node), "uptime").await.is_ok(), "the cookie works on");
    let known = login.auth();
    let keeping = Wish { known_login: Some(&known), ..wish(LoginStyle::RpcAuth, &login) };
    assert_eq!(plan(&node, &keeping), Ok(Plan::UseLogin(known.clone())));

    apply(&undo(&node).unwrap().unwrap(), NOON).unwrap();
    assert!(!place.conf().exists());
}

#[tokio::test]
async fn a_password_in_clear_ends_the_cookie() {
    let Some(place) = Place::new() else { return };
    place.write("bitcoin.conf", "txindex=0\n");
    let login = NewLogin::generate().unwrap();
    write(&place.look(), LoginStyle::RpcPassword, &login);
    let _running = place.start().expect("our lines are sound");
    let node = place.look();
    assert_eq!(node.cookie(), &Cookie::NotMade);
    assert!(!place.path("regtest/.cookie").exists());
    assert!(call(&node, node.login().unwrap().clone(), "uptime").await.is_ok());
    assert_eq!(node.login(), Some(&login.auth()));
}

#[tokio::test]
async fn connections_are_switched_on_among_line_ends_and_sections_and_off_again() {
    let Some(place) = Place::new() else { return };
    let before =
        b"# gr\xfc\xdfe\r\nserver=0\r\n[regtest]\r\nserver = 0 # no\r\n[main]\r\nrpcport=1";
    place.write("bitcoin.conf", before);
    let login = NewLogin::generate().unwrap();
    write(&place.look(), LoginStyle::RpcAuth, &login);
    let running = place.start().expect("our lines are sound");
    assert!(call(&place.look(), login.auth(), "uptime").await.is_ok());
    drop(running);

    apply(&undo(&place.look()).unwrap().unwrap(), NOON).unwrap();
    assert_eq!(fs::read(place.conf()).unwrap(), before);
    let _running = place.start().expect("it was sound before");
    let refused = call(&place.look(), login.auth(), "uptime").await;
    assert!(matches!(refused, Err(RpcError::Unreachable { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_whitelist_of_others_gets_a_line_for_us() {
    let Some(place) = Place::new() else { return };
    place.write("bitcoin.conf", "rpcwhitelist=bob:stop\n");
    let login = NewLogin::generate().unwrap();
    write(&place.look(), LoginStyle::RpcAuth, &login);
    let _running = place.start().expect("our lines are sound");
    let node = place.look();
    assert!(node.findings().iter().any(|f| f.kind == FindingKind::CookieNotWhitelisted));
    assert_eq!(call(&node, cookie(&node), "uptime").await, Err(RpcError::Forbidden));
    // Some want arguments: what counts is that none is forbidden. The last waits for a block.
    for method in METHODS.into_iter().filter(|method| *method != "waitfornewblock") {
        let answer = call(&node, login.auth(), method).await;
        assert_ne!(answer, Err(RpcError::Forbidden), "{method}");
    }
    assert_eq!(call(&node, login.auth(), "stop").await, Err(RpcError::Forbidden));
}

use super::*;
use crate::local::fixture::Fixture;
use crate::local::process::Program::{self, BitcoinQt, Bitcoind};

const COOKIE: (&str, &str) = (".cookie", "__cookie__:aa");
const PROOF: &str = "rpcauth=bob:1$2\n";

fn facts() -> NodeFacts {
    NodeFacts {
        version: 310_000,
        subversion: "/Satoshi:31.0.0/".into(),
        blocks: 1,
        headers: 1,
        initial_block_download: false,
        size_on_disk: None,
        verification_progress: 1.0,
        pruned: true,
        median_time: 0,
        tip_time: None,
        connections: 8,
        clock_offset_s: None,
        warnings: vec![],
    }
}

/// What the files of a running node say.
fn by_files(files: &[(&str, &str)], running: Option<(Program, &[&str])>) -> Situation {
    let mut fixture = Fixture::new();
    for (name, text) in files {
        fixture = fixture.file(name, text);
    }
    if let Some((program, arguments)) = running {
        fixture = fixture.running(program, arguments);
    }
    fixture.node().situation(Network::Bitcoin, None)
}

#[test]
fn every_row_that_files_and_processes_tell() {
    let ready = Situation::Ready { is_pruned: false };
    let daemon = Some((Bitcoind, &[] as &[&str]));
    let window = Some((BitcoinQt, &[] as &[&str]));
    let conf = |text: &'static str| ("bitcoin.conf", text);
    let block = "# --- added by P2Pool Desktop x ---\nserver=1\nrpcauth=p2pool-aaaa:1$2\n\
        # --- end P2Pool Desktop ---\n";
    for (files, running, expected) in [
        (&[COOKIE] as &[_], daemon, ready.clone()),
        (&[conf(PROOF), COOKIE], daemon, ready.clone()),
        (&[conf("server=1\n"), COOKIE], window, ready),
        (&[conf("rpcuser=u\nrpcpassword=p\n")], daemon, Situation::HasLogin),
        (&[conf("norpccookiefile=1\nrpcauth=bob:1$2\n")], daemon, Situation::OnlyOthers),
        (&[conf("norpccookiefile=1\n")], daemon, Situation::NoLogin),
        (&[conf(block)], daemon, Situation::HasOwnLines),
        (&[(".cookie", "nonsense")], daemon, Situation::NoAccess),
        (&[conf("rpcwhitelist=x:stop\n"), COOKIE], daemon, Situation::NoLogin),
        (&[conf("txindex=1\n")], window, Situation::ServerOff),
        (&[("settings.json", "{\"server\":false}")], daemon, Situation::ServerOff),
        (&[conf("server=0\n")], daemon, Situation::ServerForbidden),
        (&[conf("server=0\n"), COOKIE], window, Situation::ServerForbidden),
        (&[conf("server=1\n")], None, Situation::NotRunning),
        (&[("blocks/x", "")], None, Situation::NoConf),
        (&[conf("")], daemon, Situation::Starting),
    ] {
        assert_eq!(by_files(files, running), expected, "{files:?} {running:?}");
    }
    let other = by_files(&[], Some((Bitcoind, &["-testnet4"])));
    assert_eq!(other, Situation::WrongChain("testnet4".into()));
}

#[test]
fn a_stranger_node_gives_no_access() {
    let mut surroundings = Fixture::new().running(Bitcoind, &[]).surroundings();
    surroundings.running[0].is_of_other_user = Some(true);
    let inspection = crate::local::inspect::inspect(&surroundings);
    let situation = inspection.nodes[0].situation(Network::Bitcoin, None);
    assert_eq!(situation, Situation::NoAccess);
}

#[test]
fn every_row_that_the_node_itself_tells() {
    let node = Fixture::new().running(Bitcoind, &[]).file(COOKIE.0, COOKIE.1).node();
    let judge = |answer| node.situation(Network::Bitcoin, Some(&answer));
    let expected = Network::Bitcoin;
    let rpc = |error| Err(ChainCheckError::Rpc(error));
    for (answer, situation) in [
        (Ok(facts()), Situation::Ready { is_pruned: true }),
        (Ok(NodeFacts { initial_block_download: true, ..facts() }), Situation::CatchingUp),
        (Ok(NodeFacts { connections: 0, ..facts() }), Situation::NoConnections),
        (
            Err(ChainCheckError::WrongChain { expected, found: "test".into() }),
            Situation::WrongChain("test".into()),
        ),
        (Err(ChainCheckError::TooOld { version: 1 }), Situation::TooOld),
        (rpc(RpcError::WarmUp("x".into())), Situation::Starting),
        (rpc(RpcError::Forbidden), Situation::NoAccess),
        (rpc(RpcError::Unauthorized), Situation::Ready { is_pruned: false }),
    ] {
        assert_eq!(judge(answer.clone()), situation, "{answer:?}");
    }
    let lonely = Ok(NodeFacts { connections: 0, ..facts() });
    let test_chain = node.situation(Network::Regtest, Some(&lonely));
    assert_eq!(test_chain, Situation::Ready { is_pruned: true });
}

#[test]
fn situations_have_the_codes_of_the_catalogue() {
    for (situation, code) in [
        (Situation::NoAccess, Some("N-05")),
        (Situation::ServerOff, Some("N-01")),
        (Situation::NotRunning, Some("N-01")),
        (Situation::ServerForbidden, Some("C-06")),
        (Situation::Starting, Some("N-06")),
        (Situation::WrongChain(String::new()), Some("N-08")),
        (Situation::TooOld, Some("N-11")),
        (Situation::CatchingUp, Some("N-07")),
        (Situation::NoConnections, Some("N-09")),
        (Situation::Ready { is_pruned: false }, None),
        (Situation::NoConf, None),
    ] {
        assert_eq!(situation.code(), code, "{situation:?}");
    }
}

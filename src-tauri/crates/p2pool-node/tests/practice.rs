//! A whole practice node: kernel chain, engine, members over real connections. No CPU miner.

use std::time::Duration;

use p2pool_node::{Event, NodeEventKind, RawPractice, Settings, start};

fn settings(dir: &std::path::Path) -> Settings {
    let raw = RawPractice {
        chain: Some("regtest".into()),
        threads: Some(0),
        stratum_port: Some(0),
        ..RawPractice::default()
    };
    raw.check(dir.to_owned(), "none".into()).expect("these settings are fine")
}

#[test]
fn members_find_blocks_that_the_kernel_takes_and_a_restart_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = start(settings(dir.path())).unwrap();
    let mut events = node.events();
    let reached = runtime.block_on(async {
        let mut snapshots = node.watch();
        let accepted = async {
            loop {
                let event = events.recv().await.unwrap();
                if let NodeEventKind::Chain(Event::BlockAccepted { .. }) = event.kind {
                    break;
                }
            }
            snapshots.wait_for(|node| node.summary.height >= 5).await.unwrap().summary.height
        };
        let height = tokio::time::timeout(Duration::from_secs(60), accepted).await.unwrap();
        let report = node.stop().await;
        assert!(report.late.is_empty(), "{report:?}");
        height
    });
    let node = start(settings(dir.path())).unwrap();
    runtime.block_on(async {
        let mut snapshots = node.watch();
        let goes_on = snapshots.wait_for(|node| node.summary.height >= reached);
        let snapshot = tokio::time::timeout(Duration::from_secs(30), goes_on).await.unwrap();
        assert!(snapshot.unwrap().is_continued);
        node.stop().await;
    });
}

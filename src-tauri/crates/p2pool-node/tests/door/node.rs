//! A practice node of the test's own, and requests to its door.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use p2pool_node::{NodeHandle, NodeSnapshot, RawPractice, start};
use serde_json::Value;

/// Shares below which some pages say nothing.
const HEIGHT_MIN: u32 = 10;

pub(crate) struct Node {
    handle: Option<NodeHandle>,
    pub(crate) address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    _dir: tempfile::TempDir,
}

impl Node {
    /// A node whose simulated members have made some shares.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder can be made");
        let raw = RawPractice {
            chain: Some("regtest".into()),
            threads: Some(0),
            stratum_port: Some(0),
            ..RawPractice::default()
        };
        let settings = raw.check(dir.path().to_owned(), "none".into()).expect("fine settings");
        let handle = start(settings).expect("nothing is in the way");
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        let address = handle.snapshot().stratum_address;
        let node = Self { handle: Some(handle), address, runtime, _dir: dir };
        node.wait_for("a chain of the members' shares", |node| node.summary.height >= HEIGHT_MIN);
        node
    }

    /// Waits until the node is like this.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl FnMut(&NodeSnapshot) -> bool) {
        let mut is_so = is_so;
        let mut snapshots = self.handle.as_ref().expect("not stopped").watch();
        self.runtime.block_on(async {
            let so = snapshots.wait_for(|node| is_so(node));
            let so = tokio::time::timeout(Duration::from_secs(60), so).await;
            so.unwrap_or_else(|_| panic!("never {what}")).expect("the node runs");
        });
    }

    pub(crate) fn say(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).expect("the door is open");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out is set");
        stream.write_all(bytes).expect("the node listens");
        let mut answer = Vec::new();
        // A reset after the answer is an end, too.
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// Status, content type and body of a page.
    pub(crate) fn get(&self, path: &str) -> (u64, String, Vec<u8>) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = self.say(request.as_bytes());
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
        let body = answer[end + 4..].to_vec();
        (status.expect("a status"), kind.unwrap_or_default().to_owned(), body)
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, kind, body) = self.get(path);
        assert_eq!((status, kind.as_str()), (200, "application/json"), "{path}");
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn stop(mut self) {
        let handle = self.handle.take().expect("stopped once");
        let report = self.runtime.block_on(handle.stop());
        assert!(report.late.is_empty(), "{report:?}");
    }
}

//! News of blocks by ZMQ, from a publisher of somebody else's making and from liars.

use std::sync::Arc;

use crate::scripted_node::{Answer, LONG_POLL, ScriptedNode, hash};
use crate::tip::{Following, QUIET, ready};
use bitcoin::Network;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

const BEST_BLOCK: &str = "getbestblockhash";

/// A node at height 10 whose long poll answers with height 11 after the signal.
async fn node(notifications: Value) -> (ScriptedNode, Arc<Notify>) {
    let node = ScriptedNode::start("main").await;
    let block = Arc::new(Notify::new());
    node.on("getblocktemplate", [ready(10), ready(11)]);
    node.on(LONG_POLL, [Answer::After(block.clone(), Box::new(ready(11))), Answer::Silence]);
    node.on(BEST_BLOCK, [Answer::Result(json!(hash(10)))]);
    node.on("getzmqnotifications", [Answer::Result(notifications)]);
    (node, block)
}

fn one(kind: &str, address: &str) -> Value {
    json!([{"type": kind, "address": address, "hwm": 1000}])
}

fn message(topic: &'static str, body: Vec<u8>) -> ZmqMessage {
    let mut message = ZmqMessage::from(topic);
    message.push_back(body.into());
    message.push_back(vec![0; 4].into());
    message
}

async fn a_template_comes_at_once(topic: &'static str, body: Vec<u8>) {
    let mut publisher = PubSocket::new();
    let address = publisher.bind("tcp://127.0.0.1:0").await.unwrap().to_string();
    let (node, _block) = node(one(&format!("pub{topic}"), &address)).await;
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    following.until_height(10).await;
    // What is published before the subscription is lost, as with a true node.
    let publish = async {
        loop {
            publisher.send(message(topic, body.clone())).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = following.until_height(11) => {}
        () = publish => {}
    }
    // Many messages in less than a second are one question.
    assert_eq!(node.calls(BEST_BLOCK).len(), 1);
    following.cancel.cancel();
    following.tasks.join_all().await;
}

#[tokio::test]
async fn a_published_hash_brings_a_template_at_once() {
    a_template_comes_at_once("hashblock", vec![7; 32]).await;
}

#[tokio::test]
async fn a_published_block_brings_a_template_at_once() {
    a_template_comes_at_once("rawblock", vec![7; 100_000]).await;
}

/// A handshake as it should be, up to the first message.
fn handshake() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
    bytes[12..16].copy_from_slice(b"NULL");
    bytes.extend(b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB");
    bytes
}

#[tokio::test]
async fn garbage_changes_nothing() {
    let endless = [handshake().as_slice(), b"\x03\x3f\xff\xff\xff\xff\xff\xff\xff"].concat();
    let long_ready = [&handshake()[..64], b"\x06\x7f\xff\xff\xff\xff\xff\xff\xff"].concat();
    for garbage in [b"HTTP/1.1 200 OK\r\n\r\n".repeat(10), endless, long_ready] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let (node, block) = node(one("pubhashblock", &address)).await;
        let mut following = Following::start(&node, Network::Bitcoin, QUIET);
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&garbage).await.unwrap();
        // We hang up; with bytes unread that may look like a reset.
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert!(node.calls(BEST_BLOCK).is_empty());
        block.notify_one();
        following.until_height(11).await;
    }
}

#[tokio::test]
async fn a_silent_publisher_changes_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let (node, block) = node(one("pubhashblock", &address)).await;
    let mut following = Following::start(&node, Network::Bitcoin, QUIET);
    let _silent = listener.accept().await.unwrap();
    block.notify_one();
    following.until_height(11).await;
    assert!(node.calls(BEST_BLOCK).is_empty());
    following.cancel.cancel();
    following.tasks.join_all().await;
}

#[tokio::test]
async fn without_published_blocks_nothing_is_connected() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    for notifications in [json!([]), one("pubhashtx", &address), json!({"address": address})] {
        let (node, block) = node(notifications).await;
        let mut following = Following::start(&node, Network::Bitcoin, QUIET);
        while node.calls("getzmqnotifications").is_empty() {
            tokio::task::yield_now().await;
        }
        block.notify_one();
        following.until_height(11).await;
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

//! The RPC client and block submission against a scripted node.

use std::time::Duration;

use crate::scripted_node::{Answer, ScriptedNode, hash};
use bitcoin::Network;
use p2pool_bitcoind::rpc::Limits;
use p2pool_bitcoind::{
    Auth, ChainCheckError, RetryPolicy, RpcClient, RpcConfig, RpcError, SubmitOutcome, chain_check,
    submit_block, submit_with_retries,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const AT_ONCE: RetryPolicy =
    RetryPolicy { every: Duration::ZERO, give_up_after: Duration::from_secs(60) };

async fn uptime(client: &RpcClient) -> Result<u64, RpcError> {
    client.call("uptime", (), Limits::SHORT).await
}

#[tokio::test]
async fn answers_and_errors_are_told_apart() {
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&node.config()).unwrap();
    node.on(
        "uptime",
        [
            Answer::Result(json!(7)),
            Answer::Error(-8, "out of range"),
            Answer::Error(-28, "Verifying blocks…"),
            Answer::Status(403, ""),
            Answer::Status(503, "Work queue depth exceeded"),
            Answer::Status(500, "<html>oops</html>"),
            Answer::Result(json!("seven")),
        ],
    );
    assert_eq!(uptime(&client).await, Ok(7));
    let refused = RpcError::Rpc { code: -8, message: "out of range".into() };
    assert_eq!(uptime(&client).await, Err(refused));
    assert_eq!(uptime(&client).await, Err(RpcError::WarmUp("Verifying blocks…".into())));
    assert_eq!(uptime(&client).await, Err(RpcError::Forbidden));
    assert_eq!(uptime(&client).await, Err(RpcError::Overloaded));
    assert!(matches!(uptime(&client).await, Err(RpcError::BadReply { .. })));
    assert!(matches!(uptime(&client).await, Err(RpcError::BadReply { .. })));
}

#[tokio::test]
async fn a_new_cookie_is_noticed() {
    let node = ScriptedNode::start("main").await;
    node.on("uptime", [Answer::Result(json!(1))]);
    let folder = tempfile::tempdir().unwrap();
    let cookie = folder.path().join(".cookie");
    let client =
        RpcClient::new(&RpcConfig { auth: Auth::Cookie(cookie.clone()), ..node.config() }).unwrap();
    assert_eq!(uptime(&client).await, Err(RpcError::CookieMissing { path: cookie.clone() }));

    // "__cookie__:aa" and "__cookie__:bb" in base 64.
    std::fs::write(&cookie, "__cookie__:aa").unwrap();
    node.demand_login("Basic X19jb29raWVfXzphYQ==");
    assert_eq!(uptime(&client).await, Ok(1));

    node.demand_login("Basic X19jb29raWVfXzpiYg==");
    assert_eq!(uptime(&client).await, Err(RpcError::Unauthorized));
    assert_eq!(node.calls("uptime").len(), 2, "the same login is not tried twice");

    std::fs::write(&cookie, "__cookie__:bb").unwrap();
    assert_eq!(uptime(&client).await, Ok(1));
}

#[tokio::test]
async fn the_cookie_is_read_again_on_401_within_one_call() {
    let node = ScriptedNode::start("main").await;
    node.on("uptime", [Answer::Result(json!(1))]);
    let folder = tempfile::tempdir().unwrap();
    let cookie = folder.path().join(".cookie");
    std::fs::write(&cookie, "__cookie__:aa").unwrap();
    let client =
        RpcClient::new(&RpcConfig { auth: Auth::Cookie(cookie.clone()), ..node.config() }).unwrap();
    node.demand_login("Basic X19jb29raWVfXzphYQ==");
    assert_eq!(uptime(&client).await, Ok(1));

    node.demand_login("Basic X19jb29raWVfXzpiYg==");
    std::fs::write(&cookie, "__cookie__:bb").unwrap();
    assert_eq!(uptime(&client).await, Ok(1));
    assert_eq!(node.calls("uptime").len(), 3, "once with each login after the change");
}

#[tokio::test]
async fn silence_and_long_answers_are_bounded() {
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&node.config()).unwrap();
    node.on("uptime", [Answer::Silence]);
    let limits = Limits { timeout: Duration::from_millis(20), bytes_max: 1000 };
    let outcome: Result<u64, _> = client.call("uptime", (), limits).await;
    assert_eq!(outcome, Err(RpcError::Timeout { method: "uptime".into(), after: limits.timeout }));

    node.on("uptime", [Answer::Result(json!("x".repeat(1000)))]);
    let limits = Limits { timeout: Duration::from_secs(20), bytes_max: 1000 };
    let outcome: Result<Value, _> = client.call("uptime", (), limits).await;
    assert_eq!(outcome, Err(RpcError::BodyTooLong { method: "uptime".into(), bytes_max: 1000 }));
}

#[tokio::test]
async fn nobody_at_home_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&RpcConfig { url, ..node.config() }).unwrap();
    assert!(matches!(uptime(&client).await, Err(RpcError::Unreachable { .. })));
}

/// Reads one request; its body is known to be short.
async fn read_request(stream: &mut TcpStream) {
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).await.unwrap();
        assert!(length > 0, "the client went away");
        text.extend_from_slice(&piece[..length]);
    }
}

#[tokio::test]
async fn a_connection_that_the_node_closed_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&RpcConfig { url, ..node.config() }).unwrap();
    let serve = async {
        let (mut first, _) = listener.accept().await.unwrap();
        read_request(&mut first).await;
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        read_request(&mut second).await;
        let body = r#"{"result":5,"error":null,"id":1}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        second.write_all(answer.as_bytes()).await.unwrap();
        second
    };
    let (outcome, _connection) = tokio::join!(uptime(&client), serve);
    assert_eq!(outcome, Ok(5));
}

#[tokio::test]
async fn the_chain_is_checked() {
    let node = ScriptedNode::start("testnet4").await;
    let client = RpcClient::new(&node.config()).unwrap();
    let facts = chain_check(&client, Network::Testnet4).await.unwrap();
    assert_eq!((facts.version, facts.connections, facts.blocks), (310_000, 8, 1));
    let wrong =
        ChainCheckError::WrongChain { expected: Network::Bitcoin, found: "testnet4".into() };
    assert_eq!(chain_check(&client, Network::Bitcoin).await, Err(wrong));
}

#[tokio::test]
async fn best_block_must_be_a_hash() {
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&node.config()).unwrap();
    node.on("getbestblockhash", [Answer::Result(json!(hash(9))), Answer::Result(json!("9"))]);
    assert_eq!(client.best_block_hash().await.unwrap().to_string(), hash(9));
    assert!(matches!(client.best_block_hash().await, Err(RpcError::BadReply { .. })));
}

#[tokio::test]
async fn a_block_is_offered_until_the_node_has_an_opinion() {
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&node.config()).unwrap();
    node.on(
        "submitblock",
        [
            Answer::Status(503, "Work queue depth exceeded"),
            Answer::Error(-28, "Loading block index…"),
            Answer::Status(500, "garbage"),
            Answer::Result(json!("inconclusive")),
        ],
    );
    let outcome = submit_with_retries(&client, &[0xab, 0x01], AT_ONCE).await;
    assert_eq!(outcome, Ok(SubmitOutcome::Inconclusive));
    assert_eq!(node.calls("submitblock"), vec![json!(["ab01"]); 4]);
}

#[tokio::test]
async fn an_undecodable_block_is_offered_once() {
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&node.config()).unwrap();
    node.on("submitblock", [Answer::Error(-22, "Block decode failed")]);
    let refused = RpcError::Rpc { code: -22, message: "Block decode failed".into() };
    assert_eq!(submit_with_retries(&client, &[1], AT_ONCE).await, Err(refused));
    assert_eq!(node.calls("submitblock").len(), 1);

    node.on("submitblock", [Answer::Result(Value::Null), Answer::Result(json!("bad-cb-amount"))]);
    assert_eq!(submit_block(&client, &[1]).await, Ok(SubmitOutcome::Accepted));
    let rejected = SubmitOutcome::Rejected("bad-cb-amount".into());
    assert_eq!(submit_block(&client, &[1]).await, Ok(rejected));
}

#[tokio::test]
async fn offering_ends_with_the_last_failure() {
    let node = ScriptedNode::start("main").await;
    let client = RpcClient::new(&node.config()).unwrap();
    node.on("submitblock", [Answer::Status(503, "")]);
    let policy = RetryPolicy { every: Duration::ZERO, give_up_after: Duration::ZERO };
    assert_eq!(submit_with_retries(&client, &[1], policy).await, Err(RpcError::Overloaded));
}

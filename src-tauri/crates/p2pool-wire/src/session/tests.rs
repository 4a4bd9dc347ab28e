use proptest::collection::vec;
use proptest::prelude::*;

use p2pool_sharechain::verify::Blame;

use super::*;
use crate::frame::{Command, FrameError};
use crate::message::{AddrRecord, ShareReq};

const PREFIX: [u8; 8] = [0x24, 0x72, 0xef, 0x18, 0x1e, 0xfc, 0xd3, 0x7b];
const OWN_NONCE: u64 = 0x1122_3344_5566_7788;
const SECOND: Duration = Duration::from_secs(1);

fn config() -> SessionConfig {
    SessionConfig {
        prefix: PREFIX,
        version_min: PROTOCOL_VERSION_MIN,
        nonce: OWN_NONCE,
        services: Services::SHARE_HASHES,
        sub_version: "P2Pool Desktop 0.1.0".into(),
        best_share: Some(ShareHash::from_internal([9; 32])),
        own_addr: "192.0.2.1:9333".parse().unwrap(),
        peer_addr: "198.51.100.2:50123".parse().unwrap(),
        seed: 7,
    }
}

fn greeting(nonce: u64) -> Version {
    Version {
        version: 3501,
        services: Services::NONE,
        addr_to: NetAddr::from(config().own_addr),
        addr_from: NetAddr::from(config().peer_addr),
        nonce,
        sub_version: b"16.0".to_vec(),
        mode: 1,
        best_share_hash: None,
    }
}

fn bytes_of(message: &Message) -> Vec<u8> {
    message.encode(PREFIX).unwrap()
}

fn drain(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll()).collect()
}

fn give_bytes(session: &mut Session, now: MonoTime, bytes: &[u8]) -> Vec<Output> {
    session.handle(now, Input::Bytes { bytes, connected: &BTreeSet::new() });
    drain(session)
}

fn give(session: &mut Session, now: MonoTime, message: &Message) -> Vec<Output> {
    give_bytes(session, now, &bytes_of(message))
}

fn at(secs: u32) -> MonoTime {
    MonoTime(SECOND * secs)
}

fn started() -> Session {
    let mut session = Session::new(config(), at(0));
    drain(&mut session);
    session
}

fn joined() -> Session {
    let mut session = started();
    let outputs = give(&mut session, at(0), &Message::Version(greeting(77)));
    assert!(matches!(outputs[..], [Output::Joined(_), Output::Write(_)]), "{outputs:?}");
    session
}

/// What ended the session, if `outputs` ends it.
fn end_of(outputs: &[Output]) -> Option<&SessionError> {
    outputs.iter().find_map(|output| match output {
        Output::Closed(error) => Some(error),
        Output::Write(_) | Output::Joined(_) | Output::Received(_) => None,
    })
}

fn question() -> Message {
    Message::ShareReq(ShareReq {
        id: [5; 32],
        hashes: vec![ShareHash::from_internal([1; 32])],
        parents: 499,
        stops: vec![],
    })
}

#[test]
fn the_greeting_goes_out_first_and_says_who_we_are() {
    let mut session = Session::new(config(), at(0));
    let outputs = drain(&mut session);
    let [Output::Write(bytes)] = &outputs[..] else { panic!("{outputs:?}") };
    let frame = Decoder::new(PREFIX).decode(&mut &bytes[..]).unwrap().unwrap();
    let Message::Version(version) = Message::decode(frame).unwrap() else { panic!("no version") };
    assert_eq!(
        (version.version, version.services, version.mode),
        (3502, Services::SHARE_HASHES, 1)
    );
    assert_eq!(version.addr_to.socket_addr(), config().peer_addr);
    assert_eq!(version.addr_from.socket_addr(), config().own_addr);
    assert_eq!((version.nonce, version.best_share_hash), (OWN_NONCE, config().best_share));
    assert_eq!(version.sub_version, b"P2Pool Desktop 0.1.0");
}

#[test]
fn a_greeting_opens_the_session_and_a_ping_follows_at_once() {
    let mut session = started();
    let version = Version { best_share_hash: config().best_share, ..greeting(77) };
    let outputs = give(&mut session, at(1), &Message::Version(version));
    let peer = Peer {
        version: 3501,
        services: Services::NONE,
        nonce: 77,
        sub_version: "16.0".into(),
        best_share: config().best_share,
    };
    assert_eq!(outputs, vec![Output::Joined(peer), Output::Write(bytes_of(&Message::Ping))]);
}

#[test]
fn greetings_that_do_not_fit_end_the_session() {
    let cases = [
        (Version { version: 3499, ..greeting(77) }, Blame::Sender),
        (greeting(OWN_NONCE), Blame::Sender),
        (greeting(42), Blame::Nobody),
    ];
    for (version, blame) in cases {
        let mut session = started();
        let bytes = bytes_of(&Message::Version(version));
        let connected = BTreeSet::from([42]);
        session.handle(at(1), Input::Bytes { bytes: &bytes, connected: &connected });
        let outputs = drain(&mut session);
        assert_eq!(outputs.len(), 1);
        assert_eq!(end_of(&outputs).unwrap().blame(), blame, "{outputs:?}");
        assert!(session.is_closed() && session.wakes_at().is_none());
    }
}

#[test]
fn the_oldest_accepted_version_is_accepted() {
    let mut session = started();
    let version = Version { version: PROTOCOL_VERSION_MIN, ..greeting(77) };
    assert_eq!(end_of(&give(&mut session, at(1), &Message::Version(version))), None);
}

#[test]
fn anything_before_the_greeting_and_a_second_greeting_end_the_session() {
    let outputs = give(&mut started(), at(1), &Message::Ping);
    assert_eq!(end_of(&outputs), Some(&SessionError::NotGreeted(Command::new("ping"))));
    let outputs = give(&mut joined(), at(1), &Message::Version(greeting(78)));
    assert_eq!(end_of(&outputs), Some(&SessionError::GreetedTwice));
}

#[test]
fn long_messages_have_to_wait_for_the_greeting() {
    let long = Message::Version(Version { sub_version: vec![b'x'; 20_000], ..greeting(77) });
    let outputs = give(&mut started(), at(1), &long);
    assert!(matches!(end_of(&outputs), Some(SessionError::Frame(FrameError::TooLong { .. }))));

    let long =
        Message::Addrs(vec![
            AddrRecord { timestamp: 1, address: NetAddr::from(config().peer_addr) };
            1000
        ]);
    assert_eq!(give(&mut joined(), at(1), &long), vec![Output::Received(long)]);
}

#[test]
fn a_long_description_is_kept_in_part() {
    let sub_version = vec![b'x'; 10_000];
    let outputs =
        give(&mut started(), at(1), &Message::Version(Version { sub_version, ..greeting(77) }));
    let Output::Joined(peer) = &outputs[0] else { panic!("{outputs:?}") };
    assert_eq!(peer.sub_version.len(), 512);
}

#[test]
fn a_handshake_takes_less_than_ten_seconds_or_fails() {
    let mut session = started();
    assert_eq!(session.wakes_at(), Some(at(10)));
    session.handle(MonoTime(SECOND * 10 - Duration::from_millis(1)), Input::Wake);
    assert_eq!(drain(&mut session), vec![]);
    session.handle(at(10), Input::Wake);
    assert_eq!(drain(&mut session), vec![Output::Closed(SessionError::HandshakeTimeout)]);
}

#[test]
fn a_hundred_seconds_of_silence_end_the_session() {
    let mut session = joined();
    let mut now = at(0);
    while now < at(60) {
        now = session.wakes_at().unwrap();
        session.handle(now, Input::Wake);
        assert_eq!(end_of(&drain(&mut session)), None);
    }
    // A single byte that means nothing counts.
    give_bytes(&mut session, at(90), &[0]);
    let mut end = None;
    while end.is_none() {
        now = session.wakes_at().unwrap();
        session.handle(now, Input::Wake);
        end = end_of(&drain(&mut session)).cloned();
    }
    assert_eq!((now, end), (at(190), Some(SessionError::Silent)));
}

#[test]
fn pings_go_out_every_thirty_to_sixty_seconds() {
    let mut session = joined();
    let ping = Output::Write(bytes_of(&Message::Ping));
    let mut pauses = BTreeSet::new();
    let mut last = at(0);
    for _ in 0..50 {
        give_bytes(&mut session, last, &[0]);
        let now = session.wakes_at().unwrap();
        let pause = now.since(last);
        assert!((SECOND * 30..SECOND * 60).contains(&pause), "{pause:?}");
        session.handle(now, Input::Wake);
        assert_eq!(drain(&mut session), vec![ping.clone()]);
        pauses.insert(pause);
        last = now;
    }
    assert!(pauses.len() > 40, "pings should not march in step");
}

#[test]
fn obsolete_and_unknown_messages_are_tolerated_in_silence() {
    let mut session = joined();
    let unknown = crate::frame::Frame { command: Command::new("foobar"), payload: b"abc".to_vec() };
    for message in [
        Message::HaveTx(vec![[1; 32]]),
        Message::LosingTx(vec![[1; 32]]),
        Message::ForgetTx(vec![[1; 32]]),
        Message::RememberTx { tx_hashes: vec![[1; 32]], txs: vec![] },
        Message::Unknown(unknown),
        Message::Ping,
    ] {
        assert_eq!(give(&mut session, at(1), &message), vec![]);
    }
    assert_eq!(give(&mut session, at(1), &question()), vec![Output::Received(question())]);
}

#[test]
fn extensions_are_told_only_to_peers_that_understand_them() {
    let hashes = || Message::ShareHashes(vec![ShareHash::from_internal([3; 32])]);
    for (services, expected) in [
        (Services::NONE, vec![]),
        (Services::COMPACT_BLOCKS, vec![]),
        (Services::SHARE_HASHES, vec![Output::Write(bytes_of(&hashes()))]),
    ] {
        let mut session = started();
        session.handle(at(0), Input::Send(hashes()));
        assert_eq!(drain(&mut session), vec![], "before the greeting");
        let version = Version { services, ..greeting(77) };
        give(&mut session, at(0), &Message::Version(version));
        session.handle(at(1), Input::Send(hashes()));
        assert_eq!(drain(&mut session), expected);
    }
    let received = give(&mut joined(), at(1), &hashes());
    assert_eq!(received, vec![Output::Received(hashes())]);
}

#[test]
fn nothing_happens_after_the_end() {
    let mut session = joined();
    give_bytes(&mut session, at(1), &bytes_of(&Message::Version(greeting(78))));
    assert!(session.is_closed() && !session.wants_bytes());
    assert_eq!(give(&mut session, at(2), &question()), vec![]);
    session.handle(at(3), Input::Send(Message::Ping));
    session.handle(at(200), Input::Wake);
    assert_eq!(drain(&mut session), vec![]);
}

#[test]
fn a_greedy_peer_waits_and_loses_nothing() {
    let mut session = joined();
    let asked = 600;
    let stream = bytes_of(&question()).repeat(asked);
    let mut answered = 0;
    let mut now = at(1);
    let mut pauses = 0;
    for chunk in stream.chunks(10_000) {
        answered += give_bytes(&mut session, now, chunk).len();
        while !session.wants_bytes() {
            pauses += 1;
            now = session.wakes_at().unwrap();
            session.handle(now, Input::Wake);
            let outputs = drain(&mut session);
            assert_eq!(end_of(&outputs), None);
            answered +=
                outputs.iter().filter(|output| matches!(output, Output::Received(_))).count();
        }
    }
    assert_eq!(answered, asked);
    assert!(pauses > 0, "600 answers of 300 kB each went out without a pause");
    // About 180 MB less the credit of 64 MiB, at 1 MiB a second.
    assert!((at(90)..at(130)).contains(&now), "{now:?}");
}

#[test]
fn being_made_to_wait_is_not_silence() {
    let mut session = joined();
    let costly = Message::ShareReq(ShareReq {
        id: [5; 32],
        hashes: vec![ShareHash::from_internal([1; 32]); 10_000],
        parents: 0,
        stops: vec![],
    });
    give_bytes(&mut session, at(1), &bytes_of(&costly).repeat(40));
    let mut now = at(1);
    while !session.wants_bytes() {
        now = session.wakes_at().unwrap();
        session.handle(now, Input::Wake);
        assert_eq!(end_of(&drain(&mut session)), None);
    }
    assert!(now > at(101), "{now:?}");
}

#[test]
fn before_the_greeting_garbage_gets_no_second_credit() {
    let mut session = started();
    let garbage = vec![0; 1 << 20];
    for _ in 0..70 {
        give_bytes(&mut session, at(1), &garbage);
    }
    assert!(!session.wants_bytes());
    session.handle(at(9), Input::Wake);
    assert!(!session.wants_bytes());
    session.handle(at(10), Input::Wake);
    assert_eq!(end_of(&drain(&mut session)), Some(&SessionError::HandshakeTimeout));
}

fn large_share() -> RawShare {
    RawShare { version: 35, contents: vec![1; 9_000_000] }
}

#[test]
fn shares_that_fill_more_than_a_frame_go_out_in_halves() {
    let mut session = joined();
    session.handle(at(1), Input::Send(Message::Shares(vec![large_share(); 5])));
    let mut decoder = Decoder::new(PREFIX);
    let mut counts = Vec::new();
    for output in drain(&mut session) {
        let Output::Write(bytes) = output else { panic!("{output:?}") };
        let frame = decoder.decode(&mut &bytes[..]).unwrap().unwrap();
        let Message::Shares(shares) = Message::decode(frame).unwrap() else { panic!("no shares") };
        counts.push(shares.len());
    }
    assert_eq!(counts, vec![2, 3]);
}

#[test]
fn an_answer_that_fills_more_than_a_frame_says_so() {
    let mut session = joined();
    let reply = |result, shares| Message::ShareReply(ShareReply { id: [5; 32], result, shares });
    let full = reply(ReplyResult::Good, vec![large_share(); 4]);
    session.handle(at(1), Input::Send(full));
    let too_long = bytes_of(&reply(ReplyResult::TooLong, vec![]));
    assert_eq!(drain(&mut session), vec![Output::Write(too_long)]);
}

/// Streams as peers send them, good and bad.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(bytes_of(&Message::Version(greeting(77)))),
        Just(bytes_of(&Message::Ping)),
        Just(bytes_of(&question())),
        any::<u32>().prop_map(|count| bytes_of(&Message::GetAddrs { count })),
        vec(any::<u8>(), 0..40),
        vec(any::<u8>(), 0..200).prop_map(|payload| {
            let write = |out: &mut Vec<u8>| out.extend_from_slice(&payload);
            crate::frame::encode(PREFIX, Command::new("sharereply"), write).unwrap()
        }),
    ];
    (any::<bool>(), vec(piece, 0..8)).prop_map(|(is_greeted, pieces)| {
        let greeting = if is_greeted { bytes_of(&Message::Version(greeting(77))) } else { vec![] };
        [greeting, pieces.concat()].concat()
    })
}

proptest! {
    #[test]
    fn any_stream_is_survived_and_read_alike_in_any_pieces(
        stream in streams(),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut session = started();
        let whole = give_bytes(&mut session, at(1), &stream);

        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let mut session = started();
        let pieces: Vec<_> = cuts
            .windows(2)
            .flat_map(|pair| give_bytes(&mut session, at(1), &stream[pair[0]..pair[1]]))
            .collect();

        // The first ping goes out when a piece has been read, wherever that ends.
        let without_pings = |outputs: &[Output]| -> Vec<Output> {
            outputs.iter().filter(|output| !matches!(output, Output::Write(_))).cloned().collect()
        };
        prop_assert_eq!(without_pings(&whole), without_pings(&pieces));
        prop_assert!(whole.iter().filter(|output| matches!(output, Output::Closed(_))).count() <= 1);
    }
}

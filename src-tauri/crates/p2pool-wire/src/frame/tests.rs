use p2pool_sharechain::Params;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const PREFIX: [u8; 8] = [0x24, 0x72, 0xef, 0x18, 0x1e, 0xfc, 0xd3, 0x7b];

fn frame(command: &str, payload: &[u8]) -> Vec<u8> {
    encode(PREFIX, Command::new(command), |out| out.extend_from_slice(payload)).unwrap()
}

/// Decodes until the input is used up or an error ends it.
fn decode_all(decoder: &mut Decoder, mut input: &[u8]) -> Vec<Result<Frame, FrameError>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        match decoder.decode(&mut input) {
            Ok(Some(frame)) => found.push(Ok(frame)),
            Ok(None) => assert!(input.is_empty(), "bytes were left without a reason"),
            Err(error) => {
                found.push(Err(error));
                return found;
            }
        }
    }
    found
}

#[test]
fn ping_of_the_live_network_is_byte_exact() {
    let expected = [
        0x24, 0x72, 0xef, 0x18, 0x1e, 0xfc, 0xd3, 0x7b, 0x70, 0x69, 0x6e, 0x67, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0x5d, 0xf6, 0xe0, 0xe2,
    ];
    assert_eq!(frame("ping", b""), expected);
    assert_eq!(Params::mainnet().prefix, PREFIX);
}

#[test]
fn a_prefix_that_begins_twice_is_found() {
    let stream = [&PREFIX[..3], &PREFIX[..5], &frame("ping", b"")].concat();
    let mut decoder = Decoder::new(PREFIX);
    assert_eq!(decode_all(&mut decoder, &stream).len(), 1);
}

#[test]
fn a_prefix_of_zeros_is_not_found_before_eight_bytes_came() {
    let mut decoder = Decoder::new([0; 8]);
    let ping = encode([0; 8], Command::new("ping"), |_| ()).unwrap();
    assert_eq!(decode_all(&mut decoder, &ping[1..]), vec![]);
    let mut decoder = Decoder::new([0; 8]);
    assert_eq!(decode_all(&mut decoder, &ping).len(), 1);
}

#[test]
fn a_wrong_checksum_is_the_sender_s_fault() {
    let mut bytes = frame("ping", b"abc");
    *bytes.last_mut().unwrap() ^= 1;
    let found = decode_all(&mut Decoder::new(PREFIX), &bytes);
    assert_eq!(found, vec![Err(FrameError::Checksum(Command::new("ping")))]);
    assert_eq!(FrameError::Checksum(Command::new("ping")).blame(), Blame::Sender);
}

#[test]
fn a_length_over_the_limit_is_skipped_with_its_header() {
    let mut header = frame("shares", b"");
    header[20..24].copy_from_slice(&32_000_001_u32.to_le_bytes());
    let stream = [header, frame("ping", b"")].concat();
    let found = decode_all(&mut Decoder::new(PREFIX), &stream);
    assert_eq!(found, vec![Ok(Frame { command: Command::new("ping"), payload: vec![] })]);
}

#[test]
fn the_longest_payload_passes_and_one_byte_more_cannot_be_sent() {
    let payload = vec![7; PAYLOAD_BYTES_MAX];
    let bytes = frame("shares", &payload);
    let mut decoder = Decoder::new(PREFIX);
    let mut found = Vec::new();
    for chunk in bytes.chunks(1 << 20) {
        found.extend(decode_all(&mut decoder, chunk));
    }
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].as_ref().unwrap().payload.len(), PAYLOAD_BYTES_MAX);

    let over = encode(PREFIX, Command::new("shares"), |out| {
        out.resize(out.len() + PAYLOAD_BYTES_MAX + 1, 0);
    });
    assert_eq!(over.unwrap_err().bytes, PAYLOAD_BYTES_MAX + 1);
}

#[test]
fn a_claimed_length_alone_takes_no_memory() {
    let mut header = frame("shares", b"");
    header[20..24].copy_from_slice(&32_000_000_u32.to_le_bytes());
    header.extend([0; 100]);
    let mut decoder = Decoder::new(PREFIX);
    assert_eq!(decode_all(&mut decoder, &header), vec![]);
    let State::Payload { read, .. } = &decoder.state else { panic!("not in the payload") };
    assert!(read.capacity() <= FIRST_PAYLOAD_BYTES);
}

#[test]
fn memory_never_exceeds_the_claimed_length() {
    let bytes = frame("shares", &vec![1; 200_000]);
    let mut decoder = Decoder::new(PREFIX);
    for chunk in bytes.chunks(1000) {
        decode_all(&mut decoder, chunk);
        if let State::Payload { read, .. } = &decoder.state {
            assert!(read.capacity() <= 200_000, "{}", read.capacity());
        }
    }
}

#[test]
fn a_temporary_limit_refuses_what_is_longer() {
    let mut decoder = Decoder::new(PREFIX);
    decoder.set_payload_max(10);
    assert_eq!(decode_all(&mut decoder, &frame("version", &[0; 10])).len(), 1);
    let error = decode_all(&mut decoder, &frame("version", &[0; 11]))[0].clone().unwrap_err();
    assert_eq!(error, FrameError::TooLong { command: Command::new("version"), bytes: 11 });
    assert_eq!(error.blame(), Blame::Nobody);
}

#[test]
fn commands_are_shown_without_padding_and_harmlessly() {
    assert_eq!(Command::new("sharereply").to_string(), "sharereply");
    let odd = Command::from_bytes(*b"a\n\0b\x1b[31m\0\0\0");
    assert_eq!(odd.to_string(), "a\\n\\x00b\\x1b[31m");
    assert_eq!(Command::from_bytes([0; 12]).to_string(), "");
}

/// Streams of whole frames with garbage between them.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (vec(any::<u8>(), 0..12), vec(any::<u8>(), 0..80)).prop_map(|(name, payload)| {
            let mut command = [0; 12];
            command[..name.len()].copy_from_slice(&name);
            let command = Command::from_bytes(command);
            encode(PREFIX, command, |out| out.extend_from_slice(&payload)).unwrap()
        }),
        vec(any::<u8>(), 0..20),
        (0_usize..8).prop_map(|length| PREFIX[..length].to_vec()),
        // Headers that claim any length.
        vec(any::<u8>(), 0..30).prop_map(|rest| [&PREFIX[..], &rest].concat()),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunking_makes_no_difference(
        stream in streams(),
        cuts in vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let whole = decode_all(&mut Decoder::new(PREFIX), &stream);

        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let mut decoder = Decoder::new(PREFIX);
        let mut pieces = Vec::new();
        for pair in cuts.windows(2) {
            pieces.extend(decode_all(&mut decoder, &stream[pair[0]..pair[1]]));
            if pieces.last().is_some_and(Result::is_err) {
                break;
            }
        }
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn what_is_encoded_is_decoded(
        name in any::<[u8; 12]>(),
        payload in vec(any::<u8>(), 0..300),
        garbage in vec(any::<u8>(), 0..7),
    ) {
        let command = Command::from_bytes(name);
        let bytes = encode(PREFIX, command, |out| out.extend_from_slice(&payload)).unwrap();
        let stream = [&garbage[..], &bytes].concat();
        let found = decode_all(&mut Decoder::new(PREFIX), &stream);
        prop_assert_eq!(found, vec![Ok(Frame { command, payload })]);
    }
}

//! Frames and messages read and written, and the next address to dial.
//!
//! `cargo bench -p p2pool-wire`. Shares are the 230 of the protocol notes, vectors.md section 8.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use p2pool_sharechain::Params;
use p2pool_sharechain::pack::Reader;
use p2pool_sharechain::time::UnixTime;
use p2pool_wire::addrbook::AddrBook;
use p2pool_wire::frame::Decoder;
use p2pool_wire::message::{RawShare, ReplyResult, ShareReply};
use p2pool_wire::{Message, Services};

const SHARES: &str = include_str!("../../p2pool-sharechain/docs/vectors-chain230.txt");

fn hex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    };
    digits.as_bytes().chunks(2).map(byte).collect()
}

/// The notes' shares, over and over again.
fn shares(count: usize) -> Vec<RawShare> {
    let share = |line: &str| {
        let bytes = hex(line.split_whitespace().last().expect("a share in each line"));
        let mut reader = Reader::new(&bytes);
        let version = reader.var_int().expect("a type");
        RawShare { version, contents: reader.var_bytes().expect("contents").to_vec() }
    };
    let known: Vec<_> = SHARES.lines().map(share).collect();
    known.into_iter().cycle().take(count).collect()
}

fn frame_of(message: &Message) -> Vec<u8> {
    message.encode(Params::mainnet().prefix).expect("small enough for a frame")
}

fn push_of_one() -> Message {
    Message::Shares(shares(1))
}

fn reply_of_500() -> Message {
    Message::ShareReply(ShareReply { id: [7; 32], result: ReplyResult::Good, shares: shares(500) })
}

fn messages(criterion: &mut Criterion) {
    let named =
        [("ping", Message::Ping), ("shares_1", push_of_one()), ("sharereply_500", reply_of_500())];
    let mut group = criterion.benchmark_group("message");
    for (name, message) in named {
        let bytes = frame_of(&message);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("decode/{name}"), |bencher| {
            let mut decoder = Decoder::new(Params::mainnet().prefix);
            bencher.iter(|| {
                let frame = decoder.decode(&mut &bytes[..]).expect("whole").expect("complete");
                Message::decode(frame).expect("well made")
            });
        });
        group.bench_function(format!("encode/{name}"), |bencher| {
            bencher.iter(|| frame_of(black_box(&message)));
        });
    }
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    const FRAMES: usize = 1000;
    let mut group = criterion.benchmark_group("frame");
    for (name, message) in [("ping", Message::Ping), ("shares_1", push_of_one())] {
        let stream = frame_of(&message).repeat(FRAMES);
        group.throughput(Throughput::Elements(FRAMES as u64));
        group.bench_function(format!("decode/{name}"), |bencher| {
            let mut decoder = Decoder::new(Params::mainnet().prefix);
            bencher.iter(|| {
                let mut input = &stream[..];
                let mut count = 0;
                while let Some(frame) = decoder.decode(&mut input).expect("whole") {
                    black_box(frame);
                    count += 1;
                }
                assert_eq!(count, FRAMES);
            });
        });
    }
    group.finish();
}

fn addresses(criterion: &mut Criterion) {
    let now = UnixTime(1_700_000_000);
    let mut book = AddrBook::new(false);
    for number in 0..10_000_u32 {
        let ip = std::net::Ipv4Addr::from_bits(0x0b00_0000 + number * 40_009);
        book.note_success(now, (ip, 9333).into(), Services::NONE);
    }
    let later = UnixTime(now.0 + 86_400);
    criterion.bench_function(&format!("addrbook/pick_of_{}", book.len()), |bencher| {
        let mut rng = fastrand::Rng::with_seed(1);
        bencher.iter(|| book.pick(later, &mut rng, |_| true));
    });
}

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = wire; config = settings(); targets = messages, frames, addresses }
criterion_main!(wire);

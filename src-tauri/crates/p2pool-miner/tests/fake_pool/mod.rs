//! A small pool: real sessions with easy work, over any byte stream.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use p2pool_sharechain::params::Params;
use p2pool_sharechain::retarget::Position;
use p2pool_sharechain::share::StaleInfo;
use p2pool_sharechain::template::{BlockTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::versions::ShareVersion;
use p2pool_sharechain::{CompactBits, ShareHash, U256};
use p2pool_stratum::{
    Action, Event, Extranonce1, ExtranonceAllocator, LineBuffer, Session, SessionConfig,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

const PAYOUT: &[u8] = b"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const START: u64 = 1_700_000_000;

/// Work on the block with this number; one hash in 4096 is a share.
pub(crate) fn base(block: u8) -> Arc<TemplateBase> {
    let easiest = (U256::from(1) << 244) - U256::from(1);
    let params = Params { max_target: easiest, ..Params::regtest() };
    let block = BlockTemplate {
        version: 0x2000_0000,
        previous_block: BlockHash::from_byte_array([block; 32]),
        transactions: Vec::new(),
        coinbase_value_sats: 5_000_000_000,
        coinbase_aux: Vec::new(),
        bits: CompactBits(0x1d00_ffff),
        current_time: START as u32,
        min_time: START as u32 - 600,
        max_time: None,
        height: 100,
        weight_limit: 4_000_000,
        sigop_limit: 80_000,
    };
    Arc::new(TemplateBase {
        sequence: 0,
        new_block: true,
        segwit: block.segwit_data(),
        block: Arc::new(block),
        previous_share: Some(ShareHash::from_internal([9; 32])),
        version: ShareVersion::V35,
        desired_version: 35,
        stale_info: StaleInfo::NONE,
        donation: 0,
        position: Position {
            easiest_target: easiest,
            max_bits: CompactBits::from_target(easiest),
            far_share: None,
            abs_height: 1,
            parent_abs_work: 0,
            timestamps: (0, u32::MAX),
        },
        window: Arc::default(),
        coinbase: vec![1, 100],
        params: Arc::new(params),
    })
}

/// What happens at the pool, for the test to see.
#[derive(Debug)]
pub(crate) enum Seen {
    Connected,
    Share { block: u8, worker: String },
    Gone,
}

/// Serves one connection until either side ends it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    extranonce1: Extranonce1,
    mut work: watch::Receiver<Arc<TemplateBase>>,
    seen: mpsc::UnboundedSender<Seen>,
) -> io::Result<()> {
    let started = tokio::time::Instant::now();
    let now = || {
        let mono = started.elapsed();
        Now { wall: UnixTime(START + mono.as_secs()), mono: MonoTime(mono) }
    };
    let mut config = SessionConfig::new(PAYOUT.to_vec());
    config.vardiff.difficulty_min = 1e-9;
    let mut session = Session::new(config, extranonce1, now());
    let mut lines = LineBuffer::new(16 * 1024);
    let mut wake = started + Duration::from_secs(3600);
    let _ = seen.send(Seen::Connected);
    work.mark_changed();
    loop {
        let mut buffer = [0; 1024];
        tokio::select! {
            changed = work.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let base = work.borrow_and_update().clone();
                session.handle(now(), Event::NewWork(base));
            }
            () = tokio::time::sleep_until(wake) => session.handle(now(), Event::Timer),
            count = stream.read(&mut buffer) => match count? {
                0 => {
                    let _ = seen.send(Seen::Gone);
                    return Ok(());
                }
                count => {
                    lines.push(&buffer[..count]);
                    while let Some(line) = lines.next_line().map_err(io::Error::other)? {
                        session.handle(now(), Event::Line(&line));
                    }
                }
            }
        }
        while let Some(action) = session.poll() {
            match action {
                Action::Send(line) => stream.write_all(&line).await?,
                Action::WakeAt(time) => wake = started + time.0,
                Action::Close(reason) => return Err(io::Error::other(reason)),
                Action::Solved { template, solution, worker, .. } => {
                    template.share(&solution).map_err(io::Error::other)?;
                    let block = template.base().block.previous_block.to_byte_array()[0];
                    let _ = seen.send(Seen::Share { block, worker });
                }
                Action::Resume(_) => session.handle(now(), Event::Resumed(None)),
                Action::Accepted { .. } | Action::Rejected { .. } => {}
            }
        }
    }
}

/// Takes connections one after another until `end` says so; each end ends the one that is open.
pub(crate) async fn listen(
    listener: TcpListener,
    work: watch::Receiver<Arc<TemplateBase>>,
    seen: mpsc::UnboundedSender<Seen>,
    mut hang_up: mpsc::Receiver<()>,
) {
    let mut extranonces = ExtranonceAllocator::new(1);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let session = serve(stream, extranonces.allocate(), work.clone(), seen.clone());
        tokio::select! {
            ended = session => drop(ended),
            _ = hang_up.recv() => {}
        }
    }
}

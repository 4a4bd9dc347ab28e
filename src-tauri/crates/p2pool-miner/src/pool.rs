//! One connection to a pool, from greeting to end.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use p2pool_stratum::client::{Client, ClientAction, ClientConfig, Found};
use p2pool_stratum::{LineBuffer, message};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use crate::report::{Event, Reporter};
use crate::rest::Rest;
use crate::threads::Threads;

/// A pool that says nothing this long is gone: pools send a job at least every minute.
const SILENCE_MAX: Duration = Duration::from_secs(180);
/// A pool that takes nothing this long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// Solutions without an answer; more wait, and with them the threads.
const UNANSWERED_MAX: usize = 32;
/// A pool that answers none of them this long is of no use.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Most bytes taken from the connection at once.
const READ_BYTES: usize = 8192;
/// Time between two reports of the hash rate.
const REPORT_PERIOD: Duration = Duration::from_secs(1);
/// Seconds that the reported hash rate is averaged over.
const METER_SECONDS: usize = 5;

/// All that outlives a connection: the threads, what they find, and who is told.
#[derive(Debug)]
pub struct Rig<W> {
    threads: Threads,
    found: Receiver<Found>,
    reporter: Reporter<W>,
    /// Whether to rest, as last seen and told.
    told: Rest,
    rest: watch::Receiver<Rest>,
    ticks: Interval,
    /// Hashes made until each of the last ticks.
    meter: VecDeque<(Instant, u64)>,
}

/// How a connection ended.
#[derive(Debug)]
pub struct Ending {
    /// Why, in a sentence without its point.
    pub reason: String,
    /// Whether it was of use: the pool had accepted this miner.
    pub was_authorized: bool,
}

impl<W: Write> Rig<W> {
    /// A rig of running threads and the queue that they fill.
    pub fn new(
        threads: Threads,
        found: Receiver<Found>,
        reporter: Reporter<W>,
        mut rest: watch::Receiver<Rest>,
    ) -> Self {
        // What it says already is new here.
        rest.mark_changed();
        let mut ticks = interval(REPORT_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let meter = VecDeque::from([(Instant::now(), threads.hashes())]);
        Self { threads, found, reporter, told: Rest::default(), rest, ticks, meter }
    }

    /// Tells an event.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub fn tell(&mut self, event: &Event) -> io::Result<()> {
        self.reporter.tell(event)
    }

    /// Reports the hash rate each second, until `future` is done.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub async fn while_waiting_for<T>(&mut self, future: impl Future<Output = T>) -> io::Result<T> {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                output = &mut future => return Ok(output),
                _ = self.ticks.tick() => self.report_rate()?,
                () = changed(&mut self.rest) => self.heed_rest()?,
            }
        }
    }

    /// Mines over a connection until it ends.
    ///
    /// # Errors
    /// Nobody reads the reports any more.
    pub async fn converse<S>(&mut self, stream: S, config: ClientConfig) -> io::Result<Ending>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut conversation = Conversation {
            stream,
            client: Client::new(config),
            buffer: vec![0; READ_BYTES],
            lines: LineBuffer::new(message::POOL_LINE_BYTES_MAX),
            heard: Instant::now(),
            sent: Instant::now(),
            was_authorized: false,
        };
        let reason = loop {
            if let Err(reason) = conversation.carry_out(self).await? {
                break reason;
            }
            if let Err(reason) = conversation.step(self).await? {
                break reason;
            }
        };
        self.threads.set_work(None);
        // What is left was found for this connection and means nothing to the next.
        while self.found.try_recv().is_ok() {}
        Ok(Ending { reason, was_authorized: conversation.was_authorized })
    }

    /// Rests or goes on, as it should be now, and tells what is new.
    fn heed_rest(&mut self) -> io::Result<()> {
        let rest = self.rest.borrow_and_update().clone();
        let told = std::mem::replace(&mut self.told, rest.clone());
        if rest.cannot_tell != told.cannot_tell && !rest.cannot_tell.is_empty() {
            self.tell(&Event::CannotTell(rest.cannot_tell))?;
        }
        if rest.reason == told.reason {
            return Ok(());
        }
        self.threads.set_paused(rest.reason.is_some());
        match rest.reason {
            Some(reason) => self.tell(&Event::Paused(reason)),
            None => {
                // The time of rest does not count.
                self.meter = VecDeque::from([(Instant::now(), self.threads.hashes())]);
                self.tell(&Event::Resumed)
            }
        }
    }

    fn report_rate(&mut self) -> io::Result<()> {
        if self.told.reason.is_some() {
            return Ok(());
        }
        let now = (Instant::now(), self.threads.hashes());
        self.meter.push_back(now);
        if self.meter.len() > METER_SECONDS + 1 {
            self.meter.pop_front();
        }
        let (since, hashes) = self.meter.front().copied().unwrap_or(now);
        let seconds = now.0.duration_since(since).as_secs_f64();
        let made = now.1.saturating_sub(hashes) as f64;
        let hashrate_hps = if seconds > 0.0 { made / seconds } else { 0.0 };
        self.tell(&Event::Hashrate { hashrate_hps: hashrate_hps.round() })
    }
}

/// Waits for news; for ever, if nobody has any.
async fn changed(rest: &mut watch::Receiver<Rest>) {
    if rest.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A connection while it lasts.
struct Conversation<S> {
    stream: S,
    client: Client,
    buffer: Vec<u8>,
    lines: LineBuffer,
    heard: Instant,
    /// When a solution was sent last.
    sent: Instant,
    was_authorized: bool,
}

/// `Err` holds why the connection has ended.
type Progress = Result<(), String>;

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Waits for one thing to happen.
    async fn step<W: Write>(&mut self, rig: &mut Rig<W>) -> io::Result<Progress> {
        let is_open = self.client.unanswered() < UNANSWERED_MAX;
        // All of these can be dropped without losing anything.
        tokio::select! {
            read = self.stream.read(&mut self.buffer) => match read {
                Ok(0) => return Ok(Err("the pool closed the connection".into())),
                Ok(count) => {
                    self.heard = Instant::now();
                    return Ok(self.hear(count));
                }
                Err(error) => return Ok(Err(error.to_string())),
            },
            Some(found) = rig.found.recv(), if is_open => {
                self.sent = Instant::now();
                self.client.submit(&found);
            }
            () = sleep_until(self.sent + ANSWER_WITHIN), if !is_open => {
                return Ok(Err(format!("no answer for {} s", ANSWER_WITHIN.as_secs())));
            }
            _ = rig.ticks.tick() => rig.report_rate()?,
            () = changed(&mut rig.rest) => rig.heed_rest()?,
            () = sleep_until(self.heard + SILENCE_MAX) => {
                return Ok(Err(format!("nothing heard for {} s", SILENCE_MAX.as_secs())));
            }
        }
        Ok(Ok(()))
    }

    /// Takes the first `count` bytes of the buffer.
    fn hear(&mut self, count: usize) -> Progress {
        self.lines.push(self.buffer.get(..count).unwrap_or_default());
        while let Some(line) = self.lines.next_line().map_err(|error| error.to_string())? {
            self.client.handle_line(&line);
        }
        Ok(())
    }

    /// Does all that the client wants.
    async fn carry_out<W: Write>(&mut self, rig: &mut Rig<W>) -> io::Result<Progress> {
        let mut output = Vec::new();
        let mut progress = Ok(());
        while let Some(action) = self.client.poll() {
            match action {
                ClientAction::Send(line) => output.extend_from_slice(&line),
                ClientAction::Authorized => {
                    self.was_authorized = true;
                    rig.tell(&Event::Authorized)?;
                }
                ClientAction::Work(work) => {
                    rig.tell(&Event::Work { difficulty: work.difficulty })?;
                    rig.threads.set_work(Some(work));
                }
                ClientAction::Accepted { difficulty } => {
                    rig.tell(&Event::Accepted { difficulty })?;
                }
                ClientAction::Rejected { code, reason } => {
                    rig.tell(&Event::Rejected { code, reason })?;
                }
                ClientAction::Message(text) => rig.tell(&Event::Message(text))?,
                ClientAction::Failed(error) => progress = Err(error.to_string()),
            }
        }
        if output.is_empty() || progress.is_err() {
            return Ok(progress);
        }
        Ok(match timeout(WRITE_WITHIN, self.stream.write_all(&output)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the pool took nothing for {} s", WRITE_WITHIN.as_secs())),
        })
    }
}

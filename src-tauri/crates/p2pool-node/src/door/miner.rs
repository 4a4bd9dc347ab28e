//! One miner's connection: bytes to its session, and what the session wants.
//!
//! A wake-up costs one read and one write for all complete lines. Nothing is locked between socket
//! and judgement, no other task is asked, and a silent connection holds no buffer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use p2pool_engine::Solved;
use p2pool_stratum::{
    Action, CloseReason, Event, LineBuffer, OWN_MINER_AGENT, Prepared, Session, SessionConfig,
    message,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tokio_util::io::poll_read_buf;
use tokio_util::sync::CancellationToken;

use super::lease::Lease;
use super::{Links, Visit, lock};
use crate::stats::tally::Tally;
use crate::stats::{Count, Joined};

/// Room for a read; more is read at the next turn.
const READ_BYTES: usize = 4096;
/// A miner that does not read is let go after this time, or with so much unread.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
const UNSENT_BYTES_MAX: usize = 256 * 1024;
/// Counters are reported this often.
const REPORT_EVERY: Duration = Duration::from_millis(500);
const FAR: Duration = Duration::from_secs(30 * 24 * 3600);

/// Serves a miner until its connection ends.
pub(super) async fn serve(
    stream: TcpStream,
    visit: Visit,
    links: &Links,
    token: &CancellationToken,
) {
    let now = links.clock.now();
    let (lease, extranonce1) = Lease::take(&links.leases, visit.ip);
    let mut config = SessionConfig::new(Arc::clone(&links.payout_address));
    config.pays_user_names = links.pays_user_names.clone();
    config.is_local = visit.ip.is_loopback();
    config.share_nonce_seed = extranonce1.0.rotate_left(16) ^ now.wall.to_u32();
    let session = Session::new(config, extranonce1, now);
    let mut connection = Connection {
        stream,
        ip: visit.ip,
        session,
        lease,
        joined: 0,
        tally: Tally::of_address(visit.ip),
        solved: VecDeque::new(),
        unsent: Vec::new(),
        write_by: None,
        wake: None,
        report_at: None,
        is_over: None,
    };
    connection.run(links, token).await;
    if connection.is_over == Some(CloseReason::OnlyRejects) {
        lock(&visit.limits).pause(visit.ip, links.clock.now().mono);
    }
    Box::pin(connection.leave(links)).await;
    tracing::debug!(ip = %visit.ip, "miner's connection ended");
}

struct Connection {
    stream: TcpStream,
    ip: IpAddr,
    session: Session,
    lease: Lease,
    /// Worker names reported as joined.
    joined: usize,
    tally: Tally,
    /// Finds that the node had no room for yet.
    solved: VecDeque<Solved>,
    /// What the miner has not taken yet.
    unsent: Vec<u8>,
    write_by: Option<Instant>,
    wake: Option<Instant>,
    report_at: Option<Instant>,
    is_over: Option<CloseReason>,
}

/// What woke a connection.
enum Step {
    Stop,
    Work(Option<Arc<Prepared>>),
    Time,
    Read(io::Result<usize>),
    Written(io::Result<()>),
}

impl Connection {
    async fn run(&mut self, links: &Links, token: &CancellationToken) {
        let mut lines = LineBuffer::new(message::LINE_BYTES_MAX);
        let mut cancelled = pin!(token.cancelled());
        let mut timer = pin!(tokio::time::sleep(FAR));
        let mut work = links.work.clone();
        work.mark_changed();
        let mut news = pin!(next(work));
        loop {
            self.set(timer.as_mut());
            let step = tokio::select! {
                biased;
                step = exchange(&mut self.stream, &mut lines, self.unsent.is_empty()) => step,
                (newest, work) = news.as_mut() => {
                    news.set(next(work));
                    Step::Work(newest)
                }
                () = timer.as_mut() => Step::Time,
                () = cancelled.as_mut() => Step::Stop,
            };
            let now = links.clock.now();
            match step {
                Step::Stop => self.session.handle(now, Event::Leaving),
                Step::Work(newest) => {
                    self.session.handle(now, newest.map_or(Event::NoWork, Event::Prepared));
                }
                Step::Time => {
                    if self.write_by.is_some_and(|by| Instant::now() >= by) {
                        return;
                    }
                    self.session.handle(now, Event::Timer);
                }
                Step::Read(Ok(1..)) => {
                    while let Ok(Some(line)) = lines.next_borrowed() {
                        self.session.handle(now, Event::Line(line));
                        self.carry_out(links);
                    }
                    if lines.next_borrowed().is_err() {
                        self.is_over.get_or_insert(CloseReason::LineTooLong);
                    }
                    lines.rest();
                }
                Step::Written(Ok(())) => {}
                Step::Read(Ok(0) | Err(_)) | Step::Written(Err(_)) => return,
            }
            self.carry_out(links);
            if !self.solved.is_empty() {
                Box::pin(self.bring(links)).await;
            }
            if self.write().is_err() || self.is_over.is_some() {
                return;
            }
            self.report(links);
        }
    }

    /// Sets the timer to the earliest of what is waited for; a later one stays as it is and is
    /// found to be early when it fires.
    fn set(&mut self, timer: Pin<&mut Sleep>) {
        let wishes = [self.wake, self.write_by, self.report_at];
        let Some(earliest) = wishes.into_iter().flatten().min() else { return };
        if earliest < timer.deadline() || timer.is_elapsed() {
            timer.reset(earliest);
        }
    }

    /// Carries out what the session wants. What is to be sent is collected.
    fn carry_out(&mut self, links: &Links) {
        while let Some(action) = self.session.poll() {
            match action {
                Action::Send(line) if self.unsent.is_empty() => self.unsent = line,
                Action::Send(line) => self.unsent.extend_from_slice(&line),
                Action::Solved { template, solution, grade, worker, on_time } => {
                    self.tally.shares += u32::from(grade.is_share);
                    let found_at = links.clock.now().wall;
                    let solved =
                        Solved { template, solution, worker, is_on_time: on_time, found_at };
                    // The answer must not wait for the node, nor the node for the answer.
                    let _ = self.write();
                    self.solved.push_back(solved);
                    self.bring_what_fits(links);
                }
                Action::Accepted { worker, difficulty, share_part, late } => {
                    self.tally.accept(worker, difficulty, share_part, late);
                }
                Action::Rejected { worker, reason } => {
                    tracing::debug!(worker, ?reason, "result refused");
                    self.tally.reject(worker, reason);
                }
                Action::Resume(former) => {
                    let now = links.clock.now();
                    let parked = self.lease.resume(former, now.mono);
                    self.session.handle(now, Event::Resumed(parked));
                }
                Action::Close(reason) => {
                    tracing::debug!(ip = %self.ip, %reason, "miner's connection ends");
                    self.is_over.get_or_insert(reason);
                }
                Action::WakeAt(at) => self.wake = Some(links.clock.instant(at)),
            }
        }
    }

    /// Brings finds to the node, as many as it has room for.
    fn bring_what_fits(&mut self, links: &Links) {
        while let Some(solved) = self.solved.pop_front() {
            match links.solved.try_send(solved) {
                Ok(()) => {}
                Err(TrySendError::Full(solved)) => return self.solved.push_front(solved),
                Err(TrySendError::Closed(_)) => {
                    self.is_over.get_or_insert(CloseReason::NoWork);
                }
            }
        }
        self.solved = VecDeque::new();
    }

    /// Brings the finds that are left, and waits for the node if it is busy.
    async fn bring(&mut self, links: &Links) {
        while let Some(solved) = self.solved.pop_front() {
            if links.solved.send(solved).await.is_err() {
                self.is_over.get_or_insert(CloseReason::NoWork);
            }
        }
    }

    /// Writes as much as the miner takes now.
    fn write(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        match self.stream.try_write(&self.unsent) {
            Ok(count) if count == self.unsent.len() => {
                self.unsent = Vec::new();
                self.write_by = None;
                return Ok(());
            }
            Ok(count) => {
                self.unsent.drain(..count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        self.write_by.get_or_insert_with(|| Instant::now() + WRITE_WITHIN);
        if self.unsent.len() > UNSENT_BYTES_MAX {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(())
    }

    /// Reports new worker names, and counters from time to time.
    fn report(&mut self, links: &Links) {
        if self.session.workers().len() > self.joined {
            self.report_joined(links);
        }
        if self.tally.is_empty() {
            self.report_at = None;
            return;
        }
        let now = Instant::now();
        let due = *self.report_at.get_or_insert(now + REPORT_EVERY);
        if now >= due {
            // What does not fit now goes with the next report.
            self.tally.send(&links.counts);
            self.report_at = (!self.tally.is_empty()).then_some(now + REPORT_EVERY);
        }
    }

    fn report_joined(&mut self, links: &Links) {
        let user_agent = self.session.user_agent().to_owned();
        let is_helper = self.ip.is_loopback() && user_agent.starts_with(OWN_MINER_AGENT);
        for worker in self.session.workers().iter().skip(self.joined) {
            let joined = Joined {
                worker: worker.clone(),
                user_agent: user_agent.clone(),
                is_helper,
                ip: Some(self.ip),
                notices: if is_helper { Vec::new() } else { links.notices(worker, &user_agent) },
            };
            // Lost names are the price of never waiting for statistics.
            let _ = links.counts.try_send(Count::Joined(joined));
        }
        self.joined = self.session.workers().len();
    }

    /// Says the rest, and what was counted.
    async fn leave(&mut self, links: &Links) {
        if !self.unsent.is_empty() {
            let sent =
                tokio::time::timeout(Duration::from_secs(1), self.stream.write_all(&self.unsent));
            // It may be gone; that is no loss.
            let _ = sent.await;
        }
        self.tally.send(&links.counts);
        for worker in self.session.workers().iter().take(self.joined) {
            // A name must not stay connected for ever: here the session waits.
            let _ = links.counts.send(Count::Left { worker: worker.clone() }).await;
        }
        // The miner may be gone already.
        let _ = self.stream.shutdown().await;
        // Only now: a session must not go on while its old connection is open.
        self.lease.end(self.session.park(), links.clock.now().mono);
    }
}

/// Reads once, straight to where lines are cut; or, while the miner has not taken everything, waits
/// until it takes more. A miner that does not read is not heard.
async fn exchange(stream: &mut TcpStream, lines: &mut LineBuffer, may_read: bool) -> Step {
    poll_fn(|cx| {
        if !may_read {
            return stream.poll_write_ready(cx).map(Step::Written);
        }
        // Memory is taken only when there is something to read.
        if let Err(error) = ready!(stream.poll_read_ready(cx)) {
            return Poll::Ready(Step::Read(Err(error)));
        }
        let room = lines.room();
        room.reserve(READ_BYTES);
        match poll_read_buf(Pin::new(&mut *stream), cx, room) {
            Poll::Pending => {
                lines.rest();
                Poll::Pending
            }
            Poll::Ready(read) => Poll::Ready(Step::Read(read)),
        }
    })
    .await
}

/// Waits for new work, and keeps the place from which to wait for the next.
async fn next(
    mut work: watch::Receiver<Option<Arc<Prepared>>>,
) -> (Option<Arc<Prepared>>, watch::Receiver<Option<Arc<Prepared>>>) {
    if work.changed().await.is_err() {
        // The node ends; its token says so.
        std::future::pending::<()>().await;
    }
    let newest = work.borrow_and_update().clone();
    (newest, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of<F>(
        _: impl FnOnce(TcpStream, Visit, &'static Links, &'static CancellationToken) -> F,
    ) -> usize {
        size_of::<F>()
    }

    #[test]
    fn connection_takes_less_than_two_kilobytes() {
        assert!(bytes_of(serve) < 2048, "{}", bytes_of(serve));
        assert!(size_of::<p2pool_stratum::job::Job>() <= 88, "of which it has dozens");
    }
}

//! The hash threads: they take the newest work, divide it among themselves, and report what they
//! find. New work is taken up within a few hundredths of a second.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use p2pool_stratum::client::{Found, Work};
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::scan::{Backend, Scanner};
use crate::slots::Slot;

/// Time between two looks for new work.
const STEP: Duration = Duration::from_millis(10);
/// Bounds of what is hashed in one step, whatever the speed.
const STEP_HASHES: (u32, u32) = (256, 1 << 20);
/// Rest that may be skipped later when one took too long.
const CATCH_UP: Duration = Duration::from_millis(50);
/// How long a thread waits for a place in a full queue of solutions.
const QUEUE_WAIT: Duration = Duration::from_millis(10);

/// A running set of hash threads. Dropping it ends them.
#[derive(Debug)]
pub struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Never held while hashing or sending.
    order: Mutex<Order>,
    changed: Condvar,
    /// Counts changes of `order`, to be seen without the lock.
    generation: AtomicU64,
    hashes: AtomicU64,
    is_ended: AtomicBool,
    backend: Backend,
    found: Sender<Found>,
}

/// What the threads are to do.
#[derive(Debug, Default)]
struct Order {
    task: Option<Arc<Task>>,
    is_paused: bool,
}

/// A job and how much of it is taken.
#[derive(Debug)]
struct Task {
    work: Arc<Work>,
    next_slot: AtomicU64,
}

impl Threads {
    /// Starts `count` threads which together make at most `limit_hps` hashes a second.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(
        count: NonZeroU32,
        limit_hps: Option<u64>,
        backend: Backend,
        found: Sender<Found>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            order: Mutex::default(),
            changed: Condvar::new(),
            generation: AtomicU64::new(0),
            hashes: AtomicU64::new(0),
            is_ended: AtomicBool::new(false),
            backend,
            found,
        });
        let mut threads = Self { shared, handles: Vec::new() };
        for number in 0..count.get() {
            let shared = Arc::clone(&threads.shared);
            let pace = Pace::new(limit_hps.map(|limit| limit as f64 / f64::from(count.get())));
            let name = format!("hash {number}");
            let handle = Builder::new().name(name).spawn(move || shared.work(pace))?;
            threads.handles.push(handle);
        }
        Ok(threads)
    }

    /// Gives all threads new work, or none.
    pub fn set_work(&self, work: Option<Arc<Work>>) {
        let task = work.map(|work| Arc::new(Task { work, next_slot: AtomicU64::new(0) }));
        self.shared.change(|order| order.task = task);
    }

    /// Makes all threads rest, or go on with what they have not hashed yet.
    pub fn set_paused(&self, is_paused: bool) {
        self.shared.change(|order| order.is_paused = is_paused);
    }

    /// Hashes made since the start, by all threads.
    pub fn hashes(&self) -> u64 {
        self.shared.hashes.load(Ordering::Relaxed)
    }

    /// How many threads there are.
    pub fn count(&self) -> usize {
        self.handles.len()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.is_ended.store(true, Ordering::Release);
        self.set_work(None);
        for handle in self.handles.drain(..) {
            // A thread that panicked has said so already.
            let _ = handle.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Order)) {
        let mut order = self.lock();
        change(&mut order);
        // Under the lock, so that nobody who waits misses it.
        self.generation.fetch_add(1, Ordering::Release);
        drop(order);
        self.changed.notify_all();
    }

    fn has_ended(&self) -> bool {
        self.is_ended.load(Ordering::Acquire)
    }

    fn is_newest(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// One thread's life.
    fn work(&self, mut pace: Pace) {
        // Whatever else the computer has to do comes first. Where the system does not allow even
        // that, the thread hashes all the same.
        let _ = set_current_thread_priority(ThreadPriority::Min);
        let mut done = None;
        while let Some((generation, task)) = self.next_task(done) {
            while self.is_newest(generation) {
                let number = task.next_slot.fetch_add(1, Ordering::Relaxed);
                let Some(slot) = Slot::of(&task.work, number) else { break };
                self.hash_slot(generation, &task.work, &slot, &mut pace);
            }
            done = Some(generation);
        }
    }

    /// Waits for a task of another generation than `done`; `None` at the end.
    fn next_task(&self, done: Option<u64>) -> Option<(u64, Arc<Task>)> {
        let mut order = self.lock();
        loop {
            if self.has_ended() {
                return None;
            }
            let generation = self.generation.load(Ordering::Acquire);
            match &order.task {
                Some(task) if !order.is_paused && Some(generation) != done => {
                    return Some((generation, Arc::clone(task)));
                }
                Some(_) | None => {
                    order = self.changed.wait(order).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn hash_slot(&self, generation: u64, work: &Work, slot: &Slot, pace: &mut Pace) {
        let scanner = Scanner::new(self.backend, &slot.header(work), work.target);
        let mut next = Some(0_u32);
        while let Some(first) = next
            && self.is_newest(generation)
        {
            let started = Instant::now();
            let count = pace.count();
            let found = scanner.scan(first, count);
            let last = first.saturating_add(count - 1);
            let reached = found.unwrap_or(last);
            let made = reached - first + 1;
            self.hashes.fetch_add(u64::from(made), Ordering::Relaxed);
            if let Some(nonce) = found {
                self.send(generation, slot.found(work, nonce));
            }
            next = reached.checked_add(1);
            let pause = pace.pause(made, started, Instant::now());
            if !pause.is_zero() {
                self.sleep(generation, pause);
            }
        }
    }

    /// Sends a solution; gives up when the work is of no use any more.
    fn send(&self, generation: u64, mut found: Found) {
        loop {
            match self.found.try_send(found) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(unsent)) => found = unsent,
            }
            if !self.is_newest(generation) {
                return;
            }
            self.sleep(generation, QUEUE_WAIT);
        }
    }

    /// Waits, but not when there is new work.
    fn sleep(&self, generation: u64, pause: Duration) {
        let until = Instant::now() + pause;
        let mut order = self.lock();
        while self.is_newest(generation) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let woken = self.changed.wait_timeout(order, left);
            order = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// How much one thread hashes between two looks for new work, and how long it rests.
#[derive(Debug)]
struct Pace {
    limit_hps: Option<f64>,
    count: u32,
    /// When the hashes made so far would be due at the limit.
    due: Option<Instant>,
}

impl Pace {
    fn new(limit_hps: Option<f64>) -> Self {
        Self { limit_hps, count: STEP_HASHES.0, due: None }
    }

    fn count(&self) -> u32 {
        let limited = self.limit_hps.map_or(f64::INFINITY, |limit| limit * STEP.as_secs_f64());
        // Saturates; a limit below a hundred hashes a second still makes one.
        self.count.min(limited as u32).max(1)
    }

    /// Notes `made` hashes and gives the rest to take after them.
    fn pause(&mut self, made: u32, started: Instant, now: Instant) -> Duration {
        let took = now.saturating_duration_since(started);
        if made == self.count {
            let (low, high) = STEP_HASHES;
            let aim = if took < STEP / 2 {
                self.count.saturating_mul(2)
            } else if took > STEP * 2 {
                self.count / 2
            } else {
                self.count
            };
            self.count = aim.clamp(low, high);
        }
        let Some(limit) = self.limit_hps else { return Duration::ZERO };
        let cost = Duration::from_secs_f64(f64::from(made) / limit.max(f64::MIN_POSITIVE));
        // Time that was lost, for the machine was busy or there was no work, is hardly made up for.
        let earliest = started.checked_sub(CATCH_UP).unwrap_or(started);
        let due = self.due.map_or(started, |due| due.max(earliest)) + cost;
        self.due = Some(due);
        due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests;

//! Jobs: share templates as miners see them, and the table of those that still count.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::Hash as _;
use p2pool_sharechain::template::{BlockTemplate, Grade, ShareTemplate};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::{ShareHash, compact};

use crate::notify::Notify;

/// Most jobs that a connection can answer to.
///
/// With a job every few seconds these are the last minutes, long after a miner has moved on. Each
/// holds a coinbase of its own, so this bound keeps a thousand connections affordable.
pub const JOBS_MAX: usize = 32;
/// Jobs of the former Bitcoin tip are still checked for a block this long.
pub const STALE_GRACE: Duration = Duration::from_secs(5);
/// Most accepted solutions of one job; a connection that gets there needs a higher difficulty.
pub const SOLUTIONS_PER_JOB_MAX: usize = 4096;
/// How far header times may run ahead; Bitcoin refuses blocks 7,200 s ahead.
pub const TIME_AHEAD_MAX_SECONDS: u32 = 7000;
/// Templates are thought to be at most this old; a clock that shows more is wrong.
const TEMPLATE_AGE_MAX_SECONDS: u32 = 3600;

/// One `mining.notify`, and what solutions of it are judged by.
#[derive(Debug)]
pub struct Job {
    id: String,
    template: Arc<ShareTemplate>,
    /// Announced with the job.
    difficulty: f64,
    /// Lowest announced while the job was open; devices differ in which they use.
    lowest_difficulty: f64,
    /// When the work behind it arrived.
    work_since: MonoTime,
    /// When the Bitcoin tip changed, if it did.
    stale_since: Option<MonoTime>,
    seen: BTreeSet<ShareHash>,
}

impl Job {
    /// A job at this difficulty, of a base that arrived at `work_since`.
    pub fn new(
        id: String,
        template: Arc<ShareTemplate>,
        difficulty: f64,
        work_since: MonoTime,
    ) -> Self {
        Self {
            id,
            template,
            difficulty,
            lowest_difficulty: difficulty,
            work_since,
            stale_since: None,
            seen: BTreeSet::new(),
        }
    }

    /// The work.
    pub fn template(&self) -> &Arc<ShareTemplate> {
        &self.template
    }

    /// Whether the Bitcoin tip has changed since.
    pub fn is_stale(&self) -> bool {
        self.stale_since.is_some()
    }

    /// The difficulty that a solution counts for, or `None` if it is too easy.
    ///
    /// Judged by what was announced for this job, not by what is in force at arrival. A share or
    /// block always counts.
    pub fn credit(&self, grade: &Grade) -> Option<f64> {
        let meets = |difficulty| grade.hash.to_uint() <= compact::target_of_difficulty(difficulty);
        if grade.is_share || grade.is_block || meets(self.difficulty) {
            Some(self.difficulty)
        } else if meets(self.lowest_difficulty) {
            Some(self.lowest_difficulty)
        } else {
            None
        }
    }

    /// Whether this solution came before.
    pub fn has_seen(&self, hash: ShareHash) -> bool {
        self.seen.contains(&hash)
    }

    /// Remembers a solution; `false` when the job has had as many as it may.
    pub fn remember(&mut self, hash: ShareHash) -> bool {
        let has_room = self.seen.len() < SOLUTIONS_PER_JOB_MAX;
        if has_room {
            self.seen.insert(hash);
        }
        has_room
    }

    /// Header times that solutions may carry at this moment.
    pub fn times(&self, now: Now) -> TimeWindow {
        let age = now.mono.since(self.work_since);
        TimeWindow::new(&self.template.base().block, age, now.wall)
    }

    /// The line that hands out this job, with a header time of this moment.
    pub fn to_line(&self, now: Now, clean: bool) -> Vec<u8> {
        let block = &self.template.base().block;
        Notify {
            job_id: self.id.clone(),
            previous_block: block.previous_block.to_byte_array(),
            coinbase_prefix: self.template.coinbase_prefix().to_vec(),
            coinbase_suffix: self.template.coinbase_suffix().to_vec(),
            branch: self.template.merkle_branch().to_vec(),
            version: self.template.header_version(),
            bits: block.bits.0,
            time: self.times(now).start(),
            clean,
        }
        .to_line()
    }
}

/// The jobs of one connection, oldest first.
#[derive(Debug, Default)]
pub struct JobTable {
    jobs: VecDeque<Job>,
}

impl JobTable {
    /// Adds the newest job; the oldest goes if there are too many.
    pub fn insert(&mut self, job: Job) {
        if self.jobs.len() >= JOBS_MAX {
            self.jobs.pop_front();
        }
        self.jobs.push_back(job);
    }

    /// Finds a job that still counts, or still is checked for a block.
    pub fn find(&mut self, id: &str, now: MonoTime) -> Option<&mut Job> {
        self.forget_stale(now);
        self.jobs.iter_mut().rev().find(|job| job.id == id)
    }

    /// The Bitcoin tip has changed: all jobs are late from now on, and soon gone.
    pub fn retire_all(&mut self, now: MonoTime) {
        self.forget_stale(now);
        for job in &mut self.jobs {
            job.stale_since.get_or_insert(now);
        }
    }

    /// A new difficulty was announced: the easier of it and its own holds for each open job.
    pub fn announce(&mut self, difficulty: f64) {
        for job in &mut self.jobs {
            job.lowest_difficulty = job.lowest_difficulty.min(difficulty);
        }
    }

    fn forget_stale(&mut self, now: MonoTime) {
        self.jobs.retain(|job| job.stale_since.is_none_or(|then| now.since(then) <= STALE_GRACE));
    }
}

/// Header times that a block template allows, as time goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    start: u32,
    min: u32,
    max: u32,
}

impl TimeWindow {
    /// The window when the template has been known for `age` and our own clock shows `wall`.
    ///
    /// The Bitcoin node's clock, carried on, sets the limits: blocks are judged by such clocks. Ours
    /// may only bring the time to hand out nearer, where a template was old when it got here.
    pub fn new(block: &BlockTemplate, age: Duration, wall: UnixTime) -> Self {
        let age = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
        let known = block.current_time.saturating_add(age);
        let likely = wall.to_u32().min(block.current_time.saturating_add(TEMPLATE_AGE_MAX_SECONDS));
        let max = known.saturating_add(TIME_AHEAD_MAX_SECONDS);
        let max = block.max_time.unwrap_or(max).min(max);
        Self { start: known.max(likely).max(block.min_time).min(max), min: block.min_time, max }
    }

    /// The time to hand out.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Whether a header may carry this time.
    pub fn allows(&self, time: u32) -> bool {
        (self.min..=self.max).contains(&time)
    }
}

#[cfg(test)]
mod tests;

//! Jobs: share templates as miners see them, and the table of those that still count.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::Hash as _;
use p2pool_sharechain::template::{BlockTemplate, Grade, ShareTemplate, TemplateBase};
use p2pool_sharechain::time::{MonoTime, Now, UnixTime};
use p2pool_sharechain::{ShareHash, U256, compact};

use crate::notify;

/// Most jobs that a connection can answer to.
///
/// With a job every few seconds these are the last minutes, long after a miner has moved on.
pub const JOBS_MAX: usize = 32;
/// Of these, most that hold a coinbase of their own, which may be long: few for a connection that
/// mines what others mine and only changed its difficulty, more for one on terms of its own.
pub const OWN_JOBS_MAX: (usize, usize) = (3, 32);
/// Jobs of the former Bitcoin tip are still checked for a block this long.
pub const STALE_GRACE: Duration = Duration::from_secs(5);
/// Most accepted solutions of one job; a connection that gets there needs a higher difficulty.
pub const SOLUTIONS_PER_JOB_MAX: usize = 4096;
/// How far header times may run ahead; Bitcoin refuses blocks 7,200 s ahead.
pub const TIME_AHEAD_MAX_SECONDS: u32 = 7000;
/// Templates are thought to be at most this old; a clock that shows more is wrong.
const TEMPLATE_AGE_MAX_SECONDS: u32 = 3600;

/// One `mining.notify`, and what solutions of it are judged by.
///
/// Kept small: there are dozens of them for each of thousands of connections.
#[derive(Debug)]
pub struct Job {
    number: u32,
    template: Arc<ShareTemplate>,
    /// Announced with the job.
    asked: Arc<Asked>,
    /// Lowest announced while the job was open; devices differ in which they use.
    lowest_difficulty: f64,
    /// Whether other connections have jobs of the same template.
    is_shared: bool,
    /// When the work behind it arrived.
    work_since: MonoTime,
    /// When the Bitcoin tip changed, if it did.
    stale_since: Option<MonoTime>,
    /// Solutions so far.
    seen: BTreeSet<ShareHash>,
}

/// A difficulty with its target, which is dear to compute.
#[derive(Debug, PartialEq)]
pub struct Asked {
    difficulty: f64,
    target: U256,
}

impl Asked {
    /// Asks for solutions of this difficulty.
    pub fn new(difficulty: f64) -> Self {
        Self { difficulty, target: compact::target_of_difficulty(difficulty) }
    }

    /// As announced.
    pub fn difficulty(&self) -> f64 {
        self.difficulty
    }

    /// What hashes must not be above.
    pub fn target(&self) -> U256 {
        self.target
    }
}

impl Job {
    /// A job at this difficulty, of a base that arrived at `work_since`. `number` names it within
    /// its connection.
    pub fn new(
        number: u32,
        template: Arc<ShareTemplate>,
        asked: Arc<Asked>,
        work_since: MonoTime,
    ) -> Self {
        Self {
            number,
            template,
            lowest_difficulty: asked.difficulty,
            asked,
            is_shared: false,
            work_since,
            stale_since: None,
            seen: BTreeSet::new(),
        }
    }

    /// The same job, of a template that other connections have, too.
    pub fn shared(self) -> Self {
        Self { is_shared: true, ..self }
    }

    /// Its name within its connection.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What solutions are asked for.
    pub fn asked(&self) -> &Asked {
        &self.asked
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
        let hash = grade.hash.to_uint();
        if grade.is_share || grade.is_block || hash <= self.asked.target {
            Some(self.asked.difficulty)
        } else if self.lowest_difficulty < self.asked.difficulty {
            let lowest = self.lowest_difficulty;
            (hash <= compact::target_of_difficulty(lowest)).then_some(lowest)
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

    /// The line that hands out this job under the name `id`, with a header time of this moment.
    /// `fields` as [`Job::fields`] gives them for its template.
    pub fn to_line(&self, id: &str, fields: &[u8], now: Now, clean: bool) -> Vec<u8> {
        notify::line(id, fields, self.times(now).start(), clean)
    }

    /// What all notifications of a template have in common.
    pub fn fields(template: &ShareTemplate) -> Vec<u8> {
        let block = &template.base().block;
        notify::Fields {
            previous_block: block.previous_block.to_byte_array(),
            coinbase_prefix: template.coinbase_prefix(),
            coinbase_suffix: &template.coinbase_suffix(),
            branch: template.merkle_branch(),
            version: template.header_version(),
            bits: block.bits.0,
        }
        .to_text()
    }
}

/// The jobs of one connection, oldest first.
#[derive(Debug, Default)]
pub struct JobTable {
    jobs: VecDeque<Job>,
}

impl JobTable {
    /// Adds the newest job. The oldest goes if there are too many, and of templates that no other
    /// connection has at most `own_max` stay.
    pub fn insert(&mut self, job: Job, own_max: usize) {
        if self.jobs.len() >= JOBS_MAX {
            self.jobs.pop_front();
        }
        if !job.is_shared && self.jobs.iter().filter(|job| !job.is_shared).count() >= own_max {
            let oldest = self.jobs.iter().position(|job| !job.is_shared);
            oldest.map(|oldest| self.jobs.remove(oldest));
        }
        self.jobs.push_back(job);
    }

    /// The newest job.
    pub fn newest(&self) -> Option<&Job> {
        self.jobs.back()
    }

    /// Whether a job hands out this template.
    pub fn has(&self, template: &Arc<ShareTemplate>) -> bool {
        self.jobs.iter().any(|job| Arc::ptr_eq(&job.template, template))
    }

    /// Finds a job that still counts, or still is checked for a block.
    pub fn find(&mut self, number: u32, now: MonoTime) -> Option<&mut Job> {
        self.forget_stale(now);
        self.jobs.iter_mut().rev().find(|job| job.number == number)
    }

    /// The Bitcoin tip is now that of `base`: jobs of other tips are late from now on, and soon
    /// gone.
    pub fn retire_others(&mut self, base: &TemplateBase, now: MonoTime) {
        self.forget_stale(now);
        for job in &mut self.jobs {
            if job.template.base().block.previous_block != base.block.previous_block {
                job.stale_since.get_or_insert(now);
            }
        }
    }

    /// A new difficulty was announced: the easier of it and its own holds for each open job.
    pub fn announce(&mut self, difficulty: f64) {
        for job in &mut self.jobs {
            job.lowest_difficulty = job.lowest_difficulty.min(difficulty);
        }
    }

    fn forget_stale(&mut self, now: MonoTime) {
        let is_gone = |job: &Job| job.stale_since.is_some_and(|then| now.since(then) > STALE_GRACE);
        // What went stale stands before what has not.
        if self.jobs.front().is_some_and(is_gone) {
            self.jobs.retain(|job| !is_gone(job));
        }
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

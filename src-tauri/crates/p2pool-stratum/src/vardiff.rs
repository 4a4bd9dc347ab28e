//! How hard the work of one connection is: hard enough to be quiet, easy enough to be seen.
//!
//! The wanted difficulty follows the work that a miner shows, with a dead band wide enough that a
//! steady miner is left alone. Nothing here touches income: shares of the chain count whatever the
//! connection's difficulty is. Source: `docs/stratum.md`, section 5.

use std::time::Duration;

use p2pool_sharechain::time::MonoTime;

/// Wishes for all connections of a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VardiffSettings {
    /// Accepted solutions a minute that a connection is steered to.
    pub shares_per_minute: f64,
    /// Lowest difficulty handed out, unless the share chain's own is lower.
    pub difficulty_min: f64,
    /// First difficulty of a miner that nothing is known about.
    pub difficulty_default: f64,
}

impl Default for VardiffSettings {
    fn default() -> Self {
        Self { shares_per_minute: 10.0, difficulty_min: 0.000_01, difficulty_default: 1000.0 }
    }
}

/// Between what a difficulty must stay; the ceiling goes first, for above it shares are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Lower end.
    pub floor: f64,
    /// Upper end: the easier of share and block.
    pub ceiling: f64,
}

impl Bounds {
    /// A difficulty that was asked for, as exactly as miners can read it: whole numbers from 1 on.
    pub fn keep(&self, difficulty: f64) -> f64 {
        let wished = if difficulty >= 1.0 { difficulty.round() } else { difficulty };
        let wished = wished.max(self.floor);
        if wished <= self.ceiling { wished } else { self.cut(wished) }
    }

    /// The nearest presentable difficulty: two significant digits, whole numbers from 1 on.
    ///
    /// Below one digit of the ceiling nothing can be presentable and the ceiling itself is taken.
    pub fn cut(&self, difficulty: f64) -> f64 {
        let wished = rounded(difficulty.max(self.floor), f64::round);
        if wished <= self.ceiling {
            return wished;
        }
        let below = rounded(self.ceiling, f64::floor);
        if below > 0.0 { below } else { self.ceiling }
    }
}

/// Memory of the estimate that slow changes follow: fifty solutions at the usual rate, so that a
/// steady miner leaves the dead band by chance less than once an hour.
const MEMORY: Duration = Duration::from_secs(300);
/// Memory of the estimate that leaps follow.
const MEMORY_OF_LEAPS: Duration = Duration::from_secs(20);
/// While a connection is young its difficulty may change often.
const YOUNG: Duration = Duration::from_secs(120);
const GAP_YOUNG: Duration = Duration::from_secs(15);
const GAP_LATER: Duration = Duration::from_secs(60);
/// Pause between two leaps; the first leap needs none.
const GAP_LEAP: Duration = Duration::from_secs(5);
/// Leaps start here, in multiples of the rate wanted, and may go that far.
const LEAP_RATIO: f64 = 4.0;
const LEAP_MAX: f64 = 64.0;
/// Outside this band, in multiples of the rate wanted, the difficulty follows the estimate.
const BAND: (f64, f64) = (0.6, 1.6);
/// Solutions behind an estimate that a change up, a change down or a leap is founded on.
const UP_SHARES: f64 = 12.0;
const DOWN_SHARES: f64 = 6.0;
const LEAP_SHARES: f64 = 6.0;
/// Solutions between two leaps of a flooding miner, which need no pause.
const FLOOD_SHARES: u32 = 6;
/// How many standard deviations an estimate must lie off before it is believed. The question is
/// asked at every share, so that less would answer yes by chance every few minutes.
const DEVIATIONS: f64 = 3.0;
/// Expected intervals without a share that mean: far too hard. The second for miners that have
/// shown their speed: they fall silent for four intervals by chance every few minutes.
const SILENT_INTERVALS: (f64, f64) = (4.0, 8.0);
const SILENCE_MIN: Duration = Duration::from_secs(20);
const SILENCE_DIVISOR: f64 = 4.0;
/// More solutions a second than a server wants to check, even for a difficulty that was asked for.
const FLOOD_PER_SECOND: f64 = 20.0;
const FLOOD_AFTER: Duration = Duration::from_secs(10);
/// Estimates over less time than this would be guesses.
const SPAN_MIN: Duration = Duration::from_secs(1);

/// Watches the accepted solutions of one connection and proposes its difficulty.
#[derive(Clone, Debug)]
pub struct Vardiff {
    wanted_per_second: f64,
    current: f64,
    is_fixed: bool,
    started: MonoTime,
    /// Last change made here.
    changed: MonoTime,
    /// Solutions since then.
    shares: u32,
    has_leapt: bool,
    last_share: MonoTime,
    slow: WorkRate,
    fast: WorkRate,
}

impl Vardiff {
    /// Starts with a difficulty, which only floods change if it is fixed.
    pub fn new(settings: &VardiffSettings, start: f64, is_fixed: bool, now: MonoTime) -> Self {
        Self {
            wanted_per_second: settings.shares_per_minute.clamp(0.1, 600.0) / 60.0,
            current: start,
            is_fixed,
            started: now,
            changed: now,
            shares: 0,
            has_leapt: false,
            last_share: now,
            slow: WorkRate::new(MEMORY, now),
            fast: WorkRate::new(MEMORY_OF_LEAPS, now),
        }
    }

    /// The difficulty in force.
    pub fn current(&self) -> f64 {
        self.current
    }

    /// Takes note of an accepted solution, worth `difficulty`.
    pub fn count(&mut self, difficulty: f64, now: MonoTime) {
        self.last_share = now;
        self.shares = self.shares.saturating_add(1);
        self.slow.count(difficulty, now);
        self.fast.count(difficulty, now);
    }

    /// Sets a difficulty from outside: a wish of the miner, or what the chain allows.
    pub fn set(&mut self, difficulty: f64) {
        self.current = difficulty;
    }

    /// Sets the difficulty that this miner asked for, for as long as it does not flood.
    pub fn fix(&mut self, difficulty: f64) {
        self.current = difficulty;
        self.is_fixed = true;
    }

    /// Proposes a new difficulty, which is then in force.
    pub fn decide(&mut self, bounds: &Bounds, now: MonoTime) -> Option<f64> {
        let factor = self.factor(now)?;
        let new = bounds.cut(self.current * factor);
        // A proposal that bounds or rounding turn around, or make pointless, is none.
        let is_step = if factor > 1.0 { new > self.current * 1.2 } else { new < self.current };
        if !is_step {
            return None;
        }
        self.current = new;
        self.changed = now;
        self.shares = 0;
        Some(new)
    }

    fn factor(&mut self, now: MonoTime) -> Option<f64> {
        let span = now.since(self.changed);
        let age = now.since(self.started);
        let leap = self.fast.per_second(now) / self.current / self.wanted_per_second;
        let floods = leap * self.wanted_per_second > FLOOD_PER_SECOND;
        if self.is_fixed && !(floods && age >= FLOOD_AFTER) {
            return None;
        }
        self.is_fixed = false;
        let may_leap =
            !self.has_leapt || span >= GAP_LEAP || (floods && self.shares >= FLOOD_SHARES);
        if may_leap && self.fast.shares() >= LEAP_SHARES && leap > LEAP_RATIO {
            self.has_leapt = true;
            return Some(leap.min(LEAP_MAX));
        }
        let shares = self.slow.shares();
        let is_young = age < YOUNG || shares < LEAP_SHARES;
        if span < (if is_young { GAP_YOUNG } else { GAP_LATER }) {
            return None;
        }
        let ratio = self.slow.per_second(now) / self.current / self.wanted_per_second;
        let is_believable = ratio.ln().abs() > DEVIATIONS / shares.sqrt();
        if shares >= UP_SHARES && ratio > BAND.1 && is_believable {
            return Some(ratio);
        }
        if self.is_silent(now) {
            return Some(1.0 / SILENCE_DIVISOR);
        }
        (shares >= DOWN_SHARES && ratio < BAND.0 && is_believable)
            .then(|| ratio.max(1.0 / SILENCE_DIVISOR / SILENCE_DIVISOR))
    }

    fn is_silent(&self, now: MonoTime) -> bool {
        let is_known = self.slow.shares() >= DOWN_SHARES;
        let intervals = if is_known { SILENT_INTERVALS.1 } else { SILENT_INTERVALS.0 };
        let silence = Duration::from_secs_f64(intervals / self.wanted_per_second);
        now.since(self.last_share.max(self.changed)) >= silence.max(SILENCE_MIN)
    }
}

/// An average of work over time in which older work fades.
///
/// Work, not shares, is averaged: the estimate stays right while the difficulty changes.
#[derive(Clone, Debug)]
struct WorkRate {
    memory: Duration,
    since: MonoTime,
    counted: MonoTime,
    /// Sums of the work of single solutions and of its squares, as they have faded at `counted`.
    work: f64,
    squares: f64,
}

impl WorkRate {
    fn new(memory: Duration, now: MonoTime) -> Self {
        Self { memory, since: now, counted: now, work: 0.0, squares: 0.0 }
    }

    fn count(&mut self, difficulty: f64, now: MonoTime) {
        let left = self.left_after(now.since(self.counted));
        self.counted = now;
        self.work = self.work * left + difficulty;
        self.squares = self.squares * left * left + difficulty * difficulty;
    }

    /// Difficulty a second; times 2^32 it is the hash rate.
    fn per_second(&self, now: MonoTime) -> f64 {
        let span = now.since(self.since).max(SPAN_MIN);
        let remembered = self.memory.as_secs_f64() * (1.0 - self.left_after(span));
        self.work * self.left_after(now.since(self.counted)) / remembered
    }

    /// How many equal solutions would make the estimate as sure as it is.
    fn shares(&self) -> f64 {
        if self.squares > 0.0 { self.work * self.work / self.squares } else { 0.0 }
    }

    fn left_after(&self, span: Duration) -> f64 {
        (-span.as_secs_f64() / self.memory.as_secs_f64()).exp()
    }
}

/// Two significant digits; whole numbers from 1 on. `round` chooses the direction.
fn rounded(difficulty: f64, round: fn(f64) -> f64) -> f64 {
    if !(difficulty.is_finite() && difficulty >= f64::MIN_POSITIVE) {
        return 0.0;
    }
    let digits = difficulty.log10().floor();
    let exponent = digits.clamp(-300.0, 300.0) as i32 - 1;
    if exponent >= 0 {
        let scale = 10_f64.powi(exponent);
        round(difficulty / scale) * scale
    } else if difficulty >= 1.0 {
        round(difficulty)
    } else {
        // Dividing by a whole power of ten gives the number that prints with these digits.
        let scale = 10_f64.powi(-exponent);
        // A value that is presentable already must not be floored one digit down.
        let nearest = (difficulty * scale).round();
        if nearest / scale == difficulty { difficulty } else { round(difficulty * scale) / scale }
    }
}

/// First difficulty and floor that suit a kind of device, by what it calls itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceDefaults {
    /// Where to start.
    pub start: f64,
    /// What the device refuses to go below.
    pub floor: Option<f64>,
}

/// What is known about a user agent; used for comfort, never for permission.
pub fn device_defaults(user_agent: &str) -> Option<DeviceDefaults> {
    const TABLE: [(&str, f64, Option<f64>); 15] = [
        ("nerdminer", 0.000_25, None),
        ("nerdqaxe", 4000.0, None),
        ("nerdoctaxe", 4000.0, None),
        ("nerdaxe", 1000.0, None),
        ("bitaxe", 1000.0, None),
        ("cpuminer", 0.01, None),
        ("p2pool-miner", 0.01, None),
        // Rental rigs turn away from anything below 500,000.
        ("nicehash", 524_288.0, Some(524_288.0)),
        ("antminer", 65_536.0, None),
        ("bmminer", 65_536.0, None),
        ("whatsminer", 65_536.0, None),
        ("avalon", 65_536.0, None),
        ("bosminer", 65_536.0, None),
        ("powerplay", 65_536.0, None),
        ("xminer", 65_536.0, None),
    ];
    let agent = user_agent.to_ascii_lowercase();
    TABLE
        .iter()
        .find(|(name, _, _)| agent.contains(name))
        .map(|(_, start, floor)| DeviceDefaults { start: *start, floor: *floor })
}

/// The longest coinbase transaction that a kind of device can take, where that is little. Longer
/// ones it cuts off, and then all its results are wrong; it is warned of, and served all the same.
pub fn coinbase_bytes_max(user_agent: &str) -> Option<usize> {
    const TABLE: [(&str, usize); 10] = [
        ("nerdminer", 255),
        ("sparkminer", 512),
        ("nicehash", 500),
        ("bmminer", 750),
        ("antminer s21", 2_250),
        ("antminer", 750),
        ("bosminer", 2_250),
        ("bitaxe", 5_000),
        ("avalon", 6_208),
        ("whatsminer", 6_500),
    ];
    let agent = user_agent.to_ascii_lowercase();
    TABLE.iter().find(|(name, _)| agent.contains(name)).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests;

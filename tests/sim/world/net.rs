//! The wires: how long bytes take, what is lost, who is cut off from whom.

use std::time::Duration;

use fastrand::Rng;

use super::scenario::Scenario;

/// Bytes in one packet.
const PACKET_BYTES: usize = 1_400;
/// The least time after which a lost packet is sent again.
const RESEND_MIN: Duration = Duration::from_millis(200);
/// A packet lost so many times in a row is as good as lost for ever; the connection waits.
const LOSSES_MAX: u32 = 6;

/// See the module's documentation.
pub(crate) struct Net {
    /// Where nodes are, on a square map with sides of one.
    places: Vec<(f64, f64)>,
    /// Nodes with different numbers cannot reach each other.
    regions: Vec<u32>,
    shortest: Duration,
    longest: Duration,
    loss: f64,
}

impl Net {
    pub(crate) fn new(scenario: &Scenario, rng: &mut Rng) -> Self {
        Self {
            places: (0..scenario.nodes).map(|_| (rng.f64(), rng.f64())).collect(),
            regions: vec![0; scenario.nodes],
            shortest: scenario.latency.start,
            longest: scenario.latency.end,
            loss: scenario.loss,
        }
    }

    /// Adds somebody at a random place.
    pub(crate) fn add(&mut self, rng: &mut Rng) {
        self.places.push((rng.f64(), rng.f64()));
        self.regions.push(0);
    }

    /// Time from one to the other without loss.
    pub(crate) fn latency(&self, from: usize, to: usize) -> Duration {
        let ((x1, y1), (x2, y2)) = (self.places[from], self.places[to]);
        let part = ((x1 - x2).powi(2) + (y1 - y2).powi(2)).sqrt() / f64::sqrt(2.0);
        self.shortest + (self.longest - self.shortest).mul_f64(part)
    }

    /// Time that these bytes take, with jitter and what has to be sent again.
    pub(crate) fn travel(&self, from: usize, to: usize, bytes: usize, rng: &mut Rng) -> Duration {
        let latency = self.latency(from, to);
        let mut time = latency + latency.mul_f64(0.2 * rng.f64());
        let packets = bytes.div_ceil(PACKET_BYTES).max(1);
        let kept = (1.0 - self.loss).powi(i32::try_from(packets).unwrap_or(i32::MAX));
        let mut wait = RESEND_MIN.max(latency * 3);
        for _ in 0..LOSSES_MAX {
            if rng.f64() < kept {
                break;
            }
            time += wait;
            wait *= 2;
        }
        time
    }

    /// Whether nothing can pass between these two.
    pub(crate) fn is_cut(&self, one: usize, other: usize) -> bool {
        self.regions[one] != self.regions[other]
    }

    /// Puts somebody into a region.
    pub(crate) fn set_region(&mut self, who: usize, region: u32) {
        self.regions[who] = region;
    }
}

//! Goes through many addresses gently: few at once, few a second.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Most addresses that are looked at at once.
pub const OPEN_AT_ONCE_MAX: usize = 32;
/// Most connections that are begun in a second.
pub const NEW_PER_SECOND_MAX: u32 = 64;

/// Hands out turns to begin a connection. Turns that nobody took are lost, not saved up.
#[derive(Debug)]
pub(crate) struct Turns {
    beat: Mutex<Interval>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        let mut beat = interval(Duration::from_secs(1) / NEW_PER_SECOND_MAX);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { beat: Mutex::new(beat) }
    }

    /// Waits for the next turn. Cancel-safe.
    pub(crate) async fn next(&self) {
        self.beat.lock().await.tick().await;
    }
}

/// Looks at every address in order, at most 32 at once, and tells each result as it comes.
/// Dropping it leaves off at once.
pub(crate) async fn sweep<A, T, F: Future<Output = T>>(
    addresses: impl IntoIterator<Item = A>,
    look: impl Fn(A) -> F,
    mut on_result: impl FnMut(T),
) {
    let mut addresses = addresses.into_iter();
    let mut open = FuturesUnordered::new();
    loop {
        while open.len() < OPEN_AT_ONCE_MAX
            && let Some(address) = addresses.next()
        {
            open.push(look(address));
        }
        match open.next().await {
            Some(result) => on_result(result),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::net::Ipv4Addr;

    use tokio::time::{Instant, sleep};

    use super::*;

    fn addresses() -> impl Iterator<Item = Ipv4Addr> {
        (1..=254).map(|last| Ipv4Addr::new(192, 168, 1, last))
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_open_at_once_and_few_begin_in_a_second() {
        let turns = Turns::new();
        let (open, most_open) = (Cell::new(0_usize), Cell::new(0));
        let begun = RefCell::new(Vec::new());
        let done = Cell::new(0);
        let start = Instant::now();
        // Nobody answers: two attempts of 700 ms each, as for an address without a device.
        let look = async |_ip| {
            open.set(open.get() + 1);
            most_open.set(most_open.get().max(open.get()));
            for _ in 0..2 {
                turns.next().await;
                begun.borrow_mut().push(Instant::now());
                sleep(Duration::from_millis(700)).await;
            }
            open.set(open.get() - 1);
        };
        sweep(addresses(), look, |()| done.set(done.get() + 1)).await;
        assert_eq!(done.get(), 254);
        assert_eq!(most_open.get(), OPEN_AT_ONCE_MAX);
        assert!(start.elapsed() < Duration::from_secs(16), "{:?}", start.elapsed());
        let begun = begun.into_inner();
        for window in begun.windows(NEW_PER_SECOND_MAX as usize + 1) {
            let took = window[NEW_PER_SECOND_MAX as usize] - window[0];
            assert!(took >= Duration::from_millis(990), "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_it_ends_all_that_is_open() {
        let turns = Turns::new();
        let begun = Cell::new(0);
        let look = async |_ip| {
            turns.next().await;
            begun.set(begun.get() + 1);
            sleep(Duration::from_secs(3600)).await;
        };
        {
            let sweep = sweep(addresses(), look, |()| {});
            tokio::time::timeout(Duration::from_secs(5), sweep).await.unwrap_err();
        }
        let at_drop = begun.get();
        assert_eq!(at_drop, OPEN_AT_ONCE_MAX);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(begun.get(), at_drop);
    }
}

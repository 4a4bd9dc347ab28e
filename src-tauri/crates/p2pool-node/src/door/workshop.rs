//! Makes the work that most miners share, before they ask.

use std::sync::Arc;
use std::time::Duration;

use p2pool_sharechain::template::TemplateBase;
use p2pool_stratum::{Prepared, ShareSize, Terms};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::state::MinersSnapshot;

/// Work is made anew this often, so that the shares' timestamps and the miners' search space stay
/// fresh. Less than what a session waits by itself.
const REFRESH: Duration = Duration::from_secs(25);

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) clock: Clock,
    pub(crate) payout_address: Arc<[u8]>,
    pub(crate) share_size: ShareSize,
    pub(crate) bases: watch::Receiver<Option<Arc<TemplateBase>>>,
    pub(crate) miners: watch::Receiver<Arc<MinersSnapshot>>,
    pub(crate) prepared: watch::Sender<Option<Arc<Prepared>>>,
    /// Differs between runs; the nonces of shares derive from it.
    pub(crate) seed: u32,
}

impl Workshop {
    /// Works until cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        self.bases.mark_changed();
        let mut made: u32 = 0;
        loop {
            tokio::select! {
                () = token.cancelled() => break,
                Ok(()) = self.bases.changed() => {}
                () = tokio::time::sleep(REFRESH) => {}
            }
            made = made.wrapping_add(1);
            let base = self.bases.borrow_and_update().clone();
            self.prepared.send_replace(base.and_then(|base| self.prepare(&base, made)));
        }
    }

    fn prepare(&self, base: &Arc<TemplateBase>, made: u32) -> Option<Arc<Prepared>> {
        let rate = self.miners.borrow().hashrate_hps;
        let terms = Terms {
            payout_address: Arc::clone(&self.payout_address),
            wanted_target: self.share_size.wanted_target(base, rate),
        };
        // Far from the nonces that sessions give to work of their own.
        let nonce = self.seed.wrapping_add(made.wrapping_mul(0x85eb_ca6b));
        match Prepared::new(base, &terms, nonce, self.clock.now()) {
            Ok(prepared) => Some(Arc::new(prepared)),
            Err(error) => {
                tracing::error!(%error, "no work for the payout address");
                None
            }
        }
    }
}

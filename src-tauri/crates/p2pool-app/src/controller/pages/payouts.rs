//! The Payouts page: read when it is looked at, and again when something has changed.

use std::path::PathBuf;
use std::time::Duration;

use p2pool_sharechain::change::BlockStatus;
use p2pool_store::StoreError;
use tokio::time::Instant;

use super::super::Controller;
use super::super::requests::Reply;
use crate::api::pages::payouts::{PayoutsFailure, PayoutsRequest, PayoutsTab, PayoutsView};
use crate::api::{AppReply, Page, PageView, ProblemCode, UiError};
use crate::history::payments::{self, BlocksRead, DaysRead, SharesRead};
use crate::run::Run;
use crate::views::payments as views;

/// What is shown is read again after this time, for what the snapshots do not tell.
const READ_EVERY: Duration = Duration::from_secs(10);
/// Name of the file of all payments.
const EXPORT_NAME: &str = "p2pool-payments.csv";

/// What the page remembers.
#[derive(Debug, Default)]
pub(in crate::controller) struct State {
    tab: PayoutsTab,
    page: u32,
    read: Option<(Key, Result<Content, UiError>)>,
    /// What is being read now.
    reading: Option<Key>,
    read_at: Option<Instant>,
}

/// What a reading was about; one about something else says nothing of what is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    database: PathBuf,
    tab: PayoutsTab,
    page: u32,
    /// What the node's snapshot said of blocks and shares.
    marks: Marks,
}

impl Key {
    /// Whether both are about the same list, if perhaps at another time.
    fn is_like(&self, other: &Self) -> bool {
        (&self.database, self.tab, self.page) == (&other.database, other.tab, other.page)
    }
}

/// Changes whenever payments or shares do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Marks {
    blocks: usize,
    lost: usize,
    mature: usize,
    own_found: usize,
    own_lost: usize,
    own_in_chain: usize,
}

/// What was read.
#[derive(Debug)]
enum Content {
    Blocks(BlocksRead),
    Shares(SharesRead),
    Days(DaysRead),
}

impl Controller {
    /// The page's view.
    pub(in crate::controller) fn payouts_view(&self) -> PageView {
        let state = &self.pages.payouts;
        let Some(run) = self.shown_run() else { return PageView::None };
        let sight = run.sight(self.host.now());
        if state.tab == PayoutsTab::Calculator {
            return PageView::Payouts(PayoutsView::Calculator(views::calculator(&sight)));
        }
        let key = self.payouts_key(run);
        let read = state.read.as_ref().filter(|(of, _)| of.is_like(&key));
        PageView::Payouts(match read {
            None => PayoutsView::Loading(state.tab),
            Some((_, Err(error))) => {
                PayoutsView::Failed(PayoutsFailure { tab: state.tab, error: error.clone() })
            }
            Some((_, Ok(Content::Blocks(read)))) => {
                PayoutsView::Received(views::received(&sight, run.finders(), read))
            }
            Some((_, Ok(Content::Shares(read)))) => {
                PayoutsView::Shares(views::my_shares(&sight, read))
            }
            Some((_, Ok(Content::Days(read)))) => PayoutsView::Expected(views::expected(read)),
        })
    }

    /// Reads what is looked at, if it has changed or is old.
    pub(in crate::controller) fn payouts_pass(&mut self) {
        let Some(run) = self.shown_run() else { return };
        let state = &self.pages.payouts;
        if !self.is_looked_at(Page::Payouts)
            || state.tab == PayoutsTab::Calculator
            || state.reading.is_some()
        {
            return;
        }
        let key = self.payouts_key(run);
        let is_same = state.read.as_ref().is_some_and(|(of, _)| *of == key);
        let is_old = state.read_at.is_none_or(|at| at.elapsed() >= READ_EVERY);
        if is_same && !is_old {
            return;
        }
        let script = run.my_script();
        let state = &mut self.pages.payouts;
        state.reading = Some(key.clone());
        self.spawn_blocking_then(
            move || (read(&key, script.as_deref()), key),
            |controller, (read, key)| controller.payouts_read(key, read),
        );
    }

    fn payouts_read(&mut self, key: Key, read: Result<Content, StoreError>) {
        let state = &mut self.pages.payouts;
        state.reading = None;
        state.read_at = Some(Instant::now());
        let read = read.map_err(|error| {
            tracing::warn!(%error, "payments not read");
            unreadable(&error.to_string())
        });
        state.read = Some((key, read));
        self.page_is_due();
    }

    /// Takes a request of the page.
    pub(in crate::controller) fn payouts_request(&mut self, request: PayoutsRequest, reply: Reply) {
        match request {
            PayoutsRequest::ShowTab { tab, page } => {
                let state = &mut self.pages.payouts;
                (state.tab, state.page) = (tab, page);
                self.page_is_due();
                // Who asked may have gone, here and below.
                let _ = reply.send(Ok(AppReply::Done));
            }
            PayoutsRequest::Calculate { hashrate_hps } => {
                let found = self.shown_run().and_then(|run| {
                    let sight = run.sight(self.host.now());
                    views::calculation(&sight, hashrate_hps)
                });
                let _ = reply.send(Ok(AppReply::Calculated { calculation: found }));
            }
            PayoutsRequest::Export => self.export_payments(reply),
        }
    }

    fn export_payments(&mut self, reply: Reply) {
        let Some(run) = self.shown_run() else {
            let _ = reply.send(Err(unreadable("there is no node")));
            return;
        };
        let (database, parties) = (run.node.database.clone(), run.parties().clone());
        let (script, next_height) = (run.my_script(), run.node.summary.next_height);
        let host = std::sync::Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || {
                let blocks = script.map_or(Ok(Vec::new()), |script| {
                    payments::all_paid(&database, &script)
                        .map_err(|error| unreadable(&error.to_string()))
                });
                let text = views::csv(&blocks?, &parties, next_height);
                super::save_into_downloads(host.as_ref(), EXPORT_NAME, text.as_bytes())
            },
            |_, saved| {
                let _ = reply.send(saved);
            },
        );
    }

    fn payouts_key(&self, run: &Run) -> Key {
        let summary = &run.node.summary;
        let count = |of: &[BlockStatus]| {
            summary.blocks.iter().filter(|block| of.contains(&block.block.status)).count()
        };
        let state = &self.pages.payouts;
        Key {
            database: run.node.database.clone(),
            tab: state.tab,
            page: state.page,
            marks: Marks {
                blocks: summary.blocks.len(),
                lost: count(&[BlockStatus::Orphaned, BlockStatus::Rejected]),
                mature: count(&[BlockStatus::Mature]),
                own_found: summary.own_found,
                own_lost: summary.own_lost,
                own_in_chain: summary.own_in_chain,
            },
        }
    }
}

fn read(key: &Key, script: Option<&[u8]>) -> Result<Content, StoreError> {
    Ok(match key.tab {
        PayoutsTab::Received => Content::Blocks(payments::blocks(&key.database, script, key.page)?),
        PayoutsTab::Shares => Content::Shares(payments::own_shares(&key.database, key.page)?),
        PayoutsTab::Expected | PayoutsTab::Calculator => {
            Content::Days(payments::days(&key.database)?)
        }
    })
}

fn unreadable(technical: &str) -> UiError {
    UiError::new(ProblemCode::Unexpected, technical).with("doing", "reading your payments")
}

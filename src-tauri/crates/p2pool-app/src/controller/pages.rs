//! The pages beside Home: each has a file here, which makes its view and takes its requests.

pub(super) mod checkup;
mod miners;
mod pool;
mod settings;
mod setup;

use std::sync::Arc;

use super::Controller;
use crate::api::{Page, PageView};
use crate::host::Host;

/// What the controller keeps for its pages.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) miners: miners::State,
}

impl Pages {
    pub(super) fn new(host: &Arc<dyn Host>) -> Self {
        Self { miners: miners::State::new(Arc::clone(host)) }
    }
}

impl Controller {
    /// What the page that is looked at shows beside the sections that every page has.
    pub(super) fn page_view(&self) -> PageView {
        if self.is_setting_up() {
            return PageView::Setup(Box::new(self.setup_view()));
        }
        match self.page {
            Page::CheckUp => PageView::CheckUp(Box::new(self.check_up())),
            Page::Pool => self.pool_view(),
            Page::Miners => self.miners_view(),
            Page::Home | Page::Payouts | Page::Settings | Page::Setup => PageView::None,
        }
    }

    /// Looks at another page; its view follows at once.
    pub(super) fn show_page(&mut self, page: Page) {
        self.page = page;
        self.checkup.is_old = true;
        self.page_is_due();
    }
}

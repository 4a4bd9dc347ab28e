//! The pages beside Home: each has a file here, which makes its view and takes its requests.

pub(super) mod checkup;
mod miners;
mod payouts;
mod pool;
mod settings;
mod setup;

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) use settings::SettingsPage;

use super::Controller;
use super::requests::Reply;
use crate::api::{AppReply, FileContent, Page, PageView, ProblemCode, UiError};
use crate::host::Host;
use crate::save;

/// What the controller keeps for its pages.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) miners: miners::State,
    payouts: payouts::State,
}

impl Pages {
    pub(super) fn new(host: &Arc<dyn Host>) -> Self {
        Self { miners: miners::State::new(Arc::clone(host)), payouts: payouts::State::default() }
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
            Page::Payouts => self.payouts_view(),
            Page::Home | Page::Setup => PageView::None,
            Page::Settings => PageView::Settings(Box::new(self.settings_view())),
        }
    }

    /// Lets the page that is looked at do what is due.
    pub(super) fn page_pass(&mut self) {
        self.payouts_pass();
    }

    /// Whether somebody sees this page.
    fn is_looked_at(&self, page: Page) -> bool {
        self.is_visible && self.page == page
    }

    /// Looks at another page; its view follows at once.
    pub(super) fn show_page(&mut self, page: Page) {
        self.page = page;
        self.checkup.is_old = true;
        self.show_computer(|computer| computer.invited_to = None);
        if matches!(page, Page::Settings | Page::Setup | Page::CheckUp) {
            self.look_at_computer();
        }
        self.page_is_due();
    }

    /// Writes a file that the window made.
    pub(super) fn save_file(&mut self, name: String, content: FileContent, reply: Reply) {
        let host = Arc::clone(&self.host);
        self.spawn_blocking_then(
            move || {
                let bytes = match content {
                    FileContent::Text { text } => text.into_bytes(),
                    FileContent::Base64 { base64 } => {
                        STANDARD.decode(base64).map_err(|error| unwritten(&error.to_string()))?
                    }
                };
                save_into_downloads(host.as_ref(), &name, &bytes)
            },
            |_, saved| {
                // Who asked may have gone.
                let _ = reply.send(saved);
            },
        );
    }
}

/// Writes a file into the folder of downloads.
fn save_into_downloads(host: &dyn Host, name: &str, bytes: &[u8]) -> Result<AppReply, UiError> {
    let folder: PathBuf =
        host.downloads_dir().ok_or_else(|| unwritten("there is no folder of downloads"))?;
    match save::save(&folder, name, bytes) {
        Ok(path) => Ok(AppReply::Saved { path: path.display().to_string() }),
        Err(error) => Err(unwritten(&format!("{}: {error}", folder.display()))),
    }
}

fn unwritten(technical: &str) -> UiError {
    UiError::new(ProblemCode::Unexpected, technical).with("doing", "writing the file")
}

//! The newest work of a session.

use std::sync::Arc;

use p2pool_sharechain::template::TemplateBase;
use p2pool_sharechain::time::{MonoTime, Now};

use crate::job::JobTable;
use crate::prepared::{Piece, Prepared, Terms};

/// The newest base, and when it came.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) base: Arc<TemplateBase>,
    pub(super) since: MonoTime,
    prepared: Option<Arc<Prepared>>,
    /// Pieces of it that this session has had.
    pieces_taken: usize,
}

impl Work {
    pub(super) fn new(
        base: Arc<TemplateBase>,
        since: MonoTime,
        prepared: Option<Arc<Prepared>>,
    ) -> Self {
        Self { base, since, prepared, pieces_taken: 0 }
    }

    /// Prepared work on these terms that this session has not had, if there is any left.
    pub(super) fn next_piece(
        &mut self,
        terms: &Terms,
        jobs: &JobTable,
        now: Now,
    ) -> Option<Arc<Piece>> {
        let prepared = self.prepared.as_ref().filter(|prepared| prepared.terms() == terms)?;
        loop {
            let piece = prepared.piece(self.pieces_taken, now)?;
            self.pieces_taken += 1;
            // A session that goes on after its connection was lost may have it already.
            if !jobs.has(&piece.template) {
                return Some(piece);
            }
        }
    }
}

//! One Bitcoin node: who is asked, and what is known of it.

use std::sync::Arc;

use bitcoin::Network;
use p2pool_bitcoind::rpc::BadUrl;
use p2pool_bitcoind::{NodeFacts, RpcClient, RpcConfig, TemplateSource, TemplateState, Timings};
use p2pool_sharechain::template::BlockTemplate;
use p2pool_sharechain::time::UnixTime;
use tokio::sync::{Notify, watch};

use crate::state::{BitcoinNode, NodeProblem};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct NodeLink {
    rpc: RpcConfig,
    /// For questions.
    pub(super) questions: RpcClient,
    /// For found blocks, which must not stand behind a question.
    pub(super) blocks: RpcClient,
    templates: watch::Receiver<TemplateState>,
    facts: watch::Receiver<Option<Arc<NodeFacts>>>,
    problem: Option<NodeProblem>,
    refresh: Arc<Notify>,
}

impl NodeLink {
    /// Prepares to ask a node. Its templates come once the source runs.
    ///
    /// # Errors
    /// An address that makes no sense.
    pub(crate) fn open(rpc: &RpcConfig, chain: Network) -> Result<(Self, TemplateSource), BadUrl> {
        let (source, templates) = TemplateSource::new(rpc, chain, Timings::default())?;
        let link = Self {
            rpc: rpc.clone(),
            questions: RpcClient::new(rpc)?,
            blocks: RpcClient::new(rpc)?,
            templates,
            facts: source.facts(),
            refresh: source.refresher(),
            problem: None,
        };
        Ok((link, source))
    }

    /// A node whose templates the test makes itself.
    #[cfg(test)]
    pub(super) fn of_templates(rpc: &RpcConfig, templates: watch::Receiver<TemplateState>) -> Self {
        let (link, _) = Self::open(rpc, Network::Regtest).expect("an address");
        Self { templates, ..link }
    }

    /// Waits for news; never, once the source has ended. Safe to cancel.
    pub(super) async fn changed(&mut self) {
        let is_over = tokio::select! {
            changed = self.templates.changed() => changed.is_err(),
            changed = self.facts.changed() => changed.is_err(),
        };
        if is_over {
            std::future::pending::<()>().await;
        }
    }

    /// Asks for a new template at once.
    pub(super) fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// Takes note of the news, at this time.
    pub(super) fn note(&mut self, now: UnixTime) {
        let state = self.templates.borrow_and_update().clone();
        self.facts.mark_unchanged();
        let TemplateState::Unavailable { error, .. } = state else {
            self.problem = None;
            return;
        };
        let code = error.condition().into();
        let since = self.problem.as_ref().filter(|known| known.code == code);
        let since = since.map_or(now, |known| known.since);
        self.problem = Some(NodeProblem { code, reason: error.to_string(), since });
    }

    /// Its newest template, while it gives any.
    pub(super) fn template(&self) -> Option<Arc<BlockTemplate>> {
        match &*self.templates.borrow() {
            TemplateState::Ready(template) => Some(Arc::clone(template)),
            TemplateState::Starting | TemplateState::Unavailable { .. } => None,
        }
    }

    /// Why it gives none; `None` also before the first answer.
    pub(super) fn problem(&self) -> Option<&NodeProblem> {
        self.problem.as_ref()
    }

    /// What it last said about itself.
    pub(super) fn facts(&self) -> Option<Arc<NodeFacts>> {
        self.facts.borrow().clone()
    }

    /// The node as everybody outside may see it.
    pub(super) fn view(&self, is_reserve: bool, is_in_use: bool) -> BitcoinNode {
        BitcoinNode {
            url: self.rpc.url.clone(),
            is_reserve,
            is_remote: self.rpc.is_remote(),
            is_in_use,
            tip_height: self.template().map(|template| template.height.saturating_sub(1)),
            facts: self.facts(),
            problem: self.problem.clone(),
        }
    }
}

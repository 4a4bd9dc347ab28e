//! The Pool page: its view, its questions, and decisions about members.

use std::time::Duration;

use p2pool_node::{HostPort, MemberDeed};
use tokio::sync::oneshot;

use crate::api::pages::pool::PoolRequest;
use crate::api::{AppReply, PageView, ProblemCode, UiError};
use crate::controller::Controller;
use crate::link::NodeDeed;
use crate::run::Run;
use crate::views::pool as views;

/// A person's ban lasts so long.
const BAN_TIME: Duration = Duration::from_secs(24 * 3600);

/// Where an answer goes.
type Reply = oneshot::Sender<Result<AppReply, UiError>>;

impl Controller {
    /// What the page shows; nothing without a node.
    pub(super) fn pool_view(&self) -> PageView {
        let Some(run) = self.shown_run() else { return PageView::None };
        let sight = run.sight(self.host.now());
        PageView::Pool(Box::new(views::pool(&sight, run.finders())))
    }

    /// Answers at once, or when the node has answered.
    pub(in crate::controller) fn ask_pool(&mut self, request: PoolRequest, reply: Reply) {
        let now = self.host.now();
        let Some(run) = self.shown_run() else {
            let error = failed("looking at the pool", "there is no node");
            // Who asked may have gone; so below.
            let _ = reply.send(Err(error));
            return;
        };
        match request {
            PoolRequest::Window { since } => {
                let cells = views::cells(&run.sight(now), since.as_deref());
                let _ = reply.send(Ok(AppReply::PoolWindow { cells }));
            }
            PoolRequest::Details { share } => self.ask_details(&share, reply),
            PoolRequest::Tree => self.ask_tree(reply),
            deed @ (PoolRequest::AddMember { .. }
            | PoolRequest::Ban { .. }
            | PoolRequest::Unban { .. }
            | PoolRequest::SearchNow
            | PoolRequest::ResetMembers) => {
                let _ = reply.send(decide(run, &deed));
            }
        }
    }

    fn ask_details(&mut self, share: &str, reply: Reply) {
        let Some(run) = self.shown_run() else { return };
        let Some(share) = views::named(&run.node, share) else {
            let _ = reply.send(Ok(AppReply::ShareDetails { share: None }));
            return;
        };
        let (ask, answer) = oneshot::channel();
        let is_asked = run.deeds().try_send(NodeDeed::ShareDetails { share, reply: ask }).is_ok();
        let known = async move { if is_asked { answer.await.ok().flatten() } else { None } };
        self.spawn_then(known, |controller, known| {
            let now = controller.host.now();
            let share = controller
                .shown_run()
                .zip(known)
                .map(|(run, known)| Box::new(views::details(&run.sight(now), &known)));
            let _ = reply.send(Ok(AppReply::ShareDetails { share }));
        });
    }

    fn ask_tree(&mut self, reply: Reply) {
        let Some(run) = self.shown_run() else { return };
        let (ask, answer) = oneshot::channel();
        let is_asked = run.deeds().try_send(NodeDeed::ShareTree(ask)).is_ok();
        let known = async move { if is_asked { answer.await.ok() } else { None } };
        self.spawn_then(known, |controller, known| {
            let now = controller.host.now();
            let tree = controller.shown_run().zip(known);
            let tree = tree.map(|(run, shares)| views::tree(&run.sight(now), &shares));
            let _ = reply.send(Ok(AppReply::ShareTree { tree: tree.unwrap_or_default() }));
        });
    }
}

/// Passes a decision about members on to the node; what comes of it shows in the view.
fn decide(run: &Run, request: &PoolRequest) -> Result<AppReply, UiError> {
    let address = |host: &str| {
        host.parse().map_err(|_| failed("banning a member", "the host is no IP address"))
    };
    let deed = match request {
        PoolRequest::AddMember { place } => {
            let place = HostPort::parse(place, Some(run.facts.params.p2p_port));
            MemberDeed::Add(place.map_err(|error| failed("adding a member", error.to_string()))?)
        }
        PoolRequest::Ban { host } => MemberDeed::Ban { ip: address(host)?, time: BAN_TIME },
        PoolRequest::Unban { host } => MemberDeed::Unban { ip: address(host)? },
        PoolRequest::SearchNow => MemberDeed::SearchNow,
        PoolRequest::ResetMembers => MemberDeed::Reset,
        PoolRequest::Window { .. } | PoolRequest::Details { .. } | PoolRequest::Tree => {
            return Ok(AppReply::Done);
        }
    };
    match run.deeds().try_send(NodeDeed::Members(deed)) {
        Ok(()) => Ok(AppReply::Done),
        Err(_) => Err(failed("telling the node", "it has ended, or is very busy")),
    }
}

fn failed(doing: &str, technical: impl Into<String>) -> UiError {
    UiError::new(ProblemCode::Unexpected, technical).with("doing", doing)
}

//! The network step: members, and the port in the router.

use p2pool_node::{HostPort, MappingState, ProblemCode};
use p2pool_sharechain::Params;

use super::Sight;
use super::answers::Answers;
use crate::api::{MappingView, MembersFound, NetworkStep, PortChoice, UnixSeconds};

/// Most members that may be named.
const MEMBERS_MAX: usize = 64;

pub(super) fn view(
    answers: &Answers,
    params: &Params,
    mistake: &str,
    sight: Sight<'_>,
) -> NetworkStep {
    let asks = answers.port == PortChoice::AskRouter;
    NetworkStep {
        members: members(params, sight),
        choice: answers.port,
        mapping: match sight.node {
            Some(node) if asks => mapping(node.p2p.mapping),
            None if asks && sight.is_starting => MappingView::Asking,
            Some(_) | None => MappingView::Off,
        },
        port: params.p2p_port,
        own_ip: sight.own_ip.map(|ip| ip.to_string()),
        named: answers.members.clone(),
        proxy: answers.proxy.clone(),
        mistake: mistake.to_owned(),
    }
}

fn members(params: &Params, sight: Sight<'_>) -> MembersFound {
    let Some(node) = sight.node else {
        return if sight.is_starting { MembersFound::Starting } else { MembersFound::NotRunning };
    };
    let p2p = &node.p2p;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    match p2p.outgoing + p2p.incoming {
        0 if p2p.problem == Some(ProblemCode::PoolPortBlocked) => {
            MembersFound::Blocked { port: params.p2p_port }
        }
        0 => MembersFound::Looking { tried: number(p2p.tried) },
        count => MembersFound::Connected { count: number(count) },
    }
}

fn mapping(state: MappingState) -> MappingView {
    match state {
        MappingState::Off => MappingView::Off,
        MappingState::Asking => MappingView::Asking,
        MappingState::Granted { .. } => MappingView::Granted,
        MappingState::OtherPort { external } => MappingView::OtherPort { port: external.port() },
        MappingState::NoAnswer => MappingView::NoAnswer,
        MappingState::CarrierNat => MappingView::CarrierNat,
        MappingState::Confirmed { since, .. } => {
            MappingView::Confirmed { since: UnixSeconds(since.0) }
        }
    }
}

/// The members with one more.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn member(text: &str, params: &Params, named: &[String]) -> Result<Vec<String>, String> {
    let member = HostPort::parse(text.trim(), Some(params.p2p_port))
        .map_err(|error| error.to_string())?
        .to_string();
    let mut named = named.to_vec();
    if named.len() >= MEMBERS_MAX {
        return Err(format!("at most {MEMBERS_MAX} members can be named"));
    }
    if !named.contains(&member) {
        named.push(member);
    }
    Ok(named)
}

/// The proxy that a text names; an empty one for none.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn proxy(text: &str) -> Result<Option<String>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let proxy = HostPort::parse(text.trim(), None).map_err(|error| error.to_string())?;
    Ok(Some(proxy.to_string()))
}

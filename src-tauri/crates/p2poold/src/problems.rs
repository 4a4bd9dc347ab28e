//! What is wrong at this moment, in the words of the error catalogue.

use p2pool_node::{BitcoinState, HelperState, NodeSnapshot, ProblemCode, StorageState};
use serde::{Deserialize, Serialize};

use crate::catalogue;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// Code of the error catalogue.
    pub(crate) code: String,
    /// For people.
    pub(crate) message: String,
    /// Technical text; may be empty.
    pub(crate) details: String,
}

impl Problem {
    fn new(code: ProblemCode, details: &str) -> Self {
        let message = catalogue::sentence(code.as_str()).to_owned();
        Self { code: code.as_str().into(), message, details: details.into() }
    }
}

/// Everything that is wrong now, what keeps from mining first.
pub(crate) fn problems(snapshot: &NodeSnapshot) -> Vec<Problem> {
    let mut all = Vec::new();
    if let Some(reason) = &snapshot.failure {
        let message = "The mining engine stopped.".into();
        let code = ProblemCode::EngineRestarted.as_str().into();
        all.push(Problem { code, message, details: reason.clone() });
    }
    if let BitcoinState::Unavailable { code, reason, .. } = &snapshot.bitcoin {
        all.push(Problem::new(*code, reason));
    }
    for warning in &snapshot.bitcoin_details.warnings {
        all.push(Problem::new(warning.code, &warning.reason));
    }
    if let Some(code) = snapshot.p2p.problem {
        all.push(Problem::new(code, ""));
    }
    if let StorageState::Degraded { reason } = &snapshot.storage {
        all.push(Problem::new(ProblemCode::DataFolder, reason));
    }
    if let HelperState::Missing { path, reason } = &snapshot.helper {
        let details = format!("{}: {reason}", path.display());
        all.push(Problem::new(ProblemCode::HelperMissing, &details));
    }
    all
}

#[cfg(test)]
mod tests {
    use p2pool_node::ChainSummary;
    use p2pool_sharechain::time::UnixTime;

    use super::*;
    use crate::tally::tests::snapshot;

    #[test]
    fn every_problem_has_a_code_and_a_sentence() {
        let quiet = snapshot(ChainSummary::default());
        assert_eq!(problems(&quiet), []);
        let reason = || "as it is".to_owned();
        let mut troubled = quiet;
        let (code, since) = (ProblemCode::NodeStarting, UnixTime(1));
        troubled.bitcoin = BitcoinState::Unavailable { code, reason: reason(), since };
        troubled.storage = StorageState::Degraded { reason: reason() };
        troubled.helper = HelperState::Missing { path: "/x".into(), reason: reason() };
        troubled.failure = Some(reason());
        let all = problems(&troubled);
        let codes: Vec<&str> = all.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!(codes, ["E-APP-04", "N-06", "E-APP-01", "E-CPU-01"]);
        assert!(all.iter().all(|problem| problem.message.ends_with('.')), "{all:?}");
    }
}

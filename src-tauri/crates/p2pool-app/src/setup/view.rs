//! What the window shows of the node step.

use bitcoin::Network;
use p2pool_bitcoind::examine::{Examined, Outcome, Test};
use p2pool_bitcoind::local::{Program, RestartProgress, Situation};
use p2pool_bitcoind::{Condition, Secret};

use super::answers::Answers;
use super::found::Looked;
use super::job::KeepError;
use super::node::{NodeWork, is_passing};
use crate::api::{
    ConfLine, ConfReview, ConfTrouble, FoundNode, KeyTrouble, LoginChoice, NodeCard, NodeFact,
    NodeNext, NodePlace, NodeStep, NodeTest, ProblemCode, RemoteForm, RestartStage, RestartView,
    SyncView, TestLine, TestResult, TestTrouble,
};
use crate::host::KeychainError;
use crate::problems;

/// A disk with less room than this is worth a word: a node needs some for new blocks.
const FREE_BYTES_MIN: u64 = 5 << 30;

impl NodeWork {
    /// The node step.
    pub(super) fn view(&self, answers: &Answers, own_ip: Option<String>) -> NodeStep {
        let chosen = self.chosen(answers);
        NodeStep {
            is_looking: self.is_looking && self.found.is_none(),
            place: answers.place,
            found: self.found_nodes(answers),
            card: self.card(chosen),
            facts: chosen.map(|looked| self.facts(looked)).unwrap_or_default(),
            login: answers.login.filter(|_| chosen.is_some()),
            logins: chosen.map(Looked::offers).unwrap_or_default(),
            remote: self.form(answers, own_ip),
            tests: self.test_lines(),
            is_testing: self.exam.as_ref().is_some_and(|exam| !exam.is_done),
            sync: self.progress_now().map(|(progress, blocks, headers)| SyncView {
                progress,
                blocks,
                headers,
                remaining_secs: self.pace.remaining_secs(),
            }),
            review: self.review_view(),
            trouble: self.trouble.as_ref().map(|trouble| ConfTrouble {
                code: problems::by_name(trouble.code),
                path: trouble.path.display().to_string(),
                details: trouble.details.clone(),
                lines: trouble.lines.as_slice().to_vec(),
            }),
            restart: self.restart_view(chosen),
            key_trouble: self.key_trouble(chosen),
            next: self.next(answers, chosen),
        }
    }

    fn found_nodes(&self, answers: &Answers) -> Vec<FoundNode> {
        let nodes = self.found.iter().flat_map(|found| &found.nodes);
        nodes
            .map(|looked| {
                let node = &looked.node;
                FoundNode {
                    folder: node.started_folder().display().to_string(),
                    conf: node.conf_path().display().to_string(),
                    program: looked.facts().map(|facts| program(&facts.subversion)),
                    chain: node.chain().to_core_arg().to_owned(),
                    height: looked.facts().map(|facts| facts.blocks),
                    is_running: node.is_running(),
                    is_chosen: answers.folder.as_deref() == Some(node.started_folder()),
                }
            })
            .collect()
    }

    fn card(&self, chosen: Option<&Looked>) -> NodeCard {
        let Some(found) = &self.found else { return NodeCard::Looking };
        let Some(looked) = chosen else {
            return match found.nodes.as_slice() {
                [] if found.has_stranger => NodeCard::OtherUser,
                [] => NodeCard::Nothing { is_port_open: found.is_port_open },
                _ => NodeCard::Several,
            };
        };
        match looked.situation(self.chain) {
            Situation::Ready { .. } => NodeCard::Ready,
            Situation::HasLogin => NodeCard::HasLogin,
            Situation::HasOwnLines => NodeCard::HasOwnLines,
            Situation::OnlyOthers => NodeCard::OnlyOthers,
            Situation::NoAccess => NodeCard::NoAccess,
            Situation::ServerOff => NodeCard::ServerOff,
            Situation::ServerForbidden => NodeCard::ServerForbidden,
            Situation::NotRunning => NodeCard::NotRunning { can_start: looked.start.is_some() },
            Situation::NoConf => NodeCard::NoConf,
            Situation::Starting => NodeCard::Starting,
            Situation::WrongChain(chain) => NodeCard::WrongChain { chain },
            Situation::TooOld => NodeCard::TooOld,
            Situation::CatchingUp => NodeCard::CatchingUp,
            Situation::NoConnections => NodeCard::NoConnections,
            Situation::NoLogin | _ => NodeCard::NoLogin,
        }
    }

    fn facts(&self, looked: &Looked) -> Vec<NodeFact> {
        let mut facts = Vec::new();
        match (looked.facts(), looked.node.process()) {
            (Some(known), _) => {
                facts.push(NodeFact::Running { program: program(&known.subversion) });
                facts.push(if known.initial_block_download && self.chain != Network::Regtest {
                    NodeFact::Behind { progress: known.verification_progress }
                } else {
                    NodeFact::Synced { height: known.blocks }
                });
                facts.push(if known.pruned {
                    NodeFact::Pruned { bytes: known.size_on_disk }
                } else {
                    NodeFact::Whole
                });
            }
            (None, Some(process)) => {
                facts.push(NodeFact::Running { program: name(process.program).to_owned() });
            }
            (None, None) => facts.push(NodeFact::NotRunning),
        }
        let works = self.exam.as_ref().filter(|_| self.has_login_worked());
        match works {
            Some(exam) => facts.push(NodeFact::LoginWorks { login: exam.login }),
            None if looked.is_serving() && looked.at_hand().is_none() => {
                facts.push(NodeFact::NoLogin);
            }
            None => {}
        }
        if let Some(free_bytes) = looked.free_bytes.filter(|bytes| *bytes < FREE_BYTES_MIN) {
            facts.push(NodeFact::DiskLow { free_bytes });
        }
        facts
    }

    fn has_login_worked(&self) -> bool {
        self.lines().iter().any(|line| {
            line.test == Test::Login
                && matches!(line.outcome, Outcome::Passed(_) | Outcome::Slow(_))
        })
    }

    fn form(&self, answers: &Answers, own_ip: Option<String>) -> RemoteForm {
        let made_up = self.made_up.as_ref().filter(|_| answers.place == NodePlace::Elsewhere);
        let lines = made_up.map(|login| {
            let allowed = own_ip.as_deref().unwrap_or("192.168.1.20");
            vec![
                "server=1".to_owned(),
                format!("rpcauth={}", login.rpcauth()),
                "rpcbind=0.0.0.0".to_owned(),
                "rpcallowip=127.0.0.1".to_owned(),
                format!("rpcallowip={allowed}/32"),
            ]
        });
        let form = &answers.form;
        let user = if form.user.is_empty() {
            made_up.map(|login| login.user().to_owned()).unwrap_or_default()
        } else {
            form.user.clone()
        };
        let is_made_up = made_up.is_some_and(|login| login.user() == user);
        RemoteForm {
            host: form.host.clone(),
            port: form.port,
            user,
            has_password: is_made_up || self.typed.as_ref().is_some_and(is_there),
            allows_public: form.allows_public,
            own_ip,
            lines: lines.unwrap_or_default(),
        }
    }

    fn test_lines(&self) -> Vec<TestLine> {
        let Some(exam) = &self.exam else { return Vec::new() };
        let lines = self.lines();
        let mut shown: Vec<TestLine> = lines.iter().map(test_line).collect();
        if !exam.is_done
            && let Some(next) = Test::ALL.get(lines.len())
        {
            let result = TestResult::Running;
            shown.push(TestLine { test: test(*next), result, took_ms: 0 });
        }
        shown
    }

    fn review_view(&self) -> Option<ConfReview> {
        let review = self.review.as_ref()?;
        let change = &review.change;
        let line = |line: p2pool_bitcoind::local::DiffLine| ConfLine {
            is_added: line.is_added,
            number: line.number,
            text: line.text,
        };
        Some(ConfReview {
            path: change.path().display().to_string(),
            creates_file: change.creates_file(),
            lines: change.diff().into_iter().map(line).collect(),
            stops_cookie: change.stops_cookie(),
            uses_keychain: review.choice != LoginChoice::Cookie,
            is_writing: review.is_writing,
        })
    }

    fn restart_view(&self, chosen: Option<&Looked>) -> Option<RestartView> {
        let restart = self.restart.as_ref().filter(|_| self.review.is_none())?;
        Some(RestartView {
            stage: match restart.stage {
                RestartProgress::StillRunning => RestartStage::StillRunning,
                RestartProgress::Stopped => RestartStage::Stopped,
                RestartProgress::Starting => RestartStage::Starting,
                RestartProgress::LoginWorks => RestartStage::LoginWorks,
            },
            can_restart: chosen.is_some_and(|looked| looked.restartable().is_some()),
            is_restarting: restart.is_restarting,
        })
    }

    fn key_trouble(&self, chosen: Option<&Looked>) -> Option<KeyTrouble> {
        let error = self.keeping.as_ref()?.error.as_ref()?;
        let code = match error {
            KeepError::Keychain(KeychainError::Declined(_)) => ProblemCode::KeychainLocked,
            KeepError::Keychain(_) | KeepError::File(_) => ProblemCode::KeychainMissing,
        };
        let reason = match error {
            KeepError::Keychain(
                KeychainError::Declined(reason) | KeychainError::Unavailable(reason),
            ) => reason.clone(),
            KeepError::File(error) => error.to_string(),
        };
        let has_cookie = chosen.is_some_and(|looked| looked.login(LoginChoice::Cookie).is_some());
        Some(KeyTrouble { code, reason, has_cookie })
    }

    fn next(&self, answers: &Answers, chosen: Option<&Looked>) -> NodeNext {
        if self.is_ready(answers) {
            return NodeNext::Next;
        }
        let is_testing = self.exam.as_ref().is_some_and(|exam| !exam.is_done);
        if is_testing || self.review.is_some() || self.keeping.is_some() || self.restart.is_some() {
            return NodeNext::Wait;
        }
        if answers.place == NodePlace::Elsewhere || answers.login == Some(LoginChoice::Typed) {
            return NodeNext::TestForm;
        }
        match (chosen, answers.login) {
            (Some(looked), Some(login)) if looked.login(login).is_some() => NodeNext::Test,
            (Some(looked), Some(_)) if looked.node.chain() == self.chain => NodeNext::Review,
            _ => NodeNext::Wait,
        }
    }
}

fn is_there(secret: &Secret) -> bool {
    !secret.expose().is_empty()
}

/// `/Satoshi:30.0.0/` as people say it.
fn program(subversion: &str) -> String {
    let text = subversion.trim_matches('/');
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    let core = first.strip_prefix("Satoshi:").unwrap_or(first).split('(').next().unwrap_or(first);
    if rest.contains("Knots") {
        return format!("Bitcoin Knots {core}");
    }
    if first.starts_with("Satoshi:") { format!("Bitcoin Core {core}") } else { first.to_owned() }
}

fn name(program: Program) -> &'static str {
    match program {
        Program::Bitcoind => "bitcoind",
        Program::BitcoinNode => "bitcoin-node",
        Program::BitcoinQt => "Bitcoin Core",
    }
}

fn test(test: Test) -> NodeTest {
    match test {
        Test::Port => NodeTest::Port,
        Test::Login => NodeTest::Login,
        Test::Chain => NodeTest::Chain,
        Test::Connections => NodeTest::Connections,
        Test::Template => NodeTest::Template,
        Test::NewBlocks => NodeTest::NewBlocks,
    }
}

fn test_line(examined: &Examined) -> TestLine {
    let result = match &examined.outcome {
        Outcome::Skipped => TestResult::Skipped,
        Outcome::Passed(_) => TestResult::Passed,
        Outcome::Slow(_) => TestResult::Slow,
        Outcome::NotTold(_) => TestResult::NotTold,
        Outcome::Failed { condition, details, .. } => {
            TestResult::Failed { trouble: trouble(*condition, details) }
        }
    };
    let took_ms = u32::try_from(examined.took.as_millis()).unwrap_or(u32::MAX);
    TestLine { test: test(examined.test), result, took_ms }
}

fn trouble(condition: Condition, details: &str) -> TestTrouble {
    TestTrouble {
        code: problems::by_name(condition.code()),
        details: details.to_owned(),
        is_passing: is_passing(condition),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_as_people_do() {
        for (subversion, expected) in [
            ("/Satoshi:30.0.0/", "Bitcoin Core 30.0.0"),
            ("/Satoshi:29.1.0(home)/", "Bitcoin Core 29.1.0"),
            ("/Satoshi:28.1.0/Knots:20250305/", "Bitcoin Knots 28.1.0"),
            ("/btcd:0.24.0/", "btcd:0.24.0"),
        ] {
            assert_eq!(program(subversion), expected);
        }
    }
}

//! Whether a node has been started again since its configuration was changed.

use crate::error::RpcError;
use crate::local::process::RunningNode;

/// The node's and our clock may differ by this much, in seconds.
const CLOCK_TOLERANCE_S: u64 = 2;

/// How far a restart has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartProgress {
    /// It still runs with the old settings.
    StillRunning,
    /// It has stopped.
    Stopped,
    /// It runs again but does not let us in yet.
    Starting,
    /// The new login works.
    LoginWorks,
}

impl RestartProgress {
    /// Code of the error catalogue.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::StillRunning => Some("C-05"),
            Self::Starting => Some("N-06"),
            Self::Stopped | Self::LoginWorks => None,
        }
    }
}

/// Waits for a restart: remembers what ran when the configuration was changed.
#[derive(Clone, Debug)]
pub struct RestartWatch {
    changed_unix_s: u64,
    old: Option<RunningNode>,
}

impl RestartWatch {
    /// Begins to wait; `old` is the process that ran when the file was changed, if one was seen.
    pub fn new(changed_unix_s: u64, old: Option<RunningNode>) -> Self {
        Self { changed_unix_s, old }
    }

    /// Judges what is seen now: the processes of this node that
    /// run, and what became of a call with the new login.
    pub fn judge(&self, running: &[RunningNode], login: Result<(), &RpcError>) -> RestartProgress {
        let is_old_there =
            self.old.as_ref().map(|old| running.iter().any(|node| node.is_same_run(old)));
        match (login, is_old_there) {
            (Ok(()), _) => RestartProgress::LoginWorks,
            (Err(_), Some(true)) => RestartProgress::StillRunning,
            (Err(RpcError::WarmUp(_)), _) => RestartProgress::Starting,
            (Err(_), Some(false)) if self.is_successor_there(running) => RestartProgress::Starting,
            (Err(_), Some(false)) => RestartProgress::Stopped,
            // Nobody was seen at all, as in a container: what answers has to tell.
            (Err(RpcError::Unauthorized | RpcError::Forbidden), None) => {
                RestartProgress::StillRunning
            }
            (Err(_), None) if self.is_successor_there(running) => RestartProgress::Starting,
            (Err(_), None) => RestartProgress::Stopped,
        }
    }

    /// Whether a node that has run for `uptime_s` (the method `uptime`, asked at `now_unix_s`) was
    /// started after the change.
    pub fn is_restarted(&self, now_unix_s: u64, uptime_s: u64) -> bool {
        now_unix_s.saturating_sub(uptime_s) + CLOCK_TOLERANCE_S >= self.changed_unix_s
    }

    fn is_successor_there(&self, running: &[RunningNode]) -> bool {
        running.iter().any(|node| node.started_unix_s + CLOCK_TOLERANCE_S >= self.changed_unix_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::process::Program;
    use crate::local::settings::CommandLine;

    fn node(pid: u32, started_unix_s: u64) -> RunningNode {
        RunningNode {
            pid,
            program: Program::Bitcoind,
            executable: None,
            started_unix_s,
            is_of_other_user: Some(false),
            command_line: CommandLine::default(),
            working_folder: None,
            home: None,
        }
    }

    #[test]
    fn a_restart_is_followed_from_the_old_run_to_the_login() {
        let watch = RestartWatch::new(2000, Some(node(7, 1000)));
        let gone = RpcError::Unreachable { reason: "refused".into() };
        let warm = RpcError::WarmUp("Loading block index...".into());
        for (running, login, expected) in [
            (vec![node(7, 1000)], Err(&RpcError::Unauthorized), RestartProgress::StillRunning),
            (vec![node(7, 1001)], Err(&gone), RestartProgress::StillRunning),
            (vec![], Err(&gone), RestartProgress::Stopped),
            (vec![node(9, 500)], Err(&gone), RestartProgress::Stopped),
            (vec![node(8, 2040)], Err(&gone), RestartProgress::Starting),
            (vec![node(8, 2040)], Err(&RpcError::Unauthorized), RestartProgress::Starting),
            (vec![node(8, 2040)], Err(&warm), RestartProgress::Starting),
            (vec![node(8, 2040)], Ok(()), RestartProgress::LoginWorks),
            (vec![], Ok(()), RestartProgress::LoginWorks),
        ] {
            assert_eq!(watch.judge(&running, login), expected, "{running:?} {login:?}");
        }
        assert_eq!(RestartProgress::StillRunning.code(), Some("C-05"));
    }

    #[test]
    fn a_node_that_nobody_sees_is_judged_by_its_answers() {
        let watch = RestartWatch::new(2000, None);
        let judge = |error: RpcError| watch.judge(&[], Err(&error));
        assert_eq!(judge(RpcError::Unauthorized), RestartProgress::StillRunning);
        assert_eq!(judge(RpcError::WarmUp("x".into())), RestartProgress::Starting);
        let gone = RpcError::Unreachable { reason: "refused".into() };
        assert_eq!(judge(gone.clone()), RestartProgress::Stopped);
        let later = watch.judge(&[node(8, 2001)], Err(&gone));
        assert_eq!(later, RestartProgress::Starting);
    }

    #[test]
    fn time_since_the_start_tells_too() {
        let watch = RestartWatch::new(2000, None);
        assert!(watch.is_restarted(2100, 90));
        assert!(watch.is_restarted(2100, 101), "clocks are read at different moments");
        assert!(!watch.is_restarted(2100, 110));
        assert!(!watch.is_restarted(2100, 5000));
    }
}

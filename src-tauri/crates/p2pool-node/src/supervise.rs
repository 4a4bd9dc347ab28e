//! The task tree of a node: every task has a name, and none is forgotten.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Tasks that end together. Cancelling the token asks all of them to finish.
#[derive(Debug)]
pub(crate) struct Tasks {
    set: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    token: CancellationToken,
}

/// A task that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) name: &'static str,
    /// The panic's words, if it was one.
    pub(crate) panic: Option<String>,
}

impl Tasks {
    /// An empty group below `parent`.
    pub(crate) fn under(parent: &CancellationToken) -> Self {
        Self { set: JoinSet::new(), names: HashMap::new(), token: parent.child_token() }
    }

    /// Asks everything in the group to finish when cancelled.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Starts a task in the present runtime.
    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.set.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Number of tasks not yet reaped.
    pub(crate) fn len(&self) -> usize {
        self.set.len()
    }

    /// Waits for the next task to end; never, if there is none. Safe to cancel.
    pub(crate) async fn next_ended(&mut self) -> Ended {
        let Some(ended) = self.set.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (id, panic) = match ended {
            Ok((id, ())) => (id, None),
            Err(error) => {
                let id = error.id();
                let words = error.try_into_panic().ok().map(|payload| words(payload.as_ref()));
                (id, words)
            }
        };
        let name = self.names.remove(&id).unwrap_or("task");
        Ended { name, panic }
    }

    /// Cancels the group and waits; returns the names of those that did not end in time, which
    /// are aborted.
    pub(crate) async fn finish(mut self, within: Duration) -> Vec<&'static str> {
        self.token.cancel();
        let deadline = tokio::time::Instant::now() + within;
        while !self.set.is_empty() {
            if tokio::time::timeout_at(deadline, self.next_ended()).await.is_err() {
                self.set.abort_all();
                return self.names.into_values().collect();
            }
        }
        Vec::new()
    }
}

fn words(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn late_tasks_are_named_and_others_are_not() {
        let mut tasks = Tasks::under(&CancellationToken::new());
        let token = tasks.token().clone();
        tasks.spawn("polite", async move { token.cancelled().await });
        tasks.spawn("stubborn", std::future::pending());
        assert_eq!(tasks.finish(Duration::from_secs(10)).await, ["stubborn"]);
    }

    #[tokio::test]
    async fn panic_is_reported_with_the_task_that_had_it() {
        let mut tasks = Tasks::under(&CancellationToken::new());
        tasks.spawn("clumsy", async { panic!("dropped it") });
        let ended = tasks.next_ended().await;
        assert_eq!((ended.name, ended.panic.as_deref()), ("clumsy", Some("dropped it")));
    }
}

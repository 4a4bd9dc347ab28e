//! The CPU miner as a program.
#![forbid(unsafe_code)]

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use p2pool_miner::options::Options;
use p2pool_miner::run::{RunError, run};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    let options = Options::parse();
    match mine(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done if even this cannot be told.
            let _ = writeln!(io::stderr(), "p2pool-miner: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn mine(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let parent = options.parent_watch.then(watch_parent).transpose().map_err(RunError::Threads)?;
    runtime.block_on(async {
        let end = async {
            tokio::select! {
                () = told_to_end() => {}
                () = gone(parent) => {}
            }
        };
        run(options, io::stdout(), end).await
    })?;
    Ok(())
}

/// A signal that comes when the standard input is closed.
fn watch_parent() -> io::Result<oneshot::Receiver<()>> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own, not waited for: reading can neither be interrupted nor polled.
    std::thread::Builder::new().name("parent watch".into()).spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = [0; 256];
        while !matches!(input.read(&mut buffer), Ok(0) | Err(_)) {}
        // The receiver is gone only when the program ends anyway.
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

async fn gone(parent: Option<oneshot::Receiver<()>>) {
    match parent {
        // Sent or dropped, the parent is gone.
        Some(parent) => drop(parent.await),
        None => std::future::pending().await,
    }
}

/// Interrupt from the keyboard, or the system's wish.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the program itself.
        std::future::pending::<()>().await;
    }
}

//! Other processes, as Linux shows them.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How often a process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The process that `parent` has started from a file called `name`, if it runs.
pub fn child_of(parent: u32, name: &str) -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?;
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|id| stat(*id).is_some_and(|s| s.parent == parent && s.name == name && !s.is_dead))
}

/// Waits until a process has gone, whoever has to bury it.
///
/// # Panics
/// It still runs at the end of that time.
pub fn wait_until_gone(id: u32, within: Duration) {
    let start = Instant::now();
    while stat(id).is_some_and(|stat| !stat.is_dead) {
        assert!(start.elapsed() < within, "process {id} still runs after {within:?}");
        thread::sleep(LOOK_EVERY);
    }
}

/// Sends a process a signal, named as `kill` names it; says whether the process was there.
pub fn signal(id: u32, name: &str) -> bool {
    let command = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).output();
    command.is_ok_and(|output| output.status.success())
}

#[derive(Debug)]
struct Stat {
    name: String,
    parent: u32,
    /// Ended, but its parent has not asked how.
    is_dead: bool,
}

/// The line of `/proc/ID/stat`: `id (name) state parent ..`.
fn stat(id: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    Some(Stat { name: name.to_owned(), parent: fields.next()?.parse().ok()?, is_dead })
}

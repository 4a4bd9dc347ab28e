//! `p2poold status`: how the nodes of a data folder do that run now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use p2pool_node::ProblemCode;

use crate::failure::{EXIT_NOT_RUNNING, Failure};
use crate::folders;
use crate::notice::{MiningState, now};
use crate::output::Console;
use crate::status_file::{Report, read};
use crate::text::{clock, count};
use crate::view::table;

/// Folders that are looked into: a data folder holds one for each network.
const FOLDERS_MAX: usize = 100;
/// A node that has written nothing for so long may hang.
const OLD_SECONDS: u64 = 60;

/// Tell how the nodes of a data folder do that run now.
///
/// Ends with 3 if none runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct StatusArgs {
    /// Folder of all data [default: p2pool-desktop in your own data folder]
    #[arg(long, value_name = "DIR", env = "P2POOL_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Print one node a line, as JSON
    #[arg(long)]
    json: bool,
}

/// Carries out `p2poold status`; gives the exit code.
pub(crate) fn status(args: &StatusArgs, mut console: Console<'_>) -> Result<u8, Failure> {
    let data_dir = match &args.data_dir {
        Some(folder) => folder.clone(),
        None => folders::data_dir().ok_or_else(Failure::no_data_folder)?,
    };
    let reports = reports(&data_dir).map_err(|error| {
        let sentence = format!("The status in {} cannot be read: {error}.", data_dir.display());
        Failure::of_run(ProblemCode::DataFolder, sentence)
    })?;
    if reports.is_empty() && !args.json {
        let folder = data_dir.display();
        console.say(&format!("Not running: no P2Pool node uses the data in {folder}."))?;
    }
    for report in &reports {
        if args.json {
            console.say(&json(report))?;
        } else {
            console.say(&lines(report, now()).join("\n"))?;
        }
    }
    Ok(if reports.is_empty() { EXIT_NOT_RUNNING } else { 0 })
}

/// The reports of all nodes that run in the folders of a data folder; those of private pools lie
/// one step further down.
fn reports(data_dir: &Path) -> io::Result<Vec<Report>> {
    let mut all = Vec::new();
    for folder in folders_in(data_dir)? {
        all.extend(read(&folder)?);
        for inner in folders_in(&folder)? {
            all.extend(read(&inner)?);
        }
    }
    all.sort_by_key(|report| report.is_practice);
    Ok(all)
}

fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries.take(FOLDERS_MAX) {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).expect("texts and numbers are JSON")
}

fn lines(report: &Report, now: u64) -> Vec<String> {
    let state = match report.status.state {
        MiningState::Mining => "mining",
        MiningState::Waiting => "waiting for work",
        MiningState::Paused => "paused",
    };
    let runs = Duration::from_secs(report.written_at.saturating_sub(report.started_at));
    let practice = if report.is_practice { ", its coins have no value" } else { "" };
    let mut lines = vec![format!(
        "{}: {state} for {} (process {}, version {}{practice})",
        report.network,
        clock(runs),
        report.process,
        report.version,
    )];
    let age = now.saturating_sub(report.written_at);
    if age > OLD_SECONDS {
        lines.push(format!("  It has told nothing for {}; it may hang.", count(age, "second")));
    }
    for problem in &report.status.problems {
        lines.push(format!("  {}: {}", problem.code, problem.message));
        if !problem.details.is_empty() {
            lines.push(format!("        {}", problem.details));
        }
    }
    lines.push(format!("  Bitcoin   {}", report.rpc_url));
    lines.push(format!("  Miners    {}", report.stratum_url));
    lines.push(format!("  You       {}", report.payout_address));
    lines.extend(table(&report.status));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status_file::StatusWriter;
    use crate::status_file::tests::report;

    fn told(data_dir: &Path, json: bool) -> (u8, String) {
        let (mut out, mut answers) = (Vec::new(), &b""[..]);
        let args = StatusArgs { data_dir: Some(data_dir.into()), json };
        let code = status(&args, Console::new(&mut out, &mut answers)).unwrap();
        (code, String::from_utf8(out).unwrap())
    }

    #[test]
    fn nothing_runs_where_nothing_was_started() {
        let folder = tempfile::tempdir().unwrap();
        for data_dir in [folder.path().to_owned(), folder.path().join("none")] {
            let (code, text) = told(&data_dir, false);
            assert_eq!(code, EXIT_NOT_RUNNING);
            assert!(text.starts_with("Not running: "), "{text}");
        }
        assert_eq!(told(folder.path(), true), (EXIT_NOT_RUNNING, String::new()));
    }

    #[test]
    fn every_node_of_the_folder_is_told_with_its_problems() {
        let folder = tempfile::tempdir().unwrap();
        let mut writers = Vec::new();
        for (place, network) in [("bitcoin", "bitcoin"), ("practice/pool-1", "pool-1")] {
            let node = folder.path().join(place);
            fs::create_dir_all(&node).unwrap();
            let mut writer = StatusWriter::open(&node).unwrap();
            writer.write(&report(network));
            writers.push(writer);
        }
        let (code, text) = told(folder.path(), false);
        assert_eq!(code, 0);
        for part in ["bitcoin: mining for 0:01:05 (process 7", "pool-1: ", "P-09: ", "7 mine"] {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
        let (_, json) = told(folder.path(), true);
        let values: Vec<Report> =
            json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(values.len(), 2);
    }

    #[test]
    fn a_node_that_says_nothing_any_more_is_pointed_out() {
        let report = report("bitcoin");
        let text = |now| lines(&report, now).join("\n");
        assert!(!text(report.written_at + OLD_SECONDS).contains("may hang"));
        assert!(text(report.written_at + OLD_SECONDS + 1).contains("61 seconds; it may hang"));
    }
}

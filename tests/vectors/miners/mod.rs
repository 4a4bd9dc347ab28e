//! Transcripts between a pool and its miners: heard by our client, checked against the chain and
//! the templates of the run, and played again with our server.

mod again;
mod answers;
mod found;
mod payouts;
mod talk;
mod told;
mod work;

use std::path::Path;

use serde_json::Value;

use self::payouts::{Parent, Payouts};
use self::talk::Talk;
use self::told::Told;
use crate::cases::{Cases, same};
use crate::history::{Histories, History};
use crate::read::Read;

/// Checks a `live/*_stratum`.
pub(crate) fn check(
    doc: &Value,
    path: &Path,
    histories: &mut Histories,
    cases: &mut Cases,
) -> Result<(), String> {
    let params = histories.params_of(path)?;
    let told = Told::of_run(path, &params)?;
    let mut talks = Vec::new();
    for session in doc.list("sessions")? {
        let name = session.text("name")?;
        let talk = Talk::hear(session, cases)?;
        again::check(name, &talk, cases);
        talks.push((name, talk));
    }
    let Some(history) = histories.of(path)? else { return Ok(()) };
    let parents = jobs(path, &talks, &told, history, cases);
    for ((name, talk), parents) in talks.iter().zip(parents) {
        for submit in &talk.submits {
            let parent = submit.job.and_then(|job| parents[job]);
            let name = format!("{name} submit {}", submit.id);
            cases.run(&name, || found::check(submit, talk, parent, &told, history));
        }
        cases.run(&format!("{name} shares"), || found::all(talk, path, history));
    }
    Ok(())
}

/// Checks all jobs; returns what each session's build on.
fn jobs(
    path: &Path,
    talks: &[(&str, Talk)],
    told: &Told,
    history: &mut History,
    cases: &mut Cases,
) -> Vec<Vec<Option<Parent>>> {
    let mut all = Vec::new();
    let mut lost = Vec::new();
    let mut strays = Vec::new();
    for (name, talk) in talks {
        let mut parents = Vec::new();
        for job in &talk.jobs {
            cases.run(&format!("{name} job {}", job.id), || {
                work::check(&job.work.notify, told, history)
            });
        }
        let mut payouts = Payouts::new(path, history, told);
        for job in &talk.jobs {
            let name = format!("{name} payouts of job {}", job.id);
            let found = payouts.parent(job, talk);
            parents.push(found.clone().unwrap_or_default());
            match found {
                Ok(None) if told.has_pages() => strays.push((name, talk, job)),
                // It may pay the node's owner, of whom nothing is known.
                Ok(None) => {}
                found => cases.run(&name, || found.map(drop)),
            }
        }
        let found = talk.submits.iter().filter_map(|submit| {
            payouts.lost(submit, talk, submit.job.and_then(|job| parents[job])?)
        });
        lost.extend(found);
        all.push(parents);
    }
    let mut payouts = Payouts::new(path, history, told);
    for (name, talk, job) in strays {
        cases.run(&name, || same("is demanded", &true, &payouts.is_above(&lost, job, talk)?));
    }
    all
}

//! Verifying and showing shares.

use p2pool_node::books::{
    Books, BooksReport, RecordedLine, ShareRecord, ShareView, WindowPlace, read_lines, show_share,
    store_files, verify_shares,
};
use p2pool_sharechain::address;

use super::args::{ShowArgs, VerifyArgs, Which};
use super::now;
use crate::failure::Failure;
use crate::output::say;
use p2pool_node::ProblemCode;

pub(super) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let (raw, bad_lines) = match &args.path {
        Some(path) => from_files(path)?,
        None => (from_database(&args.which)?, 0),
    };
    let report = verify_shares(raw.into_iter(), args.which.params(), now());
    say(&format!(
        "{} shares: {} verified, {} with too little history below them to be judged, {} faulty, \
         {} given twice; {bad_lines} lines not understood.",
        report.given, report.verified, report.unjudged, report.faulty, report.duplicates
    ))?;
    say(&format!(
        "{:.0} shares/s, {:.2} s in all.",
        report.shares_per_second(),
        report.took.as_secs_f64()
    ))?;
    if let Some((head, height)) = report.longest {
        say(&format!("Longest chain: {height} shares, head {head}."))?;
    }
    match &report.first_fault {
        None => Ok(()),
        Some(fault) => {
            let sentence = format!("Not every share is valid. First fault: {fault}.");
            Err(Failure::of_run(ProblemCode::EngineRestarted, sentence))
        }
    }
}

pub(super) fn show(args: &ShowArgs) -> Result<(), Failure> {
    let (mut report, books) = own_books(&args.which)?;
    let best = books.best()?.or(report.longest.map(|(head, _)| head));
    let bits = best
        .and_then(|best| report.tracker.get(best))
        .map(|share| share.share().header.bits)
        .ok_or_else(|| p2pool_node::books::BooksError::Unknown(args.digits.clone()))?;
    let view = show_share(&mut report.tracker, best, &args.digits, bits)?;
    print(&view, &args.which)
}

/// The own database, verified from scratch.
pub(super) fn own_books(which: &Which) -> Result<(BooksReport, Books), Failure> {
    let raw = from_database(which)?;
    let report = verify_shares(raw.into_iter(), which.params(), now());
    Ok((report, Books::open(&which.node_dir()?)?))
}

fn print(view: &ShareView, which: &Which) -> Result<(), Failure> {
    let record = ShareRecord::new(&view.share, which.params());
    let json = serde_json::to_string_pretty(&record).unwrap_or_default();
    say(&json)?;
    say(&match view.place {
        WindowPlace::OffChain => "Not in the best chain.".into(),
        WindowPlace::InWindow { depth, window } => {
            format!("In the payout window: {depth} of {window} shares lie above it.")
        }
        WindowPlace::Left { depth } => format!("Has left the payout window, {depth} shares deep."),
    })?;
    say(if view.is_verified { "Verified." } else { "Not verified." })?;
    let Some(generation) = &view.generation else {
        return say("Too little history is known below it to rebuild its coinbase.");
    };
    let digits: String = generation.iter().map(|byte| format!("{byte:02x}")).collect();
    say(&format!("Coinbase without witness: {digits}"))?;
    say("Outputs in order:")?;
    for output in &view.outputs {
        let payee = address::of_script(&output.script, true, &which.params().addresses);
        let script: String = output.script.iter().map(|byte| format!("{byte:02x}")).collect();
        let payee = payee.unwrap_or(script);
        say(&format!("{:>16} sats  {payee}", output.value_sats))?;
    }
    Ok(())
}

fn from_database(which: &Which) -> Result<Vec<Vec<u8>>, Failure> {
    let books = Books::open(&which.node_dir()?)?;
    let shares = books.shares().map(|stored| stored.map(|stored| stored.raw.to_vec()));
    Ok(shares.collect::<Result<_, _>>()?)
}

fn from_files(path: &std::path::Path) -> Result<(Vec<Vec<u8>>, u64), Failure> {
    let (mut raw, mut bad_lines) = (Vec::new(), 0);
    for file in store_files(path)? {
        read_lines(&file, |_, line| match line {
            Ok(RecordedLine::Share(bytes)) => raw.push(bytes),
            Ok(RecordedLine::Verified(_) | RecordedLine::Nothing) => {}
            Err(_) => bad_lines += 1,
        })?;
    }
    Ok((raw, bad_lines))
}

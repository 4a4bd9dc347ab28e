//! Shares out and in.

use std::io::{self, BufWriter, Write};

use p2pool_node::books::{Books, ShareRecord, import, raw_lines, store_files};
use p2pool_sharechain::CheckedShare;

use super::args::{ExportArgs, ImportArgs};
use super::now;
use crate::failure::Failure;
use crate::output::{say, unwritten};

pub(super) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let books = Books::open(&args.which.node_dir()?)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut left_out = 0_u64;
    for stored in books.shares() {
        let stored = stored?;
        let written = if args.raw {
            raw_lines(&mut out, &stored.raw, stored.hash, stored.verified)
        } else {
            match CheckedShare::parse(&stored.raw, args.which.params()) {
                Ok(share) => {
                    let record = ShareRecord::new(&share, args.which.params());
                    serde_json::to_writer(&mut out, &record)
                        .map_err(io::Error::from)
                        .and_then(|()| out.write_all(b"\n"))
                }
                Err(_) => {
                    left_out += 1;
                    Ok(())
                }
            }
        };
        written.map_err(|error| unwritten(&error))?;
    }
    out.flush().map_err(|error| unwritten(&error))?;
    if left_out > 0 {
        tracing::warn!(left_out, "shares that fail by themselves were left out");
    }
    Ok(())
}

pub(super) fn import_files(args: &ImportArgs) -> Result<(), Failure> {
    let files = store_files(&args.path)?;
    let report = import(&args.which.node_dir()?, args.which.params(), &files, now())?;
    say(&format!(
        "{} shares read from {} file(s): {} taken in, {} refused, {} lines not understood.",
        report.given,
        files.len(),
        report.stored,
        report.refused,
        report.bad_lines
    ))?;
    if let Some((path, line, reason)) = report.first_refused {
        say(&format!("The first refused one: {}, line {line}: {reason}.", path.display()))?;
    }
    say("The node checks their chain when it starts.")
}

//! Payout audit of one block.

use p2pool_node::ProblemCode;
use p2pool_node::books::{BlockAudit, audit_block};
use p2pool_sharechain::{ShareHash, address};

use super::args::{AuditArgs, Which};
use super::examine::own_books;
use crate::failure::Failure;
use crate::output::say;

pub(super) fn audit(args: &AuditArgs) -> Result<(), Failure> {
    let hash: ShareHash = args
        .hash
        .parse()
        .map_err(|error| Failure::bad_options(&format!("{:?}: {error}", args.hash)))?;
    let (mut report, books) = own_books(&args.which)?;
    let raw = match &args.block {
        Some(path) => from_hex_file(path)?,
        None => books.block(hash)?.ok_or_else(|| {
            failed("This node does not have the block itself. Give it with --block FILE.")
        })?,
    };
    let audit = audit_block(&mut report.tracker, &raw)
        .map_err(|error| failed(&format!("The block cannot be audited: {error}.")))?;
    if audit.block != hash {
        return Err(failed(&format!("The file holds another block, {}.", audit.block)));
    }
    print(&audit, &args.which)?;
    if audit.is_clean() {
        say("Every script got exactly what its shares demand.")
    } else {
        Err(failed("The block does not pay what its shares demand."))
    }
}

fn print(audit: &BlockAudit, which: &Which) -> Result<(), Failure> {
    say(&format!("Block {}", audit.block))?;
    say("        due sats         paid sats  payee")?;
    for check in &audit.payouts {
        let script: String = check.script.iter().map(|byte| format!("{byte:02x}")).collect();
        let payee =
            address::of_script(&check.script, true, &which.params().addresses).unwrap_or(script);
        let mark = if check.due_sats == check.paid_sats { "" } else { "  <- differs" };
        say(&format!("{:>16}  {:>16}  {payee}{mark}", check.due_sats, check.paid_sats))?;
    }
    say(&format!("Coinbase outputs sum to {} sats.", audit.coinbase_sats))?;
    let same = if audit.is_exact { "is the one" } else { "is not the one" };
    say(&format!("The coinbase's transaction id {same} that the shares demand."))
}

fn from_hex_file(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |reason: &str| failed(&format!("{} {reason}", path.display()));
    let text = std::fs::read_to_string(path)
        .map_err(|error| unreadable(&format!("cannot be read: {error}.")))?;
    let digits = text.trim();
    let pairs = digits.len() / 2;
    (0..pairs)
        .map(|at| digits.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect::<Option<Vec<u8>>>()
        .filter(|_| digits.len() % 2 == 0)
        .ok_or_else(|| unreadable("holds something else than hexadecimal digits."))
}

fn failed(sentence: &str) -> Failure {
    Failure::of_run(ProblemCode::BlockRejected, sentence.to_owned())
}

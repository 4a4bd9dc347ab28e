//! The schema, as a row of numbered steps. `PRAGMA user_version` says how many were taken.

use rusqlite::{Connection, TransactionBehavior};

/// Step `n` turns a database of schema `n` into one of schema `n + 1`. Steps are never changed
/// once released: what is wrong is put right by a later one.
const STEPS: [&str; 6] = [
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
    include_str!("../migrations/0003.sql"),
    include_str!("../migrations/0004.sql"),
    include_str!("../migrations/0005.sql"),
    include_str!("../migrations/0006.sql"),
];

/// The schema that this version writes.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

/// Marks the file as ours; set by the first step.
pub(crate) const APPLICATION_ID: i32 = 0x5032_5044;

/// Takes the steps that are missing, each in a transaction of its own.
pub(crate) fn migrate(conn: &mut Connection, from: u32) -> rusqlite::Result<()> {
    for (number, step) in (1_u32..).zip(STEPS).skip(from as usize) {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Schema number of a database, zero for an empty one.
pub(crate) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

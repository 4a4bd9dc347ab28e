//! The manual page says what the program understands.

use std::path::Path;
use std::{env, fs};

use clap::CommandFactory as _;
use p2pool_miner::options::Options;

/// `P2POOL_WRITE_MAN=1 cargo test` writes the page anew.
#[test]
fn manual_page_is_up_to_date() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../installer/linux/man");
    let fresh = tempfile::tempdir().expect("a folder can be made");
    clap_mangen::generate_to(Options::command(), fresh.path()).expect("a page can be written");
    let name = "p2pool-miner.1";
    let page = fs::read_to_string(fresh.path().join(name)).expect("there is a page");
    if env::var_os("P2POOL_WRITE_MAN").is_some() {
        fs::write(committed.join(name), &page).expect("the folder is there");
    }
    let old = fs::read_to_string(committed.join(name)).unwrap_or_default();
    assert_eq!(old, page, "P2POOL_WRITE_MAN=1 cargo test --test man_page writes it anew");
}

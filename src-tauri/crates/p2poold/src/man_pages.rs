//! The manual pages say what the program understands.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use clap::CommandFactory as _;

use crate::args::Cli;

/// All pages of a folder that are about this program.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("an entry can be read").path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let text = fs::read_to_string(&path).expect("pages are text");
            (name.starts_with("p2poold") && name.ends_with(".1")).then_some((name, text))
        })
        .collect()
}

/// `P2POOL_WRITE_MAN=1 cargo test` writes the pages anew.
#[test]
fn manual_pages_are_up_to_date() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../installer/linux/man");
    let fresh = tempfile::tempdir().expect("a folder can be made");
    clap_mangen::generate_to(Cli::command(), fresh.path()).expect("pages can be written");
    let pages_now = pages(fresh.path());
    assert!(pages_now.contains_key("p2poold.1") && pages_now.contains_key("p2poold-run.1"));
    if env::var_os("P2POOL_WRITE_MAN").is_some() {
        for name in pages(&committed).keys() {
            fs::remove_file(committed.join(name)).expect("it was there");
        }
        for (name, page) in &pages_now {
            fs::write(committed.join(name), page).expect("the folder is there");
        }
    }
    let old = pages(&committed);
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&old), names(&pages_now), "P2POOL_WRITE_MAN=1 writes them anew");
    for (name, page) in &pages_now {
        assert_eq!(old.get(name), Some(page), "{name}: P2POOL_WRITE_MAN=1 writes it anew");
    }
}

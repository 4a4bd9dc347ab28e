use super::*;
use crate::local::fixture::{Fixture, NOON, login, wish};
use crate::local::plan::{LoginStyle, Plan, plan, undo};

fn change(fixture: &Fixture) -> Change {
    match plan(&fixture.node(), &wish(LoginStyle::RpcAuth, &login())) {
        Ok(Plan::Write(change)) => change,
        other => panic!("{other:?}"),
    }
}

/// Names in the folder, sorted.
fn names(fixture: &Fixture) -> Vec<String> {
    let entries = fs::read_dir(fixture.folder()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const COPY: &str = "bitcoin.conf.P2Pool-Desktop-backup-20261122-140501";

#[test]
fn a_copy_of_the_old_file_stays_and_nothing_else() {
    let fixture = Fixture::with_conf("a=1\n");
    let applied = apply(&change(&fixture), NOON).unwrap();
    assert_eq!(applied.path, fixture.conf());
    assert_eq!(applied.backup, Some(fixture.path(COPY)));
    assert_eq!(fs::read_to_string(fixture.path(COPY)).unwrap(), "a=1\n");
    assert_eq!(names(&fixture), ["bitcoin.conf".to_owned(), COPY.into()]);
    let second = apply(&undo(&fixture.node()).unwrap().unwrap(), NOON).unwrap();
    assert_eq!(second.backup, Some(fixture.path(&format!("{COPY}-2"))));
}

#[test]
fn without_a_copy_nothing_is_written() {
    let mut fixture = Fixture::with_conf("a=1\n").file(COPY, "");
    for number in 2..=COPIES_MAX {
        fixture = fixture.file(&format!("{COPY}-{number}"), "");
    }
    let error = apply(&change(&fixture), NOON).unwrap_err();
    assert!(matches!(error, ApplyError::BackupFailed { .. }) && error.code() == "C-02");
    assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), "a=1\n");
}

#[test]
fn a_file_changed_after_the_review_is_left_alone() {
    let fixture = Fixture::with_conf("a=1\n");
    let change = change(&fixture);
    for meanwhile in ["a=2\n", "a=1\n\n", ""] {
        fs::write(fixture.conf(), meanwhile).unwrap();
        let error = apply(&change, NOON).unwrap_err();
        assert_eq!(error.code(), "C-03");
        assert_eq!(error, ApplyError::ChangedMeanwhile { path: fixture.conf() });
        assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), meanwhile);
    }
    fs::remove_file(fixture.conf()).unwrap();
    assert_eq!(apply(&change, NOON).unwrap_err().code(), "C-03");
    assert_eq!(names(&fixture), [""; 0]);

    let empty = Fixture::new();
    let change = self::change(&empty);
    fs::write(empty.conf(), "a=1\n").unwrap();
    assert_eq!(apply(&change, NOON).unwrap_err().code(), "C-03");
}

#[test]
fn what_was_not_kept_is_put_back() {
    let fixture = Fixture::with_conf("a=1\n");
    let error = apply_with(&change(&fixture), NOON, |_| Ok(Some(vec![]))).unwrap_err();
    let backup = Some(fixture.path(COPY));
    let path = fixture.conf();
    assert_eq!(error.code(), "C-04");
    assert_eq!(error, ApplyError::VerifyFailed { path, is_restored: true, backup });
    assert_eq!(fs::read_to_string(fixture.conf()).unwrap(), "a=1\n");

    let broken = |_: &Path| Err(io::Error::other("broken disk"));
    let empty = Fixture::new();
    let error = apply_with(&change(&empty), NOON, broken).unwrap_err();
    assert!(matches!(error, ApplyError::VerifyFailed { is_restored: true, backup: None, .. }));
    assert!(!empty.conf().exists());
}

/// The words why, and the lines to add by hand.
fn refused(fixture: &Fixture, change: &Change) -> String {
    let error = apply(change, NOON).unwrap_err();
    assert_eq!(error.code(), "C-01");
    let ApplyError::NotWritable { reason, lines, .. } = error else { panic!("{error:?}") };
    assert_eq!(lines.as_slice().len(), 3, "{}", fixture.folder().display());
    reason
}

#[test]
fn a_file_marked_as_read_only_is_left_alone() {
    let fixture = Fixture::with_conf("a=1\n");
    let change = change(&fixture);
    let mut rights = fs::metadata(fixture.conf()).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(fixture.conf(), rights).unwrap();
    assert_eq!(refused(&fixture, &change), "it is marked as read-only");
    assert_eq!(names(&fixture), ["bitcoin.conf"]);
}

#[test]
fn a_folder_that_is_gone_is_told() {
    let fixture = Fixture::new();
    let change = change(&fixture);
    fs::remove_dir(fixture.folder()).unwrap();
    refused(&fixture, &change);
    assert!(!fixture.folder().exists());
}

#[test]
fn a_folder_in_place_of_the_file_is_left_alone() {
    let fixture = Fixture::new();
    let change = change(&fixture);
    fs::create_dir(fixture.conf()).unwrap();
    refused(&fixture, &change);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn rights_stay_and_what_we_make_is_private() {
        let fixture = Fixture::with_conf("a=1\n");
        fs::set_permissions(fixture.conf(), fs::Permissions::from_mode(0o640)).unwrap();
        apply(&change(&fixture), NOON).unwrap();
        assert_eq!((mode(&fixture.conf()), mode(&fixture.path(COPY))), (0o640, 0o600));

        let empty = Fixture::new();
        apply(&change(&empty), NOON).unwrap();
        assert_eq!(mode(&empty.conf()), 0o600);
    }

    #[test]
    fn the_owner_stays() {
        let fixture = Fixture::with_conf("a=1\n");
        if chown(fixture.conf(), Some(12345), Some(23456)).is_err() {
            eprintln!("skipped: only an administrator can give files away");
            return;
        }
        apply(&change(&fixture), NOON).unwrap();
        for path in [fixture.conf(), fixture.path(COPY)] {
            let metadata = fs::metadata(path).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (12345, 23456));
        }
    }

    #[test]
    fn a_link_stays_a_link_and_the_file_behind_it_is_changed() {
        let real = Fixture::new().file("mine.conf", "a=1\n");
        let fixture = Fixture::new();
        symlink(real.path("mine.conf"), fixture.path("between")).unwrap();
        symlink(fixture.path("between"), fixture.conf()).unwrap();
        let applied = apply(&change(&fixture), NOON).unwrap();
        assert_eq!(applied.path.file_name().unwrap(), "mine.conf");
        assert!(fs::symlink_metadata(fixture.conf()).unwrap().is_symlink());
        let text = fs::read_to_string(real.path("mine.conf")).unwrap();
        assert!(text.starts_with("a=1\n# --- added by"), "{text}");
        let copy = applied.backup.unwrap();
        assert_eq!(copy.file_name().unwrap(), COPY.replace("bitcoin", "mine").as_str());
        assert_eq!(names(&fixture), ["between", "bitcoin.conf"]);

        apply(&undo(&fixture.node()).unwrap().unwrap(), NOON).unwrap();
        assert_eq!(fs::read_to_string(real.path("mine.conf")).unwrap(), "a=1\n");
    }

    #[test]
    fn a_link_to_nowhere_is_left_alone() {
        let fixture = Fixture::new();
        symlink("/no/such/file", fixture.conf()).unwrap();
        let reason = refused(&fixture, &change(&fixture));
        assert!(reason.contains("a link to a file that is not there"), "{reason}");
    }

    #[test]
    fn a_leftover_of_a_dead_process_is_in_nobodys_way() {
        let name = format!("bitcoin.conf.{PRODUCT}-{}.tmp", std::process::id());
        let fixture = Fixture::with_conf("a=1\n").file(&name, "half");
        apply(&change(&fixture), NOON).unwrap();
        assert_eq!(names(&fixture), ["bitcoin.conf".to_owned(), COPY.into()]);
    }
}

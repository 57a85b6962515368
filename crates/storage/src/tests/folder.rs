//! What only folders can do wrong.

use std::{fs, io};

use super::{super::*, chain, keys};

fn open(path: &std::path::Path) -> Storage {
    Storage::open(path.to_str().unwrap(), &StorageOptions::default()).unwrap()
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(&folder.path().join("scans"));
    let error = storage.list().unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    assert_eq!(
        error.to_string(),
        format!("{} does not exist: check the name", storage.uri())
    );
}

#[test]
fn a_file_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("labels.csv"), "").unwrap();
    let error = open(&folder.path().join("labels.csv")).list().unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a file, not a folder: name a folder"),
        "{error}"
    );
    assert!(
        open(&folder.path().join("labels.csv/run"))
            .put("a", "x")
            .is_err()
    );
    assert!(
        open(folder.path())
            .at("labels.csv")
            .unwrap()
            .get("a", 9)
            .is_err()
    );
}

#[test]
fn what_a_killed_put_left_is_no_object() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    storage.put("weights", "old").unwrap();
    fs::write(folder.path().join("weights#1"), "ha").unwrap();
    assert_eq!(keys(&storage), ["weights"]);
    storage.put("weights", "new").unwrap();
    assert_eq!(storage.get("weights", 9).unwrap(), b"new");
    assert!(matches!(
        storage.get("weights#1", 9),
        Err(Error::InvalidKey { .. })
    ));
}

#[test]
fn a_reader_never_sees_half_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    let contents = [vec![1_u8; 300_000], vec![2_u8; 500_000]];
    storage.put("table", contents[0].clone()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..40 {
                storage.put("table", contents[round % 2].clone()).unwrap();
            }
        });
        while !writer.is_finished() {
            let read = storage.get("table", 1 << 20).unwrap();
            assert!(contents.contains(&read));
        }
    });
}

#[test]
fn links_are_followed_and_other_names_are_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let (scans, archive) = (folder.path().join("scans"), folder.path().join("archive"));
    fs::create_dir_all(&scans).unwrap();
    fs::create_dir_all(&archive).unwrap();
    fs::write(archive.join("a.dcm"), "1").unwrap();
    std::os::unix::fs::symlink(&archive, scans.join("2012")).unwrap();
    fs::write(scans.join(".DS_Store"), "1").unwrap();
    fs::create_dir(scans.join(".cache")).unwrap();
    fs::write(scans.join(".cache/b.dcm"), "1").unwrap();
    assert_eq!(keys(&open(&scans)), ["2012/a.dcm"]);
}

/// The names of what cannot be had, with the word for it, sorted.
fn unreadable(storage: &Storage) -> Vec<(String, &'static str)> {
    let listed = storage.list().unwrap();
    let unreadable = listed.filter_map(|listed| match listed.unwrap() {
        Listed::Object(_) => None,
        Listed::Unreadable(object) => Some((object.name, object.error.of_one_object().unwrap())),
    });
    let mut unreadable: Vec<_> = unreadable.collect();
    unreadable.sort();
    unreadable
}

#[test]
fn a_link_that_leads_nowhere_or_in_a_circle_costs_itself_alone() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let scans = folder.path();
    fs::create_dir(scans.join("2012")).unwrap();
    for name in ["2012/a.dcm", "z.dcm"] {
        fs::write(scans.join(name), "scan").unwrap();
    }
    symlink("nowhere", scans.join("2012/broken.dcm")).unwrap();
    symlink("itself", scans.join("itself")).unwrap();
    symlink(scans, scans.join("2012/back")).unwrap();
    symlink("nowhere", scans.join(".hidden")).unwrap();
    let storage = open(scans).foreign();
    let expected = [
        ("2012/back", "link-loop"),
        ("2012/broken.dcm", "broken-link"),
        ("itself", "link-loop"),
    ];
    let expected = expected.map(|(name, word)| (name.to_owned(), word));
    assert_eq!(unreadable(&storage), expected);
    assert_eq!(keys(&storage).len(), 2 + expected.len());
}

#[test]
fn any_name_that_an_archive_gives_its_files_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "100%25.dcm",
        "50 %?",
        "IM#12",
        "Köln",
        "a b/IM#1",
        "a\\b",
        "c&d=e+f",
    ];
    fs::create_dir(folder.path().join("a b")).unwrap();
    for name in names {
        fs::write(folder.path().join(name), name).unwrap();
    }
    let storage = open(folder.path()).foreign();
    assert_eq!(keys(&storage), names);
    for listed in storage.list().unwrap() {
        let Listed::Object(object) = listed.unwrap() else {
            continue;
        };
        assert_eq!(
            storage.get_listed(&object, 99).unwrap(),
            object.key.as_bytes()
        );
    }
    assert!(!keys(&open(folder.path())).contains(&"IM#12".to_owned()));
}

#[test]
fn a_file_that_has_changed_since_it_was_listed_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.dcm"), "scan").unwrap();
    let storage = open(folder.path()).foreign();
    let Some(Ok(Listed::Object(object))) = storage.list().unwrap().next() else {
        unreachable!("an object");
    };
    for changed in ["sca", "scans"] {
        fs::write(folder.path().join("a.dcm"), changed).unwrap();
        let error = storage.get_listed(&object, 99).unwrap_err();
        assert!(matches!(error, Error::WrongAnswer { .. }), "{error:?}");
    }
    fs::remove_file(folder.path().join("a.dcm")).unwrap();
    let error = storage.get_listed(&object, 99).unwrap_err();
    assert_eq!(error.of_one_object(), Some("gone"));
}

/// `ATTRIUM_TEST_SMALL_DISK` names an empty folder on a file system of less than 16 MiB.
#[test]
#[ignore = "needs a small disk, which tests/cluster/run has"]
fn a_full_disk_is_told_of_and_leaves_no_object() {
    let path = std::env::var("ATTRIUM_TEST_SMALL_DISK").expect("should name a small disk");
    let storage = open(std::path::Path::new(&path)).at("run").unwrap();
    let error = storage.put("weights", vec![1; 16 << 20]).unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    let pieces = (0..64).map(|_| Ok::<_, io::Error>(vec![1; 1 << 20]));
    let error = storage.put_chunks("weights", pieces).unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert!(keys(&storage).is_empty());
}

#[test]
fn the_systems_answers_become_the_errors_they_mean() {
    let told = |kind: io::ErrorKind| {
        let source = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io::Error::from(kind)),
        };
        Error::at("file:///run/weights".to_owned(), source)
    };
    assert!(matches!(
        told(io::ErrorKind::StorageFull),
        Error::Full { .. }
    ));
    assert!(matches!(
        told(io::ErrorKind::QuotaExceeded),
        Error::Full { .. }
    ));
    assert!(matches!(
        told(io::ErrorKind::PermissionDenied),
        Error::Denied { .. }
    ));
    assert!(matches!(
        told(io::ErrorKind::ReadOnlyFilesystem),
        Error::Denied { .. }
    ));
    assert!(matches!(
        told(io::ErrorKind::IsADirectory),
        Error::WrongKind { .. }
    ));
    assert!(told(io::ErrorKind::TimedOut).is_transient());
    assert!(!told(io::ErrorKind::StorageFull).is_transient());
    let full = chain(&told(io::ErrorKind::StorageFull));
    assert!(
        full.starts_with("no space is left for file:///run/weights: free some"),
        "{full}"
    );
}

#[test]
fn a_foreign_place_names_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path()).foreign();
    let missing = storage.get("Doe^John.dcm", 9).unwrap_err();
    let outside = storage.get("Doe^John/../x", 9).unwrap_err();
    storage.put("Doe", "1234").unwrap();
    let large = storage.get("Doe", 3).unwrap_err();
    for error in [missing, outside, large] {
        let text = chain(&error);
        assert!(!text.contains("Doe"), "{text}");
        assert!(text.contains(&storage.uri()), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_whose_name_is_not_utf_8_costs_itself_alone() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path());
    for name in ["a.dcm", "z.dcm"] {
        storage.put(name, "scan").unwrap();
    }
    let name = folder.path().join(OsStr::from_bytes(b"K\xF6ln.dcm"));
    fs::write(name, "scan").unwrap();

    let expected = [("K\\xF6ln.dcm".to_owned(), "impossible-key")];
    assert_eq!(unreadable(&storage), expected);
    assert_eq!(keys(&storage), ["K\\xF6ln.dcm", "a.dcm", "z.dcm"]);
}

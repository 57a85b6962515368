//! What only folders can do wrong.

use std::collections::BTreeSet;
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
    std::os::unix::fs::symlink(scans.join("nowhere"), scans.join("broken")).unwrap();
    fs::write(scans.join(".DS_Store"), "1").unwrap();
    assert_eq!(keys(&open(&scans)), ["2012/a.dcm"]);
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
fn a_storage_that_hides_its_keys_names_none() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path()).hiding_keys();
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

    let (named, nameless): (Vec<_>, Vec<_>) = storage.list().unwrap().partition(Result::is_ok);
    let named: BTreeSet<_> = named
        .into_iter()
        .map(|object| object.unwrap().key)
        .collect();
    assert_eq!(named, BTreeSet::from(["a.dcm", "z.dcm"].map(str::to_owned)));
    let errors: Vec<_> = nameless.into_iter().map(Result::unwrap_err).collect();
    assert!(
        matches!(errors[..], [Error::InvalidKey { .. }]),
        "{errors:?}"
    );
}

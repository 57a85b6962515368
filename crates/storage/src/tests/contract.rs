//! The contract that every store keeps.

use std::io::{self, Read};
use std::time::Duration;

use super::{super::*, keys};

const LIMIT: u64 = 64 << 20;

#[test]
fn memory_keeps_the_contract() {
    check(&Storage::memory());
}

#[test]
fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let uri = folder
        .path()
        .join("a folder/Köln")
        .to_str()
        .unwrap()
        .to_owned();
    let storage = Storage::open(&uri, &StorageOptions::default()).unwrap();
    check(&storage);
    its_uri_is_its_name(&storage.at("uri").unwrap());
}

/// `ATTRIUM_TEST_BUCKET` names a prefix, such as `s3://test/prefix`, that is empty and may be filled;
/// the credentials and the endpoint come from the environment too (`AWS_ENDPOINT_URL`, ...).
#[test]
#[ignore = "needs a bucket, which tests/cluster/run has"]
fn a_bucket_keeps_the_contract() {
    let uri = std::env::var("ATTRIUM_TEST_BUCKET").expect("should name a bucket");
    let options = StorageOptions {
        session: Session::default().with_patience(Duration::from_secs(1)),
        ..StorageOptions::default()
    };
    let storage = Storage::open(&uri, &options).unwrap();
    check(&storage);
    its_uri_is_its_name(&storage.at("uri").unwrap());
}

fn check(storage: &Storage) {
    what_is_not_there_is_not_found(&storage.at("missing").unwrap());
    what_is_put_is_read(&storage.at("put").unwrap());
    an_object_is_made_once(&storage.at("once").unwrap());
    a_version_is_replaced_once(&storage.at("version").unwrap());
    a_list_stays_below_its_prefix(&storage.at("list").unwrap());
    folders_are_named_without_what_is_in_them(&storage.at("folders").unwrap());
    no_key_leads_out(&storage.at("keys").unwrap());
    pieces_make_an_object(&storage.at("pieces").unwrap());
    an_abandoned_object_leaves_nothing(&storage.at("abandoned").unwrap());
    plain_threads_may_share_it(&storage.at("threads").unwrap());
}

fn what_is_not_there_is_not_found(storage: &Storage) {
    let error = storage.get("a.csv", LIMIT).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(&storage.uri_of("a.csv").unwrap()),
        "{error}"
    );
    assert!(matches!(storage.read("a.csv"), Err(Error::NotFound { .. })));
    assert_eq!(storage.try_get("a.csv", LIMIT).unwrap(), None);
    assert!(!storage.exists("a.csv").unwrap());
    storage.delete("a.csv").unwrap();
}

fn what_is_put_is_read(storage: &Storage) {
    for key in [
        "a.csv",
        "run 1/fold-0/weights",
        "Köln/50 %/a%20b.dcm",
        "x/y=z+1&2.dcm",
        "a.csv#x",
    ] {
        storage.put(key, key).unwrap();
        assert_eq!(storage.get(key, LIMIT).unwrap(), key.as_bytes(), "{key}");
        assert!(storage.exists(key).unwrap(), "{key}");
    }
    storage.put("a.csv", "another").unwrap();
    assert_eq!(storage.get("a.csv", 7).unwrap(), b"another");
    assert!(matches!(
        storage.get("a.csv", 6),
        Err(Error::TooLarge {
            size: 7,
            limit: 6,
            ..
        })
    ));
    storage.put("empty", "").unwrap();
    assert_eq!(storage.get("empty", 0).unwrap(), b"");
    storage.delete("a.csv").unwrap();
    assert!(!storage.exists("a.csv").unwrap());
}

fn an_object_is_made_once(storage: &Storage) {
    storage.delete("done").unwrap();
    storage.put_if_absent("done", "first").unwrap();
    let error = storage.put_if_absent("done", "second").unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    assert_eq!(storage.get("done", LIMIT).unwrap(), b"first");
}

fn a_version_is_replaced_once(storage: &Storage) {
    storage.put("marker", "first").unwrap();
    let (bytes, first) = storage.get_version("marker", LIMIT).unwrap();
    assert_eq!(bytes, b"first");
    let replaced = plain_threads_replace(storage, &first);
    assert_eq!(replaced, 1, "one of four may replace a version");
    let (_, second) = storage.get_version("marker", LIMIT).unwrap();
    assert_ne!(second, first);
    storage.delete("marker").unwrap();
    let error = storage.put_if_unchanged("marker", "third", &second);
    assert!(error.is_err(), "what was taken away is not brought back");
    assert!(!storage.exists("marker").unwrap());
}

/// How many of four threads replace a version.
fn plain_threads_replace(storage: &Storage, version: &Version) -> usize {
    let replace = |number: u8| match storage.put_if_unchanged("marker", vec![number; 5], version) {
        Ok(()) => {
            assert_eq!(storage.get("marker", LIMIT).unwrap(), [number; 5]);
            1
        }
        Err(Error::AlreadyExists { .. }) => 0,
        Err(error) => panic!("{error:?}"),
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|it| scope.spawn(move || replace(it))).collect();
        let replaced = threads.into_iter().map(|it| it.join().unwrap());
        replaced.sum()
    })
}

fn a_list_stays_below_its_prefix(storage: &Storage) {
    for key in [
        "in/a",
        "in/b/c d",
        "in/b/é",
        "in/.hidden",
        "in/.git/config",
        "in2/x",
        "out",
    ] {
        storage.put(key, "1234").unwrap();
    }
    let inside = storage.at("in").unwrap();
    assert_eq!(keys(&inside), ["a", "b/c d", "b/é"]);
    assert!(
        inside
            .list()
            .unwrap()
            .all(|object| matches!(object.unwrap(), Listed::Object(object) if object.size == 4))
    );
    for listed in inside.list().unwrap() {
        let Listed::Object(object) = listed.unwrap() else {
            continue;
        };
        assert_eq!(inside.get(&object.key, LIMIT).unwrap(), b"1234");
        assert_eq!(inside.get_listed(&object, LIMIT).unwrap(), b"1234");
        let too_large = inside.get_listed(&object, 3);
        assert!(matches!(too_large, Err(Error::TooLarge { .. })));
        let other = ObjectMeta { size: 5, ..object };
        let changed = inside.get_listed(&other, LIMIT);
        assert!(matches!(changed, Err(Error::WrongAnswer { .. })));
    }
}

fn folders_are_named_without_what_is_in_them(storage: &Storage) {
    assert_eq!(storage.folders().unwrap(), [""; 0]);
    for key in ["b/deep/er", "a/one", "a/two", "file"] {
        storage.put(key, b"x".to_vec()).unwrap();
    }
    assert_eq!(storage.folders().unwrap(), ["a", "b"]);
    assert_eq!(storage.at("b").unwrap().folders().unwrap(), ["deep"]);
}

fn no_key_leads_out(storage: &Storage) {
    for key in [
        "..",
        "../put/a",
        "a/../../put/empty",
        "/etc/passwd",
        "",
        ".",
        "a//b",
    ] {
        let refused = |result: Result<(), Error>| {
            assert!(
                matches!(result, Err(Error::InvalidKey { .. })),
                "{key:?}: {result:?}"
            );
        };
        refused(storage.get(key, LIMIT).map(drop));
        refused(storage.put(key, "x"));
        refused(storage.put_if_absent(key, "x"));
        refused(storage.delete(key));
        refused(storage.exists(key).map(drop));
        refused(storage.at(key).map(drop));
    }
}

fn pieces_make_an_object(storage: &Storage) {
    let piece = |number: u32| number.to_le_bytes().repeat(16 << 10);
    let pieces = (0..300).map(|number| Ok::<_, io::Error>(piece(number)));
    storage.put_chunks("large", pieces).unwrap();
    let whole: Vec<u8> = (0..300).flat_map(piece).collect();
    assert!(storage.get("large", LIMIT).unwrap() == whole);

    let mut reader = storage.read("large").unwrap();
    let mut read = Vec::new();
    let mut some = vec![0; 100_000];
    loop {
        match reader.read(&mut some).unwrap() {
            0 => break,
            count => read.extend_from_slice(&some[..count]),
        }
    }
    assert!(read == whole);

    let bytes = vec![7; 40 << 20];
    storage.put("larger", bytes.clone()).unwrap();
    assert!(storage.get("larger", LIMIT).unwrap() == bytes);
    storage
        .put_chunks("empty", std::iter::empty::<Result<_, io::Error>>())
        .unwrap();
    assert_eq!(storage.get("empty", LIMIT).unwrap(), b"");
}

fn an_abandoned_object_leaves_nothing(storage: &Storage) {
    storage.put("old", "old").unwrap();
    for key in ["old", "new"] {
        let good = (0..20).map(|_| Ok(vec![1; 1 << 20]));
        let pieces = good.chain([Err(io::Error::other("the source failed"))]);
        let error = storage.put_chunks(key, pieces).unwrap_err();
        assert!(matches!(error, Error::Abandoned { .. }), "{error:?}");
    }
    assert_eq!(keys(storage), ["old"]);
    assert_eq!(storage.get("old", LIMIT).unwrap(), b"old");
}

fn plain_threads_may_share_it(storage: &Storage) {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};
    (0..32).into_par_iter().for_each(|number| {
        let storage = storage.clone();
        storage
            .put(&format!("{number}"), vec![number; 1000])
            .unwrap();
        assert_eq!(
            storage.get(&format!("{number}"), LIMIT).unwrap(),
            vec![number; 1000]
        );
    });
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(keys(storage).len(), 32));
    });
}

/// A store in memory has no URI that it can be opened by.
fn its_uri_is_its_name(storage: &Storage) {
    storage.put("a b/50%", "here").unwrap();
    let uri = storage.uri_of("a b/50%").unwrap();
    let (folder, key) = Storage::open_object(&uri, &StorageOptions::default()).unwrap();
    assert_eq!(key, "50%");
    assert_eq!(folder.uri(), storage.at("a b").unwrap().uri());
    assert_eq!(folder.get(&key, LIMIT).unwrap(), b"here");
}

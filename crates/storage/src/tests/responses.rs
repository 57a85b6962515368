//! How the responses of a bucket's server become errors, and which of them are believed.

use std::net::TcpListener;
use std::time::Duration;

use attrium_fixtures::{Bucket, Fault, Request};

use super::{super::*, chain};

/// A bucket as it is opened with so much patience.
fn open(bucket: &Bucket, prefix: &str, patience: Duration) -> Storage {
    at(bucket.endpoint(), prefix, patience)
}

fn at(endpoint: &str, prefix: &str, patience: Duration) -> Storage {
    let options = StorageOptions {
        endpoint: Some(endpoint.to_owned()),
        allow_http: true,
        session: Session::default().unsigned().with_patience(patience),
        ..StorageOptions::default()
    };
    Storage::open(&format!("s3://bucket/{prefix}"), &options).unwrap()
}

/// A bucket that answers every request for an object by its key: `404-NoSuchKey` and so on.
fn told(key: &'static str) -> Error {
    let bucket = Bucket::new();
    bucket.fail(move |_| {
        let (status, code) = key.split_once('-')?;
        Some(Fault::Error(status.parse().ok()?, code))
    });
    open(&bucket, "", Duration::ZERO).get(key, 9).unwrap_err()
}

#[test]
fn a_servers_answers_become_the_errors_they_mean() {
    for (answer, meaning) in [
        ("404-NoSuchKey", "NotFound"),
        ("404-NoSuchBucket", "NoBucket"),
        ("403-AccessDenied", "Denied"),
        ("401-Unauthorized", "Denied"),
        ("400-InvalidToken", "Denied"),
        ("400-ExpiredToken", "Expired"),
        ("403-RequestTimeTooSkewed", "Skewed"),
        ("507-XMinioStorageFull", "Full"),
        ("503-SlowDown", "Throttled"),
        ("429-TooManyRequests", "Throttled"),
        ("500-InternalError", "Unreachable"),
        ("501-NotImplemented", "Unsupported"),
        ("301-PermanentRedirect", "Configuration"),
        ("400-AuthorizationHeaderMalformed", "Other"),
    ] {
        let error = format!("{:?}", told(answer));
        let variant = error.split(' ').next();
        assert_eq!(variant, Some(meaning), "{answer}");
    }
    let text = chain(&told("500-InternalError"));
    assert!(
        text.contains("s3://bucket/500-InternalError cannot be reached"),
        "{text}"
    );
    assert!(
        text.contains("the store answered InternalError with HTTP status 500"),
        "{text}"
    );
}

#[test]
fn a_servers_answer_is_told_without_the_key_that_it_repeats() {
    for (status, code) in [
        (403, "AccessDenied"),
        (400, "ExpiredToken"),
        (503, "SlowDown"),
        (404, "NoSuchKey"),
        (507, "StorageFull"),
    ] {
        let bucket = Bucket::new();
        bucket.fail(move |_| Some(Fault::Error(status, code)));
        let bucket = open(&bucket, "", Duration::ZERO).foreign();
        let text = chain(&bucket.get("Doe.dcm", 9).unwrap_err());
        assert!(!text.contains("Doe"), "{text}");
    }
}

/// An object of 40 bytes, or what is read in its place.
fn read(fault: Option<Fault>, patience: Duration) -> Result<Vec<u8>, Error> {
    let bucket = Bucket::new();
    bucket.put("images/Doe.dcm", vec![7; 40]);
    let images = open(&bucket, "images", patience).foreign();
    let objects: Vec<_> = images.list().unwrap().collect();
    let [Ok(Listed::Object(object))] = objects.as_slice() else {
        unreachable!("{objects:?}");
    };
    bucket.fail(move |request| fault.filter(|_| request.is_get() && request.before < 2));
    images.get_listed(object, 100)
}

const WRONG: [Fault; 6] = [
    Fault::Cut,
    Fault::Shorter,
    Fault::Longer(8),
    Fault::Longer(100),
    Fault::Page,
    Fault::PageOfSameLength,
];

#[test]
fn an_answer_that_is_not_the_object_is_the_stores_failure_and_not_the_objects() {
    for fault in WRONG {
        let error = read(Some(fault), Duration::ZERO).unwrap_err();
        assert!(
            matches!(error, Error::WrongAnswer { .. }),
            "{fault:?}: {error:?}"
        );
        assert!(error.is_transient() && error.of_one_object().is_none());
        let text = chain(&error);
        assert!(!text.contains("Doe"), "{text}");
    }
}

#[test]
fn an_answer_that_is_not_the_object_is_asked_for_again() {
    for fault in WRONG {
        let bytes = read(Some(fault), Duration::from_secs(20)).unwrap();
        assert_eq!(bytes, vec![7; 40], "{fault:?}");
    }
}

#[test]
fn a_page_in_place_of_a_table_is_no_table() {
    let bucket = Bucket::new();
    bucket.put("labels.csv", "study,grade\n");
    bucket.fail(|_| Some(Fault::PageOfSameLength));
    let storage = open(&bucket, "", Duration::ZERO);
    for error in [
        storage.get("labels.csv", 100).unwrap_err(),
        storage.exists("labels.csv").unwrap_err(),
        storage.read("labels.csv").unwrap_err(),
    ] {
        assert!(matches!(error, Error::WrongAnswer { .. }), "{error:?}");
    }
}

#[test]
fn an_object_that_is_read_in_pieces_and_breaks_off_is_no_whole_one() {
    let bucket = Bucket::new();
    bucket.put("table.csv", vec![b'x'; 40]);
    bucket.fail(|_| Some(Fault::Cut));
    let mut reader = open(&bucket, "", Duration::ZERO).read("table.csv").unwrap();
    let error = std::io::Read::read_to_end(&mut reader, &mut Vec::new()).unwrap_err();
    assert!(
        error.to_string().contains("not what was asked for"),
        "{error}"
    );
}

/// What comes of a refusal at a request for an object, if one has been read before.
fn refused(code: &'static str, has_answered: bool) -> (Error, usize) {
    let bucket = Bucket::new();
    bucket.put("a", "1");
    let storage = open(&bucket, "", Duration::from_secs(1));
    if has_answered {
        storage.get("a", 9).unwrap();
    }
    bucket.fail(move |_| Some(Fault::Error(403, code)));
    let error = storage.get("a", 9).unwrap_err();
    let requests = bucket.requests().len() - usize::from(has_answered);
    (error, requests)
}

#[test]
fn a_refusal_is_a_bad_place_only_where_the_place_has_never_answered() {
    let (error, requests) = refused("AccessDenied", false);
    assert!(error.is_bad_place() && !error.is_transient(), "{error:?}");
    assert_eq!(
        requests, 1,
        "what is refused at first sight is told at once"
    );
    let (error, requests) = refused("AccessDenied", true);
    assert!(!error.is_bad_place() && error.is_transient(), "{error:?}");
    assert!(requests > 1);
    for code in ["ExpiredToken", "RequestTimeTooSkewed"] {
        for has_answered in [false, true] {
            let (error, _) = refused(code, has_answered);
            assert!(!error.is_bad_place() && error.is_transient(), "{error:?}");
        }
    }
}

#[test]
fn all_that_open_a_place_in_a_session_know_that_it_has_answered() {
    let bucket = Bucket::new();
    bucket.put("images/a", "1");
    let options = StorageOptions {
        endpoint: Some(bucket.endpoint().to_owned()),
        allow_http: true,
        session: Session::default().unsigned().with_patience(Duration::ZERO),
        ..StorageOptions::default()
    };
    let open = |uri| Storage::open(uri, &options).unwrap();
    open("s3://bucket/images/").get("a", 9).unwrap();
    bucket.fail(|_| Some(Fault::Error(403, "AccessDenied")));
    let refused = |uri| open(uri).get("a", 9).unwrap_err();
    assert!(!refused("s3://bucket/images").is_bad_place());
    assert!(refused("s3://bucket/weights").is_bad_place());
}

#[test]
fn a_refusal_that_passes_costs_nothing() {
    let bucket = Bucket::new();
    for name in ["a", "b", "c"] {
        bucket.put(name, name);
    }
    bucket.list_by(2);
    let once = |request: &Request| {
        let fault = Fault::Error(403, "RequestTimeTooSkewed");
        (request.before == 1).then_some(fault)
    };
    bucket.fail(once);
    let storage = open(&bucket, "", Duration::from_secs(20));
    assert_eq!(super::keys(&storage), ["a", "b", "c"]);
    for name in ["a", "b", "c"] {
        assert_eq!(storage.get(name, 9).unwrap(), name.as_bytes());
        storage.put(&format!("new/{name}"), name).unwrap();
    }
    assert_eq!(bucket.get("new/b").unwrap(), b"b");
}

#[test]
fn a_page_of_a_listing_that_is_none_ends_no_listing_early() {
    for fault in [Fault::Page, Fault::Error(400, "ExpiredToken")] {
        let bucket = Bucket::new();
        for name in ["a", "b", "c"] {
            bucket.put(name, name);
        }
        bucket.list_by(2);
        bucket.fail(move |request| (request.before >= 1).then_some(fault));
        let storage = open(&bucket, "", Duration::ZERO);
        let listed: Vec<_> = storage.list().unwrap().collect();
        let [Ok(_), Ok(_), Err(error)] = listed.as_slice() else {
            unreachable!("{fault:?}: {listed:?}");
        };
        assert!(error.is_transient() && !error.is_bad_place(), "{error:?}");
    }
}

#[test]
fn a_key_that_is_none_costs_itself_alone() {
    let bucket = Bucket::new();
    let keys = [
        "2013/a.dcm",
        "2013//Doe.dcm",
        "2014/../b.dcm",
        "2014/./c.dcm",
        "2015/d.dcm",
    ];
    for key in keys {
        bucket.put(&format!("scans/{key}"), "scan");
    }
    bucket.put("scans/2015/", "");
    bucket.put("scans/.hidden", "scan");
    bucket.list_by(2);
    let storage = open(&bucket, "scans", Duration::ZERO).foreign();
    let (mut objects, mut unreadable) = (Vec::new(), Vec::new());
    for listed in storage.list().unwrap() {
        match listed.unwrap() {
            Listed::Object(object) => {
                assert_eq!(storage.get_listed(&object, 9).unwrap(), b"scan");
                objects.push(object.key);
            }
            Listed::Unreadable(object) => {
                assert_eq!(object.error.of_one_object(), Some("impossible-key"));
                assert!(!chain(&object.error).contains("Doe"));
                unreadable.push(object.name);
            }
        }
    }
    assert_eq!(objects, ["2013/a.dcm", "2015/d.dcm"]);
    unreadable.sort();
    assert_eq!(
        unreadable,
        ["2013//Doe.dcm", "2014/../b.dcm", "2014/./c.dcm"]
    );
}

#[test]
fn a_store_that_cannot_write_only_where_nothing_is_says_so_at_once() {
    let bucket = Bucket::new();
    bucket.fail(|request| {
        let fault = Fault::Error(501, "NotImplemented");
        request.is_conditional.then_some(fault)
    });
    let storage = open(&bucket, "", Duration::from_secs(20));
    storage.put("a", "1").unwrap();
    let error = storage.put_if_absent("b", "1").unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("use a newer version of the store")
    );
    assert_eq!(bucket.requests().len(), 2);
}

#[test]
fn a_table_that_is_written_in_parts_arrives_whole() {
    let bucket = Bucket::new();
    let storage = open(&bucket, "", Duration::ZERO);
    let pieces = (0..3).map(|piece| Ok::<_, std::io::Error>(vec![piece; 4 << 20]));
    storage.put_chunks("table", pieces).unwrap();
    assert_eq!(bucket.get("table").unwrap().len(), 12 << 20);
    storage.delete("table").unwrap();
    assert!(bucket.keys().is_empty());
}

#[test]
fn a_table_of_which_a_part_does_not_arrive_is_not_there_and_can_be_written_again() {
    let bucket = Bucket::new();
    bucket.fail(|request| {
        let is_second = request
            .query
            .get("partNumber")
            .is_some_and(|part| part == "2");
        is_second.then_some(Fault::Error(403, "AccessDenied"))
    });
    let storage = open(&bucket, "", Duration::ZERO);
    let pieces = || (0..3).map(|piece| Ok::<_, std::io::Error>(vec![piece; 4 << 20]));
    storage.put_chunks("table", pieces()).unwrap_err();
    assert!(bucket.keys().is_empty());
    let dropped = |request: &Request| request.method == "DELETE" && request.key == "table";
    assert!(bucket.requests().iter().any(dropped));
    bucket.fail(|_| None);
    storage.put_chunks("table", pieces()).unwrap();
    assert_eq!(bucket.get("table").unwrap().len(), 12 << 20);
}

#[test]
fn an_object_whose_acknowledgement_is_lost_is_there_and_is_said_to_be() {
    let bucket = Bucket::new();
    bucket.fail(|request| {
        let is_first = request.method == "PUT" && request.before == 0;
        is_first.then_some(Fault::Late(500, "InternalError"))
    });
    let storage = open(&bucket, "", Duration::from_secs(20));
    let put = storage.put_if_absent("marker", "mine");
    assert!(matches!(put, Err(Error::AlreadyExists { .. })), "{put:?}");
    assert_eq!(bucket.get("marker").unwrap(), b"mine");
}

#[test]
fn an_object_that_has_changed_since_it_was_listed_is_asked_for_a_few_times_and_no_more() {
    let bucket = Bucket::new();
    bucket.put("scan", "first");
    let storage = open(&bucket, "", Duration::from_secs(600));
    let Some(Ok(Listed::Object(listed))) = storage.list().unwrap().next() else {
        panic!("an object should be listed");
    };
    bucket.put("scan", "another");
    let error = storage.get_listed(&listed, 9).unwrap_err();
    assert!(matches!(error, Error::WrongAnswer { .. }), "{error:?}");
    let gets = bucket.requests().into_iter().filter(Request::is_get);
    assert_eq!(gets.count(), 4);
}

#[test]
fn a_host_without_an_address_is_unreachable() {
    // Names below it are never given an address (RFC 6761).
    let storage = at("http://store.invalid", "", Duration::ZERO);
    let error = storage.get("object", 9).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient() && !error.is_bad_place());
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = format!("http://{free}");
    let storage = at(&endpoint, "", Duration::ZERO).foreign();
    let error = storage.get("Doe.dcm", 9).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient() && !error.is_bad_place());
    let text = chain(&error);
    assert!(!text.contains("Doe"), "{text}");
    assert!(text.to_lowercase().contains("refused"), "{text}");
    assert!(matches!(
        storage.list().unwrap().next(),
        Some(Err(Error::Unreachable { .. }))
    ));
}

#[test]
fn options_that_fit_no_store_are_a_configuration_error() {
    let options = StorageOptions {
        ca_bundle: Some(
            b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".to_vec(),
        ),
        ..StorageOptions::default()
    };
    let error = Storage::open("s3://bucket/x", &options).unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
}

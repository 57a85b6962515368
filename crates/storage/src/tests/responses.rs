//! How the responses of a bucket's server become errors, from a server of a few lines.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::Arc,
};

use object_store::{RetryConfig, aws::AmazonS3Builder, path::Path};

use super::{super::*, chain};

/// A bucket whose server answers a GET by the object's name: `404-NoSuchKey` and so on, each with
/// S3's body, which repeats the key.
fn bucket() -> Storage {
    served(|key| {
        let (status, code) = key.split_once('-').unwrap_or(("404", "NoSuchKey"));
        let body = format!(
            "<Error><Code>{code}</Code><Key>{key}</Key><Resource>/{key}</Resource></Error>"
        );
        (status.to_owned(), body)
    })
}

/// A bucket whose server answers a GET of a key, or of a page of the list, with a status and a body.
fn served(answer: impl Fn(&str) -> (String, String) + Send + 'static) -> Storage {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.find(String::is_empty);
            let place = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = answer(place.trim_start_matches("/bucket/"));
            let head = format!(
                "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    at(&endpoint)
}

fn at(endpoint: &str) -> Storage {
    let store = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_skip_signature(true)
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        })
        .build()
        .unwrap();
    Storage::new(Arc::new(store), "s3://bucket", Path::default())
}

#[test]
fn a_servers_answers_become_the_errors_they_mean() {
    let bucket = bucket();
    let told = |key| bucket.get(key, 9).unwrap_err();
    assert!(matches!(told("404-NoSuchKey"), Error::NotFound { .. }));
    assert!(matches!(told("403-AccessDenied"), Error::Denied { .. }));
    assert!(matches!(told("401-Unauthorized"), Error::Denied { .. }));
    assert!(matches!(told("400-ExpiredToken"), Error::Denied { .. }));
    assert!(matches!(told("507-XMinioStorageFull"), Error::Full { .. }));
    assert!(matches!(told("503-SlowDown"), Error::Unreachable { .. }));
    assert!(matches!(
        told("500-InternalError"),
        Error::Unreachable { .. }
    ));
    assert!(matches!(
        told("400-AuthorizationHeaderMalformed"),
        Error::Other { .. }
    ));
    let text = chain(&told("503-SlowDown"));
    assert!(
        text.contains("s3://bucket/503-SlowDown cannot be reached"),
        "{text}"
    );
    assert!(
        text.contains("the store answered SlowDown with HTTP status 503"),
        "{text}"
    );
}

#[test]
fn a_servers_answer_is_told_without_the_key_that_it_repeats() {
    let bucket = bucket().hiding_keys();
    for key in [
        "403-Doe.dcm",
        "503-Doe.dcm",
        "404-Doe.dcm",
        "400-Doe.dcm",
        "507-Doe.dcm",
    ] {
        let text = chain(&bucket.get(key, 9).unwrap_err());
        assert!(!text.contains("Doe"), "{text}");
    }
}

#[test]
fn a_key_that_is_none_ends_a_buckets_list_with_an_error_of_the_place() {
    let bucket = served(|_| {
        let objects = ["2013/a.dcm", "2014//Doe.dcm", "2015/b.dcm"].map(|key| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00Z</LastModified>\
                 <Size>4</Size></Contents>"
            )
        });
        let page = objects.concat();
        let body = format!("<ListBucketResult>{page}</ListBucketResult>");
        ("200".to_owned(), body)
    });
    let listed: Vec<_> = bucket.list().unwrap().collect();
    let [Err(error @ Error::UnlistableKey { .. })] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert!(error.is_bad_place());
    let text = chain(error);
    assert!(
        text.starts_with("the objects below s3://bucket/ cannot be listed"),
        "{text}"
    );
    assert!(!text.contains("Doe"), "{text}");
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let storage = at(&format!("http://{free}")).hiding_keys();
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

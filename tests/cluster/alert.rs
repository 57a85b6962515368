//! A screening with positives tells a web address, from a pod.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::exported;
use crate::manifest::{screening_job, training_run, with};
use crate::namespace::{END, Namespace};

/// A request as the web address has heard it.
struct Call {
    authorization: String,
    body: Value,
}

/// Listens where pods reach this machine; returns the address and what is heard there.
fn listen() -> (String, Receiver<Call>) {
    let store = exported("AWS_ENDPOINT_URL");
    let host = store.trim_start_matches("http://").split(':').next();
    let listener = TcpListener::bind((host.unwrap(), 0)).unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, calls) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            drop(sender.send(answer(&stream.unwrap())));
        }
    });
    (url, calls)
}

fn answer(mut stream: &TcpStream) -> Call {
    let mut reader = BufReader::new(stream);
    let (mut authorization, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim().split_once(": ") {
            None if line.trim().is_empty() => break,
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                value.clone_into(&mut authorization);
            }
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).unwrap();
    Call {
        authorization,
        body: serde_json::from_slice(&body).unwrap(),
    }
}

#[test]
fn a_screening_with_positives_tells_a_web_address() {
    let namespace = Namespace::new("alert");
    let (url, calls) = listen();
    namespace.apply(&json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hook"},
        "stringData": {"token": "of-the-hook", "url": url},
    }));
    namespace.apply(&training_run());
    let alert = json!({"spec": {
        "operatingPoint": {"threshold": "0", "sensitivity": null},
        "alert": {"webhook": {"urlFrom": {"secret": "hook"}, "secret": "hook", "allowHttp": true}},
    }});
    namespace.apply(&with(screening_job(), &alert));
    let job = namespace.wait_for_success("screeningjob/archive", END);
    let call = calls.recv_timeout(Duration::from_secs(1)).unwrap();
    assert_eq!(call.authorization, "Bearer of-the-hook");
    assert_eq!(call.body["name"], "archive");
    assert_eq!(call.body["namespace"], namespace.name);
    let positive = &call.body["screening"]["positive"];
    assert_eq!(positive, &job["status"]["screening"]["positive"]);
    assert!(positive.as_u64() > Some(0), "{}", call.body);
    assert!(calls.try_recv().is_err(), "it is told once");
}

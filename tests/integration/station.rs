//! A station as its users meet it: the real binary, scans that dcmtk's storescu sends, a web address that is told, and
//! dcmtk's storescp as the archive.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cohort::{COHORT, KEY, NAME, NUMBER, files, scratch};
use crate::program::{Running, attrium};

/// How long anything may take: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A request that a web address was sent.
#[derive(Clone, Debug)]
struct Told {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("should be JSON")
    }
}

/// A web address that answers in turn with these, and from then on with the last of them.
struct WebAddress {
    port: u16,
    told: Arc<Mutex<Vec<Told>>>,
}

impl WebAddress {
    fn answering(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        thread::spawn(move || {
            for (count, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a connection");
                let Some(request) = read_request(&mut stream) else {
                    continue;
                };
                kept.lock().expect("no panic").push(request);
                let answer = answers[count.min(answers.len() - 1)];
                let text =
                    format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(text.as_bytes());
            }
        });
        Self { port, told }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().expect("no panic").clone()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Told> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok()?;
        bytes.extend_from_slice(&buffer[..count]);
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let pair = |line: &str| {
                let (name, value) = line.split_once(": ")?;
                Some((name.to_lowercase(), value.to_owned()))
            };
            let headers: BTreeMap<_, _> = head.lines().filter_map(pair).collect();
            let length = headers
                .get("content-length")
                .map_or(0, |it| it.parse().expect("a number"));
            if bytes.len() >= end + 4 + length {
                let body = bytes[end + 4..end + 4 + length].to_vec();
                return Some(Told { headers, body });
            }
        }
        if count == 0 {
            return None;
        }
    }
}

/// A station that runs, or has run, in a folder of its own.
struct Place {
    folder: PathBuf,
    manifest: PathBuf,
    port: u16,
    page: u16,
}

impl Place {
    fn new(name: &str, more: &str) -> Self {
        let folder = scratch(name);
        let (port, page) = (free_port(), free_port());
        let root = env!("CARGO_MANIFEST_DIR");
        let text = format!(
            "apiVersion: attrium.dev/v1alpha1\nkind: ScreeningStation\nmetadata: {{name: bone-scans}}\nspec:\n  \
             model: {{uri: {root}/models/heart-perugini}}\n  \
             listener:\n    address: 127.0.0.1\n    port: {port}\n    senders: [{{aeTitle: DEMO, addresses: [127.0.0.1]}}]\n  \
             studies: {{quietSeconds: 1, synthetic: Tell}}\n  \
             spool: {{path: {}/spool, keepFreePercent: 1}}\n  \
             web: {{port: {page}}}\n{more}",
            folder.display()
        );
        let manifest = folder.join("station.yaml");
        fs::write(&manifest, text).expect("should be written");
        Self {
            folder,
            manifest,
            port,
            page,
        }
    }

    fn serve(&self, log: &str) -> Running {
        let mut running = Running::start(
            ["serve", "-f", self.manifest.to_str().unwrap()],
            &self.folder.join(log),
        );
        running.wait_until("it listens", |it| it.log().contains("takes images"));
        running
    }

    /// Sends objects as a scanner does; gives whether all of them were acknowledged.
    fn send_as(&self, ae_title: &str, objects: &[PathBuf]) -> bool {
        let port = self.port.to_string();
        let mut command = Command::new("storescu");
        command.args([
            "-R",
            "-aet",
            ae_title,
            "-aec",
            "ATTRIUM",
            "127.0.0.1",
            &port,
        ]);
        let sent = command
            .args(objects)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        sent.expect("dcmtk should be installed").success()
    }

    fn send(&self, objects: &[PathBuf]) {
        assert!(self.send_as("DEMO", objects), "{objects:?}");
    }

    fn ask(&self, words: &[&str]) -> Value {
        let manifest = self.manifest.to_str().unwrap();
        let arguments = [&["station"], words, &["-f", manifest, "-o", "json"]].concat();
        serde_json::from_str(&attrium(arguments).ok()).expect("should be JSON")
    }

    fn studies(&self) -> Vec<Value> {
        self.ask(&["list"]).as_array().expect("a list").clone()
    }

    fn study_in(&self, state: &str) -> Value {
        wait_for(state, || {
            let studies = self.studies();
            studies.into_iter().find(|study| study["state"] == state)
        })
    }

    /// A page's status and bytes.
    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.request(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    fn request(&self, head: &str, body: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.page)).expect("a page");
        let length = body.len();
        let text =
            format!("{head}Host: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).expect("should be sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        let status = text
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a number");
        let end = answer
            .windows(4)
            .position(|it| it == b"\r\n\r\n")
            .expect("a head");
        (status, answer[end + 4..].to_vec())
    }
}

/// Asserts that a station does not start, and that its log says why.
fn refuses(manifest: &Path, words: &str) {
    let ended = attrium(["serve", "-f", manifest.to_str().unwrap()]);
    assert_eq!(ended.code, Some(43), "{}", ended.stderr);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

fn alert(address: &WebAddress) -> String {
    format!(
        "  alerts: [{{name: console, webhook: {{url: \"{}\", allowHttp: true}}}}]\n",
        address.url()
    )
}

/// The objects of a study of this grade among the phantoms.
fn phantom(grade: &str, nth: usize) -> Vec<PathBuf> {
    let table = fs::read_to_string(&COHORT.labels).expect("labels");
    let studies = table.lines().skip(1).filter_map(|line| {
        let (study, rest) = line.split_once(',')?;
        rest.starts_with(grade).then(|| study.to_owned())
    });
    let study = studies.into_iter().nth(nth).expect("a study of that grade");
    let is_of_it = |path: &PathBuf| {
        let bytes = fs::read(path).expect("an object");
        attrium_imaging::study(&bytes).is_some_and(|it| it.as_str() == study)
    };
    let objects = files(&COHORT.images).into_iter();
    let objects = objects.filter(|key| !key.contains("CUT"));
    objects
        .map(|key| COHORT.images.join(key))
        .filter(is_of_it)
        .collect()
}

#[test]
fn a_positive_scan_is_told_within_seconds_shown_and_names_nobody_anywhere() {
    let address = WebAddress::answering(&["204 No Content"]);
    let place = Place::new("station-told", &alert(&address));
    let running = place.serve("log");
    place.send(&phantom("3", 0));
    let told = wait_for("a message", || address.told().pop());
    let message = told.json();
    assert_eq!(message["event"], "Positive");
    assert_eq!(
        (&message["study"], &message["revision"]),
        (&1.into(), &1.into())
    );
    assert_eq!(message["synthetic"], true);
    assert!(message["positiveProbability"].as_f64() >= message["threshold"].as_f64());
    assert!(told.headers.contains_key("idempotency-key"), "{told:?}");
    let study = place.study_in("Settled");
    assert_eq!(
        (&study["decision"], &study["number"]),
        (&"positive".into(), &1.into())
    );

    let (status, page) = place.get("/");
    let page = String::from_utf8(page).expect("text");
    assert!(status == 200 && page.contains("POSITIVE"), "{page}");
    let (status, page) = place.get("/studies/1");
    let page = String::from_utf8(page).expect("text");
    assert!(
        status == 200 && page.contains(NAME),
        "whose study it is: {page}"
    );
    for picture in ["decision", "scan"] {
        let (status, bytes) = place.get(&format!("/studies/1/{picture}.png"));
        assert!(status == 200 && bytes.starts_with(b"\x89PNG"), "{picture}");
    }
    assert_eq!(place.get("/studies/2").0, 404);

    // Nothing but the objects, and the results that are for the archive, says whose scan it was.
    assert_eq!(running.signal("TERM"), Some(0));
    let spool = place.folder.join("spool");
    let mut looked = vec![("the message".to_owned(), told.body)];
    looked.push((
        "the log".to_owned(),
        fs::read(place.folder.join("log")).expect("a log"),
    ));
    for name in files(&spool) {
        if !name.starts_with("objects/") && !name.starts_with("results/") {
            looked.push((
                name.clone(),
                fs::read(spool.join(&name)).unwrap_or_default(),
            ));
        }
    }
    assert!(
        looked.iter().any(|(name, _)| name == "station.db"),
        "{looked:?}"
    );
    for (what, bytes) in looked {
        let text = String::from_utf8_lossy(&bytes);
        for mark in [NAME, NUMBER, KEY] {
            assert!(!text.contains(mark), "{what} holds {mark}");
        }
        for identifier in &COHORT.identifiers {
            assert!(!text.contains(identifier), "{what} holds an identifier");
        }
    }
}

#[test]
fn a_negative_scan_and_one_that_is_none_are_told_to_nobody() {
    let address = WebAddress::answering(&["204 No Content"]);
    let place = Place::new("station-quiet", &alert(&address));
    let _running = place.serve("log");
    place.send(&phantom("0", 0));
    assert_eq!(place.study_in("Settled")["decision"], "negative");
    let capture = PathBuf::from("tests/data/secondary-capture.dcm");
    assert!(
        !place.send_as("DEMO", &[capture]),
        "it was not offered to be kept"
    );
    assert_eq!(place.studies().len(), 1);
    assert!(address.told().is_empty(), "{:?}", address.told());
}

#[test]
fn whoever_is_no_sender_is_refused_and_shown_with_what_to_add() {
    let place = Place::new("station-stranger", "");
    let _running = place.serve("log");
    assert!(!place.send_as("NOBODY", &phantom("3", 0)));
    wait_for("the stranger", || {
        let page = String::from_utf8(place.get("/").1).expect("text");
        page.contains("aeTitle: &quot;NOBODY&quot;").then_some(())
    });
    assert_eq!(place.ask(&["status"])["strangers"], 1);
    assert_eq!(place.studies(), Vec::<Value>::new());
}

#[test]
fn a_message_that_is_not_taken_is_sent_again_with_the_same_key_and_bytes() {
    let address = WebAddress::answering(&["503 Service Unavailable", "204 No Content"]);
    let place = Place::new("station-again", &alert(&address));
    let _running = place.serve("log");
    place.send(&phantom("3", 0));
    let told = wait_for("a second try", || {
        let told = address.told();
        (told.len() == 2).then_some(told)
    });
    assert_eq!(
        told[0].headers["idempotency-key"],
        told[1].headers["idempotency-key"]
    );
    assert_eq!(told[0].body, told[1].body);
    wait_for("the message to be done", || {
        let study = place.ask(&["show", "1"]);
        (study["deliveries"][0]["state"] == "done").then_some(())
    });
}

#[test]
fn a_redirect_is_no_message_that_has_arrived() {
    let address = WebAddress::answering(&["302 Found"]);
    let place = Place::new("station-redirect", &alert(&address));
    let _running = place.serve("log");
    place.send(&phantom("3", 0));
    let delivery = wait_for("the refusal", || {
        let study = place.studies().pop()?;
        let delivery = study["deliveries"][0].clone();
        (delivery["state"] == "refused").then_some(delivery)
    });
    assert_eq!(delivery["detail"], "HTTP 302");
    assert_eq!(place.ask(&["status"])["undelivered"], 1);
}

#[test]
fn what_was_acknowledged_before_a_kill_is_decided_on_after_it() {
    let address = WebAddress::answering(&["204 No Content"]);
    let place = Place::new("station-killed", &alert(&address));
    for round in 0..3 {
        let running = place.serve(&format!("log-{round}"));
        place.send(&phantom("3", round));
        assert!(running.kill());
    }
    let _running = place.serve("log");
    wait_for("every study", || {
        let studies = place.studies();
        let is_decided =
            |study: &&Value| study["decision"] == "positive" && study["state"] == "Settled";
        (studies.iter().filter(is_decided).count() == 3).then_some(())
    });
    wait_for("every message", || {
        let studies: std::collections::BTreeSet<_> = address
            .told()
            .iter()
            .map(|told| told.json()["study"].as_u64())
            .collect();
        (studies.len() == 3).then_some(())
    });
}

/// dcmtk's storage provider as an archive, which writes what it is sent into a folder.
struct Archive(Child);

impl Archive {
    fn start(port: u16, folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("should be made");
        let mut command = Command::new("storescp");
        command.args([
            "+xe",
            "-aet",
            "PACS",
            "-od",
            folder.to_str().unwrap(),
            &port.to_string(),
        ]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let archive = Self(child.expect("dcmtk should be installed"));
        wait_for("the archive", || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        archive
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn report_and_image_reach_the_archive_once_it_is_there_and_dciodvfy_finds_no_error() {
    let port = free_port();
    let more = format!(
        "  destinations: [{{name: pacs, send: All, dicom: {{aeTitle: PACS, host: 127.0.0.1, port: {port}}}}}]\n"
    );
    let place = Place::new("station-archive", &more);
    let _running = place.serve("log");
    place.send(&phantom("3", 0));
    let study = place.study_in("Settled");
    wait_for("a try", || {
        let study = place.studies().pop()?;
        (study["deliveries"][0]["attempts"].as_u64()? > 0).then_some(())
    });
    let kept = place.folder.join("archive");
    let _archive = Archive::start(port, &kept);
    let delivered = place.study_in("Delivered");
    assert_eq!(delivered["number"], study["number"]);
    let names: Vec<_> = files(&kept).into_iter().collect();
    assert!(names.len() == 2, "{names:?}");
    for name in &names {
        let checked = Command::new("dciodvfy").arg(kept.join(name)).output();
        let checked = checked.expect("dicom3tools should be installed");
        let said = String::from_utf8_lossy(&checked.stderr);
        let errors: Vec<_> = said
            .lines()
            .filter(|line| line.starts_with("Error"))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn a_silent_station_decides_and_tells_nobody() {
    let address = WebAddress::answering(&["204 No Content"]);
    let place = Place::new("station-silent", &(alert(&address) + "  mode: Silent\n"));
    let _running = place.serve("log");
    place.send(&phantom("3", 0));
    let study = place.study_in("Settled");
    assert_eq!(study["decision"], "positive");
    assert_eq!(study["deliveries"], Value::Array(Vec::new()));
    assert!(address.told().is_empty());
}

#[test]
fn what_waits_is_not_brought_by_a_station_that_has_become_silent() {
    let address = WebAddress::answering(&["503 Service Unavailable", "204 No Content"]);
    let place = Place::new("station-silenced", &alert(&address));
    let running = place.serve("log");
    place.send(&phantom("3", 0));
    wait_for("a try", || address.told().pop());
    wait_for("the try to be written down", || {
        let study = place.studies().pop()?;
        (study["deliveries"][0]["attempts"] == 1).then_some(())
    });
    assert_eq!(running.signal("TERM"), Some(0));
    let text = fs::read_to_string(&place.manifest).expect("it");
    fs::write(&place.manifest, text.clone() + "  mode: Silent\n").expect("should be written");
    let running = place.serve("log-silent");
    place.study_in("Settled");
    // The next try is due within 5 s.
    thread::sleep(Duration::from_secs(6));
    assert_eq!(address.told().len(), 1);
    assert_eq!(running.signal("TERM"), Some(0));

    // And one who is not named any more is not waited for.
    let without = text
        .split("  alerts:")
        .next()
        .expect("a manifest")
        .to_owned();
    fs::write(&place.manifest, without).expect("should be written");
    let running = place.serve("log-without");
    assert!(
        running
            .log()
            .contains("1 results and messages are withdrawn"),
        "{}",
        running.log()
    );
    assert_eq!(place.ask(&["status"])["pending"], 0);
}

#[test]
fn an_image_that_comes_again_changes_nothing_and_another_one_opens_the_study_again() {
    let address = WebAddress::answering(&["204 No Content"]);
    let place = Place::new("station-late", &alert(&address));
    let _running = place.serve("log");
    let objects = phantom("3", 0);
    place.send(&objects);
    place.study_in("Settled");
    place.send(&objects);
    let study = wait_for("the repeats", || {
        let study = place.studies().pop()?;
        (study["repeats"] == objects.len()).then_some(study)
    });
    assert_eq!(
        (&study["state"], &study["revision"]),
        (&"Settled".into(), &1.into())
    );

    let changed = place.folder.join("late.dcm");
    let mut late = dicom_object::open_file(objects.last().expect("an object")).expect("DICOM");
    let comments = dicom_core::DataElement::new(
        dicom_dictionary_std::tags::IMAGE_COMMENTS,
        dicom_core::VR::LT,
        "sent again with a comment",
    );
    late.put(comments);
    late.write_to_file(&changed).expect("should be written");
    place.send(&[changed]);
    let study = wait_for("the next revision", || {
        let study = place.study_in("Settled");
        (study["revision"] == 2).then_some(study)
    });
    assert!(study["objects"].to_string().contains("replaced"), "{study}");
    assert_eq!(address.told().len(), 1, "nobody is told twice of the same");
}

#[test]
fn a_second_process_does_not_get_at_the_spool_and_a_check_finds_what_is_wrong() {
    let port = free_port();
    let more = format!(
        "  destinations: [{{name: pacs, dicom: {{aeTitle: PACS, host: 127.0.0.1, port: {port}}}}}]\n"
    );
    let place = Place::new("station-checked", &more);
    let manifest = place.manifest.to_str().unwrap();
    let checked = attrium(["serve", "-f", manifest, "--check"]);
    assert_eq!(checked.code, Some(1), "{}", checked.stderr);
    let row = |what: &str| {
        let mut lines = checked.stdout.lines();
        lines
            .find(|line| line.starts_with(what))
            .expect("a row")
            .to_owned()
    };
    assert!(
        row("destination pacs").contains("FAILED"),
        "{}",
        checked.stdout
    );
    assert!(row("spool").contains("well"), "{}", checked.stdout);

    let _running = place.serve("log");
    let text = fs::read_to_string(&place.manifest).expect("it");
    let text = text
        .replace(
            &format!("port: {}\n", place.port),
            &format!("port: {}\n", free_port()),
        )
        .replace(
            &format!("port: {}}}", place.page),
            &format!("port: {}}}", free_port()),
        );
    let other = place.folder.join("other.yaml");
    fs::write(&other, text).expect("should be written");
    refuses(&other, "in use by another process");
}

#[test]
fn what_people_say_is_kept_and_a_form_of_another_page_is_not_taken() {
    let place = Place::new("station-said", "");
    let _running = place.serve("log");
    place.send(&phantom("3", 0));
    place.study_in("Settled");
    let post = |path: &str, site: &str, body: &str| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nSec-Fetch-Site: {site}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        );
        place.request(&head, body).0
    };
    assert_eq!(post("/studies/1/grade", "cross-site", "grade=3"), 403);
    assert_eq!(post("/studies/1/grade", "same-origin", "grade=4"), 422);
    assert_eq!(post("/studies/1/grade", "same-origin", "grade=3"), 303);
    assert_eq!(
        post("/studies/1/acknowledge", "same-origin", "reason=anything"),
        422
    );
    let reason = "reason=Physician+informed";
    assert_eq!(post("/studies/1/acknowledge", "same-origin", reason), 303);
    assert_eq!(post("/studies/9/acknowledge", "same-origin", reason), 404);
    let said = place.ask(&["show", "1"])["reviews"].clone();
    assert_eq!(said[0]["grade"], 3);
    assert_eq!(said[1]["acknowledged"], "Physician informed");
    assert_eq!(place.ask(&["status"])["unacknowledged"], 0);

    let table = place.folder.join("labels.csv");
    let arguments = [
        "station",
        "labels",
        "-f",
        place.manifest.to_str().unwrap(),
        "--out",
    ];
    let written = attrium(arguments.into_iter().chain([table.to_str().unwrap()])).ok();
    assert!(written.starts_with("1 studies, 0 left out"), "{written}");
    let objects = phantom("3", 0);
    let uid = attrium_imaging::study(&fs::read(&objects[0]).unwrap()).expect("a study");
    let labels = fs::read_to_string(&table).expect("a table");
    assert_eq!(
        labels,
        format!("study,grade,reader2\n{},3,\n", uid.as_str())
    );
    let trial = place.ask(&["evaluate"]);
    assert_eq!(
        (&trial["studies"], &trial["synthetic"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn a_page_for_others_asks_who_they_are() {
    let folder = scratch("station-users");
    fs::create_dir_all(folder.join("secrets/users")).expect("a folder");
    let line = "anna Technician 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    fs::write(folder.join("secrets/users/users"), line).expect("a file");
    let place = Place::new("station-others", "");
    let text = fs::read_to_string(&place.manifest).expect("it");
    let open = text.replace("web: {port", "web: {address: 0.0.0.0, port");
    fs::write(&place.manifest, &open).expect("should be written");
    refuses(&place.manifest, "web.usersSecret");
    fs::write(
        &place.manifest,
        open.replace("web: {", "web: {usersSecret: users, "),
    )
    .expect("it");
    let secrets = folder.join("secrets");
    let mut running = Running::start(
        [
            "serve",
            "-f",
            place.manifest.to_str().unwrap(),
            "--secrets",
            secrets.to_str().unwrap(),
        ],
        &place.folder.join("log"),
    );
    running.wait_until("it listens", |it| it.log().contains("takes images"));
    assert_eq!(place.get("/").0, 401);
    // anna:secret
    let (status, _) = place.request(
        "GET / HTTP/1.1\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n",
        "",
    );
    assert_eq!(status, 200);
    let (status, _) = place.request(
        "GET / HTTP/1.1\r\nAuthorization: Basic YW5uYTp3cm9uZw==\r\n",
        "",
    );
    assert_eq!(status, 401);
    assert_eq!(place.get("/healthz").0, 200);
}

/// A mail relay that takes everything, and keeps it.
struct Relay {
    port: u16,
    mails: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = kept.clone();
                let stream = stream.expect("a connection");
                thread::spawn(move || take_mails(stream, &kept));
            }
        });
        Self { port, mails }
    }

    fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("no panic").clone()
    }
}

/// Speaks SMTP (RFC 5321) as far as a client that sends asks for.
fn take_mails(stream: TcpStream, kept: &Mutex<Vec<String>>) {
    let mut answers = stream.try_clone().expect("a stream");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 relay");
    while let Some(line) = lines.next() {
        let word = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let is_well = match word.as_str() {
            "DATA" => {
                say("354 go on");
                let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                kept.lock().expect("no panic").push(mail.join("\n"));
                say("250 taken")
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 relay"),
        };
        if !is_well {
            return;
        }
    }
}

#[test]
fn a_mail_says_where_to_look_and_an_escalation_ends_when_somebody_has_seen_the_study() {
    let relay = Relay::start();
    let email = format!(
        "email: {{relay: \"127.0.0.1:{}\", encryption: None, from: a@x.example, to: [b@x.example]}}",
        relay.port
    );
    let alerts = format!(
        "  alerts:\n    - {{name: physician, {email}}}\n    - {{name: chief, unacknowledgedMinutes: 5, {email}}}\n"
    );
    let place = Place::new("station-mail", &alerts);
    let _running = place.serve("log");
    place.send(&phantom("3", 0));
    let mail = wait_for("a mail", || relay.mails().pop());
    assert!(
        mail.contains("Subject: [synthetic] bone-scans: study 1 positive"),
        "{mail}"
    );
    assert!(
        mail.contains(&format!("http://127.0.0.1:{}/studies/1", place.page)),
        "{mail}"
    );
    for mark in [NAME, NUMBER, KEY] {
        assert!(!mail.contains(mark), "{mail}");
    }
    let state_of = |target: &str| {
        let study = place.ask(&["show", "1"]);
        let deliveries = study["deliveries"].as_array().expect("a list").clone();
        let delivery = deliveries.into_iter().find(|it| it["target"] == target);
        delivery.expect("a delivery")["state"].clone()
    };
    wait_for("the mail to be done", || {
        (state_of("alert/physician") == "done").then_some(())
    });
    assert_eq!(state_of("alert/chief"), "pending");
    let head = "POST /studies/1/acknowledge HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(place.request(head, "reason=Known+amyloidosis").0, 303);
    assert_eq!(state_of("alert/chief"), "superseded");
    assert_eq!(relay.mails().len(), 1);
}

//! Both ends against dcmtk, which has to be installed, and `openssl` for certificates.

#[allow(
    dead_code,
    reason = "the station of the unit tests, which look at more of it"
)]
#[path = "../src/tests/memory.rs"]
mod memory;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use attrium_dimse::tls::{self, Clients, Identity};
use attrium_dimse::{
    Association, Closed, Destination, DestinationDeadlines, Error, ObjectToStore, StoredFile,
    TurnedAway, VERIFICATION,
};
use memory::{Behaviour, EXPLICIT, IMPLICIT, NM, SC, Station, options};
use tempfile::TempDir;

const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";

/// Runs a program to its end.
async fn run(program: &'static str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output());
    let ran = ran.await.expect("the program's thread");
    assert!(ran.is_ok(), "{}", missing(program));
    ran.expect("the program ran")
}

fn missing(program: &str) -> String {
    format!("{program} has to be on the path: install the packages dcmtk and openssl")
}

fn object(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    path.join(name).display().to_string()
}

/// Runs a program of dcmtk against a station; gives whether it was content, and what it said.
async fn against(station: &Station, program: &'static str, arguments: &[&str]) -> (bool, String) {
    let port = station.address.port().to_string();
    let (options, files) = match arguments
        .iter()
        .position(|argument| argument.ends_with(".dcm"))
    {
        Some(first) => arguments.split_at(first),
        None => (arguments, &[][..]),
    };
    let place = ["127.0.0.1", port.as_str()];
    let arguments = [&["-v", "-aec", "ATTRIUM"], options, &place, files].concat();
    let output = run(program, &arguments).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    (output.status.success(), said)
}

/// The data set of a file.
fn data_set(path: &Path) -> Vec<u8> {
    let file = fs::read(path).expect("the file");
    let read = StoredFile::read(&file).expect("a DICOM file");
    file[read.data_set_offset..].to_vec()
}

/// Whether what a station kept last is the data set of a file, byte for byte.
fn is_kept_as(station: &Station, file: &str) -> bool {
    let log = station.memory.log();
    let kept = &log.kept.last().expect("something was kept").file;
    let read = StoredFile::read(kept).expect("a DICOM file");
    data_set(Path::new(file)) == kept[read.data_set_offset..]
}

/// A station that takes compressed objects, too.
async fn station() -> Station {
    let mut options = options();
    for class in &mut options.storage {
        class.transfer_syntax_uids.push(JPEG_LOSSLESS.into());
    }
    Station::start(options).await
}

#[tokio::test]
async fn echoscu_is_answered() {
    let station = station().await;
    let (content, said) = against(&station, "echoscu", &["-aet", "SYMBIA1"]).await;
    assert!(content, "{said}");
    let memory = &station.memory;
    memory
        .until("the end", |log| log.closed == [Closed::Released])
        .await;
    assert_eq!(memory.log().opened[0].calling_ae_title, "SYMBIA1");
}

#[tokio::test]
async fn storescu_and_dcmsend_store_what_is_then_kept_byte_for_byte() {
    let station = station().await;
    for (options, name) in [
        (&["-xe"][..], "explicit-little.dcm"),
        (&["-xi"][..], "implicit-little.dcm"),
        (&["-xs"][..], "jpeg-lossless-1.dcm"),
        (&["-R", "-xe", "-pdu", "4096"][..], "signed.dcm"),
        (&["-R", "-xe", "--max-send-pdu", "4096"][..], "signed.dcm"),
    ] {
        let file = object(name);
        let arguments = [options, &[file.as_str()]].concat();
        let (content, said) = against(&station, "storescu", &arguments).await;
        assert!(content, "{name}: {said}");
        assert!(is_kept_as(&station, &file), "{name}");
    }
    let file = object("rescaled.dcm");
    let (content, said) = against(&station, "dcmsend", &[&file]).await;
    assert!(content, "{said}");
    assert!(is_kept_as(&station, &file));
    assert_eq!(station.memory.log().kept.len(), 6);
}

#[tokio::test]
async fn what_is_kept_is_a_file_that_dcmtk_reads() {
    let station = station().await;
    let file = object("nm-wholebody-anterior.dcm");
    let (content, said) = against(&station, "storescu", &["-aet", "GE", "-xs", &file]).await;
    assert!(content, "{said}");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("kept.dcm");
    fs::write(&path, &station.memory.log().kept[0].file).expect("the file");
    let path = path.display().to_string();
    let output = run("dcmdump", &["-E", "+F", "+P", "0002,0016", &path]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("[GE]"), "{said}");
}

#[tokio::test]
async fn dcmtk_is_told_what_it_may_not_send() {
    let station = station().await;
    let (content, said) = against(&station, "echoscu", &["-aet", "STRANGER"]).await;
    assert!(
        !content && said.contains("Calling AE Title Not Recognized"),
        "{said}"
    );
    let (content, said) = against(&station, "echoscu", &["-aet", "BUSY"]).await;
    assert!(!content && said.contains("Temporary Congestion"), "{said}");
    station.memory.behave(Behaviour {
        finish: Some(attrium_dimse::StoreStatus::OutOfResources),
        ..Behaviour::default()
    });
    let file = object("explicit-little.dcm");
    let (_, said) = against(&station, "storescu", &[&file]).await;
    assert!(
        said.contains("0xa700") || said.contains("OutOfResources"),
        "{said}"
    );
    assert!(station.memory.log().kept.is_empty());
}

#[tokio::test]
async fn dcmtk_learns_which_classes_are_not_taken_by_an_association_without_a_context() {
    let mut options = options();
    options.storage.retain(|class| class.sop_class_uid == NM);
    let station = Station::start(options).await;
    let file = object("secondary-capture.dcm");
    let (content, said) = against(&station, "storescu", &["-R", &file]).await;
    assert!(
        !content && said.contains("No Acceptable Presentation Contexts"),
        "{said}"
    );
    station
        .memory
        .until("an end", |log| log.closed.len() == 1)
        .await;
    assert_eq!(station.memory.log().opened.len(), 1);
}

/// An authority and two certificates by it.
struct Certificates(TempDir);

impl Certificates {
    async fn new() -> Self {
        let certificates = Self(TempDir::new().expect("a folder"));
        certificates.authority("ca").await;
        certificates.authority("other").await;
        for (name, authority) in [("server", "ca"), ("client", "ca"), ("stranger", "other")] {
            certificates.leaf(name, authority).await;
        }
        certificates
    }

    async fn authority(&self, name: &str) {
        let (key, certificate) = (self.path(name, "key"), self.path(name, "crt"));
        let subject = format!("/CN={name}");
        let out = ["-keyout", &key, "-out", &certificate, "-subj", &subject];
        openssl(&[&["req", "-x509", "-days", "2", "-nodes"], &KEY[..], &out].concat()).await;
    }

    async fn leaf(&self, name: &str, authority: &str) {
        let (key, request) = (self.path(name, "key"), self.path(name, "csr"));
        let subject = format!("/CN={name}");
        let out = ["-keyout", &key, "-out", &request, "-subj", &subject];
        openssl(&[&["req", "-nodes"], &KEY[..], &out].concat()).await;
        let extensions = self.path(name, "ext");
        fs::write(&extensions, "subjectAltName=IP:127.0.0.1,DNS:localhost\n").expect("a file");
        let (ca, ca_key) = (self.path(authority, "crt"), self.path(authority, "key"));
        let certificate = self.path(name, "crt");
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-CAcreateserial",
            "-in",
            &request,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ])
        .await;
    }

    fn path(&self, name: &str, kind: &str) -> String {
        let path: PathBuf = self.0.path().join(format!("{name}.{kind}"));
        path.display().to_string()
    }

    fn pem(&self, name: &str, kind: &str) -> Vec<u8> {
        fs::read(self.path(name, kind)).expect("a PEM")
    }
}

const KEY: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

async fn openssl(arguments: &[&str]) {
    let output = run("openssl", arguments).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A station that asks everyone for a certificate of the authority.
async fn secure_station(certificates: &Certificates) -> Station {
    let (chain, key) = (
        certificates.pem("server", "crt"),
        certificates.pem("server", "key"),
    );
    let identity = Identity {
        certificate_chain: &chain,
        key: &key,
    };
    let mut options = options();
    options.deadlines.handshake = Duration::from_secs(2);
    let authorities = certificates.pem("ca", "crt");
    options.tls = Some(tls::server(identity, Clients::Required(&authorities)).expect("TLS"));
    Station::start(options).await
}

#[tokio::test]
async fn dcmtk_stores_over_mutual_tls_by_each_profile_and_is_known_by_its_certificate() {
    let certificates = Certificates::new().await;
    let station = secure_station(&certificates).await;
    let (key, certificate) = (
        certificates.path("client", "key"),
        certificates.path("client", "crt"),
    );
    let ca = certificates.path("ca", "crt");
    let file = object("explicit-little.dcm");
    for profile in ["+py", "+px", "+pz"] {
        let arguments = ["+tls", &key, &certificate, "+cf", &ca, profile, &file];
        let (content, said) = against(&station, "storescu", &arguments).await;
        assert!(content, "{profile}: {said}");
        assert!(is_kept_as(&station, &file));
    }
    let digest = tls::digest_of_pem(&certificates.pem("client", "crt")).expect("a certificate");
    let peer = station.memory.log().kept[0].peer.clone();
    assert_eq!(peer.certificate_sha256, Some(digest));
}

#[tokio::test]
async fn who_has_no_certificate_or_another_authoritys_does_not_get_in() {
    let certificates = Certificates::new().await;
    let station = secure_station(&certificates).await;
    let (key, certificate) = (
        certificates.path("stranger", "key"),
        certificates.path("stranger", "crt"),
    );
    let ca = certificates.path("ca", "crt");
    let stranger = ["+tls", &key, &certificate, "+cf", &ca];
    for arguments in [&stranger[..], &["+tla", "+cf", &ca], &["-aet", "PLAIN"]] {
        let (content, said) = against(&station, "echoscu", arguments).await;
        assert!(!content, "{said}");
    }
    let memory = &station.memory;
    memory
        .until("three counts", |log| log.turned_away.len() == 3)
        .await;
    assert_eq!(memory.log().turned_away, [TurnedAway::Tls; 3]);
    assert!(memory.log().opened.is_empty());
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_given_up() {
    let certificates = Certificates::new().await;
    let station = secure_station(&certificates).await;
    let silent = std::net::TcpStream::connect(station.address).expect("a connection");
    let memory = &station.memory;
    memory
        .until("a count", |log| log.turned_away.len() == 1)
        .await;
    assert_eq!(memory.log().turned_away, [TurnedAway::Late]);
    drop(silent);
}

#[tokio::test]
async fn the_storage_user_sends_over_mutual_tls() {
    let certificates = Certificates::new().await;
    let station = secure_station(&certificates).await;
    let (chain, key) = (
        certificates.pem("client", "crt"),
        certificates.pem("client", "key"),
    );
    let identity = Identity {
        certificate_chain: &chain,
        key: &key,
    };
    let own = certificates.pem("ca", "crt");
    let mut destination = station.destination("A");
    destination.tls = Some(tls::client(&own, Some(identity)).expect("TLS"));
    let mut sender = Association::request(&destination, &CONTEXTS)
        .await
        .expect("an association");
    assert_eq!(sender.echo().await.expect("an answer"), 0);
    sender.release().await.expect("a release");
    let other = certificates.pem("other", "crt");
    destination.tls = Some(tls::client(&other, Some(identity)).expect("TLS"));
    let error = Association::request(&destination, &CONTEXTS)
        .await
        .expect_err("no trust");
    assert!(
        matches!(error, Error::Tls { .. }) && error.is_transient(),
        "{error}"
    );
}

const CONTEXTS: [(&str, &[&str]); 3] = [
    (VERIFICATION, &[IMPLICIT]),
    (NM, &[EXPLICIT, IMPLICIT, JPEG_LOSSLESS]),
    (SC, &[EXPLICIT, JPEG_LOSSLESS]),
];

/// A `storescp` that runs.
struct Storescp {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Drop for Storescp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Storescp {
    fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let mut command = Command::new("storescp");
        command.args(["+xa", "+B", "+uf", "-od"]).arg(folder.path());
        command.args(arguments).arg(port.to_string());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn();
        assert!(child.is_ok(), "{}", missing("storescp"));
        Self {
            child: child.expect("it runs"),
            port,
            folder,
        }
    }

    /// An association with it, as soon as it listens.
    async fn association(&self) -> Result<Association, Error> {
        let destination = Destination {
            host: "127.0.0.1".into(),
            port: self.port,
            called_ae_title: "PACS".into(),
            calling_ae_title: "ATTRIUM".into(),
            tls: None,
            deadlines: DestinationDeadlines::default(),
        };
        let mut tries = 0..500;
        loop {
            match Association::request(&destination, &CONTEXTS).await {
                Err(Error::Unreachable { .. }) if tries.next().is_some() => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                answer => return answer,
            }
        }
    }
}

/// Sends a file as it is.
async fn send(association: &mut Association, name: &str) -> Result<u16, Error> {
    let file = fs::read(object(name)).expect("the object");
    let head = StoredFile::read(&file).expect("a DICOM file");
    let object = ObjectToStore {
        sop_class_uid: &head.sop_class_uid,
        sop_instance_uid: &head.sop_instance_uid,
        transfer_syntax_uid: &head.transfer_syntax_uid,
        data_set: &file[head.data_set_offset..],
    };
    association.store(&object).await
}

#[tokio::test]
async fn storescp_keeps_what_the_storage_user_sends() {
    for arguments in [&[][..], &["-pdu", "4096"], &["-pdu", "131072"]] {
        let storescp = Storescp::start(arguments);
        let mut sender = storescp.association().await.expect("an association");
        assert_eq!(sender.echo().await.expect("an answer"), 0);
        let names = [
            "signed.dcm",
            "implicit-little.dcm",
            "nm-wholebody-anterior.dcm",
        ];
        for name in names {
            let sent = send(&mut sender, name).await;
            assert_eq!(sent.expect("an answer"), 0, "{name}");
        }
        let big = send(&mut sender, "explicit-big.dcm").await;
        assert!(big.expect_err("no context").is_of_object());
        sender.release().await.expect("a release");
        let entries = fs::read_dir(storescp.folder.path()).expect("the folder");
        let kept: Vec<_> = entries
            .map(|entry| data_set(&entry.expect("a file").path()))
            .collect();
        assert_eq!(kept.len(), names.len());
        for name in names {
            assert!(kept.contains(&data_set(Path::new(&object(name)))), "{name}");
        }
    }
}

#[tokio::test]
async fn what_storescp_does_not_take_is_told_by_what_can_be_done() {
    let refusing = Storescp::start(&["--refuse"]);
    let error = refusing.association().await.expect_err("refused");
    assert!(matches!(error, Error::PermanentReject { .. }), "{error}");
    for option in ["--abort-after", "--abort-during"] {
        let aborting = Storescp::start(&[option]);
        let mut sender = aborting.association().await.expect("an association");
        let error = send(&mut sender, "explicit-little.dcm")
            .await
            .expect_err("aborted");
        assert!(error.is_transient(), "{option}: {error}");
    }
}

#[tokio::test]
async fn eight_senders_of_dcmtk_at_once_are_all_taken() {
    let station = Arc::new(station().await);
    let senders = (0..8).map(|_| {
        let station = Arc::clone(&station);
        tokio::spawn(async move {
            let file = object("explicit-little.dcm");
            against(&station, "storescu", &["--repeat", "5", &file]).await
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        let (content, said) = sender.await.expect("the sender");
        assert!(content, "{said}");
    }
    assert_eq!(station.memory.log().kept.len(), 40);
}

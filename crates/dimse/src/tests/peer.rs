//! The storage user against a peer that does what it is told to, right or wrong.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::memory::{Behaviour, EXPLICIT, IMPLICIT, NM, Station, options};
use super::raw::{Raw, command, context, data, element, fragment, item, pdu, request_of};
use crate::command::CommandSet;
use crate::{
    Association, CommitmentReport, Destination, DestinationDeadlines, Error, ObjectToStore,
    STORAGE_COMMITMENT, Violation, commitment,
};

const CONTEXTS: [(&str, &[&str]); 2] = [(NM, &[EXPLICIT]), (STORAGE_COMMITMENT, &[IMPLICIT])];
const STORE: u8 = 1;
const COMMIT: u8 = 3;

const OBJECT: ObjectToStore<'_> = ObjectToStore {
    sop_class_uid: NM,
    sop_instance_uid: "2.25.1",
    transfer_syntax_uid: EXPLICIT,
    data_set: b"ab",
};

/// A peer that nobody has connected to yet, and the destination that it is.
struct Pacs(TcpListener);

impl Pacs {
    async fn new() -> (Self, Destination) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let within = Duration::from_millis(400);
        let destination = Destination {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            called_ae_title: "PACS".into(),
            calling_ae_title: "ATTRIUM".into(),
            tls: None,
            deadlines: DestinationDeadlines {
                connect: within,
                pdu: within,
                response: within,
            },
        };
        (Self(listener), destination)
    }

    /// Waits for a connection.
    async fn accept(self) -> Raw {
        Raw(self.0.accept().await.unwrap().0)
    }

    /// Waits for the request of an association, and accepts both of its contexts.
    async fn associate(self) -> Raw {
        let mut raw = self.accept().await;
        let (kind, _) = raw.receive().await.unwrap();
        assert_eq!(kind, 1);
        raw.send(&acceptance(&[(STORE, EXPLICIT), (COMMIT, IMPLICIT)]))
            .await;
        raw
    }
}

/// An acceptance of contexts.
fn acceptance(contexts: &[(u8, &str)]) -> Vec<u8> {
    let results = contexts.iter().flat_map(|(id, syntax)| {
        let syntax = item(0x40, syntax.as_bytes());
        item(0x21, &[&[*id, 0, 0, 0], &syntax[..]].concat())
    });
    let results: Vec<u8> = results.collect();
    let application = item(0x10, crate::APPLICATION_CONTEXT.as_bytes());
    let titles = format!("{:16}{:16}", "PACS", "ATTRIUM");
    let user = item(0x50, &item(0x51, &16_384u32.to_be_bytes()));
    let parts = [
        &[0, 1, 0, 0],
        titles.as_bytes(),
        &[0; 32],
        &application,
        &results,
        &user,
    ];
    pdu(2, &parts.concat())
}

/// A response.
fn response(context: u8, field: u16, id: u16, status: u16) -> Vec<u8> {
    let number = |element_number, number: u16| element(element_number, &number.to_le_bytes());
    let command = [
        number(0x0100, field),
        number(0x0120, id),
        number(0x0800, 0x0101),
        number(0x0900, status),
    ];
    data(context, 3, &command.concat())
}

/// A report that an instance is committed, in fragments of one PDU.
fn report(context: u8, transaction: &str) -> Vec<u8> {
    let command = [command(0x0100, 4, true), element(0x1002, &[1, 0])].concat();
    let contents = commitment::request(transaction, &[(NM, "2.25.1")], false);
    let fragments = [
        fragment(context, 3, &command),
        fragment(context, 2, &contents),
    ];
    pdu(4, &fragments.concat())
}

fn committed(transaction: &str) -> CommitmentReport {
    CommitmentReport {
        transaction_uid: transaction.into(),
        committed: vec![(NM.into(), "2.25.1".into())],
        failed: Vec::new(),
    }
}

#[tokio::test]
async fn commitment_is_reported_on_the_same_association_before_or_after_the_response() {
    for is_early in [false, true] {
        let (pacs, destination) = Pacs::new().await;
        let peer = tokio::spawn(async move {
            let mut raw = pacs.associate().await;
            let (_, request) = raw.receive().await.unwrap();
            let request = CommandSet::parse(&request[6..]).unwrap();
            assert_eq!(request.field(), Some(0x0130));
            assert_eq!(request.sop_instance(), Some("1.2.840.10008.1.20.1.1"));
            let (_, asked) = raw.receive().await.unwrap();
            assert_eq!(
                asked[6..],
                commitment::request("2.25.9", &[(NM, "2.25.1")], false)
            );
            let mut said = [response(COMMIT, 0x8130, 1, 0), report(COMMIT, "2.25.9")];
            if is_early {
                said.reverse();
            }
            raw.send(&said.concat()).await;
            assert_eq!(raw.response().await, (0x8100, 0, 4));
            assert_eq!(raw.receive().await.unwrap().0, 5);
            raw.send(&pdu(6, &[0; 4])).await;
        });
        let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
        let asked = sender.request_commitment("2.25.9", &[(NM, "2.25.1")]).await;
        assert_eq!(asked.unwrap(), 0);
        let report = sender.receive_commitment(Duration::from_secs(1)).await;
        assert_eq!(report.unwrap(), Some(committed("2.25.9")));
        sender.release().await.unwrap();
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn no_report_in_time_and_a_release_by_the_peer_are_none() {
    let (pacs, destination) = Pacs::new().await;
    let peer = tokio::spawn(async move {
        let mut raw = pacs.associate().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        raw.send(&pdu(5, &[0; 4])).await;
        // Both ask for the release; the peer answers, and is answered.
        assert_eq!(raw.receive().await.unwrap().0, 5);
        raw.send(&pdu(6, &[0; 4])).await;
        raw.receive().await
    });
    let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
    let none = sender.receive_commitment(Duration::from_millis(50)).await;
    assert_eq!(none.unwrap(), None);
    let none = sender.receive_commitment(Duration::from_secs(5)).await;
    assert_eq!(none.unwrap(), None);
    sender.release().await.unwrap();
    assert_eq!(peer.await.unwrap().unwrap().0, 6);
}

#[tokio::test]
async fn every_wait_for_a_peer_has_a_deadline() {
    // A peer that takes the connection and says nothing.
    let (pacs, destination) = Pacs::new().await;
    let started = Instant::now();
    let error = Association::request(&destination, &CONTEXTS)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Late { .. }) && error.is_transient(),
        "{error}"
    );
    drop(pacs);
    // One that accepts, and does not answer.
    let (pacs, destination) = Pacs::new().await;
    let peer = tokio::spawn(pacs.associate());
    let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
    let error = sender.store(&OBJECT).await.unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error}");
    drop(peer.await.unwrap());
    // One that does not take what it is sent.
    let (pacs, destination) = Pacs::new().await;
    let peer = tokio::spawn(pacs.associate());
    let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
    let _raw = peer.await.unwrap();
    let much = vec![0; 32 << 20];
    let object = ObjectToStore {
        data_set: &much,
        ..OBJECT
    };
    let error = sender.store(&object).await.unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error}");
    // One that sends a byte at a time.
    let (pacs, destination) = Pacs::new().await;
    let peer = tokio::spawn(async move {
        let mut raw = pacs.associate().await;
        for byte in response(STORE, 0x8001, 1, 0) {
            raw.send(&[byte]).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
    let error = sender.store(&OBJECT).await.unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    peer.abort();
}

#[tokio::test]
async fn answers_that_are_wrong_are_the_peers_fault_and_may_be_tried_again() {
    let field = 0x8030;
    let cases = [
        (
            response(STORE, 0x8001, 7, 0),
            Violation::UnexpectedMessage { field: 0x8001 },
        ),
        (
            response(STORE, field, 1, 0),
            Violation::UnexpectedMessage { field },
        ),
        (
            data(STORE, 3, &command(0x8001, 1, false)),
            Violation::UnexpectedMessage { field: 0x8001 },
        ),
        (data(STORE, 0, b"ab"), Violation::DataBeforeCommand),
        (data(STORE, 3, b"ab"), Violation::MalformedCommand),
        (pdu(5, &[0; 4]), Violation::UnexpectedPdu),
        (b"HTTP/1.1 400".to_vec(), Violation::UnknownPdu),
    ];
    for (answer, violation) in cases {
        let (pacs, destination) = Pacs::new().await;
        let peer = tokio::spawn(async move {
            let mut raw = pacs.associate().await;
            for _ in 0..2 {
                raw.receive().await.unwrap();
            }
            raw.send(&answer).await;
            raw
        });
        let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
        let error = sender.store(&OBJECT).await.unwrap_err();
        assert!(error.is_transient());
        assert!(
            matches!(error, Error::Protocol { source } if source == violation),
            "{error:?}"
        );
        drop(peer.await.unwrap());
    }
}

#[tokio::test]
async fn what_answers_the_request_of_an_association_is_told_apart() {
    type Is = fn(&Error) -> bool;
    let cases: [(Vec<u8>, Is); 6] = [
        (pdu(3, &[0, 1, 1, 7]), |e| {
            matches!(e, Error::PermanentReject { .. })
        }),
        (pdu(3, &[0, 2, 3, 2]), |e| {
            matches!(e, Error::TransientReject { .. })
        }),
        (pdu(3, &[0, 9, 9, 9]), |e| {
            matches!(e, Error::Protocol { .. })
        }),
        (pdu(7, &[0, 0, 2, 0]), |e| matches!(e, Error::Aborted)),
        (b"SSH-2.0-OpenSSH".to_vec(), |e| {
            matches!(e, Error::Protocol { .. })
        }),
        (Vec::new(), |e| matches!(e, Error::Lost { .. })),
    ];
    for (answer, is) in cases {
        let (pacs, destination) = Pacs::new().await;
        let peer = tokio::spawn(async move {
            let mut raw = pacs.accept().await;
            raw.receive().await.unwrap();
            raw.send(&answer).await;
        });
        let error = Association::request(&destination, &CONTEXTS)
            .await
            .unwrap_err();
        assert!(is(&error), "{error:?}");
        assert_eq!(
            error.stops_destination(),
            matches!(error, Error::PermanentReject { .. })
        );
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn a_context_in_a_transfer_syntax_that_was_not_proposed_is_none() {
    let (pacs, destination) = Pacs::new().await;
    let peer = tokio::spawn(async move {
        let mut raw = pacs.accept().await;
        raw.receive().await.unwrap();
        raw.send(&acceptance(&[(STORE, IMPLICIT), (77, EXPLICIT)]))
            .await;
        raw
    });
    let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
    let error = sender.store(&OBJECT).await.unwrap_err();
    assert!(matches!(error, Error::NoContext));
    drop(peer.await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_begun() {
    let (pacs, destination) = Pacs::new().await;
    let peer = tokio::spawn(pacs.associate());
    let mut sender = Association::request(&destination, &CONTEXTS).await.unwrap();
    let hostile = ObjectToStore {
        sop_instance_uid: "../x",
        ..OBJECT
    };
    let empty = ObjectToStore {
        data_set: b"",
        ..OBJECT
    };
    for object in [hostile, empty] {
        let error = sender.store(&object).await.unwrap_err();
        assert!(error.is_of_object(), "{error}");
    }
    let error = sender.request_commitment("2.25.9", &[]).await.unwrap_err();
    assert!(error.is_of_object(), "{error}");
    drop(peer.await.unwrap());
    let many: Vec<String> = (0..129).map(|class| format!("1.2.{class}")).collect();
    let many: Vec<_> = many
        .iter()
        .map(|class| (class.as_str(), &[EXPLICIT][..]))
        .collect();
    let error = Association::request(&destination, &many).await.unwrap_err();
    assert!(error.is_of_object(), "{error}");
}

/// A request of the peer's own, with the roles that it has (PS3.7, D.3.3.4).
fn reporting_request() -> Vec<u8> {
    let class = STORAGE_COMMITMENT.as_bytes();
    let length = u16::try_from(class.len()).unwrap().to_be_bytes();
    let roles = item(0x54, &[&length[..], class, &[0, 1]].concat());
    let contexts = [context(COMMIT, STORAGE_COMMITMENT, &[IMPLICIT])];
    request_of("PACS", &contexts, &roles)
}

#[tokio::test]
async fn a_report_on_an_association_of_the_peer_is_handed_on_and_answered() {
    let mut options = options();
    options.commitment_reports = true;
    let station = Station::start(options).await;
    let mut raw = Raw::connect(station.address).await;
    raw.send(&reporting_request()).await;
    let (kind, acceptance) = raw.receive().await.unwrap();
    assert_eq!(kind, 2);
    let roles = [STORAGE_COMMITMENT.as_bytes(), &[0, 1]].concat();
    assert!(
        acceptance
            .windows(roles.len())
            .any(|window| window == roles)
    );
    // By default it is refused, and the peer may come again.
    raw.send(&report(COMMIT, "2.25.9")).await;
    assert_eq!(raw.response().await, (0x8100, 0x0110, 4));
    station.memory.behave(Behaviour {
        takes_reports: true,
        ..Behaviour::default()
    });
    raw.send(&report(COMMIT, "2.25.9")).await;
    assert_eq!(raw.response().await, (0x8100, 0, 4));
    raw.send(&report(COMMIT, "../x")).await;
    assert_eq!(raw.response().await, (0x8100, 0x0110, 4));
    let reports = station.memory.log().reports.clone();
    assert_eq!(reports, [committed("2.25.9"), committed("2.25.9")]);
}

#[tokio::test]
async fn a_report_without_an_end_is_read_and_dropped() {
    let mut options = options();
    options.commitment_reports = true;
    let station = Station::start(options).await;
    let mut raw = Raw::connect(station.address).await;
    raw.send(&reporting_request()).await;
    raw.receive().await.unwrap();
    let command = [command(0x0100, 4, true), element(0x1002, &[1, 0])].concat();
    raw.send(&data(COMMIT, 3, &command)).await;
    let block = vec![0; 100_000];
    for _ in 0..50 {
        raw.send(&data(COMMIT, 0, &block)).await;
    }
    raw.send(&data(COMMIT, 2, b"")).await;
    assert_eq!(raw.response().await, (0x8100, 0x0213, 4));
    assert!(station.memory.log().reports.is_empty());
}

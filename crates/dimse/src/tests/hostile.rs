//! What comes to an open port, against the provider.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::memory::{Behaviour, EXPLICIT, IMPLICIT, NM, SC, Station, options};
use super::raw::{
    ECHO, Raw, STORE, command, context, data, element, fragment, item, pdu, request, request_of,
    store,
};
use crate::{Closed, ListenerOptions, Refusal, TurnedAway, VERIFICATION, Violation};

/// Options by which nobody has to wait long.
fn impatient() -> ListenerOptions {
    let mut options = options();
    options.deadlines.handshake = Duration::from_millis(300);
    options.deadlines.pdu = Duration::from_millis(300);
    options.deadlines.idle = Duration::from_millis(600);
    options
}

async fn closes_with(station: &Station, how: Closed) {
    let memory = &station.memory;
    memory.until("an end", |log| !log.closed.is_empty()).await;
    assert_eq!(memory.log().closed, [how]);
}

#[tokio::test]
async fn other_protocols_and_noise_are_turned_away_at_their_first_byte() {
    let station = Station::start(options()).await;
    let tls = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3];
    for noise in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &tls,
        &[0xFF],
        &[0; 64],
    ] {
        let started = Instant::now();
        let mut raw = Raw::connect(station.address).await;
        raw.send(noise).await;
        assert_eq!(raw.abort().await, (2, 1));
        assert!(started.elapsed() < Duration::from_secs(5));
    }
    let log = station.memory.log();
    assert_eq!(
        log.turned_away,
        [TurnedAway::Noise(Violation::UnknownPdu); 4]
    );
    assert!(log.opened.is_empty());
}

#[tokio::test]
async fn silence_and_a_slow_drip_are_closed_by_the_deadline() {
    let station = Station::start(impatient()).await;
    let mut silent = Raw::connect(station.address).await;
    assert_eq!(silent.receive().await, None);
    let mut slow = Raw::connect(station.address).await;
    let started = Instant::now();
    for byte in request() {
        if slow.0.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(started.elapsed() < Duration::from_secs(3));
    station
        .memory
        .until("both", |log| log.turned_away.len() == 2)
        .await;
    assert_eq!(station.memory.log().turned_away, [TurnedAway::Late; 2]);
}

#[tokio::test]
async fn a_check_of_the_port_is_no_noise() {
    let station = Station::start(options()).await;
    drop(Raw::connect(station.address).await);
    station
        .memory
        .until("it", |log| !log.turned_away.is_empty())
        .await;
    assert_eq!(station.memory.log().turned_away, [TurnedAway::Closed]);
}

#[tokio::test]
async fn a_claimed_length_is_never_believed() {
    let station = Station::start(options()).await;
    let claim = 0xF000_0000u32.to_be_bytes();
    let mut raw = Raw::connect(station.address).await;
    raw.send(&[&[1, 0], &claim[..]].concat()).await;
    assert_eq!(raw.abort().await, (2, 6));
    let mut raw = Raw::associated(station.address).await;
    raw.send(&[&[4, 0], &claim[..]].concat()).await;
    assert_eq!(raw.abort().await, (2, 6));
    let limit = 131_072;
    let length = 0xF000_0000;
    closes_with(
        &station,
        Closed::Violated(Violation::LongPdu { length, limit }),
    )
    .await;
}

#[tokio::test]
async fn a_flood_is_not_taken() {
    let station = Station::start(options()).await;
    let mut raw = Raw::connect(station.address).await;
    let claim = 0xF000_0000u32.to_be_bytes();
    raw.send(&[&[1, 0], &claim[..]].concat()).await;
    let block = vec![0; 1 << 20];
    let mut taken = 0;
    while taken < 400 && raw.0.write_all(&block).await.is_ok() {
        taken += 1;
    }
    assert!(taken < 50, "{taken} MiB were taken");
}

#[tokio::test]
async fn data_before_an_association_is_turned_away() {
    let station = Station::start(options()).await;
    let mut raw = Raw::connect(station.address).await;
    raw.send(&data(STORE, 0, &[0; 100])).await;
    assert_eq!(raw.abort().await.0, 2);
    let mut raw = Raw::connect(station.address).await;
    raw.send(&pdu(5, &[0; 4])).await;
    assert_eq!(raw.abort().await, (2, 2));
    assert!(station.memory.log().opened.is_empty());
}

#[tokio::test]
async fn a_peer_that_stops_within_an_object_is_aborted_and_nothing_is_kept() {
    let station = Station::start(impatient()).await;
    let mut raw = Raw::associated(station.address).await;
    raw.send(&data(STORE, 3, &store(NM, "2.25.1"))).await;
    raw.send(&data(STORE, 0, &[0; 100])).await;
    assert_eq!(raw.abort().await, (2, 0));
    closes_with(&station, Closed::Late).await;
    let log = station.memory.log();
    assert_eq!((log.kept.len(), log.dropped), (0, 1));
}

#[tokio::test]
async fn an_object_that_is_cut_by_the_network_is_dropped() {
    let station = Station::start(options()).await;
    let mut raw = Raw::associated(station.address).await;
    raw.send(&data(STORE, 3, &store(NM, "2.25.1"))).await;
    let whole = data(STORE, 2, &[0; 100]);
    raw.send(&whole[..50]).await;
    drop(raw);
    closes_with(&station, Closed::Lost).await;
    let log = station.memory.log();
    assert_eq!((log.kept.len(), log.dropped), (0, 1));
}

#[tokio::test]
async fn silence_between_messages_has_a_longer_deadline() {
    let station = Station::start(impatient()).await;
    let mut raw = Raw::associated(station.address).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    raw.send(&data(ECHO, 3, &command(0x30, 5, false))).await;
    assert_eq!(raw.response().await, (0x8030, 0, 5));
    assert_eq!(raw.abort().await, (2, 0));
    closes_with(&station, Closed::Idle).await;
}

#[tokio::test]
async fn messages_out_of_turn_end_the_association() {
    let store = data(STORE, 3, &store(NM, "2.25.1"));
    let part = data(STORE, 0, b"ab");
    let other = data(ECHO, 0, b"ab");
    let unknown = data(99, 3, &command(0x30, 5, false));
    let field = data(ECHO, 3, &command(0x0777, 5, false));
    let answer = data(ECHO, 3, &command(0x8030, 5, false));
    let broken = data(ECHO, 3, b"no command");
    let nameless = data(ECHO, 3, &element(0x0100, &[0x30, 0]));
    let release = pdu(5, &[0; 4]);
    let lie = pdu(4, &[0, 0, 0, 200, STORE, 0, 1]);
    let cases: [(&[&[u8]], Violation); 11] = [
        (&[&part], Violation::DataBeforeCommand),
        (&[&store, &store], Violation::CommandWithinData),
        (&[&store, &part, &other], Violation::OtherContext),
        (&[&unknown], Violation::UnknownContext),
        (&[&field], Violation::UnexpectedMessage { field: 0x0777 }),
        (&[&answer], Violation::UnexpectedMessage { field: 0x8030 }),
        (&[&broken], Violation::MalformedCommand),
        (&[&nameless], Violation::MalformedCommand),
        (&[&store, &release], Violation::UnexpectedPdu),
        (&[&lie], Violation::MalformedPdu),
        (&[&request()], Violation::UnexpectedPdu),
    ];
    for (bytes, violation) in cases {
        let station = Station::start(options()).await;
        let mut raw = Raw::associated(station.address).await;
        raw.send(&bytes.concat()).await;
        assert_eq!(raw.abort().await.0, 2, "{violation}");
        closes_with(&station, Closed::Violated(violation)).await;
        assert!(station.memory.log().kept.is_empty());
    }
}

#[tokio::test]
async fn what_is_not_provided_is_answered_and_the_association_goes_on() {
    let station = Station::start(options()).await;
    let mut raw = Raw::associated(station.address).await;
    for field in [0x0010, 0x0020, 0x0021, 0x0110, 0x0130, 0x0140, 0x0150] {
        raw.send(&data(STORE, 3, &command(field, 8, true))).await;
        raw.send(&data(STORE, 2, b"a query")).await;
        assert_eq!(raw.response().await, (field | 0x8000, 0x0211, 8));
    }
    // A cancellation has no response.
    raw.send(&data(STORE, 3, &command(0x0FFF, 8, false))).await;
    raw.send(&data(ECHO, 3, &command(0x30, 77, false))).await;
    assert_eq!(raw.response().await, (0x8030, 0, 77));
    // Verification is no context to store in, nor the other way around.
    raw.send(&data(ECHO, 3, &command(0x01, 78, false))).await;
    assert_eq!(raw.response().await, (0x8001, 0x0211, 78));
    raw.send(&data(STORE, 3, &command(0x30, 79, false))).await;
    assert_eq!(raw.response().await, (0x8030, 0x0211, 79));
    raw.send(&pdu(5, &[0; 4])).await;
    assert_eq!(raw.receive().await.unwrap().0, 6);
    closes_with(&station, Closed::Released).await;
}

#[tokio::test]
async fn a_message_is_taken_however_it_is_cut() {
    let station = Station::start(options()).await;
    let mut raw = Raw::associated(station.address).await;
    let command = store(NM, "2.25.1");
    // Every byte of the command in a PDU of its own.
    let (last, first) = command.split_last().unwrap();
    for byte in first {
        raw.send(&data(STORE, 1, &[*byte])).await;
    }
    raw.send(&data(STORE, 3, &[*last])).await;
    raw.send(&data(STORE, 0, b"abc")).await;
    raw.send(&data(STORE, 2, b"")).await;
    assert_eq!(raw.response().await, (0x8001, 0, 9));
    // A whole message, and the next, in one PDU, which comes in two parts.
    let (front, back) = command.split_at(30);
    let all = pdu(
        4,
        &[
            fragment(STORE, 1, front),
            fragment(STORE, 3, back),
            fragment(STORE, 0, b"de"),
            fragment(STORE, 2, b"f"),
            fragment(STORE, 3, &command),
            fragment(STORE, 2, b"ghi"),
        ]
        .concat(),
    );
    raw.send(&all[..100]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    raw.send(&all[100..]).await;
    for _ in 0..2 {
        assert_eq!(raw.response().await, (0x8001, 0, 9));
    }
    let log = station.memory.log();
    let ends: Vec<_> = log
        .kept
        .iter()
        .map(|kept| kept.file.last_chunk::<3>().unwrap())
        .collect();
    assert_eq!(ends, [b"abc", b"def", b"ghi"]);
}

#[tokio::test]
async fn a_class_that_is_not_the_contexts_and_hostile_identifiers_are_refused() {
    let station = Station::start(options()).await;
    let mut raw = Raw::associated(station.address).await;
    let long = "1".repeat(65);
    let cases = [
        (SC, "2.25.1", 0xA900),
        (NM, "../../etc/passwd", 0xC000),
        (NM, "..", 0xC000),
        (NM, "1.2/3", 0xC000),
        (NM, "one", 0xC000),
        (NM, &long, 0xC000),
        (NM, "", 0xC000),
        ("../x", "2.25.1", 0xC000),
    ];
    for (class, instance, status) in cases {
        raw.send(&data(STORE, 3, &store(class, instance))).await;
        raw.send(&data(STORE, 2, b"ab")).await;
        assert_eq!(raw.response().await, (0x8001, status, 9), "{instance}");
    }
    // Without a data set there is no object.
    raw.send(&data(STORE, 3, &command(1, 9, false))).await;
    assert_eq!(raw.response().await, (0x8001, 0xC000, 9));
    assert_eq!(station.memory.log().kept.len(), 0);
    // Padding is none of the identifier.
    raw.send(&data(STORE, 3, &store(NM, "2.25.1\0"))).await;
    raw.send(&data(STORE, 2, b"ab")).await;
    assert_eq!(raw.response().await, (0x8001, 0, 9));
    assert_eq!(
        station.memory.log().kept[0].object.sop_instance_uid,
        "2.25.1"
    );
}

/// What an acceptance says of each context: its number, the result and the transfer syntax.
fn results(acceptance: &[u8]) -> Vec<(u8, u8, String)> {
    let bytes = [
        &[2, 0],
        &u32::try_from(acceptance.len()).unwrap().to_be_bytes()[..],
        acceptance,
    ];
    let read = dicom_ul::pdu::read_pdu(&bytes.concat()[..], 262_138, true);
    let Ok(Some(dicom_ul::Pdu::AssociationAC(answer))) = read else {
        panic!("no acceptance");
    };
    let contexts = answer.presentation_contexts.into_iter();
    contexts
        .map(|c| (c.id, c.reason as u8, c.transfer_syntax))
        .collect()
}

#[tokio::test]
async fn each_context_is_decided_by_itself_and_none_at_all_is_an_association_too() {
    let station = Station::start(options()).await;
    let ct = "1.2.840.10008.5.1.4.1.1.2";
    let jpeg = "1.2.840.10008.1.2.4.50";
    let contexts = [
        context(1, NM, &[jpeg]),
        context(3, ct, &[EXPLICIT]),
        context(5, NM, &[jpeg, IMPLICIT, EXPLICIT]),
        context(7, VERIFICATION, &[IMPLICIT]),
        context(9, &format!("{SC}\0"), &[&format!("{IMPLICIT}\0")]),
        context(11, "1.2.840.10008.1.20.1", &[IMPLICIT]),
        context(13, NM, &[]),
    ];
    let mut raw = Raw::connect(station.address).await;
    raw.send(&request_of("A", &contexts, &[])).await;
    let answer = raw.receive().await.unwrap().1;
    let accepted = |id, syntax: &str| (id, 0, syntax.to_owned());
    let refused = |id, reason| (id, reason, IMPLICIT.to_owned());
    let expected = [
        refused(1, 4),
        refused(3, 3),
        accepted(5, EXPLICIT),
        accepted(7, IMPLICIT),
        accepted(9, IMPLICIT),
        refused(11, 3),
        refused(13, 4),
    ];
    assert_eq!(results(&answer), expected);
    let mut raw = Raw::connect(station.address).await;
    raw.send(&request_of("A", &contexts[..2], &[])).await;
    let answer = raw.receive().await.unwrap().1;
    assert_eq!(results(&answer), expected[..2]);
    raw.send(&data(1, 3, &store(NM, "2.25.1"))).await;
    assert_eq!(raw.abort().await.0, 2);
}

#[tokio::test]
async fn requests_that_are_wrong_are_rejected_or_aborted() {
    let station = Station::start(options()).await;
    let good = request();
    let with = |at: usize, bytes: &[u8]| {
        let mut request = good.clone();
        request[at..at + bytes.len()].copy_from_slice(bytes);
        request
    };
    let rejected = [
        (with(6, &[0, 2]), [1, 2, 2]),
        (with(10, b"SOMEONE ELSE    "), [1, 1, 7]),
        (with(26, b"STRANGER        "), [1, 1, 3]),
        (with(26, b"                "), [1, 1, 3]),
        (with(26, b"A\nB             "), [1, 1, 3]),
        (with(74 + 4, b"9"), [1, 1, 2]),
    ];
    for (request, numbers) in rejected {
        let mut raw = Raw::connect(station.address).await;
        raw.send(&request).await;
        let (kind, contents) = raw.receive().await.unwrap();
        assert_eq!((kind, &contents[1..]), (3, &numbers[..]));
        assert_eq!(raw.receive().await, None);
    }
    let twice = [context(1, NM, &[EXPLICIT]), context(1, SC, &[EXPLICIT])];
    let even = [context(2, NM, &[EXPLICIT])];
    let unknown = [item(0x99, b"?")];
    for contexts in [&twice[..], &even, &unknown] {
        let mut raw = Raw::connect(station.address).await;
        raw.send(&request_of("A", contexts, &[])).await;
        assert_eq!(raw.abort().await, (2, 6));
    }
    assert!(station.memory.log().opened.is_empty());
}

#[tokio::test]
async fn a_request_that_is_cut_anywhere_is_no_association() {
    let station = Station::start(options()).await;
    let whole = request();
    for length in (6..whole.len()).step_by(7) {
        // The PDU says that this was all.
        let cut = pdu(1, &whole[6..length]);
        let mut raw = Raw::connect(station.address).await;
        raw.send(&cut).await;
        let (kind, _) = raw.receive().await.unwrap();
        assert!(matches!(kind, 2 | 3 | 7), "{kind}");
    }
}

#[tokio::test]
async fn connections_beyond_what_there_may_be_are_closed_at_once() {
    let mut options = options();
    options.max_associations = 2;
    let station = Station::start(options).await;
    let mut held = Vec::new();
    for _ in 0..36 {
        held.push(Raw::connect(station.address).await);
    }
    let mut raw = Raw::connect(station.address).await;
    assert_eq!(raw.receive().await, None);
    assert_eq!(
        station.memory.log().turned_away,
        [TurnedAway::TooManyConnections]
    );
    held.truncate(4);
    station
        .memory
        .until("them", |log| log.turned_away.len() > 30)
        .await;
    let _first = Raw::associated(station.address).await;
    let _second = Raw::associated(station.address).await;
    let mut third = Raw::connect(station.address).await;
    third.send(&request()).await;
    let (kind, contents) = third.receive().await.unwrap();
    assert_eq!((kind, &contents[1..]), (3, &[2, 3, 2][..]));
    let last = station.memory.log().turned_away.last().copied();
    assert_eq!(last, Some(TurnedAway::Refused(Refusal::LimitReached)));
}

#[tokio::test]
async fn a_peer_with_small_pdus_gets_its_response_in_pieces() {
    let station = Station::start(options()).await;
    let contexts = [context(STORE, NM, &[EXPLICIT])];
    let user = item(0x51, &64u32.to_be_bytes());
    let mut raw = Raw::connect(station.address).await;
    raw.send(&request_of("A", &contexts, &user)).await;
    assert_eq!(raw.receive().await.unwrap().0, 2);
    raw.send(&data(STORE, 3, &store(NM, "2.25.1"))).await;
    raw.send(&data(STORE, 2, b"ab")).await;
    let mut response = Vec::new();
    loop {
        let (kind, contents) = raw.receive().await.unwrap();
        assert_eq!(kind, 4);
        assert!(contents.len() <= 64);
        response.extend_from_slice(&contents[6..]);
        if contents[5] == 3 {
            break;
        }
        assert_eq!(contents[5], 1);
    }
    let response = crate::command::CommandSet::parse(&response).unwrap();
    assert_eq!(response.field(), Some(0x8001));
}

#[tokio::test]
async fn a_success_is_not_sent_before_the_object_is_kept() {
    let station = Station::start(options()).await;
    station.memory.behave(Behaviour {
        finish_after: Duration::from_millis(300),
        ..Behaviour::default()
    });
    let mut raw = Raw::associated(station.address).await;
    raw.send(&data(STORE, 3, &store(NM, "2.25.1"))).await;
    raw.send(&data(STORE, 2, b"ab")).await;
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), raw.0.read(&mut byte));
    assert!(early.await.is_err(), "an answer before the object is kept");
    assert_eq!(raw.response().await, (0x8001, 0, 9));
    assert_eq!(station.memory.log().kept.len(), 1);
}

#[tokio::test]
async fn an_abort_of_the_peer_ends_the_association() {
    let station = Station::start(options()).await;
    let mut raw = Raw::associated(station.address).await;
    raw.send(&data(STORE, 3, &store(NM, "2.25.1"))).await;
    raw.send(&pdu(7, &[0; 4])).await;
    assert_eq!(raw.receive().await, None);
    closes_with(&station, Closed::Aborted).await;
    assert_eq!(station.memory.log().dropped, 1);
}

//! The storage user against the storage provider.

use std::sync::Arc;
use std::time::Duration;

use super::memory::{Behaviour, EXPLICIT, IMPLICIT, NM, SC, Station, options};
use crate::{
    Association, Closed, Error, ObjectToStore, Refusal, STORAGE_COMMITMENT, StoreStatus,
    StoredFile, TurnedAway, VERIFICATION,
};

const CONTEXTS: [(&str, &[&str]); 3] = [
    (VERIFICATION, &[IMPLICIT]),
    (NM, &[EXPLICIT, IMPLICIT]),
    (SC, &[IMPLICIT]),
];

fn object<'a>(instance: &'a str, data_set: &'a [u8]) -> ObjectToStore<'a> {
    ObjectToStore {
        sop_class_uid: NM,
        sop_instance_uid: instance,
        transfer_syntax_uid: EXPLICIT,
        data_set,
    }
}

async fn association(station: &Station, calling: &str) -> Result<Association, Error> {
    Association::request(&station.destination(calling), &CONTEXTS).await
}

#[tokio::test]
async fn an_object_arrives_as_a_file_with_the_bytes_that_were_sent() {
    let station = Station::start(options()).await;
    let data: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    let mut sender = association(&station, "SYMBIA1").await.unwrap();
    assert_eq!(sender.echo().await.unwrap(), 0);
    assert_eq!(sender.store(&object("2.25.1", &data)).await.unwrap(), 0);
    assert_eq!(sender.store(&object("2.25.2", b"ab")).await.unwrap(), 0);
    sender.release().await.unwrap();
    let memory = &station.memory;
    memory
        .until("the end", |log| log.closed == [Closed::Released])
        .await;
    let log = memory.log();
    let kept = &log.kept[0];
    assert_eq!(kept.peer.calling_ae_title, "SYMBIA1");
    assert_eq!(kept.object.transfer_syntax_uid, EXPLICIT);
    let file = StoredFile::read(&kept.file).unwrap();
    assert_eq!(file.sop_instance_uid, "2.25.1");
    assert!(kept.file[file.data_set_offset..] == data);
    assert!(log.kept[1].file.ends_with(b"ab"));
    assert_eq!(log.dropped, 0);
}

#[tokio::test]
async fn a_failure_of_the_station_is_answered_and_the_association_goes_on() {
    let station = Station::start(options()).await;
    let mut sender = association(&station, "A").await.unwrap();
    let full = Some(StoreStatus::OutOfResources);
    let behaviours = [
        Behaviour {
            begin: full,
            ..Behaviour::default()
        },
        Behaviour {
            write: full,
            ..Behaviour::default()
        },
        Behaviour {
            finish: full,
            ..Behaviour::default()
        },
    ];
    let data = vec![7; 300_000];
    for behaviour in behaviours {
        station.memory.behave(behaviour);
        assert_eq!(
            sender.store(&object("2.25.1", &data)).await.unwrap(),
            0xA700
        );
    }
    assert!(station.memory.log().kept.is_empty());
    station.memory.behave(Behaviour::default());
    assert_eq!(sender.store(&object("2.25.1", &data)).await.unwrap(), 0);
    assert_eq!(station.memory.log().kept.len(), 1);
}

#[tokio::test]
async fn an_object_over_the_limit_is_dropped_and_the_association_goes_on() {
    let mut options = options();
    options.max_object_bytes = 200_000;
    let station = Station::start(options).await;
    let mut sender = association(&station, "A").await.unwrap();
    let data = vec![7; 200_002];
    assert_eq!(
        sender.store(&object("2.25.1", &data)).await.unwrap(),
        0xC000
    );
    assert_eq!(station.memory.log().dropped, 1);
    let data = vec![7; 200_000];
    assert_eq!(sender.store(&object("2.25.1", &data)).await.unwrap(), 0);
    assert_eq!(station.memory.log().kept.len(), 1);
}

#[tokio::test]
async fn rejections_are_permanent_or_transient_and_tell_the_caller_which() {
    let mut options = options();
    options.max_associations_per_sender = 1;
    let station = Station::start(options).await;
    for name in ["STRANGER", "ELSEWHERE"] {
        let error = association(&station, name).await.unwrap_err();
        assert!(error.stops_destination(), "{error}");
    }
    let error = association(&station, "BUSY").await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    let first = association(&station, "A").await.unwrap();
    let error = association(&station, "A").await.unwrap_err();
    assert!(matches!(error, Error::TransientReject { .. }), "{error}");
    association(&station, "B").await.unwrap();
    first.release().await.unwrap();
    association(&station, "A").await.unwrap();
    let mut wrong = station.destination("A");
    wrong.called_ae_title = "OTHER".into();
    let error = Association::request(&wrong, &CONTEXTS).await.unwrap_err();
    assert!(matches!(error, Error::PermanentReject { .. }), "{error}");
    let refusals = [
        Refusal::UnknownCallingAeTitle,
        Refusal::NotAuthorized,
        Refusal::Congested,
        Refusal::LimitReached,
        Refusal::UnknownCalledAeTitle,
    ];
    assert_eq!(
        station.memory.log().turned_away,
        refusals.map(TurnedAway::Refused)
    );
}

#[tokio::test]
async fn what_no_context_was_accepted_for_is_of_the_object() {
    let station = Station::start(options()).await;
    let ct = "1.2.840.10008.5.1.4.1.1.2";
    let contexts: [(&str, &[&str]); 1] = [(ct, &[EXPLICIT])];
    let destination = station.destination("A");
    let mut sender = Association::request(&destination, &contexts).await.unwrap();
    assert!(!sender.accepts(ct, EXPLICIT));
    let object = ObjectToStore {
        sop_class_uid: ct,
        ..object("2.25.1", b"ab")
    };
    let error = sender.store(&object).await.unwrap_err();
    assert!(error.is_of_object());
    assert!(sender.echo().await.unwrap_err().is_of_object());
    sender.release().await.unwrap();
}

#[tokio::test]
async fn a_hundred_associations_at_once_are_served() {
    let station = Arc::new(Station::start(options()).await);
    let data = Arc::new(vec![3; 100_000]);
    let gate = Arc::new(tokio::sync::Barrier::new(100));
    let tasks: Vec<_> = (0..100)
        .map(|i| {
            let (station, data, gate) = (station.clone(), data.clone(), gate.clone());
            tokio::spawn(async move {
                let mut sender = association(&station, "A").await.unwrap();
                gate.wait().await;
                let instance = format!("2.25.{i}");
                let status = sender.store(&object(&instance, &data)).await.unwrap();
                sender.release().await.unwrap();
                status
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 0);
    }
    assert_eq!(station.memory.log().kept.len(), 100);
}

#[tokio::test]
async fn a_shutdown_lets_an_object_arrive_and_aborts_who_is_silent() {
    let station = Station::start(options()).await;
    let silent = association(&station, "SILENT").await.unwrap();
    let mut sender = association(&station, "A").await.unwrap();
    station.memory.behave(Behaviour {
        finish_after: Duration::from_millis(1_500),
        ..Behaviour::default()
    });
    let sending = tokio::spawn(async move {
        let status = sender.store(&object("2.25.1", b"ab")).await;
        (sender, status)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (memory, ended) = station.stop();
    ended.await;
    let (_sender, status) = sending.await.unwrap();
    assert_eq!(status.unwrap(), 0);
    assert_eq!(memory.log().closed, [Closed::ShutDown, Closed::ShutDown]);
    let error = silent.release().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_shutdown_ends_by_its_deadline_whatever_the_station_does() {
    let mut options = options();
    options.deadlines.shutdown = Duration::from_millis(300);
    let station = Station::start(options).await;
    let mut sender = association(&station, "A").await.unwrap();
    station.memory.behave(Behaviour {
        finish_after: Duration::from_secs(3_600),
        ..Behaviour::default()
    });
    let sending = tokio::spawn(async move { sender.store(&object("2.25.1", b"ab")).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (memory, ended) = station.stop();
    ended.await;
    let error = sending.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Aborted), "{error}");
    assert_eq!(memory.log().closed, [Closed::ShutDown]);
    assert_eq!(memory.log().dropped, 1);
}

#[tokio::test]
async fn a_panic_of_the_station_costs_one_association() {
    let station = Station::start(options()).await;
    let mut sender = association(&station, "A").await.unwrap();
    station.memory.behave(Behaviour {
        panics: true,
        ..Behaviour::default()
    });
    let error = sender.store(&object("2.25.1", b"ab")).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(station.memory.log().closed, [Closed::Failed]);
    station.memory.behave(Behaviour::default());
    let mut sender = association(&station, "A").await.unwrap();
    assert_eq!(sender.store(&object("2.25.1", b"ab")).await.unwrap(), 0);
}

#[tokio::test]
async fn the_provider_never_commits() {
    let mut options = options();
    options.commitment_reports = true;
    let station = Station::start(options).await;
    let contexts: [(&str, &[&str]); 1] = [(STORAGE_COMMITMENT, &[IMPLICIT])];
    let destination = station.destination("A");
    let mut sender = Association::request(&destination, &contexts).await.unwrap();
    let status = sender.request_commitment("2.25.5", &[(NM, "2.25.1")]).await;
    assert_eq!(status.unwrap(), 0x0211);
    let report = sender.receive_commitment(Duration::from_millis(50)).await;
    assert_eq!(report.unwrap(), None);
    sender.release().await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_transient_and_a_bad_title_is_not() {
    let station = Station::start(options()).await;
    let mut destination = station.destination("A");
    let (_, ended) = station.stop();
    ended.await;
    let error = Association::request(&destination, &CONTEXTS)
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
    destination.calling_ae_title = "SEVENTEEN LETTERS".into();
    let error = Association::request(&destination, &CONTEXTS)
        .await
        .unwrap_err();
    assert!(error.stops_destination(), "{error}");
}

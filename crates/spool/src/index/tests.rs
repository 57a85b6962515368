//! What is written reads back, is whole or not there, and a broken index costs itself.

use super::*;

fn index() -> (tempfile::TempDir, Index) {
    let folder = tempfile::tempdir().expect("a folder");
    let (index, found) = Index::open(&folder.path().join("station.db")).expect("an index");
    assert_eq!(found, Found::Nothing);
    (folder, index)
}

fn object(arrival: u64, study: Option<u64>) -> ObjectRow {
    ObjectRow {
        arrival,
        digest: "ab".repeat(32),
        bytes: 7,
        study,
        instance: Some("key".to_owned()),
        sender: Some("SYMBIA1".to_owned()),
        received_at: 5,
        is_removed: false,
    }
}

fn item(study: u64, revision: u32, target: &str) -> Item {
    Item {
        target: target.to_owned(),
        study,
        revision,
        item: "Report".to_owned(),
        payload: None,
    }
}

#[test]
fn studies_and_objects_read_back_after_the_index_was_opened_again() {
    let (folder, index) = index();
    let number = index
        .write(|session| {
            let number = session.add_study("k", "Open", 1, "{}")?;
            session.add_object(&object(9, Some(number)))?;
            session.add_object(&object(10, None))?;
            Ok(number)
        })
        .expect("a write");
    drop(index);
    let (index, found) = Index::open(&folder.path().join("station.db")).expect("an index");
    assert_eq!(found, Found::Sound);
    index
        .read(|session| {
            let study = session.study_by_key("k")?.expect("a study");
            assert_eq!((study.number, study.state.as_str()), (number, "Open"));
            assert_eq!(session.objects_of(number)?, [object(9, Some(number))]);
            assert_eq!(session.object(10)?, Some(object(10, None)));
            assert_eq!(session.study_by_key("other")?, None);
            Ok(())
        })
        .expect("a read");
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    let (_folder, index) = index();
    let failed = index.write(|session| {
        session.add_study("k", "Open", 1, "{}")?;
        session.add_object(&object(1, Some(77)))
    });
    assert!(failed.is_err(), "there is no study 77");
    let found = index.read(|session| session.study_by_key("k"));
    assert_eq!(found.expect("a read"), None);
}

#[test]
fn an_item_is_queued_once_and_tried_until_it_ends() {
    let (_folder, index) = index();
    index
        .write(|session| {
            let study = session.add_study("k", "Open", 1, "{}")?;
            session.queue(&item(study, 1, "destination/pacs"), 100)?;
            session.queue(&item(study, 1, "destination/pacs"), 200)?;
            let due = session.due_items("destination/pacs", 100, 8)?;
            assert_eq!(due.len(), 1);
            assert_eq!(session.due_items("destination/pacs", 99, 8)?, []);
            assert_eq!(session.due_items("destination/vna", 100, 8)?, []);
            let later = Attempt {
                state: ItemState::Pending,
                at: 110,
                next_at: 5000,
                detail: Some("out of resources".to_owned()),
            };
            session.tried(due[0].id, &later)?;
            assert_eq!(session.due_items("destination/pacs", 4999, 8)?, []);
            let next = session.next_item("destination/pacs")?.expect("an item");
            assert_eq!(
                (next.attempts, next.next_at, next.queued_at),
                (1, 5000, 100)
            );
            let done = Attempt {
                state: ItemState::Done,
                at: 5001,
                next_at: 5001,
                detail: None,
            };
            session.tried(next.id, &done)?;
            assert_eq!(session.next_item("destination/pacs")?, None);
            let [only] = &session.items_of(study)?[..] else {
                unreachable!("one item was queued");
            };
            assert_eq!((only.state, only.ended_at), (ItemState::Done, Some(5001)));
            Ok(())
        })
        .expect("a write");
}

#[test]
fn an_item_for_later_waits_and_may_be_withdrawn() {
    let (_folder, index) = index();
    index
        .write(|session| {
            let study = session.add_study("k", "Open", 1, "{}")?;
            session.queue_for(&item(study, 1, "alert/a"), 10, 500)?;
            assert_eq!(session.due_items("alert/a", 499, 8)?, []);
            let due = session.due_items("alert/a", 500, 8)?;
            assert_eq!(session.pending_items()?, due);
            session.withdraw(due[0].id, 600)?;
            assert_eq!(session.pending_items()?, []);
            assert_eq!(session.next_item("alert/a")?, None);
            assert_eq!(session.items_of(study)?[0].state, ItemState::Superseded);
            Ok(())
        })
        .expect("a write");
}

#[test]
fn what_failed_is_counted_and_can_be_queued_again_and_what_is_old_is_superseded() {
    let (_folder, index) = index();
    index
        .write(|session| {
            let study = session.add_study("k", "Open", 1, "{}")?;
            for target in ["destination/a", "destination/b", "alert/c"] {
                session.queue(&item(study, 1, target), 10)?;
            }
            let refused = Attempt {
                state: ItemState::Refused,
                at: 20,
                next_at: 20,
                detail: None,
            };
            session.tried(
                session.next_item("destination/a")?.expect("it").id,
                &refused,
            )?;
            let counts = session.outbox_counts("destination/")?;
            assert_eq!((counts.pending, counts.failed), (1, 1));
            assert_eq!(counts.oldest_pending, Some(10));
            assert_eq!(session.queue_again(study, 30)?, 1);
            assert_eq!(session.supersede(study, 2, "destination/", 40)?, 2);
            let counts = session.outbox_counts("destination/")?;
            assert_eq!(counts, OutboxCounts::default());
            assert_eq!(session.outbox_counts("alert/")?.pending, 1);
            Ok(())
        })
        .expect("a write");
}

#[test]
fn reviews_and_strangers_read_back() {
    let (_folder, index) = index();
    let review = |study, review| ReviewRow {
        study,
        revision: 2,
        at: 3,
        who: "anna".to_owned(),
        review,
    };
    index
        .write(|session| {
            let study = session.add_study("k", "Open", 1, "{}")?;
            session.add_review(&review(study, Review::Grade(2)))?;
            session.add_review(&review(study, Review::Acknowledged("Known".to_owned())))?;
            assert_eq!(session.reviews(Some(study))?.len(), 2);
            assert_eq!(session.reviews(Some(study + 1))?, []);
            assert_eq!(session.reviews(None)?[0], review(study, Review::Grade(2)));
            for at in [7, 9] {
                session.add_stranger("X", "10.0.0.1", "unknown", at)?;
            }
            let [stranger] = &session.strangers_since(9)?[..] else {
                unreachable!("one stranger came twice");
            };
            assert_eq!((stranger.times, stranger.last_at), (2, 9));
            Ok(())
        })
        .expect("a write");
}

#[test]
fn strangers_who_make_up_names_push_out_the_oldest() {
    let (_folder, index) = index();
    index
        .write(|session| {
            for at in 0..1010 {
                session.add_stranger(&format!("X{at}"), "10.0.0.1", "unknown", at)?;
            }
            let left = session.strangers_since(0)?;
            assert_eq!(left.len(), 1000);
            assert_eq!(left.last().map(|it| it.last_at), Some(10));
            Ok(())
        })
        .expect("a write");
}

#[test]
fn a_study_that_is_removed_leaves_no_row_but_of_files_that_are_there() {
    let (_folder, index) = index();
    index
        .write(|session| {
            let study = session.add_study("k", "Expired", 1, "{}")?;
            session.queue(&item(study, 1, "alert/a"), 1)?;
            session.add_object(&object(1, Some(study)))?;
            session.add_object(&object(2, Some(study)))?;
            session.mark_removed(1)?;
            session.remove_study(study)?;
            assert_eq!(session.object(1)?, None);
            assert_eq!(session.object(2)?, Some(object(2, None)));
            assert_eq!(session.stray_objects(6)?, [object(2, None)]);
            assert_eq!(session.stray_objects(5)?, [], "it was kept then");
            assert_eq!(session.study(study)?, None);
            Ok(())
        })
        .expect("a write");
}

#[test]
fn a_broken_index_is_moved_aside_and_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("station.db");
    for time in 1..=2 {
        fs::write(&path, vec![7; 8192]).expect("a file");
        let (index, found) = Index::open(&path).expect("an index");
        assert_eq!(found, Found::Broken(format!("station.db.broken-{time}")));
        drop(index);
    }
    let kept = fs::read(folder.path().join("station.db.broken-1")).expect("a file");
    assert_eq!(kept, vec![7; 8192]);
}

#[test]
fn an_index_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("station.db");
    let connection = Connection::open(&path).expect("a database");
    connection
        .pragma_update(None, "user_version", VERSION + 1)
        .expect("a version");
    drop(connection);
    let error = Index::open(&path).expect_err("should be refused");
    assert!(error.to_string().contains("has version 2"), "{error}");
}

#[test]
fn a_second_process_does_not_get_in() {
    let (folder, index) = index();
    index
        .write(|session| session.add_study("k", "Open", 1, "{}"))
        .expect("a write");
    let connection = Connection::open(folder.path().join("station.db")).expect("a file");
    let found: rusqlite::Result<i64> =
        connection.query_row("SELECT count(*) FROM study", [], |row| row.get(0));
    assert!(found.is_err(), "{found:?}");
}

//! The model that a screening waits for.

use super::*;

#[test]
fn a_screening_waits_for_its_model_and_keeps_it() {
    let mut job = screening("  model: {trainingRun: small}");
    job.observed.snapshot.model = awaited(Publisher::Absent);
    let reconciled = job.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["WaitingForModel"]);
    let message = "There is no TrainingRun small in this namespace yet";
    assert_eq!(reconciled.events[0].message, message);
    assert_eq!(job.status().phase, Some(Phase::Pending));
    assert_eq!(
        reason_of(&job.status(), "Accepted"),
        (ConditionStatus::Unknown, "WaitingForModel".into())
    );
    job.observed.snapshot.model = Model::Published(model());
    let manifest = job.manifest();
    assert_eq!(job.reconcile().create, [manifest, create(Screen)]);
    assert_eq!(job.status().model, Some(model()));
    // The run may go.
    job.observed.snapshot.model = Model::Missing("small".to_owned());
    assert_idle(&job.reconcile());
}

#[test]
fn a_training_waits_for_the_model_that_it_starts_from_and_keeps_it_beside_its_own() {
    let mut run = world(fixtures::training_run_from("{trainingRun: other}"));
    run.observed.snapshot.model = awaited(Publisher::Live);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["WaitingForModel"]);
    run.observed.snapshot.model = Model::Published(model());
    let manifest = run.manifest();
    assert_eq!(run.reconcile().create, [manifest, create(Preprocess)]);
    assert_eq!(run.status().started_from, Some(model()));
    assert_eq!(run.status().model, None);
    run.observed.snapshot.model = Model::Missing("other".to_owned());
    assert_idle(&run.reconcile());
    assert_eq!(run.status().started_from, Some(model()));
}

#[test]
fn a_screening_whose_model_will_never_be_there_fails() {
    let mut job = screening("  model: {trainingRun: small}");
    job.observed.snapshot.model = Model::Missing("small".to_owned());
    let reconciled = job.reconcile();
    assert_nothing_done(&reconciled);
    let expected = (ConditionStatus::False, "ModelUnavailable".to_owned());
    assert_eq!(reason_of(&job.status(), "Succeeded"), expected);
    assert_eq!(reason_of(&job.status(), "Accepted"), expected);
    let message = word(&job.status(), "Succeeded").2;
    assert_eq!(
        message,
        "The TrainingRun small has ended without a published model: name one that has published"
    );
}

#[test]
fn a_screening_says_what_its_training_run_lacks() {
    let table = [
        (
            Publisher::Live,
            "The TrainingRun small has not published its model yet",
        ),
        (Publisher::Malformed, "The TrainingRun small cannot be read"),
    ];
    for (publisher, expected) in table {
        let mut job = screening("  model: {trainingRun: small}");
        job.observed.snapshot.model = awaited(publisher);
        job.reconcile();
        assert_eq!(word(&job.status(), "Accepted").2, expected);
    }
}

#[test]
fn the_digest_of_a_published_model_goes_with_its_place() {
    let job = screening("  model: {trainingRun: small}");
    let resource = &job.observed.snapshot.resource;
    let published = Model::Published(model());
    assert_eq!(published.place(resource), Some(model().place()));
    assert_eq!(Model::Given.place(resource), None);
}

#[test]
fn a_model_by_its_place_alone_is_accepted_with_a_warning() {
    let accepted = |model: &str| {
        let mut job = screening(&format!("  model: {{uri: s3://m/{model}}}"));
        job.reconcile();
        let (status, _, message) = word(&job.status(), "Accepted");
        assert_eq!(status, ConditionStatus::True);
        message
    };
    let message = accepted("");
    assert!(message.contains("state spec.model.digest"), "{message}");
    let digest = format!(", digest: \"sha256:{}\"", "0".repeat(64));
    assert_eq!(accepted(&digest), "The spec is valid");
}

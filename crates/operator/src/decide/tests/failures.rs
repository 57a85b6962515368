//! What ends a resource without success.

use super::*;

#[test]
fn a_failure_ends_a_run_with_the_sentence_of_the_gravest_task() {
    let table = [
        (43, "PodFailurePolicy", "BadConfiguration"),
        (42, "FailedIndexes", "BadData"),
        (1, "FailedIndexes", "TaskFailed"),
    ];
    for (exit_code, job, expected) in table {
        let mut run = training("").until(Train);
        run.fail(Train, 3, exit_code, "labels.csv has no column grade");
        if job == "FailedIndexes" {
            run.job(Train).completed = [0, 1, 2, 4].into();
            run.job(Train).failed = [3].into();
        }
        run.break_job(Train, job);
        let reconciled = run.reconcile();
        assert_nothing_done(&reconciled);
        assert!(reasons_of(&reconciled).contains(&"TaskFailed"));
        assert_eq!(
            reconciled.events.last().map(|it| it.reason.as_str()),
            Some(expected)
        );
        let (status, reason, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, reason.as_str()),
            (ConditionStatus::False, expected)
        );
        assert_eq!(
            message,
            "train Residual Positive fold 3: labels.csv has no column grade"
        );
        assert_eq!(run.status().phase, Some(Phase::Failed));
        let failure = run.status().stages[1].failure.clone().expect("a failure");
        assert_eq!((failure.index, failure.exit_code), (3, exit_code));
    }
}

#[test]
fn a_shard_whose_objects_are_bad_leaves_the_others_of_a_screening_to_be_summed_up() {
    let mut job = screening("  model: {uri: s3://models/m/}").until(Screen);
    job.fail(Screen, 1, 42, "the prefix cannot be listed");
    job.job(Screen).completed = [0, 2].into();
    job.job(Screen).failed = [1].into();
    job.break_job(Screen, "FailedIndexes");
    assert_eq!(job.reconcile().create, [create(Summarize)]);
    let summary = Summary {
        screening: Some(ScreeningStatus {
            objects: 9,
            screened: 9,
            ..ScreeningStatus::default()
        }),
        ..Summary::default()
    };
    // The failure has to be in the status though its pods are gone by now.
    *job.reports() = TaskReports::default();
    job.complete(Summarize, &summary);
    job.reconcile();
    let (status, reason, message) = word(&job.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "BadData")
    );
    assert_eq!(message, "screen shard 2 of 3: the prefix cannot be listed");
    assert_eq!(job.status().screening.map(|it| it.screened), Some(9));
}

#[test]
fn a_stage_that_ran_too_long_ends_the_run() {
    let mut run = training("  activeDeadlineSeconds: 60").until(Train);
    run.break_job(Train, "DeadlineExceeded");
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    let (status, reason, message) = word(&run.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "DeadlineExceeded")
    );
    assert_eq!(
        message,
        "the stage train ran longer than activeDeadlineSeconds (60 s)"
    );
}

#[test]
fn what_the_api_server_finds_invalid_fails_the_run_and_what_it_forbids_is_retried() {
    let mut run = training("");
    run.refusal = Some(Refusal::Forbidden("exceeded quota: jobs".to_owned()));
    let reconciled = run.reconcile();
    assert_eq!(reconciled.create, [run.manifest(), create(Preprocess)]);
    assert_eq!(
        (run.status().phase, run.status().stages.len()),
        (Some(Phase::Pending), 0)
    );
    assert_eq!(word(&run.status(), "PodsHealthy").2, "exceeded quota: jobs");

    let mut run = training("");
    let message = "the API server refuses the Job: no such field";
    run.refusal = Some(Refusal::Invalid(message.to_owned()));
    let reconciled = run.reconcile();
    assert_eq!((reconciled.patch, reconciled.stop), (vec![], vec![]));
    assert_eq!(word(&run.status(), "Succeeded").2, message);
    let expected = (ConditionStatus::False, "BadConfiguration".to_owned());
    assert_eq!(reason_of(&run.status(), "Succeeded"), expected);
    assert_eq!(reason_of(&run.status(), "Accepted"), expected);
    assert_idle(&run.reconcile());
}

#[test]
fn a_run_that_is_not_accepted_waits_says_why_and_goes_on_once_it_is() {
    for lines in ["", "  queueName: gpu"] {
        let mut run = training(lines);
        let message = "spec.compute.image names the image x, which is not allowed";
        run.refusal = Some(Refusal::NotAccepted(ConditionState::new(
            ConditionStatus::False,
            reasons::NOT_ALLOWED,
            message,
        )));
        let reconciled = run.reconcile();
        assert_eq!((reconciled.patch, reconciled.stop), (vec![], vec![]));
        assert_eq!(reconciled.requeue, None);
        let told: Vec<_> = reconciled.events.iter().map(|it| &*it.message).collect();
        assert_eq!(told, [message]);
        let status = run.status();
        assert_eq!(
            (status.phase, status.stages.len()),
            (Some(Phase::Pending), 0)
        );
        let expected = |status| (status, "NotAllowed".to_owned(), message.to_owned());
        assert_eq!(word(&status, "Accepted"), expected(ConditionStatus::False));
        assert_eq!(
            word(&status, "Succeeded"),
            expected(ConditionStatus::Unknown)
        );
        assert_eq!(word(&status, "Stalled"), expected(ConditionStatus::True));
        let again = run.reconcile();
        assert_eq!((again.status, again.events), (None, vec![]));

        run.refusal = None;
        let reconciled = run.reconcile();
        assert_eq!(reconciled.create, [run.manifest(), create(Preprocess)]);
        let (accepted, _) = reason_of(&run.status(), "Accepted");
        let (stalled, _) = reason_of(&run.status(), "Stalled");
        assert_eq!(
            (accepted, stalled),
            (ConditionStatus::True, ConditionStatus::False)
        );
    }
}

#[test]
fn a_run_that_has_failed_is_started_again_once_for_each_time_it_is_asked() {
    let mut run = training("").until(Train);
    run.fail(Train, 0, 43, "the token has expired");
    run.break_job(Train, "PodFailurePolicy");
    run.reconcile();
    assert_eq!(run.status().phase, Some(Phase::Failed));
    assert_idle(&run.reconcile());
    for (start, word) in [(1, "monday"), (2, "tuesday")] {
        run.ask_for_retry(word);
        let reconciled = run.reconcile();
        assert_nothing_done(&reconciled);
        assert_eq!(reasons_of(&reconciled), ["Retrying"]);
        assert_eq!(reason_of(&run.status(), "Succeeded").1, "Retrying");
        assert_eq!(
            reason_of(&run.status(), "Reconciling").0,
            ConditionStatus::True
        );
        run.forget_old_jobs();
        // The data is there; what failed is attempted under a name that was never used.
        let attempt = 8 * start;
        let create = Create::Job {
            stage: Train,
            attempt,
        };
        assert_eq!(run.reconcile().create.last(), Some(&create));
        assert_idle(&run.reconcile());
        run.fail(Train, 0, 43, "the token has expired");
        run.break_job(Train, "PodFailurePolicy");
        run.reconcile();
        assert_eq!(run.status().phase, Some(Phase::Failed));
        assert_idle(&run.reconcile());
    }
}

#[test]
fn a_run_that_has_succeeded_is_never_started_again() {
    let mut run = training("").until(Refit);
    run.complete(Refit, &Summary::default());
    run.reconcile();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    run.ask_for_retry("please");
    assert_idle(&run.reconcile());
}

#[test]
fn a_run_without_one_usable_image_fails_before_anything_is_trained() {
    let table = [
        (0, 0, "there is no object below images"),
        (
            7,
            7,
            "no object below images can be used (of 28, 28 are in quarantine",
        ),
    ];
    for (objects, quarantined, words) in table {
        let mut run = training("");
        run.reconcile();
        let data = DataStatus {
            objects,
            quarantined,
            ..DataStatus::default()
        };
        let shard = Summary {
            data: Some(data),
            ..Summary::default()
        };
        run.complete(Preprocess, &shard);
        let reconciled = run.reconcile();
        assert_nothing_done(&reconciled);
        let (status, reason, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, reason.as_str()),
            (ConditionStatus::False, "NoUsableImages")
        );
        assert!(message.starts_with(words), "{message}");
    }
}

#[test]
fn a_screening_that_decided_on_nothing_has_not_succeeded() {
    let mut job = screening("  model: {uri: s3://models/m/}").until(Summarize);
    let summary = Summary {
        screening: Some(ScreeningStatus {
            objects: 5,
            unusable: 5,
            ..ScreeningStatus::default()
        }),
        ..Summary::default()
    };
    job.complete(Summarize, &summary);
    job.reconcile();
    let expected = (ConditionStatus::False, "NoUsableImages".to_owned());
    assert_eq!(reason_of(&job.status(), "Succeeded"), expected);
    assert_eq!(job.status().screening.map(|it| it.unusable), Some(5));
}

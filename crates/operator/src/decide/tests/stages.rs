//! One stage after the other, each once, to the end.

use super::*;
use serde_json::json;

#[test]
fn a_new_run_gets_its_manifest_and_the_job_of_its_first_stage_and_nothing_else() {
    let mut run = training("");
    let reconciled = run.reconcile();
    assert_eq!(reconciled.create, [run.manifest(), create(Preprocess)]);
    assert_eq!((&reconciled.patch, &reconciled.stop), (&vec![], &vec![]));
    assert_eq!(reasons_of(&reconciled), ["StageStarted"]);
    let status = run.status();
    assert_eq!(
        (status.observed_generation, status.phase),
        (Some(1), Some(Phase::Running))
    );
    assert_eq!(status.stages.len(), 1);
    let job = names::job(&run.observed.snapshot.resource, Preprocess, 0);
    assert_eq!(status.stages[0].job.as_deref(), Some(job.as_str()));
    assert_eq!(
        reason_of(&status, "Accepted"),
        (ConditionStatus::True, "AsExpected".into())
    );
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::Unknown, "Running".into())
    );
    let generations = status.conditions.iter().map(|it| it.observed_generation);
    assert!(
        generations
            .into_iter()
            .all(|generation| generation == Some(1))
    );
    assert_idle(&run.reconcile());
}

#[test]
fn a_run_keeps_the_image_of_its_first_stage() {
    let mut run = training("").until(Preprocess);
    run.add_pod(Preprocess, 1, RUNNING);
    run.reconcile();
    let images = |run: &World| {
        let images = run.status().images;
        let image = &images[0];
        (images.len(), image.image.clone(), image.pinned.clone())
    };
    let asked = "attrium:1".to_owned();
    assert_eq!(images(&run), (1, asked.clone(), None));
    let pinned = Some(format!("attrium@sha256:{}", "a".repeat(64)));
    run.add_pod(Preprocess, 0, RUNNING)
        .image
        .clone_from(&pinned);
    run.reconcile();
    assert_eq!(images(&run), (1, asked.clone(), pinned.clone()));
    run.complete(Preprocess, &Summary::default());
    run.reconcile();
    // Another operator would have asked for another one.
    run.job(Train).image = Some("attrium:2".to_owned());
    let other = Some(format!("attrium@sha256:{}", "b".repeat(64)));
    run.add_pod(Train, 0, RUNNING).image = other;
    run.reconcile();
    assert_eq!(images(&run), (1, asked, pinned));
}

#[test]
fn times_alone_are_never_written() {
    let mut run = training("");
    run.reconcile();
    run.observed.now = after(1);
    assert_idle(&run.reconcile());
}

#[test]
fn a_run_goes_from_stage_to_stage_to_its_results() {
    let mut run = training("");
    run.reconcile();
    let data = DataStatus {
        objects: 10,
        ..DataStatus::default()
    };
    let shard = Summary {
        data: Some(data),
        ..Summary::default()
    };
    run.complete(Preprocess, &shard);
    let reconciled = run.reconcile();
    assert_eq!(reconciled.create, [create(Train)]);
    assert_eq!(reasons_of(&reconciled), ["StageFinished", "StageStarted"]);
    assert_eq!(run.status().data.map(|data| data.objects), Some(40));
    run.complete(Train, &Summary::default());
    assert_eq!(run.reconcile().create, [create(Evaluate)]);
    let result = ResultStatus {
        architecture: Architecture::Residual,
        pretrained: false,
        task: Target::Positive,
        auc: "0.91".parse().ok(),
        auc_interval: None,
        auc_hard: None,
        accuracy: None,
        sensitivity: None,
        specificity: None,
        nothing_learned: None,
    };
    let evaluated = Summary {
        results: vec![result],
        report: Some("s3://models/report".to_owned()),
        ..Summary::default()
    };
    run.complete(Evaluate, &evaluated);
    assert_eq!(run.reconcile().create, [create(Refit)]);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(
        reconciled
            .events
            .iter()
            .map(|it| it.reason.as_str())
            .collect::<Vec<_>>(),
        ["StageFinished", "Succeeded"]
    );
    let status = run.status();
    assert_eq!(status.phase, Some(Phase::Succeeded));
    assert_eq!(status.progress.map(|it| it.percent), Some(100));
    assert_eq!(
        (status.model, status.report.as_deref()),
        (Some(model()), Some("s3://models/report"))
    );
    assert_eq!(status.best_auc, "0.91".parse().ok());
    assert_eq!(status.stages.len(), 4);
    for kind in ["Accepted", "PodsHealthy", "Published", "Succeeded"] {
        assert_eq!(word(&run.status(), kind).0, ConditionStatus::True, "{kind}");
    }
}

#[test]
fn a_network_that_has_learned_nothing_ends_a_run_before_it_is_trained_for_publishing() {
    let mut run = training("").until(Evaluate);
    let result = json!({
        "architecture": "Residual",
        "task": "Positive",
        "nothingLearned": "the AUC of a positive, 0.520 [0.410, 0.630], may be chance",
    });
    let evaluated = Summary {
        results: vec![serde_json::from_value(result).expect("needs no more")],
        ..Summary::default()
    };
    run.complete(Evaluate, &evaluated);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["StageFinished", "NothingLearned"]);
    assert!(
        reconciled.events[1]
            .message
            .contains("0.520 [0.410, 0.630]")
    );
    let status = run.status();
    for kind in ["Succeeded", "Published"] {
        let (is, reason, message) = word(&status, kind);
        assert_eq!((is, &*reason), (ConditionStatus::False, "NothingLearned"));
        assert!(message.ends_with("with publish.force"), "{message}");
    }
    assert_eq!(word(&status, "GatesPassed").0, ConditionStatus::True);
}

#[test]
fn a_screening_publishes_the_model_that_it_has_recalibrated_or_has_not_succeeded() {
    let lines =
        "  model: {uri: s3://models/m/}\n  labels: s3://scans/labels.csv\n  publishCalibrated: {}";
    let ended = |calibration| {
        let mut job = screening(lines).until(Summarize);
        let summarized = Summary {
            screening: Some(ScreeningStatus {
                objects: 9,
                screened: 9,
                negative: 9,
                calibration: Some(calibration),
                ..ScreeningStatus::default()
            }),
            ..Summary::default()
        };
        job.complete(Summarize, &summarized);
        let reconciled = job.reconcile();
        assert_nothing_done(&reconciled);
        (reasons_of(&reconciled).join(" "), job.status())
    };
    let (reasons, status) = ended(CalibrationStatus {
        model: Some(model()),
        refusal: None,
    });
    assert_eq!(reasons, "StageFinished Succeeded");
    assert_eq!(word(&status, "Published").0, ConditionStatus::True);
    let calibration = status.screening.and_then(|it| it.calibration);
    assert_eq!(calibration.and_then(|it| it.model), Some(model()));

    let (reasons, status) = ended(CalibrationStatus {
        model: None,
        refusal: Some("3 positives are too few".to_owned()),
    });
    assert_eq!(reasons, "StageFinished NotCalibrated");
    for kind in ["Succeeded", "Published"] {
        let (is, reason, message) = word(&status, kind);
        assert_eq!((is, &*reason), (ConditionStatus::False, "NotCalibrated"));
        assert!(
            message.ends_with("not recalibrated: 3 positives are too few"),
            "{message}"
        );
    }
    assert_eq!(status.screening.map(|it| it.screened), Some(9));
}

#[test]
fn a_missed_gate_ends_a_run_before_anything_is_trained_for_publishing() {
    let gates = "  gates: [{architecture: Residual, task: Positive, metric: auc, min: \"0.9\"}]";
    let mut run = training(gates).until(Evaluate);
    let gate = GateOutcome {
        architecture: Architecture::Residual,
        task: Target::Positive,
        metric: Metric::Auc,
        min: "0.9".parse().expect("a decimal"),
        value: "0.81".parse().ok(),
        passed: false,
    };
    let evaluated = Summary {
        gates: vec![gate],
        ..Summary::default()
    };
    run.complete(Evaluate, &evaluated);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["StageFinished", "GateMissed"]);
    let missed = "Residual Positive auc is 0.81, below 0.9";
    assert_eq!(reconciled.events[1].message, missed);
    let status = run.status();
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::False, "GateMissed".into())
    );
    assert_eq!(
        reason_of(&status, "Published"),
        (ConditionStatus::False, "GateMissed".into())
    );
    assert_eq!(word(&status, "GatesPassed").2, missed);
}

#[test]
fn what_has_ended_stays_so_whatever_becomes_of_its_jobs() {
    let mut run = training("").until(Refit);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    run.reconcile();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    run.observed.snapshot.jobs.clear();
    *run.reports() = TaskReports::default();
    run.observed.snapshot.state.manifest = None;
    assert_idle(&run.reconcile());

    let mut failed = training("").until(Train);
    failed.fail(Train, 0, 43, "no such bucket");
    failed.break_job(Train, "PodFailurePolicy");
    failed.reconcile();
    assert_eq!(failed.status().phase, Some(Phase::Failed));
    failed.observed.snapshot.jobs.clear();
    assert_idle(&failed.reconcile());
}

#[test]
fn a_job_that_somebody_deletes_while_it_runs_is_created_again_once_it_is_gone() {
    let mut run = training("").until(Train);
    run.job(Train).is_being_deleted = true;
    assert_idle(&run.reconcile());
    run.observed.snapshot.jobs.remove(&Train);
    assert_eq!(run.reconcile().create, [recreate(Train, 0)]);
}

#[test]
fn a_stage_that_the_status_has_as_complete_is_never_done_again() {
    let mut run = training("").until(Train);
    let before = run.status();
    run.observed.snapshot.jobs.remove(&Preprocess);
    *run.reports() = TaskReports::default();
    assert_idle(&run.reconcile());
    assert_eq!(run.status(), before);
    run.complete(Train, &Summary::default());
    run.observed.snapshot.jobs.remove(&Train);
    *run.reports() = TaskReports::default();
    let job = run.new_job(Train, 0);
    run.observed.snapshot.jobs.insert(Train, job);
    run.complete(Train, &Summary::default());
    assert_eq!(run.reconcile().create, [create(Evaluate)]);
}

#[test]
fn an_operator_that_has_just_started_goes_on_from_the_status_alone() {
    let mut run = training("").until(Refit);
    *run.reports() = TaskReports::default();
    run.observed.snapshot.jobs.retain(|kind, _| *kind == Refit);
    let evaluated = run.status();
    assert_idle(&run.reconcile());
    assert_eq!(run.status(), evaluated);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    run.reconcile();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    assert_eq!(run.status().stages[..3], evaluated.stages[..3]);
}

#[test]
fn results_that_are_gone_with_their_pod_are_reported_once_more() {
    let mut run = training("").until(Evaluate);
    run.complete_without_report(Evaluate);
    let reconciled = run.reconcile();
    assert_eq!(
        (&reconciled.create, reconciled.requeue),
        (&vec![], Some(Duration::from_secs(2)))
    );
    assert!(run.status().stages[2].completion_time.is_none());
    run.observed.now = after(10);
    assert_eq!(run.reconcile().create, [recreate(Evaluate, 1)]);
    run.complete_without_report(Evaluate);
    run.observed.now = after(20);
    assert_eq!(run.reconcile().create, [recreate(Evaluate, 2)]);
    run.complete_without_report(Evaluate);
    run.observed.now = after(30);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(
        reason_of(&run.status(), "Succeeded"),
        (ConditionStatus::False, "TaskFailed".into())
    );
}

#[test]
fn a_job_whose_tasks_are_all_over_is_left_to_say_so_itself() {
    let mut run = training("").until(Refit);
    run.job(Refit).completed = [0].into();
    let reconciled = run.reconcile();
    assert_eq!(
        (&reconciled.create, reconciled.requeue),
        (&vec![], Some(Duration::from_secs(2)))
    );
    assert_eq!(run.status().phase, Some(Phase::Running));
    // The summary comes before the Job's own status.
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.reports().summaries.insert(task(Refit, 0), refitted);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    assert_idle(&run.reconcile());
}

#[test]
fn a_summary_that_nothing_needs_is_not_asked_for() {
    let mut run = training("").until(Train);
    run.complete_without_report(Train);
    assert_eq!(run.reconcile().create, [create(Evaluate)]);
}

#[test]
fn a_resource_is_deleted_so_long_after_its_end_and_nothing_before() {
    let mut run = training("  ttlSecondsAfterFinished: 100").until(Train);
    run.fail(Train, 0, 43, "x");
    run.break_job(Train, "PodFailurePolicy");
    run.reconcile();
    let reconciled = run.reconcile();
    assert_idle(&reconciled);
    assert_eq!(reconciled.requeue, Some(Duration::from_secs(100)));
    run.observed.now = after(100);
    assert_eq!(run.reconcile().stop, [Stop::DeleteResource]);
}

#[test]
fn nothing_is_done_for_a_resource_that_is_being_deleted() {
    let mut run = training("").until(Train);
    let metadata = run.resource().resource_mut().metadata_mut();
    metadata.deletion_timestamp = Some(Time(now()));
    run.complete(Train, &Summary::default());
    assert!(decide(&run.observed).is_none());
    assert_eq!(run.reconcile(), Reconciled::default());
}

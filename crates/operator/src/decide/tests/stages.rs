//! One stage after the other, each once, to the end.

use super::*;

#[test]
fn a_new_run_gets_its_manifest_and_the_job_of_its_first_stage_and_nothing_else() {
    let mut run = training("");
    let decision = run.step();
    assert_eq!(
        decision.before,
        [Action::CreateManifest, create(Preprocess)]
    );
    assert_eq!(decision.after, []);
    assert_eq!(reasons_of(&decision), ["StageStarted"]);
    let status = run.status();
    assert_eq!(
        (status.observed_generation, status.phase),
        (Some(1), Some(Phase::Running))
    );
    assert_eq!(status.stages.len(), 1);
    let job = names::job(&run.resource, Preprocess, 0);
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
    assert_idle(&run.step());
}

#[test]
fn times_alone_are_never_written() {
    let mut run = training("");
    run.step();
    run.now = after(1);
    assert_idle(&run.step());
}

#[test]
fn a_run_goes_from_stage_to_stage_to_its_results() {
    let mut run = training("");
    run.step();
    let data = DataStatus {
        objects: 10,
        ..DataStatus::default()
    };
    let shard = Summary {
        data: Some(data),
        ..Summary::default()
    };
    run.complete(Preprocess, &shard);
    let decision = run.step();
    assert_eq!(decision.before, [create(Train)]);
    assert_eq!(reasons_of(&decision), ["StageFinished", "StageStarted"]);
    assert_eq!(run.status().data.map(|data| data.objects), Some(40));
    run.complete(Train, &Summary::default());
    assert_eq!(run.step().before, [create(Evaluate)]);
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
    };
    let evaluated = Summary {
        results: vec![result],
        report: Some("s3://models/report".to_owned()),
        ..Summary::default()
    };
    run.complete(Evaluate, &evaluated);
    assert_eq!(run.step().before, [create(Refit)]);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(
        decision
            .notices
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
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(reasons_of(&decision), ["StageFinished", "GateMissed"]);
    let told = "Residual Positive auc is 0.81, below 0.9";
    assert_eq!(decision.notices[1].message, told);
    let status = run.status();
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::False, "GateMissed".into())
    );
    assert_eq!(
        reason_of(&status, "Published"),
        (ConditionStatus::False, "GateMissed".into())
    );
    assert_eq!(word(&status, "GatesPassed").2, told);
}

#[test]
fn what_has_ended_stays_so_whatever_becomes_of_its_jobs() {
    let mut run = training("").until(Refit);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    run.step();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    run.jobs.clear();
    run.heard = Heard::default();
    run.has_manifest = false;
    assert_idle(&run.step());

    let mut failed = training("").until(Train);
    failed.fail(Train, 0, 43, "no such bucket");
    failed.break_job(Train, "PodFailurePolicy");
    failed.step();
    assert_eq!(failed.status().phase, Some(Phase::Failed));
    failed.jobs.clear();
    assert_idle(&failed.step());
}

#[test]
fn a_job_that_somebody_deletes_while_it_runs_is_made_again_once_it_is_gone() {
    let mut run = training("").until(Train);
    run.job(Train).deleted = true;
    assert_idle(&run.step());
    run.jobs.remove(&Train);
    let again = Action::CreateJob {
        stage: Train,
        attempt: 0,
        again: true,
    };
    assert_eq!(run.step().before, [again]);
}

#[test]
fn a_stage_that_the_status_has_as_complete_is_never_done_again() {
    let mut run = training("").until(Train);
    let before = run.status();
    run.jobs.remove(&Preprocess);
    run.heard = Heard::default();
    assert_idle(&run.step());
    assert_eq!(run.status(), before);
    run.complete(Train, &Summary::default());
    run.jobs.remove(&Train);
    run.heard = Heard::default();
    run.add_job(Train, 0);
    run.complete(Train, &Summary::default());
    assert_eq!(run.step().before, [create(Evaluate)]);
}

#[test]
fn an_operator_that_has_just_started_goes_on_from_the_status_alone() {
    let mut run = training("").until(Refit);
    run.heard = Heard::default();
    run.jobs.retain(|kind, _| *kind == Refit);
    let evaluated = run.status();
    assert_idle(&run.step());
    assert_eq!(run.status(), evaluated);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    run.step();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    assert_eq!(run.status().stages[..3], evaluated.stages[..3]);
}

#[test]
fn results_that_are_gone_with_their_pod_are_told_once_more() {
    let mut run = training("").until(Evaluate);
    run.complete_in_silence(Evaluate);
    let decision = run.step();
    assert_eq!(
        (&decision.before, decision.again),
        (&vec![], Some(Duration::from_secs(2)))
    );
    assert!(run.status().stages[2].completion_time.is_none());
    run.now = after(10);
    let again = |attempt| Action::CreateJob {
        stage: Evaluate,
        attempt,
        again: true,
    };
    assert_eq!(run.step().before, [again(1)]);
    run.complete_in_silence(Evaluate);
    run.now = after(20);
    assert_eq!(run.step().before, [again(2)]);
    run.complete_in_silence(Evaluate);
    run.now = after(30);
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(
        reason_of(&run.status(), "Succeeded"),
        (ConditionStatus::False, "TaskFailed".into())
    );
}

#[test]
fn a_job_whose_tasks_are_all_over_is_left_to_say_so_itself() {
    let mut run = training("").until(Refit);
    run.job(Refit).completed = [0].into();
    let decision = run.step();
    assert_eq!(
        (&decision.before, decision.again),
        (&vec![], Some(Duration::from_secs(2)))
    );
    assert_eq!(run.status().phase, Some(Phase::Running));
    // The summary comes before the Job's own word.
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.heard.summaries.insert(task(Refit, 0), refitted);
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    assert_idle(&run.step());
}

#[test]
fn a_summary_that_nothing_needs_is_not_asked_for() {
    let mut run = training("").until(Train);
    run.complete_in_silence(Train);
    assert_eq!(run.step().before, [create(Evaluate)]);
}

#[test]
fn a_resource_is_deleted_so_long_after_its_end_and_nothing_before() {
    let mut run = training("  ttlSecondsAfterFinished: 100").until(Train);
    run.fail(Train, 0, 43, "x");
    run.break_job(Train, "PodFailurePolicy");
    run.step();
    let decision = run.step();
    assert_idle(&decision);
    assert_eq!(decision.again, Some(Duration::from_secs(100)));
    run.now = after(100);
    assert_eq!(run.step().after, [Action::DeleteResource]);
}

#[test]
fn nothing_is_done_for_a_resource_that_is_being_deleted() {
    let mut run = training("").until(Train);
    let metadata = Arc::make_mut(&mut run.resource).metadata_mut();
    metadata.deletion_timestamp = Some(Time(now()));
    run.complete(Train, &Summary::default());
    let decision = run.step();
    assert_eq!(decision, Decision::default());
}

//! Conversations with a scripted API server: what is asked for, in order, and nothing else.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::*;
use crate::Patterns;
use crate::clock::ServerClock;
use crate::created_resource::CreatedResource;
use crate::events::event_queue;
use crate::fetch::QUERIES_PER_SECOND;
use crate::fixtures::{Answer, job, server, settings, training_run, training_spec, uid, whole};
use crate::index::{Index, Watched};
use crate::kueue::Workloads;
use crate::lease::Leadership;
use crate::manifest::{FILE, config_map};
use crate::metrics::Metrics;
use crate::names;
use crate::resource_entry::ResourceEntry;
use crate::snapshot::JobSnapshot;
use crate::versioned_store::Delivery;
use attrium_api::{Condition, ConditionStatus, Kind, conditions};
use attrium_workflow::StageKind;

/// A context whose operator leads, and knows of one resource.
fn context(client: kube::Client, resource: Option<&CreatedResource>) -> Arc<Context> {
    let leadership = Leadership::default();
    leadership.set(Some(
        tokio::time::Instant::now() + Duration::from_secs(3600),
    ));
    let (events, _publisher) = event_queue(client.clone(), "me");
    let index = Arc::new(Index::default());
    for watched in Watched::ALL {
        index.begin_relist(watched, None);
        index.end_relist(watched, None);
    }
    if let Some(resource) = resource {
        index.apply_resource(resource.clone(), Delivery::Changed);
    }
    Arc::new(Context {
        client,
        clock: ServerClock::default(),
        index,
        leadership,
        settings: settings(),
        metrics: Arc::new(Metrics::new()),
        events,
        workloads: Workloads::default(),
        event_queries: Arc::new(Semaphore::new(QUERIES_PER_SECOND)),
    })
}

fn run(version: &str) -> CreatedResource {
    let mut resource = training_run("");
    let metadata = resource.resource_mut().metadata_mut();
    metadata.resource_version = Some(version.to_owned());
    resource
}

fn with_status(resource: &CreatedResource, status: &Value) -> CreatedResource {
    let mut resource = resource.clone();
    let status = serde_json::from_value(status.clone()).expect("a status");
    resource.resource_mut().set_status(Some(status));
    resource
}

fn created(resource: &CreatedResource, version: &str) -> Job {
    let mut job = job(resource, StageKind::Preprocess, None);
    job.metadata.uid = Some("job-uid".to_owned());
    job.metadata.resource_version = Some(version.to_owned());
    job
}

fn ended() -> Value {
    let status = ConditionStatus::True;
    let condition = Condition::new(
        conditions::SUCCEEDED,
        status,
        "Completed",
        "",
        "2026-11-24T10:00:00Z",
    );
    json!({"phase": "Succeeded", "conditions": [condition]})
}

const JOBS: &str = "/namespaces/hospital/jobs";
const MAPS: &str = "/namespaces/hospital/configmaps";
const RUN: &str = "/namespaces/hospital/trainingruns/small";
const STATUS: &str = "/namespaces/hospital/trainingruns/small/status";

#[tokio::test]
async fn a_new_run_costs_a_config_map_a_job_and_a_status() {
    let run = run("5");
    let name = names::job(&run, StageKind::Preprocess, 0);
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}}))
            .with_body("/metadata/name", names::config_map(&run))
            .with_body("/immutable", true),
        Answer::post(JOBS, &created(&run, "7"))
            .with_body("/metadata/name", name.as_str())
            .with_body("/spec/completionMode", "Indexed"),
        Answer::patch(STATUS, &*run)
            .with_body("/metadata/resourceVersion", "5")
            .with_body("/status/phase", "Running")
            .with_body("/status/stages/0/job", name.as_str()),
    ]);
    let context = context(client, Some(&run));
    let requeue = reconcile(context.clone(), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
    // What was created is known without waiting for the watch.
    let key = ResourceKey::of(&run);
    let snapshot = context.index.snapshot(&key, Arc::new(run.clone()));
    assert_eq!(snapshot.jobs.len(), 1);
    assert!(snapshot.has_manifest());
}

#[tokio::test]
async fn what_is_there_already_is_taken_as_it_is() {
    let run = run("5");
    let name = names::job(&run, StageKind::Preprocess, 0);
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::refuse("POST", MAPS, 409, "AlreadyExists"),
        Answer::get(
            &map(&run),
            &config_map(&whole(&run), &names::config_map(&run)),
        ),
        Answer::refuse("POST", JOBS, 409, "AlreadyExists"),
        Answer::get(&format!("{JOBS}/{name}"), &created(&run, "7")),
        Answer::patch(STATUS, &*run),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
}

/// The path of the ConfigMap of a run's manifest.
fn map(run: &CreatedResource) -> String {
    format!("{MAPS}/{}", names::config_map(run))
}

#[tokio::test]
async fn a_config_map_of_the_right_name_with_another_content_is_refused_and_nothing_is_run_with_it()
{
    let run = run("5");
    let forged: [fn(&mut ConfigMap); 4] = [
        |map| {
            let data = map.data.as_mut().expect("data");
            let text = data.get_mut(FILE).expect("a manifest");
            *text = text.replace("s3://scans/", "s3://elsewhere/");
        },
        |map| map.data = None,
        |map| map.immutable = None,
        |map| map.metadata.owner_references = None,
    ];
    for forge in forged {
        let mut present = config_map(&whole(&run), &names::config_map(&run));
        forge(&mut present);
        let (client, server) = server(vec![
            Answer::get(RUN, &*run),
            Answer::refuse("POST", MAPS, 409, "AlreadyExists"),
            Answer::get(&map(&run), &present),
            Answer::patch(STATUS, &*run)
                .with_body("/status/phase", "Pending")
                .with_body("/status/conditions/1/reason", "NameTaken"),
        ]);
        let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
        assert_eq!(requeue, Requeue::BackOff);
        server.done();
    }
}

#[tokio::test]
async fn a_job_of_the_right_name_that_is_not_the_runs_own_is_left_alone() {
    let run = run("5");
    let name = names::job(&run, StageKind::Preprocess, 0);
    let mut foreign = created(&run, "7");
    foreign.metadata.owner_references = None;
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &config_map(&whole(&run), &names::config_map(&run))),
        Answer::refuse("POST", JOBS, 409, "AlreadyExists"),
        Answer::get(&format!("{JOBS}/{name}"), &foreign),
        Answer::patch(STATUS, &*run).with_body("/status/phase", "Pending"),
    ]);
    let context = context(client, Some(&run));
    let requeue = reconcile(context.clone(), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::BackOff);
    server.done();
    let snapshot = context
        .index
        .snapshot(&ResourceKey::of(&run), Arc::new(run));
    assert_eq!(snapshot.jobs.len(), 0);
}

#[tokio::test]
async fn a_job_that_a_policy_refuses_waits_for_another_policy_whatever_code_it_is_refused_with() {
    let denied = [
        (
            403,
            "admission webhook \"validation.gatekeeper.sh\" denied the request: no cost centre",
        ),
        (
            400,
            "admission webhook \"validate.kyverno.svc-fail\" denied the request: no cost centre",
        ),
        (
            422,
            "ValidatingAdmissionPolicy 'costs' with binding 'costs' denied request: no cost centre",
        ),
    ];
    for (code, message) in denied {
        let run = run("5");
        let (client, server) = server(vec![
            Answer::get(RUN, &*run),
            Answer::post(MAPS, &config_map(&whole(&run), &names::config_map(&run))),
            Answer::deny(JOBS, code, message),
            Answer::patch(STATUS, &*run)
                .with_body("/status/phase", "Pending")
                .with_body("/status/conditions/1/reason", "PodPending")
                .with_body("/status/conditions/4/status", "Unknown"),
        ]);
        let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
        assert_eq!(requeue, Requeue::BackOff, "{message}");
        server.done();
    }
}

#[tokio::test]
async fn an_invalid_job_fails_the_run_with_the_servers_message() {
    let run = run("5");
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}})),
        Answer::invalid(JOBS, "spec.template"),
        Answer::patch(STATUS, &*with_status(&run, &ended()))
            .with_body("/status/phase", "Failed")
            .with_body("/status/conditions/0/reason", "BadConfiguration")
            .with_body(
                "/status/conditions/0/message",
                "the API server refuses the Job of the stage preprocess: the server says Invalid",
            ),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn a_job_that_is_forbidden_for_now_is_reported_and_retried() {
    let run = run("5");
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}})),
        Answer::refuse("POST", JOBS, 403, "Forbidden"),
        Answer::patch(STATUS, &*run).with_body("/status/phase", "Pending"),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::BackOff);
    server.done();
}

#[tokio::test]
async fn of_a_run_that_names_what_is_not_allowed_nothing_is_made() {
    let mut run = run("5");
    training_spec(&mut run).compute.image = Some("docker.io/someone/else:1".to_owned());
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::patch(STATUS, &*run)
            .with_body("/status/phase", "Pending")
            .with_body("/status/conditions/0/reason", "NotAllowed"),
    ]);
    let mut context = context(client, Some(&run));
    let settings = &mut Arc::get_mut(&mut context).expect("no other").settings;
    settings.allowance.images = Some(Patterns::parse("mirror.example/*"));
    let requeue = reconcile(context, ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn of_a_run_that_an_older_definition_let_in_nothing_is_made() {
    let mut run = run("5");
    let template = json!({ "spec": { "hostNetwork": true } });
    training_spec(&mut run).compute.pod_template =
        Some(serde_json::from_value(template).expect("a template"));
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::patch(STATUS, &*run).with_body("/status/conditions/0/reason", "Invalid"),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn a_spec_that_was_changed_before_its_first_job_is_what_the_pods_do() {
    let run = run("5");
    let mut changed = self::run("6");
    changed.resource_mut().metadata_mut().generation = Some(2);
    let manifest = names::config_map(&changed);
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}})),
        Answer::refuse("POST", JOBS, 403, "Forbidden"),
        Answer::patch(STATUS, &*run),
        Answer::get(RUN, &*changed),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}}))
            .with_body("/metadata/name", manifest.as_str()),
        Answer::post(JOBS, &created(&changed, "7")).with_body(
            "/spec/template/spec/volumes/0/configMap/name",
            manifest.as_str(),
        ),
        Answer::patch(STATUS, &*changed).with_body("/status/phase", "Running"),
    ]);
    let context = context(client, Some(&run));
    let key = ResourceKey::of(&run);
    assert_eq!(
        reconcile(context.clone(), key.clone()).await,
        Requeue::BackOff
    );
    context.index.apply_resource(changed, Delivery::Changed);
    assert_eq!(reconcile(context, key).await, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn a_server_that_is_down_is_retried_and_nothing_is_written_meanwhile() {
    let run = run("5");
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::refuse("POST", MAPS, 500, "InternalError"),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::BackOff);
    server.done();
}

#[tokio::test]
async fn a_run_whose_status_somebody_else_has_written_is_reconciled_anew() {
    let run = run("5");
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}})),
        Answer::post(JOBS, &created(&run, "7")),
        Answer::refuse("PATCH", STATUS, 409, "Conflict"),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::After(SOON));
    server.done();
}

#[tokio::test]
async fn a_status_that_is_refused_is_cut_to_what_a_decision_needs() {
    let run = run("5");
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}})),
        Answer::post(JOBS, &created(&run, "7")),
        Answer::refuse("PATCH", STATUS, 422, "Invalid"),
        Answer::patch(STATUS, &*run)
            .with_body("/metadata/resourceVersion", "5")
            .with_body("/status/phase", "Running")
            .with_body("/status/stages/0/name", "preprocess")
            .with_body("/status/conditions/0/message", "See the operator's log")
            .with_body("/status/progress", Value::Null),
    ]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn an_operator_that_does_not_lead_asks_for_nothing() {
    let run = run("5");
    let (client, server) = server(Vec::new());
    let context = context(client, Some(&run));
    context.leadership.set(None);
    assert_eq!(
        reconcile(context, ResourceKey::of(&run)).await,
        Requeue::AwaitChange
    );
    server.done();
}

#[tokio::test]
async fn nothing_is_done_in_a_namespace_of_which_not_everything_is_known() {
    let run = run("5");
    let (client, server) = server(Vec::new());
    let context = context(client, Some(&run));
    context.index.lose(Watched::Jobs, None);
    for namespace in ["hospital", "elsewhere"] {
        context.index.begin_relist(Watched::Jobs, Some(namespace));
    }
    context.index.end_relist(Watched::Jobs, Some("elsewhere"));
    assert!(context.index.is_listed("elsewhere"));
    let key = ResourceKey::of(&run);
    assert_eq!(reconcile(context, key).await, Requeue::After(UNLISTED));
    server.done();
}

#[tokio::test]
async fn a_job_is_made_of_the_whole_resource_and_not_of_what_is_kept_of_it() {
    let mut run = run("5");
    let template = json!({ "spec": { "nodeSelector": { "gpu": "yes" } } });
    training_spec(&mut run).compute.pod_template =
        Some(serde_json::from_value(template).expect("a template"));
    let (client, server) = server(vec![
        Answer::get(RUN, &*run),
        Answer::post(MAPS, &json!({"metadata": {"name": "m"}})),
        Answer::post(JOBS, &created(&run, "7"))
            .with_body("/spec/template/spec/nodeSelector/gpu", "yes"),
        Answer::patch(STATUS, &*run).with_body("/status/phase", "Running"),
    ]);
    let context = context(client, Some(&run));
    let key = ResourceKey::of(&run);
    let Some(ResourceEntry::Live(kept)) = context.index.get(&key) else {
        panic!("should be live")
    };
    assert_eq!(kept.compute().pod_template, None);
    assert_eq!(reconcile(context, key).await, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn nothing_is_made_of_a_spec_that_has_changed_since_the_decision() {
    let run = run("5");
    let mut changed = self::run("6");
    changed.resource_mut().metadata_mut().generation = Some(2);
    let (client, server) = server(vec![Answer::get(RUN, &*changed)]);
    let requeue = reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::After(SOON));
    server.done();
}

#[tokio::test]
async fn a_job_is_not_created_again_for_a_run_that_has_ended_unseen() {
    let run = run("5");
    let started = json!({"stages": [{"name": "preprocess", "tasks": 4}]});
    let (client, server) = server(vec![Answer::get(RUN, &*with_status(&run, &ended()))]);
    let known = with_status(&run, &started);
    let requeue = reconcile(context(client, Some(&known)), ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::After(SOON));
    server.done();
}

#[tokio::test]
async fn a_stage_that_is_cut_short_has_no_active_pods_and_its_tasks_are_counted_as_failed() {
    let run = with_status(
        &run("5"),
        &json!({"stages": [{"name": "preprocess", "tasks": 4}]}),
    );
    let mut job = created(&run, "7");
    let condition = json!({"type": "Failed", "status": "True", "reason": "DeadlineExceeded"});
    let status = json!({"active": 2, "completedIndexes": "1", "conditions": [condition]});
    job.status = Some(serde_json::from_value(status).expect("a status"));
    let (client, server) = server(vec![
        Answer::patch(STATUS, &*with_status(&run, &ended()))
            .with_body("/status/phase", "Failed")
            .with_body("/status/stages/0/active", 0),
    ]);
    let context = context(client, Some(&run));
    let job = JobSnapshot::of(&job).expect("one of attrium's");
    context.index.apply_job(job, Delivery::Changed);
    assert_eq!(
        reconcile(context.clone(), ResourceKey::of(&run)).await,
        Requeue::AwaitChange
    );
    server.done();
    let text = context.metrics.text(&context.index, true).expect("text");
    for (outcome, number) in [("succeeded", 1), ("failed", 3)] {
        let labels = format!("stage=\"preprocess\",outcome=\"{outcome}\"");
        let line = format!("attrium_tasks_total{{{labels}}} {number}");
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn what_still_runs_of_a_run_that_has_ended_is_stopped_and_nothing_else_is_done() {
    let run = with_status(&run("5"), &ended());
    let name = names::job(&run, StageKind::Preprocess, 0);
    let delete = Answer::delete(&format!("{JOBS}/{name}"));
    let (client, server) = server(vec![delete.with_body("/preconditions/uid", "job-uid")]);
    let context = context(client, Some(&run));
    let job = JobSnapshot::of(&created(&run, "7")).expect("one of attrium's");
    context.index.apply_job(job.clone(), Delivery::Changed);
    assert_eq!(
        reconcile(context.clone(), ResourceKey::of(&run)).await,
        Requeue::AwaitChange
    );
    context.index.delete_job(&job);
    assert_eq!(
        reconcile(context, ResourceKey::of(&run)).await,
        Requeue::AwaitChange
    );
    server.done();
}

#[tokio::test]
async fn of_a_change_after_the_end_the_status_says_that_it_was_seen_and_nothing_follows() {
    let at = |observed: i64| {
        let mut status = ended();
        status["observedGeneration"] = observed.into();
        let mut run = with_status(&run(&observed.to_string()), &status);
        run.resource_mut().metadata_mut().generation = Some(2);
        run
    };
    let (before, after) = (at(1), at(2));
    let (client, server) = server(vec![
        Answer::patch(STATUS, &*after)
            .with_body("/metadata/uid", before.uid().as_str())
            .with_body("/status", json!({ "observedGeneration": 2 })),
    ]);
    let context = context(client, Some(&before));
    for _ in 0..2 {
        let requeue = reconcile(context.clone(), ResourceKey::of(&before)).await;
        assert_eq!(requeue, Requeue::AwaitChange);
    }
    server.done();
}

#[tokio::test]
async fn a_queued_job_is_deleted_once_the_status_says_that_its_run_is_suspended() {
    let mut run = run("5");
    let spec = training_spec(&mut run);
    spec.queue_name = Some("gpu".to_owned());
    spec.suspend = true;
    let name = names::job(&run, StageKind::Preprocess, 0);
    let (client, server) = server(vec![
        Answer::patch(STATUS, &*run).with_body("/status/phase", "Suspended"),
        Answer::delete(&format!("{JOBS}/{name}")).with_body("/preconditions/uid", "job-uid"),
    ]);
    let context = context(client, Some(&run));
    let mut admitted = created(&run, "7");
    admitted.spec.as_mut().expect("a spec").suspend = Some(false);
    let job = JobSnapshot::of(&admitted).expect("one of attrium's");
    context.index.apply_job(job, Delivery::Changed);
    let requeue = reconcile(context, ResourceKey::of(&run)).await;
    assert_eq!(requeue, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn a_run_is_deleted_by_its_uid_when_its_time_is_up() {
    let mut run = with_status(&run("5"), &ended());
    training_spec(&mut run).ttl_seconds_after_finished = Some(0);
    let uid = run.uid().to_string();
    let (client, server) = server(vec![
        Answer::delete(RUN).with_body("/preconditions/uid", uid.as_str()),
    ]);
    assert_eq!(
        reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await,
        Requeue::AwaitChange
    );
    server.done();
}

#[tokio::test]
async fn nothing_is_created_for_a_run_that_is_being_deleted() {
    let mut run = run("5");
    let metadata = run.resource_mut().metadata_mut();
    metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    let (client, server) = server(Vec::new());
    assert_eq!(
        reconcile(context(client, Some(&run)), ResourceKey::of(&run)).await,
        Requeue::AwaitChange
    );
    server.done();
}

fn malformed() -> MalformedResource {
    MalformedResource {
        uid: uid("u"),
        generation: Some(3),
        error: "missing field `images`".to_owned(),
    }
}

#[tokio::test]
async fn a_malformed_resource_is_reported_once_for_each_generation_field_by_field() {
    let object = json!({
        "apiVersion": "attrium.dev/v1alpha1", "kind": "TrainingRun",
        "metadata": {"name": "small", "namespace": "hospital", "resourceVersion": "5"},
        "spec": {
            "images": "s3://scans/", "labels": "s3://scans/labels.csv", "output": "s3://models/",
            "tasks": ["Positive"], "networks": [{"architecture": "Linear"}],
            "crossValidation": {"folds": "many"},
        },
    });
    let message = "the resource cannot be read: spec.crossValidation.folds is \"many\", not an integer: \
                   write it without quotes";
    let (client, server) = server(vec![
        Answer::get(RUN, &object),
        Answer::patch(STATUS, &object)
            .with_body("/status/conditions/0/type", "Accepted")
            .with_body("/status/conditions/0/status", "False")
            .with_body("/status/conditions/0/reason", "Malformed")
            .with_body("/status/conditions/0/message", message)
            .with_body("/status/conditions/2/type", "Stalled")
            .with_body("/status/conditions/2/status", "True")
            .with_body("/status/observedGeneration", 3)
            .with_body("/status/phase", Value::Null),
    ]);
    let context = context(client, None);
    let key = ResourceKey::new(Kind::TrainingRun, "hospital", "small");
    context
        .index
        .apply_malformed(key.clone(), "5", malformed(), Delivery::Changed);
    assert_eq!(
        reconcile(context.clone(), key.clone()).await,
        Requeue::AwaitChange
    );
    assert_eq!(reconcile(context, key).await, Requeue::AwaitChange);
    server.done();
}

#[tokio::test]
async fn a_malformed_resource_whose_report_did_not_arrive_is_reported_again() {
    let object = json!({
        "apiVersion": "attrium.dev/v1alpha1", "kind": "TrainingRun",
        "metadata": {"name": "small", "namespace": "hospital", "resourceVersion": "5"},
    });
    let (client, server) = server(vec![
        Answer::get(RUN, &object),
        Answer::refuse("PATCH", STATUS, 409, "Conflict"),
        Answer::get(RUN, &object),
        Answer::refuse("PATCH", STATUS, 503, "ServiceUnavailable"),
        Answer::get(RUN, &object),
        Answer::patch(STATUS, &object),
    ]);
    let context = context(client, None);
    let key = ResourceKey::new(Kind::TrainingRun, "hospital", "small");
    context
        .index
        .apply_malformed(key.clone(), "5", malformed(), Delivery::Changed);
    for expected in [Requeue::After(SOON), Requeue::BackOff, Requeue::AwaitChange] {
        assert_eq!(reconcile(context.clone(), key.clone()).await, expected);
    }
    server.done();
}

#[tokio::test]
async fn a_malformed_resource_that_has_ended_keeps_its_status() {
    let object = json!({
        "apiVersion": "attrium.dev/v1alpha1", "kind": "TrainingRun",
        "metadata": {"name": "small", "namespace": "hospital", "resourceVersion": "5"},
        "status": ended(),
    });
    let (client, server) = server(vec![Answer::get(RUN, &object)]);
    let context = context(client, None);
    let key = ResourceKey::new(Kind::TrainingRun, "hospital", "small");
    context
        .index
        .apply_malformed(key.clone(), "5", malformed(), Delivery::Changed);
    assert_eq!(reconcile(context, key).await, Requeue::AwaitChange);
    server.done();
}

//! The third step: what was decided is created, changed and stopped on the cluster.
//!
//! Everything is created once, under a name that tells what it is: what is there already is taken as it
//! is. Nothing is written by an operator that does not lead.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PostParams, Preconditions};
use serde_json::{Map, Value, json};

use super::context::Context;
use super::created_resource::CreatedResource;
use super::decide::{self, Create, JobChanges, JobPatch, Refusal, Stop};
use super::error::Error;
use super::job::StageJob;
use super::manifest::config_map;
use super::names::{ATTRIUM, StageNames};
use super::resource_api::{self, is_status, patch_params};
use super::resource_entry::ResourceKey;
use super::resource_snapshot::ResourceSnapshot;
use super::snapshot::JobSnapshot;
use attrium_api::{Status, Uid};
use attrium_workflow::{Plan, StageKind};

/// Creates what was decided for a live resource, up to the first thing that the API server refuses.
/// Returns why it does, if it does.
pub(super) async fn create(
    context: &Context,
    key: &ResourceKey,
    snapshot: &ResourceSnapshot,
    objects: &[Create],
) -> Result<Option<Refusal>, Error> {
    for object in objects {
        context.ensure_leader()?;
        let refusal = match object {
            Create::Manifest => create_manifest(context, &snapshot.resource).await?,
            Create::Job {
                stage,
                attempt,
                recreated,
            } => {
                if *recreated {
                    confirm_live(context, key, snapshot.resource.uid()).await?;
                }
                create_job(context, snapshot, *stage, *attempt).await?
            }
        };
        if refusal.is_some() {
            return Ok(refusal);
        }
    }
    Ok(None)
}

/// Changes Jobs of a live resource.
pub(super) async fn patch_jobs(
    context: &Context,
    key: &ResourceKey,
    patches: &[JobPatch],
) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(context.client.clone(), &key.namespace);
    for JobPatch { name, changes } in patches {
        context.ensure_leader()?;
        let patch = Patch::Merge(json!({ "spec": spec(changes) }));
        match api.patch(name, &patch_params(), &patch).await {
            Ok(job) => index_job(context, &key.namespace, &job),
            Err(error) if is_status(&error, 404) => {}
            Err(error) => return Err(Error::request(format!("change the Job {name}"), error)),
        }
    }
    Ok(())
}

/// Stops what nothing needs any more.
pub(super) async fn stop(
    context: &Context,
    key: &ResourceKey,
    uid: &Uid,
    objects: &[Stop],
) -> Result<(), Error> {
    for object in objects {
        context.ensure_leader()?;
        match object {
            Stop::DeleteJob { name } => delete_job(context, key, name).await?,
            Stop::DeleteResource => delete_resource(context, key, uid).await?,
        }
    }
    Ok(())
}

async fn create_manifest(
    context: &Context,
    resource: &CreatedResource,
) -> Result<Option<Refusal>, Error> {
    let config_map = config_map(resource);
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), resource.namespace());
    match api.create(&post_params(), &config_map).await {
        Ok(_) => {}
        Err(error) if is_status(&error, 409) => {}
        Err(error) => return refusal("the ConfigMap of its manifest", error).map(Some),
    }
    context.index.update_state(resource.uid(), |state| {
        state.manifest = config_map.metadata.name;
    });
    Ok(None)
}

async fn create_job(
    context: &Context,
    snapshot: &ResourceSnapshot,
    stage: StageKind,
    attempt: u32,
) -> Result<Option<Refusal>, Error> {
    let Some(job) = build_job(context, snapshot, stage, attempt) else {
        return Ok(None);
    };
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let namespace = snapshot.resource.namespace();
    let api: Api<Job> = Api::namespaced(context.client.clone(), namespace);
    let created = match api.create(&post_params(), &job).await {
        Ok(created) => {
            tracing::info!(job = name, "The Job of the stage {stage} is created");
            created
        }
        Err(error) if is_status(&error, 409) => {
            let present = api.get(name).await;
            present.map_err(|source| Error::request(format!("read the Job {name}"), source))?
        }
        Err(error) => return refusal(&format!("the Job of the stage {stage}"), error).map(Some),
    };
    index_job(context, namespace, &created);
    Ok(None)
}

fn build_job(
    context: &Context,
    snapshot: &ResourceSnapshot,
    stage: StageKind,
    attempt: u32,
) -> Option<Job> {
    let resource = &*snapshot.resource;
    let plan = Plan::new(resource);
    let job = StageJob {
        resource,
        stage: plan.stages.iter().find(|it| it.kind == stage)?,
        names: &StageNames::new(resource, stage, attempt),
        model: snapshot.model.place(resource),
        settings: &context.settings,
    };
    Some(job.build())
}

/// Keeps what was written, so that the next reconciliation does not have to wait for the watch.
fn index_job(context: &Context, namespace: &str, job: &Job) {
    if let Some(job) = JobSnapshot::of(job) {
        context.index.apply_job(namespace, job);
    }
}

/// The fields of a Job's spec that change.
fn spec(changes: &JobChanges) -> Map<String, Value> {
    let fields = [
        ("suspend", changes.suspend.map(Value::from)),
        ("parallelism", changes.parallelism.map(Value::from)),
        ("activeDeadlineSeconds", changes.deadline.map(Value::from)),
    ];
    let changed = fields.into_iter();
    changed
        .filter_map(|(field, value)| Some((field.to_owned(), value?)))
        .collect()
}

async fn delete_job(context: &Context, key: &ResourceKey, name: &str) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(context.client.clone(), &key.namespace);
    match api.delete(name, &DeleteParams::background()).await {
        Ok(_) => Ok(()),
        Err(error) if is_status(&error, 404) => Ok(()),
        Err(error) => Err(Error::request(format!("delete the Job {name}"), error)),
    }
}

async fn delete_resource(context: &Context, key: &ResourceKey, uid: &Uid) -> Result<(), Error> {
    // A resource of the same name may have been created since.
    let params = DeleteParams::background().preconditions(Preconditions {
        uid: Some(uid.to_string()),
        resource_version: None,
    });
    match resource_api::delete(&context.client, key, &params).await {
        Ok(()) => {
            tracing::info!("Deleted after ttlSecondsAfterFinished");
            Ok(())
        }
        Err(error) if is_status(&error, 404) || is_status(&error, 409) => Ok(()),
        Err(error) => Err(Error::request("delete the resource", error)),
    }
}

/// Reads the resource itself before a Job is created that was there before: it may have ended, or may
/// be gone, without the watch having said so yet.
async fn confirm_live(context: &Context, key: &ResourceKey, uid: &Uid) -> Result<(), Error> {
    let found = resource_api::get(&context.client, key).await;
    let found = found.map_err(|source| Error::request("read the resource", source))?;
    let has_ended = |status: &Status| decide::ended(status).is_some();
    let is_live = found.and_then(CreatedResource::new).is_some_and(|it| {
        it.uid() == uid
            && it.metadata().deletion_timestamp.is_none()
            && !it.status().is_some_and(has_ended)
    });
    if is_live { Ok(()) } else { Err(Error::Stale) }
}

fn post_params() -> PostParams {
    PostParams {
        field_manager: Some(ATTRIUM.to_owned()),
        ..PostParams::default()
    }
}

/// What it means that something was not created: what is invalid stays so, what is forbidden may be
/// allowed later.
///
/// # Errors
/// Any other answer of the API server, or none.
fn refusal(what: &str, error: kube::Error) -> Result<Refusal, Error> {
    match &error {
        kube::Error::Api(status) if matches!(status.code, 400 | 422) => Ok(Refusal::Invalid(
            format!("the API server refuses {what}: {}", status.message),
        )),
        kube::Error::Api(status) if status.code == 403 => Ok(Refusal::Forbidden(format!(
            "the API server does not let {what} be created: {}",
            status.message
        ))),
        _ => Err(Error::request(format!("create {what}"), error)),
    }
}

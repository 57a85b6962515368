//! The third step: what was decided is created, changed and stopped on the cluster.
//!
//! Everything is created once, under a name that tells what it is: what is there already is taken as it
//! is, if it is the resource's own. Nothing but the very object that was decided on is changed or deleted,
//! and nothing is written by an operator that does not lead.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PostParams, Preconditions};
use kube::core::Status;
use serde_json::{Map, Value, json};

use super::admission;
use super::context::Context;
use super::created_resource::{CreatedResource, WholeResource};
use super::decide::{self, Create, JobChanges, JobPatch, Model, Refusal, Stop};
use super::error::Error;
use super::job::StageJob;
use super::manifest::{config_map, is_manifest};
use super::names::{self, ATTRIUM, SUSPENDED, StageNames};
use super::owner;
use super::resource_api::{self, is_status, patch_params};
use super::resource_entry::ResourceKey;
use super::resource_snapshot::ResourceSnapshot;
use super::snapshot::JobSnapshot;
use super::versioned_store::Delivery;
use attrium_api::Uid;
use attrium_workflow::{Plan, StageKind};

/// Creates what was decided for a live resource, up to the first thing that is refused. Returns why it is,
/// if it is.
pub(super) async fn create(
    context: &Context,
    key: &ResourceKey,
    snapshot: &ResourceSnapshot,
    objects: &[Create],
) -> Result<Option<Refusal>, Error> {
    if objects.is_empty() {
        return Ok(None);
    }
    let resource = read_live(context, key, snapshot).await?;
    let mut refusal = admission::refusal(&context.settings, &resource);
    for object in objects {
        if refusal.is_some() {
            break;
        }
        context.ensure_leader()?;
        refusal = match object {
            Create::Manifest { name } => create_manifest(context, &resource, name).await?,
            Create::Job { stage, attempt } => {
                create_job(context, &resource, &snapshot.model, *stage, *attempt).await?
            }
        };
    }
    Ok(refusal)
}

/// Changes Jobs of a live resource.
pub(super) async fn patch_jobs(
    context: &Context,
    key: &ResourceKey,
    owner: &Uid,
    patches: &[JobPatch],
    now: Timestamp,
) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(context.client.clone(), &key.namespace);
    for JobPatch { name, uid, changes } in patches {
        context.ensure_leader()?;
        let metadata = metadata(uid, changes);
        let patch = Patch::Merge(json!({ "metadata": metadata, "spec": spec(changes) }));
        match api.patch(name, &patch_params(), &patch).await {
            Ok(job) => {
                index_job(context, &job);
                context.index.update_state(owner, |state| {
                    state.note_patch(uid, changes, now);
                });
            }
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
            Stop::DeleteJob { name, uid } => delete_job(context, key, name, uid).await?,
            Stop::DeleteResource => delete_resource(context, key, uid).await?,
        }
    }
    Ok(())
}

async fn create_manifest(
    context: &Context,
    resource: &WholeResource,
    name: &str,
) -> Result<Option<Refusal>, Error> {
    let config_map = config_map(resource, name);
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), resource.namespace());
    match api.create(&post_params(), &config_map).await {
        Ok(_) => {}
        Err(error) if is_status(&error, 409) => {
            let present = api.get(name).await;
            let present = present
                .map_err(|source| Error::request(format!("read the ConfigMap {name}"), source))?;
            // One of an earlier generation is made anew for a Job that names it.
            let is_current = name == names::config_map(resource);
            let is_own = if is_current {
                is_manifest(&present, resource)
            } else {
                owner::controls(resource, &present.metadata)
            };
            if !is_own {
                return Ok(Some(name_taken("ConfigMap", name)));
            }
        }
        Err(error) => return refusal("the ConfigMap of its manifest", error).map(Some),
    }
    context.index.update_state(resource.uid(), |state| {
        state.manifest = Some(name.to_owned());
    });
    Ok(None)
}

async fn create_job(
    context: &Context,
    resource: &WholeResource,
    model: &Model,
    stage: StageKind,
    attempt: u32,
) -> Result<Option<Refusal>, Error> {
    let Some(job) = build_job(context, resource, model, stage, attempt) else {
        return Ok(None);
    };
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let namespace = resource.namespace();
    let api: Api<Job> = Api::namespaced(context.client.clone(), namespace);
    let created = match api.create(&post_params(), &job).await {
        Ok(created) => {
            tracing::info!(job = name, "The Job of the stage {stage} is created");
            created
        }
        Err(error) if is_status(&error, 409) => {
            let present = api.get(name).await;
            let present =
                present.map_err(|source| Error::request(format!("read the Job {name}"), source))?;
            if !owner::controls(resource, &present.metadata) {
                return Ok(Some(name_taken("Job", name)));
            }
            present
        }
        Err(error) => return refusal(&format!("the Job of the stage {stage}"), error).map(Some),
    };
    index_job(context, &created);
    Ok(None)
}

fn build_job(
    context: &Context,
    resource: &WholeResource,
    model: &Model,
    stage: StageKind,
    attempt: u32,
) -> Option<Job> {
    let plan = Plan::new(resource);
    let job = StageJob {
        resource,
        stage: plan.stages.iter().find(|it| it.kind == stage)?,
        names: &StageNames::new(resource, stage, attempt),
        model: model.place(resource),
        settings: &context.settings,
    };
    Some(job.build())
}

/// Keeps what was written, so that the next reconciliation does not have to wait for the watch.
fn index_job(context: &Context, job: &Job) {
    if let Some(job) = JobSnapshot::of(job) {
        context.index.apply_job(job, Delivery::Changed);
    }
}

/// With the uid the API server changes no other Job of the name; the annotation tells who suspended it.
fn metadata(uid: &Uid, changes: &JobChanges) -> Value {
    let mut metadata = json!({ "uid": uid.as_str() });
    if let Some(suspend) = changes.suspend {
        metadata["annotations"] = json!({ (SUSPENDED): suspend.then_some("true") });
    }
    metadata
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

async fn delete_job(
    context: &Context,
    key: &ResourceKey,
    name: &str,
    uid: &Uid,
) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(context.client.clone(), &key.namespace);
    match api.delete(name, &delete_params(uid)).await {
        Ok(_) => Ok(()),
        Err(error) if is_gone(&error) => Ok(()),
        Err(error) => Err(Error::request(format!("delete the Job {name}"), error)),
    }
}

async fn delete_resource(context: &Context, key: &ResourceKey, uid: &Uid) -> Result<(), Error> {
    match resource_api::delete(&context.client, key, &delete_params(uid)).await {
        Ok(()) => {
            tracing::info!("Deleted after ttlSecondsAfterFinished");
            Ok(())
        }
        Err(error) if is_gone(&error) => Ok(()),
        Err(error) => Err(Error::request("delete the resource", error)),
    }
}

/// An object of the same name may have been created since.
fn delete_params(uid: &Uid) -> DeleteParams {
    DeleteParams::background().preconditions(Preconditions {
        uid: Some(uid.to_string()),
        resource_version: None,
    })
}

/// Whether what was to be deleted is not there, whatever has its name.
fn is_gone(error: &kube::Error) -> bool {
    is_status(error, 404) || is_status(error, 409)
}

/// Reads the resource itself before anything is created for it: the index has not all of it, and it may
/// have changed or ended, or may be gone, without the watch having said so yet.
async fn read_live(
    context: &Context,
    key: &ResourceKey,
    snapshot: &ResourceSnapshot,
) -> Result<WholeResource, Error> {
    let known = &snapshot.resource;
    let found = resource_api::get(&context.client, key).await;
    let found = found.map_err(|source| Error::request("read the resource", source))?;
    let is_as_decided = |it: &CreatedResource| {
        it.uid() == known.uid()
            && it.metadata().generation == known.metadata().generation
            && it.metadata().deletion_timestamp.is_none()
            && it.status().and_then(decide::ended).is_none()
    };
    let resource = found.and_then(CreatedResource::new).filter(is_as_decided);
    resource.map(WholeResource::new).ok_or(Error::Stale)
}

fn post_params() -> PostParams {
    PostParams {
        field_manager: Some(ATTRIUM.to_owned()),
        ..PostParams::default()
    }
}

/// What it means that something was not created: what is invalid stays so, what a quota or a policy
/// forbids may be allowed later.
///
/// # Errors
/// Any other answer of the API server, or none.
fn refusal(what: &str, error: kube::Error) -> Result<Refusal, Error> {
    match &error {
        kube::Error::Api(status) if is_invalid(status) => Ok(Refusal::Invalid(format!(
            "the API server refuses {what}: {}",
            status.message
        ))),
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422) => {
            Ok(Refusal::Forbidden(format!(
                "the API server does not let {what} be created: {}",
                status.message
            )))
        }
        _ => Err(Error::request(format!("create {what}"), error)),
    }
}

/// Whether the API server itself finds fields invalid. An admission policy answers with 403, 400 or 422
/// as it likes; it names no field, or says that it denies the request.
fn is_invalid(status: &Status) -> bool {
    let details = status.details.as_ref();
    let names_field = details.is_some_and(|it| it.causes.iter().any(|it| !it.field.is_empty()));
    let is_denied = ["denied the request", "denied request"]
        .iter()
        .any(|words| status.message.contains(words));
    status.code == 422 && names_field && !is_denied
}

/// Somebody else's object is left alone.
fn name_taken(kind: &str, name: &str) -> Refusal {
    Refusal::NameTaken(format!(
        "the {kind} {name} is there and is not this resource's own: delete it, and it is made anew"
    ))
}

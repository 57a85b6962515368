//! The third step: what was decided is done on the cluster.
//!
//! Everything is made once, under a name that tells what it is: made twice, by whomever, it is
//! there already. Nothing is written by an operator that does not lead.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::NamespaceResourceScope;
use serde_json::{Value, json};

use super::context::Context;
use super::decide::{self, Action, Changes, Model, Situation};
use super::error::Error;
use super::names::{ATTRIUM, StageNames};
use super::resource_entry::{Key, Kind};
use super::snapshot::JobSeen;
use super::{StageJob, config_map};
use attrium_api::{Resource, ScreeningJob, Status, TrainingRun};
use attrium_workflow::{Plan, StageKind};

/// Does one thing that was decided for a resource.
pub(super) async fn apply(
    context: &Context,
    key: &Key,
    uid: &str,
    situation: Option<&Situation>,
    action: &Action,
) -> Result<(), Error> {
    if !context.leadership.holds() {
        return Err(Error::NotLeading);
    }
    match (action, situation) {
        (Action::CreateManifest, Some(situation)) => create_manifest(context, situation).await,
        (
            Action::CreateJob {
                stage,
                attempt,
                again,
            },
            Some(situation),
        ) => {
            if *again {
                look_again(context, key, uid).await?;
            }
            create_job(context, situation, *stage, *attempt).await
        }
        (Action::PatchJob { name, changes }, _) => patch_job(context, key, name, changes).await,
        (Action::DeleteJob { name }, _) => delete_job(context, key, name).await,
        (Action::DeleteResource, _) => delete_resource(context, key, uid).await,
        // Nothing is made for a resource that has ended.
        (Action::CreateManifest | Action::CreateJob { .. }, None) => Ok(()),
    }
}

async fn create_manifest(context: &Context, situation: &Situation) -> Result<(), Error> {
    let resource = &situation.resource;
    let config_map = config_map(resource);
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), resource.namespace());
    match api.create(&params(), &config_map).await {
        Ok(_) => {}
        Err(error) if is(&error, 409) => {}
        Err(error) => return Err(refusal("the ConfigMap of its manifest", error)),
    }
    let uid = resource.uid().unwrap_or_default();
    context
        .index
        .note(uid, |memo| memo.manifest = config_map.metadata.name);
    Ok(())
}

async fn create_job(
    context: &Context,
    situation: &Situation,
    kind: StageKind,
    attempt: u32,
) -> Result<(), Error> {
    let resource = &situation.resource;
    let plan = Plan::new(resource);
    let Some(stage) = plan.stages.iter().find(|stage| stage.kind == kind) else {
        return Ok(());
    };
    let names = StageNames::new(resource, kind, attempt);
    let job = StageJob {
        resource,
        stage,
        names: &names,
        model: match &situation.model {
            Model::Found(model) => Some(&model.uri),
            Model::Given | Model::Waiting(_) | Model::Missing(_) => resource.model_uri(),
        },
        settings: &context.settings,
    }
    .build();
    let api: Api<Job> = Api::namespaced(context.client.clone(), resource.namespace());
    let job = match api.create(&params(), &job).await {
        Ok(job) => {
            tracing::info!(job = names.job, "The stage {kind} has its Job");
            job
        }
        Err(error) if is(&error, 409) => {
            let what = || format!("read the Job {}", names.job);
            api.get(&names.job)
                .await
                .map_err(|source| request(what(), source))?
        }
        Err(error) => return Err(refusal(&format!("the Job of the stage {kind}"), error)),
    };
    note(context, resource.namespace(), &job);
    let uid = resource.uid().unwrap_or_default();
    context.index.note(uid, |memo| memo.held = None);
    Ok(())
}

/// Keeps what was written, so that the next look does not have to wait for the watch.
fn note(context: &Context, namespace: &str, job: &Job) {
    if let Some(job) = JobSeen::of(job) {
        context.index.put_job(namespace, job);
    }
}

async fn patch_job(
    context: &Context,
    key: &Key,
    name: &str,
    changes: &Changes,
) -> Result<(), Error> {
    let mut spec = serde_json::Map::new();
    let pairs = [
        ("suspend", changes.suspend.map(Value::from)),
        ("parallelism", changes.parallelism.map(Value::from)),
        ("activeDeadlineSeconds", changes.deadline.map(Value::from)),
    ];
    for (field, value) in pairs {
        if let Some(value) = value {
            spec.insert(field.to_owned(), value);
        }
    }
    let patch = Patch::Merge(json!({ "spec": spec }));
    let api: Api<Job> = Api::namespaced(context.client.clone(), &key.namespace);
    match api.patch(name, &patch_params(), &patch).await {
        Ok(job) => note(context, &key.namespace, &job),
        Err(error) if is(&error, 404) => {}
        Err(error) => return Err(request(format!("change the Job {name}"), error)),
    }
    Ok(())
}

async fn delete_job(context: &Context, key: &Key, name: &str) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(context.client.clone(), &key.namespace);
    match api.delete(name, &DeleteParams::background()).await {
        Ok(_) => {}
        Err(error) if is(&error, 404) => {}
        Err(error) => return Err(request(format!("delete the Job {name}"), error)),
    }
    Ok(())
}

async fn delete_resource(context: &Context, key: &Key, uid: &str) -> Result<(), Error> {
    // A resource of the same name may have been made since.
    let params = DeleteParams::background().preconditions(Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: None,
    });
    let (client, namespace) = (context.client.clone(), &key.namespace);
    let deleted = match key.kind {
        Kind::TrainingRun => {
            let api: Api<TrainingRun> = Api::namespaced(client, namespace);
            api.delete(&key.name, &params).await.map(|_| ())
        }
        Kind::ScreeningJob => {
            let api: Api<ScreeningJob> = Api::namespaced(client, namespace);
            api.delete(&key.name, &params).await.map(|_| ())
        }
    };
    match deleted {
        Ok(()) => {
            tracing::info!("Deleted after ttlSecondsAfterFinished");
            Ok(())
        }
        Err(error) if is(&error, 404) || is(&error, 409) => Ok(()),
        Err(error) => Err(request("delete the resource".to_owned(), error)),
    }
}

/// Looks at the resource itself before a Job is made that was there before: it may have ended, or
/// may be gone, without the watch having told yet.
async fn look_again(context: &Context, key: &Key, uid: &str) -> Result<(), Error> {
    let resource = match key.kind {
        Kind::TrainingRun => get::<TrainingRun>(context, key, Resource::from_training).await?,
        Kind::ScreeningJob => get::<ScreeningJob>(context, key, Resource::from_screening).await?,
    };
    let is_over = |status: &Status| decide::ended(status).is_some();
    match resource {
        Some(resource)
            if resource.uid() == Some(uid) && !resource.status().is_some_and(is_over) =>
        {
            Ok(())
        }
        _ => Err(Error::Stale),
    }
}

async fn get<K>(
    context: &Context,
    key: &Key,
    wrap: fn(K) -> Resource,
) -> Result<Option<Resource>, Error>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(context.client.clone(), &key.namespace);
    let found = api.get_opt(&key.name).await;
    let found = found.map_err(|source| request("read the resource".to_owned(), source))?;
    Ok(found
        .filter(|it| it.meta().deletion_timestamp.is_none() && !it.name_any().is_empty())
        .map(wrap))
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(ATTRIUM.to_owned()),
        ..PostParams::default()
    }
}

pub(super) fn patch_params() -> PatchParams {
    PatchParams {
        field_manager: Some(ATTRIUM.to_owned()),
        ..PatchParams::default()
    }
}

/// Whether an error is the API server's answer with a code.
pub(super) fn is(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

pub(super) fn request(what: String, source: kube::Error) -> Error {
    Error::Request { what, source }
}

/// What it means that something was not made: what is invalid stays so, what is forbidden may be
/// allowed later.
fn refusal(what: &str, error: kube::Error) -> Error {
    match &error {
        kube::Error::Api(status) if matches!(status.code, 400 | 422) => Error::Refused {
            message: format!("the API server refuses {what}: {}", status.message),
        },
        kube::Error::Api(status) if status.code == 403 => Error::Held {
            message: format!(
                "the API server does not let {what} be made: {}",
                status.message
            ),
        },
        _ => request(format!("make {what}"), error),
    }
}

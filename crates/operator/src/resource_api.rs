//! Requests for resources of either kind.

use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde_json::Value;

use super::names::ATTRIUM;
use super::resource_entry::ResourceKey;
use attrium_api::{API_VERSION, Kind, Resource, ScreeningJob, TrainingRun};

/// The API of a resource that may not be readable as what it should be.
pub(super) fn dynamic(client: &Client, key: &ResourceKey) -> Api<DynamicObject> {
    let (group, version) = API_VERSION.split_once('/').expect("should name a group");
    let kind = GroupVersionKind::gvk(group, version, key.kind.name());
    let resource = ApiResource::from_gvk_with_plural(&kind, key.kind.plural());
    Api::namespaced_with(client.clone(), &key.namespace, &resource)
}

pub(super) async fn get(client: &Client, key: &ResourceKey) -> kube::Result<Option<Resource>> {
    let (client, namespace) = (client.clone(), &*key.namespace);
    match key.kind {
        Kind::TrainingRun => {
            let api: Api<TrainingRun> = Api::namespaced(client, namespace);
            let found = api.get_opt(&key.name).await?;
            Ok(found.map(Resource::from_training))
        }
        Kind::ScreeningJob => {
            let api: Api<ScreeningJob> = Api::namespaced(client, namespace);
            let found = api.get_opt(&key.name).await?;
            Ok(found.map(Resource::from_screening))
        }
    }
}

/// Merges a patch into a resource's status. Returns the resource as it is then.
pub(super) async fn patch_status(
    client: &Client,
    key: &ResourceKey,
    patch: Value,
) -> kube::Result<Resource> {
    let (client, namespace) = (client.clone(), &*key.namespace);
    let (params, patch) = (patch_params(), Patch::Merge(patch));
    match key.kind {
        Kind::TrainingRun => {
            let api: Api<TrainingRun> = Api::namespaced(client, namespace);
            let written = api.patch_status(&key.name, &params, &patch).await?;
            Ok(Resource::from_training(written))
        }
        Kind::ScreeningJob => {
            let api: Api<ScreeningJob> = Api::namespaced(client, namespace);
            let written = api.patch_status(&key.name, &params, &patch).await?;
            Ok(Resource::from_screening(written))
        }
    }
}

pub(super) async fn delete(
    client: &Client,
    key: &ResourceKey,
    params: &DeleteParams,
) -> kube::Result<()> {
    dynamic(client, key).delete(&key.name, params).await?;
    Ok(())
}

pub(super) fn patch_params() -> PatchParams {
    PatchParams {
        field_manager: Some(ATTRIUM.to_owned()),
        ..PatchParams::default()
    }
}

/// Whether an error is the API server's answer with a code.
pub(super) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

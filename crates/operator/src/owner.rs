//! What an object belongs to, as its controller reference says.
//!
//! Pure. A label may be written by anyone who may create an object, a controller reference too; but a
//! reference reaches no further than its own namespace, and so does what it claims.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::created_resource::CreatedResource;
use attrium_api::{API_VERSION, Kind, Uid};

/// What controls an object: by its namespace and uid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    pub(crate) namespace: Arc<str>,
    pub(crate) uid: Uid,
}

/// The reference that makes the cluster delete an object with its resource.
pub(crate) fn reference(resource: &CreatedResource) -> OwnerReference {
    OwnerReference {
        api_version: API_VERSION.to_owned(),
        kind: resource.kind().to_string(),
        name: resource.name().to_owned(),
        uid: resource.uid().to_string(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The reference to the resource that controls an object, if one of attrium's does.
pub(crate) fn resource_reference(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    let is_kind = |kind: &str| Kind::ALL.iter().any(|it| it.name() == kind);
    controller(metadata).filter(|it| it.api_version == API_VERSION && is_kind(&it.kind))
}

/// The uid of the Job that controls a pod, if one does.
pub(crate) fn job(metadata: &ObjectMeta) -> Option<Uid> {
    let job = controller(metadata).filter(|it| it.api_version == "batch/v1" && it.kind == "Job")?;
    Uid::new(job.uid.as_str())
}

/// Whether a resource controls an object of its own namespace.
pub(crate) fn controls(resource: &CreatedResource, metadata: &ObjectMeta) -> bool {
    let is_near = metadata.namespace.as_deref() == Some(resource.namespace());
    is_near && resource_reference(metadata).is_some_and(|it| it.uid == resource.uid().as_str())
}

fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    let mut references = metadata.owner_references.iter().flatten();
    references.find(|it| it.controller == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::training_run;

    fn controlled(change: impl FnOnce(&mut OwnerReference, &mut ObjectMeta)) -> ObjectMeta {
        let mut reference = reference(&training_run(""));
        let mut metadata = ObjectMeta {
            namespace: Some("hospital".to_owned()),
            ..ObjectMeta::default()
        };
        change(&mut reference, &mut metadata);
        metadata.owner_references = Some(vec![reference]);
        metadata
    }

    #[test]
    fn a_resource_controls_what_refers_to_it_from_its_own_namespace_and_nothing_else() {
        let run = training_run("");
        assert!(controls(&run, &controlled(|_, _| {})));
        let others = [
            controlled(|_, it| it.namespace = Some("elsewhere".to_owned())),
            controlled(|it, _| it.uid = "another".to_owned()),
            controlled(|it, _| it.controller = None),
            controlled(|it, _| it.api_version = "batch/v1".to_owned()),
            controlled(|it, _| it.kind = "CronJob".to_owned()),
            ObjectMeta::default(),
        ];
        for metadata in others {
            assert!(!controls(&run, &metadata), "{metadata:?}");
        }
    }

    #[test]
    fn a_pod_belongs_to_the_job_that_controls_it() {
        let by = |api_version: &str, kind: &str| {
            let (api_version, kind) = (api_version.to_owned(), kind.to_owned());
            job(&controlled(|it, _| {
                it.api_version = api_version;
                it.kind = kind;
            }))
        };
        assert!(by("batch/v1", "Job").is_some());
        assert_eq!(by("apps/v1", "ReplicaSet"), None);
        assert_eq!(by(API_VERSION, "TrainingRun"), None);
    }
}

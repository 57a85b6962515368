//! The manifest that a resource's pods read: an immutable ConfigMap.
//!
//! Pure. It holds the resource as it was when the work of a stage started: every default in place, no
//! status, and of its metadata what names it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::created_resource::{CreatedResource, WholeResource};
use super::{names, owner};
use attrium_api::{Resource, manifest};

/// The manifest's key, and its file's name below the folder where pods have it.
pub(crate) const FILE: &str = "manifest.yaml";

/// The ConfigMap of a resource's manifest, under a name.
pub(crate) fn config_map(resource: &WholeResource, name: &str) -> ConfigMap {
    let manifest =
        serde_saphyr::to_string(&bare(resource)).expect("a resource should be written as YAML");
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(resource.namespace().to_owned()),
            annotations: Some(resource.compute().job_annotations.clone())
                .filter(|it| !it.is_empty()),
            labels: Some(labels(resource)),
            owner_references: Some(vec![owner::reference(resource)]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(FILE.to_owned(), manifest)])),
        immutable: Some(true),
        binary_data: None,
    }
}

fn labels(resource: &WholeResource) -> BTreeMap<String, String> {
    let mut labels = resource.compute().job_labels.clone();
    labels.extend(names::labels(resource));
    labels
}

/// Whether a ConfigMap is the manifest of a resource. Its text may be that of another version of attrium,
/// as long as it says the same.
pub(crate) fn is_manifest(config_map: &ConfigMap, resource: &WholeResource) -> bool {
    let text = config_map.data.as_ref().and_then(|data| data.get(FILE));
    let says_the_same = |text: &String| {
        let parsed = manifest::parse(text);
        parsed.is_ok_and(|found| found == [bare(resource)])
    };
    owner::controls(resource, &config_map.metadata)
        && config_map.immutable == Some(true)
        && text.is_some_and(says_the_same)
}

/// A resource without its status and without what a cluster and its clients note in its metadata.
fn bare(resource: &CreatedResource) -> Resource {
    let mut resource = Resource::clone(resource);
    resource.set_status(None);
    let metadata = resource.metadata_mut();
    *metadata = ObjectMeta {
        name: metadata.name.take(),
        namespace: metadata.namespace.take(),
        uid: metadata.uid.take(),
        generation: metadata.generation,
        ..ObjectMeta::default()
    };
    resource
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fixtures::{UID, screening_job, training_run, uid, whole};
    use attrium_api::{Status, manifest};

    /// What pods read.
    fn read(config_map: &ConfigMap) -> Resource {
        let text = &config_map.data.as_ref().expect("data")[FILE];
        let parsed = manifest::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        parsed.into_iter().next().expect("a resource")
    }

    #[test]
    fn pods_read_the_very_resource_with_its_uid() {
        let template = "  compute: {podTemplate: {spec: {nodeSelector: {gpu: \"yes\"}}}}";
        let resources = [
            training_run(template),
            screening_job("  model: {trainingRun: a}"),
        ];
        for resource in resources {
            let config_map = config_map(&whole(&resource), "m");
            assert_eq!(config_map.immutable, Some(true));
            assert_eq!(read(&config_map), *resource);
        }
    }

    #[test]
    fn what_clients_have_noted_and_the_status_stay_behind() {
        let mut run = training_run("");
        let metadata = run.resource_mut().metadata_mut();
        metadata.annotations = Some(BTreeMap::from([("note".to_owned(), "x".to_owned())]));
        metadata.resource_version = Some("17".to_owned());
        run.resource_mut().set_status(Some(Status::default()));
        let config_map = config_map(&whole(&run), "m");
        let text = &config_map.data.as_ref().expect("data")[FILE];
        for word in ["note", "resourceVersion", "status"] {
            assert!(!text.contains(word), "{word} is in\n{text}");
        }
        assert_eq!(read(&config_map).uid(), Some(uid(UID)));
    }
}

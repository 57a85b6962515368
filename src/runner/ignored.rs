//! The fields of a spec that only a cluster heeds.

use attrium_api::{Resource, StorageSpec};

/// The fields of a spec that say something and that only a cluster can do anything with.
pub(crate) fn ignored_fields(resource: &Resource) -> Vec<&'static str> {
    let (compute, storage) = (resource.compute(), resource.storage());
    let StorageSpec {
        credentials_secret,
        ca_bundle,
        ..
    } = storage;
    let alert = match resource {
        Resource::TrainingRun(_) => None,
        Resource::ScreeningJob(job) => job.spec.alert.as_ref(),
    };
    [
        (credentials_secret.is_some(), "storage.credentialsSecret"),
        (ca_bundle.is_some(), "storage.caBundle"),
        (
            compute.resource_claim_template_name.is_some(),
            "compute.resourceClaimTemplateName",
        ),
        (compute.image.is_some(), "compute.image"),
        (compute.resources.is_some(), "compute.resources"),
        (compute.pod_template.is_some(), "compute.podTemplate"),
        (alert.is_some(), "alert"),
        (resource.queue_name().is_some(), "queueName"),
        (resource.suspend(), "suspend"),
        (
            resource.active_deadline_seconds().is_some(),
            "activeDeadlineSeconds",
        ),
        (
            resource.ttl_seconds_after_finished().is_some(),
            "ttlSecondsAfterFinished",
        ),
    ]
    .into_iter()
    .filter_map(|(says, field)| says.then_some(field))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::{Alert, Webhook};
    use attrium_fixtures as fixtures;

    #[test]
    fn only_fields_that_say_something_are_named() {
        let mut run = fixtures::training_run();
        assert!(ignored_fields(&Resource::TrainingRun(Box::new(run.clone()))).is_empty());
        run.spec.suspend = true;
        run.spec.compute.pod_template = Some(Default::default());
        let named = ignored_fields(&Resource::TrainingRun(Box::new(run)));
        assert_eq!(named, ["compute.podTemplate", "suspend"]);
    }

    #[test]
    fn an_alert_that_nobody_is_sent_is_named() {
        let mut job = fixtures::screening_job();
        job.spec.alert = Some(Alert {
            webhook: Webhook {
                url: Some("https://alerts.hospital.example/hook".to_owned()),
                ..Webhook::default()
            },
        });
        assert_eq!(
            ignored_fields(&Resource::ScreeningJob(Box::new(job))),
            ["alert"]
        );
    }
}

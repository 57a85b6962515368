//! The snapshot of a Job.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec};
use k8s_openapi::jiff::Timestamp;

use crate::names::{self, Origin};
use crate::owner::{self, Owner};
use crate::pod::MANIFEST_VOLUME;
use attrium_api::{CONTAINER, Uid};

/// A Job as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobSnapshot {
    pub name: String,
    pub uid: Uid,
    pub resource_version: String,
    /// The resource that controls it.
    pub owner: Owner,
    pub origin: Origin,
    pub suspended: bool,
    /// Whether attrium has suspended it, for its resource.
    pub suspended_by_attrium: bool,
    /// Whether a queue admits it.
    pub queued: bool,
    /// The image of its tasks.
    pub image: Option<String>,
    /// The ConfigMap that its pods read the manifest from.
    pub config_map: Option<String>,
    /// How many indexes it has.
    pub completions: u32,
    /// How many of its pods may run at a time.
    pub parallelism: Option<i32>,
    /// How long it may run, in seconds.
    pub deadline: Option<i64>,
    /// How many of its pods are active.
    pub active: u32,
    /// The indexes that have succeeded.
    pub completed: BTreeSet<u32>,
    /// The indexes that have failed for good.
    pub failed: BTreeSet<u32>,
    /// How it has ended, once it has.
    pub end: Option<JobEnd>,
    pub created: Option<Timestamp>,
    /// When it last began to run.
    pub started: Option<Timestamp>,
    pub is_being_deleted: bool,
}

/// How a Job has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobEnd {
    /// Why it failed; nothing where every index has ended well.
    pub failure: Option<JobFailure>,
    pub at: Option<Timestamp>,
}

/// Why a Job has failed, as the Job controller says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobFailure {
    /// One word, such as `FailedIndexes`.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

impl JobSnapshot {
    /// Whether it has indexes to work on: one whose indexes are all over has yet to say that it has
    /// ended, and is left alone.
    pub(crate) fn is_open(&self) -> bool {
        let over = self.completed.len() + self.failed.len();
        self.end.is_none() && !self.is_being_deleted && over < self.completions as usize
    }

    /// The snapshot of a Job, if it is one of attrium's: a resource controls it, and it has the name
    /// that attrium gives, which a copy of it has not.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        let metadata = &job.metadata;
        let labels = metadata.labels.as_ref()?;
        let resource = owner::resource_reference(metadata)?;
        let owner = Owner {
            namespace: metadata.namespace.as_deref()?.into(),
            uid: Uid::new(resource.uid.as_str())?,
        };
        let origin = Origin::of(labels)?;
        let name = names::job_of(&resource.name, &owner.uid, origin.stage, origin.attempt);
        if metadata.name.as_ref() != Some(&name) {
            return None;
        }
        let (spec, status) = (job.spec.as_ref()?, job.status.clone().unwrap_or_default());
        let count = |number: Option<i32>| u32::try_from(number.unwrap_or_default());
        let indexes = |text: Option<String>| indexes(text.as_deref().unwrap_or_default());
        Some(Self {
            name,
            uid: Uid::new(metadata.uid.as_deref()?)?,
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
            owner,
            origin,
            suspended: spec.suspend.unwrap_or_default(),
            suspended_by_attrium: metadata
                .annotations
                .as_ref()
                .is_some_and(|it| it.contains_key(names::SUSPENDED)),
            queued: labels.contains_key(names::QUEUE),
            image: image(spec),
            config_map: config_map(spec),
            completions: count(spec.completions).unwrap_or_default(),
            parallelism: spec.parallelism,
            deadline: spec.active_deadline_seconds,
            active: count(status.active).unwrap_or_default(),
            completed: indexes(status.completed_indexes),
            failed: indexes(status.failed_indexes),
            end: end(&status.conditions.unwrap_or_default()),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            started: status.start_time.map(|time| time.0),
            is_being_deleted: metadata.deletion_timestamp.is_some(),
        })
    }
}

/// The image of the container that does the tasks of a Job.
fn image(spec: &JobSpec) -> Option<String> {
    let containers = &spec.template.spec.as_ref()?.containers;
    let container = containers.iter().find(|it| it.name == CONTAINER)?;
    container.image.clone()
}

/// The ConfigMap of the manifest that the pods of a Job mount.
fn config_map(spec: &JobSpec) -> Option<String> {
    let volumes = spec.template.spec.as_ref()?.volumes.as_ref()?;
    let manifest = volumes.iter().find(|it| it.name == MANIFEST_VOLUME)?;
    Some(manifest.config_map.as_ref()?.name.clone())
}

fn end(conditions: &[JobCondition]) -> Option<JobEnd> {
    let holds = |kind: &str| {
        conditions
            .iter()
            .find(|it| it.type_ == kind && it.status == "True")
    };
    let at = |it: &JobCondition| it.last_transition_time.as_ref().map(|time| time.0);
    if let Some(complete) = holds("Complete") {
        return Some(JobEnd {
            failure: None,
            at: at(complete),
        });
    }
    holds("Failed").map(|failed| JobEnd {
        failure: Some(JobFailure {
            reason: failed.reason.clone().unwrap_or_default(),
            message: failed.message.clone().unwrap_or_default(),
        }),
        at: at(failed),
    })
}

/// The most indexes of a Job that are read: a stage has no more tasks.
const MAX_INDEX: u32 = 1000;

/// The indexes that the Job controller writes as `1,3-5,7`.
fn indexes(text: &str) -> BTreeSet<u32> {
    let parse = |text: &str| text.trim().parse().ok();
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => Some(parse(first)?..=parse(last)?),
        None => parse(part).map(|index: u32| index..=index),
    };
    let ranges = text.split(',').filter_map(range);
    ranges
        .flat_map(|range| *range.start()..=(*range.end()).min(MAX_INDEX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{job, training_run};
    use attrium_workflow::StageKind;

    #[test]
    fn indexes_are_read_as_the_job_controller_writes_them() {
        let read = |text| indexes(text).into_iter().collect::<Vec<_>>();
        assert_eq!(read("1,3-5,7"), [1, 3, 4, 5, 7]);
        assert_eq!(read(""), [0; 0]);
        assert_eq!(read("0"), [0]);
        assert_eq!(read("x,2"), [2]);
    }

    fn created() -> Job {
        let mut job = job(&training_run(""), StageKind::Train, None);
        job.metadata.uid = Some("job-uid".to_owned());
        job
    }

    #[test]
    fn a_job_that_attrium_has_made_is_known_by_its_resource_and_stage() {
        let snapshot = JobSnapshot::of(&created()).expect("one of attrium's");
        let run = training_run("");
        assert_eq!(
            (&*snapshot.owner.namespace, &snapshot.owner.uid),
            (run.namespace(), run.uid())
        );
        assert_eq!(snapshot.origin.stage, StageKind::Train);
        assert_eq!(snapshot.config_map, Some(names::config_map(&run)));
    }

    #[test]
    fn a_job_counts_for_nothing_whose_labels_alone_say_that_it_is_attriums() {
        let forgeries: [fn(&mut Job); 5] = [
            |job| job.metadata.owner_references = None,
            |job| job.metadata.owner_references.as_mut().expect("owners")[0].controller = None,
            |job| job.metadata.owner_references.as_mut().expect("owners")[0].uid = "b".to_owned(),
            |job| job.metadata.name = Some("payroll".to_owned()),
            |job| job.metadata.namespace = None,
        ];
        for forge in forgeries {
            let mut job = created();
            forge(&mut job);
            assert_eq!(JobSnapshot::of(&job), None, "{:?}", job.metadata);
        }
    }
}

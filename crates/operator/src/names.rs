//! Names and labels of what a resource owns, and from labels back to the resource.
//!
//! Pure. A name is made of the resource's uid beside its name, so that objects of the two kinds never
//! share one, nor those of a resource and of an earlier one of the same name.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::created_resource::CreatedResource;
use attrium_api::Uid;
use attrium_workflow::StageKind;

/// The program that an object belongs to: always [`ATTRIUM`].
pub(crate) const PROGRAM: &str = "app.kubernetes.io/name";
/// What manages an object: always [`ATTRIUM`].
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The resource's name.
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
/// The stage.
pub(crate) const COMPONENT: &str = "app.kubernetes.io/component";
/// The resource's kind.
pub(crate) const KIND: &str = "attrium.dev/kind";
/// The resource's name.
pub(crate) const NAME: &str = "attrium.dev/name";
/// The resource's uid.
pub(crate) const UID: &str = "attrium.dev/uid";
/// Which attempt at its stage a Job is, from 0.
pub(crate) const ATTEMPT: &str = "attrium.dev/attempt";
/// The annotation of a Job that attrium itself has suspended, for its resource.
pub(crate) const SUSPENDED: &str = "attrium.dev/suspended";
/// The label that names the Kueue queue which admits a Job, or all Jobs of a resource.
pub(crate) const QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// The label that names the WorkloadPriorityClass of a Job, or of all Jobs of a resource.
pub(crate) const PRIORITY_CLASS: &str = "kueue.x-k8s.io/priority-class";

/// The value of [`PROGRAM`] and [`MANAGED_BY`], and the field manager of everything applied.
pub(crate) const ATTRIUM: &str = "attrium";

/// The longest name of a Job: that of its pods' hosts has an index of up to three digits more, and
/// is a DNS label.
const MAX_JOB_NAME: usize = 63 - "-999".len();

/// The names of a stage's Job, and its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StageNames {
    pub(crate) job: String,
    /// The ConfigMap of the manifest.
    pub(crate) config_map: String,
    /// The labels of the Job and of its pods.
    pub(crate) labels: BTreeMap<String, String>,
}

impl StageNames {
    /// The names for an attempt at a stage, from 0.
    pub(crate) fn new(resource: &CreatedResource, stage: StageKind, attempt: u32) -> Self {
        let mut labels = labels(resource);
        labels.insert(COMPONENT.to_owned(), stage.name().to_owned());
        labels.insert(ATTEMPT.to_owned(), attempt.to_string());
        Self {
            job: job(resource, stage, attempt),
            config_map: config_map(resource),
            labels,
        }
    }
}

/// The labels of everything that a resource owns.
pub(crate) fn labels(resource: &CreatedResource) -> BTreeMap<String, String> {
    let pairs = [
        (PROGRAM, ATTRIUM),
        (MANAGED_BY, ATTRIUM),
        (INSTANCE, resource.name()),
        (KIND, resource.kind().name()),
        (NAME, resource.name()),
        (UID, resource.uid().as_str()),
    ];
    let owned = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    BTreeMap::from(owned)
}

/// The ConfigMap that holds a resource's manifest: one for each generation, since a spec may change
/// until work has started, and a ConfigMap may not.
pub(crate) fn config_map(resource: &CreatedResource) -> String {
    let generation = resource.metadata().generation.unwrap_or_default();
    with_suffix(resource.name(), &hash(resource.uid(), generation))
}

/// The Job of an attempt at a stage, from 0.
pub(crate) fn job(resource: &CreatedResource, stage: StageKind, attempt: u32) -> String {
    job_of(resource.name(), resource.uid(), stage, attempt)
}

/// The Job of an attempt at a stage of the resource of a name and uid.
pub(crate) fn job_of(name: &str, uid: &Uid, stage: StageKind, attempt: u32) -> String {
    with_suffix(name, &format!("{stage}-{}", hash(uid, attempt.into())))
}

/// The resource's name as a DNS label, cut so that the suffix has room.
fn with_suffix(name: &str, suffix: &str) -> String {
    let mut name = name.replace('.', "-");
    name.truncate(MAX_JOB_NAME - 1 - suffix.len());
    format!("{}-{suffix}", name.trim_end_matches('-'))
}

/// Eight characters that stand for a resource's uid and a number.
fn hash(uid: &Uid, number: i64) -> String {
    const CHARACTERS: &[u8; 32] = b"0123456789abcdfghjklmnpqrstvwxyz";
    let digest = Sha256::digest(format!("{uid}/{number}"));
    let characters = digest.iter().take(8);
    characters
        .map(|byte| char::from(CHARACTERS[usize::from(byte % 32)]))
        .collect()
}

/// The attempt at a stage that an object was made for, as its labels say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) stage: StageKind,
    /// Which attempt at the stage, from 0.
    pub(crate) attempt: u32,
}

impl Origin {
    /// The origin that labels state, if they are attrium's.
    pub(crate) fn of(labels: &BTreeMap<String, String>) -> Option<Self> {
        let stage = labels.get(COMPONENT)?;
        let stages = StageKind::ALL;
        Some(Self {
            stage: stages.into_iter().find(|kind| kind.name() == stage)?,
            attempt: labels.get(ATTEMPT)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::Resource;

    fn run(name: &str, uid: &str) -> CreatedResource {
        let mut run = attrium_fixtures::training_run();
        run.metadata.name = Some(name.to_owned());
        run.metadata.uid = Some(uid.to_owned());
        CreatedResource::new(Resource::from_training(run)).expect("a uid")
    }

    #[test]
    fn a_job_is_named_for_its_resource_and_stage() {
        let name = job(&run("small", "a"), StageKind::Train, 0);
        assert!(name.starts_with("small-train-"), "{name}");
        assert_eq!(name.len(), "small-train-".len() + 8);
    }

    #[test]
    fn another_uid_and_another_attempt_have_another_name() {
        let name = |uid, attempt| job(&run("small", uid), StageKind::Train, attempt);
        assert_ne!(name("a", 0), name("b", 0));
        assert_ne!(name("a", 0), name("a", 1));
        assert_eq!(name("a", 1), name("a", 1));
    }

    #[test]
    fn a_spec_that_was_changed_has_a_manifest_of_its_own() {
        let name = |generation| {
            let mut run = run("small", "a");
            run.resource_mut().metadata_mut().generation = Some(generation);
            config_map(&run)
        };
        assert_ne!(name(1), name(2));
        assert_eq!(name(2), name(2));
    }

    #[test]
    fn the_longest_name_leaves_room_for_a_pods_index_and_is_a_dns_label() {
        for letter in ["a", "a.", "a-"] {
            let mut name = letter.repeat(25);
            name.push('z');
            for stage in StageKind::ALL {
                let name = job(&run(&name, "a"), stage, 0);
                assert!(name.len() <= 59, "{name}");
                let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                assert!(name.chars().all(is_label), "{name}");
            }
        }
        let longest = job(&run(&"a".repeat(50), "a"), StageKind::Preprocess, 0);
        assert_eq!(longest.len(), 59);
    }

    #[test]
    fn labels_lead_back_to_the_attempt_at_a_stage() {
        let names = StageNames::new(&run("small", "some-uid"), StageKind::Evaluate, 3);
        let expected = Origin {
            stage: StageKind::Evaluate,
            attempt: 3,
        };
        assert_eq!(Origin::of(&names.labels), Some(expected));
        assert_eq!(Origin::of(&labels(&run("small", "some-uid"))), None);
    }
}

//! A resource that an API server has created, and that therefore has a uid.
//!
//! An object becomes one where it comes in; without a uid it gets no further.

use std::ops::Deref;

use super::names;
use attrium_api::{
    ConditionStatus, LONGEST_RETRY, RETRY_ANNOTATION, Resource, Uid, condition, conditions,
};

/// How many attempts at a stage there may be before the resource is started again: names of Jobs are made of
/// it, and so it never changes.
pub(crate) const ATTEMPTS_OF_A_START: u32 = 8;

/// A resource with the uid that the API server has given it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CreatedResource {
    uid: Uid,
    resource: Resource,
}

impl CreatedResource {
    /// The resource, if it has a uid.
    pub(crate) fn new(resource: Resource) -> Option<Self> {
        let uid = resource.uid()?;
        Some(Self { uid, resource })
    }

    pub(crate) const fn uid(&self) -> &Uid {
        &self.uid
    }

    /// The queue that admits its Jobs, as its spec says or, as Kueue's own integrations read it, a label.
    pub(crate) fn queue_name(&self) -> Option<&str> {
        let label = || self.label(names::QUEUE);
        self.resource.queue_name().or_else(label)
    }

    /// The Kueue priority class of its Jobs.
    pub(crate) fn priority_class(&self) -> Option<&str> {
        self.label(names::PRIORITY_CLASS)
    }

    /// What asks for another start of a resource that has failed, and has not been followed yet.
    pub(crate) fn retry_asked(&self) -> Option<&str> {
        let annotations = self.resource.metadata().annotations.as_ref()?;
        let asked = annotations.get(RETRY_ANNOTATION)?;
        let status = self.resource.status()?;
        let has_failed = condition(&status.conditions, conditions::SUCCEEDED)
            .is_some_and(|it| it.status == ConditionStatus::False);
        let is_followed = status.retry.as_ref().is_some_and(|it| it.asked == *asked);
        let is_asked = has_failed && !is_followed && asked.len() <= LONGEST_RETRY;
        is_asked.then_some(asked.as_str())
    }

    /// The first attempt at each stage since it was started last.
    pub(crate) fn first_attempt(&self) -> u32 {
        let retry = self.resource.status().and_then(|it| it.retry.as_ref());
        retry.map_or(0, |it| it.count.saturating_mul(ATTEMPTS_OF_A_START))
    }

    fn label(&self, name: &str) -> Option<&str> {
        let labels = self.resource.metadata().labels.as_ref()?;
        labels.get(name).map(String::as_str)
    }

    /// The resource without what no decision needs, which may be most of it: its pods' template, and the
    /// metadata of clients.
    pub(crate) fn trimmed(mut self) -> Self {
        self.resource.compute_mut().pod_template = None;
        let metadata = self.resource.metadata_mut();
        metadata.managed_fields = None;
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.retain(|name, value| name == RETRY_ANNOTATION && value.len() <= LONGEST_RETRY);
        let labels = metadata.labels.get_or_insert_default();
        labels.retain(|name, _| [names::QUEUE, names::PRIORITY_CLASS].contains(&name.as_str()));
        self
    }

    /// The resource, to be changed.
    #[cfg(test)]
    pub(crate) const fn resource_mut(&mut self) -> &mut Resource {
        &mut self.resource
    }
}

/// A resource as the API server has it, with nothing left out: what objects are made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WholeResource(CreatedResource);

impl WholeResource {
    /// A resource as it was read from the API server.
    pub(crate) const fn new(read: CreatedResource) -> Self {
        Self(read)
    }
}

impl Deref for WholeResource {
    type Target = CreatedResource;

    fn deref(&self) -> &CreatedResource {
        &self.0
    }
}

impl Deref for CreatedResource {
    type Target = Resource;

    fn deref(&self) -> &Resource {
        &self.resource
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::training_run;

    #[test]
    fn a_resource_is_kept_without_what_may_be_most_of_it() {
        let template = "  compute: {podTemplate: {metadata: {annotations: {a: b}}}}";
        let mut run = training_run(template);
        let queue = (names::QUEUE.to_owned(), "gpu".to_owned());
        let metadata = run.resource_mut().metadata_mut();
        metadata.labels = Some([queue, ("team".to_owned(), "x".to_owned())].into());
        metadata.annotations = Some([("note".to_owned(), "x".repeat(1000))].into());
        let trimmed = run.trimmed();
        assert_eq!(trimmed.compute().pod_template, None);
        assert_eq!(trimmed.metadata().annotations, Some([].into()));
        assert_eq!(trimmed.queue_name(), Some("gpu"));
        assert_eq!(
            trimmed.metadata().labels.as_ref().map(|it| it.len()),
            Some(1)
        );
    }

    #[test]
    fn a_resource_without_a_uid_has_not_been_created() {
        for uid in [None, Some(String::new())] {
            let mut resource = Resource::clone(&training_run(""));
            resource.metadata_mut().uid = uid;
            assert_eq!(CreatedResource::new(resource), None);
        }
    }
}

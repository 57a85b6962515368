//! The metrics that Prometheus reads.
//!
//! What a metric costs does not grow with the number of runs: none names a resource, but for how screenings stand to the
//! cohorts of their models, and of these there are only so many.

use std::fmt;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::decide;
use super::index::Index;
use super::resource_snapshot::ResourceSnapshot;
use attrium_api::{Kind, MONITORED_FEATURES, Phase, ReferenceState, StageStatus, Status};

/// The operator's metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    resources: Family<PhaseLabels, Gauge>,
    leader: Gauge,
    reconciles: Family<KindLabels, Histogram, fn() -> Histogram>,
    errors: Family<KindLabels, Counter>,
    tasks: Family<OutcomeLabels, Counter>,
    first_job: Histogram,
    queue_wait: Histogram,
    outside_reference: Family<ReferenceLabels, Gauge>,
}

/// The most screenings that metrics name.
const MOST_SCREENINGS: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReferenceLabels {
    namespace: String,
    name: String,
    feature: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    kind: &'static str,
    phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    stage: String,
    outcome: &'static str,
}

fn reconcile_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

fn wait_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 4.0, 12))
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("attrium"),
            resources: Family::default(),
            leader: Gauge::default(),
            reconciles: Family::new_with_constructor(reconcile_buckets as fn() -> Histogram),
            errors: Family::default(),
            tasks: Family::default(),
            first_job: wait_buckets(),
            queue_wait: wait_buckets(),
            outside_reference: Family::default(),
        };
        metrics.register();
        metrics
    }

    /// Gives each metric its name and its help.
    fn register(&mut self) {
        let registry = &mut self.registry;
        let help = "Resources by kind and phase, told by the operator that leads";
        registry.register("resources", help, self.resources.clone());
        let help = "Whether this operator leads";
        registry.register("leader", help, self.leader.clone());
        let help = "How long the reconciliation of a resource takes";
        registry.register("reconcile_duration_seconds", help, self.reconciles.clone());
        let help = "Reconciliations that failed and are retried";
        registry.register("reconcile_errors", help, self.errors.clone());
        let help =
            "Tasks of stages that are over, by how they ended: one that was cut short has failed";
        registry.register("tasks", help, self.tasks.clone());
        let help = "Time from a resource's creation to its first Job";
        registry.register("first_job_seconds", help, self.first_job.clone());
        let help = "Time that a Job waited for its queue";
        registry.register("queue_wait_seconds", help, self.queue_wait.clone());
        let help = "Whether the scans of a screening that has ended are outside of what its model was trained on, by \
                    feature, told by the operator that leads";
        let outside = self.outside_reference.clone();
        registry.register("screening_outside_reference", help, outside);
    }

    /// Counts a reconciliation.
    pub(super) fn reconciled(&self, kind: Kind, took: Duration, failed: bool) {
        let kind = KindLabels { kind: kind.name() };
        self.reconciles
            .get_or_create(&kind)
            .observe(took.as_secs_f64());
        if failed {
            self.errors.get_or_create(&kind).inc();
        }
    }

    /// Counts what a written status says that the one before did not.
    pub(super) fn status_written(&self, snapshot: &ResourceSnapshot, new: &Status, now: Timestamp) {
        let empty = Status::default();
        let old = snapshot.resource.status().unwrap_or(&empty);
        if old.stages.is_empty() && !new.stages.is_empty() {
            let created = &snapshot.resource.metadata().creation_timestamp;
            if let Some(created) = created {
                let waited = now.duration_since(created.0);
                self.first_job.observe(waited.as_secs_f64());
            }
        }
        for stage in newly_over(old, new) {
            // Of a stage that was cut short a task that has not ended well has failed.
            let failed = stage.tasks.saturating_sub(stage.succeeded);
            self.stage_over(&stage.name, stage.succeeded, failed);
        }
        if old.phase == Some(Phase::Queued) && new.phase == Some(Phase::Running) {
            let admitted = snapshot.jobs.values().rfind(|job| job.queued);
            let times = admitted.and_then(|job| job.created.zip(job.started));
            if let Some((created, started)) = times {
                let waited = started.duration_since(created);
                self.queue_wait.observe(waited.as_secs_f64());
            }
        }
    }

    /// Counts the tasks of a stage that is over.
    fn stage_over(&self, stage: &str, succeeded: u32, failed: u32) {
        for (outcome, number) in [("succeeded", succeeded), ("failed", failed)] {
            let labels = OutcomeLabels {
                stage: stage.to_owned(),
                outcome,
            };
            self.tasks.get_or_create(&labels).inc_by(u64::from(number));
        }
    }

    /// Every metric, as Prometheus reads it.
    pub(super) fn text(&self, index: &Index, leads: bool) -> Result<String, fmt::Error> {
        self.resources.clear();
        self.outside_reference.clear();
        // Every replica knows of the resources: one tells of them, so that a sum counts each once.
        if leads {
            self.count_resources(index);
            self.tell_references(index);
        }
        self.leader.set(i64::from(leads));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn count_resources(&self, index: &Index) {
        for ((kind, phase), number) in index.phases() {
            let phase = phase.map_or("Malformed".to_owned(), |phase| format!("{phase:?}"));
            let kind = kind.name();
            self.resources
                .get_or_create(&PhaseLabels { kind, phase })
                .set(number);
        }
    }

    /// Tells of each screening that was compared with a reference whether it is outside; of those that are, before the
    /// others.
    fn tell_references(&self, index: &Index) {
        let monitored = index.monitored();
        let in_state = |state: ReferenceState| {
            let jobs = monitored.iter();
            jobs.filter(move |(_, monitor)| monitor.state == state)
        };
        let jobs = in_state(ReferenceState::Outside).chain(in_state(ReferenceState::Within));
        for ((namespace, name), monitor) in jobs.take(MOST_SCREENINGS) {
            for feature in MONITORED_FEATURES {
                let labels = ReferenceLabels {
                    namespace: namespace.to_string(),
                    name: name.to_string(),
                    feature,
                };
                let outside = i64::from(monitor.is_outside(feature));
                self.outside_reference.get_or_create(&labels).set(outside);
            }
        }
    }
}

/// The stages that are over in a status and were not in the one before: complete, or cut short by the
/// end of the resource.
fn newly_over<'a>(old: &Status, new: &'a Status) -> impl Iterator<Item = &'a StageStatus> {
    let is_complete = |stage: &StageStatus| stage.completion_time.is_some();
    let was_complete = old.stages.iter().filter(|it| is_complete(it));
    let was_complete: Vec<_> = was_complete.map(|it| it.name.clone()).collect();
    let has_ended = decide::ended(new).is_some();
    new.stages
        .iter()
        .filter(move |stage| has_ended || is_complete(stage))
        .filter(move |stage| !was_complete.contains(&stage.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_entry::ResourceKey;
    use crate::versioned_store::Delivery;

    #[test]
    fn prometheus_reads_resources_reconciliations_and_tasks() {
        let index = Index::default();
        let run = crate::fixtures::training_run("");
        index.apply_resource(run, Delivery::Changed);
        let metrics = Metrics::new();
        metrics.reconciled(Kind::TrainingRun, Duration::from_millis(3), true);
        metrics.stage_over("train", 9, 1);
        let text = metrics.text(&index, true).expect("text");
        for line in [
            r#"attrium_resources{kind="TrainingRun",phase="Pending"} 1"#,
            "attrium_leader 1",
            r#"attrium_reconcile_errors_total{kind="TrainingRun"} 1"#,
            r#"attrium_reconcile_duration_seconds_count{kind="TrainingRun"} 1"#,
            r#"attrium_tasks_total{stage="train",outcome="failed"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn an_operator_that_stands_by_counts_no_resource_once_more() {
        let index = Index::default();
        index.apply_resource(crate::fixtures::training_run(""), Delivery::Changed);
        let metrics = Metrics::new();
        for (leads, number) in [(true, 1), (false, 0), (true, 1)] {
            let text = metrics.text(&index, leads).expect("text");
            let samples = text.matches("\nattrium_resources{").count();
            assert_eq!(samples, number, "{text}");
            assert!(text.contains(&format!("attrium_leader {}", i64::from(leads))));
        }
    }

    #[test]
    fn a_screening_that_has_ended_tells_what_is_outside_of_its_reference_until_it_is_deleted() {
        let index = Index::default();
        let metrics = Metrics::new();
        let mut job = crate::fixtures::screening_job("  model: {uri: s3://models/one/}");
        job.resource_mut().set_status(Some(outside()));
        let key = ResourceKey::new(Kind::ScreeningJob, "hospital", "archive");
        index.apply_resource(job, Delivery::Changed);
        let text = metrics.text(&index, true).expect("text");
        for (feature, value) in [("counts", 1), ("score", 0), ("set-aside", 0)] {
            let line = format!(
                r#"attrium_screening_outside_reference{{namespace="{}",name="{}",feature="{feature}"}} {value}"#,
                key.namespace, key.name
            );
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
        let samples = |leads| {
            let text = metrics.text(&index, leads).expect("text");
            text.matches("attrium_screening_outside_reference{").count()
        };
        assert_eq!((samples(true), samples(false)), (5, 0));
        index.delete_resource(&key);
        assert_eq!(samples(true), 0);
    }

    /// What a screening with too few counts has left.
    fn outside() -> Status {
        let status = serde_json::json!({
            "phase": "Succeeded",
            "conditions": [{
                "type": "Succeeded",
                "status": "True",
                "reason": "Completed",
                "lastTransitionTime": "2026-11-24T10:00:00Z",
            }],
            "screening": { "monitor": {
                "state": "Outside",
                "outside": [{ "feature": "counts", "direction": "lower", "row": 61 }],
            }},
        });
        serde_json::from_value(status).expect("a status")
    }
}

//! What Prometheus is told.
//!
//! Nothing here names a resource: what a metric costs does not grow with the number of runs.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::index::Index;
use super::resource_entry::Kind;

/// The operator's metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    resources: Family<Phases, Gauge>,
    leader: Gauge,
    reconciles: Family<OfKind, Histogram, fn() -> Histogram>,
    errors: Family<OfKind, Counter>,
    tasks: Family<Outcomes, Counter>,
    first_job: Histogram,
    queue_wait: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phases {
    kind: &'static str,
    phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcomes {
    stage: String,
    outcome: &'static str,
}

fn of_requests() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

fn of_waits() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 4.0, 12))
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("attrium");
        let resources = Family::<Phases, Gauge>::default();
        let leader = Gauge::default();
        let reconciles = Family::new_with_constructor(of_requests as fn() -> Histogram);
        let errors = Family::<OfKind, Counter>::default();
        let tasks = Family::<Outcomes, Counter>::default();
        let (first_job, queue_wait) = (of_waits(), of_waits());
        registry.register(
            "resources",
            "Resources by kind and phase",
            resources.clone(),
        );
        registry.register("leader", "Whether this operator leads", leader.clone());
        registry.register(
            "reconcile_duration_seconds",
            "How long a look at a resource takes",
            reconciles.clone(),
        );
        registry.register(
            "reconcile_errors",
            "Looks at a resource that failed and are tried again",
            errors.clone(),
        );
        registry.register(
            "tasks",
            "Tasks of stages that are over, by how they ended: one that was cut short has failed",
            tasks.clone(),
        );
        registry.register(
            "first_job_seconds",
            "Time from a resource's creation to its first Job",
            first_job.clone(),
        );
        registry.register(
            "queue_wait_seconds",
            "Time that a Job waited for its queue",
            queue_wait.clone(),
        );
        Self {
            registry,
            resources,
            leader,
            reconciles,
            errors,
            tasks,
            first_job,
            queue_wait,
        }
    }

    /// Notes a look at a resource.
    pub(super) fn reconciled(&self, kind: Kind, took: Duration, failed: bool) {
        let kind = OfKind { kind: kind.name() };
        self.reconciles
            .get_or_create(&kind)
            .observe(took.as_secs_f64());
        if failed {
            self.errors.get_or_create(&kind).inc();
        }
    }

    /// Notes the tasks of a stage that is over.
    pub(super) fn stage_ended(&self, stage: &str, succeeded: u32, failed: u32) {
        for (outcome, number) in [("succeeded", succeeded), ("failed", failed)] {
            let labels = Outcomes {
                stage: stage.to_owned(),
                outcome,
            };
            self.tasks.get_or_create(&labels).inc_by(u64::from(number));
        }
    }

    /// Notes how long a resource waited for its first Job.
    pub(super) fn first_job(&self, waited: f64) {
        self.first_job.observe(waited);
    }

    /// Notes how long a Job waited for its queue.
    pub(super) fn left_queue(&self, waited: f64) {
        self.queue_wait.observe(waited);
    }

    /// Everything, as Prometheus reads it.
    pub(super) fn text(&self, index: &Index, leads: bool) -> Result<String, fmt::Error> {
        self.resources.clear();
        for ((kind, phase), number) in index.phases() {
            let phase = phase.map_or("Malformed".to_owned(), |phase| format!("{phase:?}"));
            let kind = kind.name();
            self.resources
                .get_or_create(&Phases { kind, phase })
                .set(number);
        }
        self.leader.set(i64::from(leads));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_is_told_of_resources_looks_and_tasks() {
        let index = Index::default();
        let run = crate::fixtures::training_run("");
        index.put_resource(run);
        let metrics = Metrics::new();
        metrics.reconciled(Kind::TrainingRun, Duration::from_millis(3), true);
        metrics.stage_ended("train", 9, 1);
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
}

//! Whether the pods that should run do; if not, why, as the scheduler, the kubelet or the Job controller
//! says.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::PendingReasons;
use crate::snapshot::{JobSnapshot, PodSnapshot, PodState, Problem};
use crate::task_reports::TaskReports;
use attrium_api::{ConditionStatus, reasons};
use attrium_workflow::{ConditionState, TaskRef};

/// How long a kubelet may be silent about a pod before its events are asked for.
const SILENCE: SignedDuration = SignedDuration::from_secs(10);
/// How often events are asked for again.
const RETRY: Duration = Duration::from_secs(10);

/// The message of PodsHealthy when there is nothing to say.
pub(super) const HEALTHY: &str = "Every pod that should run does";

/// The message of PodsHealthy when nothing is wrong, as far as is known, and pods are missing.
const STARTING: &str = "Not every pod that should run does yet";

/// The health of a stage's pods.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Health {
    /// The condition PodsHealthy.
    pub(super) condition: ConditionState,
    /// What has waited for longer than it may.
    pub(super) overdue: Option<String>,
    /// When to reconcile again, whatever happens.
    pub(super) requeue: Option<Duration>,
}

/// A Job that runs, its pods, and what is said of them.
pub(super) struct JobPods<'a> {
    pub(super) job: &'a JobSnapshot,
    pub(super) pods: &'a [&'a PodSnapshot],
    pub(super) reports: &'a TaskReports,
    pub(super) pending: &'a PendingReasons,
    /// How long a pod may wait to start, in seconds.
    pub(super) start_deadline: u32,
    pub(super) now: Timestamp,
}

impl Health {
    /// The health of a resource that has no pods to run.
    pub(super) fn without_pods(message: &str) -> Self {
        Self {
            condition: ConditionState::new(ConditionStatus::True, reasons::AS_EXPECTED, message),
            overdue: None,
            requeue: None,
        }
    }

    pub(super) fn of(pods: &JobPods<'_>) -> Self {
        let problems = problems(pods);
        let (overdue, due) = overdue(pods, &problems);
        let is_pending = pods.pods.iter().any(|pod| is_waiting(pod)) || pods.pods.is_empty();
        let requeue = [due, is_pending.then_some(RETRY)];
        Self {
            condition: condition(&problems).unwrap_or_else(|| pods.without_problems()),
            overdue,
            requeue: requeue.into_iter().flatten().min(),
        }
    }
}

impl JobPods<'_> {
    /// The condition where nothing is known to be wrong: it holds once every pod that should run does.
    fn without_problems(&self) -> ConditionState {
        let job = self.job;
        let over = job.completed.len() + job.failed.len();
        let left = (job.completions as usize).saturating_sub(over);
        let most = job
            .parallelism
            .map_or(left, |it| usize::try_from(it).unwrap_or_default());
        let is_over = |index: u32| job.completed.contains(&index) || job.failed.contains(&index);
        // One that has ended runs until its Job has counted it.
        let does = |pod: &&&PodSnapshot| match pod.state {
            PodState::Running { .. } => pod.deleted.is_none(),
            PodState::Succeeded => !is_over(pod.index),
            PodState::Waiting { .. } | PodState::Failed => false,
        };
        if self.pods.iter().filter(does).count() >= left.min(most) {
            ConditionState::new(ConditionStatus::True, reasons::AS_EXPECTED, HEALTHY)
        } else {
            starting()
        }
    }
}

/// The condition of pods that are about to run.
pub(super) fn starting() -> ConditionState {
    ConditionState::new(ConditionStatus::Unknown, reasons::PODS_STARTING, STARTING)
}

/// The pods that have been pending for too long without a reason in their own status, so that their
/// events have to be asked for.
pub(crate) fn unexplained<'a>(
    pods: impl Iterator<Item = &'a PodSnapshot>,
    now: Timestamp,
) -> impl Iterator<Item = &'a PodSnapshot> {
    pods.filter(move |pod| {
        let is_unexplained = matches!(pod.state, PodState::Waiting { problem: None });
        let for_long = pod
            .created
            .is_some_and(|created| now.duration_since(created) >= SILENCE);
        is_unexplained && for_long && pod.deleted.is_none() && pod.node.is_some()
    })
}

/// Whether a Job should have pods and has had none for too long, so that its events have to be
/// asked for.
pub(crate) fn lacks_pods<'a>(
    job: &JobSnapshot,
    mut pods: impl Iterator<Item = &'a PodSnapshot>,
    now: Timestamp,
) -> bool {
    let for_long = |since: Timestamp| now.duration_since(since) >= SILENCE;
    let open = job.is_open() && !job.suspended;
    let since = job.started.or(job.created);
    open && pods.all(is_leaving) && job.active == 0 && since.is_some_and(for_long)
}

/// A pod that was deleted and has ended: a finalizer may keep it for a while.
fn is_leaving(pod: &PodSnapshot) -> bool {
    let is_over = matches!(pod.state, PodState::Succeeded | PodState::Failed);
    is_over && pod.deleted.is_some()
}

fn is_waiting(pod: &PodSnapshot) -> bool {
    matches!(pod.state, PodState::Waiting { .. }) && pod.deleted.is_none()
}

/// What is wrong, with the pods that it is wrong with.
type Problems<'a> = BTreeMap<Problem, Vec<&'a str>>;

fn problems<'a>(job_pods: &JobPods<'a>) -> Problems<'a> {
    let mut problems = Problems::new();
    let mut add = |problem: Problem, name: &'a str| {
        problems.entry(problem).or_default().push(name);
    };
    if let Some(problem) = &job_pods.pending.job
        && job_pods.pods.iter().all(|pod| is_leaving(pod))
    {
        add(problem.clone(), &job_pods.job.name);
    }
    for pod in job_pods.pods {
        if let Some(problem) = problem(pod, job_pods) {
            add(problem, &pod.name);
        }
    }
    for (problem, pod) in failures(job_pods) {
        add(problem, pod);
    }
    for pods in problems.values_mut() {
        pods.sort_unstable();
    }
    problems
}

fn problem(pod: &PodSnapshot, job_pods: &JobPods<'_>) -> Option<Problem> {
    let node = pod.node.as_deref().unwrap_or("none");
    let lost = |message: String| Problem {
        reason: reasons::NODE_LOST.to_owned(),
        message,
    };
    // The time that a deletion gives is over when its timestamp says.
    let overdue = |deleted: Timestamp| job_pods.now.duration_since(deleted) > SILENCE * 3;
    match &pod.state {
        PodState::Succeeded | PodState::Failed => sidecar(pod, job_pods.now),
        _ if pod.deleted.is_some_and(overdue) => Some(lost(format!(
            "it should have ended and has not, the node {node} reports nothing of it"
        ))),
        _ if pod.deleted.is_some() => None,
        PodState::Running { ready: false } => {
            Some(lost(format!("the node {node} does not report any more")))
        }
        PodState::Running { .. } => None,
        PodState::Waiting {
            problem: Some(problem),
        } => Some(problem.clone()),
        PodState::Waiting { problem: None } => job_pods.pending.pods.get(&pod.name).cloned(),
    }
}

/// A container beside the task's that keeps its pod from ending.
fn sidecar(pod: &PodSnapshot, now: Timestamp) -> Option<Problem> {
    let container = pod.sidecar.as_ref()?;
    let for_long = |ended: Timestamp| now.duration_since(ended) >= SILENCE;
    pod.ended.is_some_and(for_long).then(|| Problem {
        reason: reasons::SIDECAR_RUNNING.to_owned(),
        message: format!(
            "the task has ended, and the container {container} of its pod has not: make it a \
             restartable init container, or keep it out of these pods"
        ),
    })
}

/// Tasks whose last pod has failed and whose next one is not there yet.
fn failures<'a>(job_pods: &JobPods<'a>) -> impl Iterator<Item = (Problem, &'a str)> {
    let job = job_pods.job;
    let mut last: BTreeMap<u32, &PodSnapshot> = BTreeMap::new();
    for pod in job_pods.pods {
        let newest = last.entry(pod.index).or_insert(pod);
        let is_over = |pod: &PodSnapshot| matches!(pod.state, PodState::Failed);
        if is_over(newest) && (!is_over(pod) || newest.created < pod.created) {
            *newest = pod;
        }
    }
    let open = move |index: &u32| {
        job.end.is_none() && !job.completed.contains(index) && !job.failed.contains(index)
    };
    let reports = job_pods.reports;
    last.into_iter()
        .filter(move |(index, pod)| pod.state == PodState::Failed && open(index))
        .filter_map(move |(index, pod)| {
            let stage = job.origin.stage;
            let failure = reports.failures.get(&TaskRef { stage, index })?;
            let reason = if failure.out_of_memory {
                reasons::OUT_OF_MEMORY
            } else {
                reasons::TASK_FAILED
            };
            let problem = Problem {
                reason: reason.to_owned(),
                message: format!("{}; it is tried again", failure.sentence),
            };
            Some((problem, pod.name.as_str()))
        })
}

/// The condition of the problem that most pods have, if there is one; of two the first in the
/// alphabet, so that the condition does not flap.
fn condition(problems: &Problems<'_>) -> Option<ConditionState> {
    let (problem, pods) = problems.iter().rev().max_by_key(|(_, pods)| pods.len())?;
    let reason = if problem.reason.is_empty() {
        reasons::POD_PENDING
    } else {
        &problem.reason
    };
    let sentence = sentence(problem, pods);
    Some(ConditionState::new(
        ConditionStatus::False,
        reason,
        sentence,
    ))
}

fn sentence(problem: &Problem, pods: &[&str]) -> String {
    let others = match pods.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let first = pods.first().copied().unwrap_or_default();
    format!("{first}{others}: {}", problem.message)
}

/// What has waited for longer than it may, or how long until it has.
///
/// Nothing is overdue while a pod of the stage runs: the others then wait for their turn.
fn overdue(job_pods: &JobPods<'_>, problems: &Problems<'_>) -> (Option<String>, Option<Duration>) {
    let job = job_pods.job;
    let runs = |pod: &&&PodSnapshot| matches!(pod.state, PodState::Running { .. });
    if job_pods.pods.iter().any(|pod| runs(&pod)) || job.suspended || job.end.is_some() {
        return (None, None);
    }
    let waiting = job_pods.pods.iter().filter(|pod| is_waiting(pod));
    let oldest = waiting.min_by_key(|pod| pod.created);
    let began = match oldest {
        Some(pod) => pod.created,
        None if job_pods.pods.is_empty() => job.started.or(job.created),
        None => None,
    };
    let last_end = job_pods.pods.iter().filter_map(|pod| pod.ended).max();
    let Some(since) = began.max(began.and(last_end)) else {
        return (None, None);
    };
    let limit = SignedDuration::from_secs(i64::from(job_pods.start_deadline));
    let left = limit - job_pods.now.duration_since(since);
    if left.is_positive() {
        return (None, left.try_into().ok());
    }
    let what = oldest.map_or(job.name.as_str(), |pod| pod.name.as_str());
    let why = match problems.iter().next() {
        Some((problem, _)) => format!(": {}", problem.message),
        None => String::new(),
    };
    let seconds = job_pods.start_deadline;
    let message = format!("{what} has not started within startDeadlineSeconds ({seconds} s){why}");
    (Some(message), None)
}

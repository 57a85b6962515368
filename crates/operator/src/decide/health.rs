//! Whether the pods that should run do, in the words of whom they wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Words;
use crate::snapshot::{JobSeen, PodSeen, PodState, Why};
use crate::task_reports::Heard;
use attrium_api::{ConditionStatus, reasons};
use attrium_workflow::{TaskRef, Word};

/// How long a kubelet may be silent about a pod before its events are asked for.
const SILENCE: SignedDuration = SignedDuration::from_secs(10);
/// How often those events are asked for again.
const AGAIN: Duration = Duration::from_secs(20);

/// What is said of pods when there is nothing to say.
pub(super) const HEALTHY: &str = "Every pod that should run does";

/// How the pods of a stage are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Health {
    /// The condition PodsHealthy.
    pub(super) word: Word,
    /// What has waited for longer than it may.
    pub(super) overdue: Option<String>,
    /// When to look again, whatever happens.
    pub(super) again: Option<Duration>,
}

/// What is looked at.
pub(super) struct Patient<'a> {
    pub(super) job: &'a JobSeen,
    pub(super) pods: &'a [&'a PodSeen],
    pub(super) heard: &'a Heard,
    pub(super) words: &'a Words,
    /// How long a pod may wait to start, in seconds.
    pub(super) start_deadline: u32,
    pub(super) now: Timestamp,
}

impl Health {
    /// The health of a resource that has no pods to run.
    pub(super) fn without_pods(message: &str) -> Self {
        Self {
            word: Word::new(ConditionStatus::True, reasons::AS_EXPECTED, message),
            overdue: None,
            again: None,
        }
    }

    pub(super) fn of(patient: &Patient<'_>) -> Self {
        let problems = problems(patient);
        let (overdue, due) = overdue(patient, &problems);
        let silent = patient.pods.iter().any(|pod| is_waiting(pod)) || patient.pods.is_empty();
        let again = [due, silent.then_some(AGAIN / 2)];
        Self {
            word: word(&problems),
            overdue,
            again: again.into_iter().flatten().min(),
        }
    }
}

/// The pods of which the kubelet has said nothing for too long in their own status, so that their
/// events have to be asked for.
pub(crate) fn silent<'a>(
    pods: impl Iterator<Item = &'a PodSeen>,
    now: Timestamp,
) -> impl Iterator<Item = &'a PodSeen> {
    pods.filter(move |pod| {
        let is_silent = matches!(pod.state, PodState::Waiting { why: None });
        let for_long = pod
            .created
            .is_some_and(|created| now.duration_since(created) >= SILENCE);
        is_silent && for_long && pod.deleted.is_none() && pod.node.is_some()
    })
}

/// Whether a Job should have pods and has had none for too long, so that its events have to be
/// asked for.
pub(crate) fn is_barren(job: &JobSeen, pods: usize, now: Timestamp) -> bool {
    let for_long = |since: Timestamp| now.duration_since(since) >= SILENCE;
    let open = job.is_open() && !job.suspended;
    open && pods == 0 && job.active == 0 && job.started.or(job.created).is_some_and(for_long)
}

fn is_waiting(pod: &PodSeen) -> bool {
    matches!(pod.state, PodState::Waiting { .. }) && pod.deleted.is_none()
}

/// What is wrong, with the pods that it is wrong with.
type Problems<'a> = BTreeMap<Why, Vec<&'a str>>;

fn problems<'a>(patient: &Patient<'a>) -> Problems<'a> {
    let mut problems = Problems::new();
    if let Some(why) = &patient.words.job
        && patient.pods.is_empty()
    {
        problems
            .entry(why.clone())
            .or_default()
            .push(&patient.job.name);
    }
    for pod in patient.pods {
        if let Some(why) = problem(pod, patient) {
            problems.entry(why).or_default().push(&pod.name);
        }
    }
    for (why, pod) in failures(patient) {
        problems.entry(why).or_default().push(pod);
    }
    for pods in problems.values_mut() {
        pods.sort_unstable();
    }
    problems
}

fn problem(pod: &PodSeen, patient: &Patient<'_>) -> Option<Why> {
    let node = pod.node.as_deref().unwrap_or("none");
    let lost = |message: String| Why {
        reason: reasons::NODE_LOST.to_owned(),
        message,
    };
    // The time that a deletion gives is over when its timestamp says.
    let overdue = |deleted: Timestamp| patient.now.duration_since(deleted) > SILENCE * 3;
    match &pod.state {
        PodState::Succeeded | PodState::Failed => None,
        _ if pod.deleted.is_some_and(overdue) => Some(lost(format!(
            "it was to end and has not, the node {node} tells nothing of it"
        ))),
        _ if pod.deleted.is_some() => None,
        PodState::Running { heard: false, .. } => {
            Some(lost(format!("the node {node} does not report any more")))
        }
        PodState::Running { .. } => None,
        PodState::Waiting { why: Some(why) } => Some(why.clone()),
        PodState::Waiting { why: None } => patient.words.pods.get(&pod.name).cloned(),
    }
}

/// Tasks whose last pod has failed and whose next one is not there yet.
fn failures<'a>(patient: &Patient<'a>) -> impl Iterator<Item = (Why, &'a str)> {
    let job = patient.job;
    let mut last: BTreeMap<u32, &PodSeen> = BTreeMap::new();
    for pod in patient.pods {
        let newest = last.entry(pod.index).or_insert(pod);
        let is_over = |pod: &PodSeen| matches!(pod.state, PodState::Failed);
        if is_over(newest) && (!is_over(pod) || newest.created < pod.created) {
            *newest = pod;
        }
    }
    let open = move |index: &u32| {
        job.end.is_none() && !job.completed.contains(index) && !job.failed.contains(index)
    };
    let heard = patient.heard;
    last.into_iter()
        .filter(move |(index, pod)| pod.state == PodState::Failed && open(index))
        .filter_map(move |(index, pod)| {
            let stage = job.origin.stage;
            let told = heard.failures.get(&TaskRef { stage, index })?;
            let reason = if told.out_of_memory {
                reasons::OUT_OF_MEMORY
            } else {
                reasons::TASK_FAILED
            };
            let why = Why {
                reason: reason.to_owned(),
                message: format!("{}; it is tried again", told.sentence),
            };
            Some((why, pod.name.as_str()))
        })
}

/// The problem that most pods have; of two the first in the alphabet, so that the word stays.
fn word(problems: &Problems<'_>) -> Word {
    let worst = problems.iter().rev().max_by_key(|(_, pods)| pods.len());
    let Some((why, pods)) = worst else {
        return Word::new(ConditionStatus::True, reasons::AS_EXPECTED, HEALTHY);
    };
    let reason = if why.reason.is_empty() {
        reasons::POD_PENDING
    } else {
        &why.reason
    };
    Word::new(ConditionStatus::False, reason, sentence(why, pods))
}

fn sentence(why: &Why, pods: &[&str]) -> String {
    let others = match pods.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let first = pods.first().copied().unwrap_or_default();
    format!("{first}{others}: {}", why.message)
}

/// What has waited for longer than it may, or how long until it has.
///
/// Nothing is overdue while a pod of the stage runs: the others then wait for their turn.
fn overdue(patient: &Patient<'_>, problems: &Problems<'_>) -> (Option<String>, Option<Duration>) {
    let job = patient.job;
    let runs = |pod: &&&PodSeen| matches!(pod.state, PodState::Running { .. });
    if patient.pods.iter().any(|pod| runs(&pod)) || job.suspended || job.end.is_some() {
        return (None, None);
    }
    let waiting = patient.pods.iter().filter(|pod| is_waiting(pod));
    let oldest = waiting.min_by_key(|pod| pod.created);
    let began = match oldest {
        Some(pod) => pod.created,
        None if patient.pods.is_empty() => job.started.or(job.created),
        None => None,
    };
    let last_end = patient.pods.iter().filter_map(|pod| pod.ended).max();
    let Some(since) = began.max(began.and(last_end)) else {
        return (None, None);
    };
    let limit = SignedDuration::from_secs(i64::from(patient.start_deadline));
    let left = limit - patient.now.duration_since(since);
    if left.is_positive() {
        return (None, left.try_into().ok());
    }
    let what = oldest.map_or(job.name.as_str(), |pod| pod.name.as_str());
    let why = match problems.iter().next() {
        Some((why, _)) => format!(": {}", why.message),
        None => String::new(),
    };
    let seconds = patient.start_deadline;
    let told = format!("{what} has not started within startDeadlineSeconds ({seconds} s){why}");
    (Some(told), None)
}

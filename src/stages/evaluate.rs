//! Evaluation: out-of-fold predictions become metrics, gates, the ensemble's bundle, the report.

use super::combination::{Combination, combinations};
use super::failure::OrFail;
use super::publish::{self, Published};
use super::results;
use super::run::TrainingContext;
use super::training_report::{self, Findings};
use super::{Summary, TaskError};
use crate::api::{DataStatus, ModelReference, Publish, PublishMethod, Task};
use crate::bundle::{Member, MemberFiles};
use crate::dataset::{Cohort, Quarantine};
use crate::evaluation::{
    self, BaselineMetrics, MetricsDocument, NetworkGate, NetworkMetrics, Options,
};
use crate::training::count_ratio;
use crate::workflow::StageKind;
use crate::workflow::artefacts::{self, Fold};

/// Evaluates the run and publishes its model if every gate passes.
pub(super) fn run(run: &TrainingContext<'_>) -> Result<Summary, TaskError> {
    let cohort = run.cohort()?;
    let quarantine = join_quarantine(run)?;
    let data = data_status(run, &cohort, &quarantine)?;
    run.put(artefacts::QUARANTINE, quarantine.to_csv().or_retry()?)?;

    let combinations = combinations(run)?;
    let document = evaluate(run, &cohort, &combinations)?;
    run.put(
        artefacts::METRICS,
        serde_json::to_vec_pretty(&document).or_retry()?,
    )?;
    let wanted = run
        .spec
        .publish
        .as_ref()
        .filter(|_| document.gates_passed());
    let shortfall = wanted.and_then(|wanted| shortfall(wanted, &combinations));
    let model = match wanted {
        Some(wanted) if shortfall.is_none() && wanted.method == PublishMethod::Ensemble => Some(
            publish_ensemble(run, wanted, &cohort, &data, &combinations, &document)?,
        ),
        _ => None,
    };
    let findings = Findings {
        cohort: &cohort,
        quarantine: &quarantine,
        data: &data,
        combinations: &combinations,
        document: &document,
        model: match &shortfall {
            Some(reason) => Err(reason),
            None => Ok(model.as_ref()),
        },
    };
    let page = training_report::page(run, &findings)?;
    run.put(artefacts::REPORT, page.into_bytes())?;
    Ok(Summary {
        message: message(&document, model.is_some(), shortfall.as_deref()),
        data: Some(data),
        results: results::rows(&document),
        gates: results::gates(run.spec, &document),
        model,
        shortfall,
        report: Some(run.store.uri_of(artefacts::REPORT).or_retry()?),
        ..Summary::default()
    })
}

/// Why the model that is wanted cannot be made: a fold of its network is not there.
fn shortfall(wanted: &Publish, combinations: &[Combination]) -> Option<String> {
    let Publish {
        architecture, task, ..
    } = wanted;
    let is_whole = combinations
        .iter()
        .any(|it| it.architecture == *architecture && it.task == *task);
    (!is_whole).then(|| {
        format!(
            "{architecture} for {task} cannot be published, since one of its folds has failed: \
             mend what its train task says and run again"
        )
    })
}

fn message(document: &MetricsDocument, published: bool, shortfall: Option<&str>) -> String {
    let missed: Vec<_> = document
        .gates
        .iter()
        .filter(|gate| !gate.outcome.passed)
        .map(|gate| gate.outcome.message.as_str())
        .collect();
    let networks = format!("evaluated {} networks", document.results.len());
    if let Some(shortfall) = shortfall {
        format!("{networks}; {shortfall}")
    } else if !missed.is_empty() {
        format!("{networks}; nothing is published: {}", missed.join("; "))
    } else if published {
        format!("{networks} and published the ensemble")
    } else {
        networks
    }
}

/// The quarantine of all shards.
fn join_quarantine(run: &TrainingContext<'_>) -> Result<Quarantine, TaskError> {
    let mut quarantine = Quarantine::default();
    for shard in 0..run.spec.preprocessing.shards {
        let part = run.get(&artefacts::quarantine_part(shard))?;
        quarantine.extend(Quarantine::parse(&part).or_retry()?);
    }
    Ok(quarantine)
}

/// What became of the data, now that all shards are there.
fn data_status(
    run: &TrainingContext<'_>,
    cohort: &Cohort,
    quarantine: &Quarantine,
) -> Result<DataStatus, TaskError> {
    let labelled = run.pseudonyms()?.len() as u64;
    let mut data = run.counted(StageKind::Preprocess)?;
    let used = cohort.len() as u64;
    data.used = Some(used);
    data.studies = Some(labelled);
    data.missing_images = Some(labelled.saturating_sub(used));
    data.quarantined = quarantine.len() as u64;
    data.by_grade = (0..)
        .zip(cohort.by_grade())
        .map(|(grade, studies): (u8, usize)| (grade.to_string(), studies as u64))
        .collect();
    Ok(data)
}

fn evaluate(
    run: &TrainingContext<'_>,
    cohort: &Cohort,
    combinations: &[Combination],
) -> Result<MetricsDocument, TaskError> {
    let mut document = MetricsDocument::default();
    for combination in combinations {
        let metrics = evaluation::evaluate(
            combination.task,
            &combination.predictions,
            &Options::default(),
        );
        document.results.push(NetworkMetrics {
            architecture: combination.architecture,
            pretrained: run
                .spec
                .pretrained_weights(combination.architecture)
                .is_some(),
            metrics: metrics.or_retry()?,
        });
    }
    for gate in &run.spec.gates {
        let of_gate = |result: &&NetworkMetrics| {
            result.architecture == gate.architecture && result.metrics.task == gate.task
        };
        let outcome = match document.results.iter().find(of_gate) {
            Some(result) => {
                evaluation::gate(&result.metrics, &gate.metric.to_string(), gate.min.value())
                    .or_bad_configuration()?
            }
            None => evaluation::GateOutcome {
                metric: gate.metric.to_string(),
                minimum: gate.min.value(),
                value: None,
                passed: false,
                message: format!("{} of {} was not evaluated", gate.metric, gate.task),
            },
        };
        document.gates.push(NetworkGate {
            architecture: gate.architecture,
            task: gate.task,
            outcome,
        });
    }
    document.baselines = run
        .spec
        .tasks
        .iter()
        .map(|&task| baseline(cohort, task))
        .collect();
    Ok(document)
}

/// The ratio of counts as a score: what a network has to beat to be of use.
fn baseline(cohort: &Cohort, task: Task) -> BaselineMetrics {
    let scored: Vec<(f64, bool, u32)> = cohort
        .records
        .iter()
        .enumerate()
        .filter_map(|(study, record)| {
            let positive = task.class_of(record.grade) >= task.first_positive_class();
            Some((count_ratio(cohort.crop(study))?, positive, record.patient))
        })
        .collect();
    let scores: Vec<f64> = scored.iter().map(|row| row.0).collect();
    let positive: Vec<bool> = scored.iter().map(|row| row.1).collect();
    let patients = number(scored.iter().map(|row| row.2));
    let auc = evaluation::auc(&scores, &positive, &patients);
    BaselineMetrics {
        name: "heart-to-chest count ratio".to_owned(),
        task,
        auc: auc.map(|auc| auc.value),
        auc_interval: auc.and_then(|auc| auc.interval),
    }
}

/// Numbers from 0 without gaps, equal for equal patients.
fn number(patients: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut numbers = std::collections::HashMap::new();
    patients
        .map(|patient| {
            let next = numbers.len();
            *numbers.entry(patient).or_insert(next)
        })
        .collect()
}

fn publish_ensemble(
    run: &TrainingContext<'_>,
    wanted: &Publish,
    cohort: &Cohort,
    data: &DataStatus,
    combinations: &[Combination],
    document: &MetricsDocument,
) -> Result<ModelReference, TaskError> {
    let wanted_one =
        |architecture, task| architecture == wanted.architecture && task == wanted.task;
    let combination = combinations
        .iter()
        .find(|combination| wanted_one(combination.architecture, combination.task));
    let metrics = document
        .results
        .iter()
        .find(|result| wanted_one(result.architecture, result.metrics.task));
    let (Some(combination), Some(result)) = (combination, metrics) else {
        return Err(TaskError::data(format!(
            "{} for {} cannot be published: one of its folds has failed",
            wanted.architecture, wanted.task
        )));
    };
    let members = (0..run.spec.cross_validation.folds)
        .map(|number| {
            let fold = Fold::new(wanted.architecture, wanted.task, number);
            let files = MemberFiles {
                weights: run.get(&fold.weights())?,
                normalization: run.get(&fold.normalization())?,
            };
            Ok((Member::of_fold(number), files))
        })
        .collect::<Result<_, TaskError>>()?;
    publish::publish(
        run,
        Published {
            publish: wanted,
            data,
            synthetic: cohort.is_synthetic(),
            metrics: &result.metrics,
            predictions: &combination.predictions,
            members,
        },
    )
}

//! Evaluation: out-of-fold predictions become metrics, gates, the ensemble's bundle, the report.

use super::baseline::baseline;
use super::combination::{Combination, combinations};
use super::failure::OrFail;
use super::publish::{self, Published, Scaled};
use super::results;
use super::task_io::TrainingContext;
use super::training_report::{self, Findings};
use super::{Summary, TaskError};
use attrium_api::{DataStatus, ModelReference, Publish, PublishMethod};
use attrium_bundle::{Member, MemberFiles};
use attrium_dataset::{Cohort, Quarantine};
use attrium_evaluation as evaluation;
use attrium_evaluation::{Baseline, MetricsDocument, NetworkGate, NetworkMetrics, Options};
use attrium_workflow::StageKind;
use attrium_workflow::artefacts::{self, Fold};

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
    let possible = wanted.filter(|_| shortfall.is_none());
    let scaled = possible.map(|wanted| scaled(wanted, &combinations, &document));
    let scaled = scaled.transpose()?;
    let model = match possible.zip(scaled.as_ref()) {
        Some((wanted, scaled)) if wanted.method == PublishMethod::Ensemble => {
            Some(publish_ensemble(run, wanted, &cohort, &data, scaled)?)
        }
        _ => None,
    };
    let findings = Findings {
        cohort: &cohort,
        quarantine: &quarantine,
        data: &data,
        combinations: &combinations,
        document: &document,
        scaled: scaled.as_ref(),
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
    data.synthetic = Some(cohort.synthetic() as u64);
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
    let baselines: Vec<Baseline> = run
        .spec
        .tasks
        .iter()
        .map(|&task| baseline(cohort, task, combinations))
        .collect();
    let results = combinations
        .iter()
        .map(|combination| judge(run, combination, &baselines))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(MetricsDocument {
        synthetic: cohort.is_synthetic(),
        gates: gates(run, &results),
        baselines: baselines.iter().map(Baseline::metrics).collect(),
        results,
    })
}

/// What a network reached on a task, by itself and beside the task's baseline.
fn judge(
    run: &TrainingContext<'_>,
    combination: &Combination,
    baselines: &[Baseline],
) -> Result<NetworkMetrics, TaskError> {
    let Combination {
        architecture,
        task,
        predictions,
        ..
    } = combination;
    let metrics = evaluation::evaluate(*task, predictions, &Options::default()).or_retry()?;
    let baseline = baselines.iter().find(|baseline| baseline.task == *task);
    let difference = baseline.map(|baseline| baseline.difference(predictions));
    Ok(NetworkMetrics {
        architecture: *architecture,
        pretrained: run.spec.pretrained_weights(*architecture).is_some(),
        metrics,
        baseline_difference: difference.transpose().or_retry()?,
    })
}

/// What became of each gate, in the order of the manifest.
fn gates(run: &TrainingContext<'_>, results: &[NetworkMetrics]) -> Vec<NetworkGate> {
    let mut gates = Vec::new();
    for gate in &run.spec.gates {
        let of_gate = |result: &&NetworkMetrics| {
            result.architecture == gate.architecture && result.metrics.task == gate.task
        };
        let outcome = match results.iter().find(of_gate) {
            Some(result) => evaluation::gate(&result.metrics, gate.metric, gate.min.value()),
            None => evaluation::GateOutcome {
                metric: gate.metric,
                minimum: gate.min.value(),
                value: None,
                passed: false,
                message: format!("{} of {} was not evaluated", gate.metric, gate.task),
            },
        };
        gates.push(NetworkGate {
            architecture: gate.architecture,
            task: gate.task,
            outcome,
        });
    }
    gates
}

/// What is to be published, on the scale of a published model.
fn scaled(
    wanted: &Publish,
    combinations: &[Combination],
    document: &MetricsDocument,
) -> Result<Scaled, TaskError> {
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
    publish::scaled(&result.metrics, &combination.predictions)
}

fn publish_ensemble(
    run: &TrainingContext<'_>,
    wanted: &Publish,
    cohort: &Cohort,
    data: &DataStatus,
    scaled: &Scaled,
) -> Result<ModelReference, TaskError> {
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
            scaled,
            members,
        },
    )
}

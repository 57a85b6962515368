//! Evaluation: out-of-fold predictions become metrics, gates, the ensemble's bundle, the report.

use super::baseline::baseline;
use super::combination::{Combination, combinations};
use super::earlier_runs::earlier_runs;
use super::failure::OrFail;
use super::publish::{self, Published, Scaled};
use super::recheck;
use super::results;
use super::starting_weights::initial_weights;
use super::task_io::TrainingIo;
use super::training_report::{self, Findings};
use super::{Summary, TaskError};
use attrium_api::{
    ClassWeights, DataStatus, ModelReference, Publish, PublishMethod, TrainingRunSpec,
};
use attrium_bundle::{Member, MemberFiles};
use attrium_dataset::{Cohort, LeftOut, Pseudonyms, Quarantine, Standing};
use attrium_evaluation as evaluation;
use attrium_evaluation::{
    AssumedPrior, Baseline, EvaluationOptions, MetricsDocument, NetworkGate, NetworkMetrics,
};
use attrium_types::Architecture;
use attrium_workflow::StageKind;
use attrium_workflow::artefacts::{self, Fold};

/// Evaluates the run and publishes its model if every gate passes.
pub(super) fn run(io: &TrainingIo<'_>) -> Result<Summary, TaskError> {
    let cohort = io.cohort()?;
    let (labels, digest) = io.labels_and_digest(&io.spec.labels)?;
    let pseudonyms = io.pseudonymise(&labels);
    let quarantine = join_quarantine(io, &cohort, &pseudonyms)?;
    let data = data_status(io, &cohort, &pseudonyms)?;
    io.put(artefacts::QUARANTINE, quarantine.to_csv().or_retry()?)?;

    let combinations = combinations(io)?;
    let document = evaluate(io, &cohort, digest, &combinations)?;
    let metrics = serde_json::to_vec_pretty(&document).or_retry()?;
    io.put(artefacts::METRICS, metrics)?;
    let obstacle = obstacle(io.spec, &document, &combinations);
    let possible = io.spec.publish.as_ref().filter(|_| obstacle.is_none());
    let scaled = possible.map(|wanted| scaled(io, wanted, &cohort, &combinations, &document));
    let scaled = scaled.transpose()?;
    let model = match possible.zip(scaled.as_ref()) {
        Some((wanted, scaled)) if wanted.method == PublishMethod::Ensemble => {
            ModelOutcome::Published(publish_ensemble(io, wanted, &cohort, &data, scaled)?)
        }
        _ => obstacle.unwrap_or(ModelOutcome::Later),
    };
    let findings = Findings {
        cohort: &cohort,
        quarantine: &quarantine,
        data: &data,
        combinations: &combinations,
        document: &document,
        scaled: scaled.as_ref(),
        model: &model,
    };
    let page = training_report::page(io, &findings)?;
    io.put(artefacts::REPORT, page.into_bytes())?;
    let mut summary = summary(io, &document, data, model)?;
    for warning in cohort.known_patients.warnings() {
        tracing::warn!("{warning}");
        summary.message = format!("{}; {warning}", summary.message);
    }
    Ok(summary)
}

fn summary(
    io: &TrainingIo<'_>,
    document: &MetricsDocument,
    data: DataStatus,
    model: ModelOutcome,
) -> Result<Summary, TaskError> {
    let message = message(document, &model);
    let (model, shortfall) = match model {
        ModelOutcome::Published(model) => (Some(model), None),
        ModelOutcome::Impossible(reason) => (None, Some(reason)),
        _ => (None, None),
    };
    Ok(Summary {
        message,
        data: Some(data),
        results: results::rows(document),
        gates: results::gates(io.spec, document),
        model,
        shortfall,
        report: Some(io.uri_of(artefacts::REPORT)?),
        ..Summary::default()
    })
}

/// What becomes of the model that a manifest may ask for.
#[derive(Debug)]
pub(super) enum ModelOutcome {
    /// It asks for none.
    NotAsked,
    /// A gate was missed.
    GateMissed,
    /// Nothing shows that it has learned anything, for this reason.
    NothingLearned(String),
    /// It cannot be made, for this reason.
    Impossible(String),
    /// It is trained once more on all data, by the stage that follows.
    Later,
    /// Its bundle is in the store.
    Published(ModelReference),
}

/// What keeps a model from being published; `None` where nothing does.
fn obstacle(
    spec: &TrainingRunSpec,
    document: &MetricsDocument,
    combinations: &[Combination],
) -> Option<ModelOutcome> {
    let Some(wanted) = &spec.publish else {
        return Some(ModelOutcome::NotAsked);
    };
    if !document.gates_passed() {
        return Some(ModelOutcome::GateMissed);
    }
    if let Some(reason) = publish::nothing_learned(wanted, document) {
        return Some(ModelOutcome::NothingLearned(reason));
    }
    shortfall(wanted, combinations).map(ModelOutcome::Impossible)
}

/// Why the model that is wanted cannot be made: a fold of its network is not there.
fn shortfall(wanted: &Publish, combinations: &[Combination]) -> Option<String> {
    let Publish {
        architecture,
        task: target,
        ..
    } = wanted;
    let is_whole = combinations.iter().any(|it| it.is(wanted));
    (!is_whole).then(|| {
        format!(
            "{architecture} for {target} cannot be published, since one of its folds has failed: \
             mend what its train task says and run again"
        )
    })
}

fn message(document: &MetricsDocument, model: &ModelOutcome) -> String {
    let missed: Vec<_> = document
        .gates
        .iter()
        .filter(|gate| !gate.outcome.passed)
        .map(|gate| gate.outcome.message.as_str())
        .collect();
    let networks = format!("evaluated {} networks", document.results.len());
    if !missed.is_empty() {
        return format!("{networks}; nothing is published: {}", missed.join("; "));
    }
    match model {
        ModelOutcome::Impossible(reason) => format!("{networks}; {reason}"),
        ModelOutcome::NothingLearned(reason) => {
            format!("{networks}; nothing is published: {reason}")
        }
        ModelOutcome::Published(_) => format!("{networks} and published the ensemble"),
        ModelOutcome::NotAsked | ModelOutcome::GateMissed | ModelOutcome::Later => networks,
    }
}

/// The quarantine of all shards, and the objects that do not stand for their study.
fn join_quarantine(
    io: &TrainingIo<'_>,
    cohort: &Cohort,
    pseudonyms: &Pseudonyms,
) -> Result<Quarantine, TaskError> {
    let mut quarantine = Quarantine::default();
    for shard in 0..io.spec.preprocessing.shards {
        let part = io.get(&artefacts::quarantine_part(shard))?;
        quarantine.extend(Quarantine::parse(&part).or_retry()?);
    }
    let left_out = quarantine.add_left_out(&cohort.left_out, pseudonyms);
    left_out.or_bad_configuration()?;
    Ok(quarantine)
}

/// What became of the data, now that all shards are there.
fn data_status(
    io: &TrainingIo<'_>,
    cohort: &Cohort,
    pseudonyms: &Pseudonyms,
) -> Result<DataStatus, TaskError> {
    let labelled = pseudonyms.len() as u64;
    let mut data = io.counted(StageKind::Preprocess)?;
    let used = cohort.len() as u64;
    data.used = Some(used);
    data.studies = Some(labelled);
    data.missing_images = Some(labelled.saturating_sub(used));
    let left_out = cohort.left_out.len() as u64;
    let ambiguous = LeftOut::ambiguous(&cohort.left_out) as u64;
    data.superseded = Some(left_out - ambiguous);
    if ambiguous > 0 {
        data.quarantined += ambiguous;
        data.unusable += ambiguous;
        let by_reason = &mut data.unusable_by_reason;
        by_reason.insert(Standing::AMBIGUOUS.to_owned(), ambiguous);
    }
    data.patient_unknown = Some(cohort.known_patients.unknown as u64);
    data.patient_conflicts = Some(cohort.known_patients.conflicts as u64);
    data.synthetic = Some(cohort.synthetic() as u64);
    data.by_grade = (0..)
        .zip(cohort.by_grade())
        .map(|(grade, studies): (u8, usize)| (grade.to_string(), studies as u64))
        .collect();
    Ok(data)
}

fn evaluate(
    io: &TrainingIo<'_>,
    cohort: &Cohort,
    labels: String,
    combinations: &[Combination],
) -> Result<MetricsDocument, TaskError> {
    let baselines: Vec<Baseline> = io
        .spec
        .tasks
        .iter()
        .map(|&target| baseline(cohort, target, combinations))
        .collect();
    let results = combinations
        .iter()
        .map(|combination| judge(io, combination, &baselines))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(MetricsDocument {
        synthetic: cohort.is_synthetic(),
        earlier_runs: earlier_runs(io, &labels),
        labels: Some(labels),
        gates: gates(io, &results),
        baselines: baselines.iter().map(Baseline::metrics).collect(),
        results,
    })
}

/// What a network reached on a target, by itself and beside the target's baseline.
fn judge(
    io: &TrainingIo<'_>,
    combination: &Combination,
    baselines: &[Baseline],
) -> Result<NetworkMetrics, TaskError> {
    let Combination {
        architecture,
        target,
        predictions,
        ..
    } = combination;
    let options = EvaluationOptions {
        prevalence: Some(io.spec.prevalence.value()),
        prior: assumed_prior(io.spec, *architecture),
        ..EvaluationOptions::default()
    };
    let metrics = evaluation::evaluate(*target, predictions, &options).or_retry()?;
    let baseline = baselines.iter().find(|baseline| baseline.target == *target);
    let difference = baseline.map(|baseline| baseline.difference(predictions));
    Ok(NetworkMetrics {
        architecture: *architecture,
        initial_weights: initial_weights(io, *architecture)?,
        metrics,
        baseline_difference: difference.transpose().or_retry()?,
        unanswered: None,
        overlap: None,
        flagged: None,
    })
}

/// What the networks take to be the share of each class: what their training weighed.
fn assumed_prior(spec: &TrainingRunSpec, architecture: Architecture) -> AssumedPrior {
    match (spec.training.class_weights, architecture) {
        (ClassWeights::None, _) => AssumedPrior::Cohort,
        (ClassWeights::Balanced, Architecture::Heart) => AssumedPrior::SquareRoot,
        (ClassWeights::Balanced, _) => AssumedPrior::Balanced,
    }
}

/// What became of each gate, in the order of the manifest.
fn gates(io: &TrainingIo<'_>, results: &[NetworkMetrics]) -> Vec<NetworkGate> {
    let mut gates = Vec::new();
    for gate in &io.spec.gates {
        let outcome = match NetworkMetrics::find(results, gate.architecture, gate.task) {
            Some(result) => evaluation::gate(&result.metrics, gate.metric, gate.min.value()),
            None => evaluation::GateResult {
                metric: gate.metric,
                minimum: gate.min.value(),
                value: None,
                passed: false,
                message: format!("{} of {} was not evaluated", gate.metric, gate.task),
            },
        };
        gates.push(NetworkGate {
            architecture: gate.architecture,
            target: gate.task,
            outcome,
        });
    }
    gates
}

/// What is to be published, on the scale of a published model, once its weights are known to give it.
fn scaled(
    io: &TrainingIo<'_>,
    wanted: &Publish,
    cohort: &Cohort,
    combinations: &[Combination],
    document: &MetricsDocument,
) -> Result<Scaled, TaskError> {
    let combination = combinations.iter().find(|it| it.is(wanted));
    let result = NetworkMetrics::find(&document.results, wanted.architecture, wanted.task);
    let (Some(combination), Some(result)) = (combination, result) else {
        return Err(TaskError::bad_data(format!(
            "{} for {} cannot be published: one of its folds has failed",
            wanted.architecture, wanted.task
        )));
    };
    recheck::fold(io, cohort, combination)?;
    publish::scaled(
        io.spec.prevalence.value(),
        &result.metrics,
        &combination.predictions,
    )
}

fn publish_ensemble(
    io: &TrainingIo<'_>,
    wanted: &Publish,
    cohort: &Cohort,
    data: &DataStatus,
    scaled: &Scaled,
) -> Result<ModelReference, TaskError> {
    let members = (0..io.spec.cross_validation.folds)
        .map(|number| {
            let fold = Fold::new(wanted.architecture, wanted.task, number);
            let files = MemberFiles {
                weights: io.get(&fold.weights())?,
                normalization: io.get(&fold.normalization())?,
            };
            Ok((Member::of_fold(number), files))
        })
        .collect::<Result<_, TaskError>>()?;
    publish::publish(
        io,
        Published {
            publish: wanted,
            data,
            cohort,
            scaled,
            members,
        },
    )
}

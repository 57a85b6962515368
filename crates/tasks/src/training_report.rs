//! What the report of a training run shows, from what the stages have found.

use std::collections::BTreeMap;

use super::TaskError;
use super::combination::Combination;
use super::evaluate::ModelOutcome;
use super::failure::OrFail;
use super::misclassified;
use super::preprocess;
use super::provenance;
use super::publish::Scaled;
use super::task_io::TrainingIo;
use attrium_api::{DataStatus, PublishMethod};
use attrium_dataset::{Cohort, Quarantine, Standing};
use attrium_evaluation::{MetricsDocument, positive_probability};
use attrium_imaging::CROP_SIZE;
use attrium_nn::{ActivationMap, GradCam, Network};
use attrium_report as report;
use attrium_report::{
    ActivationFigure, ActivationRow, Count, DataFlow, Epoch, Example, Fact, Gate, History, Method,
    Publication, Published, Raster, ScaledOperatingPoints, TrainingReport,
};
use attrium_training::Normalization;
use attrium_types::{Architecture, Grade, Target};
use attrium_workflow::artefacts::Fold;

/// What the report says of studies whose patients are not known, and of Patient IDs that labels contradict.
pub(super) const PATIENT_UNKNOWN: &str =
    "the patient is not known: two studies of one count as two patients";
const PATIENT_CONFLICT: &str = "Patient IDs that labels.csv gives to several patients";
/// Example crops of each grade.
const EXAMPLES: usize = 4;
/// The name of the map of a positive among those of layers.
const fn map_of_positive(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Heart => "HiResCAM, positive",
        _ => "Grad-CAM, positive",
    }
}

/// What an evaluation has found.
pub(super) struct Findings<'a> {
    pub cohort: &'a Cohort,
    pub quarantine: &'a Quarantine,
    pub data: &'a DataStatus,
    pub combinations: &'a [Combination],
    pub document: &'a MetricsDocument,
    /// What is, or will be, published, on the scale of the published model.
    pub scaled: Option<&'a Scaled>,
    pub model: &'a ModelOutcome,
}

pub(super) fn page(io: &TrainingIo<'_>, findings: &Findings<'_>) -> Result<String, TaskError> {
    let resource = io.context.resource;
    let report = TrainingReport {
        name: resource.name().to_owned(),
        namespace: resource.namespace().to_owned(),
        synthetic: findings.cohort.synthetic() as u64,
        data: data_flow(findings),
        results: findings.document.results.clone(),
        baselines: findings.document.baselines.clone(),
        gates: gates(findings.document),
        earlier_runs: findings.document.earlier_runs,
        publication: publication(io, findings),
        scaled_operating_points: findings.scaled.map(|scaled| ScaledOperatingPoints {
            temperature: scaled.temperature,
            prevalence: scaled.prevalence.map(|prevalence| prevalence.stated),
            points: scaled.metrics.positive.operating_points.clone(),
            decision_curve: scaled.metrics.positive.decision_curve.clone(),
        }),
        histories: findings.combinations.iter().flat_map(histories).collect(),
        examples: examples(findings.cohort)?,
        misclassified: misclassified::misclassified(io, findings)?,
        method: Method {
            crop: io.spec.preprocessing.crop,
            intensity: io.spec.preprocessing.intensity,
            exposure_percent: io.spec.augmentation.exposure_percent,
        },
        activation_maps: activation_maps(io, findings)?,
        study: provenance::study(resource),
        provenance: provenance::of_training(io, digests(findings))?,
    };
    Ok(report::training_report(&report))
}

fn data_flow(findings: &Findings<'_>) -> DataFlow {
    let Findings { cohort, data, .. } = findings;
    let mut patients = cohort.patients();
    patients.sort_unstable();
    patients.dedup();
    let mut warnings = BTreeMap::<&str, usize>::new();
    for warning in cohort.records.iter().flat_map(|record| &record.warnings) {
        *warnings.entry(warning).or_default() += 1;
    }
    let known = &cohort.known_patients;
    for (warning, count) in [
        (PATIENT_UNKNOWN, known.unknown),
        (PATIENT_CONFLICT, known.conflicts),
    ] {
        if count > 0 {
            warnings.insert(warning, count);
        }
    }
    DataFlow {
        objects: data.objects,
        dropped_objects: dropped_objects(findings),
        studies: cohort.len() as u64,
        dropped_studies: Vec::new(),
        used: cohort.len() as u64,
        patients: Some(patients.len() as u64),
        missing_images: data.missing_images.unwrap_or_default(),
        by_grade: cohort.by_grade().map(|studies| studies as u64),
        warnings: warnings
            .into_iter()
            .map(|(what, count)| counted(what, count))
            .collect(),
    }
}

/// The objects that no study is made of, by the reason.
fn dropped_objects(findings: &Findings<'_>) -> Vec<Count> {
    let by_reason = findings.quarantine.by_reason().into_iter();
    by_reason
        .map(|(reason, count)| counted(in_words(reason), count))
        .collect()
}

/// A reason of which nothing is wrong with the object, in words; any other as it is.
fn in_words(reason: &str) -> &str {
    match reason {
        preprocess::OTHER_VIEW => "not an anterior view",
        preprocess::UNLABELLED => "study without a label",
        Standing::SUPERSEDED => "another object of the study is better",
        Standing::DUPLICATE => "another object of the study has the same pixels",
        Standing::AMBIGUOUS => "one of several objects of the study that differ",
        reason => reason,
    }
}

fn counted(what: &str, count: usize) -> Count {
    Count {
        what: what.to_owned(),
        count: count as u64,
    }
}

fn gates(document: &MetricsDocument) -> Vec<Gate> {
    document
        .gates
        .iter()
        .map(|gate| Gate {
            architecture: gate.architecture,
            target: gate.target,
            outcome: gate.outcome.clone(),
        })
        .collect()
}

fn publication(io: &TrainingIo<'_>, findings: &Findings<'_>) -> Publication {
    let Some(wanted) = &io.spec.publish else {
        return Publication::NotAsked;
    };
    let (architecture, target) = (wanted.architecture, wanted.task);
    match findings.model {
        ModelOutcome::NotAsked => Publication::NotAsked,
        ModelOutcome::GateMissed => Publication::GateMissed,
        ModelOutcome::NothingLearned(reason) => Publication::NothingLearned {
            reason: reason.clone(),
        },
        ModelOutcome::Impossible(reason) => Publication::Impossible {
            reason: reason.clone(),
        },
        ModelOutcome::Published(model) => Publication::Published(Published {
            architecture,
            target,
            method: format!("{:?}", PublishMethod::Ensemble),
            uri: model.uri.clone(),
            digest: model.digest.clone(),
        }),
        ModelOutcome::Later => Publication::Later {
            architecture,
            target,
        },
    }
}

fn histories(combination: &Combination) -> impl Iterator<Item = History> {
    let folds = combination.histories.iter().enumerate();
    folds.map(|(fold, history)| History {
        architecture: combination.architecture,
        target: combination.target,
        fold,
        epochs: history.epochs.iter().map(epoch).collect(),
    })
}

fn epoch(epoch: &attrium_training::fit::Epoch) -> Epoch {
    Epoch {
        epoch: epoch.epoch,
        loss: epoch.loss,
        accuracy: epoch.accuracy,
        validation_loss: epoch.validation_loss,
        validation_accuracy: epoch.validation_accuracy,
        learning_rate: epoch.learning_rate,
    }
}

/// The first studies of each grade; pseudonyms are shuffled, so that they are a random sample.
fn examples(cohort: &Cohort) -> Result<Vec<Example>, TaskError> {
    Grade::ALL
        .into_iter()
        .flat_map(|grade| of_grade(cohort, grade).take(EXAMPLES))
        .map(|study| example(cohort, study))
        .collect()
}

fn of_grade(cohort: &Cohort, grade: Grade) -> impl Iterator<Item = usize> {
    (0..cohort.len()).filter(move |&study| cohort.records[study].grade == grade)
}

pub(super) fn example(cohort: &Cohort, study: usize) -> Result<Example, TaskError> {
    let crop = cohort.crop(study).to_vec();
    Ok(Example {
        grade: cohort.records[study].grade,
        study: cohort.records[study].study,
        image: Raster::new(CROP_SIZE, CROP_SIZE, crop).or_retry()?,
    })
}

/// One figure for each network and target: what the network that has not seen a study makes of it.
fn activation_maps(
    io: &TrainingIo<'_>,
    findings: &Findings<'_>,
) -> Result<Vec<ActivationFigure>, TaskError> {
    findings
        .combinations
        .iter()
        .map(|combination| {
            let mut rows = Vec::new();
            for grade in Grade::ALL {
                if let Some(study) = of_grade(findings.cohort, grade).next() {
                    rows.push(activation_row(io, findings.cohort, combination, study)?);
                }
            }
            Ok(ActivationFigure {
                architecture: combination.architecture,
                target: combination.target,
                layers: layers(combination.architecture, &rows),
                rows,
            })
        })
        .collect()
}

/// The names of the maps of each row: the last one belongs to no layer.
fn layers(architecture: Architecture, rows: &[ActivationRow]) -> Vec<String> {
    let maps = rows.first().map_or(0, |row| row.maps.len());
    (1..maps)
        .map(|block| report::activation_layer(architecture, block))
        .chain([map_of_positive(architecture).to_owned()])
        .collect()
}

fn activation_row(
    io: &TrainingIo<'_>,
    cohort: &Cohort,
    combination: &Combination,
    study: usize,
) -> Result<ActivationRow, TaskError> {
    let pseudonym = cohort.records[study].study.to_string();
    let prediction = combination
        .predictions
        .rows
        .iter()
        .find(|row| row.study == pseudonym);
    let fold = prediction.and_then(|row| row.fold).unwrap_or_default();
    let (architecture, target) = (combination.architecture, combination.target);
    let (network, normalization) = member(io, architecture, target, fold as u32)?;
    let mut image = super::fitting::images(cohort, &[study], io.spec.preprocessing.intensity);
    normalization.apply(&mut image);
    let maps = network.activation_maps(&image).or_retry()?;
    let grad_cam_of_positive = network
        .grad_cam(&image, target.first_positive_class())
        .or_retry()?;
    Ok(ActivationRow {
        example: example(cohort, study)?,
        positive_probability: prediction
            .map(|row| positive_probability(target, &row.probabilities)),
        maps: maps
            .iter()
            .map(maximum)
            .chain([grad_cam(&grad_cam_of_positive)])
            .collect::<Result<_, _>>()?,
    })
}

fn member(
    io: &TrainingIo<'_>,
    architecture: Architecture,
    target: Target,
    fold: u32,
) -> Result<(Network, Normalization), TaskError> {
    let fold = Fold::new(architecture, target, fold);
    let weights = io.get(&fold.weights())?;
    let classes = target.classes().len();
    let network = Network::from_safetensors(architecture, classes, &weights, &attrium_nn::cpu())
        .or_retry()?;
    let normalization = io.get(&fold.normalization())?;
    let normalization =
        Normalization::from_safetensors(&normalization, CROP_SIZE * CROP_SIZE).or_retry()?;
    Ok((network, normalization))
}

/// The maximum over the channels of a layer.
pub(super) fn maximum(map: &ActivationMap) -> Result<Raster, TaskError> {
    Raster::new(map.height, map.width, map.maximum()).or_retry()
}

/// Where a network finds what speaks for a positive.
pub(super) fn grad_cam(map: &GradCam) -> Result<Raster, TaskError> {
    Raster::new(map.height, map.width, map.values.clone()).or_retry()
}

fn digests(findings: &Findings<'_>) -> Vec<Fact> {
    match findings.model {
        ModelOutcome::Published(model) => vec![Fact {
            name: "model bundle".to_owned(),
            value: model.digest.clone(),
        }],
        _ => Vec::new(),
    }
}

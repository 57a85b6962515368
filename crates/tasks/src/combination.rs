//! A network and a target with what its folds have predicted.

use super::TaskError;
use super::failure::OrFail;
use super::task_io::TrainingIo;
use attrium_api::Publish;
use attrium_evaluation::Predictions;
use attrium_training::fit::History;
use attrium_types::{Architecture, Target};
use attrium_workflow::artefacts::{self, Fold};

/// What one network reached on one target.
pub(super) struct Combination {
    pub architecture: Architecture,
    pub target: Target,
    /// The predictions of every study by the network that has not seen it.
    pub predictions: Predictions,
    /// One for each fold.
    pub histories: Vec<History>,
}

impl Combination {
    /// Whether it is the one that is to be published.
    pub(crate) fn is(&self, wanted: &Publish) -> bool {
        self.architecture == wanted.architecture && self.target == wanted.task
    }
}

/// The networks and targets whose folds are all there; a failed one costs only itself.
pub(super) fn combinations(io: &TrainingIo<'_>) -> Result<Vec<Combination>, TaskError> {
    let mut combinations = Vec::new();
    for network in &io.spec.networks {
        for &target in &io.spec.tasks {
            let architecture = network.architecture;
            match combination(io, architecture, target)? {
                Some(combination) => combinations.push(combination),
                None => {
                    tracing::warn!(%architecture, task = %target, "A fold is missing: not evaluated")
                }
            }
        }
    }
    if combinations.is_empty() {
        return Err(TaskError::bad_data(
            "no network has been trained on all folds: see the failed train tasks",
        ));
    }
    Ok(combinations)
}

fn combination(
    io: &TrainingIo<'_>,
    architecture: Architecture,
    target: Target,
) -> Result<Option<Combination>, TaskError> {
    let mut predictions = Predictions::default();
    let mut histories = Vec::new();
    for fold in 0..io.spec.cross_validation.folds {
        let fold = Fold::new(architecture, target, fold);
        let Some(table) = io.try_get(&fold.predictions())? else {
            return Ok(None);
        };
        let of_fold = Predictions::parse(&table).or_retry()?;
        predictions.classes = of_fold.classes;
        predictions.covariates = of_fold.covariates;
        predictions.rows.extend(of_fold.rows);
        histories.push(History::from_csv(&io.get(&fold.history())?).or_retry()?);
    }
    predictions
        .rows
        .sort_by_key(|row| row.study.parse::<u32>().unwrap_or(u32::MAX));
    io.put(
        &artefacts::predictions(architecture, target),
        predictions.to_csv().or_retry()?,
    )?;
    Ok(Some(Combination {
        architecture,
        target,
        predictions,
        histories,
    }))
}

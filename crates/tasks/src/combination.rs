//! A network and a task with what its folds have predicted.

use super::TaskError;
use super::failure::OrFail;
use super::task_io::TrainingContext;
use attrium_evaluation::Predictions;
use attrium_training::fit::History;
use attrium_types::{Architecture, Target};
use attrium_workflow::artefacts::{self, Fold};

/// What one network reached on one task.
pub(super) struct Combination {
    /// The network.
    pub architecture: Architecture,
    /// The question.
    pub task: Target,
    /// The predictions of every study by the network that has not seen it.
    pub predictions: Predictions,
    /// One history for each fold.
    pub histories: Vec<History>,
}

/// The networks and tasks whose folds are all there; a failed one costs only itself.
pub(super) fn combinations(run: &TrainingContext<'_>) -> Result<Vec<Combination>, TaskError> {
    let mut combinations = Vec::new();
    for network in &run.spec.networks {
        for &task in &run.spec.tasks {
            let architecture = network.architecture;
            match combination(run, architecture, task)? {
                Some(combination) => combinations.push(combination),
                None => tracing::warn!(%architecture, %task, "A fold is missing: not evaluated"),
            }
        }
    }
    if combinations.is_empty() {
        return Err(TaskError::data(
            "no network has been trained on all folds: see the failed train tasks",
        ));
    }
    Ok(combinations)
}

fn combination(
    run: &TrainingContext<'_>,
    architecture: Architecture,
    task: Target,
) -> Result<Option<Combination>, TaskError> {
    let mut predictions = Predictions::default();
    let mut histories = Vec::new();
    for fold in 0..run.spec.cross_validation.folds {
        let fold = Fold::new(architecture, task, fold);
        let Some(table) = run.try_get(&fold.predictions())? else {
            return Ok(None);
        };
        let of_fold = Predictions::parse(&table).or_retry()?;
        predictions.classes = of_fold.classes;
        predictions.covariates = of_fold.covariates;
        predictions.rows.extend(of_fold.rows);
        histories.push(History::from_csv(&run.get(&fold.history())?).or_retry()?);
    }
    predictions
        .rows
        .sort_by_key(|row| row.study.parse::<u32>().unwrap_or(u32::MAX));
    run.put(
        &artefacts::predictions(architecture, task),
        predictions.to_csv().or_retry()?,
    )?;
    Ok(Some(Combination {
        architecture,
        task,
        predictions,
        histories,
    }))
}

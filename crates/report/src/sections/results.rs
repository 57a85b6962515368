//! The result tables, with the paper's own figures and the baselines beside the networks.

use attrium_evaluation::BaselineMetrics;
use attrium_types::Target;
use maud::{Markup, Render, html};

use super::{
    EvaluatedModel, agreement, baseline, by_target, caption, estimate_cell, folded, note,
    participants, positive_grades, question, title,
};
use crate::number;
use crate::paper::{self, PublishedResult};
use crate::table::Table;

/// The tables of every target.
pub(crate) fn section(models: &[EvaluatedModel<'_>], baselines: &[BaselineMetrics]) -> Markup {
    if models.is_empty() {
        return html! {};
    }
    html! {
        (note(
            "Square brackets hold 95 % confidence intervals: DeLong’s and Newcombe’s for AUC, Wilson’s for \
             proportions, the large-sample one for kappa. Studies of one patient are taken together. The paper printed two decimals and no \
             intervals. A dash stands where a figure is not defined or was not published."
        ))
        @for (target, group) in by_target(models) {
            h3 { (question(target)) }
            (overall(target, &group, baselines))
            @if target != Target::Perugini {
                (note(
                    "The paper’s AUC for two classes is that of hard labels, the mean of both \
                     recalls: compare it with “AUC of labels”."
                ))
            }
            (agreement::table(target, &group))
            (baseline::tables(target, &group, baselines))
            (participants::by_grade(group.iter().map(|model| (model.name, model.metrics))))
            (classes(target, &group))
            (folds(target, &group))
            (folded(
                format!("{}: all networks of the paper", title(target)),
                all_of_paper(target),
            ))
            (warnings(target, &group))
        }
    }
}

/// One row for each network: what it reached over all studies.
fn overall(target: Target, models: &[EvaluatedModel<'_>], baselines: &[BaselineMetrics]) -> Table {
    let about = format!(
        "By the class of the highest probability; sensitivity and specificity ask for {}.",
        positive_grades(target)
    );
    let mut headers = vec![
        "Network",
        "AUC",
        "AUC of labels",
        "Accuracy",
        "Sensitivity",
        "Specificity",
        "PPV",
        "NPV",
        "Kappa",
    ];
    if target == Target::Perugini {
        headers.push("Quadratic kappa");
    }
    let mut table =
        Table::new(caption("Results over all studies", about), headers).class("stacked");
    for model in models {
        table.row(with_origin(model), overall_cells(target, model));
        if let Some(result) = paper::result(target, model.name) {
            table.reference_row(
                format!("{}, paper", model.name),
                paper_cells(target, result),
            );
        }
    }
    for baseline in baselines
        .iter()
        .filter(|baseline| baseline.target == target)
    {
        let name = format!("{}, no network", baseline.name);
        table.reference_row(name, [estimate_cell(baseline.auc)]);
    }
    if let Some(kappa) = paper::reader_kappa(target) {
        let mut cells = vec![number::UNDEFINED.to_owned(); 7];
        cells.push(number::fraction(kappa));
        table.reference_row("Two readers, paper", cells);
    }
    table
}

fn overall_cells(target: Target, model: &EvaluatedModel<'_>) -> Vec<Markup> {
    let m = model.metrics;
    let mut estimates = vec![
        m.auc,
        m.auc_hard,
        m.accuracy,
        m.sensitivity,
        m.specificity,
        m.at_cohort.ppv,
        m.at_cohort.npv,
        m.kappa,
    ];
    if target == Target::Perugini {
        estimates.push(m.quadratic_kappa);
    }
    estimates.into_iter().map(estimate_cell).collect()
}

/// A network's name with what its training began from.
fn with_origin(model: &EvaluatedModel<'_>) -> Markup {
    caption(model.name, format!("from {}", model.initial_weights))
}

/// A result of the paper in the order of [`overall`]'s columns.
fn paper_cells(target: Target, result: &PublishedResult) -> Vec<String> {
    let unknown = || number::UNDEFINED.to_owned();
    let fraction = number::fraction;
    if target == Target::Perugini {
        return vec![fraction(result.auc), unknown(), fraction(result.accuracy)];
    }
    vec![
        unknown(),
        fraction(result.auc),
        fraction(result.accuracy),
        fraction(result.recall[1]),
        fraction(result.recall[0]),
        fraction(result.precision[1]),
        fraction(result.precision[0]),
        unknown(),
    ]
}

/// One row for each class of each network.
fn classes(target: Target, models: &[EvaluatedModel<'_>]) -> Table {
    let mut table = Table::new(
        caption("Results of each class", "One class against the rest."),
        [
            "Class",
            "Studies",
            "Called so",
            "AUC",
            "Precision",
            "Paper",
            "Recall",
            "Paper",
        ],
    );
    for model in models {
        table.group(model.name);
        let published = paper::result(target, model.name);
        for (index, class) in model.metrics.classes.iter().enumerate() {
            let of_paper = |figures: fn(&PublishedResult) -> &'static [f64]| {
                let figure = published.and_then(|result| figures(result).get(index));
                number::optional(figure.copied()).render()
            };
            let cells = [
                number::count(class.studies).render(),
                number::count(class.called).render(),
                estimate_cell(class.auc),
                estimate_cell(class.precision),
                of_paper(|result| result.precision),
                estimate_cell(class.recall),
                of_paper(|result| result.recall),
            ];
            table.row(&class.name, cells);
        }
    }
    table
}

/// How much the folds differ; nothing without folds.
fn folds(target: Target, models: &[EvaluatedModel<'_>]) -> Markup {
    let mut table = Table::new(
        caption(
            "Results of each fold",
            "A fold’s studies by the network that never saw them.",
        ),
        [
            "Fold",
            "Studies",
            "Positives",
            "AUC",
            "Accuracy",
            "Sensitivity",
            "Specificity",
        ],
    );
    for model in models {
        add_folds(&mut table, model);
    }
    if table.is_empty() {
        return html! {};
    }
    folded(format!("{}: fold by fold", title(target)), table)
}

fn add_folds(table: &mut Table, model: &EvaluatedModel<'_>) {
    if model.metrics.folds.is_empty() {
        return;
    }
    table.group(model.name);
    for fold in &model.metrics.folds {
        table.row(
            format!("fold {}", fold.fold),
            [
                number::count(fold.studies),
                number::count(fold.positives),
                number::optional(fold.auc),
                number::optional(fold.accuracy),
                number::optional(fold.sensitivity),
                number::optional(fold.specificity),
            ],
        );
    }
    if let Some(spread) = model.metrics.fold_auc {
        let mut mean = number::fraction(spread.mean);
        if let Some(deviation) = spread.standard_deviation {
            mean.push_str(&format!(" ± {}", number::fraction(deviation)));
        }
        table.reference_row("mean of folds", [String::new(), String::new(), mean]);
    }
}

/// All of the paper's results, the other networks' too.
fn all_of_paper(target: Target) -> Table {
    let mut headers = vec![
        "Network".to_owned(),
        "AUC".to_owned(),
        "Accuracy".to_owned(),
    ];
    for class in target.classes() {
        headers.push(format!("Precision, {class}"));
        headers.push(format!("Recall, {class}"));
    }
    let mut table = Table::new(caption("The paper’s own table", paper::CITATION), headers);
    for result in paper::results(target) {
        let classes = result.precision.iter().zip(result.recall);
        let cells = [result.auc, result.accuracy]
            .into_iter()
            .chain(classes.flat_map(|(precision, recall)| [*precision, *recall]));
        table.reference_row(result.architecture, cells.map(number::fraction));
    }
    table
}

/// What could not be computed, and what to bear in mind.
fn warnings(target: Target, models: &[EvaluatedModel<'_>]) -> Markup {
    let warnings: Vec<String> = models
        .iter()
        .flat_map(|model| {
            let texts = model.metrics.warnings.iter();
            texts.map(|text| format!("{}: {text}", model.name))
        })
        .collect();
    if warnings.is_empty() {
        return html! {};
    }
    folded(
        format!(
            "{}: notes on these figures ({})",
            title(target),
            warnings.len()
        ),
        html! { ul.caveats { @for warning in &warnings { li { (warning) } } } },
    )
}

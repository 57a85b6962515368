//! The same figures for parts of the cohort, with a small plot of each interval.

use attrium_evaluation::{Estimate, Metrics, SubgroupMetrics};
use attrium_types::Target;
use maud::{Markup, Render, html};

use super::{
    EvaluatedModel, by_target, caption, estimate_cell, folded, note, positive_grades, title,
};
use crate::number;
use crate::paper;
use crate::plot::forest;
use crate::table::Table;

/// One table for each network and target that has subgroups.
pub(crate) fn section(models: &[EvaluatedModel<'_>]) -> Markup {
    let groups = by_target(models);
    let has_subgroups = |model: &&EvaluatedModel<'_>| !model.metrics.subgroups.is_empty();
    if !models.iter().any(|model| has_subgroups(&model)) {
        return html! {};
    }
    html! {
        (note(
            "The columns of labels.csv. Small groups have wide intervals, and among many groups \
             some differ by chance: a gap is a question, not a finding. A protocol or scanner on \
             which the figures stand out may be what a network has learnt instead of the heart."
        ))
        @for (target, group) in &groups {
            @let main = *target == Target::Positive || groups.len() == 1;
            @for model in group.iter().filter(has_subgroups) {
                @if main {
                    (of_model(*target, model))
                } @else {
                    (folded(name(*target, model), of_model(*target, model)))
                }
            }
        }
    }
}

fn name(target: Target, model: &EvaluatedModel<'_>) -> String {
    format!("{}, {} by subgroup", model.name, title(target))
}

/// The table with the paper's figures below it, where it has any.
fn of_model(target: Target, model: &EvaluatedModel<'_>) -> Markup {
    html! {
        (table(target, model))
        (of_paper(target, model))
    }
}

fn table(target: Target, model: &EvaluatedModel<'_>) -> Table {
    let about = format!(
        "AUC and rates for {}; the plot runs from 0 to 1. Below AUC and accuracy: how much larger \
         they are than those of all other studies of the column, with the interval of that \
         difference.",
        positive_grades(target)
    );
    let mut table = Table::new(
        caption(name(target, model), about),
        [
            "Subgroup",
            "Studies",
            "Positives",
            "AUC",
            "Interval",
            "Accuracy",
            "Sensitivity",
            "Specificity",
        ],
    );
    table.reference_row("all studies", all_studies_cells(model.metrics));
    let mut column = None;
    for subgroup in &model.metrics.subgroups {
        if column != Some(&subgroup.column) {
            table.group(&subgroup.column);
            column = Some(&subgroup.column);
        }
        table.row(&subgroup.value, subgroup_cells(subgroup));
    }
    table
}

fn all_studies_cells(m: &Metrics) -> [Markup; 7] {
    [
        number::count(m.studies).render(),
        number::count(m.positives).render(),
        estimate_cell(m.positive.auc),
        forest(m.positive.auc),
        estimate_cell(m.accuracy),
        estimate_cell(m.sensitivity),
        estimate_cell(m.specificity),
    ]
}

fn subgroup_cells(row: &SubgroupMetrics) -> [Markup; 7] {
    [
        number::count(row.studies).render(),
        number::count(row.positives).render(),
        html! { (estimate_cell(row.positive_auc)) (difference(row.positive_auc_difference)) },
        forest(row.positive_auc),
        html! { (estimate_cell(row.accuracy)) (difference(row.accuracy_difference)) },
        estimate_cell(row.sensitivity),
        estimate_cell(row.specificity),
    ]
}

/// How much larger a figure is than that of the other studies, on a line below it.
fn difference(estimate: Option<Estimate>) -> Markup {
    let estimate = estimate.filter(|estimate| estimate.interval.is_some());
    html! {
        @if estimate.is_some() {
            div.difference { (number::difference(estimate)) }
        }
    }
}

/// The paper's figures by metastasis, where it has them and the labels have the column.
fn of_paper(target: Target, model: &EvaluatedModel<'_>) -> Markup {
    let mut subgroups = model.metrics.subgroups.iter();
    let asked = subgroups.any(|row| row.column == "metastases");
    let published = paper::metastases(target, model.name).filter(|_| asked);
    let Some(paper) = published else {
        return html! {};
    };
    let pair = |[with, without]: [f64; 2]| {
        format!(
            "{} with and {} without",
            number::fraction(with),
            number::fraction(without)
        )
    };
    let auc = paper
        .auc
        .map_or_else(String::new, |auc| format!("; AUC of labels {}", pair(auc)));
    note(format!(
        "Paper, {} by bone metastases: accuracy {} metastases{auc}.",
        model.name,
        pair(paper.accuracy)
    ))
}

//! The same figures for parts of the cohort, with a small plot of each interval.

use super::{Subject, by_task, caption, estimate, limits, note, positive, title};
use crate::markup::{Markup, element};
use crate::number;
use crate::paper;
use crate::table::{Kind, Table};
use attrium_evaluation::{Estimate, SubgroupMetrics};
use attrium_types::Target;

/// One table for each network and task that has subgroups.
pub(crate) fn section(subjects: &[Subject<'_>]) -> Markup {
    let groups = by_task(subjects);
    let mut content = Markup::none();
    for (task, group) in &groups {
        let main = *task == Target::Positive || groups.len() == 1;
        for subject in group
            .iter()
            .filter(|subject| !subject.metrics.subgroups.is_empty())
        {
            content.push(shown(main, *task, subject));
        }
    }
    if content.is_empty() {
        return content;
    }
    note(
        "The columns of labels.csv. Small groups have wide intervals, and among many groups some \
         differ by chance: a gap is a question, not a finding. A protocol or scanner on which the \
         figures stand out may be what a network has learnt instead of the heart.",
    )
    .with(content)
}

/// The table itself for the main task; folded for the others, since it is long.
fn shown(main: bool, task: Target, subject: &Subject<'_>) -> Markup {
    if main {
        return table(task, subject);
    }
    let summary = format!("{}, {} by subgroup", subject.name, title(task));
    element("details")
        .child(element("summary").child(summary))
        .child(table(task, subject))
        .into()
}

fn table(task: Target, subject: &Subject<'_>) -> Markup {
    let about = format!(
        "AUC and rates for {}; the plot runs from 0 to 1. Below AUC and accuracy: how much larger they \
         are than those of all other studies of the column, with the interval of that difference.",
        positive(task)
    );
    let mut table = Table::new(
        caption(
            format!("{}, {} by subgroup", subject.name, title(task)),
            about,
        ),
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
    let whole = subject.metrics;
    table.row(
        Kind::Reference,
        "all studies",
        [
            number::count(whole.studies).into(),
            number::count(whole.positives).into(),
            estimate(whole.positive.auc),
            forest(whole.positive.auc),
            estimate(whole.accuracy),
            estimate(whole.sensitivity),
            estimate(whole.specificity),
        ],
    );
    let mut column = None;
    for row in &whole.subgroups {
        if column != Some(&row.column) {
            table.group(&row.column);
            column = Some(&row.column);
        }
        table.row(Kind::Own, &row.value, cells(row));
    }
    Markup::from(table).with(of_paper(task, subject))
}

/// The paper's figures by metastasis, where it has them and the labels have the column.
fn of_paper(task: Target, subject: &Subject<'_>) -> Markup {
    let asked = subject
        .metrics
        .subgroups
        .iter()
        .any(|row| row.column == "metastases");
    let Some(paper) = paper::metastases(task, subject.name).filter(|_| asked) else {
        return Markup::none();
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
        subject.name,
        pair(paper.accuracy)
    ))
}

fn cells(row: &SubgroupMetrics) -> [Markup; 7] {
    [
        number::count(row.studies).into(),
        number::count(row.positives).into(),
        estimate(row.positive_auc).with(difference(row.positive_auc_difference)),
        forest(row.positive_auc),
        estimate(row.accuracy).with(difference(row.accuracy_difference)),
        estimate(row.sensitivity),
        estimate(row.specificity),
    ]
}

/// How much larger a figure is than that of the other studies, on a line below it.
fn difference(estimate: Option<Estimate>) -> Markup {
    let limits = limits(estimate);
    if limits.is_none() {
        return Markup::none();
    }
    element("div")
        .class("difference")
        .child(number::difference(estimate.map(|of| of.value), limits))
        .into()
}

/// A value and its interval on a line from 0 to 1; the numbers beside it say the same.
fn forest(estimate: Option<Estimate>) -> Markup {
    let Some(Estimate { value, .. }) = estimate else {
        return Markup::none();
    };
    let place = |fraction: f64| format!("{:.0}", 20.0 + 560.0 * fraction.clamp(0.0, 1.0));
    let line = |from: &str, to: &str, colour: &str, width: &str| {
        element("path")
            .attribute("d", format!("M{from} 40H{to}"))
            .attribute("stroke", colour)
            .attribute("stroke-width", width)
    };
    let middle = place(0.5);
    let mut drawing = element("svg")
        .class("forest")
        .attribute("viewBox", "0 0 600 80")
        .attribute("aria-hidden", "true")
        .child(line(&place(0.0), &place(1.0), "var(--line)", "4"))
        .child(
            element("path")
                .attribute("d", format!("M{middle} 12V68"))
                .attribute("stroke", "var(--line)")
                .attribute("stroke-width", "4"),
        );
    if let Some((low, high)) = limits(estimate) {
        drawing = drawing.child(line(&place(low), &place(high), "var(--accent)", "8"));
    }
    drawing
        .child(
            element("circle")
                .attribute("cx", place(value))
                .attribute("cy", "40")
                .attribute("r", "15")
                .attribute("fill", "var(--accent)"),
        )
        .into()
}

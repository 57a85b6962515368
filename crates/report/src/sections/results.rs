//! The result tables, with the paper's own figures and the baselines beside the networks.

use super::{
    Subject, agreement, baseline, by_task, caption, estimate, heading, note, positive, question,
};
use crate::markup::{Markup, element};
use crate::number;
use crate::paper;
use crate::table::{Kind, Table};
use attrium_evaluation::BaselineMetrics;
use attrium_types::Target;

/// The tables of every task.
pub(crate) fn section(subjects: &[Subject<'_>], baselines: &[BaselineMetrics]) -> Markup {
    if subjects.is_empty() {
        return Markup::none();
    }
    let mut content = note(
        "Square brackets hold 95 % confidence intervals: DeLong’s for AUC, Wilson’s for \
         proportions, the large-sample one for kappa. The paper printed two decimals and no \
         intervals. A dash stands where a figure is not defined or was not published.",
    );
    for (task, group) in by_task(subjects) {
        content.push(heading(question(task)));
        content.push(overall(task, &group, baselines));
        content.push(agreement::table(task, &group));
        content.push(baseline::tables(task, &group, baselines));
        content.push(classes(task, &group));
        content.push(folds(task, &group));
        content.push(all_of_paper(task));
        content.push(warnings(task, &group));
    }
    content
}

/// One row for each network: what it reached over all studies.
fn overall(task: Target, group: &[Subject<'_>], baselines: &[BaselineMetrics]) -> Markup {
    let about = format!(
        "By the class of the highest probability; sensitivity and specificity ask for {}.",
        positive(task)
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
    if task == Target::Perugini {
        headers.push("Quadratic kappa");
    }
    let mut table =
        Table::new(caption("Results over all studies", about), headers).class("stacked");
    for subject in group {
        let m = subject.metrics;
        let mut cells = vec![
            estimate(m.auc),
            estimate(m.auc_hard),
            estimate(m.accuracy),
            estimate(m.sensitivity),
            estimate(m.specificity),
            estimate(m.at_cohort.ppv),
            estimate(m.at_cohort.npv),
            estimate(m.kappa),
        ];
        if task == Target::Perugini {
            cells.push(estimate(m.quadratic_kappa));
        }
        table.row(Kind::Own, with_origin(subject), cells);
        let published = paper::rows(task)
            .iter()
            .find(|row| row.architecture == subject.name);
        if let Some(row) = published {
            table.row(
                Kind::Reference,
                format!("{}, paper", row.architecture),
                paper_cells(task, row),
            );
        }
    }
    for baseline in baselines.iter().filter(|baseline| baseline.target == task) {
        let cells = [estimate(baseline.auc)];
        table.row(
            Kind::Reference,
            format!("{}, no network", baseline.name),
            cells,
        );
    }
    if let Some(kappa) = paper::reader_kappa(task) {
        let mut cells = vec![number::UNDEFINED.to_owned(); 7];
        cells.push(number::fraction(kappa));
        table.row(Kind::Reference, "Two readers, paper", cells);
    }
    let mut content = Markup::from(table);
    if task != Target::Perugini {
        content.push(note(
            "The paper’s AUC for two classes is that of hard labels, the mean of both recalls: \
             compare it with “AUC of labels”.",
        ));
    }
    content
}

/// A network's name with what its training began from.
fn with_origin(subject: &Subject<'_>) -> Markup {
    let origin = if subject.pretrained {
        "from weights of ImageNet"
    } else {
        "from random weights"
    };
    caption(subject.name, origin)
}

/// A row of the paper in the order of [`overall`]'s columns.
fn paper_cells(task: Target, row: &paper::Row) -> Vec<String> {
    let unknown = || number::UNDEFINED.to_owned();
    let fraction = |value: f64| number::fraction(value);
    if task == Target::Perugini {
        return vec![fraction(row.auc), unknown(), fraction(row.accuracy)];
    }
    vec![
        unknown(),
        fraction(row.auc),
        fraction(row.accuracy),
        fraction(row.recall[1]),
        fraction(row.recall[0]),
        fraction(row.precision[1]),
        fraction(row.precision[0]),
        unknown(),
    ]
}

/// One row for each class of each network.
fn classes(task: Target, group: &[Subject<'_>]) -> Markup {
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
    for subject in group {
        table.group(subject.name);
        let published = paper::rows(task)
            .iter()
            .find(|row| row.architecture == subject.name);
        for (index, class) in subject.metrics.classes.iter().enumerate() {
            let of_paper = |pick: fn(&paper::Row) -> &'static [f64]| {
                number::optional(published.and_then(|row| pick(row).get(index)).copied())
            };
            table.row(
                Kind::Own,
                &class.name,
                [
                    number::count(class.studies).into(),
                    number::count(class.called).into(),
                    estimate(class.auc),
                    estimate(class.precision),
                    of_paper(|row| row.precision).into(),
                    estimate(class.recall),
                    of_paper(|row| row.recall).into(),
                ],
            );
        }
    }
    table.into()
}

/// How much the folds differ; nothing without folds.
fn folds(task: Target, group: &[Subject<'_>]) -> Markup {
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
    for subject in group
        .iter()
        .filter(|subject| !subject.metrics.folds.is_empty())
    {
        table.group(subject.name);
        for fold in &subject.metrics.folds {
            table.row(
                Kind::Own,
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
        if let Some(spread) = subject.metrics.fold_auc {
            let deviation = spread
                .standard_deviation
                .map_or_else(String::new, |deviation| {
                    format!(" ± {}", number::fraction(deviation))
                });
            let mean = format!("{}{deviation}", number::fraction(spread.mean));
            let cells = [String::new(), String::new(), mean];
            table.row(Kind::Reference, "mean of folds", cells);
        }
    }
    if table.is_empty() {
        return Markup::none();
    }
    let summary = format!("{}: fold by fold", super::title(task));
    element("details")
        .child(element("summary").child(summary))
        .child(table)
        .into()
}

/// All of the paper's rows, the other networks' too.
fn all_of_paper(task: Target) -> Markup {
    let mut headers = vec![
        "Network".to_owned(),
        "AUC".to_owned(),
        "Accuracy".to_owned(),
    ];
    for class in task.classes() {
        headers.push(format!("Precision, {class}"));
        headers.push(format!("Recall, {class}"));
    }
    let mut table = Table::new(caption("The paper’s own table", paper::CITATION), headers);
    for row in paper::rows(task) {
        let classes = row.precision.iter().zip(row.recall);
        let cells = [row.auc, row.accuracy]
            .into_iter()
            .chain(classes.flat_map(|(precision, recall)| [*precision, *recall]));
        table.row(
            Kind::Reference,
            row.architecture,
            cells.map(number::fraction),
        );
    }
    let summary = format!("{}: all networks of the paper", super::title(task));
    element("details")
        .child(element("summary").child(summary))
        .child(table)
        .into()
}

/// What could not be computed, and what to bear in mind.
fn warnings(task: Target, group: &[Subject<'_>]) -> Markup {
    let items: Vec<_> = group
        .iter()
        .flat_map(|subject| {
            let texts = subject.metrics.warnings.iter();
            texts.map(|text| element("li").child(format!("{}: {text}", subject.name)))
        })
        .collect();
    if items.is_empty() {
        return Markup::none();
    }
    let title = super::title(task);
    let summary = format!("{title}: notes on these figures ({})", items.len());
    element("details")
        .child(element("summary").child(summary))
        .child(element("ul").class("caveats").children(items))
        .into()
}

//! Whose scans they are: the participants of a development, and beside them those of a validation.

use std::collections::BTreeMap;

use attrium_evaluation::{Metrics, SubgroupMetrics};
use maud::{Markup, Render, html};

use super::caption;
use crate::number;
use crate::table::Table;

/// A cohort under its name, as the metrics of one of its networks count it.
pub(crate) type Participants<'a> = (&'a str, &'a Metrics);

/// The covariate whose subgroups are the grades.
const GRADE: &str = "grade";

/// A column for each cohort; a row for each value of each covariate that any of them has.
pub(crate) fn table(cohorts: &[Participants<'_>]) -> Markup {
    if cohorts.is_empty() {
        return html! {};
    }
    let about = "Labelled studies that have a prediction; in brackets the share of them. A dash stands where a \
                 table of labels does not have the column.";
    let headers = [""]
        .into_iter()
        .chain(cohorts.iter().map(|(name, _)| *name));
    let mut table = Table::new(caption("Participants", about), headers);
    let row = |of: &dyn Fn(&Metrics) -> String| -> Vec<String> {
        cohorts.iter().map(|(_, metrics)| of(metrics)).collect()
    };
    table.row("Studies", row(&|it| number::count(it.studies)));
    table.row("Patients", row(&|it| optional(it.patients)));
    table.row("Positive", row(&|it| part(it.positives, it.studies)));
    for (column, values) in columns(cohorts) {
        table.group(title(column));
        for value in values {
            table.row(value, row(&|it| of_value(it, column, value)));
        }
    }
    table.render()
}

/// Each covariate with its values, in the order in which the cohorts have them.
fn columns<'a>(cohorts: &[Participants<'a>]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut order: Vec<&str> = Vec::new();
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for group in cohorts.iter().flat_map(|(_, metrics)| &metrics.subgroups) {
        let of_column = values.entry(&group.column).or_insert_with(|| {
            order.push(&group.column);
            Vec::new()
        });
        if !of_column.contains(&group.value.as_str()) {
            of_column.push(&group.value);
        }
    }
    let with_values = |column: &'a str| (column, values.remove(column).unwrap_or_default());
    order.into_iter().map(with_values).collect()
}

fn of_value(metrics: &Metrics, column: &str, value: &str) -> String {
    let mut of_column = metrics
        .subgroups
        .iter()
        .filter(|group| group.column == column);
    if of_column.clone().next().is_none() {
        return number::UNDEFINED.to_owned();
    }
    let found = of_column.find(|group| group.value == value);
    part(found.map_or(0, |group| group.studies), metrics.studies)
}

/// A covariate as the title of its rows.
fn title(column: &str) -> String {
    match column {
        GRADE => "Perugini grade".to_owned(),
        "age" => "Age in years".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters
                .next()
                .map(|letter| letter.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    }
}

fn part(studies: u64, all: u64) -> String {
    format!(
        "{} ({})",
        number::count(studies),
        number::percentage(studies, all)
    )
}

fn optional(count: Option<u64>) -> String {
    count.map_or_else(|| number::UNDEFINED.to_owned(), number::count)
}

/// What a network calls positive, by the reader's grade; nothing where grades are not known.
pub(crate) fn by_grade<'a>(networks: impl IntoIterator<Item = Participants<'a>>) -> Markup {
    let mut table = Table::new(
        caption(
            "By the reader’s grade",
            "Studies rightly called: of a positive grade its sensitivity, of another its specificity.",
        ),
        ["Network", "Grade 0", "Grade 1", "Grade 2", "Grade 3"],
    );
    let mut any = false;
    for (name, metrics) in networks {
        let of_grade = |grade: u8| {
            let grade = grade.to_string();
            let mut groups = metrics.subgroups.iter();
            groups.find(|group| group.column == GRADE && group.value == grade)
        };
        any |= (0..4).any(|grade| of_grade(grade).is_some());
        table.row(name, (0..4).map(|grade| called_rightly(of_grade(grade))));
    }
    if any {
        table.render()
    } else {
        html! {}
    }
}

fn called_rightly(group: Option<&SubgroupMetrics>) -> Markup {
    match group {
        None => html! { (number::UNDEFINED) },
        Some(group) => html! {
            (super::estimate_cell(group.sensitivity.or(group.specificity)))
            br;
            small { (number::counted(group.studies, "study", "studies")) }
        },
    }
}

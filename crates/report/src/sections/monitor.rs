//! How the scans of a job stand to the cohort of its model.

use attrium_evaluation::monitoring::{
    ComparedWith, Direction, Feature, MonitorRow, MonitorState, Monitoring,
};
use maud::{Markup, Render, html};

use super::{caption, figure, grid, note};
use crate::number;
use crate::plot::{self, Axes, Axis, Mark, Paint};
use crate::table::Table;

/// The section; without a reference it says so.
pub(crate) fn section(monitoring: Option<&Monitoring>) -> Markup {
    let Some(monitoring) = monitoring else {
        return html! {
            p {
                "Not known: the model’s bundle keeps nothing of how its cohort was spread. Publish the model again to have \
                 its site watched."
            }
        };
    };
    html! {
        p { strong { (finding(monitoring)) } " " (number::count(monitoring.scans)) " scans were compared with the "
            (number::count(monitoring.reference_studies)) " studies that the model was trained on." }
        @let warnings = warnings(monitoring);
        @if !warnings.is_empty() {
            ul { @for warning in warnings { li { (warning) } } }
        }
        @for scanner in monitoring.new_scanners() { (new_scanner(scanner)) }
        (table(monitoring))
        (note(
            "A control chart follows each feature from scan to scan, of all scans and of each scanner. It raises an alarm \
             where they have strayed too far for chance: of 2,000 scans that are like the cohort, fewer than one alarm \
             is to be expected. The ratio and the score are compared among scans that look negative alone, so that \
             more or fewer positives change nothing. The same figures are in monitor.csv, docs/metrics.md has the method."
        ))
        (plots(monitoring))
    }
}

/// What nobody may overlook who reads the page: that its scans are unlike the model's.
pub(crate) fn notice(monitoring: Option<&Monitoring>) -> Markup {
    let outside = monitoring.filter(|it| it.state() == MonitorState::Outside);
    html! {
        @if let Some(monitoring) = outside {
            p.banner {
                strong { (finding(monitoring)) }
                " These scans are unlike those that the model was trained on: the section " a href="#reference" { "Within its \
                reference" } " says what to check."
            }
        }
    }
}

/// What it comes to, in a sentence.
fn finding(monitoring: &Monitoring) -> String {
    match monitoring.state() {
        MonitorState::Outside => {
            let mut features: Vec<&str> = monitoring
                .outside()
                .map(|row| row.feature.title())
                .collect();
            features.dedup();
            features.sort_unstable();
            features.dedup();
            format!("Outside of its reference: {}.", features.join(", "))
        }
        MonitorState::Within => "Within its reference: no chart has raised an alarm.".to_owned(),
        MonitorState::TooFew => "Not known: there are too few scans.".to_owned(),
        _ => "Not known: the model’s cohort is too small to compare with.".to_owned(),
    }
}

/// What is outside of the reference, each with what to look at.
fn warnings(monitoring: &Monitoring) -> Vec<Markup> {
    let warning = |row: &MonitorRow| {
        let direction = row.direction.unwrap_or(Direction::Higher);
        let of = row
            .scanner
            .as_deref()
            .map(|scanner| format!(" of {scanner}"));
        html! {
            strong { (capital(row.feature.title())) (of.unwrap_or_default()) } ": " (change(row))
            @if let Some(first) = row.first_alarm { ", told from row " (number::count(first)) " on" }
            ". " (remedy(row.feature, direction))
        }
    };
    monitoring.outside().map(warning).collect()
}

/// How much the job differs, in words.
fn change(row: &MonitorRow) -> String {
    let (Some(job), Some(reference)) = (row.location, row.reference_location) else {
        return String::new();
    };
    match row.feature {
        Feature::Counts => {
            let percent = 100.0 * (job / reference - 1.0);
            let words = if percent < 0.0 { "fewer" } else { "more" };
            let percent = number::decimals(percent.abs(), 0);
            match row.compared_with {
                // The reference of all scans is another mix of scanners, whose levels differ.
                ComparedWith::EachItsOwn => format!(
                    "{percent} % {words} than the cohort has in the mean, each scan against its own scanner"
                ),
                _ => format!("{percent} % {words} than in the cohort"),
            }
        }
        _ => format!(
            "{} where the cohort has {}",
            value(row, Some(job)),
            value(row, Some(reference))
        ),
    }
}

/// What an imaging engineer should look at.
const fn remedy(feature: Feature, direction: Direction) -> &'static str {
    match (feature, direction) {
        (Feature::Counts, Direction::Lower) => {
            "Noisier images are harder to judge. Check the scan’s speed or duration, the activity given, the time since \
             the injection, the collimator, the energy window, and whether the matrix or zoom is another."
        }
        (Feature::Counts, Direction::Higher) => {
            "Check the scan’s speed or duration, the activity given, the collimator (a low-resolution one counts more), \
             the energy window, and whether pixels were summed or scaled on the way to the archive."
        }
        (Feature::Ratio, Direction::Lower) => {
            "Check the tracer (MDP is hardly taken up by the heart), the time since the injection, and by some of the \
             images whether the heart is found."
        }
        (Feature::Ratio, Direction::Higher) => {
            "Check the time since the injection (sooner, the blood is still bright), the tracer, and by some of the \
             images whether the heart is found."
        }
        (Feature::Score, _) => {
            "The model answers otherwise on scans like its negatives. Check collimator, matrix, tracer and timing, and \
             validate it on labelled scans of this site before its calls are used."
        }
        (Feature::Warnings, _) => {
            "See the warnings above: tracer, time of injection, pixel size and views are best set right in the protocol \
             that writes them."
        }
        (Feature::SetAside, _) => {
            "See the reasons above: other examinations may be among the images, or an export that changes them."
        }
        (Feature::Scanner, _) => "",
    }
}

fn new_scanner(row: &MonitorRow) -> Markup {
    html! {
        p {
            strong { "New scanner: " (row.scanner.as_deref().unwrap_or_default()) "." } " "
            (number::count(row.scans)) " scans are of a scanner that none of the model’s studies is of. That is no \
             alarm; how well the model does on it only labelled scans of it tell."
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>());
    first.unwrap_or_default() + letters.as_str()
}

fn table(monitoring: &Monitoring) -> Table {
    let mut table = Table::new(
        caption(
            "This job beside the model’s cohort",
            "Counts are those of the crop: geometric means and, in brackets, the factor of one standard deviation; ratio \
             and log odds of a positive: means and standard deviations.",
        ),
        [
            "Feature",
            "Cohort",
            "",
            "This job",
            "",
            "Chart",
            "Limit",
            "Alarm from row",
            "State",
        ],
    );
    let mut scanner = None;
    for row in &monitoring.rows {
        if row.scanner.is_some() && row.scanner != scanner {
            scanner.clone_from(&row.scanner);
            table.group(
                html! { (row.scanner.as_deref().unwrap_or_default()) (compared(row, monitoring)) },
            );
        }
        if is_shown(row) {
            table.row(name(row), cells(row));
        }
    }
    table
}

/// Of a scanner the table shows its share and what something can be said of; monitor.csv has the rest.
const fn is_shown(row: &MonitorRow) -> bool {
    row.scanner.is_none()
        || matches!(row.feature, Feature::Scanner)
        || !matches!(row.state, MonitorState::TooFew | MonitorState::NotKnown)
}

fn name(row: &MonitorRow) -> String {
    match (row.feature, &row.scanner) {
        (Feature::Scanner, Some(_)) => "Share of the scans".to_owned(),
        (Feature::Scanner, None) => "Mix of scanners".to_owned(),
        _ => capital(row.feature.title()),
    }
}

/// What a scanner's scans are compared with, where that is not their own.
fn compared(scanner: &MonitorRow, monitoring: &Monitoring) -> &'static str {
    let mut rows = monitoring.rows.iter();
    let has_own = rows
        .any(|row| row.scanner == scanner.scanner && row.compared_with == ComparedWith::OwnScanner);
    if has_own {
        ", compared with its own in the cohort"
    } else {
        ", compared with all scanners of the cohort"
    }
}

fn cells(row: &MonitorRow) -> [Markup; 8] {
    let studies = |number: Option<u64>| number.map_or_else(String::new, number::count);
    let with_spread = |location, spread: Option<f64>| {
        let spread = spread.map(|spread| match row.feature {
            Feature::Counts => format!(" (×\u{2009}{})", number::decimals(spread.exp(), 2)),
            _ => format!(" ({})", number::decimals(spread, 2)),
        });
        value(row, location) + &spread.unwrap_or_default()
    };
    let of_reference = studies(row.reference_studies);
    [
        with_spread(row.reference_location, row.reference_spread).render(),
        html! { @if !of_reference.is_empty() { "of " (of_reference) } },
        with_spread(row.location, row.spread).render(),
        html! { "of " (number::count(row.scans)) },
        number::optional_decimals(row.statistic, 1).render(),
        number::optional_decimals(row.limit, 1).render(),
        studies(row.first_alarm).render(),
        state(row.state),
    ]
}

/// A location as a reader expects it.
fn value(row: &MonitorRow, location: Option<f64>) -> String {
    let Some(location) = location else {
        return "\u{2013}".to_owned();
    };
    match row.feature {
        Feature::Counts => number::count(location.round() as u64),
        Feature::Ratio | Feature::Score => number::decimals(location, 2),
        Feature::Warnings | Feature::SetAside | Feature::Scanner => {
            format!("{}\u{a0}%", number::decimals(100.0 * location, 1))
        }
    }
}

fn state(state: MonitorState) -> Markup {
    match state {
        MonitorState::Within => html! { "within" },
        MonitorState::Outside => html! { strong { "outside" } },
        MonitorState::TooFew => html! { "too few scans" },
        MonitorState::NotKnown => html! { "not known" },
        MonitorState::NewScanner => html! { "new scanner" },
        MonitorState::OtherMix => html! { "other mix, no alarm" },
    }
}

/// Counts, ratio and score of all scans, in tenths of the cohort.
fn plots(monitoring: &Monitoring) -> Markup {
    let rows = monitoring.rows.iter().filter(|row| row.scanner.is_none());
    let drawn = rows.filter(|row| row.tenths.iter().any(|&scans| scans > 0));
    let figures: Vec<Markup> = drawn.map(tenths).collect();
    if figures.is_empty() {
        return html! {};
    }
    grid(figures)
}

/// The share of the scans in each tenth of the cohort, which has a tenth in each.
fn tenths(row: &MonitorRow) -> Markup {
    let all: u64 = row.tenths.iter().sum();
    let shares: Vec<f64> = row
        .tenths
        .iter()
        .map(|&scans| 100.0 * scans as f64 / all as f64)
        .collect();
    let places = || {
        shares
            .iter()
            .enumerate()
            .map(|(place, share)| (place as f64, *share))
    };
    let bars = places()
        .map(|(left, share)| Mark::Bar(Paint::solid(0), (left + 0.1, 0.0), (left + 0.9, share)));
    let cohort = Mark::Line(
        Paint::Reference,
        vec![(0.0, 10.0), (shares.len() as f64, 10.0)],
    );
    let marks: Vec<Mark> = bars.chain([cohort]).collect();
    let top = shares.iter().copied().fold(20.0, f64::max);
    let axes = Axes {
        width: 300,
        height: 210,
        x: Axis {
            from: 0.0,
            to: shares.len() as f64,
            title: "tenths of the cohort, the lowest first",
            ticks: 11,
            tick_label: |_| String::new(),
        },
        y: Axis {
            from: 0.0,
            to: (top / 10.0).ceil() * 10.0,
            title: "% of this job’s scans",
            ticks: 5,
            tick_label: |value| number::decimals(value, 0),
        },
    };
    let words: Vec<String> = shares
        .iter()
        .map(|share| number::decimals(*share, 0))
        .collect();
    let alternative = format!(
        "Percent of this job’s scans in each tenth of the cohort, from the lowest: {}.",
        words.join(", ")
    );
    let small = "Dotted line: the cohort, of which a tenth is in each";
    figure(
        caption(capital(row.feature.title()), small),
        plot::draw(&axes, &marks, &alternative),
    )
}

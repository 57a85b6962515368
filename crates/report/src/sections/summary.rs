//! The first screen of a training run's report: what, on what, the main result, the caveats.

use attrium_evaluation::Metrics;
use attrium_types::Target;
use maud::{Markup, html};

use super::{
    EvaluatedModel, baseline, by_target, positive_grades, question, read_this_first, tile,
};
use crate::input::{Publication, TrainingReport};
use crate::number;

/// Below so many positives, intervals of sensitivity are wider than about 0.2.
const FEW_POSITIVES: u64 = 100;

/// A target and the models that were trained for it.
type Group<'a> = (Target, Vec<EvaluatedModel<'a>>);

/// The lead, a tile for each target and the caveats.
pub(crate) fn section(report: &TrainingReport, models: &[EvaluatedModel<'_>]) -> Markup {
    let groups = by_target(models);
    let (main, others): (Vec<_>, Vec<_>) = groups
        .iter()
        .partition(|(target, _)| is_main(report, *target));
    html! {
        p.lead { (lead(report, &groups)) }
        @if !groups.is_empty() {
            ul.tiles {
                @for (target, group) in main.into_iter().chain(others) {
                    (target_tile(report, *target, group))
                }
            }
        }
        (read_this_first(caveats(report, &groups)))
    }
}

/// What was trained, on what.
fn lead(report: &TrainingReport, groups: &[Group<'_>]) -> String {
    let data = &report.data;
    let used = number::counted(data.used, "study", "studies");
    let patients = data.patients.map_or_else(String::new, |patients| {
        format!(" of {}", number::counted(patients, "patient", "patients"))
    });
    let positives = positives(report);
    let percentage = number::percentage(positives, data.by_grade.iter().sum());
    let results = report.results.iter();
    let folds = results.map(|result| result.metrics.folds.len()).max();
    let validated = match folds {
        Some(folds) if folds > 1 => format!(" in {folds}-fold cross-validation"),
        _ => String::new(),
    };
    format!(
        "{} for {}{validated} on {used}{patients}. {} of the studies ({percentage}) are positive: \
         of Perugini grade 2 or 3.",
        trained_networks(groups),
        number::counted(groups.len() as u64, "task", "tasks"),
        number::count(positives),
    )
}

/// Which networks were trained, as the beginning of a sentence.
fn trained_networks(groups: &[Group<'_>]) -> String {
    let mut networks: Vec<&str> = Vec::new();
    for model in groups.iter().flat_map(|(_, group)| group) {
        if !networks.contains(&model.name) {
            networks.push(model.name);
        }
    }
    match networks.as_slice() {
        [] => "No network was trained".to_owned(),
        [one] => format!("The network {one} was trained"),
        [others @ .., last] => {
            format!("The networks {} and {last} were trained", others.join(", "))
        }
    }
}

/// The number of studies of grade 2 or 3.
fn positives(report: &TrainingReport) -> u64 {
    report.data.by_grade[2] + report.data.by_grade[3]
}

/// The network that speaks for a target, and why: the model's, else that of the highest AUC.
fn representative<'a>(
    report: &TrainingReport,
    target: Target,
    group: &[EvaluatedModel<'a>],
) -> (EvaluatedModel<'a>, String) {
    let named = report.publication.model().and_then(|(architecture, of)| {
        let name = (of == target).then(|| architecture.to_string())?;
        group.iter().find(|model| model.name == name)
    });
    if let Some(model) = named {
        let what = match report.publication {
            Publication::Published(_) => "the published model",
            _ => "the model to be published",
        };
        return (*model, format!("{}, {what}", model.name));
    }
    let auc = |model: &EvaluatedModel<'_>| {
        let auc = model.metrics.auc;
        auc.map_or(f64::NEG_INFINITY, |auc| auc.value)
    };
    let mut best = group[0];
    for model in group {
        if auc(model) > auc(&best) {
            best = *model;
        }
    }
    let why = match group.len() {
        1 => best.name.to_owned(),
        several => format!("{}, the highest of {several} networks", best.name),
    };
    (best, why)
}

/// Whether a target is the one that the page is about: the model's, else positives.
fn is_main(report: &TrainingReport, target: Target) -> bool {
    let model = report.publication.model();
    model.map_or(target == Target::Positive, |(_, of)| of == target)
}

fn target_tile(report: &TrainingReport, target: Target, group: &[EvaluatedModel<'_>]) -> Markup {
    let (model, why) = representative(report, target, group);
    let auc = model.metrics.auc;
    let interval = auc.and_then(|auc| auc.interval);
    let value = html! {
        "AUC " (number::optional(auc.map(|auc| auc.value)))
        span { @if let Some(interval) = interval { " " (number::interval(interval)) } }
    };
    let details = std::iter::once(why)
        .chain(baseline::details(&model, &report.baselines))
        .chain([rates(model.metrics)]);
    let class = is_main(report, target).then_some("main");
    tile(class, question(target), value, details)
}

/// Sensitivity and specificity in words.
fn rates(m: &Metrics) -> String {
    format!(
        "For {}: sensitivity {}, specificity {}; {} of {}",
        positive_grades(m.target),
        number::estimate(m.sensitivity),
        number::estimate(m.specificity),
        number::counted(m.positives, "positive", "positives"),
        number::counted(m.studies, "study", "studies"),
    )
}

fn caveats(report: &TrainingReport, groups: &[Group<'_>]) -> Vec<String> {
    let mut caveats = vec![
        "Square brackets hold 95 % confidence intervals. All figures are out of fold: each study \
         was judged by a network that never saw it. Other hospitals, scanners or tracers were not \
         tested by that."
            .to_owned(),
    ];
    if groups.iter().any(|(_, group)| group.len() > 1) {
        caveats.push(
            "Where the highest of several networks is named, its figure is somewhat flattered by \
             the choice."
                .to_owned(),
        );
    }
    let positives = positives(report);
    if positives < FEW_POSITIVES {
        caveats.push(format!(
            "With {} the intervals of sensitivity are wide; judge by their lower ends.",
            number::counted(positives, "positive", "positives"),
        ));
    }
    caveats.extend(baseline::interpretation(&report.baselines));
    for baseline in &report.baselines {
        let of_target = groups
            .iter()
            .filter(|(target, _)| *target == baseline.target);
        caveats.extend(of_target.flat_map(|(_, group)| baseline::caveats(baseline, group)));
    }
    caveats.extend(publication_caveats(report));
    let mut models = groups.iter().flat_map(|(_, group)| group);
    if models.any(|model| !model.metrics.warnings.is_empty()) {
        caveats.push(
            "Some figures could not be computed or need care: see the notes below the result \
             tables."
                .to_owned(),
        );
    }
    caveats
}

/// Why there is no model, where one was asked for.
fn publication_caveats(report: &TrainingReport) -> Vec<String> {
    let mut caveats = Vec::new();
    let missed = report.gates.iter().filter(|gate| !gate.outcome.passed);
    let missed = missed.count() as u64;
    if missed > 0 {
        caveats.push(format!(
            "{} missed: no model of this run was published.",
            number::counted(missed, "gate was", "gates were"),
        ));
    }
    match &report.publication {
        Publication::Impossible { reason } => {
            caveats.push(format!("No model was published: {reason}."));
        }
        Publication::NothingLearned { reason } => caveats.push(format!(
            "No model was published, because nothing shows that it has learned anything: {reason}."
        )),
        _ => {}
    }
    caveats
}

//! The first screen of a training run's report: what, on what, the main result, the caveats.

use super::{Subject, baseline, by_task, detail, in_words, limits, positive, question, tile};
use crate::input::{Publication, TrainingReport};
use crate::markup::{Element, Markup, element};
use crate::number;
use attrium_evaluation::Metrics;
use attrium_types::Target;

/// The lead, a tile for each task and the caveats.
pub(crate) fn section(report: &TrainingReport, subjects: &[Subject<'_>]) -> Markup {
    let groups = by_task(subjects);
    let (main, others): (Vec<_>, Vec<_>) =
        groups.iter().partition(|(task, _)| is_main(report, *task));
    let tiles: Vec<Element> = main
        .into_iter()
        .chain(others)
        .map(|(task, group)| task_tile(report, *task, group))
        .collect();
    let mut content: Markup = element("p")
        .class("lead")
        .child(lead(report, &groups))
        .into();
    if !tiles.is_empty() {
        content.push(element("ul").class("tiles").children(tiles));
    }
    let caveats = caveats(report, subjects, &groups);
    content.push(element("h2").class("first").child("Read this first"));
    content.push(
        element("ul")
            .class("caveats")
            .children(caveats.into_iter().map(|text| element("li").child(text))),
    );
    content
}

/// What was trained, on what.
fn lead(report: &TrainingReport, groups: &[(Target, Vec<Subject<'_>>)]) -> String {
    let mut networks: Vec<&str> = Vec::new();
    for name in groups
        .iter()
        .flat_map(|(_, group)| group)
        .map(|subject| subject.name)
    {
        if !networks.contains(&name) {
            networks.push(name);
        }
    }
    let data = &report.data;
    let used = number::things(data.used, "study", "studies");
    let patients = data.patients.map_or_else(String::new, |patients| {
        format!(" of {}", number::things(patients, "patient", "patients"))
    });
    let positive = data.by_grade[2] + data.by_grade[3];
    let share = number::share(positive, data.by_grade.iter().sum());
    let folds = report
        .results
        .iter()
        .map(|result| result.metrics.folds.len())
        .max()
        .unwrap_or(0);
    let validated = if folds > 1 {
        format!(" in {folds}-fold cross-validation")
    } else {
        String::new()
    };
    let trained = match networks.as_slice() {
        [] => "No network was trained".to_owned(),
        [one] => format!("The network {one} was trained"),
        [others @ .., last] => {
            format!("The networks {} and {last} were trained", others.join(", "))
        }
    };
    format!(
        "{trained} for {}{validated} on {used}{patients}. {} of the studies ({share}) are positive: \
         of Perugini grade 2 or 3.",
        number::things(groups.len() as u64, "task", "tasks"),
        number::count(positive),
    )
}

/// The network that speaks for a task, and why: the model's, else that of the highest AUC.
fn chosen<'a>(
    report: &TrainingReport,
    task: Target,
    group: &[Subject<'a>],
) -> (Subject<'a>, String) {
    let model = report.publication.subject();
    let named = model.and_then(|(architecture, of)| {
        let name = (of == task).then(|| architecture.to_string())?;
        group.iter().find(|subject| subject.name == name)
    });
    if let Some(subject) = named {
        let what = match report.publication {
            Publication::Published(_) => "the published model",
            _ => "the model to be published",
        };
        return (*subject, format!("{}, {what}", subject.name));
    }
    let auc = |subject: &Subject<'_>| {
        subject
            .metrics
            .auc
            .map_or(f64::NEG_INFINITY, |auc| auc.value)
    };
    let mut best = group[0];
    for subject in group {
        if auc(subject) > auc(&best) {
            best = *subject;
        }
    }
    let why = match group.len() {
        1 => best.name.to_owned(),
        several => format!("{}, the highest of {several} networks", best.name),
    };
    (best, why)
}

/// Whether a task is the one that the page is about: the model's, else positives.
fn is_main(report: &TrainingReport, task: Target) -> bool {
    let model = report.publication.subject();
    model.map_or(task == Target::Positive, |(_, of)| of == task)
}

fn task_tile(report: &TrainingReport, task: Target, group: &[Subject<'_>]) -> Element {
    let (subject, why) = chosen(report, task, group);
    let m = subject.metrics;
    let interval =
        limits(m.auc).map_or_else(String::new, |limits| format!(" {}", number::range(limits)));
    let auc = m.auc.map(|auc| auc.value);
    let auc = Markup::from(format!("AUC {}", number::optional(auc)));
    let value = auc.with(element("span").child(interval));
    let mut item = tile(question(task), value, why);
    if is_main(report, task) {
        item = item.class("main");
    }
    let details = baseline::details(&subject, &report.baselines);
    item.children(details.into_iter().map(detail))
        .child(detail(rates(m)))
}

/// Sensitivity and specificity in words.
fn rates(m: &Metrics) -> String {
    format!(
        "For {}: sensitivity {}, specificity {}; {} of {}",
        positive(m.target),
        in_words(m.sensitivity),
        in_words(m.specificity),
        number::things(m.positives, "positive", "positives"),
        number::things(m.studies, "study", "studies"),
    )
}

fn caveats(
    report: &TrainingReport,
    subjects: &[Subject<'_>],
    groups: &[(Target, Vec<Subject<'_>>)],
) -> Vec<String> {
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
    let positive = report.data.by_grade[2] + report.data.by_grade[3];
    if positive < FEW {
        caveats.push(format!(
            "With {} the intervals of sensitivity are wide; judge by their lower ends.",
            number::things(positive, "positive", "positives"),
        ));
    }
    caveats.extend(baseline::reading(&report.baselines));
    for baseline in &report.baselines {
        let of_task = groups.iter().filter(|(task, _)| *task == baseline.target);
        caveats.extend(of_task.flat_map(|(_, group)| baseline::caveats(baseline, group)));
    }
    let missed = report.gates.iter().filter(|gate| !gate.outcome.passed);
    let missed = missed.count() as u64;
    if missed > 0 {
        caveats.push(format!(
            "{} missed: no model of this run was published.",
            number::things(missed, "gate was", "gates were"),
        ));
    }
    if let Publication::Impossible { reason } = &report.publication {
        caveats.push(format!("No model was published: {reason}."));
    }
    if subjects
        .iter()
        .any(|subject| !subject.metrics.warnings.is_empty())
    {
        caveats.push("Some figures could not be computed or need care: see the notes below the result tables.".to_owned());
    }
    caveats
}

/// Below so many positives, intervals of sensitivity are wider than about 0.2.
const FEW: u64 = 100;

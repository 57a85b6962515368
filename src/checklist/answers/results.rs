//! What was measured, how, and where it fails.

use super::super::Answer;
use super::super::facts::{
    ARTEFACTS, ATTRIUM, DEFINITIONS, Facts, METRICS, REPORT, Reported, SPEC,
};
use super::{data, estimate, estimate_or_undefined, groups, model, of_the_development};
use attrium_evaluation::{
    Metrics, OperatingPoint, OperatingPointKind, Reliability, threshold_text,
};
use attrium_types::Target;

/// The sensitivity whose threshold stands for the others where none was chosen before.
const SHOWN_SENSITIVITY: f64 = 0.95;

/// Which measures there are.
pub(crate) fn measures(facts: &Facts) -> Answer {
    let compared = match facts.metrics.baselines.is_empty() {
        true => "",
        false => "; and the heart-to-contralateral ratio, to compare with",
    };
    Answer::default().know(
        DEFINITIONS,
        format!(
            "AUC, sensitivity, specificity and predictive values at thresholds, calibration (slope, intercept, observed \
             over expected, curve), net benefit, kappa{compared}"
        ),
    )
}

/// How uncertainty is told.
pub(crate) fn uncertainty(_: &Facts) -> Answer {
    Answer::default().know(
        DEFINITIONS,
        "Intervals of 95 %, studies of one patient taken together: DeLong's and Newcombe's of an AUC, Wilson's of \
         shares, of a looked-for threshold that of what it truly finds",
    )
}

pub(crate) fn methods(facts: &Facts) -> Answer {
    measures(facts).and(uncertainty(facts))
}

/// How well it tells positives from others.
fn discrimination(reported: &Reported<'_>) -> Option<String> {
    let metrics = reported.metrics;
    let auc = estimate(metrics.positive.auc)?;
    let grades = (metrics.target == Target::Perugini)
        .then(|| estimate(metrics.auc))
        .flatten();
    let grades = grades.map_or_else(String::new, |auc| {
        format!("; mean over the four grades {auc}")
    });
    Some(format!("AUC of a positive {auc}{grades}"))
}

/// The threshold that was chosen before, or else that of a high sensitivity.
fn shown_point(metrics: &Metrics) -> Option<&OperatingPoint> {
    let points = &metrics.positive.operating_points;
    let of_sensitivity = |point: &&OperatingPoint| match point.kind {
        OperatingPointKind::Sensitivity { target } => target == SHOWN_SENSITIVITY,
        _ => false,
    };
    metrics
        .positive
        .chosen()
        .or(points.iter().find(of_sensitivity))
}

fn point_in_words(point: &OperatingPoint) -> String {
    let mut text = format!(
        "At the threshold {} ({}): sensitivity {}, specificity {}",
        threshold_text(point.threshold),
        point.kind,
        estimate_or_undefined(point.sensitivity),
        estimate_or_undefined(point.specificity)
    );
    if let Some(expected) = point.expected_sensitivity
        && point.kind != OperatingPointKind::Chosen
    {
        text.push_str(&format!(
            "; {expected:.3} of new positives are expected to be found"
        ));
    }
    if let Some(ppv) = estimate(point.at_stated.ppv) {
        let percent = 100.0 * point.at_stated.prevalence;
        text.push_str(&format!("; PPV at a prevalence of {percent:.1} % {ppv}"));
    }
    text
}

/// What a threshold finds.
pub(crate) fn operating_point(facts: &Facts) -> Answer {
    match facts.reported() {
        None => Answer::default().ask("What does a threshold find?"),
        Some(reported) => Answer::default().know_or(
            reported.from,
            shown_point(reported.metrics).map(point_in_words),
            "What does a threshold find? None could be looked for: metrics.json says why",
        ),
    }
}

/// All figures of the network that is reported.
pub(crate) fn performance(facts: &Facts) -> Answer {
    let Some(reported) = facts.reported() else {
        return Answer::default().ask("How well does it do? No network was evaluated");
    };
    told_apart(&reported)
        .and(operating_point(facts))
        .and(calibration(facts))
        .and(net_benefit(facts))
}

pub(crate) fn performance_of_groups(facts: &Facts) -> Answer {
    performance(facts).and(groups::groups(facts))
}

/// Estimates of accuracy alone.
pub(crate) fn accuracy(facts: &Facts) -> Answer {
    let Some(reported) = facts.reported() else {
        return Answer::default().ask("How accurate is it? No network was evaluated");
    };
    told_apart(&reported).and(operating_point(facts))
}

/// How well the network that is reported tells positives from others.
fn told_apart(reported: &Reported<'_>) -> Answer {
    Answer::default().know_or(
        reported.from,
        discrimination(reported),
        "How well does it tell positives from others? The AUC is not defined: metrics.json says why",
    )
}

/// How far probabilities can be taken at their word: of what is published, or scaled as it would be.
fn reliability<'a>(reported: &Reported<'a>) -> Option<&'a Reliability> {
    let scaled = reported
        .metrics
        .temperature_scaling
        .as_ref()
        .filter(|_| reported.from == METRICS)
        .and_then(|scaling| scaling.reliability.as_ref());
    scaled.or(reported.metrics.positive.reliability.as_ref())
}

fn calibration(facts: &Facts) -> Answer {
    let reported = facts.reported();
    let text = reported.as_ref().and_then(|reported| {
        let reliability = reliability(reported)?;
        Some(format!(
            "Calibration of the probability of a positive: slope {}, intercept {}, observed over expected {}, expected \
             calibration error {:.3}",
            estimate_or_undefined(reliability.slope),
            estimate_or_undefined(reliability.intercept),
            estimate_or_undefined(reliability.observed_over_expected),
            reliability.expected_calibration_error
        ))
    });
    let from = reported.map_or(METRICS, |reported| reported.from);
    Answer::default().know_or(
        from,
        text,
        "How far can probabilities be taken at their word?",
    )
}

fn net_benefit(facts: &Facts) -> Answer {
    let reported = facts.reported();
    let text = reported.as_ref().and_then(|reported| {
        let curve = reported.metrics.positive.decision_curve.as_ref()?;
        let ranges: Vec<_> = curve
            .worth_more()
            .into_iter()
            .map(|(low, high)| format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high))
            .collect();
        let prevalence = 100.0 * curve.prevalence;
        Some(match ranges.is_empty() {
            true => format!(
                "At a prevalence of {prevalence:.1} % its net benefit is nowhere above that of looking at every scan or \
                 at none"
            ),
            false => format!(
                "At a prevalence of {prevalence:.1} % its net benefit is above that of looking at every scan and at none \
                 for thresholds of {}",
                ranges.join(", ")
            ),
        })
    });
    let from = reported.map_or(METRICS, |reported| reported.from);
    Answer::default().know_or(from, text, "Which net benefit has it?")
}

/// Calls against truth.
pub(crate) fn cross_tabulation(facts: &Facts) -> Answer {
    let point = facts.reported().and_then(|reported| {
        let point = shown_point(reported.metrics)?;
        let text = format!(
            "At the threshold {} ({}): of the positives {} called positive and {} negative, of the others {} and {}",
            threshold_text(point.threshold),
            point.kind,
            point.true_positives,
            point.false_negatives,
            point.false_positives,
            point.true_negatives
        );
        Some((reported.from, text))
    });
    let answer = Answer::default().know_or(
        METRICS,
        confusion(facts),
        "How often was each class called what?",
    );
    match point {
        Some((from, text)) => answer.know(from, text),
        None => answer,
    }
}

fn confusion(facts: &Facts) -> Option<String> {
    let metrics = &facts.reported()?.network.metrics;
    let classes = metrics.target.classes();
    let rows = metrics.confusion.counts().iter().zip(classes);
    let rows: Vec<_> = rows
        .map(|(counts, class)| {
            let counts: Vec<_> = counts.iter().map(u64::to_string).collect();
            format!("{class}: {}", counts.join(" "))
        })
        .collect();
    Some(format!(
        "Studies of each class, called by the most probable one ({}): {}",
        classes.join(", "),
        rows.join("; ")
    ))
}

/// What it got wrong.
pub(crate) fn failures(facts: &Facts) -> Answer {
    let wrong = match facts.training() {
        Some(_) => Answer::default().know(
            REPORT,
            "Misses and false alarms are shown with grade and probability",
        ),
        None => Answer::default(),
    };
    wrong
        .and(cross_tabulation(facts))
        .ask("What do the scans that it got wrong have in common?")
}

/// What is shown of how it decides.
pub(crate) fn explainability(facts: &Facts) -> Answer {
    let shown = "Maps of where the model finds what speaks for a positive (Grad-CAM, of Heart HiResCAM); not why it \
                 decided";
    let answer = Answer::default().know(REPORT, shown);
    match facts.training() {
        Some(_) => answer.ask("Has anybody judged the maps, and how?"),
        None => answer
            .know(
                SPEC,
                "They are drawn for the studies that activationMaps names",
            )
            .ask("Has anybody judged the maps, and how?"),
    }
}

pub(crate) fn internal(facts: &Facts) -> Answer {
    match facts.training() {
        Some(_) => data::partitions(facts),
        None => of_the_development("How was it evaluated on internal data"),
    }
}

pub(crate) fn external(facts: &Facts) -> Answer {
    match facts.training() {
        Some(_) => Answer::default().ask(
            "Was it tested on other data? This run was not: a ScreeningJob with labels does, and has a checklist of its \
             own",
        ),
        None => Answer::default()
            .know(SPEC, "This run: labelled scans that the model screened at a threshold chosen before")
            .and(data::sites(facts)),
    }
}

/// What an updated model does.
pub(crate) fn after_updating(facts: &Facts) -> Answer {
    match facts.job() {
        None => model::updating(facts),
        Some(job) => {
            let answer = model::updating(facts);
            match job.prevalence {
                Some(_) => answer.and(calibration(facts)),
                None => answer,
            }
        }
    }
}

/// What limits it, as far as a run can tell.
pub(crate) fn limitations(facts: &Facts) -> Answer {
    let mut answer = Answer::default().know(
        ATTRIUM,
        "Results hold for scans like these: another tracer, collimator, delay or scanner may change them",
    );
    if facts.training().is_some() {
        answer = answer.know(
            DEFINITIONS,
            "Thresholds and temperature were fitted to the predictions that they are judged on",
        );
    }
    if let Some(reported) = facts.reported() {
        let metrics = reported.metrics;
        answer = answer.know(
            reported.from,
            format!(
                "{} of {} studies are positive: intervals are as wide as that makes them",
                metrics.positives, metrics.studies
            ),
        );
        let warnings = &reported.network.metrics.warnings;
        if !warnings.is_empty() {
            answer = answer.know(METRICS, format!("Not computed: {}", warnings.join("; ")));
        }
    }
    if facts.is_synthetic() {
        answer = answer.know(
            METRICS,
            "Images or model are of phantoms: nothing is said about patients",
        );
    }
    answer
        .ask("What else limits it: how patients were chosen, the reference standard, missing data?")
}

/// Whether what came out is kept and can be looked at.
pub(crate) fn audit(_: &Facts) -> Answer {
    Answer::default()
        .know(
            ARTEFACTS,
            "Every prediction, by pseudonym, metrics, report and manifest are kept below the run's prefix; markers have \
             the SHA-256 of each file",
        )
        .ask("Who may look at them, and for how long are they kept?")
}

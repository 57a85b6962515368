//! The networks beside a score without a network: what tiles, caveats and tables say of it.

use attrium_evaluation::{BaselineDifference, BaselineMetrics, Estimate, Interval, Metrics};
use attrium_types::Target;
use maud::{Markup, Render, html};

use super::{EvaluatedModel, caption, estimate_cell, note, title};
use crate::number;
use crate::table::Table;

/// A question on which networks and a baseline are compared.
struct Comparison {
    /// Its name among those of its target.
    name: &'static str,
    network: fn(&Metrics) -> Option<Estimate>,
    baseline: fn(&BaselineMetrics) -> Option<Estimate>,
    difference: fn(&BaselineDifference) -> Option<Estimate>,
}

/// By the AUC of the target itself.
const TARGET: Comparison = Comparison {
    name: "All four grades",
    network: |of| of.auc,
    baseline: |of| of.auc,
    difference: |of| of.auc,
};

/// By the AUC of a positive, for a target of more classes.
const POSITIVE: Comparison = Comparison {
    name: "Grade 2 or 3",
    network: |of| of.positive.auc,
    baseline: |of| of.positive_auc,
    difference: |of| of.positive_auc,
};

const fn comparisons(target: Target) -> &'static [Comparison] {
    match target {
        Target::Perugini => &[TARGET, POSITIVE],
        Target::Positive | Target::HighGrade => &[TARGET],
    }
}

/// What a difference above, below or about 0 means.
const INTERPRETATION: &str = "Above 0 the network does better; where the interval includes 0, \
                              this run does not show which of the two does.";

/// What the differences of tiles are; nothing without a baseline.
pub(super) fn interpretation(baselines: &[BaselineMetrics]) -> Option<String> {
    let name = &baselines.first()?.name;
    Some(format!(
        "Difference: the network’s AUC less that of the {name}, which needs no network. \
         {INTERPRETATION}"
    ))
}

/// What a tile says below a network's AUC.
pub(super) fn details(model: &EvaluatedModel<'_>, baselines: &[BaselineMetrics]) -> Vec<String> {
    let target = model.metrics.target;
    let baseline = baselines.iter().find(|baseline| baseline.target == target);
    let Some((baseline, differences)) = baseline.zip(model.baseline_difference) else {
        return Vec::new();
    };
    let text = |(place, comparison): (usize, &Comparison)| {
        let reached = number::estimate((comparison.baseline)(baseline));
        let difference = number::difference((comparison.difference)(differences));
        if place == 0 {
            let name = &baseline.name;
            return format!(
                "The {name}, without a network: AUC {reached}. Difference: {difference}"
            );
        }
        let name = comparison.name;
        let own = number::estimate((comparison.network)(model.metrics));
        format!("{name}: the network’s AUC {own}, the ratio’s {reached}. Difference: {difference}")
    };
    comparisons(target).iter().enumerate().map(text).collect()
}

/// Which networks do worse than a baseline, or are not shown to do better.
pub(super) fn caveats(baseline: &BaselineMetrics, models: &[EvaluatedModel<'_>]) -> Vec<String> {
    let mut caveats = Vec::new();
    for comparison in comparisons(baseline.target) {
        let networks_where = |wanted: fn(Interval) -> bool| -> Vec<&str> {
            let found = models.iter().filter(|model| {
                let difference = model.baseline_difference.and_then(comparison.difference);
                difference.and_then(|of| of.interval).is_some_and(wanted)
            });
            found.map(|model| model.name).collect()
        };
        let than = format!(
            "than the {}, which reaches an AUC of {}.",
            baseline.name,
            number::optional((comparison.baseline)(baseline).map(|auc| auc.value))
        );
        let about = match baseline.target {
            Target::Perugini => {
                format!(
                    "{}, {}",
                    title(baseline.target),
                    comparison.name.to_lowercase()
                )
            }
            target => title(target).to_owned(),
        };
        let worse = networks_where(|interval| interval.high < 0.0);
        if let Some(networks) = listed(&worse, "does", "do") {
            caveats.push(format!("{about}: {networks} worse {than}"));
        }
        let unclear = networks_where(|interval| interval.low <= 0.0 && interval.high >= 0.0);
        if let Some(networks) = listed(&unclear, "is", "are") {
            caveats.push(format!("{about}: {networks} not shown to do better {than}"));
        }
    }
    caveats
}

/// Names with their verb; `None` of no names.
fn listed(names: &[&str], one: &str, many: &str) -> Option<String> {
    match names {
        [] => None,
        [name] => Some(format!("{name} {one}")),
        [others @ .., last] => Some(format!("{} and {last} {many}", others.join(", "))),
    }
}

/// Each network beside a target's baseline; nothing without one.
pub(super) fn tables(
    target: Target,
    models: &[EvaluatedModel<'_>],
    baselines: &[BaselineMetrics],
) -> Markup {
    html! {
        @for baseline in baselines.iter().filter(|baseline| baseline.target == target) {
            (table(target, models, baseline))
        }
    }
}

fn table(target: Target, models: &[EvaluatedModel<'_>], baseline: &BaselineMetrics) -> Markup {
    let mut table = Table::new(
        caption(
            format!("Networks against the {}", baseline.name),
            format!(
                "Difference: the network’s AUC less the ratio’s, over the studies that have both. \
                 {INTERPRETATION}"
            ),
        ),
        [
            "Network",
            "Studies",
            "Network’s AUC",
            "Ratio’s AUC",
            "Difference",
        ],
    );
    let comparisons = comparisons(target);
    for comparison in comparisons {
        let compared = models
            .iter()
            .filter_map(|model| Some((model, model.baseline_difference?)));
        for (place, (model, differences)) in compared.enumerate() {
            if place == 0 && comparisons.len() > 1 {
                table.group(comparison.name);
            }
            let difference = number::difference((comparison.difference)(differences));
            let cells = [
                number::count(differences.studies).render(),
                estimate_cell((comparison.network)(model.metrics)),
                estimate_cell((comparison.baseline)(baseline)),
                html! { span.estimate { (difference) } },
            ];
            table.row(model.name, cells);
        }
    }
    if table.is_empty() {
        return html! {};
    }
    html! { (table) (note(explanation(target))) }
}

/// How the score without a network is made and compared.
fn explanation(target: Target) -> String {
    const RATIO: &str = "The heart-to-contralateral ratio is the mean count over the left ventricle, as a small \
                         network finds it, divided by that over its mirror image in the right chest.";
    match target {
        Target::Perugini => format!(
            "{RATIO} For grade 2 or 3 the ratio itself ranks the studies. For all four grades it \
             becomes a probability of each grade, by normal distributions of its logarithm in the \
             studies of the other folds: it is judged, as a network is, on studies that it was not \
             fitted to."
        ),
        Target::Positive | Target::HighGrade => format!("{RATIO} It ranks the studies as it is."),
    }
}

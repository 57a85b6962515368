//! The networks beside a score without a network: what tiles, caveats and tables say of it.

use super::{Subject, caption, estimate, in_words, limits, note, title};
use crate::markup::{Markup, element};
use crate::number;
use crate::table::{Kind, Table};
use attrium_evaluation::{BaselineDifference, BaselineMetrics, Estimate, Interval, Metrics};
use attrium_types::Target;

/// A question on which networks and a baseline are compared.
struct Question {
    /// Within its task.
    name: &'static str,
    network: fn(&Metrics) -> Option<Estimate>,
    baseline: fn(&BaselineMetrics) -> Option<Estimate>,
    difference: fn(&BaselineDifference) -> Option<Estimate>,
}

/// The AUC of a task.
const TASK: Question = Question {
    name: "All four grades",
    network: |of| of.auc,
    baseline: |of| of.auc,
    difference: |of| of.auc,
};

/// That of a positive, for a task of more classes.
const POSITIVE: Question = Question {
    name: "Grade 2 or 3",
    network: |of| of.positive.auc,
    baseline: |of| of.positive_auc,
    difference: |of| of.positive_auc,
};

const fn questions(task: Target) -> &'static [Question] {
    match task {
        Target::Perugini => &[TASK, POSITIVE],
        Target::Positive | Target::HighGrade => &[TASK],
    }
}

/// What a difference above, below or about 0 means.
const READING: &str = "Above 0 the network does better; where the interval includes 0, this run does \
                       not show which of the two does.";

/// What the differences of tiles are; nothing without a baseline.
pub(super) fn reading(baselines: &[BaselineMetrics]) -> Option<String> {
    let name = &baselines.first()?.name;
    Some(format!(
        "Difference: the network’s AUC less that of the {name}, which needs no network. {READING}"
    ))
}

/// What a tile says below a network's AUC.
pub(super) fn details(subject: &Subject<'_>, baselines: &[BaselineMetrics]) -> Vec<String> {
    let task = subject.metrics.target;
    let Some(difference) = subject.difference else {
        return Vec::new();
    };
    let baseline = baselines.iter().find(|baseline| baseline.target == task);
    let text = |baseline: &BaselineMetrics, (place, question): (usize, &Question)| {
        let reached = in_words((question.baseline)(baseline));
        let more = signed((question.difference)(difference));
        if place == 0 {
            let name = &baseline.name;
            return format!("The {name}, without a network: AUC {reached}. Difference: {more}");
        }
        let own = in_words((question.network)(subject.metrics));
        let name = question.name;
        format!("{name}: the network’s AUC {own}, the ratio’s {reached}. Difference: {more}")
    };
    let questions = questions(task).iter().enumerate();
    baseline.map_or_else(Vec::new, |baseline| {
        questions.map(|question| text(baseline, question)).collect()
    })
}

/// Which networks do worse than a baseline, or are not shown to do better.
pub(super) fn caveats(baseline: &BaselineMetrics, group: &[Subject<'_>]) -> Vec<String> {
    let mut caveats = Vec::new();
    for question in questions(baseline.target) {
        let is = |wanted: fn(Interval) -> bool| -> Vec<&str> {
            let subjects = group.iter().filter(|subject| {
                let difference = subject.difference.and_then(question.difference);
                difference.and_then(|of| of.interval).is_some_and(wanted)
            });
            subjects.map(|subject| subject.name).collect()
        };
        let than = format!(
            "than the {}, which reaches an AUC of {}.",
            baseline.name,
            number::optional((question.baseline)(baseline).map(|of| of.value))
        );
        let about = match baseline.target {
            Target::Perugini => {
                format!(
                    "{}, {}",
                    title(baseline.target),
                    question.name.to_lowercase()
                )
            }
            task => title(task).to_owned(),
        };
        let worse = is(|interval| interval.high < 0.0);
        if let Some(names) = listed(&worse, "does", "do") {
            caveats.push(format!("{about}: {names} worse {than}"));
        }
        let unclear = is(|interval| interval.low <= 0.0 && interval.high >= 0.0);
        if let Some(names) = listed(&unclear, "is", "are") {
            caveats.push(format!("{about}: {names} not shown to do better {than}"));
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

/// Each network beside a task's baseline; nothing without one.
pub(super) fn tables(task: Target, group: &[Subject<'_>], baselines: &[BaselineMetrics]) -> Markup {
    let mut content = Markup::none();
    for baseline in baselines.iter().filter(|baseline| baseline.target == task) {
        content.push(table(task, group, baseline));
    }
    content
}

fn table(task: Target, group: &[Subject<'_>], baseline: &BaselineMetrics) -> Markup {
    let mut table = Table::new(
        caption(
            format!("Networks against the {}", baseline.name),
            format!(
                "Difference: the network’s AUC less the ratio’s, over the studies that have both. {READING}"
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
    let questions = questions(task);
    for question in questions {
        let compared = group
            .iter()
            .filter_map(|subject| Some((subject, subject.difference?)));
        for (place, (subject, difference)) in compared.enumerate() {
            if place == 0 && questions.len() > 1 {
                table.group(question.name);
            }
            let more = element("span").class("estimate");
            let cells: [Markup; 4] = [
                number::count(difference.studies).into(),
                estimate((question.network)(subject.metrics)),
                estimate((question.baseline)(baseline)),
                more.child(signed((question.difference)(difference))).into(),
            ];
            table.row(Kind::Own, subject.name, cells);
        }
    }
    if table.is_empty() {
        return Markup::none();
    }
    Markup::from(table).with(made(task))
}

/// How the score without a network is compared.
fn made(task: Target) -> Markup {
    const RATIO: &str = "The count ratio is the mean count over the heart divided by that over the same \
                         place in the right chest.";
    note(match task {
        Target::Perugini => format!(
            "{RATIO} For grade 2 or 3 the ratio itself ranks the studies. For all four grades it \
             becomes a probability of each grade, by normal distributions of its logarithm in the \
             studies of the other folds: it is judged, as a network is, on studies that it was not \
             fitted to."
        ),
        Target::Positive | Target::HighGrade => format!("{RATIO} It ranks the studies as it is."),
    })
}

fn signed(difference: Option<Estimate>) -> String {
    number::difference(difference.map(|of| of.value), limits(difference))
}

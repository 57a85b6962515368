//! Learning curves: loss, accuracy and learning rate of each fold.

use super::{caption, figure, heading, note, title};
use crate::input::{Epoch, History};
use crate::markup::{Markup, element};
use crate::number;
use crate::plot::{self, Axes, Axis, Entry, Mark, Role, Shape};
use crate::table::{Kind, Table};
use attrium_types::{Architecture, Target};

/// The curves of each network and task.
pub(crate) fn section(histories: &[History]) -> Markup {
    let mut content = Markup::none();
    for ((architecture, task), folds) in by_network(histories) {
        content.push(heading(format!("{architecture}, {}", title(task))));
        content.push(legend(&folds));
        content.push(curves(architecture, task, &folds));
        content.push(ends(architecture, task, &folds));
    }
    if content.is_empty() {
        return content;
    }
    note(
        "Through lines: validation patients; dotted lines: training images. The mark of a fold \
         stands at its last epoch. The validation patients are part of a fold’s training studies \
         and never of the studies that the results are about.",
    )
    .with(content)
}

/// A network's histories, or a part of them.
type Folds<'a> = Vec<&'a History>;

fn by_network(histories: &[History]) -> Vec<((Architecture, Target), Folds<'_>)> {
    let mut groups: Vec<((Architecture, Target), Folds<'_>)> = Vec::new();
    for history in histories
        .iter()
        .filter(|history| !history.epochs.is_empty())
    {
        let key = (history.architecture, history.task);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, folds)) => folds.push(history),
            None => groups.push((key, vec![history])),
        }
    }
    groups
}

fn legend(folds: &Folds<'_>) -> Markup {
    let kinds = [(Role::Ink, "validation"), (Role::Reference, "training")];
    let lines = kinds.into_iter().map(|(role, text)| Entry {
        role,
        shape: None,
        text: text.into(),
    });
    let marks = folds.iter().enumerate().map(|(index, history)| Entry {
        role: plot::plain(index),
        shape: Some(shape(index)),
        text: format!("fold {}", history.fold).into(),
    });
    plot::legend(lines.chain(marks))
}

/// A fold's mark: folds that share a colour differ in shape.
const fn shape(index: usize) -> Shape {
    Shape::of(index + index / 6)
}

/// What is drawn of an epoch, as a function of it.
type Pick = fn(&Epoch) -> Option<f64>;

/// Three plots: loss, accuracy, learning rate.
fn curves(architecture: Architecture, task: Target, folds: &Folds<'_>) -> Markup {
    let loss = axes("loss", 0.0, upper(folds), |value| {
        number::decimals(value, 2)
    });
    let accuracy = axes("accuracy", 0.0, 1.0, |value| number::decimals(value, 1));
    let (slowest, fastest) = rates(folds);
    let rate = axes("learning rate", slowest, fastest, |power| {
        number::scientific(10_f64.powf(power))
    });
    let plots: [(&str, Axes, Pick, Pick); 3] = [
        (
            "Loss",
            loss,
            |epoch| epoch.validation_loss,
            |epoch| Some(epoch.loss),
        ),
        (
            "Accuracy",
            accuracy,
            |epoch| epoch.validation_accuracy,
            |epoch| Some(epoch.accuracy),
        ),
        (
            "Learning rate",
            rate,
            |epoch| Some(epoch.learning_rate.log10()),
            |_| None,
        ),
    ];
    let figures = plots.map(|(name, mut axes, validation, training)| {
        axes.x.to = last_epoch(folds);
        let marks = marks(folds, validation, training);
        let alternative = format!(
            "{name} of {architecture} for {} by epoch in {}. The last values are in the table below.",
            title(task),
            number::things(folds.len() as u64, "fold", "folds"),
        );
        figure(caption(name, "by epoch"), plot::draw(&axes, &marks, &alternative))
    });
    element("div").class("grid").children(figures).into()
}

fn marks(folds: &Folds<'_>, validation: Pick, training: Pick) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (index, history) in folds.iter().enumerate() {
        let line = |pick: Pick| -> Vec<(f64, f64)> {
            let points = history.epochs.iter();
            points
                .filter_map(|epoch| Some((f64::from(epoch.epoch), pick(epoch)?)))
                .collect()
        };
        let own = line(validation);
        let end = own.last().copied();
        marks.push(Mark::Line(plot::faint(index), line(training)));
        marks.push(Mark::Line(plot::plain(index), own));
        marks.extend(end.map(|end| Mark::Point(plot::plain(index), shape(index), end)));
    }
    marks
}

fn axes(title: &'static str, from: f64, to: f64, text: fn(f64) -> String) -> Axes {
    Axes {
        width: 340,
        height: 260,
        x: Axis {
            from: 1.0,
            to: 2.0,
            title: "epoch",
            ticks: 6,
            text: |epoch| {
                if epoch.fract() == 0.0 {
                    number::decimals(epoch, 0)
                } else {
                    String::new()
                }
            },
        },
        y: Axis {
            from,
            to,
            title,
            ticks: 8,
            text,
        },
    }
}

/// The largest loss, with some room; 1 where no loss is finite.
fn upper(folds: &Folds<'_>) -> f64 {
    let losses = folds
        .iter()
        .flat_map(|history| &history.epochs)
        .flat_map(|epoch| {
            [Some(epoch.loss), epoch.validation_loss]
                .into_iter()
                .flatten()
        });
    let largest = losses.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
    if largest > 0.0 { largest * 1.05 } else { 1.0 }
}

/// The powers of ten that hold every learning rate.
fn rates(folds: &Folds<'_>) -> (f64, f64) {
    let powers = folds
        .iter()
        .flat_map(|history| &history.epochs)
        .map(|epoch| epoch.learning_rate.log10())
        .filter(|power| power.is_finite());
    let (low, high) = powers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), power| {
        (low.min(power), high.max(power))
    });
    if low <= high {
        (low.floor().min(high.ceil() - 1.0), high.ceil() + 0.1)
    } else {
        (-7.0, -3.0)
    }
}

fn last_epoch(folds: &Folds<'_>) -> f64 {
    let epochs = folds.iter().flat_map(|history| &history.epochs);
    f64::from(epochs.map(|epoch| epoch.epoch).max().unwrap_or(1).max(2))
}

/// The last epoch of each fold in numbers.
fn ends(architecture: Architecture, task: Target, folds: &Folds<'_>) -> Markup {
    let mut table = Table::new(
        caption(
            "Last epoch of each fold",
            format!("{architecture}, {}", title(task)),
        ),
        [
            "Fold",
            "Epochs",
            "Loss",
            "Validation loss",
            "Least validation loss",
            "Accuracy",
            "Validation accuracy",
            "Learning rate",
        ],
    );
    for history in folds {
        let Some(last) = history.epochs.last() else {
            continue;
        };
        table.row(
            Kind::Own,
            history.fold.to_string(),
            [
                last.epoch.to_string(),
                loss(Some(last.loss)),
                loss(last.validation_loss),
                best(history),
                number::fraction(last.accuracy),
                number::optional(last.validation_accuracy),
                number::scientific(last.learning_rate),
            ],
        );
    }
    let summary = format!("{architecture}, {}: last epochs as a table", title(task));
    element("details")
        .child(element("summary").child(summary))
        .child(table)
        .into()
}

fn loss(value: Option<f64>) -> String {
    value.map_or_else(
        || number::UNDEFINED.to_owned(),
        |value| number::decimals(value, 3),
    )
}

/// The least validation loss and its epoch.
fn best(history: &History) -> String {
    let losses = history
        .epochs
        .iter()
        .filter_map(|epoch| Some((epoch.validation_loss?, epoch.epoch)));
    losses.min_by(|a, b| a.0.total_cmp(&b.0)).map_or_else(
        || number::UNDEFINED.to_owned(),
        |(least, epoch)| format!("{} (epoch {epoch})", loss(Some(least))),
    )
}

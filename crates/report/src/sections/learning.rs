//! Learning curves: loss, accuracy and learning rate of each fold.

use attrium_types::{Architecture, Target};
use maud::{Markup, html};

use super::{caption, figure, folded, note, title};
use crate::input::{Epoch, History};
use crate::number;
use crate::plot::{self, Axes, Axis, LegendEntry, Mark, Marker, Paint};
use crate::table::Table;

/// The curves of each network and target.
pub(crate) fn section(histories: &[History]) -> Markup {
    let networks = by_network(histories);
    if networks.is_empty() {
        return html! {};
    }
    html! {
        (note(
            "Solid lines: validation patients; dotted lines: training images. The marker of a fold \
             stands at its last epoch. The validation patients are part of a fold’s training \
             studies and never of the studies that the results are about."
        ))
        @for network in &networks {
            h3 { (network.name()) }
            (network.legend())
            (network.curves())
            (folded(format!("{}: last epochs as a table", network.name()), network.last_epochs()))
        }
    }
}

/// The histories of a network that was trained for a target, one for each fold.
struct Network<'a> {
    architecture: Architecture,
    target: Target,
    folds: Vec<&'a History>,
}

fn by_network(histories: &[History]) -> Vec<Network<'_>> {
    let mut networks: Vec<Network<'_>> = Vec::new();
    for history in histories {
        if history.epochs.is_empty() {
            continue;
        }
        let (architecture, target) = (history.architecture, history.target);
        let known = networks
            .iter_mut()
            .find(|known| (known.architecture, known.target) == (architecture, target));
        match known {
            Some(network) => network.folds.push(history),
            None => networks.push(Network {
                architecture,
                target,
                folds: vec![history],
            }),
        }
    }
    networks
}

/// What is drawn of an epoch.
type Quantity = fn(&Epoch) -> Option<f64>;

impl Network<'_> {
    fn name(&self) -> String {
        format!("{}, {}", self.architecture, title(self.target))
    }

    fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.folds.iter().flat_map(|history| &history.epochs)
    }

    fn legend(&self) -> Markup {
        let kinds = [(Paint::Ink, "validation"), (Paint::Reference, "training")];
        let lines = kinds.into_iter().map(|(paint, label)| LegendEntry {
            paint,
            marker: None,
            label: label.to_owned(),
        });
        let markers = self.folds.iter().enumerate();
        let markers = markers.map(|(index, history)| LegendEntry {
            paint: Paint::solid(index),
            marker: Some(marker(index)),
            label: format!("fold {}", history.fold),
        });
        plot::legend(lines.chain(markers))
    }

    /// Three plots: loss, accuracy, learning rate.
    fn curves(&self) -> Markup {
        html! {
            div.grid {
                (self.curve(
                    "Loss",
                    self.loss_axis(),
                    |epoch| epoch.validation_loss,
                    |epoch| Some(epoch.loss),
                ))
                (self.curve(
                    "Accuracy",
                    Axis { ticks: 8, ..Axis::fraction("accuracy") },
                    |epoch| epoch.validation_accuracy,
                    |epoch| Some(epoch.accuracy),
                ))
                (self.curve(
                    "Learning rate",
                    self.learning_rate_axis(),
                    |epoch| Some(epoch.learning_rate.log10()),
                    |_| None,
                ))
            }
        }
    }

    fn curve(&self, name: &str, y: Axis, validation: Quantity, training: Quantity) -> Markup {
        let axes = Axes {
            width: 340,
            height: 260,
            x: self.epoch_axis(),
            y,
        };
        let alternative = format!(
            "{name} of {} for {} by epoch in {}. The last values are in the table below.",
            self.architecture,
            title(self.target),
            number::counted(self.folds.len() as u64, "fold", "folds"),
        );
        let marks = self.marks(validation, training);
        figure(
            caption(name, "by epoch"),
            plot::draw(&axes, &marks, &alternative),
        )
    }

    fn marks(&self, validation: Quantity, training: Quantity) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (index, history) in self.folds.iter().enumerate() {
            let line = |quantity: Quantity| -> Vec<(f64, f64)> {
                let points = history.epochs.iter();
                points
                    .filter_map(|epoch| Some((f64::from(epoch.epoch), quantity(epoch)?)))
                    .collect()
            };
            let own = line(validation);
            let end = own.last().copied();
            marks.push(Mark::Line(Paint::dotted(index), line(training)));
            marks.push(Mark::Line(Paint::solid(index), own));
            marks.extend(end.map(|end| Mark::Point(Paint::solid(index), marker(index), end)));
        }
        marks
    }

    fn epoch_axis(&self) -> Axis {
        let last = self.epochs().map(|epoch| epoch.epoch).max();
        Axis {
            from: 1.0,
            to: f64::from(last.unwrap_or(1).max(2)),
            title: "epoch",
            ticks: 6,
            tick_label: |epoch| {
                if epoch.fract() == 0.0 {
                    number::decimals(epoch, 0)
                } else {
                    String::new()
                }
            },
        }
    }

    /// Up to the largest loss, with some room; up to 1 where no loss is finite.
    fn loss_axis(&self) -> Axis {
        let losses = self
            .epochs()
            .flat_map(|epoch| std::iter::once(epoch.loss).chain(epoch.validation_loss));
        let largest = losses.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
        Axis {
            from: 0.0,
            to: if largest > 0.0 { largest * 1.05 } else { 1.0 },
            title: "loss",
            ticks: 8,
            tick_label: |value| number::decimals(value, 2),
        }
    }

    /// The powers of ten that hold every learning rate.
    fn learning_rate_axis(&self) -> Axis {
        let powers = self
            .epochs()
            .map(|epoch| epoch.learning_rate.log10())
            .filter(|power| power.is_finite());
        let (low, high) = powers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), power| {
            (low.min(power), high.max(power))
        });
        let (from, to) = if low <= high {
            (low.floor().min(high.ceil() - 1.0), high.ceil() + 0.1)
        } else {
            (-7.0, -3.0)
        };
        Axis {
            from,
            to,
            title: "learning rate",
            ticks: 8,
            tick_label: |power| number::scientific(10_f64.powf(power)),
        }
    }

    /// The last epoch of each fold in numbers.
    fn last_epochs(&self) -> Table {
        let mut table = Table::new(
            caption("Last epoch of each fold", self.name()),
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
        for history in &self.folds {
            let Some(last) = history.epochs.last() else {
                continue;
            };
            table.row(
                history.fold,
                [
                    last.epoch.to_string(),
                    number::decimals(last.loss, 3),
                    number::optional_decimals(last.validation_loss, 3),
                    least_validation_loss(history),
                    number::fraction(last.accuracy),
                    number::optional(last.validation_accuracy),
                    number::scientific(last.learning_rate),
                ],
            );
        }
        table
    }
}

/// A fold's marker: folds that share a colour differ in shape.
const fn marker(index: usize) -> Marker {
    Marker::of(index + index / 6)
}

/// The least validation loss and its epoch.
fn least_validation_loss(history: &History) -> String {
    let losses = history
        .epochs
        .iter()
        .filter_map(|epoch| Some((epoch.validation_loss?, epoch.epoch)));
    losses.min_by(|a, b| a.0.total_cmp(&b.0)).map_or_else(
        || number::UNDEFINED.to_owned(),
        |(least, epoch)| format!("{} (epoch {epoch})", number::decimals(least, 3)),
    )
}

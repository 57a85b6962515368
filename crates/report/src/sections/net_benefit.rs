//! Decision curves: whether screening with a network is worth more than looking at every scan, or at none.

use attrium_evaluation::{DecisionCurve, DecisionPoint, Estimate, Interval};
use attrium_types::Target;
use maud::{Markup, Render, html};

use super::operating_points::Published;
use super::{
    EvaluatedModel, by_target, caption, figure, folded, grid, note, positive_grades, title,
};
use crate::number;
use crate::plot::{self, Axes, Axis, LegendEntry, Mark, Paint};
use crate::table::Table;

/// Net benefit is shown per so many scans.
const SCANS: f64 = 1000.0;

/// How far below 0 a plot goes, as a part of its height above 0.
const BELOW: f64 = 0.25;

/// The thresholds of the table, in percent.
const TABLE: [f64; 6] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0];

/// A model's name and its curve.
type Named<'a> = (String, &'a DecisionCurve);

/// The curves of every target.
pub(crate) fn section(models: &[EvaluatedModel<'_>], published: Option<Published<'_>>) -> Markup {
    let groups: Vec<(Target, Vec<Named<'_>>)> = by_target(models)
        .into_iter()
        .map(|(target, group)| {
            let published = published.filter(|((_, of), _)| *of == target);
            (target, curves(&group, published))
        })
        .filter(|(_, curves)| !curves.is_empty())
        .collect();
    if groups.is_empty() {
        return html! {};
    }
    html! {
        (note(
            "Whoever looks at a scan from a threshold probability of 5\u{a0}% on holds a positive found \
             worth 19 scans looked at in vain. At such a rate the net benefit is the positives found \
             less the false alarms. A network is of use where its curve lies above both that of \
             looking at every scan and that of looking at none. Probabilities are taken as they are: \
             those of a network that was trained with class weights, or on more positives than the \
             prevalence, are too high here. A curve that lies below says so, and not that the network \
             ranks badly: at the thresholds of the section above it does better. Whether a network is worth \
             more beyond chance, the intervals of the tables tell."
        ))
        (grid(groups.iter().map(|(target, curves)| plot(*target, curves))))
        (folded("Net benefit as tables", html! {
            @for (target, curves) in &groups { (table(*target, curves)) }
        }))
    }
}

/// The curves of a target's networks, and that of the published model on its own scale.
fn curves<'a>(models: &[EvaluatedModel<'a>], published: Option<Published<'a>>) -> Vec<Named<'a>> {
    let models = models.iter();
    let networks = models.filter_map(|model| {
        let curve = model.metrics.positive.decision_curve.as_ref()?;
        Some((model.name.to_owned(), curve))
    });
    let published = published.and_then(|((architecture, _), scaled)| {
        let name = format!("{architecture} as published");
        Some((name, scaled.decision_curve.as_ref()?))
    });
    networks.chain(published).collect()
}

/// The curves of a target, with a sentence for each network.
fn plot(target: Target, curves: &[Named<'_>]) -> Markup {
    let prevalence = curves.first().map_or(0.0, |(_, curve)| curve.prevalence);
    let top = SCANS * prevalence;
    let mut marks = vec![Mark::Line(Paint::Muted, vec![ends(0.0), ends(1.0)])];
    let mut entries = vec![entry(Paint::Muted, "looking at none")];
    if let Some((_, curve)) = curves.first() {
        let every = curve.points.iter();
        let every = every.map(|point| place(point, point.treat_all)).collect();
        marks.extend(above(every, -BELOW * top, Paint::Reference));
        entries.push(entry(Paint::Reference, "looking at every scan"));
    }
    for (index, (name, curve)) in curves.iter().enumerate() {
        let points = curve.points.iter();
        let points = points.filter_map(|point| Some(place(point, point.net_benefit?.value)));
        marks.extend(above(points.collect(), -BELOW * top, Paint::dashed(index)));
        entries.push(entry(Paint::dashed(index), name));
    }
    let words: Vec<String> = curves
        .iter()
        .map(|(name, curve)| sentence(name, curve))
        .collect();
    let alternative = format!(
        "Decision curves for {}. {} The values are in the table below.",
        positive_grades(target),
        words.join(" ")
    );
    let percent = number::decimals(100.0 * prevalence, 1);
    let about = format!("At a prevalence of {percent}\u{a0}%");
    figure(
        caption(title(target), about),
        html! {
            (plot::draw(&axes(top), &marks, &alternative))
            (plot::legend(entries))
            @for sentence in words { (note(sentence)) }
        },
    )
}

fn entry(paint: Paint, label: &str) -> LegendEntry {
    LegendEntry {
        paint,
        marker: None,
        label: label.to_owned(),
    }
}

/// Where a network is of use, in words.
fn sentence(name: &str, curve: &DecisionCurve) -> String {
    let runs = curve.worth_more();
    let run = |(from, to): &(f64, f64)| match from < to {
        true => format!("from {} to {}", percent(*from), percent(*to)),
        false => format!("of {}", percent(*from)),
    };
    let runs: Vec<String> = runs.iter().map(run).collect();
    if runs.is_empty() {
        return format!(
            "{name} is worth more than looking at every scan or at none at no threshold probability shown."
        );
    }
    format!(
        "{name} is worth more than looking at every scan or at none at threshold probabilities {}.",
        runs.join(" and ")
    )
}

/// A threshold and a net benefit as a place of the plot.
fn place(point: &DecisionPoint, net_benefit: f64) -> (f64, f64) {
    ((100.0 * point.threshold).log10(), SCANS * net_benefit)
}

/// The left or the right end of the line of looking at none.
fn ends(right: f64) -> (f64, f64) {
    let (from, to) = range();
    (from + right * (to - from), 0.0)
}

/// The thresholds of the plot: the logarithms of 0.5 and of 50 percent.
fn range() -> (f64, f64) {
    (0.5_f64.log10(), 50.0_f64.log10())
}

/// The parts of a line that are not below a floor.
fn above(points: Vec<(f64, f64)>, floor: f64, paint: Paint) -> Vec<Mark> {
    let mut lines = vec![Vec::new()];
    for pair in points.windows(2) {
        let [(x, y), (next_x, next_y)] = [pair[0], pair[1]];
        let crossing = || (x + (next_x - x) * (floor - y) / (next_y - y), floor);
        let (from, to) = match (y >= floor, next_y >= floor) {
            (true, true) => (pair[0], pair[1]),
            (true, false) => (pair[0], crossing()),
            (false, true) => (crossing(), pair[1]),
            (false, false) => continue,
        };
        match lines.last_mut() {
            Some(line) if line.last().is_none_or(|last| *last == from) => {
                if line.is_empty() {
                    line.push(from);
                }
                line.push(to);
            }
            _ => lines.push(vec![from, to]),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
        .into_iter()
        .map(|line| Mark::Line(paint, line))
        .collect()
}

fn axes(top: f64) -> Axes {
    let (from, to) = range();
    Axes {
        width: 400,
        height: 330,
        x: Axis {
            from,
            to,
            title: "threshold probability",
            ticks: 5,
            tick_label: |power| {
                let percent = 10.0_f64.powf(power);
                let digits = usize::from(percent < 9.95 && percent.fract() > 0.05);
                format!("{}\u{a0}%", number::decimals(percent, digits))
            },
        },
        y: Axis {
            from: -BELOW * top,
            to: top * 1.05,
            title: "net benefit per 1,000 scans",
            ticks: 6,
            tick_label: |value| number::decimals(value, 0),
        },
    }
}

fn table(target: Target, curves: &[Named<'_>]) -> Table {
    let about = "Per 1,000 scans: positives found, less false alarms at the rate of the second column. Intervals are \
                 conservative.";
    let headers = [
        "Threshold probability",
        "Scans in vain for one positive",
        "Every scan",
    ];
    let names = curves.iter().map(|(name, _)| name.as_str());
    let mut table = Table::new(
        caption(format!("Net benefit: {}", title(target)), about),
        headers.into_iter().chain(names),
    )
    .class("stacked");
    for threshold in TABLE {
        let of = |curve: &DecisionCurve| {
            let mut points = curve.points.iter();
            points
                .find(|point| (100.0 * point.threshold - threshold).abs() < 1e-9)
                .copied()
        };
        let Some(every) = curves.first().and_then(|(_, curve)| of(curve)) else {
            continue;
        };
        let vain = number::decimals((100.0 - threshold) / threshold, 0);
        let cells = [vain.render(), per_scans(every.treat_all).render()].into_iter();
        let networks = curves
            .iter()
            .map(|(_, curve)| of(curve).and_then(|point| point.net_benefit));
        table.row(
            percent(threshold / 100.0),
            cells.chain(networks.map(estimate_cell)),
        );
    }
    table
}

fn estimate_cell(net_benefit: Option<Estimate>) -> Markup {
    let value = net_benefit.map(|of| per_scans(of.value));
    let interval = net_benefit.and_then(|of| of.interval);
    html! {
        span.estimate {
            (value.unwrap_or_else(|| number::UNDEFINED.to_owned()))
            @if let Some(Interval { low, high }) = interval {
                " " span { "[" (per_scans(low)) ", " (per_scans(high)) "]" }
            }
        }
    }
}

fn per_scans(net_benefit: f64) -> String {
    number::decimals(SCANS * net_benefit, 1)
}

/// A share in percent, to three digits at most.
fn percent(share: f64) -> String {
    let text = number::decimals(100.0 * share, 2);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        let marks = above(points.to_vec(), -1.0, Paint::Ink).into_iter();
        marks
            .map(|mark| match mark {
                Mark::Line(_, points) => points,
                _ => panic!("only lines are drawn"),
            })
            .collect()
    }

    #[test]
    fn a_line_ends_where_it_leaves_the_plot_and_begins_where_it_comes_back() {
        let points = [(0.0, 1.0), (1.0, 0.0), (2.0, -2.0), (3.0, -3.0), (4.0, 1.0)];
        let expected = [
            vec![(0.0, 1.0), (1.0, 0.0), (1.5, -1.0)],
            vec![(3.5, -1.0), (4.0, 1.0)],
        ];
        assert_eq!(lines(&points), expected);
        assert!(lines(&[(0.0, -2.0), (1.0, -3.0)]).is_empty());
    }

    #[test]
    fn a_percentage_has_no_digits_that_say_nothing() {
        let texts = [0.005, 0.0315, 0.2].map(percent);
        assert_eq!(texts, ["0.5\u{a0}%", "3.15\u{a0}%", "20\u{a0}%"]);
    }
}

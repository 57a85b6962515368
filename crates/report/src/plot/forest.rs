//! A forest plot's line: a value and its interval from 0 to 1, for a table's cell.

use attrium_evaluation::Estimate;
use maud::{Markup, html};

/// Draws an estimate; nothing without one. The numbers in the cell beside it say the same.
pub(crate) fn forest(estimate: Option<Estimate>) -> Markup {
    let Some(estimate) = estimate else {
        return Markup::default();
    };
    let place = |fraction: f64| format!("{:.0}", 20.0 + 560.0 * fraction.clamp(0.0, 1.0));
    html! {
        svg.forest viewBox="0 0 600 80" aria-hidden="true" {
            path d={ "M" (place(0.0)) " 40H" (place(1.0)) } stroke="var(--line)" stroke-width="4" {}
            path d={ "M" (place(0.5)) " 12V68" } stroke="var(--line)" stroke-width="4" {}
            @if let Some(interval) = estimate.interval {
                path d={ "M" (place(interval.low)) " 40H" (place(interval.high)) }
                    stroke="var(--accent)" stroke-width="8" {}
            }
            circle cx=(place(estimate.value)) cy="40" r="15" fill="var(--accent)" {}
        }
    }
}

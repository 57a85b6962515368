//! Legends as lists beside the plots, so that they wrap and can be read out.

use maud::{Markup, html};

use super::{Marker, Paint};

/// One entry of a legend: a sample of a line or of a marker, and a label.
pub(crate) struct LegendEntry {
    pub paint: Paint,
    /// A line is shown where there is no marker.
    pub marker: Option<Marker>,
    pub label: String,
}

/// A legend of these entries.
pub(crate) fn legend(entries: impl IntoIterator<Item = LegendEntry>) -> Markup {
    html! {
        ul.legend {
            @for LegendEntry { paint, marker, label } in entries {
                li {
                    @match marker {
                        Some(marker) => { (marker_sample(paint, marker)) }
                        None => { (line_sample(paint)) }
                    }
                    (label)
                }
            }
        }
    }
}

fn line_sample(paint: Paint) -> Markup {
    html! {
        svg.swatch viewBox="0 0 128 80" aria-hidden="true" {
            path d="M0 40H128" stroke=(paint.colour()) stroke-width="8"
                stroke-dasharray=[paint.dashes()] {}
        }
    }
}

fn marker_sample(paint: Paint, marker: Marker) -> Markup {
    let colour = paint.colour();
    html! {
        svg.swatch.point viewBox="32 8 64 64" aria-hidden="true" {
            @match marker {
                Marker::Circle => { circle cx="64" cy="40" r="20" fill=(colour) {} }
                Marker::Ring => {
                    circle cx="64" cy="40" r="20" fill="none" stroke=(colour) stroke-width="8" {}
                }
                Marker::Cross => {
                    path d="M44 20l40 40m0-40l-40 40" stroke=(colour) stroke-width="10" {}
                }
                Marker::Square => { path d="M44 20h40v40h-40z" fill=(colour) {} }
                Marker::Triangle => { path d="M64 18l24 44h-48z" fill=(colour) {} }
                Marker::Diamond => { path d="M64 14l26 26-26 26-26-26z" fill=(colour) {} }
            }
        }
    }
}

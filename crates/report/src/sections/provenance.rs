//! Where results come from: manifest, seed, versions, digests, machine, times.

use maud::{Markup, Render, html};

use crate::input::{Fact, Provenance};
use crate::number;
use crate::table::{Table, facts, scrolling};

/// Everything that is needed to repeat the run.
pub(crate) fn section(provenance: &Provenance) -> Markup {
    let seed = provenance.seed.map(|seed| ("Seed", seed.to_string()));
    let finished = provenance.finished.clone().map(|time| ("Finished", time));
    let first: Vec<_> = seed.into_iter().chain(finished).collect();
    html! {
        @if !first.is_empty() { (facts(first)) }
        (fact_list("Versions", &provenance.versions))
        (fact_list("Machine", &provenance.machine))
        (digests(&provenance.digests))
        (times(provenance))
        @if !provenance.manifest.is_empty() {
            h3 { "Manifest" }
            (scrolling(html! { pre { code { (provenance.manifest) } } }))
        }
    }
}

/// Facts under a heading; nothing without any.
pub(super) fn fact_list(heading: &str, values: &[Fact]) -> Markup {
    html! {
        @if !values.is_empty() {
            h3 { (heading) }
            (facts(values.iter().map(|fact| (&fact.name, &fact.value))))
        }
    }
}

fn digests(values: &[Fact]) -> Markup {
    html! {
        @if !values.is_empty() {
            h3 { "Digests (SHA-256)" }
            (facts(values.iter().map(|fact| (&fact.name, html! { code { (fact.value) } }))))
        }
    }
}

fn times(provenance: &Provenance) -> Markup {
    if provenance.stages.is_empty() {
        return html! {};
    }
    let mut table = Table::new(
        "Time of each stage, all of its tasks together",
        ["Stage", "Tasks", "Time"],
    );
    for stage in &provenance.stages {
        let cells = [number::count(stage.tasks), number::duration(stage.seconds)];
        table.row(&stage.stage, cells);
    }
    table.render()
}

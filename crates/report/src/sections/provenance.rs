//! Where results come from: manifest, seed, versions, digests, machine, times.

use super::heading;
use crate::input::{Fact, Provenance};
use crate::markup::{Markup, element};
use crate::number;
use crate::table::{Kind, Table, facts, scrolling};

/// Everything that is needed to repeat the run.
pub(crate) fn section(provenance: &Provenance) -> Markup {
    let mut content = Markup::none();
    let mut first: Vec<(&str, String)> = Vec::new();
    first.extend(provenance.seed.map(|seed| ("Seed", seed.to_string())));
    first.extend(provenance.finished.clone().map(|time| ("Finished", time)));
    if !first.is_empty() {
        content.push(facts(first));
    }
    content.push(list("Versions", &provenance.versions, false));
    content.push(list("Machine", &provenance.machine, false));
    content.push(list("Digests (SHA-256)", &provenance.digests, true));
    content.push(times(provenance));
    if !provenance.manifest.is_empty() {
        content.push(heading("Manifest"));
        content.push(scrolling(
            element("pre").child(element("code").child(&provenance.manifest)),
        ));
    }
    content
}

/// Facts under a heading; nothing without any.
pub(super) fn list(title: &'static str, values: &[Fact], code: bool) -> Markup {
    if values.is_empty() {
        return Markup::none();
    }
    heading(title).with(facts(values.iter().map(|fact| {
        let value = Markup::from(&fact.value);
        let value = if code {
            element("code").child(value).into()
        } else {
            value
        };
        (&fact.name, value)
    })))
}

fn times(provenance: &Provenance) -> Markup {
    if provenance.stages.is_empty() {
        return Markup::none();
    }
    let mut table = Table::new(
        "Time of each stage, all of its tasks together",
        ["Stage", "Tasks", "Time"],
    );
    for stage in &provenance.stages {
        let cells = [number::count(stage.tasks), number::duration(stage.seconds)];
        table.row(Kind::Own, &stage.stage, cells);
    }
    table.into()
}

//! What the report of a screening says of its model.

use super::screener::Screener;
use super::task_io::ScreeningIo;
use attrium_bundle::SiteRecalibration;
use attrium_dataset::CohortDigests;
use attrium_report::{Fact, ModelFacts};
use attrium_types::CohortKnowledge;

/// The model of a screening.
pub(super) fn of_screening(io: &ScreeningIo<'_>, screener: &Screener) -> ModelFacts {
    let manifest = &screener.model.manifest;
    ModelFacts {
        architecture: manifest.architecture,
        target: manifest.target,
        initial_weights: manifest.initial_weights.clone(),
        synthetic: manifest.synthetic,
        uri: io.context.model.map_or("", |model| model.uri).to_owned(),
        digest: screener.model.digest.clone(),
        facts: facts(screener),
    }
}

/// The prevalence that probabilities are stated for, in words.
fn stated_for(screener: &Screener) -> String {
    match screener.model.prevalence() {
        Some(prevalence) => format!("a prevalence of {:.1} %", 100.0 * prevalence),
        None => "no prevalence: the bundle is from before it had one".to_owned(),
    }
}

/// Whether the model tells what it was trained on.
fn knowledge(screener: &Screener) -> &'static str {
    let cohort = screener.model.cohort.as_ref();
    match cohort.map(CohortDigests::knowledge).unwrap_or_default() {
        CohortKnowledge::Known => "by digests in its bundle",
        CohortKnowledge::PartlyKnown => {
            "by digests in its bundle, but not all: a model that it started from keeps none, or it was recalibrated on \
             scans of which none is kept"
        }
        CohortKnowledge::Unknown => {
            "no: its bundle keeps no digests, so that overlap with a screening is not known"
        }
    }
}

/// What a recalibrated model was recalibrated on, and from which.
fn recalibrated(recalibration: &SiteRecalibration) -> String {
    let doubt = if recalibration.proven {
        ""
    } else {
        "; nothing proves that their predictions were its own"
    };
    format!(
        "on {} scans of a site, {} of them positive, from {}{doubt}",
        recalibration.studies, recalibration.positives, recalibration.parent
    )
}

fn facts(screener: &Screener) -> Vec<Fact> {
    let manifest = &screener.model.manifest;
    let provenance = &manifest.training;
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let mut facts = vec![
        fact("trained by run", provenance.run.clone()),
        fact("trained on", format!("{} studies", provenance.studies)),
        fact(
            "knows scans of its training",
            knowledge(screener).to_owned(),
        ),
        fact("members", manifest.members.len().to_string()),
        fact(
            "temperature",
            format!("{:.3}, by which logits are divided", manifest.temperature),
        ),
        fact("probabilities are stated for", stated_for(screener)),
        fact("intended use", manifest.intended_use.clone()),
        fact(
            "signed by the key",
            signed_by(screener).unwrap_or_else(|| "none that is trusted".to_owned()),
        ),
    ];
    let auc_is_of = match &manifest.recalibration {
        Some(recalibration) => {
            facts.push(fact("recalibrated", recalibrated(recalibration)));
            "AUC on the scans that it was recalibrated on"
        }
        None => "out-of-fold AUC",
    };
    if let Some(auc) = manifest.metrics.auc {
        facts.push(fact(auc_is_of, format!("{:.3}", auc.value)));
    }
    facts
}

/// The id of the key that has signed the model.
pub(super) fn signed_by(screener: &Screener) -> Option<String> {
    let approval = screener.model.approval.as_ref();
    approval.map(|approval| approval.key.to_string())
}

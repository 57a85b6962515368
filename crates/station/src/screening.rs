//! From files to findings: what the objects of a batch are, and what the model makes of them.
//!
//! An object that makes a library panic costs itself: it is kept, and cannot be decided on.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::study::{DecidedImage, Finding};
use attrium_dataset::Preference;
use attrium_evidence::Source;
use attrium_spool as spool;
use attrium_spool::{ObjectFile, Pseudonymizer, Spool};
use attrium_tasks::{Candidate, Rejection, Screened, Screener, ScreeningDecision};

/// What an object says that it is, as keyed digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Of its Study Instance UID.
    pub study: String,
    /// Of its SOP Instance UID.
    pub instance: String,
}

/// An object that was looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    /// Its file.
    pub file: ObjectFile,
    /// What it is; none where it does not say.
    pub keys: Option<Keys>,
    /// What came of it.
    pub finding: Finding,
}

/// Looks at objects together, in their order.
///
/// # Errors
/// A disk that fails: nothing is known of any of them then.
pub(crate) fn look(
    spool: &Spool,
    screener: &Screener,
    files: &[ObjectFile],
) -> Result<Vec<Looked>, spool::Error> {
    let read = |file: &ObjectFile| read(spool, screener, file);
    let read: Vec<_> = files.par_iter().map(read).collect::<Result<_, _>>()?;
    let (keys, candidates): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let findings = decide(screener, candidates);
    let looked = files.iter().zip(keys).zip(findings);
    let looked = looked.map(|((file, keys), finding)| Looked {
        file: *file,
        keys,
        finding,
    });
    Ok(looked.collect())
}

fn read(
    spool: &Spool,
    screener: &Screener,
    file: &ObjectFile,
) -> Result<(Option<Keys>, Candidate), spool::Error> {
    let bytes = match spool.read(file) {
        Ok(bytes) => bytes,
        Err(error @ spool::Error::NotFound) => {
            return Ok((None, Err(Rejection::unreadable(&error))));
        }
        Err(error) => return Err(error),
    };
    let keys = catch_unwind(AssertUnwindSafe(|| keys(spool.pseudonymizer(), &bytes)));
    let scan = || screener.read(Ok::<_, Infallible>(bytes));
    let candidate = catch_unwind(AssertUnwindSafe(scan));
    Ok((
        keys.unwrap_or_default(),
        candidate.unwrap_or_else(|_| broken()),
    ))
}

/// What an object says that it is, under the station's key.
pub(crate) fn keys(key: &Pseudonymizer, bytes: &[u8]) -> Option<Keys> {
    let source = Source::read(bytes).ok()?;
    Some(Keys {
        study: key.keyed("study", source.study_instance_uid().as_bytes()),
        instance: key.keyed("instance", source.sop_instance_uid().as_bytes()),
    })
}

fn broken<T>() -> Result<T, Rejection> {
    Err(Rejection::Unusable {
        reason: "broken",
        sentence: "the object makes the program that reads it break off: keep it, and report it without patient data"
            .to_owned(),
    })
}

/// Decides on candidates; where that fails for all, they wait.
fn decide(screener: &Screener, candidates: Vec<Candidate>) -> Vec<Finding> {
    let count = candidates.len();
    let decide = AssertUnwindSafe(|| screener.decide(candidates));
    match catch_unwind(decide) {
        Ok(Ok(screened)) => screened.iter().map(finding).collect(),
        Ok(Err(error)) => {
            let causes = attrium_types::text::causes(&error);
            tracing::error!("Scans wait, since the model cannot be run: {causes}");
            vec![Finding::Waiting; count]
        }
        Err(_) => vec![Finding::Waiting; count],
    }
}

fn finding(screened: &Screened) -> Finding {
    match screened {
        Screened::Decided(decision) => Finding::Decided(image(decision)),
        Screened::Rejected(Rejection::OtherView) => Finding::OtherView,
        Screened::Rejected(Rejection::Unusable { reason, sentence }) => Finding::Unusable {
            reason: (*reason).to_owned(),
            sentence: sentence.clone(),
        },
    }
}

fn image(decision: &ScreeningDecision) -> DecidedImage {
    let scan = &decision.scan;
    DecidedImage {
        positive: decision.positive,
        probability: decision.positive_probability,
        synthetic: scan.synthetic,
        // All objects of a study share the clock of its scanners, and no other study is compared with it.
        preference: Preference {
            acquired: scan.provenance.acquired,
            ..scan.preference
        },
    }
}

/// The decision on one object, with all that is drawn of it; none where it has none any more.
pub(crate) fn decision(screener: &Screener, bytes: &[u8]) -> Option<ScreeningDecision> {
    let candidate = screener.read(Ok::<_, Infallible>(bytes.to_vec()));
    match screener.decide(vec![candidate]).ok()?.pop()? {
        Screened::Decided(decision) => Some(*decision),
        Screened::Rejected(_) => None,
    }
}

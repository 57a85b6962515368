//! Whether an image is what a decision may be made on: a late image of a bone tracer.
//!
//! An object that says otherwise is set aside with its reason; one that says nothing is used, with a warning,
//! since many exporters leave out what was given and when.

use snafu::ensure;

use super::error::{EarlyPhaseSnafu, Error, OtherTracerSnafu, TracerNotAcceptedSnafu};
use super::warning::Warning;
use super::{AnteriorImage, StatedPhase, StatedTracer};
use attrium_types::Tracer;

/// Judges an image by the tracer and the delay that its object states, and adds what a reader should know.
///
/// # Errors
/// [`Error::OtherTracer`], [`Error::TracerNotAccepted`] for a bone tracer that is not among `accepted`, and
/// [`Error::EarlyPhase`].
pub fn judge(mut image: AnteriorImage, accepted: &[Tracer]) -> Result<AnteriorImage, Error> {
    image.warnings.extend(judge_tracer(image.tracer, accepted)?);
    image.warnings.extend(judge_phase(image.phase)?);
    Ok(image)
}

fn judge_tracer(stated: StatedTracer, accepted: &[Tracer]) -> Result<Option<Warning>, Error> {
    match stated {
        StatedTracer::Other => OtherTracerSnafu.fail(),
        StatedTracer::Bone(tracer) => {
            ensure!(
                accepted.contains(&tracer),
                TracerNotAcceptedSnafu { tracer }
            );
            Ok((tracer == Tracer::Mdp).then_some(Warning::InsensitiveTracer))
        }
        StatedTracer::Unknown => Ok(Some(Warning::UnknownTracer)),
        StatedTracer::NotStated => Ok(Some(Warning::TracerNotStated)),
    }
}

fn judge_phase(stated: StatedPhase) -> Result<Option<Warning>, Error> {
    match stated {
        StatedPhase::Early => EarlyPhaseSnafu.fail(),
        StatedPhase::Late { minutes } if stated.is_unusual() => {
            Ok(Some(Warning::UnusualDelay { minutes }))
        }
        StatedPhase::Late { .. } => Ok(None),
        StatedPhase::Unclear => Ok(Some(Warning::DelayUnclear)),
        StatedPhase::NotStated => Ok(Some(Warning::DelayNotStated)),
    }
}

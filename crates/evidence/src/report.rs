//! The structured report: a Comprehensive 3D SR (PS3.3, A.35.13) by the Measurement Report template (PS3.16, TID 1500)
//! with one group of a planar region (TID 1410).
//!
//! Never verified and never final: a person is to confirm it. The finding of a negative decision is another code than
//! that of a positive one, since viewers label the region with it.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use snafu::ensure;

use super::codes::{self, Code};
use super::content::{self, Relation};
use super::decision::{Amended, Decision, Reference};
use super::element::DataSet;
use super::error::{Error, RegionSnafu};
use super::identity::{Identity, ResultKind, device_uid, tracking_uid};
use super::modules::{Composed, MANUFACTURER, Origin, referenced};
use super::outline;
use super::source::Source;
use super::words;

use Relation::{Contains, HasConceptModifier, HasObservationContext};

/// Says in a structured report what was decided on a scan, where on it and by what.
///
/// # Errors
/// [`Error::Number`], [`Error::Contradiction`], [`Error::Frame`] and [`Error::Region`] where the decision is none on
/// this source; [`Error::TooLong`] where an attribute of the source cannot be written.
pub fn structured_report(
    source: &Source,
    decision: &Decision,
    identity: &Identity,
) -> Result<Composed, Error> {
    decision.check_on(source)?;
    let origin = Origin {
        source,
        decision,
        identity,
    };
    let set = origin
        .modules(ResultKind::Report)
        .and(document(&origin))
        .and(tree(&origin)?);
    origin.composed(ResultKind::Report, &set)
}

/// SR Document Series and SR Document General (C.17.1 and C.17.2).
fn document(origin: &Origin<'_>) -> DataSet {
    let Source {
        series_instance_uid,
        sop_class_uid,
        sop_instance_uid,
        ..
    } = origin.source;
    let study = &origin.source.study_instance_uid;
    let evidence = in_study(study, series_instance_uid, sop_class_uid, sop_instance_uid);
    let set = DataSet::new()
        .items(
            tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
            Vec::new(),
        )
        .items(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, Vec::new())
        .text(tags::COMPLETION_FLAG, VR::CS, "COMPLETE")
        .text(tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED")
        .text(tags::PRELIMINARY_FLAG, VR::CS, "PRELIMINARY")
        .items(
            tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
            vec![evidence],
        )
        .items(
            tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE,
            vec![private_scheme()],
        );
    let Some(predecessor) = &origin.decision.predecessor else {
        return set;
    };
    let Reference {
        sop_class_uid,
        series_instance_uid,
        sop_instance_uid,
    } = &predecessor.reference;
    let predecessor = in_study(study, series_instance_uid, sop_class_uid, sop_instance_uid);
    set.items(tags::PREDECESSOR_DOCUMENTS_SEQUENCE, vec![predecessor])
}

/// Whose codes those of no public scheme are (PS3.3, C.12.1.1.1).
fn private_scheme() -> DataSet {
    DataSet::new()
        .text(
            tags::CODING_SCHEME_DESIGNATOR,
            VR::SH,
            codes::PRIVATE_SCHEME,
        )
        .text(tags::CODING_SCHEME_NAME, VR::ST, MANUFACTURER)
        .text(
            tags::CODING_SCHEME_RESPONSIBLE_ORGANIZATION,
            VR::ST,
            MANUFACTURER,
        )
}

/// An object within its series and study (Hierarchical SOP Instance Reference Macro, table C.17-3).
fn in_study(study: &str, series: &str, class: &str, instance: &str) -> DataSet {
    let series = DataSet::new()
        .text(tags::SERIES_INSTANCE_UID, VR::UI, series)
        .items(
            tags::REFERENCED_SOP_SEQUENCE,
            vec![referenced(class, instance)],
        );
    DataSet::new()
        .text(tags::STUDY_INSTANCE_UID, VR::UI, study)
        .items(tags::REFERENCED_SERIES_SEQUENCE, vec![series])
}

/// SR Document Content (C.17.3): the root of TID 1500.
fn tree(origin: &Origin<'_>) -> Result<DataSet, Error> {
    let mut content = vec![content::code(
        HasConceptModifier,
        codes::LANGUAGE,
        codes::ENGLISH,
    )];
    content.extend(observer(origin.identity));
    content.extend([
        content::code(
            HasConceptModifier,
            codes::PROCEDURE_REPORTED,
            codes::BONE_SCAN,
        ),
        content::container(codes::MEASUREMENTS, None, vec![group(origin)?]),
        content::container(codes::EVALUATIONS, None, comments(origin.decision)),
    ]);
    Ok(DataSet::new()
        .text(tags::VALUE_TYPE, VR::CS, "CONTAINER")
        .items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![codes::REPORT.item()])
        .text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE")
        .items(
            tags::CONTENT_TEMPLATE_SEQUENCE,
            vec![content::of_template("1500")],
        )
        .items(tags::CONTENT_SEQUENCE, content))
}

/// Observer Context of a device (TID 1002 and 1004).
fn observer(identity: &Identity) -> Vec<DataSet> {
    let station = &identity.station;
    let text = |name: Code, value: &str| content::text(HasObservationContext, name, value);
    vec![
        content::code(HasObservationContext, codes::OBSERVER_TYPE, codes::DEVICE),
        content::uid(
            HasObservationContext,
            codes::DEVICE_UID,
            &device_uid(station),
        ),
        text(codes::DEVICE_NAME, station),
        text(codes::DEVICE_MANUFACTURER, MANUFACTURER),
        text(codes::DEVICE_MODEL, MANUFACTURER),
        text(codes::DEVICE_SERIAL_NUMBER, station),
    ]
}

/// Planar ROI Measurements (TID 1410): what was found in the heart's region.
fn group(origin: &Origin<'_>) -> Result<DataSet, Error> {
    let Origin {
        source,
        decision,
        identity,
    } = *origin;
    let tracking = tracking_uid(&identity.station, &source.study_instance_uid);
    let (finding, answer) = match decision.positive {
        true => (codes::SUSPECTED, codes::YES),
        false => (codes::NOT_SUSPECTED, codes::NO),
    };
    let points = region(source, decision)?;
    let mut content = vec![
        content::text(HasObservationContext, codes::TRACKING_IDENTIFIER, "Heart"),
        content::uid(HasObservationContext, codes::TRACKING_UID, &tracking),
        content::code(Contains, codes::FINDING, finding),
        content::region(codes::IMAGE_REGION, &points, origin.source_image()),
        content::code(HasConceptModifier, codes::FINDING_SITE, codes::HEART),
    ];
    content.extend(measurements(decision, identity));
    content.push(content::code(Contains, codes::SUSPICION, answer));
    Ok(content::container(codes::GROUP, Some("1410"), content))
}

/// The heart on the source's frame where it is known, and else the crop.
fn region(source: &Source, decision: &Decision) -> Result<Vec<[f64; 2]>, Error> {
    let points = match decision.heart {
        Some(heart) => {
            let polygon = outline::of_ellipse(&heart.ellipse);
            outline::within(&polygon, source.rows.into(), source.columns.into())
        }
        None => decision.crop.corners().to_vec(),
    };
    ensure!(points.len() > 2, RegionSnafu);
    Ok(points)
}

/// Measurements (TID 1419), each with the algorithm that it is of (TID 4019).
fn measurements(decision: &Decision, identity: &Identity) -> Vec<DataSet> {
    let probability = decision.positive_probability;
    let certainty = if decision.positive {
        probability
    } else {
        1.0 - probability
    };
    let threshold = words::percent(decision.threshold);
    let model = [
        (codes::ALGORITHM_NAME, decision.model.name.as_str()),
        (codes::ALGORITHM_VERSION, &words::version(&decision.model)),
        (
            codes::ALGORITHM_PARAMETERS,
            &format!("threshold {threshold} %"),
        ),
    ];
    let percent = |name: Code, share: f64| {
        content::number(
            name,
            &words::percent(share),
            codes::PERCENT,
            modifiers(&model),
        )
    };
    let mut numbers = vec![
        percent(codes::CERTAINTY, certainty),
        percent(codes::PROBABILITY, probability),
        percent(codes::THRESHOLD, decision.threshold),
    ];
    if let Some(ratio) = decision
        .heart
        .and_then(|heart| heart.heart_to_contralateral)
    {
        let measure = [
            (
                codes::ALGORITHM_NAME,
                "attrium heart to contralateral ratio",
            ),
            (codes::ALGORITHM_VERSION, identity.software_version.as_str()),
        ];
        let ratio = words::decimal(ratio);
        numbers.push(content::number(
            codes::CONTRALATERAL_RATIO,
            &ratio,
            codes::RATIO,
            modifiers(&measure),
        ));
    }
    numbers
}

fn modifiers(texts: &[(Code, &str)]) -> Vec<DataSet> {
    let item = |(name, value): &(Code, &str)| content::text(HasConceptModifier, *name, value);
    texts.iter().map(item).collect()
}

/// What a reader is to know, a sentence each; the first says that this is no diagnosis.
fn comments(decision: &Decision) -> Vec<DataSet> {
    let mut sentences = vec![words::NOTICE.to_owned()];
    sentences.extend(decision.synthetic.sentence().map(str::to_owned));
    if let Some(predecessor) = &decision.predecessor {
        sentences.push(replaces(predecessor.amended).to_owned());
    }
    let doubts = decision.doubts.iter();
    sentences.extend(doubts.map(|doubt| format!("Uncertain: {doubt}")));
    let warnings = decision.warnings.iter();
    sentences.extend(warnings.map(|warning| format!("Image: {warning}")));
    let comment = |sentence: &String| content::text(Contains, codes::COMMENT, sentence);
    sentences.iter().map(comment).collect()
}

const fn replaces(amended: Option<Amended>) -> &'static str {
    match amended {
        Some(Amended::Positive) => {
            "AMENDED: takes the place of an earlier report, which was POSITIVE."
        }
        Some(Amended::Negative) => {
            "AMENDED: takes the place of an earlier report, which was NEGATIVE."
        }
        None => "Takes the place of an earlier report with the same decision.",
    }
}

//! The results of a decision: a structured report and an image, as bytes.

use snafu::{OptionExt, ResultExt, Snafu};

use crate::screening;
use attrium_evidence as evidence;
use attrium_evidence::{
    Amended, Composed, Decision, HeartMeasure, Identity, ModelName, Moment, Pictures, Predecessor,
    Rectangle, Reference, Source, Synthetic,
};
use attrium_imaging::{CROP_SIZE, Ellipse, Heart, HeartRegions, Placement};
use attrium_tasks::{Screener, ScreeningDecision};

/// Why there are no results.
#[derive(Debug, Snafu)]
pub(crate) enum ComposeError {
    /// The image is not what it was when it was decided on.
    #[snafu(display("the image that decides cannot be decided on any more"))]
    NotDecided,
    /// The object cannot be referred to, or the result not be written.
    #[snafu(display("the result cannot be written"))]
    Evidence {
        /// The reason.
        source: evidence::Error,
    },
}

/// What results are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<'a> {
    /// The bytes of the object that decides.
    pub object: &'a [u8],
    /// The digests of all objects of the study that were decided on.
    pub digests: &'a [String],
    /// How many images differ of which nothing tells which stands for the study.
    pub candidates: usize,
    /// The station's name.
    pub station: &'a str,
    /// Counted from 1.
    pub revision: u32,
    /// The report of the revision before, and whether that was positive.
    pub previous: Option<(&'a [u8], bool)>,
    /// Now.
    pub composed_at: Moment,
}

/// Both results of a decision.
#[derive(Debug)]
pub(crate) struct Results {
    pub report: Composed,
    pub image: Composed,
}

/// Makes the results of a decision.
///
/// # Errors
/// [`ComposeError`].
pub(crate) fn compose(screener: &Screener, inputs: &Inputs<'_>) -> Result<Results, ComposeError> {
    let source = Source::read(inputs.object).context(EvidenceSnafu)?;
    let screened = screening::decision(screener, inputs.object).context(NotDecidedSnafu)?;
    let mut decision = described(screener, &screened);
    decision.revision = inputs.revision;
    decision.predecessor = predecessor(inputs, decision.positive);
    if inputs.candidates > 1 {
        decision.doubts.push(format!(
            "{} images of the study differ and nothing tells which of them stands for it",
            inputs.candidates
        ));
    }
    let identity = Identity {
        station: inputs.station.to_owned(),
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        composed_at: inputs.composed_at,
        inputs: inputs.digests.to_vec(),
    };
    let report = evidence::structured_report(&source, &decision, &identity);
    let heat = heat(screener, &screened);
    let image = evidence::secondary_capture(
        &source,
        &decision,
        &identity,
        &pictures(&screened, heat.as_deref()),
    );
    Ok(Results {
        report: report.context(EvidenceSnafu)?,
        image: image.context(EvidenceSnafu)?,
    })
}

/// The picture of a decision, as PNG.
///
/// # Errors
/// [`ComposeError`].
pub(crate) fn picture(screener: &Screener, object: &[u8]) -> Result<Vec<u8>, ComposeError> {
    let screened = screening::decision(screener, object).context(NotDecidedSnafu)?;
    let decision = described(screener, &screened);
    let heat = heat(screener, &screened);
    let pictures = pictures(&screened, heat.as_deref());
    evidence::picture_png(&decision, &pictures).context(EvidenceSnafu)
}

fn described(screener: &Screener, screened: &ScreeningDecision) -> Decision {
    let scan = &screened.scan;
    let placement = &scan.placement;
    let manifest = &screener.model.manifest;
    let doubts = screened.uncertainty.doubts().iter();
    Decision {
        positive: screened.positive,
        positive_probability: screened.positive_probability,
        threshold: screener.threshold,
        doubts: doubts.map(|doubt| doubt.sentence().to_owned()).collect(),
        warnings: scan.warnings.iter().map(ToString::to_string).collect(),
        frame: u32::try_from(placement.frame + 1).ok(),
        crop: rectangle(placement, scan),
        heart: scan.heart.map(|heart| measure(placement, &heart)),
        model: ModelName {
            name: format!("{} {}", manifest.architecture, manifest.target),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: screener.model.digest.clone(),
        },
        synthetic: Synthetic {
            scan: scan.synthetic,
            model: manifest.synthetic,
        },
        revision: 1,
        predecessor: None,
    }
}

/// The crop on the frame, whichever way up that is.
fn rectangle(placement: &Placement, scan: &attrium_tasks::Scan) -> Rectangle {
    let crop = &scan.rectangle;
    // From the outer corner of one pixel to that of the opposite one.
    let corner =
        |row: usize, column: usize| placement.on_frame([row as f64 - 0.5, column as f64 - 0.5]);
    let [one, other] = [
        corner(crop.top, crop.left),
        corner(crop.top + crop.height, crop.left + crop.width),
    ];
    // What is scaled may leave the frame by less than a rounding.
    let sides = [0, 1].map(|axis| {
        let start = f64::min(one[axis], other[axis]).max(0.0);
        let end = f64::max(one[axis], other[axis]);
        let most = placement.frame_size[axis] as f64 - start;
        (start, (end - start).min(most))
    });
    let [(top, height), (left, width)] = sides;
    Rectangle {
        top,
        left,
        height,
        width,
    }
}

fn measure(placement: &Placement, heart: &Heart) -> HeartMeasure {
    let ellipse = heart.regions.heart;
    let [row, column] = placement.on_frame([ellipse.row, ellipse.column]);
    let scale =
        |axis: usize| placement.frame_size[axis] as f64 / placement.image_size[axis].max(1) as f64;
    HeartMeasure {
        ellipse: Ellipse {
            row: row - 0.5,
            column: column - 0.5,
            height: ellipse.height * scale(0),
            width: ellipse.width * scale(1),
        },
        heart_to_contralateral: heart.ratios.contralateral,
    }
}

/// Where the model looked, on the pixels of the crop, from 0 to 1; none of a model that cannot say.
fn heat(screener: &Screener, screened: &ScreeningDecision) -> Option<Vec<f32>> {
    let map = screener.model.grad_cam(&screened.scan.counts).ok()??;
    let map = map.scaled_to(1.0);
    let pixels = (0..CROP_SIZE * CROP_SIZE).map(|pixel| {
        let row = pixel / CROP_SIZE * map.height / CROP_SIZE;
        let column = pixel % CROP_SIZE * map.width / CROP_SIZE;
        map.values[row * map.width + column].clamp(0.0, 1.0)
    });
    Some(pixels.collect())
}

fn pictures<'a>(screened: &'a ScreeningDecision, heat: Option<&'a [f32]>) -> Pictures<'a> {
    let scan = &screened.scan;
    let regions: Option<HeartRegions> = scan.heart.map(|heart| heart.regions.on(&scan.rectangle));
    Pictures {
        counts: &scan.counts,
        heat,
        regions,
    }
}

/// The report before this one, as the spool has it.
fn predecessor(inputs: &Inputs<'_>, positive: bool) -> Option<Predecessor> {
    let (bytes, was_positive) = inputs.previous?;
    let report = Source::read(bytes).ok()?;
    let amended = match (was_positive, positive) {
        (true, false) => Some(Amended::Positive),
        (false, true) => Some(Amended::Negative),
        _ => None,
    };
    Some(Predecessor {
        reference: Reference {
            sop_class_uid: report.sop_class_uid().to_owned(),
            series_instance_uid: report.series_instance_uid().to_owned(),
            sop_instance_uid: report.sop_instance_uid().to_owned(),
        },
        amended,
    })
}

/// The whole scan with crop and heart outlined, as PNG; none where it cannot be read any more.
pub(crate) fn whole_body(screener: &Screener, object: &[u8]) -> Option<Vec<u8>> {
    let screened = screening::decision(screener, object)?;
    let scan = &screened.scan;
    let image = attrium_imaging::read_anterior(object, attrium_types::LossyPolicy::Accept).ok()?;
    let regions = scan.heart.map(|heart| heart.regions);
    attrium_imaging::draw(&image.counts, Some(&scan.rectangle), regions.as_ref()).ok()
}

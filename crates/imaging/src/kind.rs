//! What kind of object this is, and whether the paper's preprocessing fits it.

use snafu::ensure;

use super::Acquisition;
use super::dicom::{self, DataSet};
use super::error::{
    Error, ModalitySnafu, NotCountsSnafu, NotPlanarSnafu, NotSquareSnafu, SopClassSnafu,
};
use super::pixels::PixelLayout;

/// Modalities that an archive may hold (PS3.3, C.7.3.1.1.1), so that a message may name them.
const MODALITIES: &[&str] = &[
    "CT", "MR", "PT", "CR", "DX", "US", "XA", "RF", "MG", "OT", "SC", "SR", "PR", "KO", "DOC",
    "SEG", "REG", "RTSTRUCT", "RTDOSE", "RTPLAN", "RTIMAGE", "ECG", "ES", "IO", "PX", "XC", "GM",
    "SM", "OP", "OPT", "BMD", "IVUS",
];

/// Makes sure that the object holds counts of a gamma camera.
///
/// # Errors
/// [`Error::Modality`], [`Error::SopClass`], [`Error::NotCounts`], or an attribute that cannot be
/// used.
pub(crate) fn check(set: &DataSet<'_>) -> Result<(), Error> {
    let modality = dicom::modality(set)?;
    if modality != "NM" {
        let known = MODALITIES.iter().find(|known| **known == modality);
        return ModalitySnafu {
            modality: known.copied().unwrap_or("another"),
        }
        .fail();
    }
    match dicom::sop_class(set)?.as_str() {
        // NM Image Storage and its retired form (PS3.4, B.5 and PS3.6, Table A-1).
        "1.2.840.10008.5.1.4.1.1.20" | "1.2.840.10008.5.1.4.1.1.5" => Ok(()),
        // Secondary Capture and its multi-frame greyscale forms.
        "1.2.840.10008.5.1.4.1.1.7"
        | "1.2.840.10008.5.1.4.1.1.7.2"
        | "1.2.840.10008.5.1.4.1.1.7.3" => {
            ensure!(dicom::has_nm_attributes(set), NotCountsSnafu);
            Ok(())
        }
        _ => SopClassSnafu.fail(),
    }
}

/// A whole-body scan or a static one of the thorax, by the third value of Image Type (PS3.3,
/// C.8.4.9.1.1); where that is missing, by the image's shape, in millimetres where they are stated.
///
/// # Errors
/// [`Error::NotPlanar`] and [`Error::NotSquare`].
pub(crate) fn acquisition(
    set: &DataSet<'_>,
    layout: &PixelLayout,
    spacing: Option<[f64; 2]>,
) -> Result<Acquisition, Error> {
    let image_type = dicom::image_type(set)?;
    let [height, width] = spacing.unwrap_or([1.0, 1.0]);
    let is_long = layout.rows as f64 * height >= 2.0 * layout.columns as f64 * width;
    let acquisition = match image_type.get(2).map_or("", String::as_str) {
        "WHOLE BODY" => Acquisition::WholeBody,
        // Some exporters call every planar image static; no field of view is twice as long as wide.
        "STATIC" | "" if is_long => Acquisition::WholeBody,
        "STATIC" | "" => Acquisition::Static,
        _ => return NotPlanarSnafu.fail(),
    };
    let (rows, columns) = (layout.rows, layout.columns);
    let is_square = rows == columns;
    ensure!(
        is_square || acquisition == Acquisition::WholeBody,
        NotSquareSnafu { rows, columns }
    );
    Ok(acquisition)
}

//! What is kept of an object beside its pixels, and how.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// How an attribute is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A class of the standard's.
    Class,
    /// A UID, which becomes another.
    Uid,
    /// A date, which is shifted.
    Date,
    /// A date, which is shifted, and a time of day, which is not.
    DateTime,
    /// A time of day.
    Time,
    /// An age, none above 90 years.
    Age,
    /// Decimal or integer strings.
    Number,
    /// A binary number of 16 bits.
    Word,
    /// A binary number for each frame, which counts something.
    Vector,
    /// Tags of attributes that are kept.
    Pointer,
    /// Words of the standard's.
    Term,
    /// A text, of which known words stay.
    Words,
    /// A code's value.
    CodeValue,
    /// The public scheme of a code.
    Scheme,
    /// Items, of which is kept what is kept of an object.
    Items,
    /// The items of a code sequence.
    Codes,
}

/// How an attribute is kept, if it is, in an object or in any item of it.
pub(super) fn rule(tag: Tag) -> Option<Rule> {
    let groups = KEPT.iter();
    let mut groups = groups.filter(|(_, kept)| kept.contains(&tag));
    groups.next().map(|(rule, _)| *rule)
}

const KEPT: &[(Rule, &[Tag])] = &[
    (Rule::Class, &[tags::SOP_CLASS_UID]),
    (
        Rule::Uid,
        &[
            tags::SOP_INSTANCE_UID,
            tags::STUDY_INSTANCE_UID,
            tags::SERIES_INSTANCE_UID,
            tags::FRAME_OF_REFERENCE_UID,
        ],
    ),
    (
        Rule::Date,
        &[
            tags::STUDY_DATE,
            tags::SERIES_DATE,
            tags::ACQUISITION_DATE,
            tags::CONTENT_DATE,
        ],
    ),
    (
        Rule::DateTime,
        &[
            tags::ACQUISITION_DATE_TIME,
            tags::RADIOPHARMACEUTICAL_START_DATE_TIME,
            tags::RADIOPHARMACEUTICAL_STOP_DATE_TIME,
        ],
    ),
    (
        Rule::Time,
        &[
            tags::ACQUISITION_TIME,
            tags::RADIOPHARMACEUTICAL_START_TIME,
            tags::RADIOPHARMACEUTICAL_STOP_TIME,
        ],
    ),
    (Rule::Age, &[tags::PATIENT_AGE]),
    (Rule::Number, NUMBERS),
    (Rule::Word, WORDS),
    (
        Rule::Vector,
        &[
            tags::ENERGY_WINDOW_VECTOR,
            tags::DETECTOR_VECTOR,
            tags::PHASE_VECTOR,
            tags::ROTATION_VECTOR,
            tags::TIME_SLICE_VECTOR,
            tags::ANGULAR_VIEW_VECTOR,
            tags::SLICE_VECTOR,
        ],
    ),
    (Rule::Pointer, &[tags::FRAME_INCREMENT_POINTER]),
    (Rule::Term, TERMS),
    (
        Rule::Words,
        &[
            tags::MANUFACTURER,
            tags::MANUFACTURER_MODEL_NAME,
            tags::STUDY_DESCRIPTION,
            tags::SERIES_DESCRIPTION,
            tags::PROTOCOL_NAME,
            tags::IMAGE_ID,
            tags::ENERGY_WINDOW_NAME,
            tags::RADIOPHARMACEUTICAL,
            tags::RADIOPHARMACEUTICAL_ROUTE,
            tags::CODE_MEANING,
        ],
    ),
    (Rule::CodeValue, &[tags::CODE_VALUE]),
    (Rule::Scheme, &[tags::CODING_SCHEME_DESIGNATOR]),
    (
        Rule::Items,
        &[
            tags::ENERGY_WINDOW_INFORMATION_SEQUENCE,
            tags::ENERGY_WINDOW_RANGE_SEQUENCE,
            tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
            tags::DETECTOR_INFORMATION_SEQUENCE,
        ],
    ),
    (
        Rule::Codes,
        &[
            tags::RADIONUCLIDE_CODE_SEQUENCE,
            tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE,
            tags::ADMINISTRATION_ROUTE_CODE_SEQUENCE,
            tags::VIEW_CODE_SEQUENCE,
            tags::VIEW_MODIFIER_CODE_SEQUENCE,
            tags::PATIENT_ORIENTATION_CODE_SEQUENCE,
            tags::PATIENT_ORIENTATION_MODIFIER_CODE_SEQUENCE,
            tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE,
        ],
    ),
];

/// Of the patient, the camera and the acquisition, the tracer, and the frames (PS3.3, C.8.4).
const NUMBERS: &[Tag] = &[
    tags::PATIENT_SIZE,
    tags::PATIENT_WEIGHT,
    tags::SERIES_NUMBER,
    tags::INSTANCE_NUMBER,
    tags::COUNTS_ACCUMULATED,
    tags::ACTUAL_FRAME_DURATION,
    tags::COUNT_RATE,
    tags::TABLE_HEIGHT,
    tags::TABLE_TRAVERSE,
    tags::SCAN_VELOCITY,
    tags::SCAN_LENGTH,
    tags::FOCAL_DISTANCE,
    tags::FIELD_OF_VIEW_DIMENSIONS,
    tags::ZOOM_CENTER,
    tags::ZOOM_FACTOR,
    tags::START_ANGLE,
    tags::CENTER_OF_ROTATION_OFFSET,
    tags::RADIAL_POSITION,
    tags::GANTRY_DETECTOR_TILT,
    tags::ENERGY_WINDOW_LOWER_LIMIT,
    tags::ENERGY_WINDOW_UPPER_LIMIT,
    tags::RADIOPHARMACEUTICAL_VOLUME,
    tags::RADIONUCLIDE_TOTAL_DOSE,
    tags::RADIONUCLIDE_HALF_LIFE,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::IMAGE_POSITION_PATIENT,
    tags::SLICE_THICKNESS,
    tags::NUMBER_OF_FRAMES,
    tags::PIXEL_SPACING,
    tags::PIXEL_ASPECT_RATIO,
    tags::RESCALE_SLOPE,
    tags::RESCALE_INTERCEPT,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::LOSSY_IMAGE_COMPRESSION_RATIO,
];

const WORDS: &[Tag] = &[
    tags::SAMPLES_PER_PIXEL,
    tags::ROWS,
    tags::COLUMNS,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::HIGH_BIT,
    tags::PIXEL_REPRESENTATION,
    tags::SMALLEST_IMAGE_PIXEL_VALUE,
    tags::LARGEST_IMAGE_PIXEL_VALUE,
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_PADDING_RANGE_LIMIT,
    tags::NUMBER_OF_ENERGY_WINDOWS,
    tags::NUMBER_OF_DETECTORS,
    tags::NUMBER_OF_PHASES,
    tags::NUMBER_OF_ROTATIONS,
    tags::NUMBER_OF_TIME_SLICES,
    tags::NUMBER_OF_SLICES,
];

const TERMS: &[Tag] = &[
    tags::IMAGE_TYPE,
    tags::MODALITY,
    tags::CONVERSION_TYPE,
    tags::PATIENT_SEX,
    tags::BODY_PART_EXAMINED,
    tags::PATIENT_POSITION,
    tags::PATIENT_ORIENTATION,
    tags::LATERALITY,
    tags::ACQUISITION_TERMINATION_CONDITION,
    tags::WHOLE_BODY_TECHNIQUE,
    tags::COLLIMATOR_TYPE,
    tags::FIELD_OF_VIEW_SHAPE,
    tags::CORRECTED_IMAGE,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::QUALITY_CONTROL_IMAGE,
    tags::BURNED_IN_ANNOTATION,
    tags::LOSSY_IMAGE_COMPRESSION,
    tags::LOSSY_IMAGE_COMPRESSION_METHOD,
];

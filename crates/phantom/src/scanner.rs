//! The six scanner types of the paper and how each of them writes its scans.
//!
//! Pixel sizes and fields of view are typical of whole-body scans with a 256 x 1024 matrix;
//! the numbers of patients are the paper's ("Data").

/// A scanner type.
#[derive(Debug, PartialEq)]
pub struct Scanner {
    /// Vendor and model, as in labels.csv.
    pub name: &'static str,
    /// DICOM Manufacturer (0008,0070).
    pub manufacturer: &'static str,
    /// DICOM Manufacturer's Model Name (0008,1090).
    pub model: &'static str,
    /// Patients of the paper.
    pub patients: u32,
    /// Side of a pixel of a whole-body scan in mm.
    pub pixel_mm: f64,
    /// Width of the detectors' field of view in mm.
    pub field_mm: f64,
    /// Median number of counts in a whole-body anterior view, in millions.
    pub million_counts: f64,
    /// Full width at half maximum of a point at the body's surface, in mm.
    pub sharpest_mm: f64,
    /// Columns (and rows) of a static image's matrix.
    pub static_matrix: usize,
    /// How its objects are laid out.
    pub layout: ObjectLayout,
    /// How its objects name the view.
    pub naming: ViewNaming,
    /// Its private elements.
    pub private: PrivateGroup,
    /// Whether it writes counts as signed numbers.
    pub signed: bool,
    /// Whether it writes Implicit VR Little Endian instead of Explicit VR Little Endian.
    pub implicit: bool,
}

/// How the two views of a scan are spread over objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectLayout {
    /// One object whose first frame is the anterior view.
    AnteriorFirst,
    /// One object whose first frame is the posterior view.
    PosteriorFirst,
    /// Two objects of one frame.
    TwoObjects,
}

impl ObjectLayout {
    /// Objects of a study.
    pub fn objects(self) -> usize {
        match self {
            Self::AnteriorFirst | Self::PosteriorFirst => 1,
            Self::TwoObjects => 2,
        }
    }
}

/// How an object says which view a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewNaming {
    /// View Code Sequence (0054,0220) with SNOMED CT codes.
    SnomedCt,
    /// View Code Sequence (0054,0220) with the older SRT codes.
    Srt,
    /// Only Image ID (0054,0400) and Series Description.
    ImageId,
    /// Only a private element.
    Private,
}

/// The private elements that a scanner adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateGroup {
    /// ADAC: group 0019.
    Adac,
    /// Philips: group 7053.
    Philips,
    /// Siemens MED NM: groups 0009, 0033.
    Siemens,
    /// GEMS_GENIE_1: groups 0009, 0011, 0013.
    Genie,
}

/// The scanner types, in the paper's order.
pub static SCANNERS: [Scanner; 6] = [
    Scanner {
        name: "Philips/ADAC Forte",
        manufacturer: "ADAC",
        model: "Forte",
        patients: 100,
        pixel_mm: 2.33,
        field_mm: 508.0,
        million_counts: 1.5,
        sharpest_mm: 7.6,
        static_matrix: 256,
        layout: ObjectLayout::TwoObjects,
        naming: ViewNaming::ImageId,
        private: PrivateGroup::Adac,
        signed: false,
        implicit: true,
    },
    Scanner {
        name: "Philips Brightview",
        manufacturer: "Philips Medical Systems",
        model: "BrightView",
        patients: 200,
        pixel_mm: 2.13,
        field_mm: 540.0,
        million_counts: 1.75,
        sharpest_mm: 7.2,
        static_matrix: 256,
        layout: ObjectLayout::PosteriorFirst,
        naming: ViewNaming::Srt,
        private: PrivateGroup::Philips,
        signed: false,
        implicit: false,
    },
    Scanner {
        name: "Siemens e.cam",
        manufacturer: "SIEMENS NM",
        model: "ECAM",
        patients: 547,
        pixel_mm: 2.397_6,
        field_mm: 533.0,
        million_counts: 1.8,
        sharpest_mm: 7.4,
        static_matrix: 256,
        layout: ObjectLayout::AnteriorFirst,
        naming: ViewNaming::Srt,
        private: PrivateGroup::Siemens,
        signed: false,
        implicit: true,
    },
    Scanner {
        name: "Siemens Symbia",
        manufacturer: "SIEMENS NM",
        model: "Symbia T",
        patients: 372,
        pixel_mm: 2.397_6,
        field_mm: 533.0,
        million_counts: 2.1,
        sharpest_mm: 7.0,
        static_matrix: 256,
        layout: ObjectLayout::AnteriorFirst,
        naming: ViewNaming::SnomedCt,
        private: PrivateGroup::Siemens,
        signed: false,
        implicit: false,
    },
    Scanner {
        name: "GE Infinia Hawkeye",
        manufacturer: "GE MEDICAL SYSTEMS",
        model: "INFINIA",
        patients: 96,
        pixel_mm: 2.209_4,
        field_mm: 540.0,
        million_counts: 1.6,
        sharpest_mm: 7.3,
        static_matrix: 256,
        layout: ObjectLayout::TwoObjects,
        naming: ViewNaming::Private,
        private: PrivateGroup::Genie,
        signed: true,
        implicit: false,
    },
    Scanner {
        name: "GE Discovery 670",
        manufacturer: "GE MEDICAL SYSTEMS",
        model: "Discovery NM/CT 670",
        patients: 19,
        pixel_mm: 2.209_4,
        field_mm: 540.0,
        million_counts: 2.1,
        sharpest_mm: 7.0,
        static_matrix: 512,
        layout: ObjectLayout::AnteriorFirst,
        naming: ViewNaming::SnomedCt,
        private: PrivateGroup::Genie,
        signed: true,
        implicit: false,
    },
];

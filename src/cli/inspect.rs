//! `attrium inspect`: what is in a DICOM file.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::ValueEnum;
use snafu::{ResultExt, Snafu};

use super::output::{self, Format};
use attrium_imaging as imaging;
use attrium_imaging::Inspection;
use attrium_types::{LossyPolicy, Tracer};
use attrium_workflow::TaskExit;

/// Says what was found in one DICOM file, and draws it.
///
/// Reports the view and how it is known, size, counts, crop and warnings; nothing that identifies
/// the patient. A lossy image is read, with a warning.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  attrium inspect scan.dcm --png scan.png")]
pub(super) struct Args {
    /// The DICOM file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Draw the scan with its crop to this PNG file.
    #[arg(long, value_name = "OUT")]
    png: Option<PathBuf>,
    /// What a network would see, and how the patient's extent is found.
    #[arg(long, value_enum, ignore_case = true, default_value_t = CropMode::Robust)]
    crop: CropMode,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// As [`attrium_types::CropMode`], which is spelled as in a manifest.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CropMode {
    /// Rows above a small share of the profile's maximum, small gaps closed.
    #[value(name = "Robust")]
    Robust,
    /// Every row with counts, to the letter of the paper.
    #[value(name = "Paper")]
    Paper,
    /// What lies around the heart.
    #[value(name = "Heart")]
    Heart,
}

impl From<CropMode> for attrium_types::CropMode {
    fn from(mode: CropMode) -> Self {
        match mode {
            CropMode::Robust => Self::Robust,
            CropMode::Paper => Self::Paper,
            CropMode::Heart => Self::Heart,
        }
    }
}

/// Why a file could not be inspected.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot read {}", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("{} cannot be used ({})", path.display(), source.reason()))]
    Unusable {
        path: PathBuf,
        source: imaging::Error,
    },
    #[snafu(display("cannot draw {}", path.display()))]
    Draw {
        path: PathBuf,
        source: png::EncodingError,
    },
    #[snafu(display("cannot write {}", path.display()))]
    Write { path: PathBuf, source: io::Error },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

impl Error {
    /// What the process ends with: the argument can be changed, an object that cannot be used is bad
    /// data.
    pub(super) fn exit(&self) -> TaskExit {
        match self {
            Self::Read { .. } => TaskExit::BadConfiguration,
            Self::Unusable { .. } => TaskExit::BadData,
            Self::Draw { .. } | Self::Write { .. } | Self::Print { .. } => TaskExit::Retry,
        }
    }
}

/// Reads, draws and describes the file; a scan whose crop is missing or shows no thorax is
/// described all the same before that is an error.
pub(super) fn run(args: Args) -> Result<(), Error> {
    let path = &args.file;
    let bytes = fs::read(path).context(ReadSnafu { path })?;
    let image =
        imaging::read_anterior(&bytes, LossyPolicy::Accept).context(UnusableSnafu { path })?;
    let image = imaging::judge(image, Tracer::ALL).context(UnusableSnafu { path })?;
    let mode = args.crop.into();
    let (crop, heart, judged) = match imaging::judged_crop(&image, mode) {
        Ok((crop, heart)) => (Some(crop), heart, Ok(())),
        Err(error) => (imaging::crop(&image, mode).ok(), None, Err(error)),
    };
    let rectangle = crop.as_ref().map(|crop| &crop.rectangle);
    let regions = heart.as_ref().map(|heart| &heart.regions);
    if let Some(png) = &args.png {
        let drawing =
            imaging::draw(&image.counts, rectangle, regions).context(DrawSnafu { path })?;
        output::write_private(png, &drawing).context(WriteSnafu { path: png })?;
    }
    let inspection = Inspection::new(&image, crop.as_ref(), heart);
    output::print_as(args.output, &inspection, Inspection::to_table).context(PrintSnafu)?;
    judged.context(UnusableSnafu { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(file: &str) -> Args {
        Args {
            file: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file),
            png: None,
            crop: CropMode::Robust,
            output: Format::Json,
        }
    }

    #[test]
    fn the_real_scan_is_drawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let png = folder.path().join("scan.png");
        let mut args = args("tests/data/nm-wholebody-anterior.dcm");
        args.png = Some(png.clone());
        run(args).expect("should be inspected");
        let drawing = fs::read(png).expect("should be written");
        let file = png::Decoder::new(io::Cursor::new(drawing));
        let reader = file.read_info().expect("should be a PNG");
        assert_eq!((reader.info().width, reader.info().height), (256, 1024));
    }

    #[test]
    fn an_object_that_cannot_be_used_is_bad_data_and_a_missing_file_a_bad_configuration() {
        let unusable = run(args("README.md")).expect_err("no DICOM file");
        assert_eq!(unusable.exit(), TaskExit::BadData);
        assert!(unusable.to_string().contains("not-dicom"), "{unusable}");
        let missing = run(args("no/such/file")).expect_err("no file");
        assert_eq!(missing.exit(), TaskExit::BadConfiguration);
    }
}

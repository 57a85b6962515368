//! Draws a cohort of another site: one camera that the six of the paper are not, with larger pixels and a
//! blunter collimator; less than half of their counts; and labels on which two readers have to agree, so that
//! the lower of their grades counts.
//!
//!     cargo run --release -p attrium-phantom --example other_site -- STUDIES SEED FOLDER
//!
//! By the first reader alone four in ten are of grade 0, two of 1, one and a half of 2, two and a half of 3.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use attrium_phantom::archive::{IMAGES, LABELS};
use attrium_phantom::{
    ObjectLayout, PrivateGroup, Scanner, Study, SyntheticCohort, ViewNaming, dicom, scan,
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

static CAMERA: Scanner = Scanner {
    name: "Another camera",
    manufacturer: "Mediso",
    model: "AnyScan",
    patients: 0,
    pixel_mm: 2.75,
    field_mm: 620.0,
    million_counts: 0.8,
    sharpest_mm: 9.5,
    static_matrix: 256,
    layout: ObjectLayout::AnteriorFirst,
    naming: ViewNaming::SnomedCt,
    private: PrivateGroup::Siemens,
    signed: false,
    implicit: false,
};
/// The share of a study's counts that this site's protocol has time for.
const EXPOSURE: f64 = 0.4;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [studies, seed, folder] = arguments.as_slice() else {
        return Err("give the number of studies, a seed and a folder".into());
    };
    let cohort = SyntheticCohort::new(studies.parse()?, seed.parse()?);
    let cohort = cohort.with_grades([0.4, 0.2, 0.15, 0.25])?;
    let folder = Path::new(folder);
    fs::create_dir_all(folder.join(IMAGES))?;
    let studies: Result<Vec<Study>> = (0..cohort.len())
        .into_par_iter()
        .map(|number| {
            let study = at_the_site(cohort.study(number));
            write(&study, folder)?;
            Ok(study)
        })
        .collect();
    let mut labels = csv::Writer::from_path(folder.join(LABELS))?;
    labels.write_record(["study", "grade", "patient"])?;
    for study in studies? {
        let grade = study.grade.min(study.second_reader).value().to_string();
        labels.write_record([&study.study_uid, &grade, &study.patient_id()])?;
    }
    Ok(labels.flush()?)
}

/// A study as it would have been at this site.
fn at_the_site(mut study: Study) -> Study {
    study.scanner = &CAMERA;
    study.million_counts *= EXPOSURE;
    study
}

fn write(study: &Study, folder: &Path) -> Result<()> {
    for (index, object) in dicom::objects(study, &scan(study)).into_iter().enumerate() {
        let name = format!("{:06}-{index}.dcm", study.number);
        let bytes = dicom::encode(object, CAMERA.implicit)?;
        fs::write(folder.join(IMAGES).join(name), bytes)?;
    }
    Ok(())
}

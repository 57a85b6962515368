//! A cohort in a folder, laid out as a hospital hands it over: `images/`, `labels.csv`, `phantom.json`.
//!
//! Objects lie in folders by year and month, under names that say nothing about the patient or the grade.
//! Files appear whole or not at all, and `labels.csv` last; a run that was interrupted goes on where it
//! stopped. Memory does not grow with the number of studies.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::Serialize;
use snafu::{ResultExt, ensure};

use super::cohort::{Study, SyntheticCohort};
use super::dicom;
use super::error::{EncodeSnafu, Error, NotEmptySnafu, TableSnafu, WriteSnafu};
use super::random::{Purpose, Stream};
use super::view::scan;

/// Name of the folder of objects.
pub const IMAGES: &str = "images";
/// Name of the table of labels.
pub const LABELS: &str = "labels.csv";
/// Name of the file that marks the cohort as synthetic.
pub const MARK: &str = "phantom.json";
/// How phantoms are drawn: another number for any change of what a seed gives.
const DRAWING: u32 = 2;

/// Marks a folder as synthetic, and tells what it can be drawn again from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SyntheticMark {
    synthetic: bool,
    statement: &'static str,
    generator: &'static str,
    drawing: u32,
    studies: u32,
    seed: u64,
    grade_shares: [f64; 4],
    patients_with_two_scans: f64,
}

/// A row of `labels.csv`.
#[derive(Debug, Serialize)]
struct LabelRow {
    study: String,
    grade: u8,
    patient: String,
    age: u32,
    sex: String,
    indication: String,
    scanner: &'static str,
    protocol: String,
    metastases: &'static str,
    reader2: u8,
}

impl From<Study> for LabelRow {
    fn from(study: Study) -> Self {
        Self {
            grade: study.grade.value(),
            patient: study.patient_id(),
            age: study.age,
            sex: study.person.sex.to_string(),
            indication: study.person.indication.to_string(),
            scanner: study.scanner.name,
            protocol: study.person.protocol.to_string(),
            metastases: if study.person.metastases { "yes" } else { "no" },
            reader2: study.second_reader.value(),
            study: study.study_uid,
        }
    }
}

/// Writes a cohort below `folder`, on all cores; calls `progress` after each study.
///
/// The folder is made where it is missing. Where it holds a part of the very same cohort, only what is
/// missing is written.
///
/// # Errors
/// The folder holds something else, or cannot be written.
pub fn write(
    cohort: &SyntheticCohort,
    folder: &Path,
    progress: impl Fn() + Sync,
) -> Result<(), Error> {
    mark(cohort, folder)?;
    (0..cohort.len()).into_par_iter().try_for_each(|number| {
        write_study(&cohort.study(number), folder)?;
        progress();
        Ok(())
    })?;
    let labels = folder.join(LABELS);
    write_whole(&labels, |file| {
        let mut table = csv::Writer::from_writer(file);
        for number in 0..cohort.len() {
            table
                .serialize(LabelRow::from(cohort.study(number)))
                .context(TableSnafu)?;
        }
        table.flush().context(WriteSnafu { path: &labels })
    })
}

/// Makes the folder and marks it as this cohort's.
fn mark(cohort: &SyntheticCohort, folder: &Path) -> Result<(), Error> {
    let mark = SyntheticMark {
        synthetic: true,
        statement: "Synthetic bone scans: nobody was scanned. Results say nothing about patients.",
        generator: concat!("attrium phantom ", env!("CARGO_PKG_VERSION")),
        drawing: DRAWING,
        studies: cohort.len(),
        seed: cohort.seed(),
        grade_shares: cohort.grades(),
        patients_with_two_scans: cohort.two_scans(),
    };
    let text = serde_json::to_string_pretty(&mark).expect("should have plain fields only") + "\n";
    let path = folder.join(MARK);
    fs::create_dir_all(folder).context(WriteSnafu { path: folder })?;
    if fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    // Killed while it wrote the mark, a run leaves half of it and nothing else.
    let half = partial(&path);
    let mut entries = fs::read_dir(folder).context(WriteSnafu { path: folder })?;
    ensure!(
        entries.all(|entry| entry.is_ok_and(|entry| entry.path() == half)),
        NotEmptySnafu { path: folder }
    );
    write_whole(&path, |file| {
        file.write_all(text.as_bytes())
            .context(WriteSnafu { path: &path })
    })
}

fn write_study(study: &Study, folder: &Path) -> Result<(), Error> {
    let folder = folder.join(IMAGES).join(place(study));
    let names = |count: usize| (1..=count).map(|index| folder.join(format!("IM{index:06}.dcm")));
    let expected = study.scanner.layout.objects();
    if names(expected).all(|path| path.exists()) {
        return Ok(());
    }
    fs::create_dir_all(&folder).context(WriteSnafu { path: &folder })?;
    let objects = dicom::objects(study, &scan(study));
    for (object, path) in objects.into_iter().zip(names(expected)) {
        let bytes =
            dicom::encode(object, study.scanner.implicit).context(EncodeSnafu { path: &path })?;
        write_whole(&path, |file| {
            file.write_all(&bytes).context(WriteSnafu { path: &path })
        })?;
    }
    Ok(())
}

/// Where a study's objects lie: year, month, a folder with a random name.
fn place(study: &Study) -> PathBuf {
    let mut names = Stream::new(study.seed, Purpose::Archive, study.number);
    let name = u64::from_le_bytes(names.bytes());
    PathBuf::from(format!("{:04}", study.date.year))
        .join(format!("{:02}", study.date.month))
        .join(format!("{name:016X}"))
}

/// The name of a file while it is written.
fn partial(path: &Path) -> PathBuf {
    path.with_extension("partial")
}

/// Writes a file under another name and renames it, so that nobody ever sees half of it.
fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), Error>,
) -> Result<(), Error> {
    let partial = partial(path);
    let written = (|| {
        let file = File::create(&partial).context(WriteSnafu { path })?;
        let mut file = BufWriter::new(file);
        fill(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .context(WriteSnafu { path })?;
        fs::rename(&partial, path).context(WriteSnafu { path })
    })();
    if written.is_err() {
        // The first error is the one to report; the partial file may not even be there.
        drop(fs::remove_file(&partial));
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Every file below a folder, by its path in it.
    fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(next).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(folder).expect("a path below").to_owned();
                    found.insert(name, fs::read(path).expect("a file"));
                }
            }
        }
        found
    }

    fn cohort() -> SyntheticCohort {
        SyntheticCohort::new(6, 2)
            .with_grades([1.0; 4])
            .expect("shares")
    }

    #[test]
    fn a_cohort_is_the_same_in_every_folder_and_grows_without_change() {
        let (one, other) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        write(&cohort(), one.path(), || ()).expect("should be written");
        let larger = SyntheticCohort::new(8, 2)
            .with_grades([1.0; 4])
            .expect("shares");
        write(&larger, other.path(), || ()).expect("should be written");
        let (small, large) = (files(one.path()), files(other.path()));
        let images = small.iter().filter(|(path, _)| path.starts_with(IMAGES));
        for (path, bytes) in images {
            assert!(large.get(path) == Some(bytes), "{}", path.display());
        }
    }

    #[test]
    fn a_run_that_was_cut_short_goes_on_and_ends_with_the_same_files() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&cohort(), folder.path(), || ()).expect("should be written");
        let whole = files(folder.path());
        let lost: Vec<&PathBuf> = whole
            .keys()
            .filter(|path| path.starts_with(IMAGES))
            .take(2)
            .collect();
        for path in &lost {
            fs::remove_file(folder.path().join(path)).expect("should be there");
        }
        fs::remove_file(folder.path().join(LABELS)).expect("should be there");
        fs::write(
            folder.path().join(lost[0]).with_extension("partial"),
            "half",
        )
        .expect("should be written");
        write(&cohort(), folder.path(), || ()).expect("should go on");
        assert!(files(folder.path()) == whole);
    }

    #[test]
    fn a_run_that_was_cut_short_before_its_mark_was_whole_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("phantom.partial"), "half").expect("should be written");
        write(&SyntheticCohort::new(1, 2), folder.path(), || ()).expect("should go on");
        let files = files(folder.path());
        assert!(files.contains_key(Path::new(MARK)) && files.contains_key(Path::new(LABELS)));
        assert!(!files.contains_key(Path::new("phantom.partial")));
    }

    #[test]
    fn a_folder_with_anything_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("thesis.txt"), "mine").expect("should be written");
        let error = write(&cohort(), folder.path(), || ()).expect_err("should be refused");
        assert!(matches!(error, Error::NotEmpty { .. }), "{error}");
        assert_eq!(files(folder.path()).len(), 1);

        let folder = tempfile::tempdir().expect("a folder");
        write(&cohort(), folder.path(), || ()).expect("should be written");
        let other = SyntheticCohort::new(6, 3);
        assert!(write(&other, folder.path(), || ()).is_err());
    }

    #[test]
    fn labels_have_a_row_for_each_study_and_the_mark_says_synthetic() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut seen = std::sync::atomic::AtomicU32::new(0);
        write(&cohort(), folder.path(), || {
            seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        })
        .expect("should be written");
        assert_eq!(*seen.get_mut(), 6);
        let files = files(folder.path());
        let labels = attrium_dataset::Labels::parse(&files[Path::new(LABELS)]).expect("labels");
        assert_eq!(labels.studies(), 6);
        let mark = String::from_utf8_lossy(&files[Path::new(MARK)]);
        assert!(mark.contains("\"synthetic\": true"), "{mark}");
    }

    #[test]
    fn no_path_names_a_patient_a_study_or_a_grade() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&cohort(), folder.path(), || ()).expect("should be written");
        let paths: Vec<String> = files(folder.path())
            .keys()
            .map(|path| path.display().to_string())
            .collect();
        for number in 0..6 {
            let study = cohort().study(number);
            for path in &paths {
                assert!(!path.contains(&study.study_uid) && !path.contains(&study.patient_id()));
                assert!(!path.to_lowercase().contains("grade"));
            }
        }
    }
}

//! The cohort of all tests: phantoms with marks planted wherever patient data could be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attrium_phantom::dicom::{PLANTED_DATE, plant};
use dicom_core::VR;
use dicom_core::value::Value;
use dicom_object::{InMemDicomObject, open_file};

use crate::program::attrium;

/// Planted in every name and text of every object, and in a column of the labels; short enough for
/// every value representation, and with a character that no encoding makes by chance.
pub(crate) const NAME: &str = "QUI-ZY";
/// Planted in every text of every object, and in a column of the labels.
pub(crate) const NUMBER: &str = "7390518";
/// Planted in the key of every object.
pub(crate) const KEY: &str = "KEYMARK";
/// How many studies there are.
pub(crate) const STUDIES: usize = 16;

/// The cohort, drawn when it is first needed.
pub(crate) static COHORT: LazyLock<Cohort> = LazyLock::new(|| Cohort::draw(&root().join("cohort")));

/// A folder of scans with their labels.
pub(crate) struct Cohort {
    pub images: PathBuf,
    pub labels: PathBuf,
    /// How many objects there are; one of them is cut short.
    pub objects: usize,
    /// What the objects and the labels hold that must get nowhere: UIDs, identifiers, dates.
    pub identifiers: BTreeSet<String>,
}

/// The folder of what all tests share, emptied at the start of each process.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("integration");
        drop(fs::remove_dir_all(&root));
        fs::create_dir_all(&root).expect("should be made");
        root
    });
    &ROOT
}

/// A new folder for one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = root().join(name);
    fs::create_dir(&folder).expect("should be a new folder");
    folder
}

/// The files below a folder, as paths relative to it, sorted; those that another process is
/// writing at this moment, under a name that ends in `#` and digits, are left out.
pub(crate) fn files(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("should be a folder") {
            let path = entry.expect("should be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(folder).expect("should be below");
                let name = below.to_str().expect("should be text");
                if !is_half_written(name) {
                    files.insert(name.to_owned());
                }
            }
        }
    }
    files
}

fn is_half_written(name: &str) -> bool {
    let tail = name.trim_end_matches(|c: char| c.is_ascii_digit());
    tail.ends_with('#') && tail.len() < name.len()
}

impl Cohort {
    fn draw(folder: &Path) -> Self {
        let (plain, images) = (folder.join("plain"), folder.join("images"));
        let studies = STUDIES.to_string();
        let out = plain.to_str().expect("should be text");
        let arguments = [
            "phantom",
            "--studies",
            &studies,
            "--seed",
            "3",
            "--out",
            out,
        ];
        attrium(
            arguments
                .into_iter()
                .chain(["--grades", "0.4,0.1,0.25,0.25"]),
        )
        .ok();

        let mut identifiers = BTreeSet::from([PLANTED_DATE.to_owned()]);
        let drawn = files(&plain.join("images"));
        for (number, key) in drawn.iter().enumerate() {
            let bytes = planted(&plain.join("images").join(key), &mut identifiers);
            let key = key.replace('/', &format!("-{KEY}/"));
            if number == 0 {
                put(
                    &images,
                    &key.replace("IM", "CUT"),
                    &bytes[..bytes.len() / 2],
                );
            }
            put(&images, &key, &bytes);
        }
        let labels = folder.join("labels.csv");
        let table = fs::read_to_string(plain.join("labels.csv")).unwrap();
        fs::write(&labels, with_names(&table, &mut identifiers)).unwrap();
        Self {
            images,
            labels,
            objects: drawn.len() + 1,
            identifiers,
        }
    }

    /// The keys of the objects, sorted.
    pub(crate) fn keys(&self) -> Vec<String> {
        files(&self.images).into_iter().collect()
    }
}

/// Writes an object below a folder.
pub(crate) fn put(folder: &Path, key: &str, bytes: &[u8]) {
    let path = folder.join(key);
    fs::create_dir_all(path.parent().expect("should be in a folder")).expect("should be made");
    fs::write(path, bytes).expect("should be written");
}

/// An object with marks in all its texts; notes what identifies it.
fn planted(path: &Path, identifiers: &mut BTreeSet<String>) -> Vec<u8> {
    let mut file = open_file(path).expect("should be DICOM");
    let count = plant(&mut file, NAME, NUMBER);
    assert!(
        count > 30,
        "only {count} elements of {} were planted",
        path.display()
    );
    note(&file, identifiers);
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).expect("should be written");
    bytes
}

/// Notes the UIDs and dates of an object, of its nested items too.
fn note(object: &InMemDicomObject, identifiers: &mut BTreeSet<String>) {
    for element in object {
        if let Value::Sequence(sequence) = element.value() {
            sequence
                .items()
                .iter()
                .for_each(|item| note(item, identifiers));
        }
        let Ok(texts) = element.value().to_multi_str() else {
            continue;
        };
        for text in texts.iter().map(|text| text.trim_matches([' ', '\0'])) {
            match element.vr() {
                // What DICOM has named is not the patient's.
                VR::UI if !text.starts_with("1.2.840.10008.") => {
                    identifiers.insert(text.to_owned())
                }
                VR::DA | VR::DT if text.len() >= 8 => identifiers.insert(text[..8].to_owned()),
                _ => false,
            };
        }
    }
}

/// The labels with a column of names that no run asks for; notes the studies and the patients.
fn with_names(table: &str, identifiers: &mut BTreeSet<String>) -> String {
    let mut lines = table.lines();
    let header = lines.next().expect("should have a header");
    assert!(header.starts_with("study,grade,patient,"), "{header}");
    let mut named = format!("{header},name,number\n");
    for line in lines {
        identifiers.extend(line.split(',').step_by(2).take(2).map(str::to_owned));
        named.push_str(&format!("{line},{NAME} {NUMBER},{NUMBER}\n"));
    }
    named
}

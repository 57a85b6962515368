//! A cohort: which patients there are, which studies they had, and how these were labelled.
//!
//! (seed, study number) decides all of a study; no study depends on how many there are.

use attrium_types::{Grade, Tracer};

use super::demographics::{GRADES, Person};
use super::error::{Error, ShareSnafu, SharesSnafu};
use super::random::{Purpose, Stream};
use super::reading::{Population, Uptake};
use super::scanner::{SCANNERS, Scanner};

/// The first year of the paper's scans, and how many years there were.
const FIRST_YEAR: u32 = 2012;
const YEARS: u32 = 10;
/// Standard deviation of the logarithm of a study's counts: activity, delay, speed and patient differ.
const EXPOSURE: f64 = 0.5;
/// Minutes from the injection to the scan, and their standard deviation (three hours: paper, "Data").
const UPTAKE_MINUTES: (f64, f64) = (185.0, 14.0);

/// An invented cohort, and the shares by which its patients are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticCohort {
    studies: u32,
    seed: u64,
    grades: [f64; 4],
    population: Population,
    two_scans: f64,
}

/// One study of a phantom patient, as far as it is known without its images.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Number within the cohort, from 0.
    pub number: u32,
    /// Number of the patient: that of the patient's first study.
    pub patient: u32,
    /// Who the patient is.
    pub person: Person,
    /// Age at this study in years.
    pub age: u32,
    /// The grade of the first reader: the label.
    pub grade: Grade,
    /// The grade of the second reader.
    pub second_reader: Grade,
    /// The cardiac uptake that both readers saw.
    pub uptake: Uptake,
    /// The scanner.
    pub scanner: &'static Scanner,
    /// Counts of a whole-body anterior view in millions, 0.5 to 4; a static has half as many.
    pub million_counts: f64,
    /// What was injected.
    pub tracer: Tracer,
    /// Minutes from the injection to the scan.
    pub uptake_minutes: u32,
    /// Day of the study.
    pub date: Date,
    /// Study Instance UID.
    pub study_uid: String,
    pub(super) seed: u64,
}

/// A day and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Year.
    pub year: u32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day, 1 to 28.
    pub day: u32,
    /// Second of the day.
    pub second: u32,
}

impl Date {
    /// As a DICOM date, YYYYMMDD.
    pub(super) fn date(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// Some seconds earlier on the same day.
    pub(super) fn before(self, seconds: u32) -> Self {
        Self {
            second: self.second.saturating_sub(seconds),
            ..self
        }
    }

    /// As a DICOM time, HHMMSS, some seconds later.
    pub(super) fn time(self, later: u32) -> String {
        let second = self.second + later;
        format!(
            "{:02}{:02}{:02}",
            second / 3600 % 24,
            second / 60 % 60,
            second % 60
        )
    }
}

impl Study {
    /// The patient's identifier, as in the objects and in labels.csv.
    pub fn patient_id(&self) -> String {
        let mut identifiers = Stream::new(self.seed, Purpose::Pairing, self.patient);
        let tag = u16::from_le_bytes(identifiers.bytes());
        format!("PH{tag:04X}{:06}", self.patient)
    }
}

impl SyntheticCohort {
    /// A cohort of `studies` studies with the paper's grade shares (991, 296, 23 and 24 of 1334),
    /// one study a patient.
    pub fn new(studies: u32, seed: u64) -> Self {
        Self {
            studies,
            seed,
            grades: GRADES,
            population: Population::of_grades(shares_of(GRADES)),
            two_scans: 0.0,
        }
    }

    /// Sets the shares of the grades 0 to 3; they are scaled to sum up to 1.
    ///
    /// # Errors
    /// A negative or infinite share, or no share above 0.
    pub fn with_grades(mut self, shares: [f64; 4]) -> Result<Self, Error> {
        let usable = shares.iter().all(|s| s.is_finite() && *s >= 0.0);
        snafu::ensure!(
            usable && shares.iter().sum::<f64>() > 0.0,
            SharesSnafu { shares }
        );
        self.grades = shares;
        self.population = Population::of_grades(shares_of(shares));
        Ok(self)
    }

    /// Sets the share of grades 2 and 3 together; within both pairs the paper's proportions hold.
    ///
    /// # Errors
    /// A share outside [0, 1].
    pub fn with_prevalence(self, share: f64) -> Result<Self, Error> {
        check_share("prevalence", share)?;
        let [none, low, equal, high] = GRADES;
        let (negative, positive) = ((1.0 - share) / (none + low), share / (equal + high));
        self.with_grades([
            none * negative,
            low * negative,
            equal * positive,
            high * positive,
        ])
    }

    /// Sets the share of patients who were scanned twice.
    ///
    /// # Errors
    /// A share outside [0, 1].
    pub fn with_two_scans(mut self, share: f64) -> Result<Self, Error> {
        check_share("share of patients with two scans", share)?;
        self.two_scans = share;
        Ok(self)
    }

    /// Number of studies.
    pub fn len(&self) -> u32 {
        self.studies
    }

    /// Whether there are no studies.
    pub fn is_empty(&self) -> bool {
        self.studies == 0
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The shares of the grades 0 to 3; they sum up to 1.
    pub fn grades(&self) -> [f64; 4] {
        shares_of(self.grades)
    }

    /// The share of patients who were scanned twice.
    pub fn two_scans(&self) -> f64 {
        self.two_scans
    }

    /// The study with this number, which may be beyond the cohort's own.
    pub fn study(&self, number: u32) -> Study {
        let patient = self.patient_of(number);
        let first_grade = self.first_grade(patient);
        let mut person_stream = Stream::new(self.seed, Purpose::Person, patient);
        let person = Person::draw(first_grade, &mut person_stream);
        let mut uptake_stream = Stream::new(self.seed, Purpose::Uptake, patient);
        let uptake = self.population.draw(first_grade, &mut uptake_stream);
        let mut stream = Stream::new(self.seed, Purpose::Study, number);
        let mut reading = Stream::new(self.seed, Purpose::Reading, number);
        let visit = number - patient;
        let grade = if visit == 0 {
            first_grade
        } else {
            uptake.read(&mut reading)
        };
        let patients: Vec<f64> = SCANNERS.iter().map(|s| f64::from(s.patients)).collect();
        let scanner = &SCANNERS[stream.choose(&patients)];
        let mut exposure = Stream::new(self.seed, Purpose::Exposure, number);
        let mut injection = Stream::new(self.seed, Purpose::Injection, number);
        Study {
            number,
            patient,
            age: person.age + visit,
            grade,
            second_reader: uptake.read(&mut reading),
            uptake,
            scanner,
            million_counts: (scanner.million_counts * exposure.factor(EXPOSURE)).clamp(0.5, 4.0),
            tracer: Tracer::Hmdp,
            uptake_minutes: injection.bounded_normal(UPTAKE_MINUTES.0, UPTAKE_MINUTES.1, 2.4)
                as u32,
            date: self.date(patient, visit, &mut stream),
            study_uid: uid(&mut Stream::new(self.seed, Purpose::Identifiers, number)),
            person,
            seed: self.seed,
        }
    }

    /// Studies come in pairs (0, 1), (2, 3), ...; a pair is one patient's or two patients'.
    fn patient_of(&self, number: u32) -> u32 {
        let first = number & !1;
        // With a share q of pairs that are one patient's, a share q / (2 - q) of patients has two.
        let pairs = 2.0 * self.two_scans / (1.0 + self.two_scans);
        if Stream::new(self.seed, Purpose::Pairing, first).chance(pairs) {
            first
        } else {
            number
        }
    }

    /// The first reader's grade of a patient's first study.
    ///
    /// Grades are spread by an additive sequence of the golden ratio, so that every run of studies
    /// has the wanted shares to within a study or two.
    fn first_grade(&self, patient: u32) -> Grade {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let offset = Stream::new(self.seed, Purpose::Grades, 0).uniform();
        let mut rest = (offset + f64::from(patient) * GOLDEN).fract();
        for (grade, share) in Grade::ALL.into_iter().zip(self.grades()) {
            if rest < share {
                return grade;
            }
            rest -= share;
        }
        // Rounding may leave a remainder: it belongs to the last grade that has a share.
        let last = self.grades.iter().rposition(|share| *share > 0.0);
        Grade::ALL[last.unwrap_or(0)]
    }

    fn date(&self, patient: u32, visit: u32, stream: &mut Stream) -> Date {
        let mut shared = Stream::new(self.seed, Purpose::Pairing, patient | 1);
        Date {
            year: FIRST_YEAR + shared.whole(0, YEARS - 2) + visit,
            month: stream.whole(1, 12),
            day: stream.whole(1, 28),
            second: stream.whole(9 * 3600, 16 * 3600),
        }
    }
}

/// Shares scaled to sum up to 1.
fn shares_of(weights: [f64; 4]) -> [f64; 4] {
    let total: f64 = weights.iter().sum();
    weights.map(|share| share / total)
}

fn check_share(what: &'static str, share: f64) -> Result<(), Error> {
    snafu::ensure!((0.0..=1.0).contains(&share), ShareSnafu { what, share });
    Ok(())
}

/// A unique identifier below 2.25, from 128 random bits (DICOM PS3.5, B.2).
pub(super) fn uid(stream: &mut Stream) -> String {
    format!("2.25.{}", u128::from_le_bytes(stream.bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;
    use crate::{Indication, Protocol, Sex};

    fn studies(cohort: &SyntheticCohort) -> Vec<Study> {
        (0..cohort.len())
            .map(|number| cohort.study(number))
            .collect()
    }

    fn by_grade(studies: &[Study]) -> [usize; 4] {
        Grade::ALL.map(|grade| studies.iter().filter(|study| study.grade == grade).count())
    }

    #[test]
    fn a_cohort_of_the_papers_size_has_the_papers_grades() {
        let counts = by_grade(&studies(&SyntheticCohort::new(1334, 3)));
        for (count, expected) in counts.into_iter().zip([991, 296, 23, 24]) {
            assert!(count.abs_diff(expected) <= 2, "{counts:?}");
        }
    }

    #[test]
    fn a_prevalence_is_the_share_of_grades_2_and_3() {
        let cohort = SyntheticCohort::new(1000, 3)
            .with_prevalence(0.4)
            .expect("a share");
        let [none, low, equal, high] = by_grade(&studies(&cohort));
        assert!((equal + high).abs_diff(400) <= 2, "{equal} {high}");
        assert!(equal.abs_diff(high) <= 12, "{equal} {high}");
        assert!((none as f64 / low as f64 - 991.0 / 296.0).abs() < 0.1);
    }

    #[test]
    fn a_study_depends_on_the_seed_and_its_number_alone() {
        let (small, large) = (SyntheticCohort::new(5, 9), SyntheticCohort::new(5_000, 9));
        assert_eq!(small.study(4), large.study(4));
        assert_ne!(
            small.study(4).study_uid,
            SyntheticCohort::new(5, 10).study(4).study_uid
        );
    }

    #[test]
    fn the_wanted_share_of_patients_has_two_scans_and_they_are_one_persons() {
        let cohort = SyntheticCohort::new(20_000, 5)
            .with_two_scans(0.3)
            .expect("a share");
        let mut scans: BTreeMap<String, Vec<Study>> = BTreeMap::new();
        for study in studies(&cohort) {
            scans.entry(study.patient_id()).or_default().push(study);
        }
        let twice: Vec<&Vec<Study>> = scans.values().filter(|s| s.len() == 2).collect();
        assert!(scans.values().all(|s| s.len() <= 2));
        let share = twice.len() as f64 / scans.len() as f64;
        assert!((share - 0.3).abs() < 0.015, "{share}");
        for pair in twice {
            assert_eq!(pair[0].person, pair[1].person);
            assert_eq!(pair[0].uptake, pair[1].uptake);
            assert_eq!(pair[0].age + 1, pair[1].age);
            assert_eq!(pair[0].date.year + 1, pair[1].date.year);
            assert_ne!(pair[0].study_uid, pair[1].study_uid);
        }
    }

    #[test]
    fn every_study_and_patient_has_its_own_identifier() {
        let studies = studies(&SyntheticCohort::new(20_000, 1));
        let uids: HashSet<&str> = studies.iter().map(|s| s.study_uid.as_str()).collect();
        let patients: HashSet<String> = studies.iter().map(Study::patient_id).collect();
        assert_eq!((uids.len(), patients.len()), (20_000, 20_000));
        assert!(uids.iter().all(|uid| uid.len() <= 64));
    }

    #[test]
    fn sexes_ages_indications_scanners_and_protocols_are_the_papers() {
        let studies = studies(&SyntheticCohort::new(40_000, 8));
        let share = |of: &dyn Fn(&Study) -> bool| {
            studies.iter().filter(|study| of(study)).count() as f64 / studies.len() as f64
        };
        let close = |what: &str, found: f64, patients: f64| {
            let expected = patients / 1334.0;
            let error = 4.0 * (expected * (1.0 - expected) / 40_000.0).sqrt();
            assert!(
                (found - expected).abs() < error,
                "{what}: {found}, {expected}"
            );
        };
        close("female", share(&|s| s.person.sex == Sex::Female), 245.0);
        let patients = [1013.0, 159.0, 81.0, 55.0, 26.0];
        for (indication, patients) in Indication::ALL.iter().copied().zip(patients) {
            let found = share(&|s| s.person.indication == indication);
            close(&indication.to_string(), found, patients);
        }
        for scanner in &SCANNERS {
            let found = share(&|s| s.scanner == scanner);
            close(scanner.name, found, f64::from(scanner.patients));
        }
        let fixed = |s: &Study| s.person.protocol == Protocol::ThoracicStatic;
        close("static", share(&fixed), 15.0);
        assert!(
            studies
                .iter()
                .filter(|s| fixed(s))
                .all(|s| s.person.indication == Indication::SuspectedAmyloidosis)
        );
        let mean = studies.iter().map(|s| f64::from(s.age)).sum::<f64>() / 40_000.0;
        assert!((mean - 76.5).abs() < 0.5, "{mean}");
    }

    #[test]
    fn metastases_scanner_and_age_do_not_depend_on_the_grade() {
        let cohort = SyntheticCohort::new(20_000, 21)
            .with_prevalence(0.5)
            .expect("a share");
        let (positive, negative): (Vec<Study>, Vec<Study>) = studies(&cohort)
            .into_iter()
            .partition(|s| s.grade.value() >= 2);
        let differ = |of: &dyn Fn(&Study) -> f64| {
            let mean = |group: &[Study]| group.iter().map(of).sum::<f64>() / group.len() as f64;
            (mean(&positive) - mean(&negative)).abs()
        };
        // The standard error of a share's difference is below 0.0071, of an age's below 0.15.
        assert!(differ(&|s| f64::from(u8::from(s.person.metastases))) < 0.025);
        assert!(differ(&|s| f64::from(u8::from(s.scanner.model == "ECAM"))) < 0.025);
        assert!(differ(&|s| f64::from(s.age)) < 0.5);
    }

    #[test]
    fn numbers_that_are_not_shares_are_refused() {
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(SyntheticCohort::new(1, 1).with_prevalence(share).is_err());
            assert!(SyntheticCohort::new(1, 1).with_two_scans(share).is_err());
        }
        assert!(SyntheticCohort::new(1, 1).with_grades([0.0; 4]).is_err());
        assert!(
            SyntheticCohort::new(1, 1)
                .with_grades([1.0, -1.0, 0.0, 0.0])
                .is_err()
        );
    }

    #[test]
    fn a_grade_with_no_share_is_never_drawn() {
        let cohort = SyntheticCohort::new(500, 2)
            .with_grades([1.0, 0.0, 1.0, 0.0])
            .expect("shares");
        let [_, low, _, high] = by_grade(&studies(&cohort));
        assert_eq!((low, high), (0, 0));
    }
}

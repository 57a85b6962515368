//! The charts of a job, to which its scans are given one after another.

use std::collections::BTreeMap;

use super::chart::{Reading, ShareChart, ShiftChart};
use super::distribution::Distribution;
use super::feature::Feature;
use super::limit::ShiftLimits;
use super::mix::MixChart;
use super::reference::{Reference, ReferenceShare, value};
use super::row::{ComparedWith, MonitorRow, MonitorState, Monitoring, TENTHS};

/// The fewest scans that anything is said of.
pub const LEAST_SCANS: u64 = 20;

/// By how many standard deviations more scans may lie off that are compared with those of other scanners: scanners
/// differ, and by how much this one does nobody can tell.
const UNKNOWN_SCANNER: f64 = 0.5;

/// The most scanners that have charts of their own, so that memory does not grow with an archive.
const MOST_SCANNERS: usize = 64;

/// A scan that was given a decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonitoredScan<'a> {
    /// The row of the job's table.
    pub row: u64,
    /// The word for its scanner, where that is known.
    pub scanner: Option<&'a str>,
    /// The counts of its crop, where they were kept.
    pub counts: Option<f64>,
    /// Its heart-to-contralateral ratio.
    pub ratio: Option<f64>,
    /// The probability of a positive, at the prevalence that the reference's are stated for.
    pub positive_probability: f64,
    /// Whether it has a warning.
    pub has_warnings: bool,
    /// Whether it is of a phantom.
    pub synthetic: bool,
}

/// The charts of a job.
#[derive(Debug)]
pub struct Monitor<'a> {
    reference: &'a Reference,
    limits: BTreeMap<Feature, ShiftLimits>,
    all: GroupCharts,
    scanners: BTreeMap<String, GroupCharts>,
    by_scanner: BTreeMap<Option<String>, u64>,
    set_aside: ShareColumn,
    mix: MixChart,
    scans: u64,
    synthetic: bool,
}

impl<'a> Monitor<'a> {
    /// Charts against a reference, without a scan.
    pub fn new(reference: &'a Reference) -> Self {
        let features = Feature::VALUES.into_iter();
        let limits = features.map(|feature| (feature, ShiftLimits::new(feature)));
        let scanners = reference.scanners.iter();
        let scanners = scanners.map(|(scanner, it)| (scanner.clone(), it.studies));
        Self {
            reference,
            limits: limits.collect(),
            all: GroupCharts::new(reference.all.warnings),
            scanners: BTreeMap::new(),
            by_scanner: BTreeMap::new(),
            set_aside: ShareColumn::new(Feature::SetAside, reference.set_aside),
            mix: MixChart::new(scanners.collect()),
            scans: 0,
            synthetic: reference.synthetic,
        }
    }

    /// Adds an object that was set aside, by its row.
    pub fn add_set_aside(&mut self, row: u64) {
        self.set_aside.add(true, row);
    }

    /// Adds a scan that was given a decision.
    pub fn add(&mut self, scan: &MonitoredScan<'_>) {
        self.scans += 1;
        self.synthetic |= scan.synthetic;
        self.set_aside.add(false, scan.row);
        let named = self.count_scanner(scan.scanner);
        let warnings = self.reference.warnings(scan.scanner).0;
        let own = named.map(|scanner| {
            let charts = self.scanners.entry(scanner);
            charts.or_insert_with(|| GroupCharts::new(warnings))
        });
        for charts in [&mut self.all].into_iter().chain(own) {
            charts.warnings.add(scan.has_warnings, scan.row);
            for (column, feature) in charts.values.iter_mut().zip(Feature::VALUES) {
                if let Some(value) = looked_at(self.reference, feature, scan)
                    && let Some(compared) = self.reference.distribution(feature, scan.scanner)
                {
                    let strange = !compared.1 && !self.reference.scanners.is_empty();
                    let allowance = if strange { UNKNOWN_SCANNER } else { 0.0 };
                    let limits = (feature, &self.limits[&feature]);
                    column.add(value, compared, limits, (scan, allowance));
                }
            }
        }
    }

    /// Counts a scan by its scanner, and returns that where it has charts of its own.
    fn count_scanner(&mut self, scanner: Option<&str>) -> Option<String> {
        if let Some(scanner) = scanner {
            self.mix.add(scanner);
        }
        let scanner = scanner.map(str::to_owned);
        let is_counted = self.by_scanner.contains_key(&scanner);
        if !is_counted && self.by_scanner.len() >= MOST_SCANNERS {
            return None;
        }
        *self.by_scanner.entry(scanner.clone()).or_default() += 1;
        scanner
    }

    /// What the charts tell.
    pub fn finish(self) -> Monitoring {
        let mut rows = self.rows(None, &self.all, self.scans);
        rows.push(
            self.set_aside
                .row(Feature::SetAside, None, ComparedWith::AllScanners),
        );
        rows.push(self.mix_row());
        for (scanner, charts) in &self.scanners {
            let scans = self.by_scanner.get(&Some(scanner.clone()));
            let scans = scans.copied().unwrap_or_default();
            rows.push(self.scanner_row(scanner, scans));
            rows.extend(self.rows(Some(scanner), charts, scans));
        }
        Monitoring {
            reference_studies: self.reference.studies,
            synthetic: self.synthetic,
            scans: self.scans,
            rows,
        }
    }

    /// A row for each chart of all scans or of one scanner's.
    fn rows(&self, scanner: Option<&str>, charts: &GroupCharts, decided: u64) -> Vec<MonitorRow> {
        let compared_with = |is_own: bool| match (scanner, is_own) {
            (None, _) => ComparedWith::EachItsOwn,
            (Some(_), true) => ComparedWith::OwnScanner,
            (Some(_), false) => ComparedWith::AllScanners,
        };
        let values = charts.values.iter().zip(Feature::VALUES);
        let values = values.map(|(column, feature)| {
            let compared = self.reference.distribution(feature, scanner);
            let with = compared_with(compared.is_some_and(|it| it.1));
            column.row(
                MonitorRow::empty(feature, scanner, with),
                compared.map(|it| it.0),
                decided,
            )
        });
        let with = compared_with(self.reference.warnings(scanner).1);
        let warnings = charts.warnings.row(Feature::Warnings, scanner, with);
        values.chain([warnings]).collect()
    }

    /// All scanners together.
    fn mix_row(&self) -> MonitorRow {
        let is_known = !self.reference.scanners.is_empty();
        let stated: u64 = self
            .by_scanner
            .iter()
            .filter(|(it, _)| it.is_some())
            .map(|it| it.1)
            .sum();
        let is_other = self.mix.statistic() > MixChart::limit();
        MonitorRow {
            reference_studies: is_known.then(|| self.studies_of_scanners()),
            scans: stated,
            statistic: is_known.then(|| self.mix.statistic()),
            limit: is_known.then(MixChart::limit),
            state: match (is_known, stated) {
                (false, _) => MonitorState::NotKnown,
                (true, 0) if self.scans >= LEAST_SCANS => MonitorState::NotKnown,
                (true, ..LEAST_SCANS) => MonitorState::TooFew,
                (true, _) if is_other => MonitorState::OtherMix,
                (true, _) => MonitorState::Within,
            },
            ..MonitorRow::empty(Feature::Scanner, None, ComparedWith::AllScanners)
        }
    }

    /// One scanner's share of the scans, in the job and in the reference.
    fn scanner_row(&self, scanner: &str, scans: u64) -> MonitorRow {
        let of_reference = self.studies_of_scanners();
        let studies = self.reference.scanners.get(scanner).map(|it| it.studies);
        let share = |part: u64, whole: u64| ReferenceShare { part, whole }.share();
        MonitorRow {
            reference_studies: studies,
            reference_location: share(studies.unwrap_or_default(), of_reference),
            scans,
            location: share(scans, self.scans),
            state: match studies {
                _ if of_reference == 0 => MonitorState::NotKnown,
                None => MonitorState::NewScanner,
                Some(_) => MonitorState::Within,
            },
            ..MonitorRow::empty(Feature::Scanner, Some(scanner), ComparedWith::AllScanners)
        }
    }

    fn studies_of_scanners(&self) -> u64 {
        self.reference.scanners.values().map(|it| it.studies).sum()
    }
}

/// The charts of all scans, or of those of one scanner.
#[derive(Debug)]
struct GroupCharts {
    values: [ValueColumn; Feature::VALUES.len()],
    warnings: ShareColumn,
}

impl GroupCharts {
    fn new(warnings: ReferenceShare) -> Self {
        Self {
            values: Feature::VALUES.map(|_| ValueColumn::new()),
            warnings: ShareColumn::new(Feature::Warnings, warnings),
        }
    }
}

/// The value of a scan's feature, where it is among those that are looked at.
fn looked_at(reference: &Reference, feature: Feature, scan: &MonitoredScan<'_>) -> Option<f64> {
    let counts = scan.counts.unwrap_or_default();
    let value = value(feature, counts, scan.ratio, Some(scan.positive_probability))?;
    let bulk = reference.bulk.get(&feature);
    bulk.is_none_or(|bulk| value <= *bulk).then_some(value)
}

/// A feature whose values are compared with a distribution.
#[derive(Debug)]
struct ValueColumn {
    chart: ShiftChart,
    moments: Moments,
    reference: ReferenceSize,
    tenths: Vec<u64>,
}

impl ValueColumn {
    fn new() -> Self {
        Self {
            chart: ShiftChart::new(),
            moments: Moments::default(),
            reference: ReferenceSize::default(),
            tenths: vec![0; TENTHS],
        }
    }

    fn add(
        &mut self,
        value: f64,
        (distribution, is_own): (&Distribution, bool),
        (feature, limits): (Feature, &ShiftLimits),
        (scan, more_allowance): (&MonitoredScan<'_>, f64),
    ) {
        self.moments.add(value);
        let own = scan.scanner.filter(|_| is_own);
        self.reference.add(own, distribution.studies);
        let reference = self.reference.effective();
        let allowance = feature.allowance(reference) + more_allowance;
        let limit = limits.at(reference);
        let score = distribution.normal_score(value);
        self.chart.add(score, allowance, limit, scan.row);
        let tenth = (distribution.share_below(value) * TENTHS as f64) as usize;
        self.tenths[tenth.min(TENTHS - 1)] += 1;
    }

    fn row(
        &self,
        empty: MonitorRow,
        distribution: Option<&Distribution>,
        decided: u64,
    ) -> MonitorRow {
        let is_counts = empty.feature == Feature::Counts;
        let natural = |value: f64| if is_counts { value.exp() } else { value };
        let Moments { scans, mean, .. } = self.moments;
        let reading = (scans > 0).then(|| self.chart.reading());
        let row = MonitorRow {
            reference_studies: distribution.map(|it| it.studies),
            reference_location: distribution.map(|it| natural(it.mean)),
            reference_spread: distribution.map(|it| it.deviation),
            scans,
            location: (scans > 0).then(|| natural(mean)),
            spread: self.moments.deviation(),
            tenths: self.tenths.clone(),
            ..empty
        };
        row.read(reading, decided)
    }
}

/// A feature that is a share.
#[derive(Debug)]
struct ShareColumn {
    reference: ReferenceShare,
    chart: Option<ShareChart>,
    job: ReferenceShare,
}

impl ShareColumn {
    fn new(feature: Feature, reference: ReferenceShare) -> Self {
        Self {
            reference,
            chart: ShareChart::new(feature, reference),
            job: ReferenceShare::default(),
        }
    }

    fn add(&mut self, is_event: bool, row: u64) {
        self.job.whole += 1;
        self.job.part += u64::from(is_event);
        if let Some(chart) = &mut self.chart {
            chart.add(is_event, row);
        }
    }

    fn row(
        &self,
        feature: Feature,
        scanner: Option<&str>,
        compared_with: ComparedWith,
    ) -> MonitorRow {
        let row = MonitorRow {
            reference_studies: self.chart.as_ref().map(|_| self.reference.whole),
            reference_location: self.reference.share(),
            scans: self.job.whole,
            location: self.job.share(),
            ..MonitorRow::empty(feature, scanner, compared_with)
        };
        let chart = self.chart.as_ref().filter(|_| self.job.whole > 0);
        row.read(chart.map(ShareChart::reading), self.job.whole)
    }
}

impl MonitorRow {
    fn empty(feature: Feature, scanner: Option<&str>, compared_with: ComparedWith) -> Self {
        Self {
            feature,
            scanner: scanner.map(str::to_owned),
            compared_with,
            reference_studies: None,
            reference_location: None,
            reference_spread: None,
            scans: 0,
            location: None,
            spread: None,
            statistic: None,
            limit: None,
            direction: None,
            first_alarm: None,
            state: MonitorState::NotKnown,
            tenths: Vec::new(),
        }
    }

    /// The row with what its chart tells, of so many scans that were given a decision.
    fn read(self, reading: Option<Reading>, decided: u64) -> Self {
        let is_known = self.reference_studies.is_some();
        let state = match (reading, self.scans) {
            _ if !is_known => MonitorState::NotKnown,
            (None, _) if decided >= LEAST_SCANS => MonitorState::NotKnown,
            (None, _) | (_, ..LEAST_SCANS) => MonitorState::TooFew,
            (Some(reading), _) if reading.first_alarm.is_some() => MonitorState::Outside,
            (Some(_), _) => MonitorState::Within,
        };
        let reading = reading.filter(|_| is_known);
        Self {
            statistic: reading.map(|it| it.statistic),
            limit: reading.map(|it| it.limit),
            direction: reading.map(|it| it.direction),
            first_alarm: reading.and_then(|it| it.first_alarm),
            state,
            ..self
        }
    }
}

/// Mean and standard deviation of values that come one after another (Welford, 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    scans: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.scans += 1;
        let off = value - self.mean;
        self.mean += off / self.scans as f64;
        self.squares += off * (value - self.mean);
    }

    fn deviation(&self) -> Option<f64> {
        (self.scans > 1).then(|| (self.squares / (self.scans - 1) as f64).sqrt())
    }
}

/// How well the reference of a job's scans is known, which are of several scanners.
#[derive(Clone, Debug, Default)]
struct ReferenceSize {
    scans: u64,
    /// The scans that were compared with each scanner's reference, or with that of all.
    by_reference: BTreeMap<Option<String>, u64>,
    /// The sum over these of their square by the studies of their reference.
    sum: f64,
}

impl ReferenceSize {
    fn add(&mut self, scanner: Option<&str>, studies: u64) {
        self.scans += 1;
        let scans = self
            .by_reference
            .entry(scanner.map(str::to_owned))
            .or_default();
        self.sum += (2 * *scans + 1) as f64 / studies as f64;
        *scans += 1;
    }

    /// As many studies of one reference as would have the same error.
    fn effective(&self) -> f64 {
        (self.scans as f64).powi(2) / self.sum
    }
}

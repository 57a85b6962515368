//! A bundle in memory: its files are checked, and its networks screen images.

use std::collections::{BTreeMap, BTreeSet};

use attrium_nn::Device;
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::error::{
    ChangedSnafu, CohortSnafu, Error, IncompleteSnafu, ManifestSnafu, NetworkSnafu,
    NormalizationSnafu, UnlistedSnafu, WeightsSnafu,
};
use super::{
    Answer, Approval, BundleManifest, CHECKSUMS, COHORT, Checksums, MANIFEST, RECALIBRATED_VERSION,
    REFERENCE, SIGNATURE, SiteRecalibration, UncertaintyLimits, UncertaintyRule,
    reference_from_json,
};
use attrium_api::OperatingPoint;
use attrium_dataset::{CohortDigests, Overlap, ScanIdentity};
use attrium_evaluation::monitoring::Reference;
use attrium_evaluation::{
    at_prevalence, at_temperature, corrected, positive_at_prevalence, positive_probability,
};
use attrium_imaging::{CROP_PIXELS, intensities};
use attrium_nn::{ActivationMap, GradCam, Network};
use attrium_training::Normalization;

/// A bundle in memory, ready to screen with.
#[derive(Debug)]
pub struct Model {
    /// What the bundle says of itself.
    pub manifest: BundleManifest,
    /// The bundle's digest.
    pub digest: String,
    /// Who has approved it, where somebody has looked.
    pub approval: Option<Approval>,
    /// What tells the scans again that it was trained on; none of a bundle that keeps nothing of them.
    pub cohort: Option<CohortDigests>,
    /// How its cohort was spread; none of a bundle that keeps nothing of it.
    pub reference: Option<Reference>,
    /// The share of positives that probabilities are stated for; `None` where the bundle states none.
    prevalence: Option<f64>,
    members: Vec<LoadedMember>,
}

/// A member in memory.
#[derive(Debug)]
struct LoadedMember {
    network: Network,
    normalization: Normalization,
}

/// A bundle whose probabilities cannot be brought to another prevalence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(display(
    "the bundle does not say for what prevalence its probabilities are: leave prevalence out, or \
     publish the model anew"
))]
pub struct MissingPrevalence;

/// A sensitivity that the model's out-of-fold predictions cannot state a threshold for.
#[derive(Clone, Copy, Debug, PartialEq, Snafu)]
#[snafu(display(
    "the bundle's out-of-fold predictions reach no sensitivity of {sensitivity}: state a threshold \
     instead"
))]
pub struct MissingOperatingPoint {
    sensitivity: f64,
}

impl Model {
    /// Opens a bundle from its files, `SHA256SUMS` among them, after checking every byte.
    ///
    /// # Errors
    /// [`Error`], for a bundle that is not whole, changed, or of another version.
    pub fn open(files: &BTreeMap<String, Vec<u8>>, device: &Device) -> Result<Self, Error> {
        let checksums = compare(files)?;
        let listed = |name: &str| {
            let bytes = files.get(name).filter(|_| checksums.lists(name));
            bytes.context(UnlistedSnafu { name })
        };
        let manifest = BundleManifest::from_json(listed(MANIFEST)?)?;
        check(&manifest)?;
        let mut members = Vec::with_capacity(manifest.members.len());
        for member in &manifest.members {
            let weights = listed(&member.weights)?;
            let normalization = listed(&member.normalization)?;
            members.push(LoadedMember {
                network: Network::from_safetensors(
                    manifest.architecture,
                    manifest.classes.len(),
                    weights,
                    device,
                )
                .context(WeightsSnafu {
                    name: &member.weights,
                })?,
                normalization: Normalization::from_safetensors(normalization, CROP_PIXELS)
                    .context(NormalizationSnafu {
                        name: &member.normalization,
                    })?,
            });
        }
        Ok(Self {
            digest: checksums.digest(),
            approval: None,
            cohort: cohort(files, &checksums)?,
            reference: spread(files, &checksums)?,
            prevalence: manifest.prevalence.map(|prevalence| prevalence.stated),
            manifest,
            members,
        })
    }

    /// The same model with its probabilities stated for another share of positives, in (0, 1).
    ///
    /// # Errors
    /// [`MissingPrevalence`] of a bundle that does not say what they are stated for.
    pub fn at_prevalence(self, prevalence: f64) -> Result<Self, MissingPrevalence> {
        ensure!(self.prevalence.is_some(), MissingPrevalenceSnafu);
        Ok(Self {
            prevalence: Some(prevalence),
            ..self
        })
    }

    /// The share of positives that probabilities are stated for; `None` where the bundle states none.
    pub fn prevalence(&self) -> Option<f64> {
        self.prevalence
    }

    /// The probability of each class, freed of the classes' weights in the training, at the bundle's temperature,
    /// averaged over the members, recalibrated where the bundle was, and at the prevalence that is stated:
    /// `[image][class]`.
    ///
    /// `counts` are those of crops, 128 x 128 pixels each, one after another; they are brought to the
    /// bundle's scale here.
    ///
    /// # Errors
    /// [`Error::Network`] if `counts` is not a whole number of crops.
    pub fn probabilities(&self, counts: &[f32]) -> Result<Vec<Vec<f64>>, Error> {
        let answers = self.answers(counts)?.into_iter();
        Ok(answers.map(|answer| answer.probabilities).collect())
    }

    /// The [`probabilities`](Self::probabilities) with what each of the members says by itself.
    ///
    /// # Errors
    /// [`Error::Network`] if `counts` is not a whole number of crops.
    pub fn answers(&self, counts: &[f32]) -> Result<Vec<Answer>, Error> {
        let images = self.images(counts);
        let target = self.manifest.target;
        let empty = Answer {
            probabilities: vec![0.0; self.manifest.classes.len()],
            members: Vec::with_capacity(self.members.len()),
        };
        let mut answers = vec![empty; images.len() / CROP_PIXELS];
        for member in &self.members {
            let probabilities = member
                .network
                .probabilities(&member.normalized(&images))
                .context(NetworkSnafu)?;
            for (answer, probabilities) in answers.iter_mut().zip(probabilities) {
                let corrected = corrected(&probabilities, &self.manifest.prior_correction);
                let scaled = at_temperature(&corrected, self.manifest.temperature);
                let own = self.stated(scaled.clone());
                answer.members.push(positive_probability(target, &own));
                for (mean, probability) in answer.probabilities.iter_mut().zip(scaled) {
                    *mean += probability / self.members.len() as f64;
                }
            }
        }
        for answer in &mut answers {
            answer.probabilities = self.stated(std::mem::take(&mut answer.probabilities));
        }
        Ok(answers)
    }

    /// Probabilities as they are scaled, recalibrated where the bundle was, and at the stated prevalence.
    fn stated(&self, scaled: Vec<f64>) -> Vec<f64> {
        let target = self.manifest.target;
        let recalibrated = match &self.manifest.recalibration {
            Some(recalibration) => recalibration.change().apply(target, &scaled),
            None => scaled,
        };
        match self.manifest.prevalence.zip(self.prevalence) {
            Some((of, stated)) => at_prevalence(target, &recalibrated, of.cohort, stated),
            None => recalibrated,
        }
    }

    /// By what decisions at a threshold are told that are uncertain; `None` of a bundle from before there was
    /// anything.
    pub fn uncertainty_rule(&self, threshold: f64) -> Option<UncertaintyRule> {
        UncertaintyRule::new(&self.manifest, self.prevalence?, threshold)
    }

    /// Whether it was trained on a scan, on its study or on its patient.
    pub fn overlap(&self, scan: &ScanIdentity) -> Overlap {
        match &self.cohort {
            Some(cohort) => cohort.overlap(scan),
            None => Overlap::UNKNOWN,
        }
    }

    /// The network that a training starts from, and what its images go through before it sees them: those of a
    /// member, of which each fold has its own as long as there are enough.
    pub fn starting_point(&self, fold: u32) -> (&Network, &Normalization) {
        // A bundle that names no member is not opened.
        let member = &self.members[fold as usize % self.members.len()];
        (&member.network, &member.normalization)
    }

    /// What the first convolution of each block of the first member makes of the counts of one crop.
    ///
    /// # Errors
    /// [`Error::Network`] if `counts` are not of one crop.
    pub fn activation_maps(&self, counts: &[f32]) -> Result<Vec<ActivationMap>, Error> {
        let Some(member) = self.members.first() else {
            return Ok(Vec::new());
        };
        member
            .network
            .activation_maps(&member.normalized(&self.images(counts)))
            .context(NetworkSnafu)
    }

    /// Where the members together find what speaks for a positive in the counts of one
    /// crop: the mean of their maps, each scaled to a greatest value of 1 (or 0
    /// throughout, where a member finds nothing).
    ///
    /// # Errors
    /// [`Error::Network`] if `counts` are not of one crop.
    pub fn grad_cam(&self, counts: &[f32]) -> Result<Option<GradCam>, Error> {
        let first_positive = self.manifest.target.first_positive_class();
        let images = self.images(counts);
        let mut mean: Option<GradCam> = None;
        for member in &self.members {
            let map = member
                .network
                .grad_cam(&member.normalized(&images), first_positive)
                .context(NetworkSnafu)?
                .scaled_to(1.0 / self.members.len() as f32);
            match &mut mean {
                Some(mean) => mean.add(&map),
                None => mean = Some(map),
            }
        }
        Ok(mean)
    }

    /// Crops on the scale that the members were trained on.
    fn images(&self, counts: &[f32]) -> Vec<f32> {
        let crops = counts.chunks(CROP_PIXELS);
        crops
            .flat_map(|counts| intensities(counts, self.manifest.intensity))
            .collect()
    }

    /// The threshold on the probability of a positive that an operating point means for this
    /// model.
    ///
    /// # Errors
    /// [`MissingOperatingPoint`] where a sensitivity is asked for and the model's out-of-fold
    /// predictions had no positive.
    pub fn threshold(&self, point: &OperatingPoint) -> Result<f64, MissingOperatingPoint> {
        match &point.sensitivity {
            None => Ok(point
                .threshold
                .as_ref()
                .map_or(0.5, |threshold| threshold.value())),
            Some(sensitivity) => {
                let sensitivity = sensitivity.value();
                let threshold = threshold_for(&self.manifest.positive_scores, sensitivity)
                    .context(MissingOperatingPointSnafu { sensitivity })?;
                let of_bundle = self.manifest.prevalence.zip(self.prevalence);
                Ok(of_bundle.map_or(threshold, |(from, to)| {
                    positive_at_prevalence(threshold, from.stated, to)
                }))
            }
        }
    }
}

impl LoadedMember {
    fn normalized(&self, images: &[f32]) -> Vec<f32> {
        let mut images = images.to_vec();
        self.normalization.apply(&mut images);
        images
    }
}

/// Refuses a description that yields no probabilities, or probabilities of something else.
fn check(manifest: &BundleManifest) -> Result<(), Error> {
    let BundleManifest {
        target,
        classes,
        members,
        prior_correction,
        temperature,
        prevalence,
        recalibration,
        ..
    } = manifest;
    let fault = "names no members";
    ensure!(!members.is_empty(), ManifestSnafu { fault });
    // Each is loaded: without this a small file could ask for one network a thousand times.
    let names = members
        .iter()
        .flat_map(|it| [&it.weights, &it.normalization]);
    let distinct: BTreeSet<_> = names.collect();
    let fault = "names a member's file twice";
    ensure!(distinct.len() == 2 * members.len(), ManifestSnafu { fault });
    let fault = format!("has the classes {classes:?}, which are not those of {target}");
    ensure!(classes == target.classes(), ManifestSnafu { fault });
    let fault = format!("has a temperature of {temperature}, which is not above 0");
    ensure!(*temperature > 0.0, ManifestSnafu { fault });
    let fault = "has a prior correction that is not one number for each class";
    let is_whole = prior_correction.is_empty() || prior_correction.len() == classes.len();
    let is_finite = prior_correction
        .iter()
        .all(|logarithm| logarithm.is_finite());
    ensure!(is_whole && is_finite, ManifestSnafu { fault });
    let fault = "states a prevalence that is not above 0 and below 1";
    let shares = prevalence.iter().flat_map(|it| [it.cohort, it.stated]);
    let is_part = shares.into_iter().all(|share| share > 0.0 && share < 1.0);
    ensure!(is_part, ManifestSnafu { fault });
    let fault = "has a recalibration where its format version has none, or the other way round";
    let is_of_version =
        recalibration.is_some() == (manifest.format_version == RECALIBRATED_VERSION);
    ensure!(is_of_version, ManifestSnafu { fault });
    let fault = "has a recalibration that is no change of log odds";
    let is_change =
        |it: &SiteRecalibration| it.slope > 0.0 && it.slope.is_finite() && it.intercept.is_finite();
    let is_sound = recalibration.as_ref().is_none_or(is_change);
    ensure!(is_sound, ManifestSnafu { fault });
    let limits = manifest.uncertainty.as_ref();
    if let Some(fault) = limits.and_then(UncertaintyLimits::fault) {
        return ManifestSnafu { fault }.fail();
    }
    Ok(())
}

/// The highest threshold that so large a share of the scores, sorted from the highest, reaches.
fn threshold_for(scores: &[f64], sensitivity: f64) -> Option<f64> {
    // The slack takes back what rounding adds, as in 0.7 * 10.0.
    let needed = (sensitivity * scores.len() as f64 - 1e-9).ceil().max(1.0);
    scores.get(needed as usize - 1).copied()
}

/// The digests of what a bundle was trained on; none where it keeps none.
///
/// # Errors
/// [`Error`], where they are not there, changed, or cannot be read.
pub fn cohort(
    files: &BTreeMap<String, Vec<u8>>,
    checksums: &Checksums,
) -> Result<Option<CohortDigests>, Error> {
    if !checksums.lists(COHORT) {
        return Ok(None);
    }
    let json = files.get(COHORT).context(UnlistedSnafu { name: COHORT })?;
    ensure!(checksums.holds(COHORT, json), ChangedSnafu { name: COHORT });
    CohortDigests::from_json(json)
        .map(Some)
        .context(CohortSnafu)
}

/// How the cohort of a bundle was spread; none where it keeps nothing of it.
fn spread(
    files: &BTreeMap<String, Vec<u8>>,
    checksums: &Checksums,
) -> Result<Option<Reference>, Error> {
    if !checksums.lists(REFERENCE) {
        return Ok(None);
    }
    let json = files.get(REFERENCE);
    reference_from_json(json.context(UnlistedSnafu { name: REFERENCE })?).map(Some)
}

/// Compares every file of a bundle with its checksum; there may be no other but a signature.
///
/// # Errors
/// [`Error`], of a bundle that is not whole or changed.
pub fn compare(files: &BTreeMap<String, Vec<u8>>) -> Result<Checksums, Error> {
    let checksums = Checksums::parse(files.get(CHECKSUMS).context(IncompleteSnafu)?)?;
    let beside = [CHECKSUMS, SIGNATURE];
    for name in files.keys().map(String::as_str) {
        let is_known = checksums.lists(name) || beside.contains(&name);
        ensure!(is_known, UnlistedSnafu { name });
    }
    for name in checksums.names() {
        let bytes = files.get(name).context(UnlistedSnafu { name })?;
        ensure!(checksums.holds(name, bytes), ChangedSnafu { name });
    }
    Ok(checksums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::reference;
    use crate::{
        CARD, FORMAT_VERSION, INTENDED_USE, Member, MemberFiles, StatedPrevalence,
        TrainingProvenance, model_card, pack,
    };
    use attrium_api::PublishMethod;
    use attrium_dataset::{Salt, SaltedDigests, ScanDigests};
    use attrium_evaluation::{
        Doubt, EvaluationOptions, Prediction, Predictions, Uncertainty, evaluate,
    };
    use attrium_nn as nn;
    use attrium_types::{Architecture, CropMode, Decimal, InitialWeights, Intensity, Target};

    fn predictions() -> Predictions {
        let row = |study: usize| {
            let positive = study as f64 / 10.0;
            Prediction {
                study: study.to_string(),
                fold: Some(study % 2),
                label: Some(usize::from(study >= 5)),
                probabilities: vec![1.0 - positive, positive],
                covariates: Vec::new(),
            }
        };
        Predictions {
            classes: 2,
            covariates: Vec::new(),
            rows: (0..10).map(row).collect(),
        }
    }

    fn manifest(members: Vec<Member>) -> BundleManifest {
        BundleManifest {
            format_version: FORMAT_VERSION,
            architecture: Architecture::Linear,
            initial_weights: InitialWeights::Random,
            target: Target::Positive,
            classes: Target::Positive
                .classes()
                .iter()
                .map(|&class| class.to_owned())
                .collect(),
            synthetic: true,
            crop: CropMode::Robust,
            intensity: Intensity::Normalized,
            members,
            training: TrainingProvenance {
                run: "test".to_owned(),
                attrium: "0.0.0".to_owned(),
                method: PublishMethod::Ensemble,
                studies: 10,
                by_grade: BTreeMap::new(),
                cross_validation: Default::default(),
                augmentation: Default::default(),
                training: Default::default(),
                study: None,
            },
            prior_correction: vec![0.0, (1.0_f64 / 3.0).ln()],
            temperature: 2.0,
            prevalence: Some(StatedPrevalence {
                cohort: 0.5,
                stated: 0.1,
            }),
            recalibration: None,
            metrics: evaluate(
                Target::Positive,
                &predictions(),
                &EvaluationOptions::default(),
            )
            .unwrap(),
            positive_scores: vec![0.9, 0.8, 0.7, 0.6, 0.5],
            uncertainty: None,
            intended_use: INTENDED_USE.to_owned(),
        }
    }

    fn network(seed: u64) -> Network {
        Network::new(Architecture::Linear, 2, seed, &nn::cpu()).unwrap()
    }

    fn bundle() -> BTreeMap<String, Vec<u8>> {
        let members = vec![Member::of_fold(0), Member::of_fold(1)];
        let files = (0..2).map(|seed| MemberFiles {
            weights: network(seed).to_safetensors().unwrap(),
            normalization: normalization().to_safetensors().unwrap(),
        });
        let packed = pack(
            &manifest(members),
            Some(&seen()),
            Some(&reference()),
            files.collect(),
        )
        .unwrap();
        packed.files.into_iter().collect()
    }

    /// The digests of one scan.
    fn seen() -> CohortDigests {
        let scan = ["0011223344556677", "", "0123456789abcdef"];
        let mut digests = SaltedDigests::new(Salt::of_labels("labels"));
        digests.add(&ScanDigests::parse(scan).unwrap(), true);
        CohortDigests::new(digests)
    }

    fn normalization() -> Normalization {
        Normalization {
            mean: vec![1.0; CROP_PIXELS],
            deviation: vec![2.0; CROP_PIXELS],
        }
    }

    /// Changes the bundle's description and makes its checksums right again.
    fn with_manifest(change: impl Fn(String) -> String) -> BTreeMap<String, Vec<u8>> {
        with_file(MANIFEST, |json| Some(change(json)))
    }

    /// Changes or leaves out a file of the bundle and makes its checksums right again.
    fn with_file(
        name: &str,
        change: impl Fn(String) -> Option<String>,
    ) -> BTreeMap<String, Vec<u8>> {
        let mut files = bundle();
        let text = String::from_utf8(files.remove(name).unwrap()).unwrap();
        files.extend(change(text).map(|text| (name.to_owned(), text.into_bytes())));
        files.remove(CHECKSUMS);
        let listed = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let sums = Checksums::of(listed).to_text();
        files.insert(CHECKSUMS.to_owned(), sums.into_bytes());
        files
    }

    /// Changes fields of the bundle's description, or takes them away.
    fn with_fields(fields: &[(&str, Option<serde_json::Value>)]) -> BTreeMap<String, Vec<u8>> {
        with_manifest(|json| {
            let mut manifest: serde_json::Value = serde_json::from_str(&json).unwrap();
            for (field, value) in fields {
                match value {
                    Some(value) => manifest[*field] = value.clone(),
                    None => drop(manifest.as_object_mut().unwrap().remove(*field)),
                }
            }
            manifest.to_string()
        })
    }

    fn error(files: &BTreeMap<String, Vec<u8>>) -> Error {
        Model::open(files, &nn::cpu()).unwrap_err()
    }

    fn counts() -> Vec<f32> {
        (0..CROP_PIXELS).map(|pixel| (pixel % 7) as f32).collect()
    }

    /// The mean over the members of the probability of a positive, whose odds at a temperature of 2 are the square
    /// roots of what they were but for a factor.
    fn mean_of_members(factor: f64) -> f64 {
        let mut normalized = intensities(&counts(), Intensity::Normalized);
        normalization().apply(&mut normalized);
        let of_member = |seed| {
            let probabilities = &network(seed).probabilities(&normalized).unwrap()[0];
            let odds = (factor * probabilities[1] / probabilities[0]).sqrt();
            odds / (1.0 + odds)
        };
        (of_member(0) + of_member(1)) / 2.0
    }

    fn positive(model: &Model) -> f64 {
        let found = model.probabilities(&counts()).unwrap();
        assert_eq!(found.len(), 1);
        found[0][1]
    }

    #[test]
    fn the_probabilities_of_the_members_are_corrected_scaled_averaged_and_stated_for_a_prevalence()
    {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        let mean = mean_of_members(1.0 / 3.0);
        // From even odds to 1 in 10.
        let odds = mean / (1.0 - mean) / 9.0;
        assert!((positive(&model) - odds / (1.0 + odds)).abs() < 1e-12);
        assert_eq!(model.prevalence(), Some(0.1));
        let model = model.at_prevalence(0.5).unwrap();
        assert!((positive(&model) - mean).abs() < 1e-12);
        assert_eq!(model.prevalence(), Some(0.5));
    }

    #[test]
    fn what_people_have_stated_is_kept_and_a_bundle_from_before_states_nothing() {
        let plain = with_manifest(|json| json);
        let model = Model::open(&plain, &nn::cpu()).unwrap();
        assert_eq!(model.manifest.training.study, None);
        let stated = with_manifest(|json| {
            let mut manifest: serde_json::Value = serde_json::from_str(&json).unwrap();
            manifest["training"]["study"] = serde_json::json!({ "licence": "CC-BY-4.0" });
            manifest.to_string()
        });
        let model = Model::open(&stated, &nn::cpu()).unwrap();
        let study = model.manifest.training.study.clone().unwrap();
        assert_eq!(study.licence.as_deref(), Some("CC-BY-4.0"));
        let again = BundleManifest::from_json(&model.manifest.to_json().unwrap()).unwrap();
        assert_eq!(again, model.manifest);
    }

    /// The fields of a bundle that was recalibrated.
    fn recalibration(slope: f64) -> [(&'static str, Option<serde_json::Value>); 2] {
        let recalibration = SiteRecalibration {
            parent: format!("sha256:{}", "0".repeat(64)),
            intercept: 1.0,
            slope,
            studies: 200,
            positives: 10,
            proven: true,
            attrium: "0.0.0".to_owned(),
        };
        let recalibration = serde_json::to_value(recalibration).unwrap();
        [
            ("formatVersion", Some(RECALIBRATED_VERSION.into())),
            ("recalibration", Some(recalibration)),
        ]
    }

    #[test]
    fn a_recalibrated_bundle_changes_the_log_odds_of_the_mean_before_a_prevalence_is_stated() {
        let model = Model::open(&with_fields(&recalibration(0.5)), &nn::cpu()).unwrap();
        let model = model.at_prevalence(0.5).unwrap();
        let mean = mean_of_members(1.0 / 3.0);
        let log_odds = 1.0 + 0.5 * (mean / (1.0 - mean)).ln();
        let expected = 1.0 / (1.0 + (-log_odds).exp());
        assert!((positive(&model) - expected).abs() < 1e-12);
        let card = model_card(&model.manifest, None);
        assert!(
            card.contains("200 scans of a site, 10 of them positive"),
            "{card}"
        );
    }

    #[test]
    fn a_recalibration_belongs_to_its_version_and_changes_no_order() {
        let [version, recalibrated] = recalibration(0.5);
        for (fields, fault) in [
            (vec![version], "format version"),
            (vec![recalibrated], "format version"),
            (recalibration(0.0).to_vec(), "no change of log odds"),
            (recalibration(-1.0).to_vec(), "no change of log odds"),
        ] {
            let message = error(&with_fields(&fields)).to_string();
            assert!(message.contains(fault), "{message}");
        }
    }

    #[test]
    fn a_bundle_from_before_prevalences_were_stated_is_scaled_alone_and_brought_to_none() {
        let files = with_fields(&[("priorCorrection", None), ("prevalence", None)]);
        let model = Model::open(&files, &nn::cpu()).unwrap();
        assert!((positive(&model) - mean_of_members(1.0)).abs() < 1e-12);
        assert_eq!(model.prevalence(), None);
        assert_eq!(model.at_prevalence(0.5).unwrap_err(), MissingPrevalence);
    }

    #[test]
    fn a_threshold_goes_with_the_prevalence_and_calls_the_same_positives() {
        let half = OperatingPoint {
            threshold: None,
            sensitivity: Some("0.6".parse().unwrap()),
        };
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        assert_eq!(model.threshold(&half), Ok(0.7));
        // Odds of 7 to 3 at 1 in 10 are nine times those at even odds.
        let model = model.at_prevalence(0.5).unwrap();
        let odds = 9.0 * 7.0 / 3.0;
        let threshold = model.threshold(&half).unwrap();
        assert!((threshold - odds / (1.0 + odds)).abs() < 1e-12);
    }

    /// Limits whose descriptors are of a version, and of one number, with a share and a score.
    fn limits(descriptor: u32, share: f64, score: f64) -> serde_json::Value {
        serde_json::json!({
            "nearThreshold": share,
            "negativeScores": [score, 0.01],
            "training": { "descriptor": descriptor, "scans": 10, "mean": [0.0], "covariance": [1.0], "limit": 1.0 },
        })
    }

    #[test]
    fn a_bundle_from_before_there_were_limits_flags_nothing_and_clears_nothing() {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        assert_eq!(model.manifest.uncertainty, None);
        assert!(model.uncertainty_rule(0.5).is_none());
    }

    #[test]
    fn a_card_says_which_decisions_are_uncertain_where_the_bundle_tells() {
        let before = manifest(vec![Member::of_fold(0), Member::of_fold(1)]);
        assert!(!model_card(&before, None).contains("## Uncertain decisions"));
        let ensemble = BundleManifest {
            uncertainty: serde_json::from_value(limits(1, 0.06, 0.3)).unwrap(),
            ..before
        };
        let card = model_card(&ensemble, None);
        for words in [
            "greatest 6 %",
            "`members-disagree`",
            "99 % of these 10 scans",
        ] {
            assert!(card.contains(words), "{card}");
        }
        let one = BundleManifest {
            members: vec![Member::of_all()],
            ..ensemble
        };
        assert!(!model_card(&one, None).contains("members-disagree"));
    }

    #[test]
    fn descriptors_of_another_version_are_not_compared() {
        let files = with_fields(&[("uncertainty", Some(limits(999, 0.5, 0.3)))]);
        let model = Model::open(&files, &nn::cpu()).unwrap();
        let rule = model.uncertainty_rule(0.7).unwrap();
        let flag = |positive: f64| {
            let answer = Answer {
                probabilities: vec![1.0 - positive, positive],
                members: vec![positive; 2],
            };
            rule.uncertainty(&answer, positive, &counts())
        };
        assert_eq!(flag(1.0), Uncertainty::Unknown);
        let near = Uncertainty::Flagged(vec![Doubt::NearThreshold]);
        assert_eq!(flag(0.69), near);
    }

    #[test]
    fn an_answer_has_what_each_member_says_at_the_prevalence_that_is_stated() {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        let model = model.at_prevalence(0.5).unwrap();
        let answer = &model.answers(&counts()).unwrap()[0];
        let mean = answer.members.iter().sum::<f64>() / 2.0;
        assert_eq!(answer.members.len(), 2);
        assert!((mean - answer.probabilities[1]).abs() < 1e-12);
    }

    #[test]
    fn folds_start_from_the_members_in_turn() {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        for (fold, member) in [(0, 0), (1, 1), (2, 0), (u32::MAX, 1)] {
            let (start, normalized) = model.starting_point(fold);
            let expected = network(member).to_safetensors().unwrap();
            assert_eq!(start.to_safetensors().unwrap(), expected, "fold {fold}");
            assert_eq!(*normalized, normalization());
        }
    }

    #[test]
    fn a_changed_byte_of_any_file_is_noticed() {
        for name in bundle().keys() {
            let mut files = bundle();
            let bytes = files.get_mut(name).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            assert!(
                Model::open(&files, &nn::cpu()).is_err(),
                "{name} was changed unnoticed"
            );
        }
    }

    #[test]
    fn a_bundle_without_checksums_is_not_whole() {
        let mut files = bundle();
        files.remove(CHECKSUMS);
        assert!(matches!(error(&files), Error::Incomplete));
    }

    #[test]
    fn a_signature_beside_a_bundle_is_no_part_of_it_and_any_other_file_is_refused() {
        let mut files = bundle();
        let digest = Model::open(&files, &nn::cpu()).unwrap().digest;
        files.insert(SIGNATURE.to_owned(), b"signed".to_vec());
        assert_eq!(Model::open(&files, &nn::cpu()).unwrap().digest, digest);
        files.insert("notes.txt".to_owned(), b"mine".to_vec());
        let message = error(&files).to_string();
        assert!(message.contains("notes.txt"), "{message}");
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused() {
        for field in ["\"formatVersion\": 1", "\"temperature\": 2.0"] {
            let files = with_manifest(|json| json.replace(field, &format!("{field}, {field}")));
            assert!(matches!(error(&files), Error::Unreadable { .. }), "{field}");
        }
    }

    #[test]
    fn a_bundle_has_what_tells_its_scans_again_and_one_from_before_has_nothing() {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        assert_eq!(model.cohort, Some(seen()));
        let card = String::from_utf8(bundle()[CARD].clone()).unwrap();
        let words = "digests of 1 studies, 1 images and 0 patients";
        assert!(card.contains(words), "{card}");
        assert!(!model_card(&model.manifest, None).contains("cohort.json"));
        let earlier = with_file(COHORT, |_| None);
        let model = Model::open(&earlier, &nn::cpu()).unwrap();
        assert_eq!(model.cohort, None);
    }

    #[test]
    fn a_bundle_has_how_its_cohort_was_spread_and_one_from_before_has_nothing() {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        assert_eq!(model.reference, Some(reference()));
        let earlier = with_file(REFERENCE, |_| None);
        assert_eq!(Model::open(&earlier, &nn::cpu()).unwrap().reference, None);
        let broken = with_file(REFERENCE, |_| Some("{}".to_owned()));
        assert!(matches!(error(&broken), Error::UnreadableReference { .. }));
    }

    #[test]
    fn a_bundle_whose_digests_cannot_be_read_is_refused() {
        for (from, to) in [
            ("0011", "zz11"),
            ("\"formatVersion\":1", "\"formatVersion\":9"),
        ] {
            let files = with_file(COHORT, |json| Some(json.replace(from, to)));
            assert!(matches!(error(&files), Error::Cohort { .. }), "{from}");
        }
    }

    #[test]
    fn a_card_says_what_was_seen_before_and_what_nobody_knows() {
        let manifest = manifest(vec![Member::of_all()]);
        let child = CohortDigests::new(SaltedDigests::new(Salt::of_labels("others")));
        let unknown = format!("sha256:{}", "0".repeat(64));
        let told = child.clone().started_from(&unknown, Some(seen()));
        let card = model_card(&manifest, Some(&told));
        let words = "from which it started: 1 studies, 1 images and 0 patients.";
        assert!(
            card.contains(words) && !card.contains("not known"),
            "{card}"
        );
        let card = model_card(&manifest, Some(&child.started_from(&unknown, None)));
        assert!(card.contains("is not known"), "{card}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut files = bundle();
        files.remove("weights-1.safetensors");
        let error = error(&files).to_string();
        assert!(error.contains("weights-1.safetensors"), "{error}");
    }

    #[test]
    fn a_bundle_of_another_version_is_refused_by_its_version() {
        let files =
            with_manifest(|json| json.replace("\"formatVersion\": 1", "\"formatVersion\": 3"));
        assert!(matches!(error(&files), Error::Version { found: 3, .. }));
    }

    #[test]
    fn a_member_that_no_checksum_covers_is_refused() {
        let files =
            with_manifest(|json| json.replace("weights-1.safetensors", "weights-9.safetensors"));
        assert!(matches!(error(&files), Error::Unlisted { .. }));
    }

    #[test]
    fn a_description_of_no_model_is_refused_by_what_it_says() {
        for (field, value, fault) in [
            ("members", serde_json::json!([]), "names no members"),
            (
                "members",
                serde_json::json!([
                    { "weights": "weights-0.safetensors", "normalization": "normalization-0.safetensors" },
                    { "weights": "weights-0.safetensors", "normalization": "normalization-1.safetensors" },
                ]),
                "names a member's file twice",
            ),
            (
                "classes",
                serde_json::json!(["positive", "negative"]),
                "not those of Positive",
            ),
            (
                "classes",
                serde_json::json!(["negative"]),
                "not those of Positive",
            ),
            ("temperature", serde_json::json!(0.0), "a temperature of 0,"),
            (
                "temperature",
                serde_json::json!(-1.5),
                "a temperature of -1.5,",
            ),
            (
                "priorCorrection",
                serde_json::json!([0.5]),
                "not one number for each class",
            ),
            (
                "prevalence",
                serde_json::json!({ "cohort": 0.5, "stated": 1.0 }),
                "not above 0 and below 1",
            ),
            (
                "prevalence",
                serde_json::json!({ "cohort": 0.0, "stated": 0.01 }),
                "not above 0 and below 1",
            ),
            (
                "uncertainty",
                limits(999, 1.0, 0.1),
                "limits of uncertainty that are no shares",
            ),
            (
                "uncertainty",
                limits(999, 0.06, 1.5),
                "limits of uncertainty that are no shares",
            ),
            (
                "uncertainty",
                limits(1, 0.06, 0.1),
                "no distribution of the training's scans",
            ),
        ] {
            let files = with_fields(&[(field, Some(value))]);
            let message = error(&files).to_string();
            assert!(message.contains(fault), "{message}");
        }
    }

    #[test]
    fn a_sensitivity_is_the_threshold_that_so_many_positives_reach() {
        let model = Model::open(&bundle(), &nn::cpu()).unwrap();
        let threshold = |sensitivity: &str| {
            model.threshold(&OperatingPoint {
                threshold: None,
                sensitivity: Some(sensitivity.parse().unwrap()),
            })
        };
        assert_eq!(threshold("0.6"), Ok(0.7));
        assert_eq!(threshold("0.61"), Ok(0.6));
        assert_eq!(threshold("1"), Ok(0.5));
        let stated = OperatingPoint {
            threshold: Some("0.25".parse::<Decimal>().unwrap()),
            sensitivity: None,
        };
        assert_eq!(model.threshold(&stated), Ok(0.25));
    }

    #[test]
    fn a_model_without_positives_knows_no_sensitivity() {
        let files = with_fields(&[("positiveScores", Some(serde_json::json!([])))]);
        let model = Model::open(&files, &nn::cpu()).unwrap();
        let point = OperatingPoint {
            threshold: None,
            sensitivity: Some("0.9".parse().unwrap()),
        };
        assert!(model.threshold(&point).is_err());
    }
}

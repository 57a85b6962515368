//! Logistic regression of a truth on one covariate, by maximum likelihood.

/// What is regressed: a covariate, the truth and the patient of each study.
pub(super) struct Studies<'a> {
    pub covariate: &'a [f64],
    pub positive: &'a [bool],
    /// Each study's patient, numbered from 0 without gaps.
    pub patients: &'a [usize],
}

/// A coefficient and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Coefficient {
    pub value: f64,
    pub standard_error: f64,
}

const MAX_ITERATIONS: usize = 100;
/// A step below this share of the coefficients ends the search.
const ENOUGH: f64 = 1e-13;
/// A slope beyond this is taken for that of classes without an overlap, which has no end.
const STEEPEST: f64 = 1e4;

/// The slope of `truth ~ intercept + slope * covariate`; `None` where there is no greatest likelihood.
pub(super) fn slope(studies: &Studies<'_>) -> Option<Coefficient> {
    if !overlaps(studies) {
        return None;
    }
    let mut fit = [0.0, 1.0];
    for _ in 0..MAX_ITERATIONS {
        let (score, information) = derivatives(studies, fit);
        let step = multiply(inverse(information)?, score);
        // Half a step at a time where a whole one leads away from where the likelihood grows.
        let mut share = 1.0;
        while share > 1e-6
            && likelihood(studies, moved(fit, step, share)) < likelihood(studies, fit)
        {
            share /= 2.0;
        }
        fit = moved(fit, step, share);
        if fit[1].abs() > STEEPEST {
            return None;
        }
        if step[0].abs() <= ENOUGH * (1.0 + fit[0].abs())
            && step[1].abs() <= ENOUGH * (1.0 + fit[1].abs())
        {
            break;
        }
    }
    let (_, information) = derivatives(studies, fit);
    let bread = inverse(information)?;
    let variance = match scores_by_patient(studies, fit) {
        None => bread[1][1],
        Some(scores) => {
            let of_slope = |score: &[f64; 2]| bread[1][0] * score[0] + bread[1][1] * score[1];
            scores.iter().map(|score| of_slope(score).powi(2)).sum()
        }
    };
    coefficient(fit[1], variance)
}

/// The intercept of `truth ~ intercept + covariate`; `None` where there is no greatest likelihood.
pub(super) fn intercept(studies: &Studies<'_>) -> Option<Coefficient> {
    let positives = studies
        .positive
        .iter()
        .filter(|&&positive| positive)
        .count();
    if positives == 0 || positives == studies.positive.len() {
        return None;
    }
    let mut fit = [0.0, 1.0];
    for _ in 0..MAX_ITERATIONS {
        let (score, information) = derivatives(studies, fit);
        // One study's probability of almost 0 or 1 would else throw the search far off.
        let step = (score[0] / information[0][0]).clamp(-2.0, 2.0);
        fit[0] += step;
        if step.abs() <= ENOUGH * (1.0 + fit[0].abs()) {
            break;
        }
    }
    let (_, information) = derivatives(studies, fit);
    let variance = match scores_by_patient(studies, fit) {
        None => information[0][0].recip(),
        Some(scores) => {
            let squares: f64 = scores.iter().map(|score| score[0].powi(2)).sum();
            squares / information[0][0].powi(2)
        }
    };
    coefficient(fit[0], variance)
}

fn coefficient(value: f64, variance: f64) -> Option<Coefficient> {
    let standard_error = variance.sqrt();
    let finite = value.is_finite() && standard_error.is_finite();
    finite.then_some(Coefficient {
        value,
        standard_error,
    })
}

/// Whether no value of the covariate has all positives on one side of it and all negatives on the other.
fn overlaps(studies: &Studies<'_>) -> bool {
    let range = |wanted: bool| {
        let of = studies.covariate.iter().zip(studies.positive);
        let of = of.filter(|(_, positive)| **positive == wanted);
        of.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(low, high), (&x, _)| (low.min(x), high.max(x)),
        )
    };
    let (positive, negative) = (range(true), range(false));
    positive.0 < negative.1 && negative.0 < positive.1
}

fn fitted(covariate: f64, fit: [f64; 2]) -> f64 {
    (1.0 + (-(fit[0] + fit[1] * covariate)).exp()).recip()
}

fn moved(fit: [f64; 2], step: [f64; 2], share: f64) -> [f64; 2] {
    [fit[0] + share * step[0], fit[1] + share * step[1]]
}

fn likelihood(studies: &Studies<'_>, fit: [f64; 2]) -> f64 {
    let studies = studies.covariate.iter().zip(studies.positive);
    let of_study = |(&x, &positive): (&f64, &bool)| {
        let odds = fit[0] + fit[1] * x;
        let signed = if positive { -odds } else { odds };
        // ln(1 + e^x) without an overflow.
        -(signed.max(0.0) + (-signed.abs()).exp().ln_1p())
    };
    studies.map(of_study).sum()
}

/// The gradient of the log likelihood by intercept and slope, and its information matrix.
fn derivatives(studies: &Studies<'_>, fit: [f64; 2]) -> ([f64; 2], [[f64; 2]; 2]) {
    let (mut score, mut information) = ([0.0; 2], [[0.0; 2]; 2]);
    for (&x, &positive) in studies.covariate.iter().zip(studies.positive) {
        let p = fitted(x, fit);
        let residual = f64::from(u8::from(positive)) - p;
        let weight = p * (1.0 - p);
        score[0] += residual;
        score[1] += residual * x;
        information[0][0] += weight;
        information[0][1] += weight * x;
        information[1][1] += weight * x * x;
    }
    information[1][0] = information[0][1];
    (score, information)
}

/// The gradient's parts by patient, where a patient has several studies: these vary together, so that the spread of
/// their sums tells more than the information does (White, 1980; Liang and Zeger, 1986).
fn scores_by_patient(studies: &Studies<'_>, fit: [f64; 2]) -> Option<Vec<[f64; 2]>> {
    let patients = studies.patients.iter().max().map_or(0, |last| last + 1);
    if patients == studies.patients.len() {
        return None;
    }
    let mut scores = vec![[0.0; 2]; patients];
    let of_study = studies.covariate.iter().zip(studies.positive);
    for ((&x, &positive), &patient) in of_study.zip(studies.patients) {
        let residual = f64::from(u8::from(positive)) - fitted(x, fit);
        scores[patient][0] += residual;
        scores[patient][1] += residual * x;
    }
    Some(scores)
}

fn inverse([[a, b], [c, d]]: [[f64; 2]; 2]) -> Option<[[f64; 2]; 2]> {
    let determinant = a * d - b * c;
    let over = |value: f64| value / determinant;
    (determinant > 0.0).then(|| [[over(d), over(-b)], [over(-c), over(a)]])
}

fn multiply(matrix: [[f64; 2]; 2], vector: [f64; 2]) -> [f64; 2] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1])
}

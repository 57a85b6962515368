//! The heart: blood in its chambers and in the great vessels, and uptake of its walls.
//!
//! At grade 1 mostly blood shows, that of the great vessels too. From grade 2 on the walls do: the left
//! ventricle's around a cavity, the thinner right one's, in some patients those of the atria; evenly, or
//! more in some segments than in others.

use super::body::Body;
use crate::random::Stream;
use crate::raster::{Canvas, Form, Solid};
use crate::reading::Uptake;

/// Concentration in the left ventricle's wall at a heart-to-rib ratio of 1 and reference bone.
///
/// At this concentration the heart's projection stands out from the chest as much as the anterior
/// part of a rib does, in a patient of average size.
const HEART_LIKE_RIB: f64 = 1.75;
/// Concentration in blood that shows as much as a wall of concentration 1 does: it fills the chambers.
const BLOOD_LIKE_WALL: f64 = 0.48;
/// The left ventricle: its place in the heart, its half axes and its depth.
const LEFT_VENTRICLE: ((f64, f64), [f64; 3], f64) = ((10.0, 8.0), [52.0, 41.0, 80.0], 0.36);
/// Segments of the left ventricle's wall as they are seen from the front.
const SEGMENTS: usize = 6;

/// Where in the heart a patient's uptake is. Of the heart, not of its grade.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    /// Share of the uptake that is blood's and not a wall's.
    blood: f64,
    /// Concentration in the wall of the right ventricle and in those of the atria, relative to the left's.
    right: f64,
    atria: f64,
    /// Share of the left ventricle's uptake that is in single segments, and each segment's part of it.
    uneven: f64,
    segments: [f64; SEGMENTS],
    /// A segment that died of an infarct, and its concentration relative to a rib's.
    infarct: Option<(usize, f64)>,
}

impl Pattern {
    /// Draws the pattern of a patient.
    pub(super) fn draw(uptake: Uptake, stream: &mut Stream) -> Self {
        let mostly_blood = stream.chance(uptake.often_blood());
        let blood = if mostly_blood {
            stream.range(0.7, 1.0)
        } else {
            stream.range(0.0, 0.25)
        };
        let atria = if stream.chance(0.5) {
            stream.range(0.3, 0.9)
        } else {
            stream.range(0.0, 0.2)
        };
        let uneven = if stream.chance(0.35) {
            stream.range(0.3, 0.6)
        } else {
            stream.range(0.0, 0.2)
        };
        let drawn: [f64; SEGMENTS] = std::array::from_fn(|_| stream.exponential(1.0));
        let total: f64 = drawn.iter().sum();
        let place = stream.whole(0, SEGMENTS as u32 - 1) as usize;
        let strength = stream.range(0.7, 1.8);
        Self {
            blood,
            right: stream.range(0.25, 0.8),
            atria,
            uneven,
            segments: drawn.map(|part| part / total),
            infarct: stream.chance(0.02).then_some((place, strength)),
        }
    }
}

/// Draws blood and walls. `pool` is the concentration of blood that is left in everybody.
pub(super) fn draw(
    canvas: &mut Canvas,
    body: &Body,
    uptake: Uptake,
    pool: f64,
    heart: &mut Stream,
) {
    let pattern = Pattern::draw(uptake, heart);
    // Ribs have lost their part of the tracer to the heart already.
    let rib = HEART_LIKE_RIB * body.bone * body.ribs / uptake.left_for_bone();
    let level = rib * uptake.heart_to_rib();
    blood(canvas, body, pool + BLOOD_LIKE_WALL * pattern.blood * level);
    walls(
        canvas,
        body,
        &pattern,
        uptake.wall(),
        (1.0 - pattern.blood) * level,
    );
    if let Some((segment, strength)) = pattern.infarct {
        let dead = segment_of(body, segment, (0.0, 0.0));
        canvas.solid(&dead, rib * strength);
    }
}

/// A part of the heart, relative to the heart's centre: to the left of it, below it, in mm.
pub(super) fn part(body: &Body, (x, y): (f64, f64), axes: [f64; 3], depth: f64) -> Solid {
    let heart = body.heart;
    let mut part = body.ellipsoid((36.0, 246.0), axes.map(|axis| axis * heart.size), depth);
    part.x += heart.left_mm + x * heart.size * body.breadth;
    part.y += heart.down_mm + y * heart.size * body.breadth;
    part.angle = heart.axis;
    part
}

/// The left ventricle, its wall included, between the phases of its beat.
pub(super) fn left_ventricle(body: &Body) -> Solid {
    part(body, LEFT_VENTRICLE.0, LEFT_VENTRICLE.1, LEFT_VENTRICLE.2)
}

/// Blood of this concentration in the chambers and in the great vessels.
pub(super) fn blood(canvas: &mut Canvas, body: &Body, concentration: f64) {
    for (place, axes, depth, share) in [
        ((8.0, 6.0), [46.0, 36.0, 74.0], 0.38, 1.0),
        ((-28.0, 4.0), [38.0, 38.0, 62.0], 0.32, 0.85),
        ((-44.0, -8.0), [24.0, 32.0, 50.0], 0.42, 0.8),
        ((-6.0, -26.0), [32.0, 22.0, 44.0], 0.58, 0.7),
    ] {
        canvas.solid(&part(body, place, axes, depth), share * concentration);
    }
    for vessel in [
        // Ascending aorta, arch and descending aorta.
        vec![
            [2.0, 236.0, 15.0, 0.42],
            [-10.0, 212.0, 15.0, 0.35],
            [4.0, 196.0, 14.0, 0.45],
            [20.0, 206.0, 13.0, 0.65],
            [14.0, 250.0, 11.0, 0.72],
            [6.0, 310.0, 10.0, 0.68],
        ],
        // Pulmonary trunk and its two arteries.
        vec![[16.0, 226.0, 13.0, 0.32], [24.0, 212.0, 13.0, 0.42]],
        vec![[48.0, 216.0, 10.0, 0.5], [-34.0, 220.0, 10.0, 0.55]],
        // Superior and inferior vena cava.
        vec![[-28.0, 190.0, 9.0, 0.42], [-28.0, 228.0, 10.0, 0.45]],
        vec![[-16.0, 262.0, 11.0, 0.55], [-14.0, 320.0, 11.0, 0.66]],
        // Subclavian and carotid vessels.
        vec![[-16.0, 188.0, 8.0, 0.35], [-20.0, 150.0, 6.0, 0.4]],
        vec![[16.0, 186.0, 8.0, 0.4], [20.0, 150.0, 6.0, 0.4]],
    ] {
        canvas.tube(&body.nodes(&vessel), 0.0, concentration);
    }
}

/// The walls, of this thickness relative to their radius and of this concentration.
fn walls(canvas: &mut Canvas, body: &Body, pattern: &Pattern, wall: f64, concentration: f64) {
    // It beats and moves with the breath while the camera counts: four phases stand for all.
    for (x, y, scale) in [
        (-4.0, -7.0, 0.9),
        (3.0, -2.0, 1.0),
        (4.0, 3.0, 1.08),
        (-2.0, 8.0, 0.97),
    ] {
        let sized = |axes: [f64; 3]| axes.map(|axis| axis * scale);
        let shell = |place: (f64, f64), axes: [f64; 3], depth: f64, thickness: f64| Solid {
            form: Form::Shell(1.0 - thickness),
            ..part(body, (place.0 + x, place.1 + y), sized(axes), depth)
        };
        let quarter = 0.25 * concentration;
        let (place, axes, depth) = LEFT_VENTRICLE;
        let left = shell(place, axes, depth, wall);
        canvas.solid(&left, quarter * (1.0 - pattern.uneven));
        let right = shell((-26.0, 4.0), [42.0, 40.0, 70.0], 0.28, 0.2);
        canvas.solid(&right, quarter * pattern.right);
        let right_atrium = shell((-46.0, -8.0), [26.0, 34.0, 52.0], 0.42, 0.2);
        canvas.solid(&right_atrium, quarter * pattern.atria);
        let left_atrium = shell((-6.0, -28.0), [34.0, 24.0, 46.0], 0.58, 0.2);
        canvas.solid(&left_atrium, quarter * pattern.atria);
        for (segment, part) in pattern.segments.into_iter().enumerate() {
            let place = segment_of(body, segment, (x, y));
            canvas.solid(&place, 6.0 * quarter * pattern.uneven * part);
        }
    }
}

/// A segment of the left ventricle's wall, counted from the apex.
fn segment_of(body: &Body, segment: usize, (x, y): (f64, f64)) -> Solid {
    let angle = std::f64::consts::TAU * segment as f64 / SEGMENTS as f64;
    let (along, across) = (40.0 * angle.cos(), 31.0 * angle.sin());
    let (sine, cosine) = body.heart.axis.sin_cos();
    let place = (
        10.0 + x + along * cosine - across * sine,
        8.0 + y + along * sine + across * cosine,
    );
    part(body, place, [17.0, 15.0, 44.0], 0.34)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SyntheticCohort;
    use crate::random::Purpose;

    /// The patterns of patients of a grade.
    fn patterns(grade: usize) -> Vec<Pattern> {
        let mut shares = [0.0; 4];
        shares[grade] = 1.0;
        let cohort = SyntheticCohort::new(2_000, 4)
            .with_grades(shares)
            .expect("shares");
        (0..cohort.len())
            .map(|number| cohort.study(number))
            .map(|study| {
                let mut heart = Stream::new(4, Purpose::Heart, study.patient);
                Pattern::draw(study.uptake, &mut heart)
            })
            .collect()
    }

    #[test]
    fn most_hearts_of_grade_1_are_blood_and_few_of_grade_2_are() {
        let share = |grade| {
            let patterns = patterns(grade);
            patterns.iter().filter(|p| p.blood > 0.5).count() as f64 / patterns.len() as f64
        };
        assert!((0.65..0.95).contains(&share(1)), "{}", share(1));
        assert!(share(2) < 0.15, "{}", share(2));
        assert!(share(3) < 0.01, "{}", share(3));
    }

    #[test]
    fn right_ventricles_and_atria_take_up_less_than_the_left_ventricle_and_some_hearts_are_uneven()
    {
        let patterns = patterns(3);
        assert!(patterns.iter().all(|p| p.right < 1.0 && p.atria < 1.0));
        let share = |of: fn(&Pattern) -> bool| {
            patterns.iter().filter(|p| of(p)).count() as f64 / patterns.len() as f64
        };
        assert!((share(|p| p.atria > 0.3) - 0.5).abs() < 0.05);
        assert!((share(|p| p.uneven > 0.3) - 0.35).abs() < 0.05);
        assert!((share(|p| p.infarct.is_some()) - 0.02).abs() < 0.012);
    }
}

//! Regions as polygons, whose points are rows and columns.

use attrium_imaging::{Ellipse, HeartRegions};

/// Points of an ellipse's outline: 7.5 degrees apart, the line is within 0.1 % of the curve.
const POINTS: usize = 48;

/// A half-plane: where this is positive.
type Side<'a> = &'a dyn Fn([f64; 2]) -> f64;

/// The outline of an ellipse. Where the ellipse's 0 is the middle of the first pixel, that of the points is its edge.
pub(crate) fn of_ellipse(ellipse: &Ellipse) -> Vec<[f64; 2]> {
    let angles = (0..POINTS).map(|at| std::f64::consts::TAU * at as f64 / POINTS as f64);
    angles
        .map(|angle| {
            let down = 0.5 * ellipse.height * angle.sin();
            let right = 0.5 * ellipse.width * angle.cos();
            [ellipse.row + 0.5 + down, ellipse.column + 0.5 + right]
        })
        .collect()
}

/// What is measured of the heart and of what it is compared with: ellipses without a strip along the midline.
pub(crate) fn of_regions(regions: &HeartRegions) -> [Vec<[f64; 2]>; 2] {
    let midline = regions.heart.column.midpoint(regions.contralateral.column) + 0.5;
    let left = midline + regions.margin;
    let right = midline - regions.margin;
    [
        clipped(&of_ellipse(&regions.heart), &|[_, column]| column - left),
        clipped(&of_ellipse(&regions.contralateral), &|[_, column]| {
            right - column
        }),
    ]
}

/// The part of a convex polygon that lies on an image.
pub(crate) fn within(polygon: &[[f64; 2]], rows: f64, columns: f64) -> Vec<[f64; 2]> {
    let sides: [Side<'_>; 4] = [
        &|[row, _]| row,
        &|[row, _]| rows - row,
        &|[_, column]| column,
        &|[_, column]| columns - column,
    ];
    sides
        .into_iter()
        .fold(polygon.to_vec(), |polygon, side| clipped(&polygon, side))
}

/// The part of a convex polygon on one side of a line (Sutherland and Hodgman).
fn clipped(polygon: &[[f64; 2]], side: Side<'_>) -> Vec<[f64; 2]> {
    let next = polygon.iter().cycle().skip(1);
    let mut points = Vec::with_capacity(polygon.len() + 1);
    for (from, to) in polygon.iter().zip(next) {
        let (here, there) = (side(*from), side(*to));
        if here >= 0.0 {
            points.push(*from);
        }
        if (here >= 0.0) != (there >= 0.0) {
            let share = here / (here - there);
            points.push([0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis])));
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELLIPSE: Ellipse = Ellipse {
        row: 9.5,
        column: 19.5,
        height: 10.0,
        width: 20.0,
    };

    #[test]
    fn an_outline_is_as_far_from_the_middle_as_its_ellipse() {
        let points = of_ellipse(&ELLIPSE);
        assert_eq!(points.len(), 48);
        assert_eq!(points[0], [10.0, 30.0]);
        let [row, column] = points[12];
        assert!((row - 15.0).abs() < 1e-9 && (column - 20.0).abs() < 1e-9);
    }

    #[test]
    fn what_lies_beside_an_image_is_cut_off() {
        let points = within(&of_ellipse(&ELLIPSE), 12.0, 25.0);
        assert!(
            points
                .iter()
                .all(|[row, column]| *row <= 12.0 && *column <= 25.0 + 1e-9)
        );
        assert!(points.iter().any(|[row, _]| *row > 11.9));
        let far = Ellipse {
            row: 99.0,
            ..ELLIPSE
        };
        assert!(within(&of_ellipse(&far), 12.0, 25.0).is_empty());
    }

    #[test]
    fn the_strip_along_the_midline_belongs_to_neither_region() {
        let regions = HeartRegions {
            heart: Ellipse {
                column: 30.0,
                ..ELLIPSE
            },
            contralateral: Ellipse {
                column: 10.0,
                ..ELLIPSE
            },
            margin: 4.0,
        };
        let [heart, opposite] = of_regions(&regions);
        assert!(heart.iter().all(|[_, column]| *column >= 24.5 - 1e-9));
        assert!(opposite.iter().all(|[_, column]| *column <= 16.5 + 1e-9));
    }
}

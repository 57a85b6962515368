//! Drawing a body as layers of activity: simple solids, projected along the line of sight.
//!
//! Lengths are in mm in the body's own frame: x to the patient's left (the right side of an anterior
//! view), y from the vertex of the head to the feet. A depth is a fraction of the body's thickness
//! at that place, 0 at the anterior surface and 1 at the posterior one.

/// Depths of the layers that activity is collected in.
pub(super) const DEPTHS: [f32; 5] = [0.08, 0.3, 0.5, 0.7, 0.92];

/// Where the body lies in the image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) pixel_mm: f64,
    /// Column and row of the body's point (0, `pivot_y`).
    pub(super) column: f64,
    pub(super) row: f64,
    /// The body's point that is placed there, in mm from the vertex.
    pub(super) pivot_y: f64,
    /// Rotation of the body in the image plane, in radians.
    pub(super) angle: f64,
    /// By how much the anterior surface is shifted against the posterior one, in mm: the patient
    /// lies turned about the long axis.
    pub(super) turn_mm: f64,
}

impl Geometry {
    pub(super) fn to_pixel(self, x: f64, y: f64) -> (f64, f64) {
        let (sine, cosine) = self.angle.sin_cos();
        let (x, y) = (x / self.pixel_mm, (y - self.pivot_y) / self.pixel_mm);
        (
            self.column + x * cosine - y * sine,
            self.row + x * sine + y * cosine,
        )
    }

    /// How far what lies at a depth is shifted to the left because the patient lies turned.
    pub(super) fn turned(self, depth: f64) -> f64 {
        self.turn_mm * (0.5 - depth)
    }

    pub(super) fn to_body(self, column: f64, row: f64) -> (f64, f64) {
        let (sine, cosine) = self.angle.sin_cos();
        let (x, y) = (column - self.column, row - self.row);
        (
            (x * cosine + y * sine) * self.pixel_mm,
            (y * cosine - x * sine) * self.pixel_mm + self.pivot_y,
        )
    }
}

/// A box, rotated in the image plane, with rounded edges; or an ellipsoid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solid {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) half_width: f64,
    pub(super) half_height: f64,
    pub(super) thickness: f64,
    /// Rotation in radians, clockwise in an anterior view.
    pub(super) angle: f64,
    pub(super) depth: f64,
    pub(super) form: Form,
}

/// The form of a [`Solid`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A filled ellipsoid.
    Ellipsoid,
    /// An ellipsoid's wall; the inner ellipsoid is this much smaller (a factor below 1).
    Shell(f64),
    /// A block of even thickness with rounded edges.
    Block,
}

impl Solid {
    /// Thickness along the line of sight at a place of the solid's own frame, where its edges are at 1.
    fn chord(&self, u: f64, v: f64) -> f64 {
        let distance = u * u + v * v;
        match self.form {
            Form::Ellipsoid => self.thickness * (1.0 - distance).max(0.0).sqrt(),
            Form::Shell(inner) => {
                let hollow = inner * (1.0 - distance / (inner * inner)).max(0.0).sqrt();
                self.thickness * ((1.0 - distance).max(0.0).sqrt() - hollow)
            }
            Form::Block => self.thickness * (1.0 - u.powi(6)).max(0.0) * (1.0 - v.powi(6)).max(0.0),
        }
    }
}

/// A point of a [tube](Canvas::tube).
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
    pub(super) depth: f64,
}

/// Layers of activity and the thickness of the attenuating body.
pub(super) struct Canvas {
    pub(super) geometry: Geometry,
    /// Activity of each layer: relative concentration times mm.
    pub(super) layers: [Vec<f32>; DEPTHS.len()],
    /// Thickness of the body in mm of water.
    pub(super) thickness: Vec<f32>,
    /// What lies on the body's front and hides it from an anterior detector, as a power of e.
    pub(super) shield: Vec<f32>,
    chord: Vec<f32>,
    chord_depth: Vec<f32>,
}

/// Rows and columns that a shape may touch.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Bounds {
    const EMPTY: Self = Self {
        top: usize::MAX,
        bottom: 0,
        left: usize::MAX,
        right: 0,
    };

    fn join(self, other: Self) -> Self {
        Self {
            top: self.top.min(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.min(other.left),
            right: self.right.max(other.right),
        }
    }
}

impl Canvas {
    pub(super) fn new(geometry: Geometry) -> Self {
        let blank = vec![0.0; geometry.rows * geometry.columns];
        Self {
            geometry,
            layers: std::array::from_fn(|_| blank.clone()),
            thickness: blank.clone(),
            shield: blank.clone(),
            chord: blank.clone(),
            chord_depth: blank,
        }
    }

    /// Adds a solid of this activity per mm.
    pub(super) fn solid(&mut self, solid: &Solid, activity: f64) {
        let bounds = self.trace_solid(solid);
        self.deposit(bounds, activity);
    }

    /// Adds a tube through these points, thickest where it overlaps itself, of this activity per mm.
    ///
    /// Where it runs along the line of sight, its activity is seen end on.
    pub(super) fn tube(&mut self, nodes: &[Node], depth_mm: f64, activity: f64) {
        let bounds = self.trace_tube(nodes, depth_mm);
        self.deposit(bounds, activity);
    }

    /// Adds a part of the body: water, at least this thick.
    pub(super) fn body_solid(&mut self, solid: &Solid) {
        let bounds = self.trace_solid(solid);
        self.thicken(bounds);
    }

    /// Adds a round limb of the body.
    pub(super) fn body_tube(&mut self, nodes: &[Node]) {
        let bounds = self.trace_tube(nodes, 0.0);
        self.thicken(bounds);
    }

    /// Adds a trunk: at each height (y, centre x, half width, thickness), ordered by y, an ellipse.
    pub(super) fn body_trunk(&mut self, sections: &[[f64; 4]]) {
        let Some(bounds) = self.trunk_bounds(sections) else {
            return;
        };
        self.each(bounds, |canvas, index, x, y| {
            let Some([centre, half_width, thickness]) = section_at(sections, y) else {
                return;
            };
            let u = (x - centre) / half_width;
            let thickness = thickness * (1.0 - u.abs().powf(2.6)).max(0.0).powf(0.5);
            canvas.thickness[index] = canvas.thickness[index].max(thickness as f32);
        });
    }

    /// Takes some of the body's thickness away: air.
    pub(super) fn body_cavity(&mut self, solid: &Solid, share: f64) {
        let bounds = self.trace_solid(solid);
        self.drain(bounds, |canvas, index, chord, _| {
            let left = canvas.thickness[index] - share as f32 * chord;
            canvas.thickness[index] = left.max(0.3 * canvas.thickness[index]);
        });
    }

    /// Lays a solid on the body's front that attenuates by this much per mm.
    pub(super) fn shield(&mut self, solid: &Solid, attenuation: f64) {
        let bounds = self.trace_solid(solid);
        self.drain(bounds, |canvas, index, chord, _| {
            canvas.shield[index] += attenuation as f32 * chord;
        });
    }

    /// Takes all but a share of the activity away from where a solid is: metal in place of bone.
    pub(super) fn empty(&mut self, solid: &Solid, share: f64) {
        let bounds = self.trace_solid(solid);
        self.drain(bounds, |canvas, index, _, _| {
            for layer in &mut canvas.layers {
                layer[index] *= share as f32;
            }
        });
    }

    fn trace_solid(&mut self, solid: &Solid) -> Bounds {
        let x = solid.x + self.geometry.turned(solid.depth);
        let reach = solid.half_width.hypot(solid.half_height);
        let reach = match solid.form {
            Form::Block => reach,
            _ => solid.half_width.max(solid.half_height),
        };
        let bounds = self.bounds(x - reach, x + reach, solid.y - reach, solid.y + reach);
        let (sine, cosine) = solid.angle.sin_cos();
        let depth = solid.depth as f32;
        self.each(bounds, |canvas, index, px, py| {
            let (dx, dy) = (px - x, py - solid.y);
            let u = (dx * cosine + dy * sine) / solid.half_width;
            let v = (dy * cosine - dx * sine) / solid.half_height;
            if u.abs() < 1.0 && v.abs() < 1.0 {
                canvas.chord[index] = solid.chord(u, v) as f32;
                canvas.chord_depth[index] = depth;
            }
        });
        bounds
    }

    fn trace_tube(&mut self, nodes: &[Node], depth_mm: f64) -> Bounds {
        nodes.windows(2).fold(Bounds::EMPTY, |bounds, pair| {
            bounds.join(self.trace_segment(pair[0], pair[1], depth_mm))
        })
    }

    fn trace_segment(&mut self, from: Node, to: Node, depth_mm: f64) -> Bounds {
        let turned = |depth| self.geometry.turned(depth);
        let (x0, x1) = (from.x + turned(from.depth), to.x + turned(to.depth));
        let reach = from.radius.max(to.radius);
        let bounds = self.bounds(
            x0.min(x1) - reach,
            x0.max(x1) + reach,
            from.y.min(to.y) - reach,
            from.y.max(to.y) + reach,
        );
        let (dx, dy) = (x1 - x0, to.y - from.y);
        let squared = (dx * dx + dy * dy).max(1e-9);
        let along = (to.depth - from.depth) * depth_mm;
        // A rib's bend is smeared over a few mm by the breath: the cap keeps it from being a point.
        let end_on = (1.0 + along * along / squared).sqrt().min(2.3);
        self.each(bounds, |canvas, index, x, y| {
            let t = (((x - x0) * dx + (y - from.y) * dy) / squared).clamp(0.0, 1.0);
            let (qx, qy) = (x - x0 - t * dx, y - from.y - t * dy);
            let radius = from.radius + t * (to.radius - from.radius);
            let room = radius * radius - qx * qx - qy * qy;
            if room <= 0.0 {
                return;
            }
            let chord = (2.0 * room.sqrt() * end_on) as f32;
            if chord > canvas.chord[index] {
                canvas.chord[index] = chord;
                canvas.chord_depth[index] = (from.depth + t * (to.depth - from.depth)) as f32;
            }
        });
        bounds
    }

    fn thicken(&mut self, bounds: Bounds) {
        self.drain(bounds, |canvas, index, chord, _| {
            canvas.thickness[index] = canvas.thickness[index].max(chord);
        });
    }

    /// Shares what was traced out among the two layers nearest in depth. Nothing lies outside the body.
    fn deposit(&mut self, bounds: Bounds, activity: f64) {
        let activity = activity as f32;
        self.drain(bounds, |canvas, index, chord, depth| {
            let chord = chord.min(canvas.thickness[index]);
            let above = DEPTHS.iter().filter(|d| **d <= depth).count();
            let (first, second) = match above {
                0 => (0, 0),
                n if n == DEPTHS.len() => (n - 1, n - 1),
                n => (n - 1, n),
            };
            let span = DEPTHS[second] - DEPTHS[first];
            let share = if span > 0.0 {
                (depth - DEPTHS[first]) / span
            } else {
                0.0
            };
            canvas.layers[first][index] += activity * chord * (1.0 - share);
            canvas.layers[second][index] += activity * chord * share;
        });
    }

    /// Hands over what was traced and clears it.
    fn drain(&mut self, bounds: Bounds, mut take: impl FnMut(&mut Self, usize, f32, f32)) {
        for row in bounds.top..bounds.bottom {
            for column in bounds.left..bounds.right {
                let index = row * self.geometry.columns + column;
                let chord = std::mem::take(&mut self.chord[index]);
                if chord > 0.0 {
                    let depth = self.chord_depth[index];
                    take(self, index, chord, depth);
                }
            }
        }
    }

    /// Visits pixels with their index and the place of their centre in the body's frame.
    fn each(&mut self, bounds: Bounds, mut visit: impl FnMut(&mut Self, usize, f64, f64)) {
        let geometry = self.geometry;
        let (step_x, step_y) = {
            let (x0, y0) = geometry.to_body(0.0, 0.0);
            let (x1, y1) = geometry.to_body(1.0, 0.0);
            (x1 - x0, y1 - y0)
        };
        for row in bounds.top..bounds.bottom {
            let (x, y) = geometry.to_body(0.0, row as f64);
            for column in bounds.left..bounds.right {
                let index = row * geometry.columns + column;
                let along = column as f64;
                visit(self, index, x + along * step_x, y + along * step_y);
            }
        }
    }

    fn bounds(&self, left: f64, right: f64, top: f64, bottom: f64) -> Bounds {
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)]
            .map(|(x, y)| self.geometry.to_pixel(x, y));
        let fold = |pick: fn(&(f64, f64)) -> f64| {
            let values = corners.iter().map(pick);
            let low = values.clone().fold(f64::INFINITY, f64::min);
            (low, values.fold(f64::NEG_INFINITY, f64::max))
        };
        let (low_column, high_column) = fold(|corner| corner.0);
        let (low_row, high_row) = fold(|corner| corner.1);
        let clip = |value: f64, limit: usize| value.clamp(0.0, limit as f64) as usize;
        Bounds {
            top: clip(low_row.floor(), self.geometry.rows),
            bottom: clip(high_row.ceil() + 1.0, self.geometry.rows),
            left: clip(low_column.floor(), self.geometry.columns),
            right: clip(high_column.ceil() + 1.0, self.geometry.columns),
        }
    }

    fn trunk_bounds(&self, sections: &[[f64; 4]]) -> Option<Bounds> {
        let (first, last) = (sections.first()?, sections.last()?);
        let reach = sections
            .iter()
            .map(|[_, centre, half_width, _]| centre.abs() + half_width)
            .fold(0.0, f64::max);
        Some(self.bounds(-reach, reach, first[0], last[0]))
    }
}

fn section_at(sections: &[[f64; 4]], y: f64) -> Option<[f64; 3]> {
    let after = sections.iter().position(|section| section[0] > y)?;
    let before = after.checked_sub(1)?;
    let (from, to) = (sections[before], sections[after]);
    let t = (y - from[0]) / (to[0] - from[0]);
    Some(std::array::from_fn(|i| {
        from[i + 1] + t * (to[i + 1] - from[i + 1])
    }))
}

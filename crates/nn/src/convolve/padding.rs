//! Planes with zeros around an image, in which every tap of a filter reads at a fixed offset.

use super::Geometry;

/// The layout of a plane with zeros around an image.
#[derive(Clone, Copy)]
pub(super) struct PaddedPlane {
    /// From one row to the next.
    pub pitch: usize,
    pub rows: usize,
    /// The image's first row and column.
    pub first: [usize; 2],
}

impl PaddedPlane {
    pub(super) fn len(self) -> usize {
        self.rows * self.pitch
    }

    /// The offset at which each tap of a filter reads.
    pub(super) fn tap_offsets(self, [high, wide]: [usize; 2]) -> Vec<usize> {
        let rows = (0..high).map(|row| row * self.pitch);
        rows.flat_map(|row| row..row + wide).collect()
    }

    /// Copies an image out, which begins in the first row and column.
    pub(super) fn copy_out(self, from: &[f32], image: &mut [f32], [_, width]: [usize; 2]) {
        for (to, from) in image.chunks_exact_mut(width).zip(from.chunks(self.pitch)) {
            to.copy_from_slice(&from[..width]);
        }
    }

    /// Copies an image in, with `step` rows and columns from one pixel to the next; what lies
    /// outside the plane is dropped. What is between and around the pixels has to be zero already.
    pub(super) fn copy_in(
        self,
        to: &mut [f32],
        image: &[f32],
        [_, width]: [usize; 2],
        step: [usize; 2],
    ) {
        let [top, left] = self.first;
        let rows = to.chunks_exact_mut(self.pitch).skip(top).step_by(step[0]);
        for (to, from) in rows.zip(image.chunks_exact(width)) {
            let to = to[left..].iter_mut().step_by(step[1]);
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}

impl Geometry {
    /// The rows and columns from the first position of the filter to the last.
    pub(super) fn span(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.output[axis] - 1) * self.stride[axis] + 1)
    }

    /// The plane of one phase of the polyphase decomposition by the strides: the pixels whose row
    /// and column, padding included, leave the same remainder. What a tap reads of a phase is
    /// contiguous.
    pub(super) fn phase_plane(&self) -> PaddedPlane {
        let [rows, pitch] =
            [0, 1].map(|axis| self.output[axis] + (self.kernel[axis] - 1) / self.stride[axis]);
        PaddedPlane {
            pitch,
            rows,
            first: [0, 0],
        }
    }

    /// Copies an image into the planes of all phases, one after the other.
    pub(super) fn fill_phases(&self, plane: PaddedPlane, image: &[f32], to: &mut [f32]) {
        let [down, across] = self.stride;
        let [top, left] = self.padding;
        for (row, from) in image.chunks_exact(self.size[1]).enumerate() {
            let [row, phase] = [(row + top) / down, (row + top) % down * across];
            if row >= plane.rows {
                break;
            }
            for remainder in 0..across {
                // The first column of the image in this phase.
                let skipped = (remainder + across - left % across) % across;
                let to =
                    &mut to[(phase + remainder) * plane.len() + row * plane.pitch..][..plane.pitch];
                let to = &mut to[(skipped + left) / across..];
                match across {
                    1 => {
                        let len = to.len().min(from.len());
                        to[..len].copy_from_slice(&from[..len]);
                    }
                    _ => {
                        let from = from.iter().skip(skipped).step_by(across);
                        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                    }
                }
            }
        }
    }

    /// A plane in which a filter finds all that it reads for so many rows and columns.
    pub(super) fn padded_plane(
        &self,
        [rows, columns]: [usize; 2],
        first: [usize; 2],
    ) -> PaddedPlane {
        PaddedPlane {
            pitch: columns + self.kernel[1] - 1,
            rows: rows + self.kernel[0] - 1,
            first,
        }
    }
}

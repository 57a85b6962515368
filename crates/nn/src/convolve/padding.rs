//! Images with zeros around them, in which whatever a weight sees lies a fixed distance away.

use super::Geometry;

/// An image with zeros around it.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// From one row to the next.
    pub pitch: usize,
    /// The number of rows.
    pub rows: usize,
    /// Where the image's first row and column are.
    pub first: [usize; 2],
}

impl Frame {
    /// Numbers of all rows.
    pub(super) fn len(self) -> usize {
        self.rows * self.pitch
    }

    /// How far away each weight of a filter looks.
    pub(super) fn away(self, [high, wide]: [usize; 2]) -> Vec<usize> {
        let rows = (0..high).map(|row| row * self.pitch);
        rows.flat_map(|row| row..row + wide).collect()
    }

    /// Takes an image out that begins in the first row and column of as long rows as the frame's.
    pub(super) fn take(self, from: &[f32], image: &mut [f32], [_, width]: [usize; 2]) {
        for (to, from) in image.chunks_exact_mut(width).zip(from.chunks(self.pitch)) {
            to.copy_from_slice(&from[..width]);
        }
    }

    /// Puts an image in, its pixels so many rows and columns from each other; what would lie outside is
    /// left out. What is between and around them has to be zero already.
    pub(super) fn fill(
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
    /// The rows and columns from the first place of the filter to the last.
    pub(super) fn every_place(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.output[axis] - 1) * self.stride[axis] + 1)
    }

    /// The frame that holds every pixel whose row and column, borders included, leave the same rest
    /// by the strides: what a weight sees of it lies in one piece.
    pub(super) fn phases(&self) -> Frame {
        let [rows, pitch] =
            [0, 1].map(|axis| self.output[axis] + (self.kernel[axis] - 1) / self.stride[axis]);
        Frame {
            pitch,
            rows,
            first: [0, 0],
        }
    }

    /// Puts an image into the frames of all rests, one after the other.
    pub(super) fn fill_phases(&self, frame: Frame, image: &[f32], to: &mut [f32]) {
        let [down, across] = self.stride;
        let [top, left] = self.padding;
        for (row, from) in image.chunks_exact(self.size[1]).enumerate() {
            let [row, phase] = [(row + top) / down, (row + top) % down * across];
            if row >= frame.rows {
                break;
            }
            for rest in 0..across {
                // The first column of the image with this rest.
                let skipped = (rest + across - left % across) % across;
                let to = &mut to[(phase + rest) * frame.len() + row * frame.pitch..][..frame.pitch];
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

    /// A frame in which a filter finds all that it sees from so many rows and columns.
    pub(super) fn frame(&self, [rows, columns]: [usize; 2], first: [usize; 2]) -> Frame {
        Frame {
            pitch: columns + self.kernel[1] - 1,
            rows: rows + self.kernel[0] - 1,
            first,
        }
    }
}

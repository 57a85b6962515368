//! Where the pixels of an anterior image lie on the frame that they were made of.

/// From an image, upright and of the usual size, back to its frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The frame, from 0.
    pub frame: usize,
    /// Rows and columns of the frame.
    pub frame_size: [usize; 2],
    /// Rows and columns of the image.
    pub image_size: [usize; 2],
    /// Whether the frame was turned by 180 degrees.
    pub is_turned: bool,
}

impl Placement {
    /// A place on the image on the frame, both as row and column, where row and column 0 are the middle of the first
    /// pixel. On the frame the upper left corner of the first pixel is 0, as regions are stated (PS3.3, C.10.5.1.1.2).
    pub fn on_frame(&self, [row, column]: [f64; 2]) -> [f64; 2] {
        let along = |at: f64, axis: usize| {
            let [image, frame] = [self.image_size[axis], self.frame_size[axis]].map(|it| it as f64);
            let at = (at + 0.5) * frame / image.max(1.0);
            if self.is_turned { frame - at } else { at }
        };
        [along(row, 0), along(column, 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Placement = Placement {
        frame: 0,
        frame_size: [1024, 256],
        image_size: [1024, 256],
        is_turned: false,
    };

    #[test]
    fn the_middle_of_a_pixel_is_half_a_pixel_from_its_corner() {
        assert_eq!(WHOLE.on_frame([0.0, 0.0]), [0.5, 0.5]);
        assert_eq!(WHOLE.on_frame([1023.0, 255.0]), [1023.5, 255.5]);
    }

    #[test]
    fn what_was_turned_is_turned_back() {
        let turned = Placement {
            is_turned: true,
            ..WHOLE
        };
        assert_eq!(turned.on_frame([0.0, 0.0]), [1023.5, 255.5]);
    }

    #[test]
    fn what_was_made_smaller_is_made_larger() {
        let fine = Placement {
            frame_size: [2048, 512],
            ..WHOLE
        };
        assert_eq!(fine.on_frame([0.0, 255.0]), [1.0, 511.0]);
    }
}

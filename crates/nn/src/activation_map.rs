//! Activation maps: what a layer makes of one image (paper, "Evaluation").

/// What one layer of a network makes of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationMap {
    /// The block whose first layer this is, from 1 to 4.
    pub block: usize,
    /// The number of channels.
    pub channels: usize,
    /// Rows in pixels.
    pub height: usize,
    /// Columns in pixels.
    pub width: usize,
    /// `channels * height * width` values of 0 or more, channel by channel, each row by row.
    pub values: Vec<f32>,
}

impl ActivationMap {
    /// The largest value of any channel at each pixel: the paper's maximum activation map
    /// ("Evaluation"), `height * width` values, row by row.
    pub fn maximum(&self) -> Vec<f32> {
        let pixels = self.height * self.width;
        (0..pixels)
            .map(|pixel| {
                let channels = self.values.iter().skip(pixel).step_by(pixels);
                channels.copied().fold(f32::NEG_INFINITY, f32::max)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_is_taken_over_the_channels_of_each_pixel() {
        let map = ActivationMap {
            block: 1,
            channels: 2,
            height: 1,
            width: 3,
            values: vec![0.0, 5.0, 2.0, 1.0, 4.0, 3.0],
        };
        assert_eq!(map.maximum(), [1.0, 5.0, 3.0]);
    }
}

//! One convolution by itself, against 64 bits.

use proptest::prelude::*;

use super::*;

/// Outputs and gradients by one loop after the other, in the order of [`Single::backward`].
struct Plain {
    outputs: Vec<f64>,
    of_images: Vec<f64>,
    of_weight: Vec<f64>,
}

/// Numbers of each image, weight and output.
type Numbers<'a> = [&'a [f32]; 3];

fn plain(sizes: Sizes, batch: usize, [images, weight, slopes]: Numbers<'_>) -> Plain {
    let Sizes {
        channels: [before, after],
        input: [height, width],
        padded,
    } = sizes;
    let [down, right] = padded.map(usize::from);
    let (high, wide) = (height + 2 * down - 2, width + 2 * right - 2);
    let mut plain = Plain {
        outputs: vec![0.0; batch * after * high * wide],
        of_images: vec![0.0; images.len()],
        of_weight: vec![0.0; weight.len()],
    };
    for (output, slope) in slopes.iter().enumerate() {
        let (image, rest) = (
            output / (after * high * wide),
            output % (after * high * wide),
        );
        let (out, y, x) = (rest / (high * wide), rest / wide % high, rest % wide);
        for tap in 0..9 * before {
            let (channel, row, column) = (tap / 9, y + tap % 9 / 3, x + tap % 3);
            let Some((row, column)) = row.checked_sub(down).zip(column.checked_sub(right)) else {
                continue;
            };
            if row >= height || column >= width {
                continue;
            }
            let input = ((image * before + channel) * height + row) * width + column;
            let tap = out * 9 * before + tap;
            let [pixel, weight, slope] = [images[input], weight[tap], *slope].map(f64::from);
            plain.outputs[output] += pixel * weight;
            plain.of_images[input] += slope * weight;
            plain.of_weight[tap] += slope * pixel;
        }
    }
    plain
}

fn assert_plain(sizes: Sizes, batch: usize, threads: usize) {
    for isa in isas() {
        let single = Single::new(sizes, isa).unwrap();
        let [before, after] = sizes.channels;
        let [height, width] = sizes.input;
        let [down, right] = sizes.padded.map(|padded| if padded { 0 } else { 2 });
        let (pixels, output) = (height * width, (height - down) * (width - right));
        let images = draw(batch * before * pixels, 1, 1.0);
        let weight = draw(9 * before * after, 2, 1.0);
        let slopes = draw(batch * after * output, 3, 1.0);
        let expected = plain(sizes, batch, [&images, &weight, &slopes]);
        let mut outputs = vec![f32::NAN; slopes.len()];
        let mut of_images = vec![f32::NAN; images.len()];
        let mut of_weight = vec![f32::NAN; weight.len()];
        single
            .forward(threads, &images, &weight, &mut outputs)
            .unwrap();
        let mut alone = vec![f32::NAN; weight.len()];
        for gradients in [
            (Some(&mut of_images[..]), &mut of_weight[..]),
            (None, &mut alone[..]),
        ] {
            single
                .backward(threads, &images, &weight, &slopes, gradients)
                .unwrap();
        }
        for (what, found, expected) in [
            ("outputs", &outputs, &expected.outputs),
            ("gradient of the images", &of_images, &expected.of_images),
            ("gradient of the weight", &of_weight, &expected.of_weight),
            ("gradient of the weight alone", &alone, &expected.of_weight),
        ] {
            let error = error(found, expected, 1e-3);
            assert!(error < 1e-5, "{what}: {error:e} by {isa:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 60 }))]

    #[test]
    fn a_convolution_of_any_size_is_that_of_64_bits(
        channels in [1usize..20, 1usize..20],
        input in [3usize..14, 3usize..14],
        padded in any::<[bool; 2]>(),
        batch in 1usize..5,
        threads in 1usize..4,
    ) {
        assert_plain(Sizes { channels, input, padded }, batch, threads);
    }
}

#[test]
fn a_convolution_whose_weights_stay_in_no_cache_is_that_of_64_bits() {
    let sizes = Sizes {
        channels: [168, 184],
        input: [6, 9],
        padded: [true; 2],
    };
    // Of nine images no more than eight are kept at a time.
    for (batch, threads) in [(3, 2), (9, 9)] {
        assert_plain(sizes, batch, threads);
    }
}

#[test]
fn gradients_are_the_same_bit_for_bit_however_many_threads_there_are() {
    for channels in [[24, 16], [184, 176]] {
        let sizes = Sizes {
            channels,
            input: [8, 8],
            padded: [true; 2],
        };
        let single = Single::new(sizes, Isa::best()).unwrap();
        let [images, slopes] = channels.map(|channels| draw(5 * 64 * channels, 1, 1.0));
        let weight = draw(9 * channels[0] * channels[1], 2, 1.0);
        let gradients = |threads| {
            let mut gradients = [images.clone(), weight.clone()];
            let [of_images, of_weight] = gradients.each_mut().map(Vec::as_mut_slice);
            let both = (Some(of_images), of_weight);
            single
                .backward(threads, &images, &weight, &slopes, both)
                .unwrap();
            gradients
        };
        assert!(gradients(1) == gradients(3));
    }
}

#[test]
fn an_image_too_small_for_an_output_has_no_convolution() {
    let sizes = |input, padded| Sizes {
        channels: [1, 1],
        input,
        padded,
    };
    let fits = |sizes| Single::new(sizes, Isa::best()).is_some();
    assert!(fits(sizes([1, 3], [true, false])));
    assert!(!fits(sizes([1, 2], [true, false])));
    assert!(!fits(sizes([0, 3], [true, true])));
}

//! The convolution by itself against a direct one in 64 bits.

use proptest::prelude::*;

use super::*;

/// Outputs and gradients by nested loops, in the order of [`Convolution3x3::backward`].
struct Direct {
    outputs: Vec<f64>,
    images_gradient: Vec<f64>,
    weight_gradient: Vec<f64>,
}

/// Images, weight and gradient of the outputs.
type Numbers<'a> = [&'a [f32]; 3];

fn direct(
    sizes: Convolution3x3Config,
    batch: usize,
    [images, weight, output_gradient]: Numbers<'_>,
) -> Direct {
    let Convolution3x3Config {
        channels: [before, after],
        input: [height, width],
        padded,
    } = sizes;
    let [down, right] = padded.map(usize::from);
    let (high, wide) = (height + 2 * down - 2, width + 2 * right - 2);
    let mut direct = Direct {
        outputs: vec![0.0; batch * after * high * wide],
        images_gradient: vec![0.0; images.len()],
        weight_gradient: vec![0.0; weight.len()],
    };
    for (output, slope) in output_gradient.iter().enumerate() {
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
            direct.outputs[output] += pixel * weight;
            direct.images_gradient[input] += slope * weight;
            direct.weight_gradient[tap] += slope * pixel;
        }
    }
    direct
}

fn assert_direct(sizes: Convolution3x3Config, batch: usize, threads: usize) {
    for isa in isas() {
        let convolution = Convolution3x3::new(sizes, isa).unwrap();
        let [before, after] = sizes.channels;
        let [height, width] = sizes.input;
        let [down, right] = sizes.padded.map(|padded| if padded { 0 } else { 2 });
        let (pixels, output) = (height * width, (height - down) * (width - right));
        let images = draw(batch * before * pixels, 1, 1.0);
        let weight = draw(9 * before * after, 2, 1.0);
        let output_gradient = draw(batch * after * output, 3, 1.0);
        let expected = direct(sizes, batch, [&images, &weight, &output_gradient]);
        let mut outputs = vec![f32::NAN; output_gradient.len()];
        let mut images_gradient = vec![f32::NAN; images.len()];
        let mut weight_gradient = vec![f32::NAN; weight.len()];
        convolution
            .forward(threads, &images, &weight, &mut outputs)
            .unwrap();
        let mut alone = vec![f32::NAN; weight.len()];
        for gradients in [
            (Some(&mut images_gradient[..]), &mut weight_gradient[..]),
            (None, &mut alone[..]),
        ] {
            convolution
                .backward(threads, &images, &weight, &output_gradient, gradients)
                .unwrap();
        }
        for (what, found, expected) in [
            ("outputs", &outputs, &expected.outputs),
            (
                "gradient of the images",
                &images_gradient,
                &expected.images_gradient,
            ),
            (
                "gradient of the weight",
                &weight_gradient,
                &expected.weight_gradient,
            ),
            (
                "gradient of the weight alone",
                &alone,
                &expected.weight_gradient,
            ),
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
        assert_direct(Convolution3x3Config { channels, input, padded }, batch, threads);
    }
}

#[test]
fn a_convolution_whose_weights_stay_in_no_cache_is_that_of_64_bits() {
    let sizes = Convolution3x3Config {
        channels: [168, 184],
        input: [6, 9],
        padded: [true; 2],
    };
    // Of nine images no more than eight are kept at a time.
    for (batch, threads) in [(3, 2), (9, 9)] {
        assert_direct(sizes, batch, threads);
    }
}

#[test]
fn gradients_are_the_same_bit_for_bit_however_many_threads_there_are() {
    for channels in [[24, 16], [184, 176]] {
        let sizes = Convolution3x3Config {
            channels,
            input: [8, 8],
            padded: [true; 2],
        };
        let convolution = Convolution3x3::new(sizes, Isa::best()).unwrap();
        let [images, output_gradient] = channels.map(|channels| draw(5 * 64 * channels, 1, 1.0));
        let weight = draw(9 * channels[0] * channels[1], 2, 1.0);
        let gradients = |threads| {
            let mut gradients = [images.clone(), weight.clone()];
            let [images_gradient, weight_gradient] = gradients.each_mut().map(Vec::as_mut_slice);
            let both = (Some(images_gradient), weight_gradient);
            convolution
                .backward(threads, &images, &weight, &output_gradient, both)
                .unwrap();
            gradients
        };
        assert!(gradients(1) == gradients(3));
    }
}

#[test]
fn an_image_too_small_for_an_output_has_no_convolution() {
    let sizes = |input, padded| Convolution3x3Config {
        channels: [1, 1],
        input,
        padded,
    };
    let fits = |sizes| Convolution3x3::new(sizes, Isa::best()).is_some();
    assert!(fits(sizes([1, 3], [true, false])));
    assert!(!fits(sizes([1, 2], [true, false])));
    assert!(!fits(sizes([0, 3], [true, true])));
}

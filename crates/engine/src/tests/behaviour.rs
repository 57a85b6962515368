//! What holds beside the numbers: bit for bit equality, memory, and errors.

use super::super::kernels::allocations;
use super::*;

fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(run)
}

fn example() -> (Program, Weights) {
    let program = stack(16, &[8, 24], 2, true);
    let weights = Weights::draw(&program, 1);
    (program, weights)
}

fn batch(program: &Program, images: usize) -> [Vec<f32>; 2] {
    let features = program.features().num_elements();
    [
        draw(images * program.images().num_elements(), 7, 1.0),
        draw(images * features, 8, 1.0),
    ]
}

#[test]
fn a_step_is_the_same_bit_for_bit_whatever_threads_take_its_chunks() {
    let (program, weights) = example();
    let [images, back] = batch(&program, 7);
    for isa in isas() {
        let engine = Engine::new(program.clone(), isa);
        let first = with_threads(1, || step(&engine, 3, &weights, &images, &back));
        for threads in [1, 2, 4] {
            let again = with_threads(threads, || step(&engine, 3, &weights, &images, &back));
            assert!(again == first, "{isa:?}");
        }
    }
}

#[test]
fn a_batch_has_a_chunk_for_each_four_images_but_two_at_least_and_eight_at_most() {
    let chunks = [1, 7, 8, 16, 31, 33, 128].map(training_chunks);
    assert_eq!(chunks, [2, 2, 2, 4, 7, 8, 8]);
}

#[test]
fn the_number_of_chunks_changes_no_more_than_the_last_digits() {
    let (program, weights) = example();
    let [images, back] = batch(&program, 6);
    let engine = Engine::new(program, Isa::best());
    let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
    let one = step(&engine, 1, &weights, &images, &back);
    for threads in [2, 3, 6, 40] {
        let many = step(&engine, threads, &weights, &images, &back);
        assert!(error(&many.features, &wide(&one.features), 1e-9) < 1e-5);
        for (many, one) in many.gradients.iter().zip(&one.gradients) {
            for (many, one) in many.iter().zip(one) {
                assert!(error(many, &wide(one), 1e-9) < 2e-3);
            }
        }
    }
}

#[test]
fn memory_that_another_batch_has_left_changes_nothing() {
    let (program, weights) = example();
    let fresh = |images: usize| {
        let [images, back] = batch(&program, images);
        step(
            &Engine::new(program.clone(), Isa::best()),
            2,
            &weights,
            &images,
            &back,
        )
    };
    let engine = Engine::new(program.clone(), Isa::best());
    for images in [5, 2, 1, 6, 5] {
        let [pixels, back] = batch(&program, images);
        assert!(
            step(&engine, 2, &weights, &pixels, &back) == fresh(images),
            "{images} images"
        );
    }
}

#[test]
fn a_step_takes_the_memory_of_the_step_before() {
    let (program, weights) = example();
    let engine = Engine::new(program.clone(), Isa::best());
    let [images, _] = batch(&program, 4);
    let parameters = weights.parameters();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let mut running = weights.running.clone();
        let mut statistics = statistics_mut(&mut running);
        let mut features = vec![0.0; 4 * program.features().num_elements()];
        let mut training = engine
            .train(2, &images, &parameters, &mut statistics, &mut features)
            .unwrap();
        seen.push(training.workspace.get().unwrap().images.as_ptr());
    }
    assert!(seen.iter().all(|place| *place == seen[0]));
}

#[test]
fn once_warm_a_step_and_an_evaluation_allocate_nothing() {
    let (program, weights) = example();
    let engine = Engine::new(program.clone(), Isa::best());
    let [images, back] = batch(&program, 5);
    let parameters = weights.parameters();
    let folded = engine.fold(&parameters, &weights.statistics()).unwrap();
    let (mut running, mut layers) = (weights.running.clone(), weights.layers.clone());
    let mut statistics = statistics_mut(&mut running);
    let mut gradients = gradients_mut(&mut layers);
    let mut features = vec![0.0; back.len()];
    let mut run = || {
        let training = engine
            .train(2, &images, &parameters, &mut statistics, &mut features)
            .unwrap();
        engine
            .backward(training, &parameters, &back, &mut gradients)
            .unwrap();
        engine.evaluate(2, &images, &folded, &mut features).unwrap();
    };
    // One thread, so that every allocation is counted.
    let counts = with_threads(1, || {
        [(); 3].map(|()| {
            let before = allocations();
            run();
            allocations() - before
        })
    });
    assert!(counts[0] > 0, "{counts:?}");
    assert_eq!(counts[1..], [0, 0]);
}

#[test]
fn a_batch_after_one_of_fewer_chunks_finds_the_memory_of_the_batch_before() {
    let (program, weights) = example();
    let engine = Engine::new(program.clone(), Isa::best());
    let parameters = weights.parameters();
    let mut running = weights.running.clone();
    let mut statistics = statistics_mut(&mut running);
    let mut train = |[images, features]: &mut [Vec<f32>; 2]| {
        let before = allocations();
        let step = engine.train(2, images, &parameters, &mut statistics, features);
        drop(step.unwrap());
        allocations() - before
    };
    let (mut many, mut one) = (batch(&program, 4), batch(&program, 1));
    let [_, fewer, more] =
        with_threads(1, || [train(&mut many), train(&mut one), train(&mut many)]);
    // Both only make a new plan.
    assert_eq!(more, fewer);
}

#[test]
fn an_image_does_not_depend_on_those_beside_it_in_an_evaluation() {
    let (program, weights) = example();
    let [images, _] = batch(&program, 37);
    for isa in isas() {
        let engine = Engine::new(program.clone(), isa);
        let folded = engine
            .fold(&weights.parameters(), &weights.statistics())
            .unwrap();
        let evaluate = |threads: usize, images: &[f32]| {
            let count = images.len() / program.images().num_elements();
            let mut features = vec![f32::NAN; count * program.features().num_elements()];
            engine
                .evaluate(threads, images, &folded, &mut features)
                .unwrap();
            features
        };
        let alone: Vec<f32> = images
            .chunks(program.images().num_elements())
            .flat_map(|image| evaluate(1, image))
            .collect();
        for threads in [1, 2, 5] {
            assert!(evaluate(threads, &images) == alone, "{isa:?}");
        }
        assert!(evaluate(2, &[]).is_empty());
    }
}

#[test]
fn what_is_not_a_number_is_not_hidden() {
    let (program, weights) = example();
    let [mut images, back] = batch(&program, 2);
    images[5] = f32::NAN;
    let engine = Engine::new(program.clone(), Isa::best());
    let found = step(&engine, 2, &weights, &images, &back);
    assert!(found.features.iter().all(|value| value.is_nan()));
    let folded = engine
        .fold(&weights.parameters(), &weights.statistics())
        .unwrap();
    let mut features = vec![0.0; back.len()];
    engine.evaluate(2, &images, &folded, &mut features).unwrap();
    assert!(features.iter().any(|value| value.is_nan()));
}

#[test]
fn what_does_not_fit_is_refused_at_the_entrance() {
    let (program, weights) = example();
    let [images, back] = batch(&program, 2);
    let engine = Engine::new(program.clone(), Isa::best());
    let folded = engine
        .fold(&weights.parameters(), &weights.statistics())
        .unwrap();
    let mut features = vec![0.0; back.len()];
    let message = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        message(engine.evaluate(1, &images, &folded, &mut features[1..])),
        "767 values instead of 768 for the features"
    );
    let mut other = weights.clone();
    other.layers[1][1].pop();
    let fold = engine.fold(&other.parameters(), &weights.statistics());
    assert_eq!(message(fold.map(drop)), "7 values instead of 8 for a scale");
    let fold = engine.fold(&weights.parameters()[1..], &weights.statistics());
    assert_eq!(
        message(fold.map(drop)),
        "8 values instead of 9 for the list of convolutions"
    );
}

#[test]
fn operations_that_make_no_program_are_named() {
    let refused = |operations: Vec<Operation>| {
        Program::new(12, 16, 1e-3, operations)
            .unwrap_err()
            .to_string()
    };
    let (one, pool) = (convolution(4, None), Operation::Pool);
    for (operations, expected) in [
        (
            vec![],
            "operation 0 of the layer program is missing: the last one should be a pool",
        ),
        (
            vec![one],
            "operation 1 of the layer program is missing: the last one should be a pool",
        ),
        (
            vec![pool],
            "operation 0 of the layer program should follow a convolution",
        ),
        (
            vec![one, pool],
            "operation 1 of the layer program should not follow the first convolution",
        ),
        (
            vec![one, one, pool, pool],
            "operation 3 of the layer program should follow a convolution",
        ),
        (
            vec![one, one, pool, one],
            "operation 3 of the layer program should have a height and width of a multiple of 4",
        ),
        (
            vec![convolution(0, None)],
            "operation 0 of the layer program should have at least one channel",
        ),
        (
            vec![one, convolution(4, Some(0))],
            "operation 1 of the layer program should add the result of an operation before the last",
        ),
        (
            vec![one, one, convolution(3, Some(0))],
            "operation 2 of the layer program should add a result of no more channels than its own",
        ),
        (
            vec![one, one, convolution(4, Some(0)), convolution(4, Some(0))],
            "operation 3 of the layer program should not add a result from before the last addition",
        ),
        (
            vec![
                one,
                one,
                one,
                convolution(4, Some(0)),
                convolution(4, Some(1)),
            ],
            "operation 4 of the layer program should not add a result from before the last addition",
        ),
    ] {
        assert_eq!(refused(operations), expected);
    }
}

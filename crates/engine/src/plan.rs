//! The memory plan of a training step: where each result and each gradient lies in one buffer.

use std::ops::Range;

use super::kernels::{Plane, stem_image};
use super::{Operation, Program};

/// Offsets are multiples of this many floats.
const ALIGNMENT: usize = 16;

/// A range of memory that is needed from one moment to another, both included.
#[derive(Clone, Copy, Debug)]
struct AllocationRequest {
    len: usize,
    from: usize,
    to: usize,
}

/// Assigns a range to each request such that no two overlap that are needed at the same time.
/// Returns the ranges and the length of the buffer.
fn assign_ranges(requests: &[AllocationRequest]) -> (Vec<Range<usize>>, usize) {
    // The largest first, so that small ones fit in between.
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|&request| std::cmp::Reverse(requests[request].len));
    let mut ranges: Vec<Range<usize>> = vec![0..0; requests.len()];
    for (count, &request) in order.iter().enumerate() {
        let AllocationRequest { len, from, to } = requests[request];
        // Images that are read together should not begin in the same sets of a cache.
        let gap = request * 11 % 64 * ALIGNMENT;
        let mut taken: Vec<Range<usize>> = order[..count]
            .iter()
            .filter(|&&other| requests[other].from <= to && from <= requests[other].to)
            .map(|&other| ranges[other].clone())
            .collect();
        taken.sort_by_key(|range| range.start);
        let mut start = gap;
        for range in taken {
            if start + len <= range.start {
                break;
            }
            start = start.max(range.end.next_multiple_of(ALIGNMENT) + gap);
        }
        ranges[request] = start..start + len;
    }
    let whole = ranges.iter().map(|range| range.end).max().unwrap_or(0);
    (ranges, whole)
}

/// The memory plan for a number of images.
///
/// The outputs of convolutions live from the forward pass to the backward pass; gradients move into
/// the memory of layers that the backward pass is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The images with their borders.
    pub images: Range<usize>,
    /// For each operation its result: before normalisation if it is a convolution.
    pub values: Vec<Range<usize>>,
    /// For each convolution with a skip its result after the addition and the ReLU; empty for
    /// others.
    pub residual_sums: Vec<Range<usize>>,
    /// For each operation the gradient of its result.
    pub gradients: Vec<Range<usize>>,
    /// Floats of the buffer.
    pub len: usize,
}

impl Plan {
    pub(crate) fn new(program: &Program, lanes: usize, batch: usize) -> Self {
        let count = program.operations().len();
        let (mut ranges, len) = assign_ranges(&requests(program, lanes, batch));
        let gradients = ranges.split_off(1 + 2 * count);
        let residual_sums = ranges.split_off(1 + count);
        let values = ranges.split_off(1);
        Self {
            images: ranges[0].clone(),
            values,
            residual_sums,
            gradients,
            len,
        }
    }
}

/// What is needed, and when: the images, then for each operation its result, then its residual sum,
/// then its gradient. A moment is one operation in the forward or in the backward pass.
fn requests(program: &Program, lanes: usize, batch: usize) -> Vec<AllocationRequest> {
    let operations = program.operations();
    let count = operations.len();
    let len = |at: usize| batch * image(program, at, lanes);
    let back = |at: usize| 2 * count - 1 - at;
    // The last gradient is there before the backward pass begins.
    let back_of_next = |at: usize| back((at + 1).min(count - 1));
    let request = |len, from, to| AllocationRequest { len, from, to };
    let images = batch * stem_image(plane(program, 0, lanes));
    let mut requests = vec![request(images, 0, back(0))];
    requests.extend((0..count).map(|at| {
        let to = match operations[at] {
            Operation::Pool => back_of_next(at),
            Operation::Convolution { .. } => back(at),
        };
        request(len(at), at, to)
    }));
    requests.extend((0..count).map(|at| {
        let len = program.skip(at).map_or(0, |_| len(at));
        request(len, at, back_of_next(at))
    }));
    requests.extend((0..count).map(|at| {
        let to = program.skip(at).map_or(back(at), back_of_next);
        request(len(at), back_of_next(at), to)
    }));
    requests
}

/// The plane of an operation's result.
pub(super) fn plane(program: &Program, operation: usize, lanes: usize) -> Plane {
    let extent = program.extent(operation);
    Plane {
        height: extent.height,
        width: extent.width,
        lanes,
    }
}

/// Floats of an image of an operation's result.
pub(super) fn image(program: &Program, operation: usize, lanes: usize) -> usize {
    let plane = plane(program, operation, lanes);
    plane.blocks(program.extent(operation).channels) * plane.block()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_what_is_wanted_at_the_same_time() {
        let requests: Vec<_> = (0..60)
            .map(|at: usize| AllocationRequest {
                len: at * 37 % 101 * 16,
                from: at * 29 % 50,
                to: at * 29 % 50 + at % 7,
            })
            .collect();
        let (ranges, len) = assign_ranges(&requests);
        for (at, (one, range)) in requests.iter().zip(&ranges).enumerate() {
            assert!(range.len() == one.len && range.end <= len && range.start % ALIGNMENT == 0);
            for (other, other_range) in requests.iter().zip(&ranges).skip(at + 1) {
                let together = one.from <= other.to && other.from <= one.to;
                let apart = range.end <= other_range.start || other_range.end <= range.start;
                assert!(!together || apart || one.len * other.len == 0);
            }
        }
    }

    #[test]
    fn gradients_take_the_place_of_layers_that_are_done_with() {
        let convolution = |channels| Operation::Convolution {
            channels,
            skip: None,
        };
        let mut operations = vec![convolution(16)];
        for channels in [16, 32, 64, 128] {
            operations.extend([convolution(channels); 6]);
            operations.push(Operation::Pool);
        }
        let program = Program::new(128, 128, 1e-3, operations).unwrap();
        let plan = Plan::new(&program, 8, 2);
        let kept: usize = plan.values.iter().map(Range::len).sum();
        assert!(plan.len < kept + kept / 20, "{} for {kept}", plan.len);
    }
}

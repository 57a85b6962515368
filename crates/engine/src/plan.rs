//! Where everything of a training step lies in one piece of memory.

use std::ops::Range;

use super::kernels::{Plane, stem_image};
use super::{Operation, Program};

/// Floats that a piece of memory is aligned to.
const ALIGNMENT: usize = 16;

/// A piece of memory that is wanted from one moment to another, both included.
#[derive(Clone, Copy, Debug)]
struct Wish {
    len: usize,
    from: usize,
    to: usize,
}

/// Finds places for all: none overlaps another that is wanted at the same time. Returns them and
/// the length of the whole.
fn place(wishes: &[Wish]) -> (Vec<Range<usize>>, usize) {
    // The largest first: small ones fit in between.
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by_key(|&wish| std::cmp::Reverse(wishes[wish].len));
    let mut places: Vec<Range<usize>> = vec![0..0; wishes.len()];
    for (count, &wish) in order.iter().enumerate() {
        let Wish { len, from, to } = wishes[wish];
        // Images that are read together should not begin on the same lines of a cache.
        let gap = wish * 11 % 64 * ALIGNMENT;
        let mut taken: Vec<Range<usize>> = order[..count]
            .iter()
            .filter(|&&other| wishes[other].from <= to && from <= wishes[other].to)
            .map(|&other| places[other].clone())
            .collect();
        taken.sort_by_key(|range| range.start);
        let mut start = gap;
        for range in taken {
            if start + len <= range.start {
                break;
            }
            start = start.max(range.end.next_multiple_of(ALIGNMENT) + gap);
        }
        places[wish] = start..start + len;
    }
    let whole = places.iter().map(|range| range.end).max().unwrap_or(0);
    (places, whole)
}

/// The memory of a training step on so many images.
///
/// Outputs of convolutions stay from the way forward to the way back; gradients move into the
/// memory of layers that the way back has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Bordered images.
    pub images: Range<usize>,
    /// For each operation what it gives: before normalisation if it is a convolution.
    pub values: Vec<Range<usize>>,
    /// For each convolution with a skip what it gives after the sum and the ReLU; else nothing.
    pub joined: Vec<Range<usize>>,
    /// For each operation the gradient of what it gives.
    pub gradients: Vec<Range<usize>>,
    /// Of the whole.
    pub len: usize,
}

impl Plan {
    pub(crate) fn new(program: &Program, lanes: usize, batch: usize) -> Self {
        let operations = program.operations();
        let count = operations.len();
        let back = |operation: usize| 2 * count - 1 - operation;
        let plane = plane(program, 0, lanes);
        let mut wishes = vec![Wish {
            len: batch * stem_image(plane),
            from: 0,
            to: back(0),
        }];
        let size = |at: usize| batch * image(program, at, lanes);
        let after = |at: usize| {
            if at + 1 < count {
                back(at + 1)
            } else {
                back(at)
            }
        };
        for (at, operation) in operations.iter().enumerate() {
            let to = if *operation == Operation::Pool {
                after(at)
            } else {
                back(at)
            };
            wishes.push(Wish {
                len: size(at),
                from: at,
                to,
            });
        }
        for at in 0..count {
            let len = program.skip(at).map_or(0, |_| size(at));
            wishes.push(Wish {
                len,
                from: at,
                to: after(at),
            });
        }
        for at in 0..count {
            let to = program.skip(at).map_or(back(at), after);
            wishes.push(Wish {
                len: size(at),
                from: after(at),
                to,
            });
        }
        let (mut places, len) = place(&wishes);
        let gradients = places.split_off(1 + 2 * count);
        let joined = places.split_off(1 + count);
        let values = places.split_off(1);
        Self {
            images: places[0].clone(),
            values,
            joined,
            gradients,
            len,
        }
    }
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
        let wishes: Vec<_> = (0..60)
            .map(|at: usize| Wish {
                len: at * 37 % 101 * 16,
                from: at * 29 % 50,
                to: at * 29 % 50 + at % 7,
            })
            .collect();
        let (places, len) = place(&wishes);
        for (at, (one, range)) in wishes.iter().zip(&places).enumerate() {
            assert!(range.len() == one.len && range.end <= len && range.start % ALIGNMENT == 0);
            for (other, other_range) in wishes.iter().zip(&places).skip(at + 1) {
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

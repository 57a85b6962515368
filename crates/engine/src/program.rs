//! Programs: stacks of layers as plain data, checked once as they are made.

use snafu::ensure;

use super::Error;
use super::error::ProgramSnafu;
use super::kernels::TILE;

/// An operation of a [`Program`] on the result of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A 3x3 convolution (stride 1, zero padding, same size, no bias), batch normalisation, the
    /// addition of an earlier result where there is a skip connection, and ReLU.
    Convolution {
        /// Channels of the result.
        channels: usize,
        /// The operation whose result is added before the ReLU. It has the same size and no more
        /// channels; those that are missing count as 0. It does not lie before the last such
        /// addition.
        skip: Option<usize>,
    },
    /// A 2x2 average pool with stride 2.
    Pool,
}

/// The size of an image between operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Extent {
    /// The number of values of an image.
    pub fn num_elements(self) -> usize {
        self.channels * self.height * self.width
    }
}

/// A chain of operations on images of one channel that begins with a convolution and ends with a
/// pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    images: Extent,
    epsilon: f64,
    operations: Vec<Operation>,
    extents: Vec<Extent>,
}

impl Program {
    /// A program of these operations, for images of this height and width. `epsilon` is what batch
    /// normalisation adds to a variance.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] names the first operation that is not possible.
    pub fn new(
        height: usize,
        width: usize,
        epsilon: f64,
        operations: Vec<Operation>,
    ) -> Result<Self, Error> {
        let images = Extent {
            channels: 1,
            height,
            width,
        };
        let mut program = Self {
            images,
            epsilon,
            extents: Vec::with_capacity(operations.len()),
            operations,
        };
        for operation in 0..program.operations.len() {
            let extent = program
                .check(operation)
                .map_or_else(|fault| ProgramSnafu { operation, fault }.fail(), Ok)?;
            program.extents.push(extent);
        }
        let ends = program.operations.last() == Some(&Operation::Pool);
        let operation = program.operations.len();
        let fault = "is missing: the last one should be a pool";
        ensure!(ends, ProgramSnafu { operation, fault });
        Ok(program)
    }

    /// The extent of an operation's result, or what is wrong with it.
    fn check(&self, operation: usize) -> Result<Extent, &'static str> {
        let before = self.before(operation);
        match self.operations[operation] {
            Operation::Convolution { channels, skip } => {
                let result = Extent { channels, ..before };
                let fits = |size: usize| size > 0 && size.is_multiple_of(TILE);
                require(channels > 0, "should have at least one channel")?;
                require(
                    fits(before.height) && fits(before.width),
                    "should have a height and width of a multiple of 4",
                )?;
                if let Some(from) = skip {
                    self.check_skip(operation, from, result)?;
                }
                Ok(result)
            }
            Operation::Pool => {
                let convolution = operation
                    .checked_sub(1)
                    .is_some_and(|before| self.operations[before] != Operation::Pool);
                require(convolution, "should follow a convolution")?;
                require(operation > 1, "should not follow the first convolution")?;
                Ok(Extent {
                    height: before.height / 2,
                    width: before.width / 2,
                    ..before
                })
            }
        }
    }

    /// Checks the skip connection that ends in a convolution with this result.
    fn check_skip(
        &self,
        operation: usize,
        from: usize,
        result: Extent,
    ) -> Result<(), &'static str> {
        let sums = |other: &usize| self.skip(*other).is_some();
        let last_sum = (0..operation).rev().find(sums);
        require(
            from + 1 < operation,
            "should add the result of an operation before the last",
        )?;
        require(
            last_sum.is_none_or(|sum| sum <= from),
            "should not add a result from before the last addition",
        )?;
        let added = self.extents[from];
        require(
            [added.height, added.width] == [result.height, result.width],
            "should add a result of its size",
        )?;
        require(
            added.channels <= result.channels,
            "should add a result of no more channels than its own",
        )
    }

    /// The operations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The extent of the images.
    pub fn images(&self) -> Extent {
        self.images
    }

    /// The extent of the last result.
    pub fn features(&self) -> Extent {
        self.extents[self.extents.len() - 1]
    }

    /// The extent of an operation's result.
    pub(super) fn extent(&self, operation: usize) -> Extent {
        self.extents[operation]
    }

    /// The extent of what an operation takes.
    pub(super) fn before(&self, operation: usize) -> Extent {
        operation
            .checked_sub(1)
            .map_or(self.images, |before| self.extents[before])
    }

    /// What batch normalisation adds to a variance.
    pub(super) fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The operation that adds an operation's result, if any.
    pub(super) fn skipped_to(&self, from: usize) -> Option<usize> {
        self.operations.iter().position(
            |other| matches!(other, Operation::Convolution { skip, .. } if *skip == Some(from)),
        )
    }

    /// The operation whose result an operation adds, if any.
    pub(super) fn skip(&self, operation: usize) -> Option<usize> {
        match self.operations[operation] {
            Operation::Convolution { skip, .. } => skip,
            Operation::Pool => None,
        }
    }

    /// The convolutions, each with its place in the chain, and its channels of inputs and of
    /// outputs.
    pub fn convolutions(&self) -> impl Iterator<Item = (usize, [usize; 2])> {
        let convolution = |(at, operation): (usize, &Operation)| match operation {
            Operation::Convolution { channels, .. } => {
                Some((at, [self.before(at).channels, *channels]))
            }
            Operation::Pool => None,
        };
        self.operations.iter().enumerate().filter_map(convolution)
    }
}

fn require(condition: bool, fault: &'static str) -> Result<(), &'static str> {
    if condition { Ok(()) } else { Err(fault) }
}

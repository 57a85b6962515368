use std::sync::{Arc, Mutex, PoisonError, Weak};

use snafu::OptionExt;

use super::error::MemorySnafu;
use super::kernels::{Isa, Memory, Shape};
use super::plan::{Plan, plane};
use super::{Error, Program};

/// How a batch is split: each share is worked on by itself, whatever thread takes it, so that sums
/// are taken in the same order each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// Images of the batch.
    pub batch: usize,
    /// Images of a share; the last may have fewer.
    pub each: usize,
    /// The number of shares.
    pub count: usize,
}

/// Shares of a batch in training, at most; more threads than these have nothing to do.
const SHARES: usize = 8;
/// Images that a share should have: each share costs a transform of the gradient of all weights.
const WORTH: usize = 4;

/// How a batch is split in training: by its size alone, so that a training that goes on with more or
/// fewer threads ends with the same weights.
pub fn training_shares(batch: usize) -> usize {
    (batch / WORTH).clamp(2, SHARES)
}

impl Shares {
    pub(crate) fn new(batch: usize, threads: usize) -> Self {
        let each = batch.div_ceil(threads.max(1)).max(1);
        Self {
            batch,
            each,
            count: batch.div_ceil(each),
        }
    }
}

/// What is remembered of a convolution between the way forward and the way back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    pub mean: f64,
    /// One divided by the root of the variance and epsilon.
    pub inverse_deviation: f64,
}

/// Factors and summands of a convolution's channels, each one for each lane of its blocks.
#[derive(Debug, Default)]
pub(super) struct Constants {
    pub moments: Vec<Moments>,
    /// What normalisation comes to: factors, then summands.
    pub normal: [Vec<f32>; 2],
    /// The gradient of the outputs: see [`Differential`](super::kernels::Differential).
    pub back: [Vec<f32>; 3],
}

/// The memory of a training step.
pub(super) struct Workspace {
    pub plan: Plan,
    pub shares: Shares,
    pub images: Memory,
    /// For each operation; empty for a pool.
    pub constants: Vec<Constants>,
    /// For all lanes a factor of 1 and a summand of 0.
    pub identity: [Vec<f32>; 2],
    /// The transformed weights of one convolution at a time.
    pub weights: Memory,
    /// For each share the gradient of one convolution's weights at a time, of [`Shape::taps`].
    pub weights_gradients: Memory,
    pub benches: Benches,
    /// For each share the sums of one operation at a time.
    pub sums: Vec<f64>,
    /// Numbers of `sums` of a share.
    pub sums_share: usize,
}

pub(super) fn memory(len: usize) -> Result<Memory, Error> {
    Memory::zeros(len).context(MemorySnafu {
        bytes: len.saturating_mul(4),
    })
}

/// The sizes of a convolution of a share.
pub(super) fn shape(program: &Program, operation: usize, lanes: usize, images: usize) -> Shape {
    let plane = plane(program, operation, lanes);
    Shape {
        plane,
        blocks_in: plane.blocks(program.before(operation).channels),
        blocks_out: plane.blocks(program.extent(operation).channels),
        images,
        // Each layer begins where the one before has ended.
        reversed: operation % 2 == 1,
    }
}

impl Workspace {
    pub(crate) fn new(program: &Program, isa: Isa, shares: Shares) -> Result<Self, Error> {
        let lanes = isa.lanes();
        let plan = Plan::new(program, lanes, shares.batch);
        let shapes = || {
            program
                .convolutions()
                .skip(1)
                .map(|(at, _)| shape(program, at, lanes, 1))
        };
        let weights = shapes().map(Shape::weights).max().unwrap_or(0);
        let tiles = shapes().map(|shape| 3 * shape.scratch()).max().unwrap_or(0);
        let gradient = shapes().map(Shape::gradient).max().unwrap_or(0);
        let taps = shapes().map(Shape::taps).max().unwrap_or(0);
        let width = |channels: usize| channels.next_multiple_of(lanes);
        let widest = program
            .convolutions()
            .map(|(_, [_, out])| width(out))
            .max()
            .unwrap_or(0);
        let mut constants: Vec<Constants> = Vec::new();
        constants.resize_with(program.operations().len(), Constants::default);
        for (at, [_, channels]) in program.convolutions() {
            let vector = || vec![0.0; width(channels)];
            constants[at] = Constants {
                moments: vec![Moments::default(); channels],
                normal: std::array::from_fn(|_| vector()),
                back: std::array::from_fn(|_| vector()),
            };
        }
        Ok(Self {
            images: memory(plan.len)?,
            plan,
            shares,
            constants,
            identity: [vec![1.0; widest], vec![0.0; widest]],
            weights: memory(weights)?,
            weights_gradients: memory(shares.count * taps)?,
            benches: Benches::new(shares.count, tiles, gradient)?,
            sums: vec![0.0; shares.count * 9 * widest],
            sums_share: 9 * widest,
        })
    }

    /// Makes it one for another batch, in the same memory if that is large enough.
    fn refit(self, program: &Program, isa: Isa, shares: Shares) -> Result<Self, Error> {
        if self.shares == shares {
            return Ok(self);
        }
        let plan = Plan::new(program, isa.lanes(), shares.batch);
        // More than a smaller batch, such as the last of an epoch, has made of it.
        let room = self.sums.len() / self.sums_share;
        if shares.count > room || plan.len > self.images.len() {
            drop(self);
            return Self::new(program, isa, shares);
        }
        Ok(Self {
            plan,
            shares,
            ..self
        })
    }

    /// Adds the first `len` sums of all shares to those of the first share, in the order of the
    /// shares.
    pub(crate) fn total(&mut self, len: usize) -> &[f64] {
        let (total, others) = self.sums.split_at_mut(self.sums_share);
        for share in others
            .chunks_exact(self.sums_share)
            .take(self.shares.count - 1)
        {
            for (total, part) in total[..len].iter_mut().zip(share) {
                *total += part;
            }
        }
        &total[..len]
    }
}

/// What a share is worked on with, by one thread at a time.
struct Bench {
    memory: Memory,
    tiles: usize,
}

/// Benches that lie idle, as many as there are shares. The one that was put back last is taken first:
/// it is still in a cache.
pub(super) struct Benches(Mutex<Vec<Bench>>);

impl Benches {
    /// So many benches, each with so many floats for transformed tiles and for the gradient of
    /// transformed weights.
    fn new(count: usize, tiles: usize, gradient: usize) -> Result<Self, Error> {
        // Both are read together, and should not begin on the same line of a cache.
        let tiles = tiles.next_multiple_of(16) + 16 * 11;
        let bench = |_| {
            let memory = memory(tiles + gradient)?;
            Ok(Bench { memory, tiles })
        };
        let benches: Result<_, _> = (0..count).map(bench).collect();
        Ok(Self(Mutex::new(benches?)))
    }

    /// Lends the tiles and the gradient of a bench, which hold anything, to a share's work.
    pub(crate) fn lend(&self, work: impl FnOnce(&mut [f32], &mut [f32])) {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bench = idle().pop();
        let mut bench = bench.expect("there should be a bench for each share");
        let (tiles, gradient) = bench.memory.split_at_mut(bench.tiles);
        work(tiles, gradient);
        idle().push(bench);
    }
}

/// Workspaces that are kept for the next step, at most [`KEPT`].
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Workspace>>);

/// One for a step after the other; more are steps side by side, which is rare.
const KEPT: usize = 1;

impl Pool {
    pub(crate) fn take(
        self: &Arc<Self>,
        program: &Program,
        isa: Isa,
        shares: Shares,
    ) -> Result<Lease, Error> {
        let free = self.0.lock().ok().and_then(|mut free| free.pop());
        let workspace = match free {
            Some(workspace) => workspace.refit(program, isa, shares)?,
            None => Workspace::new(program, isa, shares)?,
        };
        Ok(Lease {
            workspace: Some(workspace),
            pool: Arc::downgrade(self),
        })
    }
}

/// A workspace that goes back to its pool.
pub(super) struct Lease {
    workspace: Option<Workspace>,
    pool: Weak<Pool>,
}

impl Lease {
    pub(crate) fn get(&mut self) -> Option<&mut Workspace> {
        self.workspace.as_mut()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(workspace), Some(pool)) = (self.workspace.take(), self.pool.upgrade())
            && let Ok(mut free) = pool.0.lock()
            && free.len() < KEPT
        {
            free.push(workspace);
        }
    }
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Workspace({:?})", self.images)
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lease({:?})", self.workspace)
    }
}

//! The memory of a training step, and the pool in which it waits for the next one.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use snafu::OptionExt;

use super::error::MemorySnafu;
use super::kernels::{AlignedBuffer, ConvolutionShape, Isa};
use super::plan::{Plan, plane};
use super::{Error, Program};

/// How a batch is split. Each chunk is worked on by itself, whichever thread takes it, so that sums
/// are always taken in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchChunks {
    pub batch: usize,
    /// Images of a chunk; the last may have fewer.
    pub images: usize,
    pub count: usize,
}

/// The most chunks of a batch in training; more threads than these have nothing to do.
const MAX_CHUNKS: usize = 8;
/// Images that a chunk should have: each chunk costs an inverse transform of the gradient of all
/// weights.
const MIN_IMAGES: usize = 4;

/// The number of chunks of a batch in training. It depends on the size of the batch alone, so that
/// a training that goes on with more or fewer threads ends with the same weights.
pub fn training_chunks(batch: usize) -> usize {
    (batch / MIN_IMAGES).clamp(2, MAX_CHUNKS)
}

impl BatchChunks {
    pub(crate) fn new(batch: usize, threads: usize) -> Self {
        let images = batch.div_ceil(threads.max(1)).max(1);
        Self {
            batch,
            images,
            count: batch.div_ceil(images),
        }
    }
}

/// The statistics of a channel, kept from the forward pass for the backward pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    pub mean: f64,
    /// 1 / sqrt(variance + epsilon).
    pub inverse_deviation: f64,
}

/// The coefficients of a convolution's channels, with one entry for each lane of its blocks.
#[derive(Debug, Default)]
pub(super) struct ChannelCoefficients {
    pub moments: Vec<Moments>,
    /// Normalisation as a scale and a shift.
    pub scale_shift: [Vec<f32>; 2],
    /// The coefficients of [`BatchNormGradient`](super::kernels::BatchNormGradient).
    pub gradient: [Vec<f32>; 3],
}

pub(super) struct Workspace {
    pub plan: Plan,
    pub chunks: BatchChunks,
    pub images: AlignedBuffer,
    /// For each operation; empty for a pool.
    pub coefficients: Vec<ChannelCoefficients>,
    /// A scale of 1 and a shift of 0 for each lane.
    pub identity: [Vec<f32>; 2],
    /// The transformed weights of one convolution at a time.
    pub weights: AlignedBuffer,
    /// For each chunk the gradient of one convolution's weights at a time,
    /// [`ConvolutionShape::taps`] floats.
    pub weights_gradients: AlignedBuffer,
    pub scratch_pool: ScratchPool,
    /// For each chunk the sums of one operation at a time.
    pub sums: Vec<f64>,
    /// The part of `sums` that a chunk has.
    pub sums_per_chunk: usize,
}

pub(super) fn allocate(len: usize) -> Result<AlignedBuffer, Error> {
    AlignedBuffer::zeros(len).context(MemorySnafu {
        bytes: len.saturating_mul(4),
    })
}

/// The shape of a convolution of `images` images.
pub(super) fn shape(
    program: &Program,
    operation: usize,
    lanes: usize,
    images: usize,
) -> ConvolutionShape {
    let plane = plane(program, operation, lanes);
    ConvolutionShape {
        plane,
        blocks_in: plane.blocks(program.before(operation).channels),
        blocks_out: plane.blocks(program.extent(operation).channels),
        images,
        // Each layer begins with the images that the one before has ended with.
        reversed: operation % 2 == 1,
    }
}

impl Workspace {
    pub(crate) fn new(program: &Program, isa: Isa, chunks: BatchChunks) -> Result<Self, Error> {
        let lanes = isa.lanes();
        let plan = Plan::new(program, lanes, chunks.batch);
        let shapes = || {
            program
                .convolutions()
                .skip(1)
                .map(|(at, _)| shape(program, at, lanes, 1))
        };
        let weights = shapes().map(ConvolutionShape::weights).max().unwrap_or(0);
        let tiles = shapes().map(|shape| 3 * shape.scratch()).max().unwrap_or(0);
        let gradient = shapes().map(ConvolutionShape::gradient).max().unwrap_or(0);
        let taps = shapes().map(ConvolutionShape::taps).max().unwrap_or(0);
        let width = |channels: usize| channels.next_multiple_of(lanes);
        let widest = program
            .convolutions()
            .map(|(_, [_, out])| width(out))
            .max()
            .unwrap_or(0);
        let mut coefficients: Vec<ChannelCoefficients> = Vec::new();
        coefficients.resize_with(program.operations().len(), ChannelCoefficients::default);
        for (at, [_, channels]) in program.convolutions() {
            let vector = || vec![0.0; width(channels)];
            coefficients[at] = ChannelCoefficients {
                moments: vec![Moments::default(); channels],
                scale_shift: std::array::from_fn(|_| vector()),
                gradient: std::array::from_fn(|_| vector()),
            };
        }
        Ok(Self {
            images: allocate(plan.len)?,
            plan,
            chunks,
            coefficients,
            identity: [vec![1.0; widest], vec![0.0; widest]],
            weights: allocate(weights)?,
            weights_gradients: allocate(chunks.count * taps)?,
            scratch_pool: ScratchPool::new(chunks.count, tiles, gradient)?,
            sums: vec![0.0; chunks.count * 9 * widest],
            sums_per_chunk: 9 * widest,
        })
    }

    /// Fits the workspace to another batch, in the same memory if that is large enough.
    fn refit(self, program: &Program, isa: Isa, chunks: BatchChunks) -> Result<Self, Error> {
        if self.chunks == chunks {
            return Ok(self);
        }
        let plan = Plan::new(program, isa.lanes(), chunks.batch);
        // A smaller batch, such as the last of an epoch, may have used fewer chunks than there is
        // memory for.
        let room = self.sums.len() / self.sums_per_chunk;
        if chunks.count > room || plan.len > self.images.len() {
            drop(self);
            return Self::new(program, isa, chunks);
        }
        Ok(Self {
            plan,
            chunks,
            ..self
        })
    }

    /// Adds the first `len` sums of all chunks to those of the first chunk, in the order of the
    /// chunks.
    pub(crate) fn total(&mut self, len: usize) -> &[f64] {
        let (total, others) = self.sums.split_at_mut(self.sums_per_chunk);
        for chunk in others
            .chunks_exact(self.sums_per_chunk)
            .take(self.chunks.count - 1)
        {
            for (total, part) in total[..len].iter_mut().zip(chunk) {
                *total += part;
            }
        }
        &total[..len]
    }
}

/// The scratch memory for the work on one chunk.
struct Scratch {
    memory: AlignedBuffer,
    tiles: usize,
}

/// Scratch memory that is not in use, as many as there are chunks. The last that was put back is
/// taken first, for it is still in a cache.
pub(super) struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    /// `count` of them, each with room for transformed tiles and for the gradient of transformed
    /// weights, in floats.
    fn new(count: usize, tiles: usize, gradient: usize) -> Result<Self, Error> {
        // Both are read together and should not begin in the same set of a cache.
        let tiles = tiles.next_multiple_of(16) + 16 * 11;
        let scratch = |_| {
            let memory = allocate(tiles + gradient)?;
            Ok(Scratch { memory, tiles })
        };
        let scratch_pool: Result<_, _> = (0..count).map(scratch).collect();
        Ok(Self(Mutex::new(scratch_pool?)))
    }

    /// Lends tiles and gradient, whose contents are undefined, for the work on a chunk.
    pub(crate) fn lend(&self, work: impl FnOnce(&mut [f32], &mut [f32])) {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = idle().pop();
        let mut scratch = scratch.expect("there should be a scratch for each chunk");
        let (tiles, gradient) = scratch.memory.split_at_mut(scratch.tiles);
        work(tiles, gradient);
        idle().push(scratch);
    }
}

/// Workspaces that are kept for the next step, at most [`KEPT`].
#[derive(Debug, Default)]
pub(super) struct WorkspacePool(Mutex<Vec<Workspace>>);

/// Steps usually follow one another; steps side by side are rare.
const KEPT: usize = 1;

impl WorkspacePool {
    pub(crate) fn take(
        self: &Arc<Self>,
        program: &Program,
        isa: Isa,
        chunks: BatchChunks,
    ) -> Result<PooledWorkspace, Error> {
        let free = self.0.lock().ok().and_then(|mut free| free.pop());
        let workspace = match free {
            Some(workspace) => workspace.refit(program, isa, chunks)?,
            None => Workspace::new(program, isa, chunks)?,
        };
        Ok(PooledWorkspace {
            workspace: Some(workspace),
            pool: Arc::downgrade(self),
        })
    }
}

/// A workspace that returns to its pool when it is dropped.
pub(super) struct PooledWorkspace {
    workspace: Option<Workspace>,
    pool: Weak<WorkspacePool>,
}

impl PooledWorkspace {
    pub(crate) fn get(&mut self) -> Option<&mut Workspace> {
        self.workspace.as_mut()
    }
}

impl Drop for PooledWorkspace {
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

impl std::fmt::Debug for PooledWorkspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PooledWorkspace({:?})", self.workspace)
    }
}

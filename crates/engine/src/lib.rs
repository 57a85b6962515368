//! A CPU engine for stacks of 3x3 convolutions with batch normalisation and ReLU, optional skip
//! connections and 2x2 average pools.
//!
//! A [`Program`] is such a stack as plain data, and an [`Engine`] runs it. [`Engine::train`] is the
//! forward pass of training, whose [`SavedActivations`] [`Engine::backward`] consumes;
//! [`Engine::evaluate`] takes [`FoldedWeights`], into which batch normalisation has been folded. A
//! [`Convolution3x3`] is one convolution by the same kernels. Memory is planned once for a program
//! and a batch, and kept from step to step.
//!
//! A batch is split into chunks, and sums are taken chunk by chunk: for the same number of chunks
//! the result is the same, bit for bit, on one type of processor, however many threads there are.
//!
//! Nothing here knows Burn, and only `kernels` is `unsafe`.

mod backward;
mod convolution;
mod error;
mod forward;
mod inference;
mod kernels;
mod parameters;
mod plan;
mod program;
pub mod throughput;
mod weights;
mod workspace;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

pub use convolution::{Convolution3x3, Convolution3x3Config};
pub use error::Error;
pub use inference::FoldedWeights;
pub use kernels::{Isa, Level, VectorizedLoop, keep_freed_memory};
pub use parameters::{Gradients, Parameters, Statistics, StatisticsMut};
pub use program::{Extent, Operation, Program};

use error::check;
use forward::TrainingPass;
use inference::Evaluator;
use workspace::{BatchChunks, PooledWorkspace, WorkspacePool};

pub use workspace::training_chunks;

/// Runs one program; see the [crate](self).
#[derive(Debug)]
pub struct Engine {
    program: Program,
    isa: Isa,
    pool: Arc<WorkspacePool>,
    evaluator: Mutex<Option<Evaluator>>,
}

/// What a forward pass keeps for the backward pass.
#[derive(Debug)]
pub struct SavedActivations {
    workspace: PooledWorkspace,
}

impl Engine {
    /// An engine for a program, which uses these instructions.
    pub fn new(program: Program, isa: Isa) -> Self {
        Self {
            program,
            isa,
            pool: Arc::default(),
            evaluator: Mutex::default(),
        }
    }

    /// The program that it runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The number of images.
    fn batch(&self, images: &[f32]) -> Result<usize, Error> {
        let each = self.program.images().num_elements();
        check("the batch", images.len() % each, 0)?;
        Ok(images.len() / each)
    }

    /// The forward pass by the statistics of the batch itself, which it writes besides the
    /// features. At most `chunks` chunks of the batch are worked on at a time; see
    /// [`training_chunks`].
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, height, width]`
    /// - `features`: `[batch, channels, height, width]` of [`Program::features`]
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if something does not fit the program, [`Error::Memory`] if memory is short.
    pub fn train(
        &self,
        chunks: usize,
        images: &[f32],
        parameters: &[Parameters<'_>],
        statistics: &mut [StatisticsMut<'_>],
        features: &mut [f32],
    ) -> Result<SavedActivations, Error> {
        let batch = self.batch(images)?;
        check("the batch", usize::from(batch > 0), 1)?;
        Parameters::check(&self.program, parameters)?;
        StatisticsMut::check(&self.program, statistics)?;
        check(
            "the features",
            features.len(),
            batch * self.program.features().num_elements(),
        )?;
        let chunks = BatchChunks::new(batch, chunks);
        let mut workspace = self.pool.take(&self.program, self.isa, chunks)?;
        if let Some(workspace) = workspace.get() {
            let pass = self.pass(parameters);
            in_pool(|| pass.forward(workspace, images, statistics, features));
        }
        Ok(SavedActivations { workspace })
    }

    fn pass<'a>(&'a self, parameters: &'a [Parameters<'a>]) -> TrainingPass<'a> {
        TrainingPass {
            program: &self.program,
            isa: self.isa,
            parameters,
        }
    }

    /// The backward pass: the gradients of the parameters from the gradient of the features. The
    /// parameters have to be those of the forward pass.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if something does not fit the program.
    pub fn backward(
        &self,
        mut saved: SavedActivations,
        parameters: &[Parameters<'_>],
        features: &[f32],
        gradients: &mut [Gradients<'_>],
    ) -> Result<(), Error> {
        Parameters::check(&self.program, parameters)?;
        Gradients::check(&self.program, gradients)?;
        if let Some(workspace) = saved.workspace.get() {
            let batch = workspace.chunks.batch;
            check(
                "the gradient",
                features.len(),
                batch * self.program.features().num_elements(),
            )?;
            let pass = self.pass(parameters);
            in_pool(|| pass.backward(workspace, features, gradients));
        }
        Ok(())
    }

    /// Weights for [`evaluate`](Self::evaluate); see [`FoldedWeights::new`].
    ///
    /// # Errors
    ///
    /// Those of [`FoldedWeights::new`].
    pub fn fold(
        &self,
        parameters: &[Parameters<'_>],
        statistics: &[Statistics<'_>],
    ) -> Result<FoldedWeights, Error> {
        FoldedWeights::new(&self.program, self.isa, parameters, statistics)
    }

    /// The features of any number of images, by the running statistics. The images are split into
    /// at most `threads` chunks.
    ///
    /// # Shapes
    /// As for [`train`](Self::train).
    ///
    /// # Errors
    ///
    /// Those of [`train`](Self::train), and [`Error::Size`] for weights that were folded for other
    /// instructions.
    pub fn evaluate(
        &self,
        threads: usize,
        images: &[f32],
        folded: &FoldedWeights,
        features: &mut [f32],
    ) -> Result<(), Error> {
        let batch = self.batch(images)?;
        check(
            "the features",
            features.len(),
            batch * self.program.features().num_elements(),
        )?;
        check("the weights' blocks", folded.isa.lanes(), self.isa.lanes())?;
        if batch == 0 {
            return Ok(());
        }
        let chunks = BatchChunks::new(batch, threads);
        let kept = self.evaluator.lock().ok().and_then(|mut kept| kept.take());
        let mut evaluator = match kept.filter(|kept| kept.fits(chunks)) {
            Some(evaluator) => evaluator,
            None => Evaluator::new(&self.program, self.isa, chunks)?,
        };
        evaluator.run(&self.program, folded, chunks, images, features);
        if let Ok(mut kept) = self.evaluator.lock() {
            *kept = Some(evaluator);
        }
        Ok(())
    }
}

/// Runs in a thread of the pool, so that the parallel operations within need not each wake one.
fn in_pool(work: impl FnOnce() + Send) {
    rayon::scope(|_| work());
}

//! A CPU engine for stacks of 3x3 convolutions with batch normalisation and ReLU, optional skip
//! connections and 2x2 average pools.
//!
//! A [`Program`] is such a stack as plain data. An [`Engine`] runs it: [`Engine::train`] goes
//! forward and remembers what [`Training::backward`] needs; [`Engine::evaluate`] takes weights
//! that batch normalisation has been folded into. Memory is planned once for a program and a
//! batch, and kept from step to step.
//!
//! Numbers are the same, bit for bit, for the same number of shares on one type of processor, however
//! many threads there are: a batch is split into shares, and sums are taken share by share.
//!
//! Nothing here knows Burn, and nothing but `kernels` is `unsafe`.

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

pub use convolution::{Single, Sizes};
pub use error::Error;
pub use inference::Folded;
pub use kernels::{Isa, Level, Loops, keep_freed_memory};
pub use parameters::{Gradients, Parameters, Statistics, StatisticsMut};
pub use program::{Extent, Operation, Program};

use error::check;
use forward::Pass;
use inference::Evaluator;
use workspace::{Lease, Pool, Shares};

pub use workspace::training_shares;

/// Runs a program; see the [module](self).
#[derive(Debug)]
pub struct Engine {
    program: Program,
    isa: Isa,
    pool: Arc<Pool>,
    evaluator: Mutex<Option<Evaluator>>,
}

/// A training step between its way forward and its way back.
#[derive(Debug)]
pub struct Training {
    lease: Lease,
}

impl Engine {
    /// An engine for a program, with these instructions.
    pub fn new(program: Program, isa: Isa) -> Self {
        Self {
            program,
            isa,
            pool: Arc::default(),
            evaluator: Mutex::default(),
        }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The number of images, by that of their pixels.
    fn batch(&self, images: &[f32]) -> Result<usize, Error> {
        let each = self.program.images().len();
        check("the batch", images.len() % each, 0)?;
        Ok(images.len() / each)
    }

    /// Goes forward by the batch's own statistics, which it writes as it does the features. So many
    /// `shares` of the batch, or fewer, are worked on at a time.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, height, width]`
    /// - `features`: `[batch, channels, height, width]` of [`Program::features`]
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if something given does not fit the program, [`Error::Memory`] if there is
    /// none.
    pub fn train(
        &self,
        shares: usize,
        images: &[f32],
        parameters: &[Parameters<'_>],
        statistics: &mut [StatisticsMut<'_>],
        features: &mut [f32],
    ) -> Result<Training, Error> {
        let batch = self.batch(images)?;
        check("the batch", usize::from(batch > 0), 1)?;
        Parameters::check(&self.program, parameters)?;
        StatisticsMut::check(&self.program, statistics)?;
        check(
            "the features",
            features.len(),
            batch * self.program.features().len(),
        )?;
        let shares = Shares::new(batch, shares);
        let mut lease = self.pool.take(&self.program, self.isa, shares)?;
        if let Some(workspace) = lease.get() {
            let pass = self.pass(parameters);
            in_pool(|| pass.forward(workspace, images, statistics, features));
        }
        Ok(Training { lease })
    }

    fn pass<'a>(&'a self, parameters: &'a [Parameters<'a>]) -> Pass<'a> {
        Pass {
            program: &self.program,
            isa: self.isa,
            parameters,
        }
    }

    /// Goes back: from the gradient of the features to those of the parameters, which have to be
    /// the ones of the way forward.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if something given does not fit the program.
    pub fn backward(
        &self,
        mut training: Training,
        parameters: &[Parameters<'_>],
        features: &[f32],
        gradients: &mut [Gradients<'_>],
    ) -> Result<(), Error> {
        Parameters::check(&self.program, parameters)?;
        Gradients::check(&self.program, gradients)?;
        if let Some(workspace) = training.lease.get() {
            let batch = workspace.shares.batch;
            check(
                "the gradient",
                features.len(),
                batch * self.program.features().len(),
            )?;
            let pass = self.pass(parameters);
            in_pool(|| pass.backward(workspace, features, gradients));
        }
        Ok(())
    }

    /// Weights for [`evaluate`](Self::evaluate); see [`Folded::new`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn fold(
        &self,
        parameters: &[Parameters<'_>],
        statistics: &[Statistics<'_>],
    ) -> Result<Folded, Error> {
        Folded::new(&self.program, self.isa, parameters, statistics)
    }

    /// The features of any number of images, by running statistics.
    ///
    /// # Shapes
    /// As for [`train`](Self::train).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn evaluate(
        &self,
        threads: usize,
        images: &[f32],
        folded: &Folded,
        features: &mut [f32],
    ) -> Result<(), Error> {
        let batch = self.batch(images)?;
        check(
            "the features",
            features.len(),
            batch * self.program.features().len(),
        )?;
        check("the weights' blocks", folded.isa.lanes(), self.isa.lanes())?;
        if batch == 0 {
            return Ok(());
        }
        let shares = Shares::new(batch, threads);
        let kept = self.evaluator.lock().ok().and_then(|mut kept| kept.take());
        let mut evaluator = match kept.filter(|kept| kept.fits(shares)) {
            Some(evaluator) => evaluator,
            None => Evaluator::new(&self.program, self.isa, shares)?,
        };
        evaluator.run(&self.program, folded, shares, images, features);
        if let Ok(mut kept) = self.evaluator.lock() {
            *kept = Some(evaluator);
        }
        Ok(())
    }
}

/// Works in a thread of the pool, so that its operations need not wake one each.
fn in_pool(work: impl FnOnce() + Send) {
    rayon::scope(|_| work());
}

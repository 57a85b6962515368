use serde::{Deserialize, Serialize};
use snafu::ResultExt;

use super::Error;
use super::error::HistorySnafu;

/// What one epoch came to: a row of `history.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// The mean training loss over the epoch's images, class weights included, as they were seen:
    /// with dropout, and with the weights of that moment.
    pub loss: f64,
    /// The part of the training images whose largest logit was that of their class.
    pub accuracy: f64,
    /// The mean validation loss after the epoch, without class weights. Empty without validation
    /// images.
    pub validation_loss: Option<f64>,
    /// The part of the validation images classified rightly. Empty without validation images.
    pub validation_accuracy: Option<f64>,
    /// The learning rate during the epoch.
    pub learning_rate: f64,
}

/// The epochs of a fit, from the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One entry an epoch.
    pub epochs: Vec<Epoch>,
}

impl History {
    /// The table as CSV, with a header of the field names.
    ///
    /// # Errors
    ///
    /// [`Error::History`] if a row cannot be written.
    pub fn to_csv(&self) -> Result<Vec<u8>, Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for epoch in &self.epochs {
            writer.serialize(epoch).context(HistorySnafu)?;
        }
        writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
            .context(HistorySnafu)
    }

    /// Reads what [`to_csv`](Self::to_csv) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::History`] for anything else, with the line.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, Error> {
        let rows = csv::Reader::from_reader(bytes).into_deserialize();
        Ok(Self {
            epochs: rows.collect::<Result<_, _>>().context(HistorySnafu)?,
        })
    }
}

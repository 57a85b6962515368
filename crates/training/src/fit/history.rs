//! The history of a fit, epoch by epoch, as the table `history.csv`.

use serde::{Deserialize, Serialize};
use snafu::{ResultExt, ensure};

use super::Error;
use super::error::{HistoryNumberSnafu, HistorySnafu};

/// The losses and the learning rate of one epoch: a row of `history.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// The mean training loss over the epoch's images, class weights included, as they were seen:
    /// with dropout, and with the weights of that moment.
    pub loss: f64,
    /// The share of the training images whose largest logit was that of their class.
    pub accuracy: f64,
    /// The mean validation loss after the epoch, without class weights. Empty without validation
    /// images.
    pub validation_loss: Option<f64>,
    /// The share of the validation images that were classified correctly. Empty without validation
    /// images.
    pub validation_accuracy: Option<f64>,
    /// The learning rate during the epoch.
    pub learning_rate: f64,
}

impl Epoch {
    fn is_finite(&self) -> bool {
        let numbers = [self.loss, self.accuracy, self.learning_rate];
        let measured = [self.validation_loss, self.validation_accuracy];
        let mut all = numbers.into_iter().chain(measured.into_iter().flatten());
        all.all(f64::is_finite)
    }
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
    /// [`Error::History`] for anything else, with the line; [`Error::HistoryNumber`] where a number is
    /// infinite or not one.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, Error> {
        let rows = csv::Reader::from_reader(bytes).into_deserialize();
        let epochs: Vec<Epoch> = rows.collect::<Result<_, _>>().context(HistorySnafu)?;
        for (row, epoch) in (1_usize..).zip(&epochs) {
            ensure!(epoch.is_finite(), HistoryNumberSnafu { row });
        }
        Ok(Self { epochs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let epoch = Epoch {
            epoch: 1,
            loss: 0.1 + 0.2,
            accuracy: 2.0 / 3.0,
            validation_loss: Some(std::f64::consts::LN_2),
            validation_accuracy: Some(0.5),
            learning_rate: 1e-4,
        };
        let unvalidated = Epoch {
            epoch: 2,
            validation_loss: None,
            validation_accuracy: None,
            ..epoch
        };
        History {
            epochs: vec![epoch, unvalidated],
        }
    }

    #[test]
    fn a_history_survives_its_table_to_the_last_digit() {
        let csv = history().to_csv().unwrap();
        assert_eq!(History::from_csv(&csv).unwrap(), history());
        let empty = History::default();
        assert_eq!(History::from_csv(&empty.to_csv().unwrap()).unwrap(), empty);
    }

    #[test]
    fn the_table_has_a_header_and_leaves_out_what_was_not_measured() {
        let csv = String::from_utf8(history().to_csv().unwrap()).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(
            lines[0],
            "epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate"
        );
        assert_eq!(
            lines[2],
            "2,0.30000000000000004,0.6666666666666666,,,0.0001"
        );
    }

    #[test]
    fn another_table_is_refused() {
        assert!(History::from_csv(b"study,fold\n1,2\n").is_err());
    }

    #[test]
    fn a_number_that_is_infinite_or_none_is_refused_with_its_row() {
        let csv = String::from_utf8(history().to_csv().unwrap()).unwrap();
        for other in ["NaN", "inf", "-inf"] {
            let csv = csv.replace("0.5", other);
            let error = History::from_csv(csv.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::HistoryNumber { row: 1 }), "{error}");
        }
    }
}

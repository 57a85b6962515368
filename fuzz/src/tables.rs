//! Tables: `labels.csv`, predictions, the history of a fit, and a shard.

use attrium_dataset::{Labels, Shard};
use attrium_evaluation::Predictions;
use attrium_imaging::{CROP_PIXELS, CROP_SIZE};
use attrium_training::fit::History;
use serde_json::json;
use sha2::{Digest, Sha256};

/// `labels.csv`: every study has a grade, and no error quotes what could name someone.
pub fn labels(bytes: &[u8]) -> bool {
    match Labels::parse(bytes) {
        Ok(labels) => {
            assert!(labels.studies() > 0);
            assert_eq!(labels.by_grade().iter().sum::<usize>(), labels.studies());
            true
        }
        Err(error) => {
            assert_quotes_nothing(&error.to_string(), bytes);
            false
        }
    }
}

/// Words of six characters or more, three of them digits, are identifiers: none is in a sentence of attrium's.
fn assert_quotes_nothing(sentence: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).count();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '.');
    for word in words.filter(|word| word.len() >= 6 && digits(word) >= 3) {
        assert!(!sentence.contains(word), "{sentence:?} quotes {word:?}");
    }
}

/// A table of predictions: it is read back as it was.
pub fn predictions(bytes: &[u8]) -> bool {
    let Ok(predictions) = Predictions::parse(bytes) else {
        return false;
    };
    let written = predictions.to_csv().expect("should be written");
    let read = Predictions::parse(&written).expect("should be read back");
    assert_eq!(read, predictions);
    true
}

/// A history: every number of it is finite, and it is read back as it was.
pub fn history(bytes: &[u8]) -> bool {
    let Ok(history) = History::from_csv(bytes) else {
        return false;
    };
    for epoch in &history.epochs {
        let measured = [epoch.validation_loss, epoch.validation_accuracy];
        let numbers = [epoch.loss, epoch.accuracy, epoch.learning_rate];
        let mut all = numbers.into_iter().chain(measured.into_iter().flatten());
        assert!(all.all(f64::is_finite));
    }
    let written = history.to_csv().expect("should be written");
    let read = History::from_csv(&written).expect("should be read back");
    assert_eq!(read, history);
    true
}

/// A shard's two files: the input as the table, of crops that it vouches for; then the input as the crops.
pub fn shard(bytes: &[u8]) -> bool {
    let _ = Shard::labels_of(bytes);
    let _ = Shard::read(0, bytes, &[]);
    let rows = bytes.iter().filter(|&&byte| byte == b'\n').count();
    // A header, and a line end after the last row or none; more rows would only cost time.
    let counts = [rows.saturating_sub(1), rows];
    counts.into_iter().filter(|&rows| rows <= 4).any(|rows| {
        let Ok(shard) = Shard::read(0, &crops(rows, bytes), bytes) else {
            return false;
        };
        assert_eq!(shard.records.len(), rows);
        assert!((0..rows).all(|record| shard.crop(record).len() == CROP_PIXELS));
        assert!(shard.records.iter().all(|it| it.counts.is_finite()));
        let ratios = shard.records.iter().flat_map(|it| it.ratios.values());
        assert!(ratios.flatten().all(f64::is_finite));
        true
    })
}

/// A file of so many empty crops, with the digests that it has to hold.
fn crops(rows: usize, table: &[u8]) -> Vec<u8> {
    let data = vec![0; rows * CROP_PIXELS * 4];
    let header = json!({
        "__metadata__": {
            "crops_sha256": hex::encode(Sha256::digest(&data)),
            "format": "attrium-shard-3",
            "labels_sha256": "",
            "table_sha256": hex::encode(Sha256::digest(table)),
        },
        "crops": {
            "dtype": "F32",
            "shape": [rows, CROP_SIZE, CROP_SIZE],
            "data_offsets": [0, data.len()],
        },
    });
    let header = header.to_string().into_bytes();
    let length = header.len() as u64;
    [&length.to_le_bytes(), header.as_slice(), &data].concat()
}

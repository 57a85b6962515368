//! Decisions for tests.

use super::{Decision, HeartMeasure, ModelName, Rectangle, Synthetic};
use attrium_imaging::Ellipse;

/// A positive decision on a small frame.
pub(crate) fn decision() -> Decision {
    Decision {
        positive: true,
        positive_probability: 0.932,
        threshold: 0.41,
        doubts: Vec::new(),
        warnings: Vec::new(),
        frame: Some(1),
        crop: Rectangle {
            top: 16.0,
            left: 8.0,
            height: 128.0,
            width: 128.0,
        },
        heart: Some(HeartMeasure {
            ellipse: Ellipse {
                row: 100.0,
                column: 96.0,
                height: 40.0,
                width: 44.0,
            },
            heart_to_contralateral: Some(1.84),
        }),
        model: ModelName {
            name: "Heart Positive".to_owned(),
            version: "1.2".to_owned(),
            digest: format!("sha256:{}", "5f0c".repeat(16)),
        },
        synthetic: Synthetic::default(),
        revision: 1,
        predecessor: None,
    }
}

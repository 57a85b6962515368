//! A task's summary as the termination message of its pod, which holds 4096 bytes.
//!
//! It is the summary as JSON; one that is longer, since a run may have dozens of results and gates,
//! is deflated within a JSON object. Nothing is read or written here.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use super::Summary;
use attrium_types::text::truncate;

/// The longest message that a kubelet reads, in bytes.
pub const LONGEST_MESSAGE: usize = 4096;
/// The longest summary that is taken out of a message, in bytes: a pod
/// may leave any message.
const LONGEST_SUMMARY: u64 = 1 << 20;

/// A summary that is too long as it is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Packed {
    /// The summary's sentence, for whoever looks at the pod.
    message: String,
    /// The summary as JSON, deflated, in base64.
    deflated: String,
}

impl Summary {
    /// The summary as a message of at most [`LONGEST_MESSAGE`] bytes, always JSON.
    ///
    /// One that is too long even when it is deflated, which no resource of allowed size causes, goes
    /// without the results: they are in `metrics.json` too.
    pub fn to_message(&self) -> String {
        let fits = |message: &String| message.len() <= LONGEST_MESSAGE;
        let plain = serde_json::to_string(self).unwrap_or_default();
        if fits(&plain) {
            return plain;
        }
        let mut summary = self.clone();
        summary.message = truncate(summary.message, 256);
        let shortfall = summary.shortfall.take();
        summary.shortfall = shortfall.map(|shortfall| truncate(shortfall, 1024));
        let whole = pack(&summary);
        if fits(&whole) {
            return whole;
        }
        summary.results.clear();
        pack(&summary)
    }

    /// The summary that a message holds, if it holds one.
    pub fn from_message(message: &str) -> Option<Self> {
        match serde_json::from_str::<Packed>(message) {
            Ok(packed) => {
                let deflated = STANDARD.decode(packed.deflated).ok()?;
                let plain = DeflateDecoder::new(deflated.as_slice()).take(LONGEST_SUMMARY);
                serde_json::from_reader(plain).ok()
            }
            Err(_) => serde_json::from_str(message).ok(),
        }
    }
}

fn pack(summary: &Summary) -> String {
    let plain = serde_json::to_vec(summary).unwrap_or_default();
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let written = encoder.write_all(&plain);
    let deflated = written.and_then(|()| encoder.finish()).unwrap_or_default();
    let packed = Packed {
        message: summary.message.clone(),
        deflated: STANDARD.encode(deflated),
    };
    serde_json::to_string(&packed).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::{DataStatus, GateOutcome, IntervalStatus, ModelReference, ResultStatus};
    use attrium_types::{Architecture, Metric, Target};

    fn decimal(number: usize) -> attrium_types::Decimal {
        // Digits that do not repeat, as measured ones do not.
        let digits = (number * 7919 + 13) % 10_000;
        format!("0.{digits:04}").parse().expect("a decimal")
    }

    /// As much as a status may hold.
    fn large() -> Summary {
        let result = |n: usize| ResultStatus {
            architecture: Architecture::Residual,
            pretrained: false,
            task: [Target::Perugini, Target::Positive, Target::HighGrade][n % 3],
            auc: Some(decimal(n)),
            auc_interval: Some(IntervalStatus {
                low: decimal(n + 1000),
                high: decimal(n + 2000),
            }),
            auc_hard: Some(decimal(n + 3000)),
            accuracy: Some(decimal(n + 4000)),
            sensitivity: Some(decimal(n + 5000)),
            specificity: Some(decimal(n + 6000)),
            nothing_learned: Some(format!(
                "the AUC of a positive, 0.{n:03} [0.410, 0.630], may be chance"
            )),
        };
        let gate = |n: usize| GateOutcome {
            architecture: Architecture::Residual,
            task: Target::HighGrade,
            metric: Metric::Sensitivity,
            min: decimal(n + 7000),
            value: Some(decimal(n + 8000)),
            passed: n.is_multiple_of(2),
        };
        let folder: String = (0..1024)
            .map(|n| char::from(b'a' + (n * n % 23) as u8))
            .collect();
        let prefix = format!("s3://models/{folder}/nuclear-medicine/perugini/some-uid");
        Summary {
            message: "Evaluated".to_owned(),
            seconds: 12.345,
            data: Some(DataStatus {
                objects: 123_456,
                ..DataStatus::default()
            }),
            results: (0..32).map(result).collect(),
            gates: (0..32).map(gate).collect(),
            model: Some(ModelReference {
                uri: format!("{prefix}/model/Residual-HighGrade/"),
                digest: format!("sha256:{}", "0123456789abcdef".repeat(4)),
            }),
            report: Some(format!("{prefix}/report/index.html")),
            ..Summary::default()
        }
    }

    #[test]
    fn a_small_summary_is_plain_json_that_anyone_can_read() {
        let summary = Summary {
            message: "123 objects, 120 usable".to_owned(),
            ..Summary::default()
        };
        let message = summary.to_message();
        assert_eq!(message, serde_json::to_string(&summary).expect("JSON"));
        assert_eq!(Summary::from_message(&message), Some(summary));
    }

    #[test]
    fn a_summary_of_32_results_and_32_gates_loses_nothing() {
        let summary = large();
        let plain = serde_json::to_string(&summary).expect("JSON");
        assert!(plain.len() > 2 * LONGEST_MESSAGE, "{}", plain.len());
        let message = summary.to_message();
        assert!(message.len() <= LONGEST_MESSAGE, "{}", message.len());
        let json: serde_json::Value = serde_json::from_str(&message).expect("JSON");
        assert_eq!(json["message"], "Evaluated");
        assert_eq!(Summary::from_message(&message), Some(summary));
    }

    #[test]
    fn a_summary_beyond_all_bounds_keeps_its_gates_and_its_model() {
        let mut summary = large();
        summary.message = "ä".repeat(3000);
        summary.shortfall = Some("no alert was sent ".repeat(300));
        let results = summary.results.clone();
        summary.results = (0..40).flat_map(|_| results.clone()).collect();
        for (n, result) in summary.results.iter_mut().enumerate() {
            result.auc = Some(decimal(n * 31));
            result.accuracy = Some(decimal(n * 17));
        }
        let message = summary.to_message();
        assert!(message.len() <= LONGEST_MESSAGE, "{}", message.len());
        let read = Summary::from_message(&message).expect("a summary");
        assert_eq!((read.gates, read.model), (summary.gates, summary.model));
        assert!(read.results.is_empty());
        assert_eq!(read.message.len(), 256);
    }

    #[test]
    fn a_sentence_a_cut_message_and_a_bomb_hold_no_summary() {
        let message = large().to_message();
        let bomb = {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&vec![b' '; 64 << 20]).expect("memory");
            let packed = Packed {
                message: String::new(),
                deflated: STANDARD.encode(encoder.finish().expect("memory")),
            };
            serde_json::to_string(&packed).expect("JSON")
        };
        for message in ["", "no such bucket", &message[..message.len() - 9], &bomb] {
            assert_eq!(Summary::from_message(message), None);
        }
    }
}

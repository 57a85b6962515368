//! What a training begins from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The weights that a network had before its first step.
///
/// In JSON they are the fields `pretrained`, whether they come from an earlier training, and `startedFrom`, the
/// digest of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub enum InitialWeights {
    /// Drawn at random.
    #[default]
    Random,
    /// Trained on ImageNet.
    ImageNet,
    /// Those of the bundle with this digest, `sha256:` and 64 hexadecimal digits.
    Bundle(String),
}

impl fmt::Display for InitialWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random weights"),
            Self::ImageNet => f.write_str("weights of ImageNet"),
            Self::Bundle(digest) => write!(f, "the bundle {digest}"),
        }
    }
}

impl InitialWeights {
    /// Whether they come from an earlier training.
    pub fn are_pretrained(&self) -> bool {
        *self != Self::Random
    }
}

/// The fields in JSON; what is from before a bundle could be started from has the first alone, or none.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    pretrained: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_from: Option<String>,
}

impl From<Fields> for InitialWeights {
    fn from(fields: Fields) -> Self {
        match fields.started_from {
            Some(digest) => Self::Bundle(digest),
            None if fields.pretrained => Self::ImageNet,
            None => Self::Random,
        }
    }
}

impl From<InitialWeights> for Fields {
    fn from(weights: InitialWeights) -> Self {
        Self {
            pretrained: weights.are_pretrained(),
            started_from: match weights {
                InitialWeights::Bundle(digest) => Some(digest),
                InitialWeights::Random | InitialWeights::ImageNet => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_origins_survive_json_and_the_earlier_ones_are_still_read() {
        let bundle = InitialWeights::Bundle("sha256:1".to_owned());
        let table = [
            (InitialWeights::Random, r#"{"pretrained":false}"#),
            (InitialWeights::ImageNet, r#"{"pretrained":true}"#),
            (bundle, r#"{"pretrained":true,"startedFrom":"sha256:1"}"#),
        ];
        for (weights, json) in table {
            assert_eq!(serde_json::to_string(&weights).unwrap(), json);
            let read: InitialWeights = serde_json::from_str(json).unwrap();
            assert_eq!(read, weights);
        }
        let unsaid: InitialWeights = serde_json::from_str("{}").unwrap();
        assert_eq!(unsaid, InitialWeights::Random);
    }
}

//! The training run that all tests read, made when it is first needed.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;

use crate::artefacts::place;
use crate::cohort::root;
use crate::manifest::{self, training, training_prefix, with};
use crate::program::{Ended, command, finish, run_arguments};

/// The run.
pub(crate) static TRAINED: LazyLock<Trained> = LazyLock::new(Trained::make);

/// A finished run.
pub(crate) struct Trained {
    /// The manifest's text.
    pub text: String,
    /// The manifest's file.
    pub manifest: PathBuf,
    /// The folder of all results.
    pub out: PathBuf,
    /// The folder of this run's results.
    pub prefix: PathBuf,
    /// What it said, with every log line of attrium's own.
    pub ended: Ended,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What the shared run is asked for: two networks, of which one is published.
pub(crate) fn manifest_of_both_networks(out: &std::path::Path) -> String {
    let networks = "  networks: [{architecture: Linear}, {architecture: Residual}]";
    let training = "  training: {epochs: 2, batchSize: 8, learningRate: \"1e-3\"}
  publish: {architecture: Residual, task: Positive, method: Ensemble, force: true}
  gates: [{architecture: Residual, task: Positive, metric: auc, min: \"0\"}]
  study: {sites: [a ward of phantoms]}";
    let text = with(&self::training(out), "networks", networks);
    with(&text, "training", training)
}

impl Trained {
    fn make() -> Self {
        let out = root().join("trained");
        let text = manifest_of_both_networks(&out);
        let manifest = manifest::write(&root().join("trained.yaml"), &text);
        let mut command = command(run_arguments(&[&manifest]));
        let start = Instant::now();
        let ended = finish(command.env("ATTRIUM_LOG", "attrium=trace"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        Self {
            prefix: training_prefix(&out),
            text,
            manifest,
            out,
            ended,
            seconds: start.elapsed().as_secs_f64(),
        }
    }

    /// The published bundle's folder.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.prefix.join("model/Residual-Positive")
    }

    /// An artefact.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let place = place(&self.prefix, name);
        std::fs::read(place).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// An artefact that is text.
    pub(crate) fn text_of(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("should be text")
    }
}

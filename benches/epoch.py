"""Compares an epoch of `attrium run` with the same epoch in PyTorch.

    python benches/epoch.py ATTRIUM

ATTRIUM is the binary. An epoch of attrium is what a run of many epochs takes more than one of a single
epoch: batches gathered and trained on, the validation, the learning rate and the checkpoints; the two
folds share the threads as the runner decides. Images are read, cropped and augmented once for a training
on either side, and so cancel out. PyTorch has the images in memory, gathers each batch from them and
validates, in its faster layout. Fails where the bar is missed.
"""

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.nn import functional

import networks

THREADS, FOLDS, EPOCHS, ROUNDS = 2, 2, 2, 2
IMAGES, BATCH, STUDIES, VALIDATION_PERCENT = 640, 128, 80, 20
BAR = 2.5

MANIFEST = """
apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: epochs-{epochs}}}
spec:
  images: {folder}/cohort/images
  labels: {folder}/cohort/labels.csv
  output: {folder}/results-{number}
  tasks: [Positive]
  networks: [{{architecture: {architecture}}}]
  crossValidation: {{folds: {folds}, seed: 1}}
  augmentation: {{images: {images}}}
  training: {{epochs: {epochs}, batchSize: {batch}, validationPercent: {validation}}}
"""


class Runs:
    """Trainings by attrium, each with results of its own."""

    def __init__(self, folder, attrium):
        self.folder, self.attrium, self.number = folder, attrium, 0
        cohort = ["--studies", str(STUDIES), "--seed", "1", "--grades", "0.5,0,0,0.5", "--out", folder / "cohort"]
        subprocess.run([attrium, "phantom", *cohort], check=True, capture_output=True)

    def seconds(self, architecture, epochs):
        self.number += 1
        file = self.folder / "run.yaml"
        sizes = {"folds": FOLDS, "images": IMAGES, "batch": BATCH, "validation": VALIDATION_PERCENT}
        names = {"folder": self.folder, "number": self.number, "architecture": architecture, "epochs": epochs}
        file.write_text(MANIFEST.format(**sizes, **names))
        start = time.perf_counter()
        subprocess.run([self.attrium, "run", "--threads", str(THREADS), "-f", file], check=True, capture_output=True)
        return time.perf_counter() - start

    def epoch(self, architecture):
        more, fewer = self.seconds(architecture, 1 + EPOCHS), self.seconds(architecture, 1)
        return (more - fewer) / (EPOCHS * FOLDS)


class Peer:
    def __init__(self, architecture, layout):
        self.fit = networks.Training(architecture, layout, [0.8, 1.2])
        self.images, self.labels = torch.rand(IMAGES, 1, 128, 128), torch.arange(IMAGES) % 2
        self.count = STUDIES // FOLDS * VALIDATION_PERCENT // 100

    def epoch(self):
        start = time.perf_counter()
        self.fit.network.train()
        for chosen in torch.randperm(IMAGES).split(BATCH):
            self.fit.step(self.images[chosen], self.labels[chosen])
        self.fit.network.eval()
        with torch.inference_mode():
            images = self.images[: self.count].contiguous(memory_format=self.fit.layout)
            functional.cross_entropy(self.fit.network(images), self.labels[: self.count]).item()
        return time.perf_counter() - start


def compare(runs, architecture):
    peers = [Peer(architecture, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    for peer in peers:
        peer.fit.step(peer.images[:BATCH], peer.labels[:BATCH])
    own, others, ratios = [], [], []
    for _ in range(ROUNDS):
        own.append(runs.epoch(architecture))
        others.append(min(peer.epoch() for peer in peers))
        ratios.append(others[-1] / own[-1])
    ratio = statistics.median(ratios)
    print(
        f"epoch of {IMAGES} images, {architecture}: {statistics.median(own):.1f} s, PyTorch "
        f"{statistics.median(others):.1f} s, ratio {ratio:.2f} (bar: {BAR})",
        flush=True,
    )
    return ratio >= BAR


def main():
    torch.set_num_threads(THREADS)
    # Whoever stops this leaves no scans behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    attrium = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(dir=attrium.parent) as folder:
        runs = Runs(Path(folder), attrium)
        reached = [compare(runs, architecture) for architecture in ("Linear", "Residual")]
    if not all(reached):
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()

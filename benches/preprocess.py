"""Measures the peak memory of preprocessing 10,000 objects.

    python benches/preprocess.py ATTRIUM

ATTRIUM is the binary. The objects are 40 phantoms of 500 kB, each under 250 names, so that the disk
holds 40 and the program reads 10,000. A shard's crops stay in memory until it is written: the one
shard is the worst that a manifest can ask for. Fails above the bar of 400 MB.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PHANTOMS, NAMES = 40, 250
MEMORY_BAR = 400e6

MANIFEST = """
apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: archive}}
spec:
  images: {folder}/archive
  labels: {folder}/cohort/labels.csv
  output: {folder}/results
  preprocessing: {{shards: {shards}}}
  tasks: [Positive]
  networks: [{{architecture: Linear}}]
"""


def fill(folder, attrium):
    """An archive of hard links to a few phantoms."""
    cohort = folder / "cohort"
    command = [attrium, "phantom", "--studies", str(PHANTOMS), "--seed", "1", "--out", str(cohort)]
    subprocess.run(command, check=True, capture_output=True)
    objects = sorted(path for path in cohort.rglob("*.dcm"))
    archive = folder / "archive"
    archive.mkdir()
    for place in range(PHANTOMS * NAMES):
        os.link(objects[place % len(objects)], archive / f"{place:05}.dcm")


def preprocess(folder, attrium, shards):
    """The most memory that any shard takes, in bytes, and how long all take, in seconds."""
    manifest = folder / f"run-{shards}.yaml"
    manifest.write_text(MANIFEST.format(folder=folder, shards=shards))
    peaks, start = [], time.perf_counter()
    for index in range(shards):
        command = [attrium, "stage", "preprocess", "--manifest", manifest, "--index", str(index)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"shard {index} of {shards} ended with status {status}")
        peaks.append(usage.ru_maxrss * 1024)
    return max(peaks), time.perf_counter() - start


def main():
    attrium = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(dir=attrium.parent) as folder:
        folder = Path(folder)
        fill(folder, attrium)
        print(f"preprocessing {PHANTOMS * NAMES} objects, {os.cpu_count()} cores")
        for shards in [4, 1]:
            # A run's results belong to its name: the second shape begins anew.
            shutil.rmtree(folder / "results", ignore_errors=True)
            peak, seconds = preprocess(folder, attrium, shards)
            print(f"{shards} shards, one after another: {peak / 1e6:.0f} MB at most, {seconds:.0f} s")
        print(f"bar: {MEMORY_BAR / 1e6:.0f} MB")
    if peak > MEMORY_BAR:
        sys.exit("above the bar")


if __name__ == "__main__":
    main()

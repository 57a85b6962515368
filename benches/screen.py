"""Compares `attrium screen` with pydicom, numpy and ONNX Runtime on 2,000 stored scans.

    python benches/screen.py ATTRIUM

ATTRIUM is the binary. The scans are 200 phantoms of two views, each under ten names, so that the disk
holds 100 MB; the bundle is one of three Residual networks, hardly trained. The time is that of the whole
process for attrium, and from the first file to the last row for the peer (benches/screen_peer.py); the
memory is the peak of either process. The two take turns, and have to come to the same probabilities.
Fails where a bar is missed.
"""

import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PHANTOMS, NAMES, ROUNDS = 200, 10, 3
SPEED_BAR, MEMORY_BAR = 3, 0.5
TOLERANCE = 1e-3

MANIFEST = """
apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: screen}}
spec:
  images: {folder}/cohort/images
  labels: {folder}/cohort/labels.csv
  output: {folder}/results
  tasks: [Positive]
  networks: [{{architecture: Residual}}]
  crossValidation: {{folds: 3, seed: 1}}
  augmentation: {{images: 60}}
  training: {{epochs: 1, batchSize: 16}}
  publish: {{architecture: Residual, task: Positive, method: Ensemble}}
"""


def make_bundle(folder, attrium):
    cohort = ["phantom", "--studies", "30", "--seed", "1", "--grades", "0.5,0,0,0.5", "--out", folder / "cohort"]
    subprocess.run([attrium, *cohort], check=True, capture_output=True)
    manifest = folder / "run.yaml"
    manifest.write_text(MANIFEST.format(folder=folder))
    subprocess.run([attrium, "run", "-f", manifest], check=True, capture_output=True)
    return next((folder / "results").rglob("bundle.json")).parent


def make_archive(folder, attrium):
    cohort = ["phantom", "--studies", str(2 * PHANTOMS), "--seed", "2", "--out", folder / "scans"]
    subprocess.run([attrium, *cohort], check=True, capture_output=True)
    # An object of 1 MB has both views of a whole body.
    objects = [path for path in sorted((folder / "scans").rglob("*.dcm")) if path.stat().st_size > 1 << 20]
    archive = folder / "archive"
    archive.mkdir()
    files = [archive / f"{place:04}.dcm" for place in range(PHANTOMS * NAMES)]
    for place, file in enumerate(files):
        os.link(objects[place % PHANTOMS], file)
    return files


def run(command, text=None):
    """What it prints, its seconds, those of the processor and its peak memory in bytes."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as output:
        given.write(text or "")
        given.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = status
        if status != 0:
            sys.exit(f"{command[:3]} ended with status {status}")
        output.seek(0)
        return output.read(), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def largest_difference(rows, studies):
    found = {row[0]: [float(value) for value in row[2:]] for row in rows}
    pairs = [(found[study["object"]], study["probabilities"]) for study in studies]
    if any(len(one) != len(other) for one, other in pairs):
        sys.exit("the two disagree on which scans can be screened")
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


def compare(folder, attrium):
    bundle, files = make_bundle(folder, attrium), make_archive(folder, attrium)
    models, table = folder / "models", folder / "table.csv"
    # By a process of its own: a process counts the memory of the one that it was forked from.
    subprocess.run([sys.executable, HERE / "export.py", bundle, models], check=True, capture_output=True)
    own = [attrium, "screen", "--model", bundle, "--output", "json", *files]
    peer, listed = [sys.executable, HERE / "screen_peer.py", bundle, models, table], "".join(f"{file}\n" for file in files)
    times, peaks, ratios = {"attrium": [], "peer": []}, {"attrium": 0, "peer": 0}, {"wall": [], "processor": []}
    for _ in range(ROUNDS):
        report, seconds, processor, peak = run(own)
        printed, _, _, peer_peak = run(peer, listed)
        peer_seconds, peer_processor = map(float, printed.split())
        times["attrium"].append(seconds), times["peer"].append(peer_seconds)
        ratios["wall"].append(peer_seconds / seconds), ratios["processor"].append(peer_processor / processor)
        peaks = {"attrium": max(peaks["attrium"], peak), "peer": max(peaks["peer"], peer_peak)}
    with table.open(newline="") as file:
        difference = largest_difference(csv.reader(file), json.loads(report)["studies"])
    print(f"screening {len(files)} objects of two views with three Residual networks")
    for name, label in {"attrium": "attrium", "peer": "pydicom, numpy and ONNX Runtime"}.items():
        print(f"{label:<33}{statistics.median(times[name]):>7.1f} s{peaks[name] / 1e6:>7.0f} MB")
    speed, processor = statistics.median(ratios["wall"]), statistics.median(ratios["processor"])
    memory = peaks["attrium"] / peaks["peer"]
    print(f"{'ratio':<33}{speed:>7.2f} x{memory:>8.2f}   (bars: {SPEED_BAR} at least, {MEMORY_BAR} at most)")
    print(f"{'ratio of processor time':<33}{processor:>7.2f} x")
    print(f"probabilities differ by {difference:.0e} at most")
    return difference < TOLERANCE and speed >= SPEED_BAR and memory <= MEMORY_BAR


def main():
    # Whoever stops this leaves no scans behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    attrium = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(dir=attrium.parent) as folder:
        if not compare(Path(folder), attrium):
            sys.exit("a bar is missed")


if __name__ == "__main__":
    main()

"""Screens scans with a bundle's members by pydicom, numpy and ONNX Runtime.

    python benches/screen_peer.py BUNDLE MODELS TABLE < FILES

MODELS has the members' networks as `0.onnx` and so on, FILES a path a line. Writes a row for each file
to TABLE, and to standard output the seconds from the first file to the last row and those of the
processor; loading libraries and models does not count. What is looked at is what phantoms have: a whole body, upright or feet first, or a
static, of which the anterior view is known by its code.
"""

import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pydicom
from intensity import normalized

THREADS, BATCH, SIZE = 2, 32, 128
ANTERIOR = {"399321004", "G-5215"}
FEET_FIRST = {"102541007", "F-10480"}
UPPER_EDGE, BODY_SHARE, LARGEST_PEAK, LARGEST_GAP = 0.85, 0.01, 4, 8


def tensors(path):
    """The tensors of a safetensors file, all of 32-bit floats."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[start + of["data_offsets"][0] : start + of["data_offsets"][1]], "<f4").reshape(of["shape"])
        for name, of in header.items()
    }


def anterior(scan):
    """The anterior frame in counts, with the head at the top; nothing if there is none."""
    detectors = scan.DetectorInformationSequence
    codes = [detector.get("ViewCodeSequence", [{}])[0].get("CodeValue") for detector in detectors]
    views = [place for place, code in enumerate(codes) if code in ANTERIOR]
    if any(codes) and not views:
        return None
    detector = views[0] + 1 if views else 1
    vector = scan.get("DetectorVector", 1)
    frames = [vector] if isinstance(vector, int) else list(vector)
    pixels = scan.pixel_array
    pixels = pixels if pixels.ndim == 2 else pixels[frames.index(detector)]
    counts = np.maximum(pixels, 0).astype(np.float32)
    relation = scan.get("PatientGantryRelationshipCodeSequence")
    if relation and relation[0].CodeValue in FEET_FIRST and upside_down(detectors[detector - 1]):
        counts = counts[::-1, ::-1]
    return counts


def upside_down(detector):
    orientation = detector.get("ImageOrientationPatient")
    return orientation is not None and orientation[5] > 0


def body(profile):
    """First row and the row after the last of the run of rows with the most counts."""
    counted = np.sort(profile[profile > 0])
    threshold = BODY_SHARE * min(profile.max(), LARGEST_PEAK * counted[len(counted) // 2])
    rows = np.flatnonzero(profile > threshold)
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > LARGEST_GAP + 1) + 1)
    best = max(runs, key=lambda run: profile[run].sum())
    return best[0], best[-1] + 1


def crop(counts):
    rows, columns = counts.shape
    if rows <= 256:
        top = (rows - SIZE) // 2
    else:
        first, last = body(counts.sum(axis=1, dtype=np.float64))
        top = int(last - UPPER_EDGE * (last - first) + 0.5)
    left = columns // 2 - SIZE // 2
    return counts[top : top + SIZE, left : left + SIZE]


def intensities(thorax, scale):
    if scale == "Paper":
        return np.log(thorax, out=np.zeros_like(thorax), where=thorax > 0)
    return normalized(thorax)


def preprocess(path, scale):
    counts = anterior(pydicom.dcmread(path))
    return None if counts is None else intensities(crop(counts), scale)


class Bundle:
    def __init__(self, bundle, models):
        self.manifest = json.loads((bundle / "bundle.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.members = []
        for place, member in enumerate(self.manifest["members"]):
            of = tensors(bundle / member["normalization"])
            session = onnxruntime.InferenceSession(models / f"{place}.onnx", options, providers=["CPUExecutionProvider"])
            self.members.append((session, of["mean"].reshape(SIZE, SIZE), of["deviation"].reshape(SIZE, SIZE)))

    def probabilities(self, images):
        total = 0
        for session, mean, deviation in self.members:
            normalized = ((images - mean) / deviation)[:, None]
            [logits] = session.run(None, {"images": normalized})
            logits = logits.astype(np.float64) / self.manifest["temperature"]
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            total = total + powers / powers.sum(axis=1, keepdims=True)
        return total / len(self.members)


def rows(bundle, paths):
    images = [preprocess(path, bundle.manifest["intensity"]) for path in paths]
    usable = [image for image in images if image is not None]
    found = iter(bundle.probabilities(np.stack(usable)) if usable else [])
    for path, image in zip(paths, images, strict=True):
        probabilities = [] if image is None else next(found)
        decision = "other-view" if image is None else "positive" if probabilities[-1] >= 0.5 else "negative"
        yield [path, decision, *probabilities]


def main():
    bundle, models, table = map(Path, sys.argv[1:])
    paths = sys.stdin.read().split("\n")[:-1]
    model = Bundle(bundle, models)
    start, processor = time.perf_counter(), time.process_time()
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        for first in range(0, len(paths), BATCH):
            writer.writerows(rows(model, paths[first : first + BATCH]))
    print(time.perf_counter() - start, time.process_time() - processor)


if __name__ == "__main__":
    main()

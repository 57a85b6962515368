"""Compares attrium with pydicom and numpy on the real scan, in one run.

    python benches/decode.py PROGRAM

PROGRAM is the compiled benches/decode.rs. Both sides start from the object's bytes in memory and end
with the logarithm of the crop; they take turns, so that whatever else the machine does slows both.
Fails below five times pydicom's speed.
"""

import io
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pydicom

SCAN = Path(__file__).parent.parent / "tests" / "data" / "nm-wholebody-anterior.dcm"
ROUNDS, PYDICOM_SAMPLES, SAMPLES = 7, 10, 50
SPEED_BAR = 5


def preprocess(data):
    """As the paper says, in numpy: no view is looked for and nothing is checked."""
    pixels = pydicom.dcmread(io.BytesIO(data)).pixel_array
    rows = np.nonzero(pixels.sum(axis=1))[0]
    bottom = rows[-1] + 1
    top = round(bottom - 0.85 * (bottom - rows[0]))
    left = pixels.shape[1] // 2 - 64
    crop = pixels[top : top + 128, left : left + 128].astype(np.float32)
    return np.log(crop, out=np.zeros_like(crop), where=crop > 0)


def pydicom_times(data):
    times = []
    for _ in range(PYDICOM_SAMPLES):
        start = time.perf_counter()
        preprocess(data)
        times.append(time.perf_counter() - start)
    return times


def run(program, *arguments):
    command = [program, str(SCAN), *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    program = sys.argv[1]
    data = SCAN.read_bytes()
    preprocess(data)
    times = {"pydicom": [], "dicom-rs": [], "attrium": []}
    for _ in range(ROUNDS):
        times["pydicom"] += pydicom_times(data)
        for name, samples in run(program, SAMPLES).items():
            times[name] += samples

    versions = f"Python {platform.python_version()}, pydicom {pydicom.__version__}, numpy {np.__version__}"
    print(f"{SCAN.name}; {versions}")
    print(f"{'':<30}{'median':>9}{'fastest':>9}")
    labels = {
        "pydicom": "pydicom, decoders and numpy",
        "dicom-rs": "dicom-rs, frame alone",
        "attrium": "attrium",
    }
    for name, label in labels.items():
        median, fastest = statistics.median(times[name]), min(times[name])
        print(f"{label:<30}{1e3 * median:>6.2f} ms{1e3 * fastest:>6.2f} ms")
    median = statistics.median(times["pydicom"]) / statistics.median(times["attrium"])
    fastest = min(times["pydicom"]) / min(times["attrium"])
    print(f"{'pydicom / attrium':<30}{median:>9.1f}{fastest:>9.1f}   (bar: {SPEED_BAR})")
    if fastest < SPEED_BAR:
        sys.exit("below the bar")


if __name__ == "__main__":
    main()

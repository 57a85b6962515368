"""The same patients at other exposures: what a model makes of thinned and of multiplied counts.

    attrium phantom --studies 200 --seed 77 --grades 0.5,0.2,0.1,0.2 --out cohort
    python benches/exposure.py ATTRIUM MODEL cohort

Needs benches/requirements.txt. Counts are thinned binomially, and multiplied above 1; the objects are screened
with the program; prints a table of docs/results/exposure.md.
"""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRBigEndian

FACTORS = (0.25, 0.5, 0.75, 1, 2)


def exposed(source, target, factor):
    """Writes copies of all objects at another exposure, and gives the study of each."""
    random = np.random.default_rng(5)
    studies = {}
    for path in sorted(source.rglob("*.dcm")):
        scan = pydicom.dcmread(path)
        if scan.file_meta.TransferSyntaxUID.is_compressed:
            scan.decompress()
        counts = scan.pixel_array.astype(np.int64)
        counts = counts * factor if factor >= 1 else random.binomial(counts, factor)
        kind = np.dtype(f"<u{scan.BitsAllocated // 8}")
        if scan.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:
            kind = kind.newbyteorder(">")
        scan.PixelData = np.minimum(counts, np.iinfo(kind).max).astype(kind).tobytes()
        copy = target / f"{len(studies)}.dcm"
        scan.save_as(copy)
        studies[str(copy)] = str(scan.StudyInstanceUID)
    return studies


def area(positives, negatives):
    """The area under the ROC curve: how often a positive is above a negative, ties by half."""
    difference = np.subtract.outer(positives, negatives)
    return (difference > 0).mean() + (difference == 0).mean() / 2


def area_with_interval(positives, negatives):
    """The area, and the middle 95 % of it over 2,000 draws of the patients with replacement."""
    random = np.random.default_rng(1)

    def drawn(scores):
        return random.choice(scores, len(scores))

    draws = [area(drawn(positives), drawn(negatives)) for _ in range(2000)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{area(positives, negatives):.3f} [{low:.3f}, {high:.3f}]"


def share_with_interval(called):
    """A share with Wilson's 95 % interval."""
    z, n, share = 1.959964, len(called), called.mean()
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return f"{share:.3f} [{middle - half:.3f}, {middle + half:.3f}]"


def main(attrium, model, cohort):
    with open(Path(cohort) / "labels.csv") as labels:
        grades = {row["study"]: int(row["grade"]) for row in csv.DictReader(labels)}
    print("| counts | AUC | sensitivity | specificity | decided on | set aside | doubtful |")
    print("|---|---|---|---|---|---|---|")
    for factor in FACTORS:
        with tempfile.TemporaryDirectory() as folder:
            studies = exposed(Path(cohort), Path(folder), factor)
            command = [attrium, "screen", *studies, "--model", model, "-o", "json"]
            # It ends with another code where images were set aside, and has told of all of them.
            told = subprocess.run(command, capture_output=True, check=False).stdout
        rows = json.loads(told)["studies"]
        decided = [row for row in rows if row["decision"] in ("positive", "negative")]
        scores = np.array([row["positiveProbability"] for row in decided])
        called = np.array([row["decision"] == "positive" for row in decided])
        sick = np.array([grades[studies[row["object"]]] >= 2 for row in decided])
        aside = sum(row["decision"] == "unusable" for row in rows)
        doubtful = sum("doubtful-thorax" in row["warnings"] for row in decided)
        figures = [
            area_with_interval(scores[sick], scores[~sick]),
            share_with_interval(called[sick]),
            share_with_interval(~called[~sick]),
        ]
        print(f"| x {factor} | {' | '.join(figures)} | {len(decided)} | {aside} | {doubtful} |")


if __name__ == "__main__":
    main(*sys.argv[1:])

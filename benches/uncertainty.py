"""How many of a model's wrong decisions are flagged as uncertain, on phantoms that it has not seen.

    python benches/uncertainty.py ATTRIUM MODEL [FACTOR:]COHORT...

Needs benches/requirements.txt. A cohort is a folder of `attrium phantom`; before a colon stands what its counts are
multiplied by, as in exposure.py, 1 where nothing does. Cohorts that are named with a plus between them are taken
together. Prints a line of docs/results/uncertainty.md for each.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
from exposure import exposed, share_with_interval

DOUBTS = ("near-threshold", "members-disagree", "unlike-training")


def studies_of(cohort):
    """The study of each object, where the objects stay as they are."""
    objects = sorted((Path(cohort) / "images").rglob("*.dcm"))
    return {str(path): str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID) for path in objects}


def decisions(attrium, model, cohort, factor):
    """Each decision as JSON has it, with whether it is wrong."""
    with open(Path(cohort) / "labels.csv") as labels:
        grades = {row["study"]: int(row["grade"]) for row in csv.DictReader(labels)}
    with tempfile.TemporaryDirectory() as folder:
        studies = studies_of(cohort) if factor == 1 else exposed(Path(cohort), Path(folder), factor)
        command = [attrium, "screen", *studies, "--model", model, "-o", "json"]
        told = subprocess.run(command, capture_output=True, check=False).stdout
    for row in json.loads(told)["studies"]:
        if row["decision"] in ("positive", "negative"):
            is_sick = grades[studies[row["object"]]] >= 2
            yield row, (row["decision"] == "positive") != is_sick


def line(name, found):
    flagged = np.array([row["uncertain"] for row, _ in found])
    wrong = np.array([is_wrong for _, is_wrong in found])
    reasons = Counter(doubt for row, _ in found for doubt in row["doubts"])
    cells = [
        name,
        len(found),
        wrong.sum(),
        f"{flagged[wrong].sum()}: {share_with_interval(flagged[wrong])}",
        share_with_interval(flagged),
        *(f"{reasons[doubt] / len(found):.3f}" for doubt in DOUBTS),
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main(attrium, model, *named):
    header = ["cohorts", "decisions", "wrong", "wrong ones flagged", "all flagged", *DOUBTS]
    print("| " + " | ".join(header) + " |")
    print("|---" * len(header) + "|")
    for name in named:
        found = []
        for cohort in name.split("+"):
            *factor, folder = cohort.split(":")
            found.extend(decisions(attrium, model, folder, float(factor[0]) if factor else 1))
        print(line(name, found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

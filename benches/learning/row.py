"""A row of the table that `run` prints: `row.py COHORT NAME SECONDS`, with what `attrium evaluate -o json` says on
standard input; without arguments the table's head."""

import json
import sys


def estimate(of, name):
    low, high = of[f"{name}Interval"].values()
    return f"{of[name]:.3f} [{low:.3f}, {high:.3f}]"


def row(cohort, name, seconds):
    metrics = json.load(sys.stdin)
    positive = metrics["positive"]
    points = positive["operatingPoints"]
    point = next(point for point in points if (point["kind"], point["target"]) == ("sensitivity", 0.95))
    return [
        cohort, name, estimate(metrics, "auc"), estimate(positive, "auc"), estimate(point, "specificity"),
        estimate(metrics, "accuracy"), seconds,
    ]


HEAD = ["cohort", "network", "AUC, four grades", "AUC, grade 2 or more", "specificity at sensitivity 0.95", "accuracy",
        "seconds"]
lines = [row(*sys.argv[1:])] if sys.argv[1:] else [HEAD, ["---"] * len(HEAD)]
for line in lines:
    print("|", " | ".join(line), "|", flush=True)

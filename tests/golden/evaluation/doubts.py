"""Makes doubts.json beside this script.

    python tests/golden/evaluation/doubts.py

Made with Python 3.11, numpy 2.4.6 and scipy 1.17.1.

`distribution`: scans of five features in four folds; their mean, their covariance by numpy, shrunken, Mahalanobis'
distance of some scans by SciPy, and the distance within which 99 % of the scans lie, each measured by the folds that it
is not in. `limits`: the chance of an error of decisions and the least that may be flagged, by trying each.
"""

import json
import pathlib

import numpy as np
from scipy.spatial.distance import mahalanobis

HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(7)


def moments(rows):
    scans, features = rows.shape
    own = np.cov(rows.T)
    shrunken = (scans * own + features * np.diag(np.diag(own))) / (scans + features)
    return rows.mean(0), shrunken


def distance(rows, scan):
    mean, covariance = moments(rows)
    return mahalanobis(scan, mean, np.linalg.inv(covariance))


def distribution():
    mixing = random.normal(size=(5, 5))
    rows = np.round(random.normal(size=(150, 5)) @ mixing + [1, -2, 0, 4, 9], 4)
    folds = np.arange(150) % 4
    held_out = sorted(distance(rows[folds != fold], row) for row, fold in zip(rows, folds))
    place = min(int(np.ceil(0.99 * 151)), 150)
    mean, covariance = moments(rows)
    probes = np.round(random.normal(scale=4, size=(6, 5)), 4)
    return {
        "rows": rows.tolist(),
        "folds": folds.tolist(),
        "mean": mean.tolist(),
        "covariance": covariance[np.tril_indices(5)].tolist(),
        "limit": held_out[place - 1],
        "probes": probes.tolist(),
        "distances": [distance(rows, probe) for probe in probes],
    }


def limits():
    found = []
    for threshold, share in [(0.5, 0.08), (0.3, 0.1), (0.9, 0.05), (0.3, 0.001)]:
        scores = np.round(random.beta(0.6, 0.9, 200), 3)
        weights = np.where(random.uniform(size=200) < 0.3, 0.5, 2.0)
        chances = np.where(scores >= threshold, 1 - scores, scores)
        allowed = [c for c in np.unique(chances) if weights[chances >= c].sum() <= share * weights.sum()]
        found.append({
            "threshold": threshold,
            "share": share,
            "scores": scores.tolist(),
            "weights": weights.tolist(),
            "chances": chances.tolist(),
            "limit": min(allowed) if allowed else None,
        })
    return found


(HERE / "doubts.json").write_text(json.dumps({"distribution": distribution(), "limits": limits()}) + "\n")

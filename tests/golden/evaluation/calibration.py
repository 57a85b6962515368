"""Makes calibration.json beside this script, from the tables that make.py has made.

    python tests/golden/evaluation/calibration.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1 and statsmodels 0.15.0.

For some of the tables: what a correction for the weights of classes in training, a temperature and a
prevalence make of the probabilities, and how reliable they then are. Slope, intercept and their errors
come from statsmodels' generalised linear models (with errors by cluster where a patient has several
studies), the smooth curve from its lowess, bins from scikit-learn, the interval of a share as in make.py, the
temperature from SciPy's minimiser.
"""

import csv
import json
import math
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from scipy.special import logit, softmax
from scipy.stats import norm
from sklearn.calibration import calibration_curve

from make import share

HERE = pathlib.Path(__file__).parent
Z = norm.ppf(0.975)
FIRST_POSITIVE = {"Perugini": 2, "Positive": 1, "HighGrade": 1}


def read(name):
    """Labels, probabilities and patients of the labelled studies."""
    with open(HERE / f"{name}.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"]]
    classes = sum(column.startswith("p_") for column in rows[0])
    labels = np.array([int(row["label"]) for row in rows])
    probabilities = np.array([[float(row[f"p_{i}"]) for i in range(classes)] for row in rows])
    patients = [row.get("patient") or f"study {place}" for place, row in enumerate(rows)]
    return labels, probabilities, np.unique(patients, return_inverse=True)[1]


def interval(value, error):
    return {"low": value - Z * error, "high": value + Z * error}


def regression(truth, odds, patients):
    """Slope and intercept, each with its interval."""
    if truth.all() or not truth.any():
        return {"slope": None, "intercept": None}
    repeated = len(set(patients)) < len(patients)
    how = {"cov_type": "cluster", "cov_kwds": {"groups": patients, "use_correction": False}} if repeated else {}
    found = {}
    free = sm.GLM(truth, sm.add_constant(odds), family=sm.families.Binomial()).fit(tol=1e-14, maxiter=200, **how)
    fixed = sm.GLM(truth, np.ones(len(odds)), offset=odds, family=sm.families.Binomial()).fit(
        tol=1e-14, maxiter=200, **how)
    for name, fit, place in (("slope", free, 1), ("intercept", fixed, 0)):
        found[name] = float(fit.params[place])
        found[f"{name}Interval"] = interval(found[name], float(fit.bse[place]))
    return found


def reliability(score, truth, patients):
    score = np.minimum(score, 1)
    odds = logit(np.clip(score, 1e-10, 1 - 1e-10))
    limits = share("observed", truth, patients)["observedInterval"]
    expected = score.mean()
    result = regression(truth.astype(float), odds, patients)
    result |= {
        "observedOverExpected": truth.mean() / expected,
        "observedOverExpectedInterval": {side: limit / expected for side, limit in limits.items()},
        "brier": float(((score - truth) ** 2).mean()),
    }
    observed, mean = calibration_curve(truth, score, n_bins=10)
    edges = np.linspace(0, 1, 11)
    counts = np.histogram(np.searchsorted(edges[1:-1], score), bins=range(11))[0]
    counts = counts[counts > 0]
    result["expectedCalibrationError"] = float((abs(observed - mean) * counts).sum() / counts.sum())
    grid = np.linspace(odds.min(), odds.max(), 33)
    smooth = sm.nonparametric.lowess(truth.astype(float), odds, frac=0.75, it=0, xvals=grid)
    result["curve"] = [
        {"probability": 1 / (1 + math.exp(-at)), "observed": float(min(max(value, 0), 1))}
        for at, value in zip(grid, smooth)]
    return result


def temperature(labels, probabilities):
    logits = np.log(np.maximum(probabilities, 1e-300))

    def loss(sharpness):
        return -np.log(softmax(sharpness * logits, axis=1)[np.arange(len(labels)), labels]).mean()

    best = minimize_scalar(loss, bounds=(1 / 20, 20), method="bounded", options={"xatol": 1e-10})
    return 1 / best.x, softmax(best.x * logits, axis=1)


def case(name, task, prior, exponent=0, stated=None):
    labels, probabilities, patients = read(name)
    first = FIRST_POSITIVE[task]
    truth = labels >= first

    counts = np.bincount(labels, minlength=probabilities.shape[1])
    if stated:
        groups = np.arange(probabilities.shape[1]) >= first
        correction = np.log(np.where(groups, truth.mean() / stated, (1 - truth.mean()) / (1 - stated)))
    else:
        weights = len(labels) / ((counts > 0).sum() * np.maximum(counts, 1))
        correction = np.where(counts > 0, -exponent * np.log(weights), 0)
    corrected = probabilities
    if stated or exponent:
        corrected = probabilities * np.exp(correction)
        corrected /= corrected.sum(1, keepdims=True)
    found, scaled = temperature(labels, corrected)
    score = corrected if stated else probabilities
    return {
        "table": name, "task": task, "prior": prior, "stated": stated,
        "reliability": reliability(score[:, first:].sum(1), truth, patients),
        "temperatureScaling": {
            "priorCorrection": correction.tolist(), "temperature": found,
            "reliability": reliability(scaled[:, first:].sum(1), truth, patients),
        },
    }


def main():
    cases = [
        case("grades", "Perugini", "Balanced", exponent=1),
        case("grades", "Perugini", "Prevalence", stated=0.01),
        case("binary", "Positive", "Cohort"),
        case("binary", "Positive", "SquareRoot", exponent=0.5),
        case("ties", "HighGrade", "Prevalence", stated=0.3),
    ]
    (HERE / "calibration.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


main()

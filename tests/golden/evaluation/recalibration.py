"""Makes recalibration.json beside this script, from the tables that make.py has made.

    python tests/golden/evaluation/recalibration.py

Made with Python 3.11, numpy 2.4.6 and scipy 1.17.1.

For some of the tables: intercept and slope of the log odds of a positive at the greatest posterior, found by SciPy's
minimiser in both at once, where the logarithm of the slope is normal about 0 with a deviation of 0.5; and what they
make of the probability of a positive of each study.
"""

import json

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from calibration import FIRST_POSITIVE, HERE, read

DEVIATION = 0.5
NEAREST = 1e-10


def fit(odds, truth):
    signs = np.where(truth, -1, 1)

    def loss(at):
        return np.logaddexp(0, signs * (at[0] + np.exp(at[1]) * odds)).sum() + at[1] ** 2 / (2 * DEVIATION**2)

    def gradient(at):
        slope = np.exp(at[1])
        error = expit(at[0] + slope * odds) - truth
        return np.array([error.sum(), (error * slope * odds).sum() + at[1] / DEVIATION**2])

    best = minimize(loss, [0, 0], jac=gradient, method="BFGS", options={"gtol": 1e-11})
    return best.x[0], np.exp(best.x[1])


def case(name, task):
    labels, probabilities, _ = read(name)
    first = FIRST_POSITIVE[task]
    positive = probabilities[:, first:].sum(1) / probabilities.sum(1)
    intercept, slope = fit(logit(np.clip(probabilities[:, first:].sum(1), NEAREST, 1 - NEAREST)), labels >= first)
    with np.errstate(divide="ignore"):
        odds = logit(positive)
    after = np.where((positive == 0) | (positive == 1), positive, expit(intercept + slope * odds))
    return {"table": name, "task": task, "intercept": intercept, "slope": slope, "positive": after.tolist()}


if __name__ == "__main__":
    cases = [case("grades", "Perugini"), case("clustered", "Positive"), case("binary", "Positive"),
             case("ties", "HighGrade"), case("separated", "Positive")]
    (HERE / "recalibration.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")

"""Makes sample-size.json beside this script.

    python tests/golden/evaluation/sample_size.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1 and statsmodels 0.15.0.

For a share and its lower limit: the numbers of studies by trying every one, with statsmodels' interval of Wilson's and
SciPy's binomial distribution. For an area below the ROC curve: the criteria of Riley et al. with SciPy's adaptive
integration over normal log odds; the first development is the example of their paper in the BMJ (2020), whose R² is
given rather than an area, and the numbers are those that they print.
"""

import json
import math
import pathlib

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import binom, norm
from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).parent
Z = norm.ppf(0.975)


def limit(part, whole):
    return proportion_confint(part, whole, method="wilson")[0]


def share(expected, lower, assurance, most):
    as_expected = next(n for n in range(1, most) if limit(expected * n, n) >= lower)
    enough = 0
    for n in range(1, most):
        parts = np.arange(n + 1)
        shows = parts[limit(parts, np.full(n + 1, n)) >= lower - 1e-15]
        probability = binom.sf(shows[0] - 1, n, expected) if len(shows) else 0
        if probability < assurance:
            enough = n
    return {"expected": expected, "lower": lower, "assurance": assurance, "asExpected": as_expected,
            "assured": enough + 1}


def scans(positives, prevalence, assurance):
    n = positives
    while binom.sf(positives - 1, n, prevalence) < assurance:
        n += 1
    return {"positives": positives, "prevalence": prevalence, "assurance": assurance, "scans": n}


def mean(auc, prevalence, function):
    separation = math.sqrt(2) * norm.ppf(auc)
    odds = math.log(prevalence / (1 - prevalence))

    def of_class(positive, part):
        middle = separation**2 / 2 * (1 if positive else -1)
        return part * quad(lambda x: norm.pdf(x) * function(positive, odds + middle + separation * x), -12, 12,
                           epsabs=1e-14, epsrel=1e-12, limit=500)[0]

    return of_class(True, prevalence) + of_class(False, 1 - prevalence)


def development_of(explained, parameters, prevalence, margin):
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    greatest = 1 - math.exp(2 * null)
    second = explained / (explained + 0.05 * greatest)
    return {
        "shrinkage": math.ceil(parameters / ((0.9 - 1) * math.log(1 - explained / 0.9))),
        "optimism": math.ceil(parameters / ((second - 1) * math.log(1 - explained / second))),
        "overall": math.ceil((Z / margin) ** 2 * prevalence * (1 - prevalence)),
    }


def model(auc, prevalence, parameters):
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    loss = mean(auc, prevalence, lambda positive, odds: np.logaddexp(0, -odds if positive else odds))
    explained = 1 - math.exp(2 * (null + loss))
    a, ab, b = (mean(auc, prevalence, lambda _, odds: odds**power * expit(odds) * expit(-odds)) for power in range(3))

    def error(n):
        others = n / 2 - 1
        spread = 1 + others * (1 - auc) / (2 - auc) + others * auc / (1 + auc)
        return math.sqrt(auc * (1 - auc) * spread / (n**2 * prevalence * (1 - prevalence)))

    return {
        "auc": auc, "prevalence": prevalence, "parameters": parameters,
        "development": development_of(explained, parameters, prevalence, min(0.05, prevalence / 2)),
        "validation": {
            "observedOverExpected": math.ceil((1 - prevalence) / (prevalence * (math.log(1.25) / Z) ** 2)),
            "slope": math.ceil(a / ((a * b - ab**2) * (0.2 / Z) ** 2)),
            "auc": math.ceil(brentq(lambda n: error(n) - 0.05 / Z, 3, 1e9)),
        },
    }


if __name__ == "__main__":
    printed = development_of(0.288, 24, 0.174, 0.05)
    assert printed == {"shrinkage": 623, "optimism": 662, "overall": 221}, printed
    cases = {
        "shares": [share(0.95, 0.9, 0.9, 700), share(0.95, 0.9, 0.8, 700), share(0.9, 0.8, 0.9, 400),
                   share(0.98, 0.95, 0.8, 1000), share(0.6, 0.5, 0.9, 700)],
        "scans": [scans(246, 0.01, 0.9), scans(30, 0.035, 0.8), scans(5, 0.4, 0.95)],
        "models": [model(0.95, 0.01, 10), model(0.8, 0.1, 20), model(0.7, 0.4, 3), model(0.99, 0.035, 2)],
    }
    (HERE / "sample-size.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")

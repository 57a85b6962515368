"""Makes monitoring.json beside this script.

    python tests/golden/evaluation/monitoring.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1 and statsmodels 0.15.0.

What the monitoring of a model computes, by other ways: quantiles from numpy, normal scores and the error of a
reference from SciPy, the interval of a share from statsmodels; run lengths and probabilities of false alarms from a
Markov chain (Brook and Evans, 1972) in place of Siegmund's approximation; sums of charts from their definition as the
greatest sum of any last scans; the Bayes factor of a mix of scanners from gamma functions.
"""

import json
import pathlib

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).parent
HORIZON = 2000
STATES = 160


def chain(drift, limit):
    """The transitions among the states of a sum that has raised no alarm: zero, and strips up to the limit."""
    width = 2 * limit / (2 * STATES - 1)
    centres = width * np.arange(STATES)
    upper = centres + width / 2
    steps = norm.cdf(upper[None, :] - centres[:, None] + drift)
    lower = np.concatenate([np.zeros((STATES, 1)), steps[:, :-1]], axis=1)
    return steps - lower


def run_length(drift, limit):
    return float(np.linalg.solve(np.eye(STATES) - chain(drift, limit), np.ones(STATES))[0])


def alarm(drift, limit):
    """The probability of an alarm within the horizon."""
    return 1 - np.linalg.matrix_power(chain(drift, limit), HORIZON)[0].sum()


def false_alarms(allowance, reference, limit):
    def at(error):
        return norm.pdf(error) * alarm(allowance - error / np.sqrt(reference), limit)

    return quad(at, -4, 4, limit=12, epsrel=1e-2, epsabs=1e-4)[0]


def limit_of(allowance, reference, probability, greatest):
    return brentq(lambda limit: false_alarms(allowance, reference, limit) - probability, 3, greatest, xtol=0.02)


def greatest_sum(steps):
    """The greatest sum of the last scans at each scan, and none where that is below zero."""
    ends = [max(0.0, max(float(np.sum(steps[start:end])) for start in range(end))) for end in range(1, len(steps) + 1)]
    return max(ends), ends


def distribution(random):
    values = np.concatenate([np.round(random.normal(12, 0.45, 120), 3), np.repeat(11.9, 17)])
    quantiles = np.quantile(values, np.arange(1, 100) / 100, method="weibull")
    probes = [float(value) for value in np.linspace(quantiles[0], quantiles[-1], 12)[1:-1]]
    unique, first = np.unique(quantiles, return_index=True)
    probes = [probe for probe in probes if probe not in unique]
    shares = []
    for probe in probes:
        above = int(np.searchsorted(quantiles, probe))
        low, high = quantiles[above - 1], quantiles[above]
        shares.append(np.interp(probe, [low, high], [above / 100, (above + 1) / 100]))
    tied = np.nonzero(quantiles == 11.9)[0] + 1
    probes += [11.9, 5.0, 20.0]
    shares += [float(tied.mean()) / 100, 0.005, 0.995]
    return {
        "values": values.tolist(), "mean": values.mean(), "deviation": values.std(ddof=1),
        "quantiles": quantiles.tolist(),
        "probes": [[probe, float(share), float(norm.ppf(share))] for probe, share in zip(probes, shares)],
    }


def shift(random):
    scores = np.concatenate([random.normal(0, 1, 40), random.normal(-0.9, 1, 60)])
    higher, _ = greatest_sum(scores - 0.25)
    lower, ends = greatest_sum(-scores - 0.25)
    limit = 14.0
    first = next(place for place, end in enumerate(ends, 1) if end > limit)
    return {"scores": scores.tolist(), "allowance": 0.25, "limit": limit, "lower": lower, "higher": higher,
            "firstAlarm": first}


def share(random):
    part, whole = 4, 400
    usual = proportion_confint(part, whole, method="wilson")[1]
    unusual = 3 * usual / (1 - usual)
    unusual /= 1 + unusual
    events = random.random(200) < 0.06
    steps = np.where(events, np.log(unusual / usual), np.log((1 - unusual) / (1 - usual)))
    return {"part": part, "whole": whole, "events": events.tolist(), "greatest": greatest_sum(steps)[0]}


def dirichlet(counts):
    """The logarithm of a sequence's probability by the counts of its kinds, under Jeffreys' prior."""
    counts = np.asarray(counts, dtype=float)
    return (gammaln(len(counts) / 2) - gammaln(counts.sum() + len(counts) / 2)
            + (gammaln(counts + 0.5) - gammaln(0.5)).sum())


def mix(random):
    reference = {"e.cam": 471, "forte": 81, "symbia": 361}
    kinds = [*reference, "anyscan"]
    scanners = [kinds[place] for place in random.choice(4, 60, p=[0.2, 0.1, 0.6, 0.1])]
    before = np.array([*reference.values(), 0])
    greatest = 0.0
    for end in range(1, len(scanners) + 1):
        counts = np.array([scanners[:end].count(kind) for kind in kinds])
        factor = dirichlet(counts) + dirichlet(before) - dirichlet(counts + before)
        greatest = max(greatest, float(factor))
    return {"reference": reference, "scanners": scanners, "greatest": greatest}


def main():
    random = np.random.default_rng(7)
    levels = [1e-10, 1e-4, 0.005, 0.07, 0.075, 0.3, 0.5, 0.61, 0.925, 0.99, 0.995]
    lengths = [(drift, limit) for drift in (0.5, 0.25, 0.1, 0.0, -0.1) for limit in (5, 10, 15)]
    limits = [(0.3, 100, 0.04, 60), (0.26, 300, 0.04, 40), (0.23, 1400, 0.04, 40), (0.5, 300, 0.015, 30)]
    document = {
        "normalQuantiles": [[level, float(norm.ppf(level))] for level in levels],
        "distribution": distribution(random),
        "runLengths": [[drift, limit, run_length(drift, limit)] for drift, limit in lengths],
        "limits": [[*case[:3], limit_of(*case)] for case in limits],
        "shift": shift(random), "share": share(random), "mix": mix(random),
    }
    (HERE / "monitoring.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


main()

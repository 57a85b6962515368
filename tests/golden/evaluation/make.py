"""Makes the tables and the expected metrics beside this script.

    python tests/golden/evaluation/make.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1 and statsmodels 0.15.0.

NAME.csv is a predictions table, NAME.json what is expected of its evaluation: the keys are those of
metrics.json, and what is not here is not compared. baseline.json has a score without a network for
some of these tables, its metrics, and how much more the table's network does; beta.json has a
probability, two parameters and the quantile a row. Areas, accuracy, precision, recall, kappa, Brier
score, logarithmic loss, ROC curve and calibration curve come from scikit-learn, Wilson's interval
and quantiles from SciPy, the interval of a difference of accuracies, the variance of a share whose
studies are clustered in patients and Wilson's interval of a number of studies that is not whole from
statsmodels, the baseline's probabilities of four grades from scikit-learn's GaussianNB. What
neither has is computed here by its definition, in another way than attrium does: DeLong's variance
by comparing every positive with every negative, that of a paired difference from the covariance
matrix of all areas, the standard error of kappa from the gradient over the cells of the confusion
matrix, Newcombe's interval by SciPy's root finder.
"""

import csv
import json
import math
import pathlib
import warnings

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, binomtest, norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score, brier_score_loss, cohen_kappa_score, confusion_matrix, log_loss,
    precision_score, recall_score, roc_auc_score, roc_curve,
)
from sklearn.naive_bayes import GaussianNB
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

HERE = pathlib.Path(__file__).parent
# What was written, by name.
TABLES = {}
Z = norm.ppf(0.975)
NAMES = {
    "Perugini": ["grade 0", "grade 1", "grade 2", "grade 3"],
    "Positive": ["negative", "positive"],
    "HighGrade": ["grade 0-2", "grade 3"],
}
FIRST_POSITIVE = {"Perugini": 2, "Positive": 1, "HighGrade": 1}
PREVALENCE = {"Perugini": 0.01, "Positive": 0.01, "HighGrade": 0.01}


def interval(low, high):
    return {"low": float(low), "high": float(high)}


def effective_size(event, patients):
    """How many independent studies some are worth: the design effect of Rao and Scott (1992), the share's variance by
    statsmodels' covariance of clusters."""
    event = np.asarray(event, float)
    names, of = np.unique(np.asarray(patients, str), return_inverse=True)
    n, m, p = len(event), len(names), event.mean()
    if m == n:
        return n
    if p in (0, 1) or m == 1:
        return m
    fit = OLS(event, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": of})
    return n / max(1, float(fit.bse[0]) ** 2 / (p * (1 - p) / n))


def share(key, event, patients):
    """A share of studies, each an event that came true or not, and its patient."""
    n = len(event)
    if n == 0:
        return {key: None, f"{key}Interval": None}
    part, size = int(np.sum(event)), effective_size(event, patients)
    if size == n:
        low, high = binomtest(part, n).proportion_ci(0.95, method="wilson")
    else:
        low, high = proportion_confint(part / n * size, size, method="wilson")
    return {key: part / n, f"{key}Interval": interval(low, high)}


def difference(key, one, other):
    """The difference of two areas, its limits by squares of the distances of theirs."""
    value, others = one[key], other.get(key)
    if value is None or others is None:
        return {f"{key}Difference": None, f"{key}DifferenceInterval": None}
    own, limits = one[f"{key}Interval"], other[f"{key}Interval"]
    between = None
    if own is not None and limits is not None:
        down = (value - own["low"]) ** 2 + (limits["high"] - others) ** 2
        up = (own["high"] - value) ** 2 + (others - limits["low"]) ** 2
        between = interval(value - others - math.sqrt(down), value - others + math.sqrt(up))
    return {f"{key}Difference": value - others, f"{key}DifferenceInterval": between}


def accuracy_difference(right, inside, outside, patients):
    """By statsmodels; where patients repeat, from the limits of both shares."""
    patients = np.array(patients)
    if any(len(set(of)) < len(of) for of in (patients[inside], patients[outside])):
        sides = [share("accuracy", right[side], patients[side]) for side in (inside, outside)]
        return difference("accuracy", *sides)
    counts = [int(right[inside].sum()), int(inside.sum()), int(right[outside].sum()), int(outside.sum())]
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=0.05)
    value = counts[0] / counts[1] - counts[2] / counts[3]
    return {"accuracyDifference": value, "accuracyDifferenceInterval": interval(low, high)}


def newcombe(area, m, n):
    """Method 5 of Newcombe (2006), from the numbers of positives and negatives."""
    def excess(theta):
        half = (m + n) / 2 - 1
        variance = theta * (1 - theta) / (m * n) * (
            1 + half * (1 - theta) / (2 - theta) + half * theta / (1 + theta))
        return abs(theta - area) - Z * math.sqrt(variance)
    low = 0.0 if area == 0 else brentq(excess, 0, area - 1e-12, xtol=1e-15, rtol=1e-15)
    high = 1.0 if area == 1 else brentq(excess, area + 1e-12, 1, xtol=1e-15, rtol=1e-15)
    return low, high


def by_variance(value, variance):
    """The interval that a variance gives on the logit scale."""
    logit = math.log(value / (1 - value))
    margin = Z * math.sqrt(variance) / value / (1 - value)
    return [1 / (1 + math.exp(-x)) for x in (logit - margin, logit + margin)]


def areas_with_interval(key, columns, patients):
    """The mean of areas; columns are (truth, score, area) over the same studies."""
    influence = {patient: 0.0 for patient in patients}
    limits, values, wider, known = [], [], [], True
    for truth, score, value in columns:
        if truth.all() or not truth.any():
            return {key: None, f"{key}Interval": None}
        wins = (score[truth][:, None] > score[~truth][None, :]) + 0.5 * (
            score[truth][:, None] == score[~truth][None, :])
        assert abs(wins.mean() - value) < 1e-12
        of = np.array(patients)
        m, n = len(set(of[truth])), len(set(of[~truth]))
        own = {patient: 0.0 for patient in patients}
        for mask, placement, count in ((truth, wins.mean(1), m), (~truth, wins.mean(0), n)):
            if count < 2:
                known = False
                continue
            scale = math.sqrt(count / (count - 1)) / mask.sum()
            for patient, deviation in zip(of[mask], placement - value):
                own[patient] += scale * deviation
        for patient, share in own.items():
            influence[patient] += share / len(columns)
        limits.append(newcombe(value, m, n))
        values.append(value)
        variance = sum(share**2 for share in own.values())
        if known and variance > 1e-24:
            low, high = by_variance(value, variance)
            wider.append((max(0, low - limits[-1][0]), max(0, limits[-1][1] - high)))
        else:
            wider.append((0, 0))
    value = float(np.mean(values))
    variance = sum(share**2 for share in influence.values())
    if len(columns) == 1 and known and len(influence) == len(patients):
        # The formula of DeLong, DeLong and Clarke-Pearson as it stands.
        delong = wins.mean(1).var(ddof=1) / m + wins.mean(0).var(ddof=1) / n
        assert math.isclose(variance, delong, rel_tol=1e-9, abs_tol=1e-20)
    if known and variance > 1e-24:
        low, high = by_variance(value, variance)
        down, up = np.mean(wider, axis=0)
        low, high = max(0, low - down), min(1, high + up)
    else:
        low, high = np.mean(limits, axis=0)
    return {key: value, f"{key}Interval": interval(low, high)}


def area_metrics(key, truth, score, patients):
    defined = truth.any() and not truth.all()
    value = roc_auc_score(truth, score) if defined else None
    return areas_with_interval(key, [(truth, score, value)], patients)


def kappa_metrics(key, labels, calls, classes, weights, patients):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = cohen_kappa_score(labels, calls, labels=range(classes), weights=weights)
    if not math.isfinite(value):
        return {key: None, f"{key}Interval": None}
    i, j = np.indices((classes, classes))
    cost = (i != j).astype(float) if weights is None else (i - j) ** 2.0
    p = confusion_matrix(labels, calls, labels=range(classes)) / len(labels)
    observed = (cost * p).sum()
    chance = (cost * np.outer(p.sum(1), p.sum(0))).sum()
    # d kappa / d p_ij, of 1 - observed / chance.
    slope = cost @ p.sum(0)
    slope = slope[:, None] + (p.sum(1) @ cost)[None, :]
    gradient = -cost / chance + observed * slope / chance**2
    gradient -= (gradient * p).sum()
    sums = {}
    for label, call, patient in zip(labels, calls, patients):
        sums[patient] = sums.get(patient, 0.0) + gradient[label, call]
    error = math.sqrt(sum(total**2 for total in sums.values())) / len(labels)
    if error < 1e-12:
        return {key: float(value), f"{key}Interval": None}
    return {key: float(value),
            f"{key}Interval": interval(max(value - Z * error, -1), min(value + Z * error, 1))}


def calibration(probability, event, patients):
    observed, mean = calibration_curve(event, probability, n_bins=10)
    edges = np.linspace(0, 1, 11)
    bin_of = np.searchsorted(edges[1:-1], probability)
    bins = []
    for index, bin_number in enumerate(sorted(set(bin_of.tolist()))):
        members = bin_of == bin_number
        entry = {"low": bin_number / 10, "high": (bin_number + 1) / 10,
                 "studies": int(members.sum()), "meanProbability": float(mean[index])}
        entry |= share("observed", event[members], np.array(patients)[members])
        assert abs(entry["observed"] - observed[index]) < 1e-12
        bins.append(entry)
    error = sum(abs(b["meanProbability"] - b["observed"]) * b["studies"] for b in bins)
    return bins, error / len(event)


def rates(truth, call, prevalence, patients):
    patients = np.array(patients)
    tp, fn = int((truth & call).sum()), int((truth & ~call).sum())
    fp, tn = int((~truth & call).sum()), int((~truth & ~call).sum())
    result = share("sensitivity", call[truth], patients[truth])
    result |= share("specificity", ~call[~truth], patients[~truth])
    result["atCohort"] = share("ppv", truth[call], patients[call])
    result["atCohort"] |= share("npv", ~truth[~call], patients[~call])
    result["atCohort"]["prevalence"] = truth.mean()
    result["atStated"], _ = at_stated(result, prevalence)
    return result, (tp, fn, fp, tn)


def at_stated(result, prevalence):
    """Predictive values and alerts at a prevalence, from the values and from corners of the limits."""
    stated = {"prevalence": prevalence, "ppv": None, "npv": None}
    alerts = {"alertsPer1000": None, "alertsPer1000Interval": None}
    if result["sensitivity"] is not None and result["specificity"] is not None:
        def ppv(sensitivity, specificity):
            called = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
            return sensitivity * prevalence / called if called > 0 else None

        def npv(sensitivity, specificity):
            called = specificity * (1 - prevalence) + (1 - sensitivity) * prevalence
            return specificity * (1 - prevalence) / called if called > 0 else None

        a, b = result["sensitivityInterval"], result["specificityInterval"]
        for name, value in (("ppv", ppv), ("npv", npv)):
            stated[name] = value(result["sensitivity"], result["specificity"])
            if stated[name] is not None:
                stated[f"{name}Interval"] = None if a is None or b is None else interval(
                    value(a["low"], b["low"]), value(a["high"], b["high"]))

        def called(sensitivity, specificity):
            return 1000 * (sensitivity * prevalence + (1 - specificity) * (1 - prevalence))

        alerts["alertsPer1000"] = called(result["sensitivity"], result["specificity"])
        if a is not None and b is not None:
            corners = [called(s, t) for s in a.values() for t in b.values()]
            alerts["alertsPer1000Interval"] = interval(min(corners), max(corners))
    return stated, alerts


def youden_threshold(truth, score):
    """Of equals the lowest; none without both kinds."""
    if truth.all() or not truth.any():
        return None
    fpr, tpr, thresholds = roc_curve(truth, score, drop_intermediate=False)
    index = np.round(tpr - fpr, 12)[1:]
    return thresholds[1:][np.flatnonzero(index == index.max())[-1]]


def left_out(truth, score, patients):
    """The call of each study by the threshold that scikit-learn's curve of all other patients gives."""
    patients = np.array(patients)
    calls = np.zeros(len(truth), bool)
    for patient in set(patients):
        own = patients == patient
        threshold = youden_threshold(truth[~own], score[~own])
        if threshold is None:
            return None
        calls[own] = score[own] >= threshold
    return calls


def of_target(target, threshold, score, patients):
    """Interval and mean of the true sensitivity at the score of one of these positives, by SciPy's beta distribution."""
    n = len(score)
    place = next(k for k in range(1, n + 1) if k / n >= target)
    reached = score >= threshold
    size = effective_size(reached, patients)
    k, scale = int(reached.sum()), size / n
    low, high = beta.ppf([0.025, 0.975], place * scale, size + 1 - place * scale)
    if (score == threshold).sum() > 1:
        high = 1.0 if k == n else beta.ppf(0.975, k * scale + 1, size - k * scale)
    return {"sensitivityInterval": interval(low, high),
            "sensitivityIntervalMethod": "orderStatistic",
            "expectedSensitivity": float(place * scale / (size + 1))}


def of_youden(found, truth, score, patients):
    """Of both rates, the mean and the interval that calls by thresholds of the other patients give."""
    calls, patients = left_out(truth, score, patients), np.array(patients)
    result = {}
    for key, right, among in (("sensitivity", calls, truth), ("specificity", ~calls if calls is not None else None, ~truth)):
        other = {key: None, f"{key}Interval": None}
        if calls is not None:
            other = share(key, right[among], patients[among])
        both = [of[f"{key}Interval"] for of in (found, other)]
        result |= {f"{key}Interval": None if None in both else interval(
                       min(b["low"] for b in both), max(b["high"] for b in both)),
                   f"{key}IntervalMethod": "leaveOneOut",
                   f"expected{key.capitalize()}": other[key]}
    return result


def operating_points(truth, score, prevalence, patients):
    chosen, patients = [], np.array(patients)
    if truth.any() and not truth.all():
        fpr, tpr, thresholds = roc_curve(truth, score, drop_intermediate=False)
        for target in (0.9, 0.95, 1.0):
            chosen.append(({"kind": "sensitivity", "target": target},
                           thresholds[np.argmax(tpr >= target)]))
        chosen.append(({"kind": "youden"}, youden_threshold(truth, score)))
    chosen.append(({"kind": "threshold"}, 0.5))
    points = []
    for kind, threshold in chosen:
        found, (tp, fn, fp, tn) = rates(truth, score >= threshold, prevalence, patients)
        for key in ("sensitivity", "specificity"):
            found |= {f"{key}IntervalMethod": "wilson", f"expected{key.capitalize()}": found[key]}
        if kind["kind"] == "sensitivity":
            found |= of_target(kind["target"], threshold, score[truth], patients[truth])
        if kind["kind"] == "youden":
            found |= of_youden(found, truth, score, patients)
        found["atStated"], alerts = at_stated(found, prevalence)
        points.append(kind | found | alerts | {
            "threshold": float(threshold), "truePositives": tp, "falseNegatives": fn,
            "falsePositives": fp, "trueNegatives": tn})
    return points


PERCENT = [round(10.0**decade * of, 3) for decade in (-1, 0, 1) for of in (
    1.0, 1.12, 1.25, 1.4, 1.6, 1.8, 2.0, 2.24, 2.5, 2.8, 3.15, 3.55, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0)]


def decision_curve(truth, score, prevalence, patients):
    """Net benefit by weighted counts of a cohort that has the prevalence; its limits from corners."""
    weight = np.where(truth, prevalence / truth.sum(), (1 - prevalence) / (~truth).sum())
    patients, points = np.array(patients), []
    for threshold in np.array([p for p in PERCENT if 0.5 <= p <= 50]) / 100:
        call, harm = score >= threshold, threshold / (1 - threshold)
        value = weight[truth & call].sum() - weight[~truth & call].sum() * harm
        found = share("x", call[truth], patients[truth]), share("x", call[~truth], patients[~truth])
        a, b = (of["xInterval"] for of in found)
        corners = [s * prevalence - t * (1 - prevalence) * harm
                   for s in a.values() for t in b.values()]
        points.append({"threshold": float(threshold), "netBenefit": float(value),
                       "netBenefitInterval": interval(min(corners), max(corners)),
                       "treatAll": float(weight[truth].sum() - weight[~truth].sum() * harm)})
    return {"prevalence": prevalence, "points": points}


def curve(name, truth, score):
    """scikit-learn's curve without the inner points of its horizontal stretches."""
    fpr, tpr, thresholds = roc_curve(truth, score, drop_intermediate=False)
    inner = (tpr[1:-1] == tpr[:-2]) & (tpr[1:-1] == tpr[2:])
    kept = np.concatenate([[True], ~inner, [True]])
    return {"name": name, "auc": roc_auc_score(truth, score), "points": [
        {"falsePositiveRate": float(fpr[i]), "truePositiveRate": float(tpr[i]),
         "threshold": float(thresholds[i]) if i else None} for i in np.flatnonzero(kept)]}


def task_auc(task, labels, probabilities, calls, patients):
    """auc and aucHard: of the positive class, or the macro mean of one-versus-rest."""
    classes = len(NAMES[task])
    columns = range(1, 2) if classes == 2 else range(classes)
    result = {}
    hard = np.eye(classes)[calls]
    for key, scores in (("auc", probabilities), ("aucHard", hard)):
        if len(set(labels.tolist())) < classes:
            result |= {key: None, f"{key}Interval": None}
            continue
        parts = [(labels == k, scores[:, k], roc_auc_score(labels == k, scores[:, k]))
                 for k in columns]
        result |= areas_with_interval(key, parts, patients)
        if classes > 2:
            macro = roc_auc_score(labels, scores, multi_class="ovr", average="macro")
            assert abs(macro - result[key]) < 1e-12
            result[key] = float(macro)
    return result


def evaluate(task, table):
    labelled = [row for row in table if row["label"] != ""]
    classes, first = len(NAMES[task]), FIRST_POSITIVE[task]
    labels = np.array([row["label"] for row in labelled])
    probabilities = np.array([row["p"] for row in labelled])
    patients = [row["covariates"].get("patient") or f"own {row['study']}" for row in labelled]
    calls = probabilities.argmax(1)
    score = probabilities[:, first:].sum(1)
    truth, call = labels >= first, calls >= first
    prevalence = PREVALENCE[task]

    result, _ = rates(truth, call, prevalence, patients)
    result |= {"task": task, "studies": len(labelled), "unlabelled": len(table) - len(labelled),
               "positives": int(truth.sum()), "clusteredIntervals": len(set(patients)) < len(labelled)}
    result |= task_auc(task, labels, probabilities, calls, patients)
    result |= share("accuracy", labels == calls, patients)
    assert abs(result["accuracy"] - accuracy_score(labels, calls)) < 1e-12
    result |= kappa_metrics("kappa", labels, calls, classes, None, patients)
    result |= kappa_metrics("quadraticKappa", labels, calls, classes, "quadratic", patients)
    if classes == 2:
        result["brier"] = brier_score_loss(labels, score, labels=[0, 1], pos_label=1)
    else:
        exact = np.allclose(probabilities.sum(1), 1, rtol=0, atol=1e-9)
        result["brier"] = (
            brier_score_loss(labels, probabilities, labels=list(range(classes)))
            if exact else float(((probabilities - np.eye(classes)[labels]) ** 2).sum(1).mean()))
    result["expectedCalibrationError"] = calibration(probabilities.max(1), labels == calls, patients)[1]
    result["temperatureScaling"] = temperature_scaling(labels, probabilities)
    result["confusion"] = confusion_matrix(labels, calls, labels=range(classes)).tolist()
    precision = precision_score(labels, calls, labels=range(classes), average=None,
                                zero_division=np.nan)
    recall = recall_score(labels, calls, labels=range(classes), average=None, zero_division=np.nan)
    result["classes"] = []
    for k in range(classes):
        entry = {"name": NAMES[task][k], "studies": int((labels == k).sum()),
                 "called": int((calls == k).sum())}
        entry |= area_metrics("auc", labels == k, probabilities[:, k], patients)
        entry |= share("precision", (labels == k)[calls == k], np.array(patients)[calls == k])
        entry |= share("recall", (calls == k)[labels == k], np.array(patients)[labels == k])
        for name, values in (("precision", precision), ("recall", recall)):
            expected = None if math.isnan(values[k]) else float(values[k])
            assert (entry[name] is None) == (expected is None)
            entry[name] = expected
        result["classes"].append(entry)

    bins, error = calibration(np.minimum(score, 1), truth, patients)
    positive = {"expectedCalibrationError": error, "calibration": bins,
                "brier": brier_score_loss(truth, np.minimum(score, 1), labels=[False, True],
                                          pos_label=True),
                "operatingPoints": operating_points(truth, score, prevalence, patients)}
    positive |= area_metrics("auc", truth, score, patients)
    positive |= area_metrics("aucHard", truth, call.astype(float), patients)
    positive |= share("accuracy", truth == call, patients)
    positive |= kappa_metrics("kappa", truth.astype(int), call.astype(int), 2, None, patients)
    both = truth.any() and not truth.all()
    positive["roc"] = curve("positive", truth, score) if both else None
    if both:
        positive["decisionCurve"] = decision_curve(truth, score, prevalence, patients)
    result["positive"] = positive
    if classes == 2:
        result["roc"] = [positive["roc"]] if both else []
    else:
        result["roc"] = [curve(NAMES[task][k], labels == k, probabilities[:, k])
                         for k in range(classes) if (labels == k).any()]

    folds = sorted({row["fold"] for row in labelled if row["fold"] != ""})
    result["folds"] = []
    for fold in folds:
        inside = np.array([row["fold"] == fold for row in labelled])
        own = [patient for patient, is_in in zip(patients, inside) if is_in]
        found = task_auc(task, labels[inside], probabilities[inside], calls[inside], own)
        entry, _ = rates(truth[inside], call[inside], prevalence, own)
        result["folds"].append({
            "fold": fold, "studies": int(inside.sum()), "positives": int(truth[inside].sum()),
            "auc": found["auc"], "accuracy": float((labels == calls)[inside].mean()),
            "sensitivity": entry["sensitivity"], "specificity": entry["specificity"]})
    areas = [fold["auc"] for fold in result["folds"] if fold["auc"] is not None]
    result["foldAuc"] = None if not areas else {
        "folds": len(areas), "mean": float(np.mean(areas)), "min": min(areas), "max": max(areas),
        "standardDeviation": float(np.std(areas, ddof=1)) if len(areas) > 1 else None}

    if "reader2" in labelled[0]["covariates"]:
        result["secondReader"] = second_reader(labelled, labels, patients)

    result["subgroups"] = []
    for column in labelled[0]["covariates"]:
        if column in ("patient", "reader2"):
            continue
        values = [group(column, row["covariates"][column]) for row in labelled]
        for value in sorted(set(values)):
            inside = np.array([other == value for other in values])
            own = [patient for patient, is_in in zip(patients, inside) if is_in]
            found = task_auc(task, labels[inside], probabilities[inside], calls[inside], own)
            entry, _ = rates(truth[inside], call[inside], prevalence, own)
            row = {"column": column, "value": value[1], "studies": int(inside.sum()),
                   "positives": int(truth[inside].sum()),
                   "auc": found["auc"], "aucInterval": found["aucInterval"]}
            row |= share("accuracy", (labels == calls)[inside], own)
            row |= area_metrics("positiveAuc", truth[inside], score[inside], own)
            row |= {key: entry[key] for key in ("sensitivity", "sensitivityInterval",
                                                "specificity", "specificityInterval")}
            result["subgroups"].append(row)
            known = np.array([other[1] != "unknown" for other in values])
            outside = known & ~inside
            compared = value[1] != "unknown" and outside.any()
            others = [patient for patient, is_in in zip(patients, outside) if is_in]
            area = area_metrics("positiveAuc", truth[outside], score[outside], others) if compared else {}
            row |= difference("positiveAuc", row, area)
            row |= accuracy_difference(labels == calls, inside, outside, patients) if compared else {
                "accuracyDifference": None, "accuracyDifferenceInterval": None}
    return result


def temperature_scaling(labels, probabilities):
    """The temperature of the least logarithmic loss, from the root of the loss' slope."""
    logits = np.log(np.maximum(probabilities, 1e-300))
    truth = np.eye(probabilities.shape[1])[labels]

    def slope(sharpness):
        return ((softmax(sharpness * logits) - truth) * logits).sum()

    low, high = 1 / 20, 1 / 0.05
    if slope(low) >= 0:
        sharpness = low
    elif slope(high) <= 0:
        sharpness = high
    else:
        sharpness = brentq(slope, low, high, xtol=1e-15, rtol=1e-15, maxiter=1000)
    scaled = softmax(sharpness * logits)
    squares = ((scaled - truth) ** 2).sum(1).mean()
    plain = softmax(logits)
    classes = list(range(probabilities.shape[1]))
    return {"temperature": 1 / sharpness, "logLoss": log_loss(labels, plain, labels=classes),
            "scaledLogLoss": log_loss(labels, scaled, labels=classes),
            "scaledBrier": float(squares / 2 if len(classes) == 2 else squares),
            "scaledExpectedCalibrationError":
                calibration(scaled.max(1), labels == scaled.argmax(1), list(range(len(labels))))[1]}


def second_reader(labelled, labels, patients):
    """The agreement of both readers, where both have graded a study."""
    both = [i for i, row in enumerate(labelled) if row["covariates"].get("reader2", "") != ""]
    first = labels[both]
    second = np.array([int(labelled[i]["covariates"]["reader2"]) for i in both])
    own = [patients[i] for i in both]
    result = {"studies": len(both)}
    result |= kappa_metrics("kappa", first, second, 4, None, own)
    result |= kappa_metrics("quadraticKappa", first, second, 4, "quadratic", own)
    positive = (first >= 2).astype(int), (second >= 2).astype(int)
    return result | kappa_metrics("positiveKappa", *positive, 2, None, own)


def by_patient(values, mask, patients):
    """The sum of each patient's values where the mask holds, a column for each patient."""
    names = sorted(set(patients))
    sums = np.zeros(len(names))
    for value, patient in zip(values, np.array(patients)[mask]):
        sums[names.index(patient)] += value
    return sums


def area_covariance(columns, patients):
    """The areas and their covariance matrix; columns are (truth, score) over the same studies.

    DeLong, DeLong and Clarke-Pearson's structural components, summed by patient as Obuchowski has it;
    no matrix where the positives or the negatives of a column are of one patient.
    """
    areas, shares, known = [], [], True
    for truth, score in columns:
        pairs = score[truth][:, None] - score[~truth][None, :]
        wins = (np.sign(pairs) + 1) / 2
        areas.append(wins.mean())
        total = 0
        for mask, components in ((truth, wins.mean(1)), (~truth, wins.mean(0))):
            clusters = len(set(np.array(patients)[mask]))
            known &= clusters > 1
            if known:
                sums = by_patient(components - wins.mean(), mask, patients)
                total = total + sums * math.sqrt(clusters / (clusters - 1)) / mask.sum()
        shares.append(total)
    if not known:
        return np.array(areas), None
    covariance = np.array([[(one * other).sum() for other in shares] for one in shares])
    if len(set(patients)) == len(patients) and len({truth.tobytes() for truth, _ in columns}) == 1:
        truth = columns[0][0]
        wins = [(np.sign(s[truth][:, None] - s[~truth][None, :]) + 1) / 2 for _, s in columns]
        delong = (np.atleast_2d(np.cov([w.mean(1) for w in wins])) / truth.sum()
                  + np.atleast_2d(np.cov([w.mean(0) for w in wins])) / (~truth).sum())
        assert np.allclose(covariance, delong, rtol=1e-9, atol=1e-18)
    return np.array(areas), covariance


def paired_difference(key, truths, network, baseline, patients):
    """The mean of the network's areas less that of the baseline's, over the same studies."""
    nothing = {key: None, f"{key}Interval": None}
    if any(truth.all() or not truth.any() for truth in truths):
        return nothing
    areas, covariance = area_covariance(
        list(zip(truths, network)) + list(zip(truths, baseline)), patients)
    contrast = np.repeat([1, -1], len(truths)) / len(truths)
    value = float(contrast @ areas)
    variance = 0 if covariance is None else contrast @ covariance @ contrast
    if variance > 1e-24:
        error = Z * math.sqrt(variance)
        return {key: value, f"{key}Interval": interval(max(value - error, -1), min(value + error, 1))}
    of = [areas_with_interval("x", [(t, s, roc_auc_score(t, s)) for t, s in zip(truths, scores)],
                              patients) for scores in (network, baseline)]
    found = difference("x", *of)
    return {key: found["xDifference"], f"{key}Interval": found["xDifferenceInterval"]}


def out_of_fold(scores, labels, folds, classes):
    """The class by the logarithm of the score: GaussianNB, fitted without each fold."""
    probabilities = np.zeros((len(scores), classes))
    logarithms = np.log(scores)[:, None]
    for fold in np.unique(folds):
        inside = folds == fold
        model = GaussianNB().fit(logarithms[~inside], labels[~inside])
        probabilities[np.ix_(inside, model.classes_)] = model.predict_proba(logarithms[inside])
    return probabilities


def baseline(task, table, scores):
    """A score without a network, NaN where a study has none: its metrics, and what a network adds."""
    classes, first = len(NAMES[task]), FIRST_POSITIVE[task]
    kept = [i for i, row in enumerate(table) if row["label"] != "" and np.isfinite(scores[i])]
    rows, scores = [table[i] for i in kept], scores[kept]
    labels = np.array([row["label"] for row in rows])
    names = [row["covariates"].get("patient") or f"own {row['study']}" for row in rows]
    patients = [sorted(set(names)).index(name) for name in names]
    network = np.array([row["p"] for row in rows])
    positive = labels >= first
    if classes == 2:
        own, truths, others = None, [positive], [network[:, 1]]
        areas = [scores]
    else:
        own = out_of_fold(scores, labels, np.array([row["fold"] for row in rows]), classes)
        truths = [labels == k for k in range(classes)]
        others, areas = list(network.T), list(own.T)
    metrics = {"auc": None, "aucInterval": None}
    if defined := all(truth.any() and not truth.all() for truth in truths):
        columns = [(t, s, roc_auc_score(t, s)) for t, s in zip(truths, areas)]
        metrics = areas_with_interval("auc", columns, patients)
    if defined and classes > 2:
        macro = roc_auc_score(labels, own, multi_class="ovr", average="macro")
        assert abs(macro - metrics["auc"]) < 1e-12
        metrics["auc"] = float(macro)
    metrics |= area_metrics("positiveAuc", positive, scores, patients)
    more = {"studies": len(rows)} | paired_difference("auc", truths, others, areas, patients)
    more |= paired_difference(
        "positiveAuc", [positive], [network[:, first:].sum(1)], [scores], patients)
    return {"task": task, "baseline": metrics, "difference": more, "studies": [
        {"study": str(row["study"]), "patient": patient, "label": int(label), "score": float(score),
         "probabilities": None if own is None else own[i].tolist()}
        for i, (row, patient, label, score) in enumerate(zip(rows, patients, labels, scores))]}


def group(column, value):
    if value == "":
        return (9, "unknown")
    if column == "age":
        bands = ((85, "85 and over"), (75, "75-84"), (65, "65-74"), (0, "under 65"))
        return next((start // 10, name) for start, name in bands if float(value) >= start)
    return (0, value)


def write(name, task, table):
    TABLES[name] = (task, table)
    columns = list(table[0]["covariates"])
    with open(HERE / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["study", "fold", "label"]
                        + [f"p_{k}" for k in range(len(NAMES[task]))] + columns)
        for row in table:
            writer.writerow([row["study"], row["fold"], row["label"]]
                            + [repr(float(p)) for p in row["p"]]
                            + [row["covariates"][column] for column in columns])
    text = json.dumps(evaluate(task, table), indent=1, allow_nan=False)
    (HERE / f"{name}.json").write_text(text + "\n")


def table(task, labels, probabilities, folds=5, covariates=None):
    return [{"study": study, "fold": study % folds if folds else "", "label": label,
             "p": np.asarray(p), "covariates": covariates[study] if covariates else {}}
            for study, (label, p) in enumerate(zip(labels, probabilities))]


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def binary(rng, labels, strength):
    score = 1 / (1 + np.exp(-rng.normal(strength * (labels - 0.6), 1.5)))
    return np.stack([1 - score, score], 1)


def quantiles():
    """SciPy's quantiles of beta distributions: of places among n scores, and of numbers that are not whole."""
    parameters = [(k, n + 1 - k) for n in (1, 2, 10, 47, 1334, 100_000)
                  for k in sorted({1, (n + 1) // 2, max(1, 19 * n // 20), n})]
    parameters += [(0.4, 1.0), (17.25, 2.5), (31.7, 1.3), (812.5, 93.75)]
    rows = [[p, a, b, float(beta.ppf(p, a, b))] for a, b in parameters for p in (0.025, 0.5, 0.975)]
    text = json.dumps(rows, allow_nan=False)
    (HERE / "beta.json").write_text(text.replace("], [", "],\n [") + "\n")


def clustered():
    """Patients of one to three studies, whose scores are alike: a network errs on a patient, not on a study."""
    rng = np.random.default_rng(1992)
    patients = np.repeat(np.arange(70), rng.choice([1, 2, 3], 70, p=[0.5, 0.3, 0.2]))
    ill = rng.random(70) < 0.35
    labels = (ill[patients] ^ (rng.random(len(patients)) < 0.05)).astype(int)
    common = rng.normal(0, 1.2, 70)[patients]
    score = 1 / (1 + np.exp(-(2.4 * (labels - 0.5) + common + rng.normal(0, 0.5, len(labels)))))
    covariates = [{"patient": f"P{patient:03}", "sex": "FM"[patient % 2]} for patient in patients]
    # Few decimals, so that positives have scores in common.
    score = np.round(score, 2)
    write("clustered", "Positive",
          table("Positive", labels.tolist(), np.stack([1 - score, score], 1), 5, covariates))


def main():
    rng = np.random.default_rng(2022)

    labels = rng.choice(4, 240, p=[0.6, 0.2, 0.1, 0.1])
    logits = rng.normal(0, 1, (240, 4)) - 0.9 * np.abs(labels[:, None] - np.arange(4))
    covariates = [{
        "patient": str(rng.integers(180)), "age": ["", str(rng.integers(45, 96))][rng.random() < 0.95],
        "sex": rng.choice(["F", "M"]), "metastases": rng.choice(["yes", "no", ""]),
        "scanner": rng.choice(["e.cam", "Symbia", "Forte", "Discovery"], p=[0.5, 0.3, 0.18, 0.02]),
    } for _ in labels]
    for label, row in zip(labels, covariates):
        other = np.clip(label + rng.choice([-1, 0, 0, 0, 1]), 0, 3)
        row["reader2"] = str(other) if rng.random() < 0.7 else ""
    mixed = [int(label) if study % 17 else "" for study, label in enumerate(labels)]
    write("grades", "Perugini", table("Perugini", mixed, softmax(logits), 5, covariates))

    labels = rng.binomial(1, 0.2, 150)
    write("binary", "Positive", table("Positive", labels.tolist(), binary(rng, labels, 1.5)))

    labels = rng.binomial(1, 0.4, 90)
    rounded = np.round(binary(rng, labels, 2.0)[:, 1], 1)
    write("ties", "HighGrade",
          table("HighGrade", labels.tolist(), np.stack([1 - rounded, rounded], 1)))

    labels = rng.choice(4, 80)
    thirds = np.round(softmax(rng.normal(0, 1, (80, 4)) + 1.5 * np.eye(4)[labels]), 1)
    thirds[:, 3] = np.round(1 - thirds[:, :3].sum(1), 1)
    while (thirds < 0).any():
        row = np.argwhere(thirds < 0)[0][0]
        thirds[row] = [0.4, 0.3, 0.2, 0.1]
    write("grade-ties", "Perugini", table("Perugini", labels.tolist(), thirds, 0))

    labels = rng.choice(3, 60)
    logits = rng.normal(0, 1, (60, 4)) + 1.2 * np.eye(4)[labels]
    write("absent", "Perugini", table("Perugini", labels.tolist(), softmax(logits), 3))

    write("single", "Positive", table("Positive", [0] * 12, binary(rng, np.zeros(12), 1.0), 2))

    labels = np.array([0, 1, 1])
    write("tiny", "Positive", table("Positive", labels.tolist(), binary(rng, labels, 1.0), 2))

    labels = np.array([0] * 20 + [1] * 6)
    score = np.concatenate([np.linspace(0.01, 0.45, 20), np.linspace(0.46, 0.99, 6)])
    write("separated", "Positive",
          table("Positive", labels.tolist(), np.stack([1 - score, score], 1)))

    expected = {}
    for name in ("grades", "binary", "ties", "absent", "single", "tiny", "separated"):
        task, rows = TABLES[name]
        grades = np.array([row["label"] or 0 for row in rows])
        ratios = np.exp(rng.normal(0.3 * grades, 0.0 if name == "separated" else 0.3))
        if name in ("grades", "ties"):
            # Two decimals have ties, and some studies have no ratio.
            ratios = np.round(ratios, 2)
            ratios[7::31] = np.nan
        expected[name] = baseline(task, rows, ratios)
    clustered()
    quantiles()
    text = json.dumps(expected, allow_nan=False)
    (HERE / "baseline.json").write_text(text.replace('{"study"', '\n{"study"') + "\n")


if __name__ == "__main__":
    main()

"""Reference values for augmentation, normalisation and class weights.

Run: python tests/golden/training/generate.py
Written with Python 3, numpy 2.4.6, scipy 1.17.1 and scikit-learn 1.9.1.

augmentation.json    scipy.ndimage.affine_transform(order=1, mode="nearest"), in double precision
normalization.json   numpy's mean and population standard deviation over images
class_weights.json   sklearn.utils.class_weight.compute_class_weight("balanced", ...)
gaussian_bayes.json  sklearn.naive_bayes.GaussianNB() fitted without each fold, applied to it
"""

import json
from pathlib import Path

import numpy as np
from scipy.ndimage import affine_transform
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.class_weight import compute_class_weight

HERE = Path(__file__).parent


def write(name, value):
    (HERE / name).write_text(json.dumps(value) + "\n")


def transformed(image, shift_x, shift_y, rotation_degrees, scale):
    """Scales about the centre, then turns clockwise (y points down), then shifts."""
    side = image.shape[0]
    centre = np.full(2, (side - 1) / 2)
    angle = np.radians(rotation_degrees)
    # Forward, in (y, x): clockwise on the screen takes x to y.
    forward = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shift = np.array([shift_y, shift_x]) * side
    inverse = np.linalg.inv(forward)
    offset = centre - inverse @ (centre + shift)
    return affine_transform(image, inverse, offset=offset, order=1, mode="nearest")


def augmentation(random):
    cases = []
    transforms = [
        (0.0, 0.0, 0.0, 1.0),
        (0.1, 0.0, 0.0, 1.0),
        (0.0, -0.07, 0.0, 1.0),
        (0.0, 0.0, 20.0, 1.0),
        (0.0, 0.0, 90.0, 1.0),
        (0.0, 0.0, 0.0, 0.8),
        (0.0, 0.0, 0.0, 1.2),
        (0.1, -0.1, -20.0, 0.8),
        (-0.053, 0.081, 13.7, 1.17),
    ]
    for side in (15, 16):
        image = random.poisson(46, (side, side)).astype(np.float32)
        rendered = [
            {
                "shift_x": transform[0],
                "shift_y": transform[1],
                "rotation_degrees": transform[2],
                "scale": transform[3],
                "pixels": transformed(image.astype(np.float64), *transform).round(7).ravel().tolist(),
            }
            for transform in transforms
        ]
        cases.append({"side": side, "image": image.ravel().tolist(), "rendered": rendered})
    write("augmentation.json", cases)


def normalization(random):
    images = np.log(np.maximum(random.poisson(20, (7, 12)), 1)).astype(np.float32)
    images[:, 3] = 0  # a constant pixel
    images[:, 4] = [0, 0, 0, 0, 0, 0, 0.05]  # a nearly constant one
    wide = images.astype(np.float64)
    write(
        "normalization.json",
        {
            "images": images.tolist(),
            "mean": wide.mean(axis=0).tolist(),
            "deviation": wide.std(axis=0).tolist(),
        },
    )


def class_weights():
    paper = {0: 991, 1: 296, 2: 23, 3: 24}
    cases = [
        [0] * 3 + [1],
        [1, 1, 1, 0, 2, 2],
        [cls for cls, count in paper.items() for _ in range(count)],
        [0, 3, 3, 1, 1, 1],
        [2, 2],
    ]
    weights = []
    for classes in cases:
        present = np.unique(classes)
        computed = compute_class_weight("balanced", classes=present, y=classes)
        weights.append(dict(zip(present.tolist(), computed.tolist())))
    write(
        "class_weights.json",
        [
            {"counts": [classes.count(cls) for cls in range(4)], "weights": weight}
            for classes, weight in zip(cases, weights)
        ],
    )


def out_of_fold(values, classes, folds):
    """A class that the other folds lack has probability 0."""
    probabilities = np.zeros((len(values), 4))
    for fold in np.unique(folds):
        inside = folds == fold
        model = GaussianNB().fit(values[~inside, None], classes[~inside])
        probabilities[np.ix_(inside, model.classes_)] = model.predict_proba(values[inside, None])
    return probabilities


def gaussian_bayes(random):
    """Logarithms of ratios by grade: a cohort; a grade in one fold alone; hardly any spread."""
    cases = []
    for studies, shares, spread in (
        (160, [0.6, 0.2, 0.1, 0.1], 0.3),
        (40, [0.5, 0.3, 0.2, 0.0], 0.3),
        (24, [0.25, 0.25, 0.25, 0.25], 1e-4),
    ):
        classes = random.choice(4, studies, p=shares)
        folds = np.arange(studies) % 4
        if shares[3] == 0:
            classes[[2, 6]] = 3
        values = random.normal(0.25 * classes, spread)
        if spread < 0.01:
            # A class without spread of its own has the smoothing alone.
            values[classes == 2] = 0.5
        cases.append({
            "values": values.tolist(), "classes": classes.tolist(), "folds": folds.tolist(),
            "probabilities": out_of_fold(values, classes, folds).tolist(),
        })
    write("gaussian_bayes.json", cases)


random = np.random.default_rng(1)
augmentation(random)
normalization(random)
class_weights()
gaussian_bayes(random)

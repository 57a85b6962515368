"""Writes `intensities.csv`: what a network sees of a crop, by numpy 2.

    python tests/golden/imaging/intensities.py

The crop of 128 x 128 is made by a formula that the test repeats: an ellipse of up to 40 counts, with a heart of ten times
as many, beside which there is nothing. A line has a place, the intensity Normalized there and the intensity Paper.
"""

from pathlib import Path

import numpy as np

place = np.arange(128 * 128)
row, column = place // 128, place % 128
count = place * 7919 % 41
body = (row - 64) ** 2 * 2 + (column - 64) ** 2 * 3 < 9000
heart = (row - 70) ** 2 + (column - 80) ** 2 < 200
count = np.where(body, count * np.where(heart, 10, 1), 0).astype(float)

means = count.reshape(16, 8, 16, 8).mean((1, 3)).ravel()
means.sort()
bright = means[len(means) * 4 // 5]
patient = means[means > 0.1 * bright]
uptake = patient[len(patient) // 2]

normalized = np.log1p(count / uptake)
paper = np.log(np.where(count > 0, count, 1))
lines = [f"{at},{normalized[at]:.9f},{paper[at]:.9f}\n" for at in range(0, 128 * 128, 61)]
(Path(__file__).parent / "intensities.csv").write_text("".join(lines))

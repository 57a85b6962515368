"""Writes `descriptor.csv`: the numbers by which a crop is compared with those of a training, by numpy 2.

    python tests/golden/imaging/descriptor.py

The crop is that of `intensities.py`, made by a formula that the test repeats. A line has a number.
"""

from pathlib import Path

import numpy as np

from intensities import count, uptake

image = count.reshape(128, 128)
blocks = np.log1p(image.reshape(4, 32, 4, 32).mean((1, 3)).ravel() / uptake)
dispersion = np.square(np.diff(image, axis=1)).sum() / (2 * image.sum())
numbers = [*blocks, np.log(uptake), np.log(dispersion)]
(Path(__file__).parent / "descriptor.csv").write_text("".join(f"{number:.9f}\n" for number in numbers))

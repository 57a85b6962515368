"""Fits the network that finds the heart.

    cargo run --release -p attrium-imaging --example heart -- 31 8000 train
    cargo run --release -p attrium-imaging --example heart -- 32 1000 test
    python models/heart/fit.py train test models/heart

Needs numpy 2 and torch 2.15. Writes `weights.f32` (little-endian, of each layer the weights and the biases) and
`outputs.csv` (the outputs for four images that a formula makes, for the test that the Rust code computes the same),
and prints the table of README.md.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

WINDOW, CROP, SIDE, CHANNELS, EPOCHS, BATCH = 176, 128, 64, (1, 16, 32, 48, 64), 60, 64
# Pixels of the crop that an output of 1 stands for: of the heart's row and column, its mirror image's column, and of
# the logarithms of height and width.
MEAN = np.array([84.0, 88.0, 43.0, np.log(40.0), np.log(44.0)], "f4")
SCALE = np.array([10.0, 10.0, 10.0, 0.15, 0.15], "f4")


def load(folder):
    windows = np.fromfile(Path(folder) / "windows.u16", "<u2").reshape(-1, WINDOW, WINDOW)
    # Sums of 2 x 2 pixels: the network sees no finer ones.
    sums = windows.reshape(-1, WINDOW // 2, 2, WINDOW // 2, 2).sum(axis=(2, 4), dtype="f4")
    hearts = np.loadtxt(Path(folder) / "hearts.csv", delimiter=",", dtype="f4")
    return torch.tensor(sums)[:, None], torch.tensor(hearts)


def uptake(crops):
    """The median counts of a pixel of the patient, as attrium_imaging::intensity has it."""
    means = nn.functional.avg_pool2d(crops, SIDE // 16).flatten(1).sort(1).values
    limits = 0.1 * means[:, len(means[0]) * 4 // 5]
    below = (means <= limits[:, None]).sum(1)
    return means[torch.arange(len(means)), below + (means.shape[1] - below) // 2]


def features(crops):
    return torch.log1p(crops / uptake(crops)[:, None, None, None].clamp_min(1e-6))


def network():
    layers = []
    for inputs, outputs in zip(CHANNELS, CHANNELS[1:]):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(CHANNELS[-1] * 16, 5))


def plain(sums, hearts):
    """The crops themselves, and what is to be found in them."""
    margin = (WINDOW - CROP) // 2
    crops = sums[:, :, margin // 2 : margin // 2 + SIDE, margin // 2 : margin // 2 + SIDE]
    found = torch.stack(
        [hearts[:, 1] - margin, hearts[:, 2] - margin, hearts[:, 4] - margin, hearts[:, 5].log(), hearts[:, 6].log()], 1
    )
    return features(crops), (found - torch.tensor(MEAN)) / torch.tensor(SCALE)


def varied(sums, hearts, random):
    """Another place, size, angle, exposure, contrast and evenness: what differs between sites and patients, and
    between phantoms and patients."""
    count = len(sums)

    def between(low, high):
        return low + (high - low) * torch.rand(count, generator=random)

    angle, zoom = between(-0.08, 0.08), between(0.88, 1.14)
    down, right = between(-9, 9), between(-9, 9)
    share = between(0.15, 1.0)[:, None, None, None]
    sums = share * sums + (share * (1 - share) * sums).sqrt() * torch.randn(sums.shape, generator=random)
    # From a place in the crop, relative to its middle, to one in the window, relative to its middle.
    sine, cosine = angle.sin() / zoom, angle.cos() / zoom
    ratio = CROP / WINDOW
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 0, 2] = cosine * ratio, -sine * ratio, right / (WINDOW / 2)
    matrix[:, 1, 0], matrix[:, 1, 1], matrix[:, 1, 2] = sine * ratio, cosine * ratio, down / (WINDOW / 2)
    grid = nn.functional.affine_grid(matrix, (count, 1, SIDE, SIDE), align_corners=False)
    crops = nn.functional.grid_sample(sums, grid, align_corners=False).clamp_min(0)

    def place(row, column):
        y, x = row + 0.5 - WINDOW / 2 - down, column + 0.5 - WINDOW / 2 - right
        y, x = zoom * (y * angle.cos() - x * angle.sin()), zoom * (x * angle.cos() + y * angle.sin())
        return y + CROP / 2 - 0.5, x + CROP / 2 - 0.5

    row, column = place(hearts[:, 1], hearts[:, 2])
    _, mirrored = place(hearts[:, 3], hearts[:, 4])
    sizes = [(hearts[:, place] * zoom).log() for place in (5, 6)]
    found = torch.stack([row, column, mirrored, *sizes], 1)
    images = torch.expm1(features(crops)).clamp_min(1e-4)
    images = images ** between(0.8, 1.25)[:, None, None, None]
    coarse = between(0, 0.25)[:, None, None, None] * torch.randn(count, 1, 5, 5, generator=random)
    images = images * nn.functional.interpolate(coarse, SIDE, mode="bicubic", align_corners=True).exp()
    return torch.log1p(images), (found - torch.tensor(MEAN)) / torch.tensor(SCALE)


def fit(sums, hearts):
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(sums) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        order, total = torch.randperm(len(sums), generator=random), 0.0
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            images, wanted = varied(sums[batch], hearts[batch], random)
            loss = nn.functional.smooth_l1_loss(model(images), wanted, beta=0.3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        if epoch % 5 == 4:
            print(epoch + 1, total / (len(order) // BATCH), file=sys.stderr, flush=True)
    return model.eval()


@torch.no_grad()
def report(model, folder):
    sums, hearts = load(folder)
    images, wanted = plain(sums, hearts)
    off = (model(images) - wanted) * torch.tensor(SCALE)
    mm = hearts[:, 8]
    distance = (off[:, 0].hypot(off[:, 1]) * mm).numpy()
    mirror = (off[:, 2] * mm).abs().numpy()
    sizes = off[:, 3:].abs().exp().numpy() - 1
    print("| grade | hearts | median mm | 95 % within mm | within 10 mm | mirror's column, 95 % within mm | height, median off |")
    print("|---|---|---|---|---|---|---|")
    grades = hearts[:, 0].numpy()
    for name, rows in [(str(grade), grades == grade) for grade in range(4)] + [("all", grades >= 0)]:
        d, m, s = distance[rows], mirror[rows], sizes[rows, 0]
        print(
            f"| {name} | {len(d)} | {np.median(d):.1f} | {np.quantile(d, 0.95):.1f} | {(d < 10).mean():.3f} "
            f"| {np.quantile(m, 0.95):.1f} | {np.median(s):.3f} |"
        )


@torch.no_grad()
def write(model, folder):
    values = [parameter.numpy().ravel() for parameter in model.parameters()]
    np.concatenate(values).astype("<f4").tofile(folder / "weights.f32")
    places = np.arange(SIDE * SIDE)
    images = [(places * (37 + 2 * number)) % 101 / 67 for number in range(4)]
    images = torch.tensor(np.array(images, "f4")).reshape(-1, 1, SIDE, SIDE)
    lines = [",".join(f"{value:.6f}" for value in row) for row in model(images).tolist()]
    (folder / "outputs.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    train, test, goal = sys.argv[1:]
    fitted = fit(*load(train))
    report(fitted, test)
    write(fitted, Path(goal))

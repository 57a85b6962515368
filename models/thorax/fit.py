"""Fits the network that tells a thorax on a late bone scan from all else.

    cargo run --release -p attrium-imaging --example thorax -- 5 4000 train
    cargo run --release -p attrium-imaging --example thorax -- 6 600 test
    python models/thorax/fit.py train test models/thorax

Needs numpy 2 and torch 2.15. Writes `weights.f32` (little-endian, of each layer the weights and the biases) and
`logits.csv` (the outputs for four images that a formula makes, for the test that the Rust code computes the same),
and prints the table of README.md.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

SIDE, CHANNELS, EPOCHS, BATCH = 32, (1, 8, 16, 16), 24, 128
# Valid crops, and copies of such that another check sets aside: by their noise, their grey levels or their shape.
THORAX, BOTH = {"thorax", "moved"}, {"processed", "windowed", "padded-square"}
# Images that are most like the late scan of a thorax count three times.
NEAR = {"blood-pool", "chest-blood-pool", "pelvis", "iodide", "skull"}


def load(folder):
    images = np.fromfile(Path(folder) / "features.f32", "<f4").reshape(-1, 1, SIDE, SIDE)
    with open(Path(folder) / "labels.csv") as lines:
        rows = list(csv.reader(lines))
    keep = [row[0] not in BOTH for row in rows]
    kinds = np.array([row[0] for row in rows])[keep]
    return torch.tensor(images[keep]), kinds, np.array([row[1] for row in rows])[keep]


def network():
    layers = []
    for inputs, outputs in zip(CHANNELS, CHANNELS[1:]):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(CHANNELS[-1] * 16, 1))


def varied(images, random):
    """Another contrast, unit and noise, uneven sensitivity, and every other image mirrored: what differs between
    sites and patients, and between phantoms and patients."""

    def between(low, high):
        return low + (high - low) * torch.rand(len(images), 1, 1, 1, generator=random)

    uptake = torch.expm1(images).clamp_min(1e-4) ** between(0.75, 1.3) * between(0.9, 1.12)
    coarse = between(0, 0.35) * torch.randn(len(images), 1, 6, 6, generator=random)
    uneven = nn.functional.interpolate(coarse, SIDE, mode="bicubic", align_corners=True)
    uptake = uptake * uneven.exp()
    uptake = uptake * (1 + between(0, 0.15) * torch.randn(images.shape, generator=random))
    images = torch.log1p(uptake.clamp_min(0))
    mirrored = torch.rand(len(images), generator=random) < 0.5
    images[mirrored] = images[mirrored].flip(-1)
    return images


def fit(images, kinds):
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    shown = torch.tensor(np.isin(kinds, list(THORAX)))
    weights = torch.where(shown, (~shown).sum() / shown.sum(), 1.0)
    weights[torch.tensor(np.isin(kinds, list(NEAR)))] = 3.0
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images), generator=random)
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            logits = model(varied(images[batch].clone(), random))[:, 0]
            losses = nn.functional.binary_cross_entropy_with_logits(
                logits, shown[batch].float(), reduction="none"
            )
            optimizer.zero_grad()
            (losses * weights[batch]).mean().backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def report(model, folder):
    images, kinds, of = load(folder)
    logits = model(images)[:, 0].numpy()
    print("| crop of | crops | lowest | highest | above 0 | above 1 |\n|---|---|---|---|---|---|")
    names = [(kind, kinds == kind) for kind in sorted(set(kinds))]
    grades = [f"Grade({grade})" for grade in range(4)]
    names += [
        (f"thorax, {grade}", (kinds == "thorax") & np.char.startswith(of, grade)) for grade in grades
    ]
    for name, rows in names:
        found = logits[rows]
        shares = [f"{(found > limit).mean():.4f}" for limit in (0, 1)]
        print(f"| {name} | {len(found)} | {found.min():.2f} | {found.max():.2f} | {' | '.join(shares)} |")


@torch.no_grad()
def write(model, folder):
    values = [parameter.numpy().ravel() for parameter in model.parameters()]
    np.concatenate(values).astype("<f4").tofile(folder / "weights.f32")
    places = np.arange(SIDE * SIDE)
    images = [(places * (37 + 2 * number)) % 101 / 67 for number in range(4)]
    images = torch.tensor(np.array(images, "f4")).reshape(-1, 1, SIDE, SIDE)
    logits = model(images)[:, 0].tolist()
    (folder / "logits.csv").write_text("".join(f"{logit:.6f}\n" for logit in logits))


if __name__ == "__main__":
    train, test, target = sys.argv[1:]
    fitted = fit(*load(train)[:2])
    report(fitted, test)
    write(fitted, Path(target))

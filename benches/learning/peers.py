"""Networks of PyTorch on the very crops, grades and folds of a TrainingRun of attrium.

peers.py RUN PEER PREDICTIONS [STEPS]

RUN is the folder of a run's results, with the task Perugini. PEER is Linear or Residual, trained as the paper
says; Modern, a small residual network with whatever a data scientist would reach for; or the name of a network of
timm, trained in the same way. PREDICTIONS is written: out-of-fold, as `attrium evaluate` reads them. STEPS is how
many batches a fold is trained on, in place of the recipe's own number. Prints the seconds that training took.
"""

import csv
import json
import pathlib
import sys
import time

import numpy
import torch
from safetensors.numpy import load_file
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from intensity import normalized  # noqa: E402
from networks import network  # noqa: E402

GRADES = 4
SIDE = 128
THREADS = 2


class Cohort:
    """The studies of a run, in the order of its predictions."""

    def __init__(self, run):
        crops = {}
        for marker in sorted((run / "tasks/preprocess").glob("*.json")):
            files = {file["name"]: run / file["path"] for file in json.loads(marker.read_text())["files"]}
            for name, path in files.items():
                if name.endswith(".safetensors"):
                    table = csv.DictReader(files[name.replace(".safetensors", ".csv")].open())
                    shard = load_file(path)["crops"]
                    crops |= {row["study"]: crop for row, crop in zip(table, shard, strict=True)}
        (predictions,) = (run / "predictions").glob("*-Perugini.csv")
        self.rows = list(csv.DictReader(predictions.open()))
        crops = [crops[row["study"]] for row in self.rows]
        self.counts = numpy.stack(crops).reshape(-1, SIDE, SIDE).astype(numpy.float32)
        self.grades = numpy.array([int(row["grade"]) for row in self.rows])
        self.folds = numpy.array([int(row["fold"]) for row in self.rows])


def in_units_of_the_chest(counts):
    """Crops on attrium's scale."""
    return numpy.stack([normalized(crop) for crop in counts])


def thinned(counts, random, lowest):
    shares = random.uniform(lowest, 1, (len(counts), 1, 1))
    return random.binomial(numpy.rint(counts).astype(int), shares).astype(numpy.float32)


def moved(images, random, degrees, scale, shift):
    """Each image turned, scaled and shifted by chance, within these limits; a shift is a share of the side."""
    count = len(images)
    draw = lambda limit: torch.tensor(random.uniform(-limit, limit, count), dtype=torch.float32)  # noqa: E731
    angle, size = torch.deg2rad(draw(degrees)), 1 + draw(scale)
    sine, cosine = torch.sin(angle) / size, torch.cos(angle) / size
    across, down = 2 * draw(shift), 2 * draw(shift)
    matrices = torch.stack([torch.stack([cosine, -sine, across], 1), torch.stack([sine, cosine, down], 1)], 1)
    grid = functional.affine_grid(matrices, images.shape, align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


class Unit(nn.Module):
    """Two convolutions, of which the first halves the image, beside a projection of what goes in."""

    def __init__(self, before, channels):
        super().__init__()
        convolution = lambda before, stride: [  # noqa: E731
            nn.Conv2d(before, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)]
        self.inner = nn.Sequential(*convolution(before, 2), nn.ReLU(), *convolution(channels, 1))
        self.around = nn.Conv2d(before, channels, 1, 2, bias=False)

    def forward(self, images):
        return functional.relu(self.inner(images) + self.around(images))


def modern():
    stem = [nn.Conv2d(1, 24, 5, 2, 2, bias=False), nn.BatchNorm2d(24), nn.ReLU()]
    units = [Unit(24, 32), Unit(32, 64), Unit(64, 96)]
    return nn.Sequential(*stem, *units, nn.Flatten(), nn.Dropout(0.3), nn.Linear(96 * 8 * 8, GRADES - 1))


def by_name(peer):
    if peer == "Modern":
        return modern()
    import timm

    return timm.create_model(peer, in_chans=1, num_classes=GRADES - 1)


class Thresholds:
    """A plain modern recipe: the grades in their order, AdamW, one cycle, an average of the weights."""

    BATCH, STEPS = 32, 500

    def __init__(self, peer, cohort, train, steps, random):
        self.cohort, self.train, self.random = cohort, train, random
        self.steps = steps or self.STEPS
        seen = in_units_of_the_chest(cohort.counts[train])
        self.mean, self.deviation = float(seen.mean()), float(seen.std())
        self.network = by_name(peer).to(memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True)
        classes = numpy.bincount(cohort.grades[train], minlength=GRADES).clip(1)
        self.weights = torch.tensor(numpy.sqrt(len(train) / (GRADES * classes)), dtype=torch.float32)

    def images(self, counts):
        images = (torch.tensor(in_units_of_the_chest(counts))[:, None] - self.mean) / self.deviation
        return images.contiguous(memory_format=torch.channels_last)

    def fit(self):
        optimizer = torch.optim.AdamW(self.network.parameters(), 3e-3, weight_decay=0.02)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=self.steps)
        order = numpy.array([], int)
        for _ in range(self.steps):
            if len(order) < self.BATCH:
                order = numpy.append(order, self.random.permutation(self.train))
            chosen, order = order[: self.BATCH], order[self.BATCH :]
            images = self.images(thinned(self.cohort.counts[chosen], self.random, 0.1))
            outputs = self.network(moved(images, self.random, 20, 0.2, 0.1))
            grades = torch.tensor(self.cohort.grades[chosen])
            targets = (grades[:, None] > torch.arange(GRADES - 1)).float() * 0.94 + 0.03
            losses = functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
            loss = (self.weights[grades][:, None] * losses).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            cycle.step()
            self.average.update_parameters(self.network)

    @torch.no_grad()
    def probabilities(self, counts):
        self.average.eval()
        above = torch.cummin(torch.sigmoid(self.average(self.images(counts))), 1).values.numpy()
        edges = numpy.pad(above, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
        shares = (edges[:, :-1] - edges[:, 1:]).clip(1e-6)
        return shares / shares.sum(1, keepdims=True)


class Paper:
    """The paper's recipe, as long as docs/results/seeds.md has it: copies drawn once, Adam, cross-entropy, plateaus."""

    BATCH, STEPS, COPIES = 16, 2400, 2400

    def __init__(self, peer, cohort, train, steps, random):
        self.steps, self.random = steps or self.STEPS, random
        train = random.permutation(train)
        kept, train = train[: len(train) // 10], train[len(train) // 10 :]
        sources = numpy.resize(train, self.COPIES)
        copies = in_units_of_the_chest(thinned(cohort.counts[sources], random, 0.1))
        copies = moved(torch.tensor(copies)[:, None], random, 20, 0.2, 0.1)
        self.mean, self.deviation = copies.mean(0), copies.std(0, correction=0).clamp_min(0.1)
        self.copies, self.grades = (copies - self.mean) / self.deviation, torch.tensor(cohort.grades[sources])
        self.kept = self.images(cohort.counts[kept]), torch.tensor(cohort.grades[kept])
        classes = numpy.bincount(cohort.grades[sources], minlength=GRADES).clip(1)
        self.weights = torch.tensor(self.COPIES / (GRADES * classes), dtype=torch.float32)
        self.network = network(peer, GRADES).to(memory_format=torch.channels_last)

    def images(self, counts):
        return (torch.tensor(in_units_of_the_chest(counts))[:, None] - self.mean) / self.deviation

    def fit(self):
        optimizer = torch.optim.Adam(self.network.parameters(), 5e-4, eps=1e-7)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, threshold=1e-4, min_lr=1e-7)
        steps = 0
        while steps < self.steps:
            self.network.train()
            for chosen in torch.tensor(self.random.permutation(self.COPIES)).split(self.BATCH)[: self.steps - steps]:
                images = self.copies[chosen].contiguous(memory_format=torch.channels_last)
                losses = functional.cross_entropy(
                    self.network(images), self.grades[chosen], weight=self.weights, reduction="none")
                optimizer.zero_grad(set_to_none=True)
                losses.mean().backward()
                optimizer.step()
                steps += 1
            self.network.eval()
            with torch.no_grad():
                plateau.step(functional.cross_entropy(self.network(self.kept[0]), self.kept[1]))

    @torch.no_grad()
    def probabilities(self, counts):
        self.network.eval()
        return torch.softmax(self.network(self.images(counts)), 1).numpy()


def main(run, peer, path, steps=None):
    torch.set_num_threads(THREADS)
    cohort = Cohort(pathlib.Path(run))
    recipe = Paper if peer in ("Linear", "Residual") else Thresholds
    found = numpy.zeros((len(cohort.grades), GRADES))
    start = time.perf_counter()
    for fold in range(cohort.folds.max() + 1):
        torch.manual_seed(fold)
        train = numpy.flatnonzero(cohort.folds != fold)
        training = recipe(peer, cohort, train, steps and int(steps), numpy.random.default_rng(fold))
        training.fit()
        unseen = cohort.folds == fold
        found[unseen] = training.probabilities(cohort.counts[unseen])
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, cohort.rows[0])
        table.writeheader()
        for row, probabilities in zip(cohort.rows, found, strict=True):
            shares = {f"p_{grade}": float(share) for grade, share in enumerate(probabilities)}
            table.writerow(row | shares)
    print(f"{time.perf_counter() - start:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])

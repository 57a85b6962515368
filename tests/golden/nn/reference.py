"""Logits, losses and gradients of the networks Linear, Residual and Heart by PyTorch: writes reference.json.

Written with Python 3.11, torch 2.15.0 (on the CPU) and numpy 2.4. To run it: python reference.py

Weights and images follow from a formula that the tests compute too, so that only results are
kept. Everything is computed in 64 bits: these are the true values, not those of another
implementation's rounding.
"""
import json
import math
import pathlib

import numpy
import torch
from torch import nn

CHANNELS = (16, 32, 64, 128)
CLASSES = 4
LABELS = [2, 0]
CLASS_WEIGHTS = [0.5, 1.0, 2.0, 4.0]
EPSILON = 1e-3


def wave(count, phase):
    """Numbers between -1 and 1, as 32-bit floats, that look like noise."""
    index = numpy.arange(count, dtype=numpy.float64)
    return numpy.sin(0.37 * (index * index) + phase).astype(numpy.float32)


def fill(module, residual):
    """Sets every tensor from its place in the sorted list of names.

    Skip connections let a signal grow, so Residual normalises to a smaller scale. A deep network
    of random weights without them magnifies rounding errors, so Linear lets most pixels through
    its activations. Either way PyTorch's own 32-bit logits are within 2e-6 of those in 64 bits, relative to the
    largest.
    """
    scale, offset = (0.5, 0.0) if residual else (1.0, 0.5)
    state = module.state_dict()
    for place, name in enumerate(sorted(state)):
        tensor = state[name]
        values = torch.from_numpy(wave(tensor.numel(), place)).reshape(tensor.shape).double()
        if tensor.dim() > 1:
            gain = 4 if tensor.dim() == 4 else 0.25
            values = values * math.sqrt(gain / tensor[0].numel())
        elif name.endswith(("norm.weight", "running_var")):
            values = 1 + values / 4
            if name.endswith("weight"):
                values = values * scale
        elif name.endswith("norm.bias"):
            values = offset + values / 4
        else:
            values = values / 8
        tensor.copy_(values.float())


class Norm(nn.Module):
    """Batch normalisation that keeps running statistics with the population's variance."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.zeros(channels))

    def forward(self, images):
        if not self.training:
            return nn.functional.batch_norm(
                images, self.running_mean, self.running_var, self.weight, self.bias, eps=EPSILON)
        # The first step: 9/10 of the new statistics.
        with torch.no_grad():
            mean = images.mean((0, 2, 3))
            variance = images.var((0, 2, 3), correction=0)
            self.running_mean.mul_(0.1).add_(0.9 * mean)
            self.running_var.mul_(0.1).add_(0.9 * variance)
        return nn.functional.batch_norm(
            images, None, None, self.weight, self.bias, training=True, eps=EPSILON)


class Layer(nn.Module):
    def __init__(self, before, channels):
        super().__init__()
        self.convolution = nn.Conv2d(before, channels, 3, padding=1, bias=False)
        self.norm = Norm(channels)

    def forward(self, images):
        return self.norm(self.convolution(images))


class Block(nn.Module):
    def __init__(self, before, channels, residual, layers=6):
        super().__init__()
        self.residual = residual
        self.layers = nn.ModuleList(
            Layer(before if i == 0 else channels, channels) for i in range(layers))

    def forward(self, images):
        for i, layer in enumerate(self.layers):
            if i % 2 == 0:
                entered = images
            images = layer(images)
            if self.residual and i % 2 == 1:
                images[:, :entered.shape[1]] += entered
            images = nn.functional.relu(images)
        return nn.functional.avg_pool2d(images, 2)


class Network(nn.Module):
    def __init__(self, residual, channels=CHANNELS, layers=6, outputs=CLASSES):
        super().__init__()
        self.stem = Layer(1, 16)
        before = (16,) + channels
        self.blocks = nn.ModuleList(
            Block(b, c, residual, layers) for b, c in zip(before, channels))
        self.head = nn.Linear(channels[-1] * 8 * 8, outputs)

    def forward(self, images):
        images = nn.functional.relu(self.stem(images))
        for block in self.blocks:
            images = block(images)
        return self.head(images.flatten(1))


class Heart(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack = Network(True, (24, 48, 96), 2, CLASSES - 1)

    def forward(self, images):
        return self.stack(nn.functional.avg_pool2d(images, 2))


def log_odds_of(outputs):
    """An output between two others is mixed with a quarter of each."""
    first, second, third = outputs.unbind(1)
    return torch.stack([first, first / 4 + second / 2 + third / 4, third], 1)


def class_logits(outputs):
    """The logarithms of the classes' probabilities, from the outputs for each class but the first or a higher one."""
    above = torch.cummin(torch.sigmoid(log_odds_of(outputs)), 1).values
    edges = torch.cat([torch.ones_like(above[:, :1]), above, torch.zeros_like(above[:, :1])], 1)
    return (edges[:, :-1] - edges[:, 1:]).clamp_min(1e-6).log()


def ordinal_loss(outputs):
    labels, weights = torch.tensor(LABELS), torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)
    targets = (labels[:, None] > torch.arange(CLASSES - 1)).double() * 0.94 + 0.03
    losses = nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
    return (weights[labels].sqrt()[:, None] * losses).mean()


def loss(logits):
    labels, weights = torch.tensor(LABELS), torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)
    losses = nn.functional.cross_entropy(logits, labels, reduction="none")
    return (weights[labels] * losses).mean()


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def network_results(residual):
    network = Network(residual)
    fill(network, residual)
    network.double()
    images = torch.from_numpy(wave(2 * 128 * 128, 0.5)).reshape(2, 1, 128, 128).double()
    network.eval()
    results = {"grad_cam": grad_cam(network, images[:1])}
    for mode in ("inference", "training"):
        network.train(mode == "training")
        logits = network(images)
        results[mode] = {"logits": numbers(logits), "loss": numbers(loss(logits))[0]}
    norm = network.stem.norm
    results["running_mean"] = numbers(norm.running_mean)
    results["running_var"] = numbers(norm.running_var)
    return results


# Outputs of Heart for three images, which the tests have too.
THRESHOLDS = [[1.5, -0.2, -2.0], [0.4, 0.1, -0.3], [-0.5, 2.0, 0.25]]


def heart_results():
    network = Heart()
    fill(network, True)
    network.double()
    images = torch.from_numpy(wave(2 * 128 * 128, 0.5)).reshape(2, 1, 128, 128).double()
    network.eval()
    results = {
        "grad_cam": grad_cam(network, images[:1], lambda outputs: log_odds_of(outputs[None])[0, 1], by_place=True),
        "inference": numbers(class_logits(network(images))),
        # Of thresholds that are in order, and of some that are not.
        "logits_of_thresholds": numbers(class_logits(torch.tensor(THRESHOLDS, dtype=torch.float64))),
    }
    network.train()
    outputs = network(images)
    return results | {"outputs": numbers(outputs), "loss": numbers(ordinal_loss(outputs))[0]}


def log_odds(logits):
    return torch.logsumexp(logits[2:], 0) - torch.logsumexp(logits[:2], 0)


def grad_cam(network, image, score=log_odds, by_place=False):
    """Of the log odds of the last two classes, by the gradient at the last convolution's output: by its mean over a
    channel, or by that of each place."""
    kept = []
    original = nn.functional.avg_pool2d
    nn.functional.avg_pool2d = lambda x, size: (kept.append(x), original(x, size))[1]
    logits = network(image)[0]
    nn.functional.avg_pool2d = original
    gradient, = torch.autograd.grad(score(logits), kept[-1])
    weights = gradient if by_place else gradient.mean((2, 3), keepdim=True)
    cam = nn.functional.relu((weights * kept[-1]).sum(1)[0])
    return numbers(cam / cam.max())


def block_gradients(residual):
    """Of the sum of the block's output, weighted by another wave; 3 channels become 4."""
    block = Block(3, 4, residual)
    fill(block, residual)
    block.double()
    smallest = []
    block_input = torch.from_numpy(wave(2 * 3 * 8 * 8, 0.5)).reshape(2, 3, 8, 8).double()
    block_input.requires_grad_(True)
    original = nn.functional.relu
    nn.functional.relu = lambda x: (smallest.append(x.detach().abs().min().item()), original(x))[1]
    output = block(block_input)
    nn.functional.relu = original
    # A value this near to zero could fall on the other side of ReLU in 32 bits.
    assert min(smallest) > 2e-6, smallest
    weights = torch.from_numpy(wave(output.numel(), 0.25)).reshape(output.shape).double()
    (output * weights).sum().backward()
    gradients = {name: numbers(parameter.grad) for name, parameter in block.named_parameters()}
    gradients["input"] = numbers(block_input.grad)
    return {"output": numbers(output), "gradients": gradients}


results = {}
for name, residual in (("Linear", False), ("Residual", True)):
    results[name] = network_results(residual) | {"block": block_gradients(residual)}
results["Heart"] = heart_results()
path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps(results, separators=(",", ":")) + "\n")
print(json.dumps({n: r["inference"] for n, r in results.items()}, indent=1))

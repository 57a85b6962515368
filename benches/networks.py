"""The networks of crates/nn in PyTorch, and one step of their training, as crates/training/src/fit takes it.

Those of ImageNet are torchvision's, but for MobileNet, which it lacks.
"""

import torch
import torchvision
from torch import nn
from torch.nn import functional

CLASSES = 4
CHANNELS, PAIRS, FEATURES = (16, 32, 64, 128), 3, 8192
EPSILON = 1e-3


class Layer(nn.Sequential):
    def __init__(self, before, channels):
        super().__init__(
            nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels, eps=EPSILON)
        )


class Pair(nn.Module):
    """Two layers; what goes in is added before the last activation if there is a skip."""

    def __init__(self, before, channels, skips):
        super().__init__()
        self.first, self.second = Layer(before, channels), Layer(channels, channels)
        self.missing = channels - before if skips else None

    def forward(self, images):
        inner = self.second(functional.relu(self.first(images), inplace=True))
        if self.missing is None:
            return functional.relu(inner, inplace=True)
        if self.missing:
            # As if the channels that are missing were zero.
            images = functional.pad(images, (0, 0, 0, 0, 0, self.missing))
        return functional.relu(inner + images, inplace=True)


class Coloured(nn.Module):
    """Three channels of one, each by a scale and an offset of its own."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, 3, 1, 1))
        self.offset = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, images):
        return images * self.scale + self.offset


def vgg16():
    return torchvision.models.vgg16().features


def resnet50():
    return nn.Sequential(*list(torchvision.models.resnet50().children())[:-2])


def inception_v3():
    layers = torchvision.models.inception_v3(aux_logits=False, transform_input=False, init_weights=False)
    kept = [layer for name, layer in layers.named_children() if name not in ["avgpool", "dropout", "fc"]]
    return nn.Sequential(*kept)


def mobilenet():
    def block(before, channels, stride=1, **settings):
        convolution = nn.Conv2d(before, channels, stride=stride, bias=False, **settings)
        return [convolution, nn.BatchNorm2d(channels, eps=EPSILON), nn.ReLU6(inplace=True)]

    layers, before = block(3, 32, stride=2, kernel_size=3, padding=1), 32
    for channels, stride in zip((64, 128, 128, 256, 256, *6 * [512], 1024, 1024), (1, 2, 1, 2, 1, 2, *5 * [1], 2, 1)):
        layers += block(before, before, stride, kernel_size=3, padding=1, groups=before)
        layers += block(before, channels, kernel_size=1)
        before = channels
    return nn.Sequential(*layers)


# What is before the head.
BASES = {"VGG16": vgg16, "ResNet50": resnet50, "InceptionV3": inception_v3, "MobileNet": mobilenet}


def transfer(architecture, classes):
    """A network of ImageNet for grey images, with the paper's head."""
    base = BASES[architecture]()
    with torch.no_grad():
        features = base.eval()(torch.zeros(1, 3, 128, 128)).numel()
    head = [nn.Flatten(), nn.Dropout(0.2), nn.Linear(features, classes)]
    return nn.Sequential(Coloured(), base.train(), *head)


def network(architecture, classes=CLASSES):
    if architecture in BASES:
        return transfer(architecture, classes)
    layers, before = [Layer(1, CHANNELS[0]), nn.ReLU(inplace=True)], CHANNELS[0]
    for channels in CHANNELS:
        for _ in range(PAIRS):
            layers.append(Pair(before, channels, architecture == "Residual"))
            before = channels
        layers.append(nn.AvgPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(FEATURES, classes))


def load(into, weights):
    """Takes weights of a safetensors file of crates/nn, name by name in the order of the layers."""
    prefixes = ["stem"] + [f"blocks.{block}.layers.{layer}" for block in range(4) for layer in range(2 * PAIRS)]
    layers = [module for module in into.modules() if isinstance(module, Layer)]
    with torch.no_grad():
        for prefix, (convolution, norm) in zip(prefixes, layers, strict=True):
            convolution.weight.copy_(torch.tensor(weights[f"{prefix}.convolution.weight"]))
            for name in ["weight", "bias", "running_mean", "running_var"]:
                getattr(norm, name).copy_(torch.tensor(weights[f"{prefix}.norm.{name}"]))
        for name in ["weight", "bias"]:
            getattr(into[-1], name).copy_(torch.tensor(weights[f"head.{name}"]))


class Training:
    """Adam and class-weighted cross-entropy, the mean over the images of a batch."""

    def __init__(self, architecture, layout, class_weights):
        self.network = network(architecture, len(class_weights)).to(memory_format=layout)
        self.layout, self.weights = layout, torch.tensor(class_weights)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=1e-4, eps=1e-7, fused=True)

    def step(self, images, labels):
        """The loss, and how many images were classified rightly."""
        self.adam.zero_grad(set_to_none=True)
        logits = self.network(images.contiguous(memory_format=self.layout))
        losses = functional.cross_entropy(logits, labels, weight=self.weights, reduction="none")
        loss = losses.mean()
        loss.backward()
        self.adam.step()
        return loss.item(), (logits.argmax(1) == labels).sum().item()

"""Files of weights as Keras, torchvision and timm write them, with random weights.

Written with Python 3.11, Keras 3.15.1 on tensorflow-cpu 2.21.0, torch 2.15.0, torchvision 0.29.2,
timm 1.0.31, h5py 3.14 and safetensors 0.8, named.json with KERAS_BACKEND=torch instead of tensorflow.
In a virtual environment that has these:

    python write.py           writes the small files beside this script, which are kept
    python write.py FOLDER    writes whole networks and what they give (900 MB), for
                              ATTRIUM_WEIGHTS=FOLDER cargo test -p attrium-nn --lib import -- --ignored

A whole network's images are z-scores that become colours by ImageNet's mean and standard
deviation and are then prepared as the library does it.
"""
import hashlib
import json
import os
import pathlib
import sys

import h5py
import numpy
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent
CLASSES = 4
MEAN, DEVIATION = numpy.array([0.485, 0.456, 0.406]), numpy.array([0.229, 0.224, 0.225])


def wave(count, phase):
    index = numpy.arange(count, dtype=numpy.float64)
    return numpy.sin(0.37 * (index * index) + phase).astype(numpy.float32)


def colours():
    """Two images, [2, 128, 128, 3], of a range from 0 to 1 and somewhat beyond."""
    grey = wave(2 * 128 * 128, 0.5).astype(numpy.float64).reshape(2, 128, 128, 1)
    return MEAN + grey * DEVIATION


def logits(features):
    """Of features [2, channels, height, width], by a head that the test has too."""
    features = numpy.asarray(features, dtype=numpy.float64).reshape(2, -1)
    size = features.shape[1]
    weight = wave(CLASSES * size, 0.25) * numpy.sqrt(0.25 / size)
    return (features @ weight.reshape(CLASSES, size).T).flatten().tolist()


def scatter(model, seed):
    """Random statistics and scales, so that a tensor in the wrong place shows."""
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.75, 1.25)
            torch.nn.init.uniform_(module.bias, 0.0, 0.5)
            torch.nn.init.uniform_(module.running_mean, -0.25, 0.25)
            torch.nn.init.uniform_(module.running_var, 0.75, 1.25)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                torch.nn.init.uniform_(module.bias, -0.1, 0.1)
    return model.eval()


def torch_networks():
    import timm
    import torchvision.models as models

    def vgg16(model, images):
        return model.features(images)

    def resnet50(model, images):
        images = model.maxpool(model.relu(model.bn1(model.conv1(images))))
        return model.layer4(model.layer3(model.layer2(model.layer1(images))))

    def inception_v3(model, images):
        last = {}
        hook = model.Mixed_7c.register_forward_hook(lambda *of: last.update(features=of[2]))
        model(images)
        hook.remove()
        return last["features"]

    def mobilenet(model, images):
        return model.forward_features(images)

    half = numpy.array([0.5, 0.5, 0.5])
    yield "VGG16", vgg16, models.vgg16(weights=None, init_weights=False), MEAN, DEVIATION
    yield "ResNet50", resnet50, models.resnet50(weights=None), MEAN, DEVIATION
    # The published file is read with transform_input, which takes images of ImageNet's mean.
    yield ("InceptionV3", inception_v3,
           models.inception_v3(weights=None, init_weights=False, transform_input=True), MEAN, DEVIATION)
    yield "MobileNet", mobilenet, timm.create_model("mobilenetv1_100", pretrained=False), half, half


def without_most_of_the_classifier(name, state):
    """VGG16's is most of the file, and only has to be left out."""
    cut = name == "VGG16"
    return {key: value[:8].clone() if cut and key.startswith("classifier.") else value
            for key, value in state.items()}


def keras_networks():
    from keras import applications as apps

    yield "VGG16", apps.VGG16, apps.vgg16
    yield "ResNet50", apps.ResNet50, apps.resnet50
    yield "InceptionV3", apps.InceptionV3, apps.inception_v3
    yield "MobileNet", apps.MobileNet, apps.mobilenet


def write_torch(folder, expected):
    for seed, (name, run, model, mean, deviation) in enumerate(torch_networks()):
        scatter(model, seed)
        images = (colours() - mean) / deviation
        with torch.no_grad():
            features = run(model, torch.from_numpy(images.transpose(0, 3, 1, 2)).float())
        state = model.state_dict()
        state = without_most_of_the_classifier(name, state)
        files = {f"{name}.safetensors": lambda path: safetensors.torch.save_file(
            {key: value.clone().contiguous() for key, value in state.items()}, path)}
        if name != "MobileNet":
            files[f"{name}.pth"] = lambda path: torch.save(state, path)
            files[f"{name}-legacy.pth"] = lambda path: torch.save(
                state, path, _use_new_zipfile_serialization=False)
        for file, write in files.items():
            write(folder / file)
            expected[file] = {"architecture": name, "logits": logits(features.numpy())}


def write_keras(folder, expected):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    random = numpy.random.default_rng(7)
    for name, make, prepare in keras_networks():
        model = make(include_top=False, weights=None, input_shape=(128, 128, 3))
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                low = {"beta": 0.0, "moving_mean": -0.25}
                layer.set_weights([random.uniform(low.get(w.name, 0.75), low.get(w.name, 0.75) + 0.5,
                                                  w.shape) for w in layer.weights])
        images = prepare.preprocess_input((colours() * 255).astype(numpy.float64).copy())
        features = numpy.asarray(model(images.astype(numpy.float32), training=False))
        file = f"{name}_notop.h5"
        with h5py.File(folder / file, "w") as h5:
            legacy_h5_format.save_weights_to_hdf5_group(h5, model)
        expected[file] = {"architecture": name, "logits": logits(features.transpose(0, 3, 1, 2))}


def named(name, shape):
    """Values that follow from a tensor's name and are the same in the test, bit for bit."""
    kind = name.split("/" if "/" in name else ".")[-1]
    x = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint64) * 0x9E3779B1
    x = x + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") & 0xFFFFFFFF
    x = (x ^ x >> 15) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ x >> 13).astype(numpy.float64) / 2.0**31 - 1
    if len(shape) == 4:
        # Keras' kernels are [height, width, in, out], or [height, width, channels, 1].
        last = shape[2] if shape[3] > 1 else 1
        fan = shape[0] * shape[1] * last if "/" in name else shape[1] * shape[2] * shape[3]
        x = x * numpy.sqrt(6 / fan)
    elif kind in ("weight", "gamma", "running_var", "moving_variance"):
        x = 1 + x / 4
    else:
        x = x / 4
    return x.astype(numpy.float32).reshape(shape)


def write_named():
    """Names and shapes of the tensors of all files, and what networks with `named` values give."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    networks = []

    def add(origin, name, tensors, features):
        networks.append({"origin": origin, "architecture": name, "logits": logits(features),
                         "tensors": {key: list(value.shape) for key, value in tensors.items()}})

    for name, run, model, mean, deviation in torch_networks():
        state = {key: torch.from_numpy(named(key, tuple(value.shape))).to(value.dtype)
                 for key, value in model.state_dict().items()}
        model.load_state_dict(state)
        images = torch.from_numpy(((colours() - mean) / deviation).transpose(0, 3, 1, 2)).float()
        with torch.no_grad():
            add("PyTorch", name, without_most_of_the_classifier(name, state), run(model.eval(), images).numpy())
    for name, make, prepare in keras_networks():
        keras.backend.clear_session()
        model = make(include_top=False, weights=None, input_shape=(128, 128, 3))
        tensors = {}
        for layer in model.layers:
            mine = {f"{layer.name}/{w.name}": named(f"{layer.name}/{w.name}", tuple(w.shape)) for w in layer.weights}
            layer.set_weights(list(mine.values()))
            tensors.update(mine)
        images = prepare.preprocess_input((colours() * 255).copy()).astype(numpy.float32)
        features = keras.ops.convert_to_numpy(model(images, training=False))
        add("Keras", name, tensors, features.transpose(0, 3, 1, 2))
    lines = ",\n".join(json.dumps(network) for network in networks)
    (HERE / "named.json").write_text(f"[\n{lines}\n]\n")


class Runs:
    """What a file could make Python do."""

    def __reduce__(self):
        return os.system, ("echo a file of weights has run a command",)


def write_small():
    torch.manual_seed(1)
    state = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.tensor([0.5, -1.5]),
             "layer.half": torch.tensor([1.0]).half(), "norm.num_batches_tracked": torch.tensor(7),
             "fc.weight": torch.ones(4, 4), "turned": torch.arange(6.0).reshape(2, 3).t()}
    torch.save(state, HERE / "small.pth")
    torch.save(state, HERE / "small-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"layer.weight": torch.ones(2), "runs": Runs()}, HERE / "runs.pth")
    with h5py.File(HERE / "small.h5", "w", libver="earliest") as h5:
        kernel = numpy.arange(6, dtype=numpy.float32).reshape(1, 1, 2, 3)
        h5["block1_conv1/block1_conv1_W_1:0"] = kernel
        h5["block1_conv1/block1_conv1_b_1:0"] = numpy.array([0.5, -1.5, 2.5], dtype=numpy.float32)
        # Numbered by a session that had made other layers before.
        for number in (95, 96, 104):
            h5[f"conv2d_{number}/conv2d_{number}/kernel:0"] = numpy.full((1, 1, 1, 1), number, numpy.float64)
        h5["batch_normalization/batch_normalization/beta:0"] = numpy.zeros(2, numpy.float32)
        h5["predictions/predictions/kernel:0"] = numpy.ones((4, 4), numpy.float32)
        h5["counts/counts/steps:0"] = numpy.array([1, 2], dtype=numpy.int64)


def write_claims():
    """Files of a few kilobytes that claim to hold much, or that never end."""
    torch.save({f"features.{at}.weight": torch.ones(1).expand(1 << 31) for at in range(3)}, HERE / "views.pth")
    with h5py.File(HERE / "unwritten.h5", "w", libver="earliest") as h5:
        for at in range(1, 4):
            h5.create_dataset(f"block1_conv{at}/kernel:0", shape=(1 << 31,), dtype=numpy.float32)
    with h5py.File(HERE / "cycle.h5", "w", libver="earliest") as h5:
        layer = h5.create_group("block1_conv1")
        layer["kernel:0"] = numpy.ones((1, 1, 1, 1), numpy.float32)
        for at in range(16):
            layer[f"again_{at}"] = layer


if len(sys.argv) == 1:
    write_small()
    write_claims()
    write_named()
else:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    write_torch(folder, expected)
    write_keras(folder, expected)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

"""Logits of VGG16, ResNet50, InceptionV3 and MobileNet by Keras' applications: writes imagenet.json.

Written with Python 3.11, Keras 3.15.1 on tensorflow-cpu 2.21.0, and numpy 2. To run it:
python imagenet.py

Weights and images follow from a formula that the tests compute too, so that only logits are kept:
by the running statistics, and by the batch's own. Everything is computed in 64 bits.
"""
import json
import os
import pathlib
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy

CLASSES = 4
keras.config.set_floatx("float64")


def wave(count, phase):
    """Numbers between -1 and 1, as 32-bit floats, that look like noise."""
    index = numpy.arange(count, dtype=numpy.float64)
    return numpy.sin(0.37 * (index * index) + phase).astype(numpy.float32)


def scaled(values, factor):
    return values * numpy.float32(factor)


def number(name):
    """Of a layer that Keras named by counting, such as conv2d_7."""
    found = re.search(r"_(\d+)$", name)
    return int(found.group(1)) if found else 0


def vgg16(model):
    return [(model.get_layer(f"block{b}_conv{c}"), None)
            for b, count in enumerate((2, 2, 3, 3, 3), 1) for c in range(1, count + 1)]


def resnet50(model):
    names = ["conv1"]
    for stage, units in enumerate((3, 4, 6, 3), 2):
        for unit in range(1, units + 1):
            names += [f"conv{stage}_block{unit}_{part}" for part in (0, 1, 2, 3) if part or unit == 1]
    return [(model.get_layer(name + "_conv"), model.get_layer(name + "_bn")) for name in names]


def inceptionv3(model):
    def of(kind):
        return sorted((layer for layer in model.layers if isinstance(layer, kind)),
                      key=lambda layer: number(layer.name))
    return list(zip(of(keras.layers.Conv2D), of(keras.layers.BatchNormalization)))


def mobilenet(model):
    names = ["conv1"]
    for block in range(1, 14):
        names += [f"conv_dw_{block}", f"conv_pw_{block}"]
    return [(model.get_layer(name), model.get_layer(name + "_bn")) for name in names]


def fill_convolution(layer, phase):
    kernel, *bias = layer.get_weights()
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    # The formula goes by [out, in, height, width], as PyTorch has it.
    order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
    shape = [kernel.shape[axis] for axis in order]
    values = scaled(wave(kernel.size, phase), numpy.sqrt(numpy.float32(4 / numpy.prod(shape[1:]))))
    values = values.reshape(shape).transpose(numpy.argsort(order))
    layer.set_weights([values] + [scaled(wave(b.size, phase + 0.1), 0.125) for b in bias])


def fill_norm(layer, phase):
    one, quarter = numpy.float32(1), numpy.float32(0.25)
    parts = {"gamma": (0.2, one), "beta": (0.3, quarter),
             "moving_mean": (0.4, numpy.float32(0)), "moving_variance": (0.5, one)}
    values = []
    for weight in layer.weights:
        place, offset = parts[weight.name]
        values.append(offset + scaled(wave(weight.shape[0], phase + place), 0.25))
    layer.set_weights(values)


def head(features, convolutions):
    """The paper's head, without dropout; features go channel by channel."""
    features = numpy.asarray(features).transpose(0, 3, 1, 2).reshape(2, -1)
    size = features.shape[1]
    weight = scaled(wave(CLASSES * size, 0.25), numpy.sqrt(numpy.float32(0.25 / size)))
    bias = scaled(wave(CLASSES, convolutions + 0.1), 0.125)
    result = features @ weight.reshape(CLASSES, size).T.astype(numpy.float64) + bias
    return [float(f"{value:.9g}") for value in result.flatten()]


def results(make, layers):
    keras.backend.clear_session()
    model = make(include_top=False, weights=None, input_shape=(128, 128, 3))
    layers = layers(model)
    for phase, (convolution, norm) in enumerate(layers, 1):
        fill_convolution(convolution, float(phase))
        if norm is not None:
            fill_norm(norm, float(phase))
    grey = wave(2 * 128 * 128, 0.5).astype(numpy.float64).reshape(2, 128, 128, 1)
    images = numpy.repeat(grey, 3, axis=3)
    logits, training = (head(model(images, training=mode), len(layers)) for mode in (False, True))
    parameters = sum(int(numpy.prod(weight.shape)) for weight in model.trainable_weights)
    features = int(numpy.prod(model.output_shape[1:]))
    return {"logits": logits, "training": training,
            "parameters": parameters + CLASSES * (features + 1)}


apps = keras.applications
networks = {"VGG16": (apps.VGG16, vgg16), "ResNet50": (apps.ResNet50, resnet50),
            "InceptionV3": (apps.InceptionV3, inceptionv3), "MobileNet": (apps.MobileNet, mobilenet)}
found = {name: results(*of) for name, of in networks.items()}
path = pathlib.Path(__file__).with_name("imagenet.json")
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
print(json.dumps(found, indent=1))

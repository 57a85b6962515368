"""Writes the networks of a bundle in ONNX.

    python benches/export.py BUNDLE MODELS

They become `0.onnx` and so on in the folder MODELS.
"""

import json
import sys
from pathlib import Path

import torch

import networks
import screen_peer


def main():
    bundle, models = map(Path, sys.argv[1:])
    models.mkdir()
    manifest = json.loads((bundle / "bundle.json").read_text())
    axes = {"images": {0: "batch"}, "logits": {0: "batch"}}
    names = {"input_names": ["images"], "output_names": ["logits"], "dynamic_axes": axes}
    for place, member in enumerate(manifest["members"]):
        network = networks.network(manifest["architecture"], len(manifest["classes"])).eval()
        networks.load(network, screen_peer.tensors(bundle / member["weights"]))
        images = torch.zeros(2, 1, 128, 128)
        torch.onnx.export(network, (images,), models / f"{place}.onnx", dynamo=False, opset_version=17, **names)


if __name__ == "__main__":
    main()

"""How long other programs take for the networks, for benches/peers.py, which gives the commands.

Each line of standard input is `PEER MODE ARCHITECTURE BATCH TIMES`, of the same meaning as those of
benches/peers.rs; the answer is a JSON list of seconds. A peer's library is loaded when it is asked for,
so that a process for PyTorch alone has the memory of PyTorch alone.
"""

import functools
import json
import sys
import tempfile
import time

import torch

import networks

THREADS, STEPS = 2, 4
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def training(peer, architecture, batch):
    images, labels = torch.rand(STEPS * batch, 1, 128, 128), torch.arange(STEPS * batch) % networks.CLASSES
    fit = networks.Training(architecture, LAYOUTS[peer], [0.5, 1.0, 1.5, 2.0])
    taken = 0

    def step():
        nonlocal taken
        chosen = torch.arange(batch) + taken % STEPS * batch
        fit.step(images[chosen], labels[chosen])
        taken += 1

    return step


def folded(layout, architecture, images):
    from torch.fx.experimental.optimization import fuse

    network = fuse(networks.network(architecture).eval()).to(memory_format=LAYOUTS[layout])
    images = images.to(memory_format=LAYOUTS[layout])

    def run():
        with torch.inference_mode():
            return network(images)

    return run


def exported(architecture, images):
    """The file of the network in ONNX, which holds for any batch."""
    file = tempfile.NamedTemporaryFile(suffix=".onnx")
    axes = {"images": {0: "batch"}, "logits": {0: "batch"}}
    names = {"input_names": ["images"], "output_names": ["logits"], "dynamic_axes": axes}
    network = networks.network(architecture).eval()
    torch.onnx.export(network, (images,), file.name, dynamo=False, opset_version=17, **names)
    return file


def session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def onnx_runtime(architecture, images):
    with exported(architecture, images) as file:
        runtime = session(file.name)
    array = images.numpy()
    return lambda: runtime.run(None, {"images": array})


def open_vino(architecture, images):
    import openvino

    # Of a fixed shape it is compiled better than for any.
    with exported(architecture, images) as file:
        model = openvino.Core().read_model(file.name)
    model.reshape(list(images.shape))
    settings = {
        "INFERENCE_NUM_THREADS": THREADS,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    array = images.numpy()
    return lambda: request.infer({0: array})


def inference(peer, architecture, batch):
    images = torch.rand(batch, 1, 128, 128)
    if peer in LAYOUTS:
        return folded(peer, architecture, images)
    return {"onnxruntime": onnx_runtime, "openvino": open_vino}[peer](architecture, images)


@functools.cache
def work(peer, mode, architecture, batch):
    torch.manual_seed(0)
    return {"train": training, "infer": inference}[mode](peer, architecture, int(batch))


def main():
    torch.set_num_threads(THREADS)
    for line in sys.stdin:
        *case, times = line.split()
        run, seconds = work(*case), []
        for _ in range(int(times)):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()

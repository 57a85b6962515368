"""Compares training and inference with what else one would run them by, in one run.

    python benches/peers.py PROGRAM

PROGRAM is the compiled benches/peers.rs; benches/peer.py runs the others. All take turns, so that
whatever else the machine does slows each of them; a ratio is the median of those of the rounds. Where
the processor has AVX-512, a second part holds everybody to AVX2, but for ONNX Runtime, which cannot be
held and is left out there. Fails where a bar is missed.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

THREADS = 2
PYTORCH = ["contiguous", "channels_last"]
NAMES = {
    "contiguous": "PyTorch",
    "channels_last": "PyTorch, channels last",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}
MEMORY_BAR = 1.0
AVX2 = {"ATTRIUM_SIMD": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Case:
    """What is measured, against whom, and how often: rounds that count, and steps or passes of each."""

    mode: str
    architecture: str
    batch: int
    peers: tuple
    bar: float
    rounds: int
    times: int

    def command(self):
        return f"{self.mode} {self.architecture} {self.batch} {self.times}"


def cases(held):
    """The paper's own networks against everybody, those of ImageNet against PyTorch."""
    exported = ["openvino"] if held else ["onnxruntime", "openvino"]
    for mode, peers, bar, times in [
        ("train", PYTORCH, 2.5, {16: 2, 128: 1}),
        ("infer", [*exported, *PYTORCH], 2.0, {16: 6, 128: 2}),
    ]:
        for architecture in ["Linear", "Residual"]:
            for batch, rounds in [(16, 7), (128, 3)]:
                yield Case(mode, architecture, batch, tuple(peers), bar, rounds, times[batch])
    for mode in ["train", "infer"]:
        for architecture in ["VGG16", "ResNet50", "InceptionV3", "MobileNet"]:
            yield Case(mode, architecture, 16, tuple(PYTORCH), bar=0.5, rounds=3, times=1)


class Worker:
    """A process that answers commands."""

    def __init__(self, command, variables):
        threads = {"RAYON_NUM_THREADS": THREADS, "OMP_NUM_THREADS": THREADS, "MKL_NUM_THREADS": THREADS}
        environment = os.environ | {name: str(value) for name, value in (threads | variables).items()}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)

    def measure(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"no answer to {command!r} from {self.process.args}")
        return json.loads(line)

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self):
        """Ends it, and gives the most memory it has had, in bytes."""
        self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        return usage.ru_maxrss * 1024


@dataclass
class Times:
    """Of a round each: seconds of a step or pass, and the processor's seconds of them all."""

    wall: list = field(default_factory=list)
    processor: list = field(default_factory=list)

    def take(self, worker, command):
        before = worker.processor_seconds()
        self.wall.append(statistics.median(worker.measure(command)))
        self.processor.append(worker.processor_seconds() - before)
        # Whose threads still wait for work by turning round gives way to the next.
        time.sleep(0.3)


def compare(ours, peers, case):
    """Prints a row; whether it reaches the bar."""
    times = {name: Times() for name in ["attrium", *case.peers]}
    # The first round makes the networks and does not count.
    for _ in range(1 + case.rounds):
        times["attrium"].take(ours, case.command())
        for name in case.peers:
            times[name].take(peers, f"{name} {case.command()}")
    for of in times.values():
        del of.wall[0], of.processor[0]
    best = min(case.peers, key=lambda name: statistics.median(times[name].wall))

    def ratio(seconds):
        pairs = zip(seconds(times[best]), seconds(times["attrium"]), strict=True)
        return statistics.median(peer / own for peer, own in pairs)

    wall, processor = ratio(lambda of: of.wall), ratio(lambda of: of.processor)
    speeds = {name: case.batch / statistics.median(of.wall) for name, of in times.items()}
    others = ", ".join(f"{NAMES[name]} {speeds[name]:.1f}" for name in case.peers)
    print(
        f"{case.mode:<6}{case.architecture:<12}{case.batch:>5}{speeds['attrium']:>9.1f}{speeds[best]:>9.1f}"
        f"{wall:>7.2f}{processor:>7.2f}{case.bar:>6.1f}  {others}",
        flush=True,
    )
    return wall >= case.bar


def compare_speed(program, variables, held):
    own = Worker([program], variables)
    peers = Worker([sys.executable, Path(__file__).with_name("peer.py")], variables)
    print(f"{'':<18}{'batch':>5}{'attrium':>9}{'best':>9}{'ratio':>7}{'CPU':>7}{'bar':>6}  images per second")
    reached = [compare(own, peers, case) for case in cases(held)]
    own.peak(), peers.peak()
    return all(reached)


def compare_memory(program, variables):
    """The peak of a process that trains, against that of PyTorch's better layout."""

    def peak(command, prefix, architecture):
        worker = Worker(command, variables)
        worker.measure(f"{prefix}train {architecture} 128 2")
        return worker.peak()

    reached = True
    for architecture in ["Linear", "Residual"]:
        own = peak([program], "", architecture)
        script = [sys.executable, Path(__file__).with_name("peer.py")]
        peer = min(peak(script, f"{name} ", architecture) for name in PYTORCH)
        ratio = own / peer
        print(
            f"memory {architecture}, a training step of 128 images: {own / 1e6:.0f} MB against {peer / 1e6:.0f} MB, "
            f"{ratio:.2f} (bar: {MEMORY_BAR:.1f} at most)",
            flush=True,
        )
        reached &= ratio <= MEMORY_BAR
    return reached


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    values = {name.strip(): value.strip() for name, value in values.items()}
    return values["model name"], values["cpu family"], values["model"], "avx512f" in values["flags"].split()


def main():
    program = sys.argv[1]
    name, family, model, wide = processor()
    versions = ", ".join(f"{of} {version(of)}" for of in ["torch", "onnxruntime", "openvino"])
    print(f"{name} (family {family}, model {model}), {THREADS} threads; Python {platform.python_version()}, {versions}")
    print("\nAVX-512" if wide else "\nAVX2")
    reached = compare_speed(program, {}, held=False)
    reached &= compare_memory(program, {})
    if wide:
        print("\nheld to AVX2")
        reached &= compare_speed(program, AVX2, held=True)
        reached &= compare_memory(program, AVX2)
    if not reached:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()

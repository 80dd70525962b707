"""Streamed CKA beside pytorch-cka and torch_cka, in one run: `python -m benchmarks.cka [depth [width]]`,
default 14 1.

All get the same ResNet, minibatch of 256 and layers (every tap) on the CPU, each in a process of its own.
Printed: seconds a minibatch (best of five; the slowest run once), ratio to ours, multiple of the forward pass
with plain Gram products alone, peak memory above that of the loaded network, largest error against float64
from the same activations. Grid: three networks, all layers of each with all of all three: one pass of ours,
six calls of pytorch-cka. The network has random weights and normalises by statistics of the images shown.
About a minute and a half on two cores.
"""

import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from wide.measure.cka import streamed_cka
from wide.measure.exact_cka import gram, u_centre
from wide.nets import resnet

BATCH = 256
PEERS = {
    "pytorch-cka": ("cka", "pip install pytorch-cka==1.1.3"),
    "torch_cka": ("torch_cka", "pip install torch_cka"),
}


class Hooked(nn.Module):
    """The network with a submodule at each tap, where libraries that hook modules find all layers."""

    def __init__(self, net, names):
        super().__init__()
        self.net, self.taps = net, nn.ModuleList(nn.Identity() for _ in names)
        self.layers = [f"taps.{i}" for i in range(len(names))]

    def forward(self, x):
        taps = iter(self.taps)
        return self.net(x, lambda name, activation: next(taps)(activation))


def setting(depth, width):
    """Network in evaluation mode, its layers, images that vary from coarse to fine."""
    torch.manual_seed(0)
    net = resnet.Net(width, image=(3, 32, 32), classes=10, depth=depth)
    images = (
        sum(F.interpolate(torch.rand(BATCH, 3, side, side), 32, mode="bilinear") for side in (2, 8, 32)) / 3
    )
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # running statistics become those of the images shown
    with torch.no_grad():
        net(images[:32])
    return net.eval(), net.layers, images


def forward(net, names, images):
    with torch.no_grad():
        net(images)


def floor(net, names, images):
    def tap(name, activation):
        activation.flatten(1) @ activation.flatten(1).t()
        return activation

    with torch.no_grad():
        net(images, tap)


def ours(net, names, images, precision="float32"):
    return streamed_cka([net], images, batch=BATCH, passes=1, gram_precision=precision).cka


def ours_bf16(net, names, images):
    return ours(net, names, images, "bf16")


def ours_grid(net, names, images, precision="float32"):
    streamed_cka([net] * 3, images, batch=BATCH, passes=1, gram_precision=precision)


def ours_grid_bf16(net, names, images):
    ours_grid(net, names, images, "bf16")


def loader(images):
    return DataLoader(TensorDataset(images), BATCH)


def pytorch_cka(net, names, images):
    from cka import compute_cka

    model = Hooked(net, names)
    return compute_cka(model, model, loader(images), layers=model.layers, device="cpu", progress=False)[
        0
    ].numpy()


def pytorch_cka_grid(net, names, images):
    from cka import compute_cka

    models = [Hooked(net, names) for _ in range(3)]
    for first, second in combinations_with_replacement(models, 2):
        compute_cka(first, second, loader(images), layers=first.layers, device="cpu", progress=False)


def torch_cka(net, names, images):
    from torch_cka import CKA

    model = Hooked(net, names)
    peer = CKA(model, model, model1_layers=model.layers, model2_layers=model.layers, device="cpu")
    with torch.no_grad():
        peer.compare(loader(images))
    return peer.export()["CKA"].numpy()


def exact(net, names, images):
    rows = []
    with torch.no_grad():
        net(images, lambda name, activation: rows.append(u_centre(gram(activation)).ravel()))
    total = np.stack(rows) @ np.stack(rows).T
    return total / np.sqrt(np.outer(total.diagonal(), total.diagonal()))


METHODS = {
    "forward alone": forward,
    "forward and Gram": floor,
    "ours": ours,
    "ours, bf16": ours_bf16,
    "pytorch-cka": pytorch_cka,
    "torch_cka": torch_cka,
    "float64": exact,
    "grid: ours": ours_grid,
    "grid: ours, bf16": ours_grid_bf16,
    "grid: pytorch-cka": pytorch_cka_grid,
}


def child(method, depth, width, folder):
    """Measure one method of the above in this process; print seconds a minibatch and peak memory in MiB."""
    net, names, images = setting(int(depth), float(width))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(1 if method in ("torch_cka", "float64", "grid: pytorch-cka") else 5):
        start = time.perf_counter()
        result = METHODS[method](net, names, images)
        times.append(time.perf_counter() - start)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if result is not None:
        np.save(Path(folder, f"{method}.npy"), result)
    print(json.dumps({"seconds": min(times), "peak": peak, "layers": len(names)}))


def measure(method, depth, width, folder):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cka", "--child", method, depth, width, folder],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(f"{method}: {done.stderr.strip().splitlines()[-1]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def main(depth="14", width="1"):
    missing = [name for name, (module, _) in PEERS.items() if importlib.util.find_spec(module) is None]
    for name in missing:
        print(f"{name} is left out; to compare with it: {PEERS[name][1]}")
    with tempfile.TemporaryDirectory() as folder:
        found = {
            method: measure(method, depth, width, folder)
            for method in METHODS
            if method.removeprefix("grid: ") not in missing
        }
        results = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    layers = found["ours"]["layers"]
    print(
        f"ResNet-{depth} {width}x, {layers} layers, a minibatch of {BATCH}, {torch.get_num_threads()} threads"
    )
    print(f"{'':18}{'s / minibatch':>14}{'x ours':>8}{'x floor':>9}{'peak MiB':>10}{'error':>10}")
    for method, row in found.items():
        if row:
            same = "grid: " if method.startswith("grid") else ""
            ratios = [row["seconds"] / found[base]["seconds"] for base in (f"{same}ours", "forward and Gram")]
            error = f"{np.abs(results[method] - results['float64']).max():.1e}" if method in results else ""
            print(
                f"{method:18}{row['seconds']:14.3f}{ratios[0]:8.2f}{ratios[1]:9.2f}{row['peak']:10.0f}{error:>10}"
            )


if __name__ == "__main__":
    child(*sys.argv[2:]) if sys.argv[1:2] == ["--child"] else main(*sys.argv[1:])

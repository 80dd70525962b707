"""What training would cost at the present scale and width: `make plan`.

Arithmetic of each training (three times the forward pass, counted on tensors without data) over the rate that this machine reaches
on one convolution right now. An estimate of the order, a line a variant; narrow networks
reach less than that rate, several times less with 4 channels.
"""
import sys
import time
from pathlib import Path

import torch
from ruamel.yaml import YAML
from torch.utils.flop_counter import FlopCounterMode

from stages import running, stage
from stages.check import check
from stages.study import caps_of, network, plan
from wide.population import half_precision
from wide.train import steps_of

SHAPES = {  # examples to train on, shape, classes: known before `prepare` has run
    "mnist": (50_000, (1, 28, 28), {"digit": 10}), "translated_mnist": (49_980, (1, 28, 28), {"digit": 10, "shift": 28}),
    "cifar10": (50_000, (3, 32, 32), {"class": 10}), "cifar100_coarse3": (7_500, (3, 32, 32), {"coarse": 3, "fine": 15}),
    "cifar100": (50_000, (3, 32, 32), {"fine": 100}), "imagenet": (100_000, (3, 64, 64), {"class": 200}),
}
SHAPES_AT_PAPER = {"imagenet": (1_281_167, (3, 224, 224), {"class": 1000})}


@stage
def main():
    yaml = YAML(typ="safe")
    params, pipeline = yaml.load(Path("params.yaml").read_text()), yaml.load(Path("dvc.yaml").read_text())
    check(params)
    rate, total = machine_rate(), 0.0
    print(f"scale {params['scale']}, width {params['width']:g}, {running.device()}, {rate / 1e9:.0f} GFLOP/s on a convolution")
    for entry in pipeline["stages"].values():
        if "stages.train " not in str(entry.get("cmd")):
            continue
        facts = entry["vars"][0]
        for variant in params[facts["study"]]["variants"]:
            flops = cost(params, facts, variant)
            total += flops / rate
            print(f"{facts['study']:24s} {variant:12s} {flops / 1e12:10.1f} TFLOP {flops / rate / 60:8.1f} min")
    print(f"{'in all':37s} {total * rate / 1e12:10.1f} TFLOP {total / 60:8.1f} min of training")


def cost(params, facts, variant) -> float:
    """FLOP of a variant's training, all widths and seeds."""
    scale = params["scale"]
    examples, image, classes = (SHAPES | (SHAPES_AT_PAPER if scale == "paper" else {}))[facts["set"]]
    examples = min(examples, params["scales"][scale]["data"].get("train", examples))
    inputs = image[0] * image[1] * image[2]
    todo = plan(params[facts["study"]], variant, caps_of(params, facts["study"], scale, "train"), params["width"], inputs, classes)
    examples = min(examples, todo.examples or examples) // todo.share
    image = (image[0], *(min(side, todo.image_size or side) for side in image[1:]))
    found = 0.0
    for size in todo.sizes:
        recipe = todo.recipe(size.width, examples)
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            network(facts["net"])(size.width, image=image, classes=classes[todo.labels], **size.options)(torch.empty(1, *image))
        found += 3 * counter.get_total_flops() * steps_of(recipe, examples)[0] * recipe.batch * len(size.seeds)
    return found


def machine_rate() -> float:
    """FLOP per second of a 64-channel convolution, forward and backward, in the arithmetic that training uses."""
    device = running.device()
    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(device, memory_format=torch.channels_last)
    x = torch.randn(128, 64, 16, 16, device=device, requires_grad=True).to(memory_format=torch.channels_last)
    start, done = None, 0
    while start is None or time.perf_counter() - start < 1:
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half_precision(device)):
            layer(x).float().sum().backward()
        start, done = (time.perf_counter(), 0) if start is None else (start, done + 1)
    return done * 3 * 2 * 128 * 64 * 64 * 9 * 256 / (time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Population training beside a user's own loop, in one run: `python -m benchmarks.train_population`.

The user's loop: one network after another in float32, a DataLoader with transforms (two workers),
torch.optim.SGD. Both sides get the same networks, data and batch; the unit is images trained per second,
summed over members. Prints one line a case and the ratio. Takes about two minutes.
"""

import time

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from wide.nets import convnet, mlp
from wide.training.initialisation import initialise
from wide.training.population import half_precision
from wide.training.recipe import Recipe
from wide.training.train_population import train_population

SECONDS = 7
CASES = {  # name: (constructor, members)
    "MNIST convnet, n = 20": (lambda: convnet.Net(20, image=(1, 28, 28), classes=10, plan="fixed"), 1),
    "MNIST convnet, n = 2048": (lambda: convnet.Net(2048, image=(1, 28, 28), classes=10, plan="fixed"), 1),
    "50 MLPs, one hidden layer of 32": (lambda: mlp.Net(32, image=(1, 28, 28), classes=10, depth=1), 50),
    "50 MLPs, two hidden layers of 100": (lambda: mlp.Net(100, image=(1, 28, 28), classes=10, depth=2), 50),
}


def data():
    try:
        return datasets.MNIST("data/raw", transform=transforms.ToTensor())
    except RuntimeError:
        print("MNIST is not in data/raw: random images of its shape")
        grey = transforms.Compose([transforms.Grayscale(), transforms.ToTensor()])
        return datasets.FakeData(20_000, (1, 28, 28), transform=grey)


def users_loop(build, examples) -> float:
    """Images per second of one member; members one after another have the same rate."""
    net = build()
    initialise(net, 0)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    loader = DataLoader(examples, batch_size=128, shuffle=True, num_workers=2)
    done, start = 0, None
    while True:
        for images, labels in loader:
            loss = F.cross_entropy(net(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            start = start or time.perf_counter()  # the workers' start is not counted
            done += len(images)
            if time.perf_counter() - start > SECONDS:
                return done / (time.perf_counter() - start)


def ours(build, images, labels, members, half=None) -> float:
    """As many steps as fit into SECONDS, estimated from a short run."""

    def rate(views):
        recipe = Recipe.of({"epochs": views / len(images), "batch": 128, "lr": 0.01})
        return train_population(build, images, labels, recipe, range(members), half=half)[1]["images_per_s"]

    pilot = rate(128 * 20)
    return rate(max(128 * 20, pilot * SECONDS / members))


def main():
    examples = data()
    some = torch.utils.data.Subset(examples, range(12_800))
    images = torch.stack([(image * 255).round().byte() for image, _ in some])
    labels = torch.tensor([int(label) for _, label in some])
    fast = "yes" if half_precision("cpu") else "no"
    print(f"{torch.get_num_threads()} threads, bf16 {fast}; images per second")
    for name, (build, members) in CASES.items():
        theirs = users_loop(build, examples)
        mine = ours(build, images, labels, members)
        single = ours(build, images, labels, members, half=False)
        print(
            f"{name:36s} user's loop {theirs:8.0f}   ours {mine:8.0f} (x{mine / theirs:.1f})   "
            f"ours in float32 {single:8.0f} (x{single / theirs:.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()

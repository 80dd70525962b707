"""MNIST: 50,000 handwritten digits to train on and 10,000 to test (LeCun, Cortes & Burges)."""

from pipeline import embedded, raw
from pipeline.sets import Card

CARD = Card(
    examples={"train": 50_000, "test": 10_000},
    image=(1, 28, 28),
    classes={"digit": 10},
    at={"smoke": {"examples": {"train": 1500, "test": 297}}},
)

FOLDER = "MNIST/raw"
# md5 of the unpacked files, which torchvision reads unchecked; the packed files' md5 stand in torchvision.
UNPACKED = (
    ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
    ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
    ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
    ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
)


def sources() -> tuple[raw.Source, ...]:
    """The four official files, unpacked or packed."""
    from torchvision import datasets  # slow to import, and a card needs nothing of it

    files = tuple((f"{FOLDER}/{name}", md5) for name, md5 in UNPACKED)
    packed = tuple((f"{FOLDER}/{name}", md5) for name, md5 in datasets.MNIST.resources)
    return (raw.Source("MNIST", datasets.MNIST, files, packed),)


def make(smoke: bool) -> tuple[dict, dict]:
    """The first 50,000 of the official 60,000 images to train on; the last 10,000 stay unused."""
    if smoke:
        images, labels = embedded.digits()
        return {
            "train": {"images": images[:1500], "digit": labels[:1500]},
            "test": {"images": images[1500:], "digit": labels[1500:]},
        }, {}
    train, test = raw.official(*sources())
    return {
        "train": {"images": train.data.numpy()[:50_000, None], "digit": train.targets.numpy()[:50_000]},
        "test": {"images": test.data.numpy()[:, None], "digit": test.targets.numpy()},
    }, {}

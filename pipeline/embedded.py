"""Stand-ins for scale smoke: data of the right shapes that need no network.

They can be learned, and have no scientific meaning.
"""

import numpy as np

# 20 of Tiny-ImageNet-200's classes, with most of WordNet's levels left out: a synset, what it is a kind of,
# its word.
_SYNSETS = """
n00001740  -          entity
n00015388  n00001740  animal
n00021939  n00001740  artifact
n02084071  n00015388  dog
n02159955  n00015388  insect
n03051540  n00021939  clothing
n04524313  n00021939  vehicle
n02085620  n02084071  Chihuahua
n02094433  n02084071  Yorkshire terrier
n02099601  n02084071  golden retriever
n02099712  n02084071  Labrador retriever
n02106662  n02084071  German shepherd
n02165456  n02159955  ladybug
n02206856  n02159955  bee
n02226429  n02159955  grasshopper
n02268443  n02159955  dragonfly
n02279972  n02159955  monarch
n02730930  n03051540  apron
n02837789  n03051540  bikini
n02963159  n03051540  cardigan
n03617480  n03051540  kimono
n04254777  n03051540  sock
n02814533  n04524313  beach wagon
n03100240  n04524313  convertible
n03670208  n04524313  limousine
n04285008  n04524313  sports car
n04465501  n04524313  tractor
"""


def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's 1,797 digits, 8 × 8 brought to 28 × 28: uint8 (examples, 1, 28, 28), and labels."""
    from scipy import ndimage  # slow to import, and no other set needs them
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = ndimage.zoom(images.reshape(-1, 8, 8), (1, 3, 3), order=1) * (255 / 16)
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    return images.clip(0, 255).astype(np.uint8)[:, None], labels


def textures(classes: int, examples: int, side: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Colour gratings with noise, a direction, frequency and colour a class.

    Returns uint8 (examples, 3, side, side) and labels, int64 (examples,).
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(examples) % classes
    kinds = np.random.default_rng(1234)
    angle, frequency = kinds.uniform(0, np.pi, classes), kinds.uniform(1, 4, classes)
    colour = kinds.uniform(0.2, 1, (classes, 3))
    y, x = np.mgrid[:side, :side] / side
    along = x * np.cos(angle)[labels, None, None] + y * np.sin(angle)[labels, None, None]
    phase = rng.uniform(0, 1, (examples, 1, 1))
    wave = np.sin(2 * np.pi * (along * frequency[labels, None, None] + phase))
    noise = rng.normal(0, 0.12, (examples, 3, side, side))
    images = 0.5 + 0.35 * wave[:, None] * colour[labels][:, :, None, None] + noise
    order = rng.permutation(examples)
    return (images.clip(0, 1) * 255).astype(np.uint8)[order], labels[order]


def texture_splits(classes: int, label: str, train: int = 1500, test: int = 300, side: int = 32) -> dict:
    """`textures` as a data set of two splits: {"train" or "test": {"images": …, label: …}}."""
    images, labels = textures(classes, train + test, side)
    return {
        "train": {"images": images[:train], label: labels[:train]},
        "test": {"images": images[train:], label: labels[train:]},
    }


def synsets() -> tuple[list, dict, dict]:
    """A tree as ImageNet's, three levels deep.

    Returns 20 classes' wnids, {synset: [what it is a kind of]} and {synset: its word}.
    """
    rows = [line.split(maxsplit=2) for line in _SYNSETS.strip().splitlines()]
    parents = {synset: [parent] for synset, parent, _ in rows if parent != "-"}
    words = {synset: word for synset, _, word in rows}
    above = {parent for _, parent, _ in rows}
    return sorted(words.keys() - above), parents, words

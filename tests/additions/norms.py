"""How long the activations of each layer are."""

import torch


def mean_norms(network, images, *, batch: int) -> dict[str, float]:
    """{layer: mean Euclidean norm of its flattened activation over all images}.

    network: a callable `network(images, tap)`. images: (N, ...) tensor. Raises ValueError for no image.
    """
    if not len(images):
        raise ValueError("norms of no images are not defined: give at least one")
    totals = {}

    def tap(name, activation):
        totals[name] = totals.get(name, 0.0) + activation.flatten(1).norm(dim=1).sum().item()
        return activation

    with torch.no_grad():
        for minibatch in images.split(batch):
            network(minibatch, tap)
    return {name: total / len(images) for name, total in totals.items()}

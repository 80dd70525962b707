"""What the claims of Nguyen et al. 2021 are held against: networks of the same shape that learned nothing.

Their weights are initial and their BatchNorm statistics measured on images, so that activations are of the
size that they have in a trained network.
"""

from dataclasses import replace
from math import nan

from papers.nguyen.claims.nets import HAS_BLOCK, Net, nets
from pipeline.claims import Control, Estimate

BARE = "untrained networks, calibrated BatchNorm"


def untrained(case, net) -> Net:
    """The same size without training, measured as it was; without a size where the scale leaves it out."""
    if net.size:
        measures = tuple(measure for measure in net.results if measure != "cka")
        for found in nets(case, net.study, measures, "untrained"):
            if found.size.key == net.size.key:
                return found
    return Net({}, net.study, "untrained")


def without_training(case, net, function, step=0.0, **said) -> Control:
    """The same number, function(net, seed), of the untrained network of that size."""
    return Control(BARE, untrained(case, net).estimate(function, step), **said)


def same_layers(case, net, function, **said) -> Control:
    """The same number of the untrained network, where the trained one of the same seed has its block.

    function: of a network, a seed and the layers in the block, (L,) bool.
    """
    bare = untrained(case, net)
    shared = replace(bare, seeds=tuple(seed for seed in bare.seeds if seed in net.seeds))
    found = shared.estimate(lambda bare, seed: function(bare, seed, net.inside(seed)))
    return Control(f"{BARE}, the same layers", found, **said)


def of_own_blocks(case, net, measure) -> Control | str:
    """The same of the blocks of untrained networks, of however many seeds show one; in words where none does.

    measure: of a network, an Estimate.
    """
    bare = untrained(case, net)
    if not bare.size:
        return Control(BARE, Estimate(nan))
    showing = replace(bare, seeds=tuple(seed for seed in bare.seeds if bare.share(seed) >= HAS_BLOCK))
    if not showing.seeds:
        return f"none: {BARE} show no block ({bare.blocks()})"
    some = f", their own blocks in {len(showing.seeds)} of {bare.trained} seeds"
    return Control(f"{BARE}{some}", measure(showing))

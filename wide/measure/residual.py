"""What only residual networks have, asked for by the measures that need it."""

NEEDED = ("blocks", "post_residual", "adds", "before_adds", "deletable", "stage_of")


def residual(net):
    """The network itself, if it names its residual blocks and their layers.

    A variant without additions (figure C.1) names them, too. Raises ValueError for a network without
    blocks.
    """
    if not all(hasattr(net, name) for name in NEEDED):
        name = type(net).__module__.rpartition(".")[2]
        raise ValueError(f"this measure needs residual blocks, and {name} has none: measure another network")
    return net

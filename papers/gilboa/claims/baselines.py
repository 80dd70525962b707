"""Maps of an untrained network and of pixels: figures 5 and 6 of Gilboa & Gur-Ari 2019."""

from papers.gilboa.claims.icons import blind, scale_of
from papers.gilboa.claims.networks import OVER, Network, ends, highest, in_one, lacking, paired, widths
from pipeline.claims import LEFT_OUT, SURE, Control, Lack, first_of

UNCLUSTERED = 0.5  # untrained purity over trained purity: "no clustering"
TRAINED = "none: the trained networks are the comparison"
PIXELS = "none: the pixels are the control of figure 1, and no network is in them"


def fig5(case):
    (_, net), trained = (ends(case.kept("cifar", "structure", name)) for name in ("untrained512", "base"))
    narrow, wide = trained
    n = f"1 network each, untrained {widths(net, net)}, trained {widths(*trained)}"
    n = f"{n}; ± {OVER.format('classes or icons')}"
    gone = None if net.size else Lack(LEFT_OUT, "the untrained network")
    bench = case.bench(n, lacks=first_of(gone, lacking(case, "cifar", *trained)))
    claims = [
        unclustered(bench, net, narrow, wide),
        colour_neighbours(bench, net, narrow, wide),
        bench.judge(
            "the untrained net's icons are further from real images than the trained one's",
            "not interpretable",
            f"cosine {two('icons_cosine', net, wide)}",
            icons(net, wide),
            below=0,
            control=another(icons(narrow, wide)),
            lacks=None if bench.lacks else blind(wide),
            reason=scale_of(wide),
        ),
    ]
    return in_one("network of each kind", claims)


def unclustered(bench, net, narrow, wide):
    """The trained network whose half it is least surely below counts."""
    name = "purity_classes"
    apart = [paired(net, trained, name, UNCLUSTERED) for trained in (narrow, wide)]
    return bench.judge(
        "purity of the untrained map is below half of either trained one's (fig. 3)",
        "no clustering",
        f"{two(name, net, narrow)} and {wide.mean(name).said(3)}",
        highest(apart, SURE),
        below=0,
        control=TRAINED,
    )


def colour_neighbours(bench, net, narrow, wide):
    """Trained maps have neighbours of one colour, too: the untrained one's must have more of them."""
    name = "colour_neighbours_classes"
    return bench.judge(
        "what lies together in the untrained map, of another class, is more alike in colour than in the "
        "trained one, and than random pairs",
        "similar colours are adjacent",
        f"colour distance over that of random pairs {two(name, net, wide)}",
        paired(net, wide, name),
        below=0,
        holds=net.mean(name).value < 1,
        control=another(paired(narrow, wide, name)),
    )


def icons(net: Network, other: Network):
    return net.mean("icons_cosine").minus(other.mean("icons_cosine"))


def another(found) -> Control:
    """What two trained networks differ by is no lack of training."""
    return Control("the narrow trained network minus the wide one", found, digits=3)


def two(name: str, net: Network, trained: Network) -> str:
    return f"{net.mean(name).said(3)}, trained {trained.mean(name).said(3)}"


def fig6(case):
    _, pixels = ends(case.kept("pixels", "structure", "base"))
    trained = ends(case.kept("mnist", "structure", "base"))
    n = f"no network; trained: 1 each, {widths(*trained)}; ± {OVER.format('classes')}"
    gone = None if pixels.size else Lack(LEFT_OUT, "the pixels' map")
    bench = case.bench(n, lacks=first_of(gone, lacking(case, "mnist", *trained)))
    separated = "clusters less well separated"
    claims = [
        below_trained(
            bench,
            "purity in pixel space is below that of the trained nets",
            separated,
            "purity_classes",
            pixels,
            *trained,
        ),
        below_trained(
            bench,
            "pixel space has fewer sub-clusters a class than the wide net",
            "sub-clusters not visible",
            "clusters",
            pixels,
            trained[1],
        ),
        below_trained(
            bench,
            "the classes' silhouette is lower in pixel space than in the trained nets",
            separated,
            "silhouette_classes",
            pixels,
            *trained,
        ),
    ]
    return in_one("network of each width", claims)


def below_trained(bench, statement, paper, name, pixels, *trained):
    """A number is lower in pixel space than in the trained networks: the one it is least surely below
    counts.
    """
    found = highest([paired(pixels, net, name) for net in trained], SURE)
    ours = f"{pixels.mean(name).said(3)}, trained {' and '.join(net.mean(name).said(3) for net in trained)}"
    return bench.judge(statement, paper, ours, found, below=0, control=PIXELS)

"""How readable icons are, by an independent judge: figures 1, 2, 3 and 5 of Gilboa & Gur-Ari 2019.

An icon's number is its mean cosine to the nearest real images in the features of a network trained apart,
which is high for real images and low for noise.
"""

from math import nan

from papers.gilboa.claims.networks import Compared, Network, ends
from pipeline.claims import SURE, UNDEFINED, Control, Estimate, Lack

# Not drawn on these data: a claim that would hold is not testable without.
NOT_DRAWN = Control("untrained networks' icons", Estimate(nan))


def sure(found: Estimate) -> bool:
    """Whether it is above 0 by as many standard errors as it takes."""
    return found.value > 0 and found.value >= SURE * found.se


def gap(net: Network) -> Estimate:
    """How much more readable the atlas is than single neurons."""
    return net.mean("icons_cosine").minus(net.mean("neurons_cosine"))


def known(net: Network, name: str) -> Estimate:
    """The judge's number for pictures whose answer is known."""
    return Estimate.of(net.found.get(f"{name}_cosine") if net.size else nan)


def blind(net: Network) -> Lack | None:
    """What claims about icons lack where the judge does not tell real images from noise."""
    real = known(net, "real")
    for name in ("noise", "smooth_noise"):
        if not sure(real.minus(known(net, name))):
            return Lack(UNDEFINED, "the judge does not tell real images from noise")
    return None


def scale_of(net: Network) -> str:
    """What the judge says of pictures whose answer is known."""
    noise, smooth, real = (known(net, name).said() for name in ("noise", "smooth_noise", "real"))
    return f"the judge's scale: noise {noise}, smooth noise {smooth}, real images {real}"


def gap_claim(case, study: str, pair: Compared, untrained: tuple = ()):
    """The atlas is more readable than single neurons in the wide net, and by more than in the narrow one.

    untrained: variants one of which may have icons of networks that nothing has trained.
    """
    narrow, wide = (gap(net) for net in pair.both)
    return pair.bench.judge(
        "atlas icons are nearer to real images than single neurons' icons are, and more so in the wide net",
        "neurons are interpretable in the narrow net only",
        f"narrow {said(pair.narrow)}, wide {said(pair.wide)}",
        wide.minus(narrow),
        above=0,
        holds=sure(wide),
        control=gap_control(case, study, narrow, untrained),
        lacks=None if pair.bench.lacks else blind(pair.wide),
        reason=scale_of(pair.wide),
    )


def gap_control(case, study, narrow: Estimate, untrained) -> Control:
    """The gap of an untrained wide network in the trained one's place."""
    for variant in untrained:
        _, net = ends(case.kept(study, "structure", variant))
        if net.has("icons_cosine") and net.has("neurons_cosine"):
            what = f"an untrained network, n = {net.width:g}, minus the narrow trained one"
            return Control(what, gap(net).minus(narrow))
    return NOT_DRAWN


def said(net: Network) -> str:
    """The gap and what it is made of."""
    atlas, neurons = net.mean("icons_cosine").said(), net.mean("neurons_cosine").said()
    return f"{gap(net).said()} ({atlas} and {neurons})"

"""How claims of Nguyen et al. 2021 fail whose networks are not as in the paper."""

from pipeline.claims import Claim, Estimate

# What most networks are instead; in how many seeds is put between.
NO_BLOCK, A_BLOCK = "no block formed{}", "a block formed{}, where the paper shows none"


def failing(bench, statement, paper, ours, why, lacks=None) -> Claim:
    """A claim that fails, since what it speaks of did not emerge (a block), or since it did."""
    nothing = "none: there is nothing to compare"
    zero = Estimate(0.0, 0.0)
    return bench.judge(
        statement, paper, ours, zero, control=nothing, above=0.0, holds=False, lacks=lacks, reason=why
    )


def outvoted(kept, members, otherwise, what="seeds") -> str:
    """Why a claim fails: at most half of its members are as in the paper. Empty where more are.

    kept: those that are. otherwise: what the others are, with room for how many of them, as NO_BLOCK.
    """
    if 2 * len(kept) > len(members) or not len(members):
        return ""
    return otherwise.format(f" in {len(members) - len(kept)} of {len(members)} {what}")

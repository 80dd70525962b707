"""Claims of Nguyen, Raghu & Kornblith 2021, Do Wide and Deep Networks Learn the Same Things?

What a claim presupposes is looked at first: one about networks with a block is not testable on networks in which none has formed,
one about networks without a block not on networks that have one.
"""
from functools import cache

from stages.claims.nguyen_across import figE1, fig6
from stages.claims.nguyen_blocks import figC1, figD1, figD2, figD3, figD4, fig1, fig2
from stages.claims.nguyen_components import figD5, figD6, figD7, fig3
from stages.claims.nguyen_function import figD8, fig4, fig5
from stages.claims.nguyen_predictions import figF1, figF2, figF3, figF4, fig7
from stages.claims.nguyen_tables import tabB1, tabF1, tabF2


def judge(load, scale: str, width: float) -> list:
    """Every claim of the paper. load(study, measure, variant, suffix) -> result."""
    load = cache(load)  # a figure after another reads the same heatmaps
    figures = (fig1, fig2, fig3, fig4, fig5, fig6, fig7, figC1, figD1, figD2, figD3, figD4, figD5, figD6, figD7, figD8, figE1,
               figF1, figF2, figF3, figF4, tabB1, tabF1, tabF2)
    return [claim for figure in figures for claim in figure(load, scale, width)]

"""Claims of Nguyen, Raghu & Kornblith 2021, Do Wide and Deep Networks Learn the Same Things?

One function a figure. What a claim presupposes is looked at first: one about networks with a block is not
testable on networks in which none has formed, one about networks without a block not where one has.
"""

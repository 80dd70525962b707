"""Claims of Nguyen, Raghu & Kornblith 2021, Do Wide and Deep Networks Learn the Same Things?

One function a figure. What a claim presupposes is looked at first: networks that have learned more than their
pixels give, seeds enough. One about a block fails where none has formed, one about networks without a block
where one has.
"""

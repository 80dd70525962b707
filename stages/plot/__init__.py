"""Drawings, one kind of figure a module: ``draw(entry, scale, load)`` makes a matplotlib figure or Markdown.

entry: the figure's in figures.yaml, options that depend on the scale resolved. load: (study, measure,
variant) -> Cells; it raises FileNotFoundError for what the scale leaves out. A drawing computes nothing
that a claim is judged by.
"""

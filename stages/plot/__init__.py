"""Drawings, one kind of figure a module: ``draw(entry, scale)`` turns results into a matplotlib figure.

``entry`` is the figure's entry in figures.yaml. A drawing computes nothing that a claim is judged by.
"""

"""The library: networks, population training, measures, artefacts and plot style.

No parameters file, no argv.
"""

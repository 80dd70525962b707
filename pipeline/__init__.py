"""Plumbing between DVC and the library: what a study trains, declared parameters, trained networks, results,
lanes, raw data.
"""

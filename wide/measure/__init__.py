"""Measures: pure functions of arrays and networks."""

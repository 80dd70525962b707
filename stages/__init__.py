"""Stages: thin doors that load, make one call into the library and save. `python -m stages.<name> …` runs
one.

Importing this package, which is the first thing that a stage does, begins the watch on DVC.
"""

from pipeline import lifetime

lifetime.watch()

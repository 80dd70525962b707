"""What can be known of parameters and pipelines without running anything, refused in one line where it is wrong.

shape: keys, types and names, at every level. trials: what a run would train, as plans, recipes and networks
without numbers. measures: settings, bound to the dataclasses of their stages. figures, stages: the figures'
entries, and what dvc.yaml says of all of it.
"""

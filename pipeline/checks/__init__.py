"""What can be known of parameters and pipelines before anything runs.

shape, layers: keys, types and names, at every level.
trials, training, meta: what a run would train, as plans, recipes and networks without numbers.
measures: settings, bound to the dataclasses of their stages.
figures, across: entries of figures, and groups of networks that are compared.
templates, runs, pipelines: what the dvc.yaml files say of all of it.
papers: a paper's files together.

Every check raises ValueError in one line that names file, key, value and what it must be.
"""

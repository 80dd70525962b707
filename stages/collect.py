"""Results of many studies in one folder: `python -m stages.collect <scale> <name> <study>/<measure>/<variant>.<suffix> …`.

A figure depends on two folders of results; one that draws on more studies reads results/<scale>/<name>/<measure>/<study>-<variant>.
"""
import shutil
import sys
from pathlib import Path

from stages import stage
from wide import artifacts


@stage
def main(scale: str, name: str, *parts: str):
    for part in parts:
        study, measure, file = Path(part).parts
        source, target = artifacts.RESULTS / scale / part, artifacts.RESULTS / scale / name / measure / f"{study}-{file}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


if __name__ == "__main__":
    main(*sys.argv[1:])

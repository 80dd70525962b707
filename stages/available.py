"""`make repro`: look for the data, then run the pipeline. `python -m stages.available`.

Where a data set is neither in data/raw nor to be downloaded, that is said, and the embedded stand-ins of
scale smoke run instead, in a copy. Only the default scale falls back: who asks for another one gets its own
error. A dvc.lock that a kill has left unreadable is restored from git before.
"""

import subprocess
import sys

from pipeline import locks, raw, sets
from pipeline.folder import raw_folder
from pipeline.lifetime import stage
from pipeline.parameters import ROOT, read
from stages import smoke

DEFAULT = "quick"


@stage
def main():
    """Run `dvc repro` at the scale of params.yaml, or scale smoke in a copy."""
    for line in locks.restore():
        print(line, flush=True)
    missing = [source.name for source in sets.sources() if not raw.available(source)] if at_default() else []
    if missing:
        where = f"{raw_folder()}/"
        print(
            f"{', '.join(missing)}: neither in {where} nor to be downloaded from here. Running scale smoke "
            "on embedded stand-ins instead; its figures are stamped and its claims read 'not testable'. "
            f"For real data connect a network or fill {where} (data/README.md says how).",
            flush=True,
        )
        return smoke.main()
    sys.exit(subprocess.call(["dvc", "repro"], env=smoke.environment()))


def at_default() -> bool:
    """Whether params.yaml asks for the scale that falls back to smoke."""
    return read(ROOT).get("scale") == DEFAULT


if __name__ == "__main__":
    main(*sys.argv[1:])

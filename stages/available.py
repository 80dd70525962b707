"""`make repro`: look for the data, then run the pipeline. `python -m stages.available`.

Where a data set is neither in data/raw nor to be downloaded, that is said, and the embedded stand-ins of scale smoke run instead, in
a copy. Only the default scale falls back: who asks for another one gets its own error.
"""
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from stages import raw, smoke, stage

DEFAULT = "quick"


@stage
def main():
    scale = YAML(typ="safe").load(Path("params.yaml").read_text()).get("scale")
    missing = [name for name in raw.SOURCES if not raw.available(name)] if scale == DEFAULT else []
    if missing:
        print(f"{', '.join(missing)}: neither in {raw.RAW}/ nor to be downloaded from here. Running scale smoke on embedded stand-ins instead; "
              f"its figures are stamped and its claims read 'not testable'. For real data connect a network or fill {raw.RAW}/ (README, Data).",
              flush=True)
        return smoke.main()
    sys.exit(subprocess.call(["dvc", "repro"], env=smoke.environment()))


if __name__ == "__main__":
    main(*sys.argv[1:])

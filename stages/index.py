"""Which results every figure is drawn from, by their checksums: `python -m stages.index <paper> <scale>`.

A drawing's stage cannot list files that its figure's entry names, so it depends on one small file here, which
changes when one of its results does. `reads` of an entry are patterns below the paper's results,
`wide/cka/*`; {shown} stands for the variant that is shown at this scale. all.json lists every result, for the
claims.
"""

import hashlib
import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path

from pipeline.lifetime import stage
from pipeline.parameters import declared, paper_file, read, stage_entry
from wide import artifacts


@stage
def main(paper: str, scale: str):
    root = artifacts.RESULTS / scale / paper
    files = [str(dep) for dep in stage_entry()["deps"] if str(dep).startswith(f"{root}/")]
    sums = {file: hashlib.md5(Path(file).read_bytes()).hexdigest() for file in sorted(files)}
    figures = read(paper_file(paper, "figures.yaml"))["figures"]
    shown = declared().get("shown", {}).get(scale, "")
    chosen = {key: reads(key, entry["reads"], list(sums), root, shown) for key, entry in figures.items()}
    shutil.rmtree(artifacts.index(scale, paper, "all").parent, ignore_errors=True)
    for key, names in {**chosen, "all": list(sums)}.items():
        artifacts.save_numbers(artifacts.index(scale, paper, key), {name: sums[name] for name in names})


def reads(key: str, patterns: list, files: list, root: Path, shown: str) -> list:
    """The results that a figure reads. Raises ValueError for a pattern that nothing answers to."""
    found = []
    for pattern in patterns:
        wanted = f"{root}/{pattern.replace('{shown}', shown)}.*"
        matching = [file for file in files if fnmatch(file, wanted)]
        if not matching:
            raise ValueError(
                f"figures.yaml: figures.{key}.reads: '{pattern}' is no result that the stage `index` lists"
            )
        found += matching
    return sorted(set(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

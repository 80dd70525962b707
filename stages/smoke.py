"""The whole pipeline at scale smoke in a copy of the repository: `python -m stages.smoke`.

What `make repro` does where no data can be had, and what the tests run. A copy, so that neither params.yaml
nor a committed result is touched, also when it is killed; results and figures of smoke come back at the end.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.lifetime import stage
from wide import artifacts

PARTS = ("wide", "pipeline", "stages", "papers", "dvc.yaml", "figures/dvc.yaml", "params.yaml", ".dvcignore")


def copy(target: Path, scale: str = "smoke"):
    """Lay out the repository's code and parameters in ``target`` at a scale, as a DVC project of its own
    without git.
    """
    target.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if Path(part).is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "dvc.lock")
            shutil.copytree(part, target / part, dirs_exist_ok=True, ignore=left_out)
        else:
            (target / part).parent.mkdir(exist_ok=True)
            shutil.copyfile(part, target / part)
    params = target / "params.yaml"
    params.write_text(re.sub(r"^scale: \w+", f"scale: {scale}", params.read_text(), flags=re.M))
    if not (target / ".dvc").exists():
        subprocess.run(["dvc", "init", "--no-scm", "--quiet"], cwd=target, check=True, env=environment())
        shutil.copyfile(".dvc/config", target / ".dvc/config")
        subprocess.run(["dvc", "config", "core.no_scm", "true"], cwd=target, check=True, env=environment())


def environment() -> dict:
    """For DVC as a child: this interpreter first on the path, no analytics."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "DVC_NO_ANALYTICS": "1", "PATH": path}


@stage
def main():
    target = artifacts.SCRATCH / "smoke"
    copy(target)
    code = subprocess.call(["dvc", "repro"], cwd=target, env=environment())
    if code:
        sys.exit(code)
    for folder in (artifacts.RESULTS, artifacts.FIGURES):
        shutil.copytree(target / folder / "smoke", folder / "smoke", dirs_exist_ok=True)
    shutil.copyfile(target / "paper_figs.md", artifacts.FIGURES / "smoke" / "paper_figs.md")
    print(
        f"smoke is done: figures in {artifacts.FIGURES}/smoke, "
        f"claims in {artifacts.FIGURES}/smoke/paper_figs.md"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Remove a damaged output and DVC's copy of it: `python -m stages.forget <path>`, then `dvc repro`.

The workspace's file and the cache's are one file where they are linked, so that removing the first alone
brings the same bytes back. A copy in the cache that is whole stays, and `dvc repro` puts it into the place
of the damaged file.
"""

import os
import sys
from pathlib import Path

from pipeline.cache import forget
from pipeline.lifetime import stage


@stage
def main(path: str):
    """Remove the file at ``path``, from the repository's root."""
    from dvc.repo import Repo

    removed = " and ".join(os.path.relpath(found) for found in forget(path, Path(Repo().cache.local.path)))
    print(f"removed {removed or 'nothing: it was gone'}; now run `dvc repro`")


if __name__ == "__main__":
    main(*sys.argv[1:])

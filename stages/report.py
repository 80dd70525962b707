"""paper_figs.md and the review page from the claims: `python -m stages.report <scale>`.

Every figure is shown at the most faithful scale whose claims have been judged (paper, gpu, overnight, quick,
and stand-ins of smoke last), whatever scale is running: a run on stand-ins never displaces a result on real
data.
"""

import sys

from pipeline.lifetime import stage
from pipeline.parameters import ROOT, paper_file, papers, read
from pipeline.reports.caps import caps
from pipeline.reports.markdown import markdown
from pipeline.reports.page import page
from pipeline.reports.rows import Paper, collect
from wide import artifacts


@stage
def main(_scale: str):
    found = gathered()
    artifacts.write_text("paper_figs.md", markdown(found))
    artifacts.write_text(artifacts.FIGURES / "index.html", page(found))


def gathered() -> dict[str, Paper]:
    """Every paper of this folder with its judged claims, by its key."""
    root, found = read(ROOT), {}
    for paper in papers():
        figures, params = (read(paper_file(paper, name)) for name in ("figures.yaml", ROOT))
        rows = collect(paper, figures["figures"])
        found[paper] = Paper(figures["paper"], rows, caps(root, params))
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Judge a paper's claims: `python -m stages.claims <paper> <scale>`."""
import importlib
import sys
from dataclasses import asdict

from stages import declared_params, stage
from wide import artifacts


@stage
def main(paper: str, scale: str):
    width = declared_params()["width"]

    def load(study, measure, variant, suffix="npz"):
        path = artifacts.result(scale, study, measure, variant, suffix)
        return artifacts.load_numbers(path) if suffix == "json" else artifacts.load_result(path)

    claims = importlib.import_module(f"stages.claims.{paper}").judge(load, scale, width)
    artifacts.save_numbers(artifacts.claims(scale, paper), [asdict(claim) for claim in claims])


if __name__ == "__main__":
    main(*sys.argv[1:])

"""All sizes and seeds of a variant: `python -m stages.train <paper> <study> <variant> <scale>`."""

import sys

import numpy as np

from pipeline import scratch
from pipeline.lanes import side_by_side
from pipeline.lifetime import stage
from pipeline.parameters import declared
from pipeline.plan import plan
from pipeline.training import Training, code, shape_of
from wide import artifacts


@stage
def main(paper: str, study: str, variant: str, scale: str):
    params = declared()
    general = params["scales"][scale]["train"]
    source = artifacts.dataset(scale, params[study]["train"]["set"])
    todo = plan(params[study], variant, scale, general, params["width"], shape_of(source))
    training, title = Training(source, todo), f"{study} {variant}"
    files = [source, *code(todo.net)]
    with scratch.Scratch({"plan": repr(todo), "width": params["width"]}, files) as checkpoints:
        pieces = training.pieces()
        work = {name: (piece, checkpoints.within(training.place(piece))) for name, piece in pieces.items()}
        images = [training.views(todo.sizes[number]) for piece in pieces.values() for number, _ in piece]
        with scratch.bar(sum(images), title) as bar:
            done = side_by_side(Training.train, work, bar, (Training, source, todo))
        training.refuse_divergence(done)
        save(training, pieces, done, scale, paper, study, variant)


def save(training, pieces, done, scale, paper, study, variant):
    """Write the population, its accuracies, and how fast it was trained."""
    todo, tensors, facts, accuracies, rates = training.todo, {}, {}, {}, {}
    for number, size in enumerate(todo.sizes):
        parts = training.parts(number, pieces, done)
        tensors |= stacked(size.key, [(position, part["population"]) for position, part in parts])
        for passes in parts[0][1]["snapshots"]:
            states = [(position, part["snapshots"][passes]) for position, part in parts]
            tensors |= stacked(f"snapshots/{size.key}/{passes}", states)
        facts[size.key] = training.said(size, parts)
        accuracies[size.key] = training.reported(size, facts[size.key])
        rates[size.key] = training.rate(size, parts)
    about = {name: getattr(todo, name) for name in ("net", "set", "labels", "test")}
    card = {"stand_in": scale == "smoke", "study": about, "sizes": facts}
    artifacts.save_tensors(artifacts.population(scale, paper, study, variant), tensors, card)
    artifacts.save_numbers(artifacts.training(scale, paper, study, variant), accuracies)
    artifacts.save_numbers(artifacts.throughput(scale, paper, study, variant), rates)


def stacked(place: str, states: list) -> dict:
    """Tensors of a population, seeds first. states: (place in its piece, its piece's) of every seed."""
    _, first = states[0]
    return {
        f"{place}/{name}": np.stack([state[name][position] for position, state in states]) for name in first
    }


if __name__ == "__main__":
    main(*sys.argv[1:])

"""All widths and seeds of a variant: `python -m stages.train <study> <net> <set> <scale> <variant>`."""
import sys

import torch

from stages import declared_params, running, stage
from stages.study import caps_of, network, plan
from wide import artifacts
from wide.population import accuracy, half_precision
from wide.train import describe, steps_of, train_population

CODE = ("wide/train.py", "wide/population.py", "wide/augment.py")


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    source = artifacts.dataset(scale, data)
    splits, card = artifacts.load_tensors(source)
    todo = plan(params[study], variant, caps_of(params, study, scale, "train"), params["width"],
                splits["train/images"][0].size, card["classes"])
    images, labels, test_images, test_labels = training_data(splits, todo)
    tensors, facts, metrics = {}, {"stand_in": scale == "smoke"}, {}
    with running.Scratch({"plan": repr(todo), "width": params["width"]}, [source, f"wide/nets/{net}.py", *CODE]) as scratch:
        for size in todo.sizes:
            build = lambda: network(net)(size.width, image=images.shape[1:], classes=card["classes"][todo.labels], **size.options)
            recipe = todo.recipe(size.width, len(images))
            done = steps_of(recipe, len(images))[0] * min(recipe.batch, len(images)) * len(todo.seeds)
            with running.bar(done, f"{study} {variant} width {size.width:g}") as bar:
                population, run = train_population(build, images, labels, recipe, todo.seeds, device=running.device(),
                                                   checkpoint=scratch.within(size.key), progress=bar.update)
            fact = {"width": size.width, "seeds": todo.seeds, "options": size.options, "recipe": describe(recipe),
                    "train_examples": len(images), "test_accuracy": score(build, population, test_images, test_labels, recipe),
                    "train_accuracy": score(build, population, images[:5000], labels[:5000], recipe)}
            tensors |= {f"{size.key}/{name}": value.numpy() for name, value in population.items()}
            facts[size.key] = {**fact, "members_at_once": run["members_at_once"], "dtype": run["dtype"]}
            metrics[size.key] = {**run, **{key: fact[key] for key in ("width", "seeds", "train_accuracy", "test_accuracy")}}
        artifacts.save_tensors(artifacts.population(scale, study, variant), tensors, facts)
        artifacts.save_numbers(artifacts.training_metrics(scale, study, variant), metrics)


def training_data(splits: dict, todo):
    """(images, labels, test images, test labels) as tensors: the variant's share of the data, its labels."""
    train, test = "train", todo.test
    labels = torch.from_numpy(splits[f"{train}/{todo.labels}"])
    return (torch.from_numpy(splits[f"{train}/images"]), labels,
            torch.from_numpy(splits[f"{test}/images"]), torch.from_numpy(splits[f"{test}/{todo.labels}"]))


def score(build, population, images, labels, recipe):
    """Accuracy of each seed, in the arithmetic that it was trained in."""
    return [round(value, 6) for value in
            accuracy(build(), population, images, labels, standardise=recipe.standardise, device=running.device(),
                     half=half_precision(running.device())).tolist()]


if __name__ == "__main__":
    main(*sys.argv[1:])

"""All widths and seeds of a variant: `python -m stages.train <study> <net> <set> <scale> <variant>`."""
import math
import sys

import torch

from stages import declared_params, running, stage
from stages.folder import images_of
from stages.study import caps_of, network, plan
from wide import artifacts
from wide.population import accuracy, half_precision, shrink
from wide.train import describe, steps_of, train_population

CODE = ("wide/train.py", "wide/population.py", "wide/augment.py")


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    source = artifacts.dataset(scale, data)
    splits, card = artifacts.load_tensors(source)
    shape = images_of(splits, "train").shape
    todo = plan(params[study], variant, caps_of(params, study, scale, "train"), params["width"], math.prod(shape[1:]), card["classes"])
    images, labels, test_images, test_labels = training_data(splits, todo)
    image, shrunk = images.shape[1:], images.shape[2] / shape[2]
    tensors, facts, metrics = {}, {"stand_in": scale == "smoke"}, {}
    with running.Scratch({"plan": repr(todo), "width": params["width"]}, [source, f"wide/nets/{net}.py", *CODE]) as scratch:
        for size in todo.sizes:
            build = lambda: network(net)(size.width, image=image, classes=card["classes"][todo.labels], **size.options)
            recipe = todo.recipe(size.width, len(images), shrunk)
            done = steps_of(recipe, len(images))[0] * min(recipe.batch, len(images)) * len(size.seeds)
            with running.bar(done, f"{study} {variant} width {size.width:g}") as bar:
                population, run = train_population(build, images, labels, recipe, size.seeds, device=running.device(),
                                                   checkpoint=scratch.within(size.key), progress=bar.update)
            fact = {"width": size.width, "seeds": size.seeds, "options": size.options, "recipe": describe(recipe),
                    "train_examples": len(images), "test_accuracy": score(build, population, test_images, test_labels, recipe),
                    "train_accuracy": score(build, population, images[:5000], labels[:5000], recipe)}
            fact |= {"image": list(image)} if shrunk < 1 else {}
            tensors |= {f"{size.key}/{name}": value.numpy() for name, value in population.items()}
            facts[size.key] = {**fact, "members_at_once": run["members_at_once"], "dtype": run["dtype"]}
            metrics[size.key] = {**run, **{key: fact[key] for key in ("width", "seeds", "train_accuracy", "test_accuracy")}}
        artifacts.save_tensors(artifacts.population(scale, study, variant), tensors, facts)
        artifacts.save_numbers(artifacts.training_metrics(scale, study, variant), metrics)


def training_data(splits: dict, todo):
    """(images, labels, test images, test labels) as tensors: the variant's share of the data, its labels, its size of image."""
    kept = todo.kept(splits[f"train/{todo.labels}"])
    labels = torch.from_numpy(splits[f"train/{todo.labels}"][kept])
    images, test_images = images_of(splits, "train", kept), images_of(splits, todo.test)
    if todo.image_size:
        images, test_images = shrink(images, todo.image_size), shrink(test_images, todo.image_size)
    return images, labels, test_images, torch.from_numpy(splits[f"{todo.test}/{todo.labels}"])


def score(build, population, images, labels, recipe):
    """Accuracy of each seed, in the arithmetic that it was trained in."""
    return [round(value, 6) for value in
            accuracy(build(), population, images, labels, standardise=recipe.standardise, device=running.device(),
                     half=half_precision(running.device())).tolist()]


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Float inputs beside images: features, and token states with a mask."""

import pytest
import torch
from torch import nn

from tests.trainings import BUILDS, CLASSES, assert_close, content, data, double, fit, recipe, stacks_of
from wide.nets import mlp
from wide.training import stacking
from wide.training.population import accuracy, layer_outputs, member, prepare_inputs
from wide.training.train_population import train_population

EXAMPLES, TOKENS, WIDTH = 40, 5, 8

# Of torch's fused attention there is no batched form: under vmap it runs member by member.
pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")


class Reader(nn.Module):
    """One layer of attention over token states; what the mask leaves out is neither read nor pooled."""

    def __init__(self):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(WIDTH), nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.output = nn.Linear(WIDTH, CLASSES)

    def forward(self, x, tap=None, mask=None):
        x = self.norm(x)
        x = x + self.attention(x, x, x, key_padding_mask=~mask, need_weights=False)[0]
        shown = mask.to(x.dtype).unsqueeze(-1)
        return self.output((x * shown).sum(-2) / shown.sum(-2))


def tokens(examples=EXAMPLES, seed=0):
    """(token states, labels, mask): one to five real tokens an example."""
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(examples, TOKENS, WIDTH, generator=generator)
    lengths = torch.randint(1, TOKENS + 1, (examples, 1), generator=generator)
    labels = torch.randint(0, CLASSES, (examples,), generator=generator)
    return states, labels, torch.arange(TOKENS) < lengths


def read(seeds, states, labels, mask, half=False, **options):
    settings = {name: options.pop(name) for name in ("dropout", "epochs") if name in options}
    made = recipe(**settings)
    return train_population(Reader, states, labels, made, seeds, mask=mask, half=half, **options)


@pytest.mark.parametrize("stack", [3, 1])
def test_a_reader_of_tokens_is_its_seed_alone(stack, monkeypatch):
    stacks_of(monkeypatch, stack)
    with double():
        states, labels, mask = tokens()
        together, _ = read([5, 0, 7], states.double(), labels, mask)
        for row, seed in enumerate([5, 0, 7]):
            alone, _ = read([seed], states.double(), labels, mask)
            assert_close(member(together, row), member(alone, 0), 1e-10)


@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_what_the_mask_hides_changes_nothing(seeds):
    states, labels, mask = tokens()
    hidden = torch.where(mask.unsqueeze(-1), states, 1000.0)
    plain, changed = (read(seeds, x, labels, mask, validation=(x, labels, mask)) for x in (states, hidden))
    assert_close(changed[0], plain[0], 1e-5)
    assert plain[1]["validation_accuracy"] == changed[1]["validation_accuracy"]
    unmasked, _ = read(seeds, hidden, labels, torch.ones_like(mask))
    assert not torch.allclose(unmasked["output.weight"], plain[0]["output.weight"], atol=1e-3)


def test_rows_of_the_mask_go_with_their_examples(monkeypatch):
    states, labels, mask = tokens()
    states[:, 0, 0] = torch.arange(EXAMPLES)
    forward, seen = stacking.forward, []

    def spy(net, state, x, mask, **own):
        seen.append((x[..., 0, 0].long(), mask))
        return forward(net, state, x, mask=mask, **own)

    monkeypatch.setattr(stacking, "forward", spy)
    read([3, 4], states, labels, mask, epochs=1)
    assert len(seen) == 5
    for numbers, shown in seen:
        assert torch.equal(shown, mask[numbers])


def test_masks_reach_evaluation():
    states, labels, mask = tokens()
    population, metrics = read([0, 1], states, labels, mask, validation=tokens(30, seed=1))
    states, labels, mask = tokens(30, seed=1)
    expected = accuracy(Reader(), population, states, labels, mask=mask, batch=7)
    found = [seen[-1] for seen in metrics["validation_accuracy"]]
    assert found == pytest.approx(expected.tolist())
    net = Reader()
    net.load_state_dict(member(population, 1))
    outputs = layer_outputs(Reader(), member(population, 1), states, mask=mask, batch=7)
    torch.testing.assert_close(outputs, net.eval()(states, mask=mask).detach())


@pytest.mark.parametrize("rows", [39, 0])
def test_a_mask_has_a_row_an_example(rows):
    states, labels, mask = tokens()
    with pytest.raises(ValueError, match=f"40 inputs, {rows} rows of the mask"):
        read([0], states, labels, mask[:rows])


def features(examples=EXAMPLES):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(examples, 6, generator=generator) * 3 + 1


def regressor():
    return mlp.Net(4, image=(6,), classes=CLASSES)


def test_features_train_like_images_of_the_same_numbers():
    images, labels = data()
    plain = fit(BUILDS["mlp"], [0, 1])
    flat = (images / 255.0).flatten(1)
    built = lambda: mlp.Net(6, image=(flat.shape[1],), classes=CLASSES, depth=2)  # noqa: E731
    found, _ = train_population(built, flat, labels, recipe(), [0, 1], half=False)
    assert content(found) == content(plain)


def test_features_of_16_bits_are_converted():
    rounded, labels = features().bfloat16(), data()[1]
    found = [
        train_population(regressor, x, labels, recipe(), [0], half=False)[0]
        for x in (rounded, rounded.float())
    ]
    assert content(found[0]) == content(found[1])
    assert torch.equal(
        *(layer_outputs(regressor(), member(found[0], 0), x) for x in (rounded, rounded.float()))
    )


@pytest.mark.parametrize("shape", [(6,), (5, 8), (3, 8, 8)])
def test_standardising_gives_each_example_mean_zero_and_variance_one(shape):
    x = torch.randn(10, *shape, generator=torch.Generator().manual_seed(0)) * 5 + torch.arange(10.0).view(
        10, *[1] * len(shape)
    )
    found = prepare_inputs(x, standardise=True)
    rows = found.flatten(1)
    torch.testing.assert_close(rows.mean(1), torch.zeros(10), rtol=0, atol=1e-5)
    torch.testing.assert_close(rows.std(1), torch.ones(10))
    torch.testing.assert_close(found[3:4], prepare_inputs(x[3:4], standardise=True))


def test_augmentation_is_for_images():
    with pytest.raises(ValueError, match=r"inputs of shape \(6,\) are no images"):
        train_population(regressor, features(), data()[1], recipe(augment={"flip": True}), [0])

"""Which networks are compared across seeds and architectures."""

from types import SimpleNamespace

import pytest

from stages.across import Part, choose

KEPT = [SimpleNamespace(key=key) for key in ("d32", "d56")]


@pytest.mark.parametrize(
    ("size", "nearest", "chosen"),
    [
        ("d32", False, "d32"),
        ("last", False, "d56"),
        ("d164", True, "d56"),  # the deepest that the scale keeps, where the parameters ask for it
        ("d164", False, None),  # and no other network in its place, where they do not
    ],
)
def test_a_size_that_the_scale_leaves_out_is_replaced_only_on_request(size, nearest, chosen):
    found = choose(KEPT, Part("deep", size, 3, nearest=nearest))
    assert (found and found.key) == chosen


def test_nothing_is_chosen_of_nothing():
    assert choose([], Part("deep", "last", 3, nearest=True)) is None

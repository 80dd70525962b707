"""Types of what drawings' options name. A drawing describes its options by a dataclass ``Options``."""

from dataclasses import dataclass
from typing import Annotated

from pipeline.bounds import Bound, Named


def _names_facts(title: str) -> bool:
    """Whether a text can be filled in with what is known of a network."""
    try:
        title.format(depth=1.0, width=1.0, channels=", 8 ch", seed=0, late=0.5)
    except (KeyError, IndexError, ValueError, AttributeError):
        return False
    return True


def of_length(length: int) -> Bound:
    """For lists."""
    return Bound(f", {length} of them", lambda values: len(values) == length)


Title = Annotated[str, Bound(" whose braces name depth, width, channels, seed or late", _names_facts)]
Study = Annotated[str, Named("studies")]
Variant = Annotated[str, Named("variants")]
Key = Annotated[str, Named("keys")]  # of a size
Size = Annotated[str, Named("sizes")]  # the same, or the widest or deepest kept


@dataclass(frozen=True)
class Pane:
    """One network."""

    study: Study
    variant: Variant
    size: Size
    title: Title

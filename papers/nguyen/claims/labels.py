"""What the networks of Nguyen et al. 2021 are called in claims."""

SHARES = {
    "all": "all data",
    "half": "1/2 of the data",
    "quarter": "1/4 of the data",
    "sixteenth": "1/16 of the data",
    "plain": "without residual connections",
    "untrained": "untrained",
    "untrained_plain": "untrained, without residual connections",
}


def label(depth, width, channels=None) -> str:
    """An architecture in words: its multiplier, and its first stage's channels where they are known."""
    also = "" if channels is None else f", {channels} ch"
    return f"ResNet-{int(depth)} ({float(width):g}×{also})"


def channels(found, at):
    """Channels of the first stage, None where a result does not say. at: a size's key, or a number."""
    return int(found.get("channels", at)) if found.has("channels", at) else None

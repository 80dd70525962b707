"""Times, counts and bytes in words, each in the unit that suits it."""

TIMES = ((365.25 * 86400, "years"), (86400, "days"), (3600, "h"), (60, "min"))  # in seconds
COUNTS = ((1e9, "billion"), (1e6, "million"))
SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))  # in bytes


def duration(seconds: float) -> str:
    """A time: "67 s", "35 min", "2.4 h", "12 days", "440 years"."""
    for unit, name in TIMES:
        if seconds >= 1.5 * unit:
            return f"{digits(seconds / unit)} {name}"
    return f"{seconds:.0f} s"


def counted(number: float) -> str:
    """A count: "59,904", "1.5 million"."""
    for unit, name in COUNTS:
        if number >= unit:
            return f"{digits(number / unit)} {name}"
    return f"{number:,.0f}"


def room(amount: float) -> str:
    """Bytes: "800 kB", "2.4 GB"."""
    for unit, name in SIZES:
        if amount >= unit:
            return f"{digits(amount / unit)} {name}"
    return f"{amount / 1000:.0f} kB"


def digits(number: float) -> str:
    """At least two digits."""
    return f"{number:,.1f}" if number < 9.95 else f"{number:,.0f}"

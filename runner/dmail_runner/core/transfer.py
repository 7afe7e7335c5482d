"""The progress of a file that is being written or sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Transfer:
    """A file that is being written or sent, for a progress display.

    Attributes:
        name: the file.
        total: its number of rows or bytes.
        unit: `rows` while the file is written, `bytes` while it is sent.
    """

    name: str
    total: int
    unit: Literal["rows", "bytes"]


# Called when a transfer begins. It returns a function that is then called with each further number of rows or bytes.
Watch = Callable[[Transfer], Callable[[int], None]]


def ignore_progress(_: Transfer) -> Callable[[int], None]:
    """A `Watch` that shows nothing."""
    return lambda _: None

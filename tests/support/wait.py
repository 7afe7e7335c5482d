"""Waiting for what a process does sooner or later. How soon depends on the machine, and no test does."""

import time
from collections.abc import Callable
from typing import TypeVar

HANGS = 900  # seconds after which a process hangs
T = TypeVar("T")


def until(found: Callable[[], T], what: str) -> T:
    """Look again and again until something is true, which is returned."""
    end = time.monotonic() + HANGS
    while not (answer := found()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)
    return answer

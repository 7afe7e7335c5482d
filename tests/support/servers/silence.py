"""The clock by which a test's runner waits for a server that has fallen silent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from unittest.mock import patch

SILENCE = 20
"""How many seconds pass for the runner in a second, if the server has fallen silent."""
OTHERWISE = 1 / 30
"""The same, while the server works. A test that hangs ends some time."""


class Clock:
    """Runs fast once a server has fallen silent, and very slowly before. A slow machine therefore reaches no time-out.

    Attributes:
        mark: a file that a server makes when it falls silent: when it has read what it will not answer.
    """

    def __init__(self, mark: Path) -> None:
        self.mark = mark
        self.time = 0.0
        self.latest = monotonic()
        self.lock = threading.Lock()

    def __call__(self) -> float:
        with self.lock:
            now = monotonic()
            self.time += (now - self.latest) * (SILENCE if self.mark.exists() else OTHERWISE)
            self.latest = now
            return self.time


@contextmanager
def clock(mark: Path) -> Iterator[None]:
    """Let the runner's watchdogs wait by such a clock."""
    with patch("dmail_runner.ship.watchdog.monotonic", Clock(mark)):
        yield

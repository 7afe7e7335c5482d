"""One process at a time, whoever starts it. A lock dies with its process."""

import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dmail_runner.core.errors import Busy

FOREVER = math.inf
LOOK = 0.1  # seconds between two looks at a lock


@contextmanager
def locked(path: Path, purpose: str, *, patience: float = 0, tell: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lock file while the context lasts. Raises Busy, with who holds it, after `patience` seconds of waiting."""
    until = time.monotonic() + patience
    told = False
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        while not taken(file.fileno()):
            file.seek(0)
            holder = file.read().strip() or str(path)
            if time.monotonic() >= until:
                raise Busy(f"another run is under way: {holder}", todo="run again when it has ended")
            if not told:
                tell(f"wait     until {holder} has ended")
                told = True
            time.sleep(LOOK)
        file.seek(0)
        file.truncate()
        file.write(f"{purpose}, process {os.getpid()}\n")
        file.flush()
        yield


def taken(file: int) -> bool:
    """Take the lock where nobody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""One process at a time, whoever starts it. A lock dies with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import Busy


@contextmanager
def locked(path: Path, purpose: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file while the context lasts. Raises Busy, with who holds it, or waits for them to end."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Busy(f"another run is under way: {file.read().strip() or path}", todo="run again when it has ended") from None
        file.seek(0)
        file.truncate()
        file.write(f"{purpose}, process {os.getpid()}\n")
        file.flush()
        yield

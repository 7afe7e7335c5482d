"""File locks between processes. The operating system releases a lock when its process ends."""

import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dmail_runner.core.errors import Busy

FOREVER = math.inf
POLL_INTERVAL = 0.1  # seconds


@contextmanager
def locked(path: Path, purpose: str, *, timeout: float = 0, on_wait: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold an exclusive lock on a file within the context.

    Args:
        path: the lock file, which is created if it does not exist.
        purpose: the purpose of the lock. It is written into the file, with the process id, for processes that wait.
        timeout: seconds to wait for the lock. The default does not wait.
        on_wait: called once with a line of text if the lock is not free.

    Raises:
        Busy: if another process still holds the lock after `timeout` seconds. The message says which one.
    """
    deadline = time.monotonic() + timeout
    announced = False
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+") as file:
        while not try_lock(file.fileno()):
            file.seek(0)
            holder = file.read().strip() or str(path)
            if time.monotonic() >= deadline:
                raise Busy(f"another run is under way: {holder}", todo="run again when it has ended")
            if not announced:
                on_wait(f"wait     until {holder} has ended")
                announced = True
            time.sleep(POLL_INTERVAL)
        file.seek(0)
        file.truncate()
        file.write(f"{purpose}, process {os.getpid()}\n")
        file.flush()
        yield


def try_lock(file: int) -> bool:
    """Lock an open file, given its descriptor. Returns False if another process holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

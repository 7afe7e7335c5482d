"""Processes that die at a given effect."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dmail_runner.ledger.ledger import Ledger

SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None  # where a synced write costs nothing


class Dead(BaseException):
    """The process is gone: nothing that it would still do has an effect."""


class Fuse:
    """Kills at the Nth effect on the world, before or after it; and then at every other."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def burn(self) -> None:
        self.steps -= 1
        if self.steps <= 0:
            raise Dead

    def around(self, original: Any) -> Any:
        def effect(*arguments: Any, **options: Any) -> Any:
            self.burn()
            result = original(*arguments, **options)
            self.burn()
            return result

        return effect

    @contextmanager
    def writing(self, original: Any, ledger: Ledger) -> Iterator[Any]:
        self.burn()
        with original(ledger) as connection:
            yield connection
            self.burn()
        self.burn()

"""What all of pytest's workers use, and the first one that asks for it makes."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def place(factory: pytest.TempPathFactory, name: str) -> Path:
    """A path that is the same in all workers of this run of pytest."""
    own = factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time. The lock ends with its process."""
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that a function fills once, and that nobody changes afterwards. Where the function fails, the next one tries again."""
    folder = place(factory, name)
    complete = folder.with_name(f"{name}.complete")
    with locked(folder):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder

"""A folder on this machine, or one that is mounted here."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runner.route import FolderRoute
from runner.ship.delivery import Refused

CHUNK = 1 << 20


@dataclass(frozen=True)
class Folder:
    """Files below `path`, readable by this user alone."""

    path: Path

    def size(self, name: str) -> int | None:
        with explained(self.location(name)):
            try:
                return (self.path / name).stat().st_size
            except FileNotFoundError:
                return None

    def write(self, name: str, content: BinaryIO) -> None:
        with explained(self.location(name)):
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                shutil.copyfileobj(content, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())

    def read(self, name: str) -> Iterator[bytes]:
        with explained(self.location(name)), (self.path / name).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def publish(self, temporary: str, final: str) -> None:
        with explained(self.location(final)):
            os.link(self.path / temporary, self.path / final)
            (self.path / temporary).unlink()
            directory = os.open((self.path / final).parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def remove(self, name: str) -> None:
        with explained(self.location(name)):
            (self.path / name).unlink(missing_ok=True)

    def location(self, name: str) -> str:
        return str(self.path / name)


@contextmanager
def folder(route: FolderRoute) -> Iterator[Folder]:
    """The route's folder."""
    yield Folder(route.path)


@contextmanager
def explained(location: str) -> Iterator[None]:
    """What the file system refuses, with the path that it refused."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{location}: {error.strerror}") from None

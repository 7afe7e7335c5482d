"""A folder on this machine, or one that is mounted here."""

import ctypes
import errno
import grp
import os
import pwd
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from dmail_runner.declare.route import FolderRoute
from dmail_runner.ship.delivery import Refused, Watched

CHUNK = 1 << 20

# Linux renames in one step and without overwriting; elsewhere a second name is made and the first removed.
RENAME = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
HERE, NO_REPLACE = -100, 1


@dataclass(frozen=True)
class Folder:
    """Files below the route's folder, with its owner, group and mode; by default for this user alone."""

    route: FolderRoute
    moves: ClassVar[bool] = RENAME is not None

    @property
    def path(self) -> Path:
        return self.route.path

    def size(self, name: str) -> int | None:
        with explained(self.location(name)):
            try:
                return (self.path / name).stat().st_size
            except FileNotFoundError:
                return None

    def write(
        self, name: str, content: BinaryIO | Watched, closing: Callable[[], None] = lambda: None, *, replace: bool = False
    ) -> None:
        with explained(self.location(name)):
            target = self.path / name
            self.make_folder(target.parent)
            if replace:
                target.unlink(missing_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                shutil.copyfileobj(content, file, CHUNK)
                if self.route.owner or self.route.group:
                    os.fchown(file.fileno(), *ids(self.route))
                os.fchmod(file.fileno(), self.route.mode)
                file.flush()
                os.fsync(file.fileno())
                closing()

    def make_folder(self, folder: Path) -> None:
        """Make a folder below the route's. Raises Refused for one that is a symbolic link: it may lead anywhere."""
        folder.mkdir(parents=True, exist_ok=True)
        for above in (folder, *folder.parents):
            if above == self.path:
                return
            if above.is_symlink():
                raise Refused(f"{above} is a symbolic link: nothing is written below it")

    def read(self, name: str) -> Iterator[bytes]:
        with explained(self.location(name)), (self.path / name).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def publish(self, temporary: str, final: str) -> None:
        with explained(self.location(final)):
            if RENAME is None:
                os.link(self.path / temporary, self.path / final)
                (self.path / temporary).unlink()
            elif RENAME(HERE, os.fsencode(self.path / temporary), HERE, os.fsencode(self.path / final), NO_REPLACE):
                raise OSError(ctypes.get_errno(), told(ctypes.get_errno()))
            directory = os.open((self.path / final).parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def remove(self, name: str) -> None:
        with explained(self.location(name)):
            (self.path / name).unlink(missing_ok=True)

    def described(self) -> str:
        return str(self.path)

    def location(self, name: str) -> str:
        return str(self.path / name)


def told(error: int) -> str:
    """What the file system said to a rename."""
    if error in (errno.EINVAL, errno.ENOSYS):
        return "this file system renames only by overwriting; `finish: direct_then_marker` does without"
    return os.strerror(error)


def ids(route: FolderRoute) -> tuple[int, int]:
    """The owner's and the group's numbers; -1 leaves one as it is. Raises Refused for a name that this machine does not know."""
    try:
        return (
            pwd.getpwnam(route.owner).pw_uid if route.owner else -1,
            grp.getgrnam(route.group).gr_gid if route.group else -1,
        )
    except KeyError as error:
        raise Refused(f"{route.path}: {error.args[0]}") from None


@contextmanager
def folder(route: FolderRoute) -> Iterator[Folder]:
    """The route's folder."""
    yield Folder(route)


@contextmanager
def explained(location: str) -> Iterator[None]:
    """What the file system refuses, with the path that it refused."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{location}: {error.strerror}") from None

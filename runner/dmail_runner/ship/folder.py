"""A folder on this machine, local or mounted."""

import ctypes
import errno
import grp
import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import ClassVar

from dmail_runner.declare.route import FolderRoute
from dmail_runner.ship.answers import Blind, Gone, Refused, Unsynced
from dmail_runner.ship.interface import Content, Rename, Seen

CHUNK = 1 << 20

# Linux renames in one step without overwriting. On other systems a second name is made, and the first one is removed.
RENAME = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
NO_REPLACE = 1
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Folder:
    """Files below the route's folder, with the owner, group and mode of the route. By default only this user can read them.

    A sub-folder that is a symbolic link is refused, because anybody who can write into the folder could redirect files by a link.
    """

    route: FolderRoute
    at_once: ClassVar[int] = -1
    copies: ClassVar[bool] = False
    marks: ClassVar[Mapping[str, int]] = MappingProxyType({})

    @property
    def renames(self) -> tuple[Rename, ...]:
        """One rename on Linux. On systems that cannot rename without overwriting, the file first gets a second name."""
        return (Rename(one_step=True, staged=RENAME is None),)

    def look(self, name: str) -> Seen | None:
        with self.explained(name):
            try:
                with self.parent(name) as (parent, leaf):
                    found = os.stat(leaf, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                return None
            except PermissionError as error:
                raise Blind(f"{self.location(name)}: {error.strerror}") from None
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EEXIST, "the name exists, and is not a file")
            return Seen(found.st_size, found.st_mtime)

    def entries(self, folder: str) -> dict[str, Seen]:
        found = {}
        with self.explained(folder), suppress(FileNotFoundError), self.parent(f"{folder}/_".lstrip("/")) as (parent, _):
            for name in os.listdir(parent):  # noqa: PTH208 - of an open folder, which no path names
                with suppress(FileNotFoundError):
                    entry = os.stat(name, dir_fd=parent, follow_symlinks=False)
                    if stat.S_ISREG(entry.st_mode):
                        found[name] = Seen(entry.st_size, entry.st_mtime)
        return found

    def prepare(self, name: str) -> None:
        with self.explained(name), self.parent(name, make=True):
            pass

    def write(self, name: str, content: Content, created: Callable[[], None] = lambda: None) -> None:
        with self.explained(name), self.parent(name, make=True) as (parent, leaf):
            number = os.open(leaf, NEW_FILE, 0o600, dir_fd=parent)
            with os.fdopen(number, "wb") as file:
                created()
                shutil.copyfileobj(content, file, CHUNK)
                if self.route.owner or self.route.group:
                    os.fchown(number, *ids(self.route))
                os.fchmod(number, self.route.mode)
                file.flush()
                self.sync(number, name)

    def read(self, name: str) -> Iterator[bytes]:
        with self.explained(name), self.parent(name) as (parent, leaf):
            number = os.open(leaf, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
            with os.fdopen(number, "rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk

    def publish(self, temporary: str, final: str, staged: str | None) -> None:
        with self.explained(final), self.parent(temporary) as (source, old), self.parent(final) as (target, new):
            if staged is None:
                rename(source, old, target, new)
            else:
                with self.parent(staged) as (middle, between):
                    os.rename(old, between, src_dir_fd=source, dst_dir_fd=middle)
                    os.link(between, new, src_dir_fd=middle, dst_dir_fd=target, follow_symlinks=False)
                    os.unlink(between, dir_fd=middle)
            for folder in {source, target}:
                self.sync(folder, final)

    def sync(self, number: int, name: str) -> None:
        """Wait until a file or folder is on the disk. Raises Unsynced. A second call proves nothing: it forgets the error."""
        try:
            os.fsync(number)
        except OSError as error:
            raise Unsynced(f"{self.location(name)}: {error.strerror}") from None

    def put(self, name: str, content: Content) -> None:
        raise NotImplementedError

    def remove(self, name: str) -> bool:
        with self.explained(name):
            try:
                with self.parent(name) as (parent, leaf):
                    os.unlink(leaf, dir_fd=parent)
            except FileNotFoundError:
                return False
            return True

    @contextmanager
    def parent(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the file's folder, step by step from the route's. Yields its descriptor and the file's name. Raises OSError."""
        *folders, leaf = PurePosixPath(name).parts
        make = make and self.route.make_directory
        if make:
            self.route.path.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            number = self.root()
            stack.callback(os.close, number)
            for folder in folders:
                number = below(number, folder, make=make)
                stack.callback(os.close, number)
            yield number, leaf

    def root(self) -> int:
        """Open the route's folder. Raises OSError. With `make_directory: false` it must exist."""
        try:
            return os.open(self.route.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            if self.route.make_directory:
                raise
            raise OSError(errno.ENODEV, f"the folder {self.route.path} does not exist; is its file system mounted?") from None

    def described(self) -> str:
        return str(self.route.path)

    def location(self, name: str) -> str:
        return str(self.route.path / name)

    @contextmanager
    def explained(self, name: str) -> Iterator[None]:
        """Raise errors of the file system as Refused, with the path."""
        try:
            yield
        except FileNotFoundError as error:
            raise Gone(f"{self.location(name)}: {error.strerror}") from None
        except OSError as error:
            raise Refused(f"{self.location(name)}: {error.strerror}") from None


def below(number: int, folder: str, *, make: bool) -> int:
    """Open a sub-folder of an open folder. Raises OSError for a symbolic link."""
    if make:
        with suppress(FileExistsError):
            os.mkdir(folder, dir_fd=number)
    if stat.S_ISLNK(os.stat(folder, dir_fd=number, follow_symlinks=False).st_mode):
        raise OSError(errno.ELOOP, f"its folder {folder} is a symbolic link, which is not followed")
    return os.open(folder, FOLDER, dir_fd=number)


def rename(source: int, old: str, target: int, new: str) -> None:
    """Rename in one step, without overwriting. Raises OSError."""
    if RENAME and RENAME(source, os.fsencode(old), target, os.fsencode(new), NO_REPLACE):
        number = ctypes.get_errno()
        if number in (errno.EINVAL, errno.ENOSYS):
            raise OSError(number, "this file system renames only by overwriting; `finish: direct_then_marker` does without")
        if number == errno.EXDEV:
            raise OSError(number, "its temporary name is on another file system: give the route another form of `temporary`")
        raise OSError(number, os.strerror(number))


def ids(route: FolderRoute) -> tuple[int, int]:
    """The numbers of owner and group; -1 keeps what the file has. Raises Refused for a name that this machine does not know."""
    try:
        return (
            pwd.getpwnam(route.owner).pw_uid if route.owner else -1,
            grp.getgrnam(route.group).gr_gid if route.group else -1,
        )
    except KeyError as error:
        raise Refused(f"{route.path}: {error.args[0]}") from None


@contextmanager
def folder(route: FolderRoute) -> Iterator[Folder]:
    """Open the route's folder within the context."""
    yield Folder(route)

"""SFTP servers, by the library paramiko."""

import errno
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import paramiko
from paramiko.sftp import SFTPError

from dmail_runner.core.redact import one_line
from dmail_runner.declare.route import SftpRoute
from dmail_runner.ship.answers import Blind, Gone, Lost, Refused
from dmail_runner.ship.interface import Content, Rename, Seen
from dmail_runner.ship.sftp_client import Client, open_sftp, said
from dmail_runner.ship.sftp_requests import UNANSWERED, listed, rename_through, upload
from dmail_runner.ship.ssh import fingerprint, server, session

BLOCK = 32 << 10  # bytes of one write that every server accepts
OPENSSH_BLOCK = 127 << 10  # OpenSSH accepts 255 KiB, but larger writes than this are not faster


@dataclass
class Sftp:
    """Files below the route's directory on its server.

    Attributes:
        known: folders that exist.
        marks: the time of change that was set for a waiting file, by name.
    """

    client: Client
    route: SftpRoute
    known: set[str] = field(default_factory=set)
    marks: dict[str, int] = field(default_factory=dict)
    at_once: ClassVar[int] = -1
    copies: ClassVar[bool] = False

    @property
    def renames(self) -> tuple[Rename, ...]:
        """The ways to rename.

        OpenSSH's plain rename never overwrites, but is two steps. Its posix-rename is one step, but overwrites. The runner
        therefore uses posix-rename to a second temporary name, and then the plain rename. A file with its first name was not
        renamed.
        """
        plain = Rename(one_step=self.route.rename == "atomic")
        if self.route.rename == "auto" and "OpenSSH" in self.version:
            return Rename(one_step=True, staged=True), plain
        return (plain,)

    @property
    def version(self) -> str:
        """The version text of the server."""
        channel = self.client.get_channel()
        transport: Any = channel.get_transport() if channel else None
        return str(transport.remote_version) if transport else ""

    def path(self, name: str) -> str:
        return posixpath.join(self.route.directory, name)

    def look(self, name: str) -> Seen | None:
        with self.explained(self.location(name), "asking for its size", refusal=Blind):
            try:
                found = self.attributes(self.path(name))
            except FileNotFoundError:
                return None
            except UNANSWERED:
                raise
            except OSError as refusal:
                return self.opened(name, refusal)
            return Seen(found.st_size, found.st_mtime)

    def opened(self, name: str, refusal: OSError) -> Seen | None:
        """Look a file up by opening it, for servers that answer no other request. Raises OSError."""
        try:
            self.client.open(self.path(name), "rb").close()
        except FileNotFoundError:
            return None
        except UNANSWERED:
            raise
        except OSError:
            raise refusal from None
        return Seen(None)

    def attributes(self, path: str) -> paramiko.SFTPAttributes:
        """The attributes of a file or folder. If the server does not answer `stat`, they come from the list of its folder."""
        try:
            return self.client.stat(path)
        except (FileNotFoundError, *UNANSWERED):
            raise
        except OSError as refusal:
            folder, name = posixpath.split(path)
            try:
                with closing(listed(self.client, folder or ".")) as entries:
                    found = next((entry for entry in entries if entry.filename == name), None)
            except (FileNotFoundError, *UNANSWERED):
                raise
            except OSError:
                if folder not in ("", ".", "/"):
                    # Raises FileNotFoundError if the folder is missing, too: some servers answer "failure" for all that is.
                    self.attributes(folder)
                raise refusal from None
            if found is None:
                raise FileNotFoundError(errno.ENOENT, path) from None
            return found

    def entries(self, folder: str) -> dict[str, Seen]:
        with self.explained(self.location(folder), "listing it"):
            try:
                found = listed(self.client, self.path(folder))
                files = (entry for entry in found if entry.st_mode is None or stat.S_ISREG(entry.st_mode))
                return {
                    entry.filename: Seen(entry.st_size, entry.st_mtime) for entry in files if entry.filename not in (".", "..")
                }
            except FileNotFoundError:
                return {}

    def prepare(self, name: str) -> None:
        if self.route.make_directory:
            self.make_folder(posixpath.dirname(self.path(name)))

    def write(self, name: str, content: Content, created: Callable[[], None] = lambda: None) -> None:
        self.prepare(name)
        with self.explained(self.location(name), "writing"):
            marked = upload(self.client, self.path(name), content, self.block(), created)
        if marked is not None:
            self.marks[name] = marked

    def block(self) -> int:
        """The number of bytes of one write."""
        return OPENSSH_BLOCK if "OpenSSH" in self.version else BLOCK

    def make_folder(self, folder: str) -> None:
        """Create the folder and its parents if they are missing."""
        if folder in ("", ".", "/") or folder in self.known:
            return
        with self.explained(f"{self.route.host}:{folder}", "making the folder"):
            try:
                self.attributes(folder)
            except FileNotFoundError:
                self.make_folder(posixpath.dirname(folder))
                try:
                    self.client.mkdir(folder)
                except UNANSWERED:
                    raise
                except OSError:
                    # Another session may have created it meanwhile. If not, this request reports the error.
                    self.attributes(folder)
        self.known.add(folder)

    def read(self, name: str) -> Iterator[bytes]:
        with self.explained(self.location(name), "reading it back"), self.client.open(self.path(name), "rb") as file:
            # Without a size paramiko would ask for it, and some servers do not report the size of an open file.
            if size := self.size(name):
                file.prefetch(size)
            while chunk := file.read(BLOCK):
                yield chunk

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if the server does not report it."""
        try:
            return self.attributes(self.path(name)).st_size
        except UNANSWERED:
            raise
        except OSError:
            return None

    def publish(self, temporary: str, final: str, staged: str | None) -> None:
        with self.explained(self.location(final), "renaming"):
            if staged is None:
                # The plain rename of SFTP version 3 fails if the target exists.
                self.client.rename(self.path(temporary), self.path(final))
            else:
                rename_through(self.client, *(self.path(name) for name in (temporary, staged, final)))

    def put(self, name: str, content: Content) -> None:
        raise NotImplementedError

    def remove(self, name: str) -> bool:
        with self.explained(self.location(name), "removing"):
            try:
                self.client.remove(self.path(name))
            except FileNotFoundError:
                return False
            return True

    @contextmanager
    def explained(self, location: str, doing: str, refusal: type[Refused] = Refused) -> Iterator[None]:
        """Raise the errors of a session as Refused if the server refused, and otherwise as Lost."""
        try:
            yield
        except TimeoutError:
            raise Lost(f"{location}: no answer in time while {doing}") from None
        except (OSError, paramiko.SSHException, SFTPError, EOFError) as error:
            channel = self.client.get_channel()
            # paramiko reports a closed socket by an OSError, like a refusal.
            lost = not isinstance(error, OSError) or isinstance(error, ConnectionError) or channel is None or channel.closed
            kind = Lost if lost else Gone if isinstance(error, FileNotFoundError) else refusal
            raise kind(f"{location}: {doing} failed: {one_line(said(error))}") from None

    def described(self) -> str:
        channel = self.client.get_channel()
        transport: Any = channel.get_transport() if channel else None
        key = transport.get_remote_server_key()
        return f"{one_line(transport.remote_version)}, {key.get_name()} {fingerprint(key)}, {transport.remote_cipher}"

    def location(self, name: str) -> str:
        return f"sftp://{self.route.host}:{self.route.port}/{self.path(name).removeprefix('./').lstrip('/')}"


@contextmanager
def sftp(route: SftpRoute) -> Iterator[Sftp]:
    """Open a session on the route's server within the context. Raises DeliveryError, which names the stage that failed."""
    with session(route) as transport:
        client = open_sftp(transport, server(route))
        yield Sftp(client, route)

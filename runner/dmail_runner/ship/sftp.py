"""An SFTP server, by paramiko."""

import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, BinaryIO

import paramiko
from paramiko.message import Message
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_HANDLE,
    CMD_OPEN,
    CMD_STATUS,
    CMD_WRITE,
    SFTP_FLAG_CREATE,
    SFTP_FLAG_EXCL,
    SFTP_FLAG_TRUNC,
    SFTP_FLAG_WRITE,
    SFTP_OK,
    SFTPError,
    int64,
)

from dmail_runner.declare.route import SftpRoute
from dmail_runner.ship.delivery import Lost, Refused, Watched
from dmail_runner.ship.sftp_client import Client, open_sftp
from dmail_runner.ship.ssh import fingerprint, server, session

BLOCK = 32 << 10  # bytes that every server takes in one write
OPENSSH_BLOCK = 127 << 10  # OpenSSH takes 255 KiB; this is where fewer answers stop paying for longer copies
WINDOW = 4 << 20  # bytes under way at once


@dataclass(frozen=True)
class Sftp:
    """Files below the route's directory on its server."""

    client: Client
    route: SftpRoute

    @property
    def moves(self) -> bool:
        """Whether a temporary file that is still there was certainly not renamed."""
        return self.route.rename == "atomic" or self.staged

    @property
    def staged(self) -> bool:
        """Whether a rename goes by a second temporary name.

        OpenSSH's plain rename never overwrites, and takes two steps; its posix-rename takes one step, and overwrites. To a name
        that nobody else knows the second is safe, and from there the first: the temporary file's own name then tells everything.
        """
        return self.route.rename == "auto" and self.is_openssh()

    def is_openssh(self) -> bool:
        channel = self.client.get_channel()
        transport: Any = channel.get_transport() if channel else None
        return bool(transport and "OpenSSH" in transport.remote_version)

    def path(self, name: str) -> str:
        return posixpath.join(self.route.directory, name)

    def size(self, name: str) -> int | None:
        with self.explained(self.location(name), "asking for its size"):
            try:
                return self.attributes(self.path(name)).st_size or 0
            except FileNotFoundError:
                return None

    def attributes(self, path: str) -> paramiko.SFTPAttributes:
        """What the server knows of a file or folder; of one that answers no such question, what its folder's list says."""
        try:
            return self.client.stat(path)
        except FileNotFoundError:
            raise
        except OSError as refusal:
            folder, name = posixpath.split(path)
            try:
                listed = {entry.filename: entry for entry in self.client.listdir_attr(folder or ".")}
            except FileNotFoundError:
                raise
            except OSError:
                raise refusal from None
            if name not in listed:
                raise FileNotFoundError(path) from None
            return listed[name]

    def write(
        self, name: str, content: BinaryIO | Watched, closing: Callable[[], None] = lambda: None, *, replace: bool = False
    ) -> None:
        self.make_folder(posixpath.dirname(self.path(name)))
        with self.explained(self.location(name), "writing"):
            flags = SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | (SFTP_FLAG_TRUNC if replace else SFTP_FLAG_EXCL)
            upload(self.client, self.path(name), content, self.block(), flags=flags, closing=closing)

    def block(self) -> int:
        """How many bytes go in one write."""
        return OPENSSH_BLOCK if self.is_openssh() else BLOCK

    def make_folder(self, folder: str) -> None:
        """Make the folder and those above it where they are missing."""
        if folder in ("", ".", "/"):
            return
        with self.explained(f"{self.route.host}:{folder}", "making the folder"):
            try:
                self.attributes(folder)
            except FileNotFoundError:
                if not self.route.make_directory:
                    raise
                self.make_folder(posixpath.dirname(folder))
                try:
                    self.client.mkdir(folder)
                except OSError:
                    # Another session may have made it meanwhile; if not, this says what is wrong.
                    self.attributes(folder)

    def read(self, name: str) -> Iterator[bytes]:
        with self.explained(self.location(name), "reading it back"), self.client.open(self.path(name), "rb") as file:
            # With no size it would ask for one, which not every server tells of an open file.
            file.prefetch(self.attributes(self.path(name)).st_size)
            while chunk := file.read(BLOCK):
                yield chunk

    def publish(self, temporary: str, final: str) -> None:
        with self.explained(self.location(final), "renaming"):
            if not self.staged:
                self.client.rename(self.path(temporary), self.path(final))
                return
            # It ends as the first one does: mail houses leave such names alone.
            second = self.path(f"{temporary.removesuffix('.part')}.{token_hex(6)}.part")
            self.client.posix_rename(self.path(temporary), second)
            try:
                self.client.rename(second, self.path(final))
            except OSError:
                with suppress(OSError):
                    self.client.posix_rename(second, self.path(temporary))
                raise

    def remove(self, name: str) -> None:
        with self.explained(self.location(name), "removing"), suppress(FileNotFoundError):
            self.client.remove(self.path(name))

    @contextmanager
    def explained(self, location: str, doing: str) -> Iterator[None]:
        """Errors in the middle of a session: Refused where the server answered no, else Lost."""
        try:
            yield
        except TimeoutError:
            raise Lost(f"{location}: no answer in time while {doing}") from None
        except (OSError, paramiko.SSHException, SFTPError, EOFError) as error:
            channel = self.client.get_channel()
            # A closed socket is told by an OSError, as a refusal is.
            lost = not isinstance(error, OSError) or isinstance(error, ConnectionError) or channel is None or channel.closed
            raise (Lost if lost else Refused)(f"{location}: {doing} failed: {error or type(error).__name__}") from None

    def described(self) -> str:
        channel = self.client.get_channel()
        transport: Any = channel.get_transport() if channel else None
        key = transport.get_remote_server_key()
        return f"{transport.remote_version}, {key.get_name()} {fingerprint(key)}, {transport.remote_cipher}"

    def location(self, name: str) -> str:
        return f"sftp://{self.route.host}:{self.route.port}/{self.path(name).removeprefix('./').lstrip('/')}"


class Writes:
    """Answers to pipelined writes. paramiko's own file object drops those that come late."""

    def __init__(self) -> None:
        self.waiting = 0
        self.refusal: str | None = None

    def _async_response(self, kind: int, message: Message, _: int) -> None:
        """Take an answer, whichever request was waiting; paramiko calls this by name."""
        self.waiting -= 1
        code = message.get_int() if kind == CMD_STATUS else None
        if code != SFTP_OK and self.refusal is None:
            self.refusal = f"a write was refused: {message.get_text()}" if code is not None else f"unexpected answer {kind}"


def upload(
    client: paramiko.SFTPClient,
    path: str,
    content: BinaryIO | Watched,
    size: int,
    *,
    flags: int,
    closing: Callable[[], None] = lambda: None,
) -> None:
    """Write a file with many writes under way, and check the answer to each of them, and to the close. Raises OSError.

    `size` is that of one write in bytes. `closing` is called before the close, and not if a write was refused.
    """
    wire: Any = client
    kind, answer = wire._request(CMD_OPEN, path.encode(), flags, paramiko.SFTPAttributes())
    if kind != CMD_HANDLE:
        raise OSError("the server gave no handle")
    handle = answer.get_binary()
    writes = Writes()
    offset = 0
    while not writes.refusal and (block := content.read(size)):
        wire._async_request(writes, CMD_WRITE, handle, int64(offset), block)
        offset += len(block)
        writes.waiting += 1
        while writes.waiting >= WINDOW // size:
            wire._read_response()
    # Also after a refusal: an answer that is left over would be taken for that to the next request.
    while writes.waiting:
        wire._read_response()
    if not writes.refusal:
        closing()
    try:
        wire._request(CMD_CLOSE, handle)
    finally:
        if writes.refusal:
            raise OSError(writes.refusal)


@contextmanager
def sftp(route: SftpRoute) -> Iterator[Sftp]:
    """A session on the route's server. Raises DeliveryError, with the stage at which it failed."""
    with session(route) as transport:
        client = open_sftp(transport, server(route))
        yield Sftp(client, route)

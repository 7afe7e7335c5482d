"""An SFTP server, by paramiko."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

import paramiko
from paramiko.message import Message
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_HANDLE,
    CMD_OPEN,
    CMD_STATUS,
    CMD_WRITE,
    SFTP_FLAG_CREATE,
    SFTP_FLAG_TRUNC,
    SFTP_FLAG_WRITE,
    SFTP_OK,
    int64,
)

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import SftpRoute
from dmail_runner.ship.delivery import Lost, Refused, Watched
from dmail_runner.ship.ssh import fingerprint, server, session, stage

BLOCK = 32 << 10  # bytes that every server takes in one write
OPENSSH_BLOCK = 127 << 10  # OpenSSH takes 255 KiB; this is where fewer answers stop paying for longer copies
WINDOW = 4 << 20  # bytes under way at once


@dataclass(frozen=True)
class Sftp:
    """Files below the route's directory on its server."""

    client: paramiko.SFTPClient
    route: SftpRoute
    moves: ClassVar[bool] = True

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

    def write(self, name: str, content: BinaryIO | Watched) -> None:
        self.make_folder(posixpath.dirname(self.path(name)))
        with self.explained(self.location(name), "writing"):
            upload(self.client, self.path(name), content, self.block())

    def block(self) -> int:
        """How many bytes go in one write."""
        channel = self.client.get_channel()
        transport: Any = channel.get_transport() if channel else None
        return OPENSSH_BLOCK if transport and "OpenSSH" in transport.remote_version else BLOCK

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
        # The plain rename of SFTP version 3 fails where the target exists; posix_rename would replace it.
        with self.explained(self.location(final), "renaming"):
            self.client.rename(self.path(temporary), self.path(final))

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
        except (OSError, paramiko.SSHException, EOFError) as error:
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


def upload(client: paramiko.SFTPClient, path: str, content: BinaryIO | Watched, size: int) -> None:
    """Write a file with many writes under way; every answer, and that to the closing, is looked at. Raises OSError."""
    wire: Any = client
    flags = SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_TRUNC
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
    try:
        wire._request(CMD_CLOSE, handle)
    finally:
        if writes.refusal:
            raise OSError(writes.refusal)


@contextmanager
def sftp(route: SftpRoute) -> Iterator[Sftp]:
    """A session on the route's server. Raises DeliveryError, with the stage at which it failed."""
    with session(route) as transport:
        with stage(server(route), "opening SFTP"):
            client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise DeliveryError(f"{server(route)}: the server offers no SFTP")
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(route.timeout)
        yield Sftp(client, route)

"""An SFTP server, by paramiko."""

import base64
import hashlib
import logging
import posixpath
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
    SFTP_FLAG_TRUNC,
    SFTP_FLAG_WRITE,
    SFTP_OK,
    int64,
)

from runner.errors import DeliveryError
from runner.route import SftpRoute
from runner.ship.delivery import Refused

# What goes wrong is told once, by this module's errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

BLOCK = 32768  # what every server takes in one write
WINDOW = 64  # writes under way at once: 2 MiB

CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
# What paramiko still offers and nobody should take.
WEAK_MACS = ("hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96")


@dataclass(frozen=True)
class Sftp:
    """Files below the route's directory on its server."""

    client: paramiko.SFTPClient
    route: SftpRoute

    def path(self, name: str) -> str:
        return posixpath.join(self.route.directory, name)

    def size(self, name: str) -> int | None:
        with explained(self.location(name), "asking for its size"):
            try:
                return self.client.stat(self.path(name)).st_size or 0
            except FileNotFoundError:
                return None

    def write(self, name: str, content: BinaryIO) -> None:
        self.make_folder(posixpath.dirname(self.path(name)))
        with explained(self.location(name), "writing"):
            upload(self.client, self.path(name), content)

    def make_folder(self, folder: str) -> None:
        """Make the folder and those above it where they are missing."""
        if folder in ("", ".", "/"):
            return
        with explained(f"{self.route.host}:{folder}", "making the folder"):
            try:
                self.client.stat(folder)
            except FileNotFoundError:
                self.make_folder(posixpath.dirname(folder))
                self.client.mkdir(folder)

    def read(self, name: str) -> Iterator[bytes]:
        with explained(self.location(name), "reading it back"), self.client.open(self.path(name), "rb") as file:
            file.prefetch()
            while chunk := file.read(BLOCK):
                yield chunk

    def publish(self, temporary: str, final: str) -> None:
        # The plain rename of SFTP version 3 fails where the target exists; posix_rename would replace it.
        with explained(self.location(final), "renaming"):
            self.client.rename(self.path(temporary), self.path(final))

    def remove(self, name: str) -> None:
        with explained(self.location(name), "removing"), suppress(FileNotFoundError):
            self.client.remove(self.path(name))

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


def upload(client: paramiko.SFTPClient, path: str, content: BinaryIO) -> None:
    """Write a file with many writes under way; every answer, and that to the closing, is looked at. Raises OSError."""
    wire: Any = client
    flags = SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_TRUNC
    kind, answer = wire._request(CMD_OPEN, path.encode(), flags, paramiko.SFTPAttributes())
    if kind != CMD_HANDLE:
        raise OSError("the server gave no handle")
    handle = answer.get_binary()
    writes = Writes()
    offset = 0
    while not writes.refusal and (block := content.read(BLOCK)):
        wire._async_request(writes, CMD_WRITE, handle, int64(offset), block)
        offset += len(block)
        writes.waiting += 1
        while writes.waiting >= WINDOW:
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
    server = f"{route.host}:{route.port}"
    key = private_key(route)
    with stage(server, "connecting"):
        connection = socket.create_connection((route.host, route.port), timeout=route.timeout)
    with stage(server, "the SSH handshake"):
        transport = paramiko.Transport(connection, disabled_algorithms={"macs": WEAK_MACS})
    try:
        transport.get_security_options().ciphers = CIPHERS
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = transport.channel_timeout = (
            route.timeout
        )
        with stage(server, "the SSH handshake"):
            transport.start_client(timeout=route.timeout)
            host_key = transport.get_remote_server_key()
        check_host_key(route, host_key, server)
        with stage(server, f"authentication as {route.user}"):
            if key:
                transport.auth_publickey(route.user, key)
            else:
                transport.auth_password(route.user, route.password.get_secret_value() if route.password else "", fallback=False)
        with stage(server, "opening SFTP"):
            client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise DeliveryError(f"{server}: the server offers no SFTP")
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(route.timeout)
        yield Sftp(client, route)
    finally:
        transport.close()


def private_key(route: SftpRoute) -> paramiko.PKey | None:
    """The route's private key, read from its file."""
    if route.private_key is None:
        return None
    passphrase = route.passphrase.get_secret_value() if route.passphrase else None
    try:
        key: paramiko.PKey = paramiko.PKey.from_path(route.private_key, passphrase)
    except FileNotFoundError:
        raise DeliveryError(f"the private key {route.private_key} does not exist") from None
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError, TypeError, OSError) as error:
        raise DeliveryError(
            f"the private key {route.private_key} cannot be read: {error}", todo="is its `passphrase` right?"
        ) from None
    return key


def check_host_key(route: SftpRoute, key: paramiko.PKey, server: str) -> None:
    """The server is the one that was pinned. Raises DeliveryError before anything is said to it."""
    found = "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    if found != route.host_key:
        raise DeliveryError(
            f"{server}: its {key.get_name()} host key is {found}, but {route.host_key} is pinned: nothing was sent",
            todo="ask the provider whether they changed it, and only then change `host_key` in profiles/routes.yml",
        )


@contextmanager
def stage(server: str, doing: str) -> Iterator[None]:
    """Errors while a session is made, with the stage."""
    try:
        yield
    except paramiko.AuthenticationException as error:
        raise DeliveryError(
            f"{server}: {doing} was refused: {error}", todo="check the route's user and its password or key"
        ) from None
    except TimeoutError:
        raise DeliveryError(f"{server}: no answer in time at {doing}") from None
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise DeliveryError(f"{server}: {doing} failed: {error or type(error).__name__}") from None


@contextmanager
def explained(location: str, doing: str) -> Iterator[None]:
    """Errors in the middle of a session: Refused where the server answered no, else DeliveryError."""
    try:
        yield
    except TimeoutError:
        raise DeliveryError(f"{location}: no answer in time while {doing}") from None
    except (OSError, paramiko.SSHException, EOFError, ConnectionError) as error:
        lost = isinstance(error, (paramiko.SSHException, EOFError, ConnectionError))
        kind = DeliveryError if lost else Refused
        raise kind(f"{location}: {doing} failed: {error}") from None

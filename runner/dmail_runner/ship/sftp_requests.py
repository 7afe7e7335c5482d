"""Requests that paramiko's SFTP client does not have, or whose answers it does not check."""

from collections.abc import Callable, Generator
from time import monotonic
from typing import Any

import paramiko
from paramiko.message import Message
from paramiko.sftp import (
    CMD_ATTRS,
    CMD_CLOSE,
    CMD_EXTENDED,
    CMD_FSETSTAT,
    CMD_FSTAT,
    CMD_HANDLE,
    CMD_NAME,
    CMD_OPEN,
    CMD_OPENDIR,
    CMD_READDIR,
    CMD_RENAME,
    CMD_STATUS,
    CMD_WRITE,
    SFTP_FLAG_CREATE,
    SFTP_FLAG_EXCL,
    SFTP_FLAG_WRITE,
    SFTP_OK,
    int64,
)

from dmail_runner.ship.interface import Content
from dmail_runner.ship.lenient import lenient
from dmail_runner.ship.sftp_client import Client

WINDOW = 4 << 20  # bytes that are sent before their answers arrive
ATTRIBUTES: Any = paramiko.SFTPAttributes
PATIENCE = 10  # time-outs of a whole list: a server may send one without an end
UNANSWERED = (TimeoutError, ConnectionError)  # lost connections. paramiko raises the server's refusals as other OSErrors


class Writes:
    """Collects the answers to pipelined writes. paramiko's file object drops answers that arrive late."""

    def __init__(self) -> None:
        self.waiting = 0
        self.refusal: str | None = None

    def _async_response(self, kind: int, message: Message, _: int) -> None:
        """Record an answer. paramiko calls this method by its name."""
        self.waiting -= 1
        code = message.get_int() if kind == CMD_STATUS else None
        if code != SFTP_OK and self.refusal is None:
            self.refusal = (
                f"a write was refused: {lenient(message).get_text()}" if code is not None else f"unexpected answer {kind}"
            )


def rename_through(client: Client, temporary: str, staged: str, final: str) -> None:
    """Rename in one step to a second name, and then to the final name without overwriting. Raises OSError."""
    wire: Any = client
    nobody = type(None)  # paramiko's marker of a request whose answer is awaited
    with client.together():
        first = wire._async_request(nobody, CMD_EXTENDED, "posix-rename@openssh.com", temporary.encode(), staged.encode())
        second = wire._async_request(nobody, CMD_RENAME, staged.encode(), final.encode())
    refusal: OSError | None = None
    try:
        wire._read_response(first)
    except UNANSWERED:
        raise
    except OSError as error:
        refusal = error
    try:
        wire._read_response(second)
    except UNANSWERED:
        raise
    except OSError as error:
        raise refusal or error from None


def upload(client: paramiko.SFTPClient, path: str, content: Content, size: int, created: Callable[[], None]) -> int | None:
    """Write a new file by pipelined writes, and check every answer, including the one to the close. Raises OSError.

    Args:
        client: the session.
        path: the file's path on the server. No file must have it.
        content: the file's content. If the file is to wait, its time of change is set as `set_back` does, before it is closed.
        size: the number of bytes of one write.
        created: called when the file exists.

    Returns:
        The time of change that was set; None if none was set.
    """
    wire: Any = client
    flags = SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_EXCL
    kind, answer = wire._request(CMD_OPEN, path.encode(), flags, paramiko.SFTPAttributes())
    if kind != CMD_HANDLE:
        raise OSError("the server returned no file handle")
    created()
    handle = answer.get_binary()
    writes = Writes()
    offset = 0
    while not writes.refusal and (block := content.read(size)):
        wire._async_request(writes, CMD_WRITE, handle, int64(offset), block)
        offset += len(block)
        writes.waiting += 1
        while writes.waiting >= WINDOW // size:
            wire._read_response()
    # Read all answers after a refusal, too. Otherwise the next request would get one of them.
    while writes.waiting:
        wire._read_response()
    marked = set_back(wire, handle) if content.waits and not writes.refusal else None
    try:
        wire._request(CMD_CLOSE, handle)
    finally:
        if writes.refusal:
            raise OSError(writes.refusal)
    return marked


def set_back(wire: Any, handle: bytes) -> int | None:
    """Set an open file's time of change one second back, so that any later write changes it, even within the same second.

    Returns that time in seconds since 1970; None if the server does not allow it. Raises OSError if it does not answer.
    """
    try:
        kind, answer = wire._request(CMD_FSTAT, handle)
        time: int | None = ATTRIBUTES._from_msg(answer).st_mtime if kind == CMD_ATTRS else None
        if not time:
            return None
        times = paramiko.SFTPAttributes()
        times.st_atime = times.st_mtime = time - 1
        wire._request(CMD_FSETSTAT, handle, times)
    except UNANSWERED:
        raise
    except OSError:
        return None
    return time - 1


def listed(client: Client, folder: str) -> Generator[paramiko.SFTPAttributes]:
    """The entries of a folder, one after the other. Raises OSError, also if the list does not end in time."""
    wire: Any = client
    kind, answer = wire._request(CMD_OPENDIR, folder.encode())
    if kind != CMD_HANDLE:
        raise OSError("the server returned no folder handle")
    handle, seconds = answer.get_binary(), client.watchdog.seconds * PATIENCE
    end = monotonic() + seconds
    try:
        while True:
            kind, answer = wire._request(CMD_READDIR, handle)
            if kind != CMD_NAME:
                raise OSError("the server returned no names")
            if monotonic() > end:
                raise OSError(f"the list has not ended after {seconds:.0f} s")
            for _ in range(answer.get_int()):
                name, line = answer.get_text(), answer.get_text()
                yield ATTRIBUTES._from_msg(answer, name, line)
    except EOFError:
        return
    finally:
        wire._request(CMD_CLOSE, handle)

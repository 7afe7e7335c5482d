"""The files of an SFTP server that does everything right. An odd server is a subclass that does one thing differently."""

import errno
import os
import posixpath
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
from paramiko.sftp import SFTP_OK

from servers.mail_house import MailHouse

SILENT = -1
"""In place of a status: the request gets no answer."""


class File(paramiko.SFTPHandle):
    """An open file."""

    def __init__(self, files: "Files", path: Path, flags: int) -> None:
        super().__init__(flags)
        self.files, self.path, self.flags = files, path, flags
        self.number = os.open(path, flags, 0o600)

    def write(self, offset: int, data: bytes) -> int:
        os.pwrite(self.number, data, offset)
        return SFTP_OK

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self.number, length, offset)

    def stat(self) -> Any:
        return self.files.attributes(os.fstat(self.number))

    def shut(self) -> int:
        """The client closes the file; the status that answers it."""
        self.close()
        return self.files.closed(self.path) if self.flags & (os.O_WRONLY | os.O_RDWR) else SFTP_OK

    def close(self) -> None:
        """Also called where a session ends with an open file."""
        if self.number >= 0:
            os.close(self.number)
        self.number = -1


class Files(paramiko.SFTPServerInterface):
    """The files below `root`. Each request is one method, which returns its result or an SFTP status.

    Attributes:
        handle: what a file is, once it is open.
        home: where relative paths start.
        inbox: the folder in which files arrive, as a client calls it.
        extensions: names and versions of what the server can do beyond SFTP version 3.
        house: the mail house that fetches files from this server.
        over: is set when the server is stopped, so that nothing waits for longer.
        log: the requests so far.
    """

    handle: type[File] = File
    home = "/"
    inbox = "in"
    extensions: tuple[str, ...] = ()

    def __init__(
        self, server: paramiko.ServerInterface, root: Path, house: MailHouse, over: threading.Event, log: list[str]
    ) -> None:
        super().__init__(server)
        self.root, self.house, self.over, self.log = root, house, over, log

    def asked(self, request: str) -> int | None:
        """Called before each request, with its name in SFTP. A status is the answer, and the request is not carried out."""
        return None

    def status(self, status: int) -> int:
        """What is sent in place of a status."""
        return status

    def words(self, status: int) -> str | None:
        """The text beside a status; None for the usual one."""
        return None

    def canonicalize(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.home, path)).replace("//", "/")

    def real(self, path: str) -> Path:
        """The file of this machine that a client's path means."""
        return self.root / self.canonicalize(path).lstrip("/")

    def attributes(self, found: os.stat_result, name: str | None = None) -> paramiko.SFTPAttributes:
        """What is said of a file."""
        return paramiko.SFTPAttributes.from_stat(found, name)

    def stat(self, path: str) -> Any:
        return result(lambda: self.attributes(self.real(path).stat()))

    def lstat(self, path: str) -> Any:
        return self.stat(path)

    def list_folder(self, path: str) -> Any:
        return result(lambda: [self.attributes(entry.stat(), entry.name) for entry in sorted(self.real(path).iterdir())])

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:
        return result(lambda: self.opened(self.real(path), flags))

    def opened(self, path: Path, flags: int) -> File:
        """A handle to a file of this machine. Raises OSError."""
        return self.handle(self, path, flags)

    def closed(self, path: Path) -> int:
        """A file that was written has been closed by the client; the status that answers it."""
        return SFTP_OK

    def remove(self, path: str) -> Any:
        return result(lambda: self.real(path).unlink())

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> Any:
        return result(lambda: self.real(path).mkdir())

    def rename(self, oldpath: str, newpath: str) -> Any:
        """Without overwriting, as SFTP version 3 wants it, and in one step."""
        return result(lambda: self.move(self.real(oldpath), self.real(newpath)))

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        return result(lambda: self.replace(self.real(oldpath), self.real(newpath)))

    def move(self, old: Path, new: Path) -> None:
        """Rename, but not over another file. Raises OSError."""
        if new.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self.replace(old, new)

    def replace(self, old: Path, new: Path) -> None:
        """Rename, whatever is there. Raises OSError."""
        old.rename(new)


def result(step: Callable[[], Any]) -> Any:
    """What a step returns, OK where that is nothing, or the status of the fault that it raises."""
    try:
        found = step()
    except OSError as error:
        return paramiko.SFTPServer.convert_errno(error.errno or 0)
    return SFTP_OK if found is None else found

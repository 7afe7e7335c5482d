"""SFTP servers whose accounts may not do everything."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import paramiko
from paramiko.sftp import SFTP_PERMISSION_DENIED

from servers.files import SILENT, File, Files

LOOKS = frozenset({"stat", "lstat", "fstat", "opendir", "readdir", "read"})


def refusing(*requests: str, status: int = SFTP_PERMISSION_DENIED) -> type[Files]:
    """Files that answer these requests with that status."""

    class Refusing(Files):
        def asked(self, request: str) -> int | None:
            return status if request in requests else None

    return Refusing


def silent(request: str) -> type[Files]:
    """Files that never answer this request."""
    return refusing(request, status=SILENT)


class Shouting(refusing("rename")):  # type: ignore[misc]
    """Refuses renames, in words with escape sequences."""

    def words(self, status: int) -> str | None:
        return "no \x1b[31mrenames\x1b[0m\r\nhere\x07" if status == SFTP_PERMISSION_DENIED else None


class WriteOnly(refusing(*LOOKS, "remove", "mkdir")):  # type: ignore[misc]
    """Shows nothing at all: not even whether a file can be opened for reading."""

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:
        return super().open(path, flags, attr) if flags else SFTP_PERMISSION_DENIED


class WriteAndNothingElse(WriteOnly):
    """The same, without renames."""

    def rename(self, oldpath: str, newpath: str) -> int:
        return int(SFTP_PERMISSION_DENIED)


class OnlyCsv(Files):
    """Takes only names that end in .csv."""

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:
        return super().open(path, flags, attr) if not flags or fnmatch(path, "*.csv") else SFTP_PERMISSION_DENIED


class NoOverwriting(Files):
    """Opens no name for writing that is there already."""

    def opened(self, path: Path, flags: int) -> File:
        if flags and path.exists():
            raise PermissionError(13, "exists")
        return super().opened(path, flags)

"""SFTP servers that say little of their files."""

from typing import Any

import paramiko
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_OP_UNSUPPORTED

from servers.files import Files
from servers.rights import LOOKS


class NoSize(Files):
    """Says that a file is there, and not how large it is."""

    def attributes(self, found: Any, name: str | None = None) -> paramiko.SFTPAttributes:
        told = super().attributes(found, name)
        told.st_size = None
        return told


class ReadsOnly(Files):
    """Tells nothing of a file, and lets it be read."""

    def asked(self, request: str) -> int | None:
        return SFTP_OP_UNSUPPORTED if request in LOOKS - {"read"} else None


class Blind(Files):
    """Says of every file that it is not there."""

    def stat(self, path: str) -> Any:
        return super().stat(path) if self.real(path).is_dir() else SFTP_NO_SUCH_FILE

    def list_folder(self, path: str) -> Any:
        return []


class Vague(Files):
    """Answers "failure" for whatever is missing."""

    def status(self, status: int) -> int:
        return int(SFTP_FAILURE if status == SFTP_NO_SUCH_FILE else status)


class CaseBlind(Files):
    """Does not tell upper case from lower case."""

    def real(self, path: str) -> Any:
        place = self.root
        for name in self.canonicalize(path).strip("/").split("/"):
            there = {entry.name.lower(): entry for entry in place.iterdir()} if place.is_dir() else {}
            place = there.get(name.lower(), place / name)
        return place


class Latin(Files):
    """Writes texts and names as an old Windows does, and answers `stat` with a list only. Another file has such a name, too."""

    def asked(self, request: str) -> int | None:
        return SFTP_OP_UNSUPPORTED if request in ("stat", "lstat", "fstat") else None

    def words(self, status: int) -> Any:
        return "erledigt: 1 Vorgang für die Übertragung".encode("latin-1")

    def list_folder(self, path: str) -> Any:
        found = super().list_folder(path)
        if isinstance(found, list):
            other = paramiko.SFTPAttributes()
            other.filename = "Größen.csv".encode("latin-1")
            found.append(other)
        return found


class Home(Files):
    """Relative paths start in the user's own folder."""

    home = "/home/acme"


class Root(Home):
    """Files arrive in the root of the server, which is not where relative paths start."""

    inbox = "/"

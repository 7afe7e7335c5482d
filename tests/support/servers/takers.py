"""SFTP servers whose files are fetched at once."""

from pathlib import Path

from paramiko.sftp import SFTP_OK

from servers.files import Files
from servers.renames import AnswerLost, RefusedButDone


class TakenOnClose(Files):
    """The mail house takes each file as it is closed, whatever its name."""

    def closed(self, path: Path) -> int:
        self.house.take(path)
        return SFTP_OK


class TakenOnRename(Files):
    """The mail house takes each file as it is renamed."""

    def replace(self, old: Path, new: Path) -> None:
        super().replace(old, new)
        self.house.take(new)


class RefusedAndTaken(RefusedButDone, TakenOnRename):
    """Renames, answers "failure", and the mail house takes the file at once."""


class LostAndTaken(AnswerLost, TakenOnRename):
    """Renames, does not answer, and the mail house takes the file at once."""

"""SFTP servers that rename in their own way."""

import shutil
from pathlib import Path
from typing import Any

from paramiko.sftp import SFTP_FAILURE, SFTP_OK

from servers.files import SILENT, Files, result


class PosixRename(Files):
    """Has `posix-rename@openssh.com`, which renames in one step, and overwrites."""

    extensions = ("posix-rename@openssh.com", "1")


class Copied(Files):
    """Renames by a copy, and removes the old name then."""

    def replace(self, old: Path, new: Path) -> None:
        shutil.copyfile(old, new)
        old.unlink()


class CopyStays(Files):
    """Renames by a copy, and leaves the old name."""

    def replace(self, old: Path, new: Path) -> None:
        shutil.copyfile(old, new)


class Overwrites(Files):
    """Replaces what has the new name."""

    def move(self, old: Path, new: Path) -> None:
        self.replace(old, new)


class RefusedButDone(Files):
    """Renames, and answers "failure"."""

    def rename(self, oldpath: str, newpath: str) -> Any:
        answer = super().rename(oldpath, newpath)
        return SFTP_FAILURE if answer == SFTP_OK else answer


class AnswerLost(Files):
    """Renames, and the answer does not come."""

    def rename(self, oldpath: str, newpath: str) -> Any:
        super().rename(oldpath, newpath)
        return SILENT


class DoneLate(Files):
    """Does not answer a rename, and does it when the client has hung up."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.late: list[tuple[Path, Path]] = []

    def rename(self, oldpath: str, newpath: str) -> int:
        self.late.append((self.real(oldpath), self.real(newpath)))
        return SILENT

    def session_ended(self) -> None:
        for old, new in self.late:
            result(lambda old=old, new=new: self.move(old, new))  # type: ignore[misc]

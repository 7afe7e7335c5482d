"""A mail house: it takes the files that it finds, and nobody gets them back."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path


@dataclass(frozen=True)
class MailHouse:
    """A mail house, and what a test and its server tell each other.

    Attributes:
        folder: keeps what was taken, in files called `NUMBER NAME`.
        looks_at: the names that it takes.
    """

    folder: Path
    looks_at: str = "letter*.csv"

    @property
    def silent(self) -> Path:
        """A file that the server makes when it falls silent."""
        return self.folder.with_name(f"{self.folder.name}.silent")

    @property
    def go(self) -> Path:
        """A file that the test makes to let late renames begin."""
        return self.folder.with_name(f"{self.folder.name}.go")

    def take(self, path: Path) -> None:
        """Take one file, whatever its name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path.rename(self.folder / f"{len(self.taken)} {path.name}")

    def sweep(self, root: Path) -> None:
        """Take every file with a name that the mail house looks at."""
        for path in sorted(root.rglob("*")):
            if path.is_file() and fnmatch(path.name, self.looks_at):
                self.take(path)

    @property
    def taken(self) -> list[Path]:
        """What it has, in no order."""
        return list(self.folder.iterdir()) if self.folder.exists() else []

    @property
    def names(self) -> list[str]:
        """The files of `folder`."""
        return [path.name for path in self.taken]

    def copies(self, content: bytes) -> int:
        """How many whole copies of a file it has."""
        return sum(path.read_bytes() == content for path in self.taken)

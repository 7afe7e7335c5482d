"""The record of a part: each step of each attempt to deliver it, written into the ledger before the step begins."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce


class Word(StrEnum):
    """A step of an attempt. It is on the disk before the step begins."""

    CREATING = "creating"  # the temporary file is about to be created; with `finish: direct`, the final one
    CREATED = "created"  # the final file was created by us, with `finish: direct`
    CLOSING = "closing"  # the last bytes and the close are about to be sent: some servers take a file then
    PUBLISHING = "publishing"  # the bytes are about to get the final name
    PUBLISHING_ONE = "publishing_one"  # the same, by a rename that is known to be one step
    ANSWERED = "answered"  # the server said that it has renamed the file, and then the connection was lost
    ABANDONED = "abandoned"  # this attempt has not delivered anything, and cannot any more
    NOT_DELIVERED = "not_delivered"  # a person says that the provider does not have the file


# After these words the provider may have the part, or a piece of it.
DOUBTFUL = frozenset({Word.CREATED, Word.CLOSING, Word.PUBLISHING, Word.PUBLISHING_ONE, Word.ANSWERED})


@dataclass(frozen=True)
class Entry:
    """One row of the record.

    Attributes:
        temporary: the name to which the bytes are sent.
        staged: the second name of a rename.
        location: the final name with its server; None in records of earlier versions, and if a person has spoken.
    """

    word: Word
    temporary: str
    sha256: str
    staged: str | None = None
    location: str | None = None


@dataclass(frozen=True)
class Attempt:
    """The latest attempt to deliver a part.

    Attributes:
        word: its last step; None if there was no attempt.
        temporary: the name to which its bytes were sent.
        staged: the second names of renames in two steps.
        sha256: the SHA-256 of its bytes.
        location: the final name with its server, as the last step knew it.
    """

    word: Word | None = None
    temporary: str = ""
    staged: tuple[str, ...] = ()
    sha256: str = ""
    location: str | None = None

    @property
    def doubtful(self) -> bool:
        """Whether the provider may have the part, or a piece of it, by this attempt."""
        return self.word in DOUBTFUL

    @property
    def is_open(self) -> bool:
        """Whether the server may have a file of this attempt."""
        return self.word not in (None, Word.ABANDONED)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that its bytes may have, except for the final one."""
        return (self.temporary, *self.staged)

    def after(self, entry: Entry) -> "Attempt":
        """The attempt after one more entry, which may begin a new attempt."""
        same = self.is_open and self.temporary == entry.temporary and entry.word is not Word.CREATING
        staged = self.staged if same else ()
        staged = (*staged, entry.staged) if entry.staged else staged
        return Attempt(entry.word, entry.temporary, staged, entry.sha256, entry.location)


def latest_attempt(entries: Iterable[Entry]) -> Attempt:
    """The latest attempt, from the entries of a part in order."""
    return reduce(Attempt.after, entries, Attempt())


@dataclass
class Intents:
    """The record of one part.

    Attributes:
        write: writes an entry, and returns when it is on the disk. The default writes nothing.
        attempt: the latest attempt.
        owner: another run that has delivered a file of this name.
        leave: called for each name on the server that could not be removed.
        left: these names.
        verified: the size and the time of change of the file that this process has uploaded and compared.
    """

    write: Callable[[Entry], None] = lambda _: None
    attempt: Attempt = Attempt()
    owner: str | None = None
    leave: Callable[[str], None] = lambda _: None
    left: list[str] = field(default_factory=list)
    verified: object = None

    def record(self, entry: Entry) -> None:
        """Record a step of an attempt. It is on the disk when this returns."""
        self.write(entry)
        self.attempt = self.attempt.after(entry)

    def leave_behind(self, name: str) -> None:
        """Record that a file with the part's bytes could not be removed."""
        if name not in self.left:
            self.left.append(name)
            self.leave(name)

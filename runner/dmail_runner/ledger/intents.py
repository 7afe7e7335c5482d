"""What was about to happen to a part: written into the ledger before it happens, attempt by attempt, and never taken back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce


class Word(StrEnum):
    """What the ledger says of an attempt. Each word is on the disk before the step that it names begins."""

    CREATING = "creating"  # the temporary file is about to be created; with `finish: direct`, the final one
    CREATED = "created"  # the final file was created by us, with `finish: direct`
    CLOSING = "closing"  # the last bytes and the close are about to be sent: some servers take a file then
    PUBLISHING = "publishing"  # the bytes are about to get the final name
    PUBLISHING_ONE = "publishing_one"  # the same, by a rename that is known to be one step
    ANSWERED = "answered"  # the server said that it has renamed the file, and then the connection was lost
    ABANDONED = "abandoned"  # nothing of this attempt can become, or have become, a delivery
    NOT_DELIVERED = "not_delivered"  # a person says that the provider does not have the file


# After these words the provider may have the part, or a piece of it.
DOUBTFUL = frozenset({Word.CREATED, Word.CLOSING, Word.PUBLISHING, Word.PUBLISHING_ONE, Word.ANSWERED})


@dataclass(frozen=True)
class Entry:
    """One row of the record. `temporary`: the name to which the bytes are sent. `staged`: the second name of a rename."""

    word: Word
    temporary: str
    sha256: str
    staged: str | None = None


@dataclass(frozen=True)
class Attempt:
    """The latest attempt to deliver a part: its last word, the names that it has used, and the bytes that it was made for."""

    word: Word | None = None
    temporary: str = ""
    staged: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether the provider may have the part, or a piece of it, by this attempt."""
        return self.word in DOUBTFUL

    @property
    def is_open(self) -> bool:
        """Whether something of this attempt may lie on the server."""
        return self.word not in (None, Word.ABANDONED)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name but the final one that its bytes may have."""
        return (self.temporary, *self.staged)

    def after(self, entry: Entry) -> "Attempt":
        """The attempt after one more entry, or the new one that the entry begins."""
        same = self.is_open and self.temporary == entry.temporary and entry.word is not Word.CREATING
        staged = self.staged if same else ()
        return Attempt(entry.word, entry.temporary, (*staged, entry.staged) if entry.staged else staged, entry.sha256)


def latest_attempt(entries: Iterable[Entry]) -> Attempt:
    """What a part's entries, in order, say of its latest attempt."""
    return reduce(Attempt.after, entries, Attempt())


@dataclass
class Intents:
    """The record of one part. `write` returns once an entry is on the disk; by default the record is kept in memory alone.

    Attributes:
        attempt: the latest attempt, as the ledger has it.
        owner: another run that has delivered a file of this name.
        leave: called for each name on the server that could not be removed. left: those names.
        verified: size and time of change of what this process has uploaded and compared.

    """

    write: Callable[[Entry], None] = lambda _: None
    attempt: Attempt = Attempt()
    owner: str | None = None
    leave: Callable[[str], None] = lambda _: None
    left: list[str] = field(default_factory=list)
    verified: object = None

    def record(self, word: Word, temporary: str, sha256: str, staged: str | None = None) -> None:
        """Write a word about the attempt with this temporary name. When this returns, it is on the disk."""
        entry = Entry(word, temporary, sha256, staged)
        self.write(entry)
        self.attempt = self.attempt.after(entry)

    def leave_behind(self, name: str) -> None:
        """Record that a name with the part's bytes could not be removed."""
        if name not in self.left:
            self.left.append(name)
            self.leave(name)

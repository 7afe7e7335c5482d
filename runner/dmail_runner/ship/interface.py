"""The interface of a destination, and the file that is sent to it."""

from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.answers import Spoiled


class Seen(NamedTuple):
    """A file on the server: its size in bytes and its time of change, if the server reports them."""

    size: int | None
    modified: float | None = None


class Rename(NamedTuple):
    """A way to give a file its final name without overwriting another file.

    Attributes:
        one_step: the rename is known to be atomic: the file never has its temporary and its new name at the same time.
        staged: the file goes through a second temporary name.

    """

    one_step: bool
    staged: bool = False


class Content(FileIO):
    """The file that is sent.

    Args:
        path: its path.
        size: its size in bytes.
        watch: called with the number of bytes after each read.
        ending: called before the last bytes are read.
        waits: the file is to wait under a temporary name, so that a destination that can marks it.
    """

    def __init__(
        self, path: Path, size: int, watch: Callable[[int], None], ending: Callable[[], None], *, waits: bool = False
    ) -> None:
        super().__init__(path, "rb")
        self.size, self.watch, self.ending, self.waits = size, watch, ending, waits
        self.ended = False
        # A count, because `tell` would let another thread run, and every block would wait for it.
        self.place = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.place = super().seek(offset, whence)
        return self.place

    def read(self, size: int | None = -1, /) -> bytes:
        amount = self.size if size is None or size < 0 else size
        if not self.ended and self.place + amount >= self.size:
            self.ended = True
            self.ending()
        try:
            content: bytes = super().read(size) or b""
        except OSError as error:
            raise DeliveryError(f"the file to send cannot be read: {error.strerror}") from None
        self.place += len(content)
        if self.place > self.size or (not content and amount and self.place < self.size):
            # Its end must not be sent: some servers take whatever is closed.
            raise Spoiled(f"the file to send has changed: {self.size:,} bytes were to be sent, and it has another length")
        self.watch(len(content))
        return content


class Destination(Protocol):
    """A server that keeps files by name. Methods raise Refused if the server refuses, and Lost if it does not answer.

    Attributes:
        at_once: the largest size in bytes of a file that one request can create under its final name; -1 if none can.
        copies: whether `publish` copies. The temporary file then remains, and a refusal certainly had no effect.
    """

    at_once: ClassVar[int]
    copies: ClassVar[bool]

    @property
    def marks(self) -> Mapping[str, int]:
        """The times of change by which this session recognises files that it has written and that wait, by name.

        They are in seconds since 1970. There are none if the destination cannot set a time of change.
        """

    @property
    def renames(self) -> tuple[Rename, ...]:
        """The ways to publish, in order. The next one is tried if the one before certainly had no effect."""

    def look(self, name: str) -> Seen | None:
        """The file at a name; None if there is none. Raises Refused if the server does not show it."""

    def entries(self, folder: str) -> dict[str, Seen]:
        """The files in a folder by name, without its sub-folders. There are none if it does not exist."""

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a file, in chunks. Raises Gone if there is no such file."""

    def prepare(self, name: str) -> None:
        """Create the folder of a name if it is missing."""

    def write(self, name: str, content: Content, created: Callable[[], None] = lambda: None) -> None:
        """Create a file. It is complete and durable when this returns. Refused if it exists.

        `created`: called when the file exists.
        """

    def publish(self, temporary: str, final: str, staged: str | None) -> None:
        """Give a file its final name, without overwriting. Raises Taken if another file is known to have the name."""

    def put(self, name: str, content: Content) -> None:
        """Create a file of at most `at_once` bytes in one request, without overwriting. Raises Taken."""

    def remove(self, name: str) -> bool:
        """Remove a file. Returns False if there was none."""

    def described(self) -> str:
        """A description of the server and the session."""

    def location(self, name: str) -> str:
        """The file's address for people: with host and folder."""

"""What a destination can do, and the file that is sent to it."""

from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.answers import Spoiled


class Seen(NamedTuple):
    """A file on the server: its bytes and its time of change, where the server tells them."""

    size: int | None
    modified: float | None = None


class Rename(NamedTuple):
    """A way to give a file its final name, never over another file.

    Attributes:
        one_step: it is known that the temporary name is gone as soon as the bytes may have another one.
        staged: the file goes through a second temporary name.

    """

    one_step: bool
    staged: bool = False


class Content(FileIO):
    """A file that is sent. `watch`: called for each stretch that is read. `ending`: called before the last bytes are read."""

    def __init__(self, path: Path, size: int, watch: Callable[[int], None], ending: Callable[[], None]) -> None:
        super().__init__(path, "rb")
        self.size, self.watch, self.ending = size, watch, ending
        self.ended = False

    def read(self, size: int | None = -1, /) -> bytes:
        amount = self.size if size is None or size < 0 else size
        if not self.ended and self.tell() + amount >= self.size:
            self.ended = True
            self.ending()
        try:
            content: bytes = super().read(size) or b""
        except OSError as error:
            raise DeliveryError(f"the file to send cannot be read: {error.strerror}") from None
        if self.tell() > self.size or (not content and amount and self.tell() < self.size):
            # Its end must not be sent: some servers take whatever is closed.
            raise Spoiled(f"the file to send has changed: {self.size:,} bytes were to be sent, and it has another length")
        self.watch(len(content))
        return content


class Destination(Protocol):
    """A server that keeps files by name. Methods raise DeliveryError: Refused if the server said no, Lost if it did not answer.

    `at_once`: up to how many bytes a file can be made under its final name in one request; -1 if no file can. `copies`: `publish`
    copies, so that the temporary file stays, and what it refuses was certainly not done.
    """

    at_once: ClassVar[int]
    copies: ClassVar[bool]

    @property
    def renames(self) -> tuple[Rename, ...]:
        """The ways to publish. The next one is tried if the one before certainly did nothing."""

    def look(self, name: str) -> Seen | None:
        """What is at a name; None if there is nothing. Raises Refused if the server does not show it."""

    def read(self, name: str) -> Iterator[bytes]:
        """A file's bytes. Raises Gone if there is no such file."""

    def prepare(self, name: str) -> None:
        """Make the folder of a name where it is missing."""

    def write(self, name: str, content: Content, created: Callable[[], None] = lambda: None) -> None:
        """Create a file that does not exist yet; it is whole and durable when this returns. `created`: called once it exists."""

    def publish(self, temporary: str, final: str, staged: str | None) -> None:
        """Give a file its final name, never over another file. Raises Taken if it is known that there is one."""

    def put(self, name: str, content: Content) -> None:
        """Make a file of at most `at_once` bytes, whole and never over another one. Raises Taken."""

    def remove(self, name: str) -> bool:
        """Remove a file. False if there was none."""

    def described(self) -> str:
        """What is known of the server and the session."""

    def location(self, name: str) -> str:
        """The file's address as a person reads it: with host and folder."""

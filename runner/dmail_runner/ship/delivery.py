"""The delivery of one part, the same on every route: temporary name, verification, a rename that cannot overwrite."""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import PurePosixPath
from secrets import token_hex
from typing import BinaryIO, Protocol, runtime_checkable

from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.delivery import Delivery

LONGEST = 30.0  # seconds between two tries, at least; at most twice that
JITTER = random.SystemRandom()
SMALL = 16 << 20  # bytes that are read back where nothing else is said


class Refused(DeliveryError):
    """The server answered, and said no: the effect did certainly not happen."""


class Lost(DeliveryError):
    """No answer, or none that can be relied on: it may pass, and is worth another try."""


class Unheard(Lost):
    """No server has acted on the request that counts: it can be made again without doing anything twice."""


class Taken(Refused):
    """There is a file of that name already; it was not touched."""


class Spoiled(DeliveryError):
    """What has arrived is not what was sent."""


class Vanished(DeliveryError):
    """No file is there as soon as it was closed: the server has taken it, or does not show it."""


class Watched(FileIO):
    """A file that tells of each stretch that is read from it."""

    watch: Callable[[int], None]

    def read(self, size: int | None = -1, /) -> bytes:
        content: bytes = super().read(size) or b""
        self.watch(len(content))
        return content


def pause(tries: int, first: float = 1.0) -> float:
    """Seconds to wait before another try: twice as long each time, and not the same for all who wait."""
    return min(LONGEST, first * 2.0 ** (tries - 1)) * (1 + JITTER.random())


class Destination(Protocol):
    """A place that keeps files by name. Errors are DeliveryError; Refused where the server said no."""

    def size(self, name: str) -> int | None:
        """A file's bytes, or None where there is no such file."""

    def read(self, name: str) -> Iterator[bytes]:
        """A file's bytes."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def described(self) -> str:
        """What is known of the server and the session."""

    def location(self, name: str) -> str:
        """What a person calls the file: with host and folder."""


class Folders(Destination, Protocol):
    """A place where a file can be renamed. `moves`: in one step, so that a temporary file that is there was never renamed."""

    @property
    def moves(self) -> bool: ...

    def write(
        self, name: str, content: BinaryIO | Watched, closing: Callable[[], None] = lambda: None, *, replace: bool = False
    ) -> None:
        """Make a file, or with `replace` make it anew. It is durable when this returns. `closing` is called before the close."""

    def publish(self, temporary: str, final: str) -> None:
        """Rename, never over another file. Raises Refused."""


@runtime_checkable
class Store(Destination, Protocol):
    """A place where a file appears whole under its name, or not at all."""

    def create(self, name: str, content: BinaryIO | Watched, size: int) -> None:
        """Make a file, never over another. Raises Taken; Lost where nobody knows; after any other error nothing was made."""


Place = Folders | Store


@dataclass(frozen=True)
class Intent:
    """What the ledger knows of a part's delivery, and how to record the next step before it is taken.

    Attributes:
        temporary: the temporary name of the last attempt; None if there was none, or if its file was removed.
        closing: that file was about to be closed, so that a server that takes closed files may have taken it.
        declared: the part was about to get its final name.
        owner: another run that has delivered a file of that name.
        begin: records the temporary name of a new attempt.
        close: records that the temporary file is about to be closed.
        declare: records that the part is about to get its final name.
        withdraw: records that nothing of the attempt is left, and that nothing of it was taken.
        ahead: the temporary name under which this process has sent the part already.

    """

    temporary: str | None
    closing: bool
    declared: bool
    owner: str | None
    begin: Callable[[str], None]
    close: Callable[[], None]
    declare: Callable[[], None]
    withdraw: Callable[[], None]
    ahead: str | None = None


def deliver(
    spooled: Spooled, place: Place, intent: Intent, way: Delivery, watch: Callable[[int], None] = lambda _: None
) -> Receipt:
    """Bring one part to its final name, once, the way its route says. Raises DeliveryError, or Held if a person must look.

    A temporary name is used once. Once a part was about to get its final name, only the same temporary file may become it: it is
    renamed again, and never uploaded again. What cannot be known is held.
    """
    if isinstance(place, Store):
        return create(spooled, place, intent, watch)
    if way.finish == "direct_then_marker":
        return write_in_place(spooled, place, intent, way, watch)
    part = spooled.part
    if place.size(part.name) is not None:
        receipt = adopt(part, place, None if intent.declared else intent.owner)
        discard(place, intent.temporary)
        return receipt
    temporary = uploaded(part, place, intent, way)
    if temporary is None:
        temporary = upload(spooled, place, intent, way, watch)
    if not intent.declared:
        intent.declare()
    return rename(part, place, temporary)


def uploaded(part: Part, place: Folders, intent: Intent, way: Delivery) -> str | None:
    """The temporary name of an earlier attempt whose file is complete; None if the part is to be uploaded.

    Raises Held if that file may have been taken: it is gone, or its rename may have been carried out.
    """
    if intent.ahead and not intent.declared:
        if place.size(intent.ahead) is None:
            raise unknown(part, place)
        if not complete(part, place, intent.ahead):
            discard(place, intent.ahead)
            return None
        intent.begin(intent.ahead)
        return intent.ahead
    if intent.declared:
        if intent.temporary and place.moves and is_there(part, place, intent.temporary, way):
            return intent.temporary
        raise unknown(part, place)
    if not intent.temporary or not intent.closing:
        discard(place, intent.temporary)
        return None
    if place.size(intent.temporary) is None:
        raise unknown(part, place)
    if is_there(part, place, intent.temporary, way):
        return intent.temporary
    place.remove(intent.temporary)
    intent.withdraw()
    return None


def upload(spooled: Spooled, place: Folders, intent: Intent, way: Delivery, watch: Callable[[int], None]) -> str:
    """Upload a part under a new temporary name, and return that. Raises Held if the file is gone as soon as it was closed."""
    part = spooled.part
    temporary = temporary_name(part, way, token_hex(6))
    intent.begin(temporary)
    try:
        send(spooled, place, temporary, way, watch, closing=intent.close)
    except Vanished:
        raise unknown(part, place) from None
    except Spoiled:
        with suppress(DeliveryError):
            place.remove(temporary)
            intent.withdraw()
        raise
    except DeliveryError:
        discard(place, temporary)
        raise
    return temporary


def rename(part: Part, place: Folders, temporary: str) -> Receipt:
    """Give the temporary file its final name, and look at what the server has done, whatever it answers."""
    try:
        place.publish(temporary, part.name)
    except Refused:
        if place.size(part.name) is None:
            if place.moves and place.size(temporary) == part.bytes:
                raise
            raise unknown(part, place) from None
        receipt = adopt(part, place, None)
        discard(place, temporary)
        return receipt
    if place.size(temporary) is not None:
        # The server has copied the file, or has done nothing.
        if place.size(part.name) is None or not same(part, place):
            raise unknown(part, place)
        discard(place, temporary)
    return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=False)


def discard(place: Folders, temporary: str | None) -> None:
    """Remove a temporary file that nothing depends on. A server that keeps it undoes no delivery."""
    if temporary:
        with suppress(DeliveryError):
            place.remove(temporary)


def is_there(part: Part, place: Folders, name: str, way: Delivery) -> bool:
    """Whether a name holds the part, as far as the route verifies it."""
    return place.size(name) == part.bytes and arrived(part, place, name, way)


def complete(part: Part, place: Folders, name: str) -> bool:
    """Whether a name holds the part byte for byte, if the server lets it be read; else whether it has as many bytes."""
    if place.size(name) != part.bytes:
        return False
    try:
        return digest(place, name) == part.sha256
    except Refused:
        return True


def create(spooled: Spooled, place: Store, intent: Intent, watch: Callable[[int], None]) -> Receipt:
    """Let the file appear under its name; the store checks what it is sent, and looks at the name itself."""
    part = spooled.part
    if place.size(part.name) is not None:
        return adopt(part, place, None if intent.declared else intent.owner)
    if intent.declared:
        raise unknown(part, place)
    intent.declare()
    try:
        with Watched(spooled.path, "rb") as content:
            content.watch = watch
            place.create(part.name, content, part.bytes)
    except Taken:
        intent.withdraw()
        return adopt(part, place, intent.owner)
    except DeliveryError as error:
        if not isinstance(error, Lost) or isinstance(error, Unheard):
            intent.withdraw()
        raise
    return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=False)


def unknown(part: Part, place: Destination) -> Held:
    """What to raise where a file may have been there and is not."""
    return Held(
        "unknown",
        f"{place.location(part.name)} may have been there, and now it is not: the provider most likely took it",
        todo="ask the provider; it counts as mailed, and it is not sent again by itself",
    )


def write_in_place(spooled: Spooled, place: Folders, intent: Intent, way: Delivery, watch: Callable[[int], None]) -> Receipt:
    """Write under the final name: nothing there counts before the marker file, which comes last; half a file is made anew.

    The intent stands before the first byte: what is found under the name afterwards is ours, whole or not.
    """
    part = spooled.part
    if place.size(part.name) is not None and (not intent.declared or same(part, place)):
        return adopt(part, place, None if intent.declared else intent.owner)
    intent.declare()
    send(spooled, place, part.name, way, watch, replace=True)
    return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=False)


def temporary_name(part: Part, way: Delivery, token: str) -> str:
    """The name of a part until it is complete: `letters.TOKEN.csv.part` for `letters.csv`. No two attempts share a token."""
    path = PurePosixPath(part.name)
    stem, dot, ending = path.name.partition(".")
    return str(path.with_name(f"{'.' if way.hidden else ''}{stem}.{token}{dot}{ending}.part"))


def send(
    spooled: Spooled,
    place: Folders,
    name: str,
    way: Delivery,
    watch: Callable[[int], None],
    *,
    closing: Callable[[], None] = lambda: None,
    replace: bool = False,
) -> None:
    """Write a part, and verify what has arrived: its size, and its bytes if the route wants that or they are few.

    `closing` is called before the file is closed. Raises Vanished if no file is there afterwards, and Spoiled if it is another.
    """
    part = spooled.part
    with Watched(spooled.path, "rb") as content:
        content.watch = watch
        place.write(name, content, closing, replace=replace)
    size = place.size(name)
    if size is None:
        raise Vanished(f"{place.location(name)}: {part.bytes:,} bytes were sent, but no file is there")
    if size != part.bytes:
        raise Spoiled(
            f"{place.location(name)}: {part.bytes:,} bytes were sent, but {size:,} are there: it is not given its final name"
        )
    if not arrived(part, place, name, way):
        raise Spoiled(f"{place.location(name)}: other bytes are there than were sent: it is not given its final name")


def arrived(part: Part, place: Folders, name: str, way: Delivery) -> bool:
    """Whether what is there, read back, is what was sent; a small file is taken on its size where the server lets nobody read."""
    if way.verify == "size" or (way.verify == "auto" and part.bytes > SMALL):
        return True
    try:
        return digest(place, name) == part.sha256
    except Refused:
        if way.verify == "hash":
            raise
        return True


def digest(place: Destination, name: str) -> str:
    """The SHA-256 of what is there."""
    found = hashlib.sha256()
    for chunk in place.read(name):
        found.update(chunk)
    return found.hexdigest()


def same(part: Part, place: Destination) -> bool:
    """Whether the final name holds our bytes."""
    return place.size(part.name) == part.bytes and digest(place, part.name) == part.sha256


def adopt(part: Part, place: Destination, owner: str | None) -> Receipt:
    """The final name is taken: by our bytes, then it is delivered; by others, or by another run, then it is not. Raises Held."""
    if owner:
        raise Held(
            "conflict",
            f"{place.location(part.name)} is the file of {owner}, which the provider has not taken yet; nothing was delivered",
            todo="run again when it is taken; `file.timestamp: true` gives every slot a name of its own",
        )
    if same(part, place):
        return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=True)
    raise Held(
        "conflict",
        f"{place.location(part.name)} exists already, with other content; it was not touched, and nothing was delivered",
        todo="find out whose it is, move it away, and run again: this slot's file keeps its name",
    )

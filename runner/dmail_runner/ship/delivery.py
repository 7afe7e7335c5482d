"""The delivery of one part, the same on every route: temporary name, verification, a rename that cannot overwrite."""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import PurePosixPath
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

    def write(self, name: str, content: BinaryIO | Watched) -> None:
        """Make or replace a file; it is whole and durable when this returns."""

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
    """The ledger's word on the final name: whether this run may have given it before, and how to declare or withdraw that.

    `owner`: another run that has delivered a file of that name.
    """

    declared: bool
    owner: str | None
    declare: Callable[[], None]
    withdraw: Callable[[], None]
    ahead: bool = False


def deliver(
    spooled: Spooled, place: Place, intent: Intent, way: Delivery, watch: Callable[[int], None] = lambda _: None
) -> Receipt:
    """Bring one part to its final name, once, the way its route says. Raises DeliveryError, or Held where a person must look.

    What this process has already written and looked at under the temporary name (`intent.ahead`) is not written again.
    """
    if isinstance(place, Store):
        return create(spooled, place, intent, watch)
    if way.finish == "direct_then_marker":
        return write_in_place(spooled, place, intent, way, watch)
    part = spooled.part
    temporary = temporary_name(part, way)
    if place.size(part.name) is not None:
        receipt = adopt(part, place, None if intent.declared else intent.owner)
        if intent.declared:
            with suppress(DeliveryError):
                place.remove(temporary)
        return receipt
    if intent.declared and (not place.moves or place.size(temporary) is None):
        raise unknown(part, place)
    try:
        if not (intent.ahead and place.size(temporary) == part.bytes):
            send(spooled, place, temporary, way, watch)
    except DeliveryError:
        with suppress(DeliveryError):
            place.remove(temporary)
        raise
    intent.declare()
    try:
        place.publish(temporary, part.name)
    except Refused:
        intent.withdraw()
        if place.size(part.name) is not None:
            place.remove(temporary)
            return adopt(part, place, intent.owner)
        with suppress(DeliveryError):
            place.remove(temporary)
        raise
    return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=False)


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
        f"{place.location(part.name)} was about to get its final name when the last attempt ended, and now it is not there: "
        "the provider most likely took it",
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
    send(spooled, place, part.name, way, watch)
    return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=False)


def temporary_name(part: Part, way: Delivery) -> str:
    """What a part is called until it is whole."""
    path = PurePosixPath(part.name)
    return str(path.with_name(f"{'.' if way.hidden else ''}{path.name}.part"))


def send(spooled: Spooled, place: Folders, name: str, way: Delivery, watch: Callable[[int], None]) -> None:
    """Write a part, and look at what has arrived: its size, and its bytes where the route wants that or they are few."""
    part = spooled.part
    with Watched(spooled.path, "rb") as content:
        content.watch = watch
        place.write(name, content)
    size = place.size(name)
    if size != part.bytes:
        found = "it is not there" if size is None else f"{size:,} bytes are there"
        raise Spoiled(f"{place.location(name)}: {part.bytes:,} bytes were sent, but {found}: it is not given its final name")
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

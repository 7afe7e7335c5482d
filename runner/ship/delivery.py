"""The delivery of one part, the same on every route: temporary name, verification, a rename that cannot overwrite."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from runner.errors import DeliveryError, Held
from runner.values import Part, Receipt, Spooled


class Refused(DeliveryError):
    """The server answered, and said no: the effect did certainly not happen."""


class Destination(Protocol):
    """A place that keeps files by name. Errors are DeliveryError; Refused where the server said no."""

    def size(self, name: str) -> int | None:
        """A file's bytes, or None where there is no such file."""

    def write(self, name: str, content: BinaryIO) -> None:
        """Make or replace a file; it is whole and durable when this returns."""

    def read(self, name: str) -> Iterator[bytes]:
        """A file's bytes."""

    def publish(self, temporary: str, final: str) -> None:
        """Rename, never over another file. Raises Refused."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def location(self, name: str) -> str:
        """What a person calls the file: with host and folder."""


@dataclass(frozen=True)
class Intent:
    """The ledger's word on the final name: whether this run may have given it before, and how to declare or withdraw that.

    `owner`: another run that has delivered a file of that name.
    """

    declared: bool
    owner: str | None
    declare: Callable[[], None]
    withdraw: Callable[[], None]


def deliver(spooled: Spooled, place: Destination, intent: Intent) -> Receipt:
    """Bring one part to its final name, once. Raises DeliveryError, or Held where a person must look."""
    part = spooled.part
    temporary = temporary_name(part)
    if place.size(part.name) is not None:
        receipt = adopt(part, place, None if intent.declared else intent.owner)
        if intent.declared:
            with suppress(DeliveryError):
                place.remove(temporary)
        return receipt
    if intent.declared and place.size(temporary) is None:
        raise Held(
            "unknown",
            f"{place.location(part.name)} was about to get its final name when the last attempt ended, and now neither the file "
            "nor its temporary copy is there: the provider most likely took it",
            todo="ask the provider; it counts as mailed, and it is not sent again by itself",
        )
    try:
        with spooled.path.open("rb") as content:
            place.write(temporary, content)
        verify(part, place, temporary)
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


def temporary_name(part: Part) -> str:
    """What a part is called until it is whole."""
    return f"{part.name}.part"


def verify(part: Part, place: Destination, name: str) -> None:
    """The uploaded file has the size that was sent."""
    size = place.size(name)
    if size != part.bytes:
        found = "it is not there" if size is None else f"{size:,} bytes are there"
        raise DeliveryError(
            f"{place.location(name)}: {part.bytes:,} bytes were sent, but {found}: it is not given its final name"
        )


def adopt(part: Part, place: Destination, owner: str | None) -> Receipt:
    """The final name is taken: by our bytes, then it is delivered; by others, or by another run, then it is not. Raises Held."""
    if owner:
        raise Held(
            "conflict",
            f"{place.location(part.name)} is the file of {owner}, which the provider has not taken yet; nothing was delivered",
            todo="run again when it is taken; `file.timestamp: true` gives every slot a name of its own",
        )
    if place.size(part.name) == part.bytes:
        digest = hashlib.sha256()
        for chunk in place.read(part.name):
            digest.update(chunk)
        if digest.hexdigest() == part.sha256:
            return Receipt(place.location(part.name), part.bytes, part.sha256, adopted=True)
    raise Held(
        "conflict",
        f"{place.location(part.name)} exists already, with other content; it was not touched, and nothing was delivered",
        todo="find out whose it is, move it away, and run again: this slot's file keeps its name",
    )

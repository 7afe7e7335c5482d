"""Compares a file on the server with a part."""

import hashlib
from enum import Enum
from typing import NamedTuple

from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.delivery import Way
from dmail_runner.ship.answers import Gone, Refused
from dmail_runner.ship.interface import Destination

SMALL = 16 << 20  # bytes that are read back by `verify: auto`


class Found(Enum):
    """The result of a comparison: what has a name on the server."""

    ABSENT = "absent"
    OURS = "ours"  # a file with the part's content
    PIECE = "piece"  # a file that is shorter than the part
    OTHER = "other"  # a file with other content
    BLIND = "blind"  # unknown: the server does not show it


class Depth(NamedTuple):
    """How to compare.

    Attributes:
        read: read the file back, and compare its SHA-256. Otherwise the size is enough.
        must: raise an error if the file cannot be read back. Otherwise the size is enough in that case.
    """

    read: bool
    must: bool = False


BY_SIZE = Depth(read=False)
BY_HASH = Depth(read=True)
PROVEN = Depth(read=True, must=True)


def declared(way: Way, part: Part) -> Depth:
    """How a route compares a file that it has just uploaded."""
    match way.verify:
        case "hash":
            return PROVEN
        case "size":
            return BY_SIZE
        case _:
            return Depth(read=part.bytes <= SMALL)


def compare(place: Destination, name: str, part: Part, depth: Depth) -> Found:
    """Compare the file at a name with a part.

    Raises:
        Refused: if the server does not show the file, or does not let it be read although `depth` requires it.
        Lost: if the server does not answer.
    """
    seen = place.look(name)
    if seen is None:
        return Found.ABSENT
    if seen.size is not None and seen.size != part.bytes:
        return Found.PIECE if seen.size < part.bytes else Found.OTHER
    if seen.size is not None and not depth.read:
        return Found.OURS
    try:
        return Found.OURS if digest(place, name, part.bytes) == part.sha256 else Found.OTHER
    except Gone:
        return Found.ABSENT
    except Refused:
        if depth.must or seen.size is None:
            raise
        return Found.OURS


def digest(place: Destination, name: str, size: int) -> str:
    """The SHA-256 of a file on the server, or of its beginning if it has more than `size` bytes: some servers send no end."""
    found, length = hashlib.sha256(), 0
    for chunk in place.read(name):
        found.update(chunk)
        length += len(chunk)
        if length > size:
            break
    return found.hexdigest()


def is_start(place: Destination, name: str, spooled: Spooled) -> bool:
    """Whether the part begins with the content of a file on the server. True if the file cannot be read. Raises Lost."""
    try:
        with spooled.path.open("rb") as file:
            return all(file.read(len(chunk)) == chunk for chunk in place.read(name))
    except Refused:
        return True

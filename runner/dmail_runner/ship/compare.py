"""Looks at a name on the server and compares what is there with a part."""

import hashlib
from enum import Enum
from typing import NamedTuple

from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.delivery import Way
from dmail_runner.ship.answers import Gone, Refused
from dmail_runner.ship.interface import Destination

SMALL = 16 << 20  # bytes that are read back by `verify: auto`


class Found(Enum):
    """What a look at a name has shown."""

    ABSENT = "absent"
    OURS = "ours"  # the part's bytes, whole
    PIECE = "piece"  # less than the part's bytes
    OTHER = "other"  # other bytes
    BLIND = "blind"  # the server does not show it


class Depth(NamedTuple):
    """How closely to look. read: read the bytes back. must: bytes that cannot be read are not taken for ours."""

    read: bool
    must: bool = False


BY_SIZE = Depth(read=False)
BY_HASH = Depth(read=True)
PROVEN = Depth(read=True, must=True)


def declared(way: Way, part: Part) -> Depth:
    """How closely a route looks at what it has just uploaded."""
    match way.verify:
        case "hash":
            return PROVEN
        case "size":
            return BY_SIZE
        case _:
            return Depth(read=part.bytes <= SMALL)


def compare(place: Destination, name: str, part: Part, depth: Depth) -> Found:
    """What is at a name. Raises Refused if the server does not show it, and Lost."""
    seen = place.look(name)
    if seen is None:
        return Found.ABSENT
    if seen.size is not None and seen.size != part.bytes:
        return Found.PIECE if seen.size < part.bytes else Found.OTHER
    if seen.size is not None and not depth.read:
        return Found.OURS
    try:
        return Found.OURS if digest(place, name) == part.sha256 else Found.OTHER
    except Gone:
        return Found.ABSENT
    except Refused:
        if depth.must or seen.size is None:
            raise
        return Found.OURS


def digest(place: Destination, name: str) -> str:
    """The SHA-256 of what is at a name."""
    found = hashlib.sha256()
    for chunk in place.read(name):
        found.update(chunk)
    return found.hexdigest()


def is_start(place: Destination, name: str, spooled: Spooled) -> bool:
    """Whether what is at a name is how the part begins, or cannot be read. Raises Lost."""
    try:
        with spooled.path.open("rb") as file:
            return all(file.read(len(chunk)) == chunk for chunk in place.read(name))
    except Refused:
        return True

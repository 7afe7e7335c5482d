"""Finds new files on a route, and downloads them."""

import fnmatch
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.declare.inbound import Inbound
from dmail_runner.declare.route import AnyRoute
from dmail_runner.ledger.inbound_files import InboundFile
from dmail_runner.ship import Destination, Lost, Refused, Seen, destination
from dmail_runner.ship.answers import pause

SETTLING = 2.0  # seconds between the list and the second look: a file that grows meanwhile is read at the next fetch
Received = Mapping[tuple[str, str], InboundFile]


@dataclass(frozen=True)
class Found:
    """A file on the server that is to be read. `name`: the path on the route."""

    entry: str
    name: str
    seen: Seen

    @property
    def modified(self) -> str | None:
        """The server's time of change, as the ledger keeps it."""
        return None if self.seen.modified is None else f"{self.seen.modified:.6f}"


@dataclass(frozen=True)
class Download:
    """A complete copy of a file.

    Attributes:
        found: the file on the server.
        path: the copy.
        bytes: its size.
        sha256: its SHA-256, in hexadecimal.
    """

    found: Found
    path: Path
    bytes: int
    sha256: str


def in_sessions(route: AnyRoute, step: Callable[[Destination], None], tell: Callable[[str], None]) -> None:
    """Carry out a step that can be repeated in a session, and again after a lost connection. Raises DeliveryError."""
    tries = 0
    while True:
        try:
            with destination(route) as place:
                step(place)
                return
        except Lost as error:
            tries += 1
            if tries > route.retries:
                raise
            seconds = pause(tries)
            tell(f"retry    {error.what}: again in {seconds:.0f} s, {tries} of {route.retries}")
            time.sleep(seconds)


def listed(place: Destination, entries: Mapping[str, Inbound]) -> Iterator[Found]:
    """The complete files of some entries, by name. Names that a path cannot have are left out."""
    folders: dict[str, dict[str, Seen]] = {}
    for entry_name, entry in entries.items():
        folder, _, pattern = entry.files.rpartition("/")
        if folder not in folders:
            folders[folder] = place.entries(folder)
        there = folders[folder]
        for leaf, seen in sorted(there.items()):
            if re.search(r"[\x00-\x1f\x7f/\\]", leaf) or leaf in (".", "..") or not fnmatch.fnmatchcase(leaf, pattern):
                continue
            if entry.marker is None or entry.marker.replace("{name}", leaf) in there:
                yield Found(entry_name, f"{folder}/{leaf}".lstrip("/"), seen)


def is_known(found: Found, entry: Inbound, received: Received) -> bool:
    """Whether a file was read before, as far as size and time show. One that was put aside counts only as it was declared."""
    before = received.get((found.entry, found.name))
    if before is None or found.modified is None or (before.bytes, before.modified) != (found.seen.size, found.modified):
        return False
    return before.state != "aside" or before.declared == entry.declared


def settled(place: Destination, found: Found) -> Seen | None:
    """The file as it is now; None if it is gone or has changed since it was listed."""
    with suppress(Refused):
        now = place.look(found.name)
        if now is not None and (now.size, now.modified) == (found.seen.size, found.seen.modified):
            return now
    return None


def download(place: Destination, found: Found, target: Path) -> Download | None:
    """Copy a file. Returns None if it changed meanwhile: it is then read at the next fetch."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as copy:
        for chunk in place.read(found.name):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if found.seen.size is not None and size > found.seen.size:
                return None  # it grows, or the server sends no end
        copy.flush()
        os.fsync(copy.fileno())
    complete = found.seen.size in (None, size) and settled(place, found)
    return Download(found, target, size, digest.hexdigest()) if complete else None

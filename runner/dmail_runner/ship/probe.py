"""Trying a route: a small file is written, read back, renamed and removed, and what the server can do is told."""

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dmail_runner.declare.route import AnyRoute
from dmail_runner.ship import Destination, Folders, Refused, Store, destination

BYTES = 4 << 20


@dataclass(frozen=True)
class Look:
    """One thing that was tried: whether it went well, and what was found. `needed`: a delivery cannot do without it."""

    what: str
    well: bool
    found: str
    needed: bool = True


def probe(route: AnyRoute, name: str) -> Iterator[Look]:
    """Try everything that a delivery does, with a file called `name`, of which nothing is left. Raises DeliveryError."""
    with destination(route) as place:
        yield Look("session", well=True, found=place.described())
        content, temporary = os.urandom(BYTES), f"{name}.part"
        try:
            if isinstance(place, Store):
                yield from arrived(place, name, content, partial(place.create, name, io.BytesIO(content), BYTES))
                yield overwriting(place, name, partial(place.create, name, io.BytesIO(b"second"), 6))
            else:
                yield from arrived(place, temporary, content, partial(place.write, temporary, io.BytesIO(content)))
                yield from renamed(place, temporary, name)
        finally:
            refusals = [attempt(partial(place.remove, left)) for left in (temporary, name)]
        refusal = next(filter(None, refusals), None)
        yield Look("remove", well=refusal is None, found=refusal or "the probe is gone", needed=False)


def arrived(place: Destination, name: str, content: bytes, write: Callable[[], None]) -> Iterator[Look]:
    """Write, ask for the size, read back."""
    start = time.monotonic()
    write()
    seconds = time.monotonic() - start
    yield Look("write", well=True, found=f"{BYTES:,} bytes in {seconds:.2f} s, {BYTES / seconds / 1e6:,.1f} MB/s")
    size = place.size(name)
    yield Look("size", well=size == BYTES, found=f"{size:,} bytes are there" if size is not None else "it is not there")
    start = time.monotonic()
    try:
        same = b"".join(place.read(name)) == content
    except Refused as error:
        yield Look("read back", well=False, found=error.what, needed=False)
        return
    speed = f"{BYTES / (time.monotonic() - start) / 1e6:,.1f} MB/s"
    yield Look("read back", well=same, found=f"the same bytes, {speed}" if same else "other bytes than were written")


def renamed(place: Folders, temporary: str, name: str) -> Iterator[Look]:
    """Rename, and see that a second file cannot take the name."""
    if refusal := attempt(partial(place.publish, temporary, name)):
        yield Look("rename", well=False, found=f"{refusal}; `finish: direct_then_marker` does without")
        return
    yield Look("rename", well=True, found="it has its final name")
    place.write(temporary, io.BytesIO(b"second"))
    yield overwriting(place, name, partial(place.publish, temporary, name))


def overwriting(place: Destination, name: str, again: Callable[[], None]) -> Look:
    """See that a second file cannot take the name of the first."""
    refusal = attempt(again)
    well = refusal is not None and place.size(name) == BYTES
    return Look("no overwriting", well=well, found="refused, as it must be" if well else "the second file replaced the first")


def attempt(step: Callable[[], None]) -> str | None:
    """What the server said to a step that it refused; None where it did not."""
    try:
        step()
    except Refused as error:
        return error.what
    return None

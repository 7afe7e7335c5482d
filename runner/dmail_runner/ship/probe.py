"""Trying a route: a small file is written, read back, renamed and removed, and what the server can do is told."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dmail_runner.declare.route import AnyRoute
from dmail_runner.ship import Destination, Refused, destination
from dmail_runner.ship.interface import Content
from dmail_runner.ship.part_delivery import temporary_name

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
    with tempfile.TemporaryDirectory(prefix="dmail-probe") as folder, destination(route) as place:
        yield Look("session", well=True, found=place.described())
        file = Path(folder) / "probe"
        file.write_bytes(os.urandom(BYTES))
        temporary, staged = (temporary_name(name, route.temporary) for _ in range(2))
        try:
            if place.at_once > 0:
                yield from arrived(place, name, file, partial(place.put, name, content(file)))
                yield overwriting(place, name, partial(place.put, name, content(file)))
            else:
                yield from arrived(place, temporary, file, partial(place.write, temporary, content(file)))
                yield from renamed(place, temporary, staged, name, file)
        finally:
            refusals = [attempt(partial(place.remove, left)) for left in (temporary, staged, name)]
        refusal = next(filter(None, refusals), None)
        yield Look("remove", well=refusal is None, found=refusal or "the probe is gone", needed=False)


def content(file: Path) -> Content:
    return Content(file, BYTES, lambda _: None, lambda: None)


def arrived(place: Destination, name: str, file: Path, write: Callable[[], None]) -> Iterator[Look]:
    """Write, ask for the size, read back."""
    start = time.monotonic()
    write()
    seconds = time.monotonic() - start
    yield Look("write", well=True, found=f"{BYTES:,} bytes in {seconds:.2f} s, {BYTES / seconds / 1e6:,.1f} MB/s")
    seen = place.look(name)
    size = seen.size if seen else None
    yield Look("size", well=size == BYTES, found=f"{size:,} bytes are there" if size is not None else "it is not there")
    start = time.monotonic()
    try:
        same = b"".join(place.read(name)) == file.read_bytes()
    except Refused as error:
        yield Look("read back", well=False, found=error.what, needed=False)
        return
    speed = f"{BYTES / (time.monotonic() - start) / 1e6:,.1f} MB/s"
    yield Look("read back", well=same, found=f"the same bytes, {speed}" if same else "other bytes than were written")


def renamed(place: Destination, temporary: str, staged: str, name: str, file: Path) -> Iterator[Look]:
    """Rename, and see that a second file cannot take the name."""
    between = staged if place.renames[0].staged else None
    if refusal := attempt(partial(place.publish, temporary, name, between)):
        yield Look("rename", well=False, found=f"{refusal}; `finish: direct_then_marker` does without")
        return
    yield Look("rename", well=True, found="it has its final name")
    place.write(temporary, content(file))
    yield overwriting(place, name, partial(place.publish, temporary, name, None))


def overwriting(place: Destination, name: str, again: Callable[[], None]) -> Look:
    """See that a second file cannot take the name of the first."""
    refusal = attempt(again)
    seen = place.look(name)
    well = refusal is not None and seen is not None and seen.size in (BYTES, None)
    return Look("no overwriting", well=well, found="refused, as it must be" if well else "the second file replaced the first")


def attempt(step: Callable[[], object]) -> str | None:
    """What the server said to a step that it refused; None where it did not."""
    try:
        step()
    except Refused as error:
        return error.what
    return None

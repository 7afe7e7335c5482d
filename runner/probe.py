"""Trying a route: a small file is written, read back, renamed and removed, and what the server can do is told."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.route import AnyRoute
from runner.ship import Destination, Refused, destination
from runner.ship.delivery import Watched

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
    with TemporaryDirectory() as folder, destination(route) as place:
        yield Look("session", well=True, found=place.described())
        content = os.urandom(BYTES)
        file = Path(folder, "probe")
        file.write_bytes(content)
        temporary = f"{name}.part"
        try:
            yield from written(place, file, content, temporary)
            yield from named(place, temporary, name)
        finally:
            for left in (temporary, name):
                removed = attempt(lambda left=left: place.remove(left))  # type: ignore[misc]
        yield Look("remove", well=removed is None, found=removed or "the probe is gone", needed=False)


def written(place: Destination, file: Path, content: bytes, temporary: str) -> Iterator[Look]:
    """Write, ask for the size, read back."""
    start = time.monotonic()
    with Watched(file, "rb") as source:
        source.watch = lambda _: None
        place.write(temporary, source)
    seconds = time.monotonic() - start
    yield Look("write", well=True, found=f"{BYTES:,} bytes in {seconds:.2f} s, {BYTES / seconds / 1e6:,.1f} MB/s")
    size = place.size(temporary)
    yield Look("size", well=size == BYTES, found=f"{size:,} bytes are there" if size is not None else "it is not there")
    digest = hashlib.sha256()
    start = time.monotonic()
    for chunk in place.read(temporary):
        digest.update(chunk)
    same = digest.digest() == hashlib.sha256(content).digest()
    speed = f"{BYTES / (time.monotonic() - start) / 1e6:,.1f} MB/s"
    yield Look("read back", well=same, found=f"the same bytes, {speed}" if same else "other bytes than were written")


def named(place: Destination, temporary: str, name: str) -> Iterator[Look]:
    """Rename, and see that a second file cannot take the name."""
    refusal = attempt(lambda: place.publish(temporary, name))
    if refusal:
        yield Look("rename", well=False, found=f"{refusal}; `finish: direct_then_marker` does without")
        return
    yield Look("rename", well=True, found="it has its final name")
    place.write(temporary, io.BytesIO(b"second"))
    refusal = attempt(lambda: place.publish(temporary, name))
    kept = place.size(name) == BYTES
    yield Look(
        "no overwriting", well=bool(refusal) and kept, found="refused, as it must be" if kept else "a rename replaces a file"
    )


def attempt(step: Callable[[], None]) -> str | None:
    """What the server said to a step that it refused; None where it did not."""
    try:
        step()
    except Refused as error:
        return error.what
    return None

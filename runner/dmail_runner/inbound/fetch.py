"""Receives the new files of a route: lists them, downloads them, reads them, stores them, and records each in the ledger."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import sleep

from dmail_runner.core.settings import Settings
from dmail_runner.declare.inbound import Inbound
from dmail_runner.declare.route import AnyRoute
from dmail_runner.inbound import listing, stored
from dmail_runner.inbound.errors import Unacceptable
from dmail_runner.inbound.listing import Download, Found
from dmail_runner.inbound.opening import opened
from dmail_runner.inbound.reading import read_rows
from dmail_runner.ledger.inbound_files import (
    InboundFile,
    change_inbound,
    received_as,
    received_from,
    record_inbound,
)
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ship import Destination, Gone, Refused


def fetch_route(
    settings: Settings,
    ledger: Ledger,
    route: tuple[str, AnyRoute],
    entries: Mapping[str, Inbound],
    tell: Callable[[str], None],
    *,
    settling: float,
) -> list[InboundFile]:
    """Receive the new files of a route. An unacceptable file is put aside, and the others are received.

    The caller holds the lock of the received files. If the process is killed, the next call continues: a file counts as received
    when the ledger has it.

    Args:
        route: the name of the route, and the route.
        entries: the entries of profiles/inbound.yml with this route, by name.
        tell: shows a line of progress.
        settling: seconds after which each file must still be as it was listed.

    Returns:
        The files that were read, in order.

    Raises:
        DeliveryError: if the server cannot be read.
        InboundError: if rows cannot be stored.
    """
    name, server = route
    stored.tidy(settings, ledger)
    with stored.work_folder(settings) as work:
        round_trip = RoundTrip(entries, received_from(ledger, name), work, tell, settling)
        listing.in_sessions(server, round_trip.receive, tell)
        for found, copy in round_trip.downloads.items():
            round_trip.done[found] = take(settings, ledger, name, entries[found.entry], copy)
        finish(server, ledger, entries, round_trip.done, tell)
        return [round_trip.done[found] for found in round_trip.downloads]


@dataclass
class RoundTrip:
    """The files of a route during one fetch.

    Attributes:
        entries: the entries of the route, by name.
        received: what was received before.
        work: the folder of the copies.
        tell: shows a line of progress.
        settling: seconds after which each file must still be as it was listed.
        downloads: the new files, each with its copy.
        done: the records of all files that are there.
    """

    entries: Mapping[str, Inbound]
    received: listing.Received
    work: Path
    tell: Callable[[str], None]
    settling: float
    downloads: dict[Found, Download] = field(default_factory=dict)
    done: dict[Found, InboundFile] = field(default_factory=dict)

    def receive(self, place: Destination) -> None:
        """List the files, and download the new ones. It can be repeated after a lost connection."""
        there = list(listing.listed(place, self.entries))
        known = [found for found in there if listing.is_known(found, self.entries[found.entry], self.received)]
        self.done.update({found: self.received[found.entry, found.name] for found in known})
        new = [found for found in there if found not in self.done]
        sleep(self.settling if new else 0)
        for number, found in enumerate(new):
            if found not in self.downloads and listing.settled(place, found):
                self.tell(f"receive  {place.location(found.name)}")
                with suppress(Gone):
                    copy = listing.download(place, found, self.work / f"{number}.received")
                    self.downloads.update({found: copy} if copy else {})


def take(settings: Settings, ledger: Ledger, route: str, entry: Inbound, copy: Download) -> InboundFile:
    """Read a downloaded file, store its rows, and record it."""
    found = copy.found
    content = (copy.bytes, copy.sha256, entry.declared, found.modified)
    file = InboundFile(found.entry, entry.what, route, found.name, "taken", *content, at=ledger.stamp())
    if earlier := received_as(ledger, found.entry, copy.sha256):
        return record_inbound(ledger, replace(file, state="duplicate", error=f"it has the content of {earlier.name}"))
    folder = copy.path.with_suffix(".opened")
    folder.mkdir(mode=0o700)
    try:
        received = copy.path.replace(folder / "received")
        return read(settings, ledger, entry, file, received)
    except Unacceptable as error:
        return record_inbound(ledger, replace(file, state="aside", error=error.what))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read(settings: Settings, ledger: Ledger, entry: Inbound, file: InboundFile, received: Path) -> InboundFile:
    """Store the rows of a file, and record it. Raises Unacceptable."""
    plain = opened(received, entry)
    if plain.stat().st_size == 0:
        raise Unacceptable("it is empty")
    with stored.session(plain.with_name("spill")) as connection:
        counted = read_rows(connection, plain, file.name, entry)
        total = counted.rows + counted.bad
        if counted.bad > entry.max_bad_rows * total:
            raise Unacceptable(f"{counted.bad:,} of {total:,} rows are not as declared; {counted.example}")
        path, sha256 = stored.store(connection, settings, file)
    return record_inbound(ledger, replace(file, rows=counted.rows, bad_rows=counted.bad, stored=path, stored_sha256=sha256))


def finish(
    route: AnyRoute,
    ledger: Ledger,
    entries: Mapping[str, Inbound],
    done: Mapping[Found, InboundFile],
    tell: Callable[[str], None],
) -> None:
    """Move or remove the files on the server that are stored, as their entries declare. A refusal is shown, and tried again."""
    waiting = {
        found: file for found, file in done.items() if entries[found.entry].afterwards != "leave" and file.state != "aside"
    }
    if not waiting:
        return

    def put_away(place: Destination) -> None:
        for found, file in list(waiting.items()):
            try:
                # A file that has changed since is another file, which nobody has read.
                if listing.settled(place, found):
                    away(place, found.name, entries[found.entry], file)
                    change_inbound(ledger, file, "inbound_moved", moved=True)
            except Refused as error:
                tell(f"note     {found.name} is stored, and stays on the server: {error.what}")
            del waiting[found]

    listing.in_sessions(route, put_away, tell)


def away(place: Destination, name: str, entry: Inbound, file: InboundFile) -> None:
    """Move or remove a file on the server, without overwriting another one. Raises Refused."""
    if entry.move_to is None:
        place.remove(name)
        return
    target = f"{entry.move_to}/{name.rpartition('/')[2]}"
    place.prepare(target)
    if place.look(target) is not None:
        target += f".{file.sha256[:12]}"
    place.publish(name, target, None)
    if place.copies:
        place.remove(name)


def is_due(settings: Settings, name: str, entry: Inbound, now: datetime) -> bool:
    """Whether an entry's files are to be looked for again, according to its `every`."""
    try:
        last = datetime.fromisoformat((settings.inbound_dir / f".fetched-{name}").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return not last <= now < last + entry.every


def note_fetched(settings: Settings, name: str, now: datetime) -> None:
    """Record that an entry's files were looked for. It is only a shortcut."""
    (settings.inbound_dir / f".fetched-{name}").write_text(now.isoformat(), encoding="utf-8")

"""The slots of the coming weeks, with the waves of each mailing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from dmail_runner.ledger.ledger import Ledger
from dmail_runner.plan.slots import slots, wave_slots
from dmail_runner.project.manifest import Manifest


@dataclass(frozen=True)
class Entry:
    """One slot.

    Attributes:
        at: the moment, in UTC.
        wall: the local time and zone by which the schedule names it, or a note for a wave that has begun.
        campaign: the campaign's name.
        wave: the wave's number; None for a mailing without waves.

    """

    at: datetime
    wall: str
    campaign: str
    wave: int | None = None


def calendar(manifest: Manifest, ledger: Ledger, start: datetime, end: datetime) -> list[Entry]:
    """The slots of all active campaigns after `start` and up to `end`, in order."""
    found = [entry for name in manifest.names for entry in slots_of(manifest, name, ledger, start, end)]
    return sorted(found, key=lambda entry: (entry.at, entry.campaign))


def slots_of(manifest: Manifest, name: str, ledger: Ledger, start: datetime, end: datetime) -> Iterator[Entry]:
    """The slots of one campaign, those of waves that have begun first."""
    mail = manifest.campaign(name).mail
    if mail.status != "active" or not mail.schedule:
        return
    for run in ledger.unfinished(name):
        if run.wave and start < run.slot <= end:
            yield Entry(run.slot, "its first wave is out", name, run.wave)
    for slot in takewhile(lambda slot: slot.at <= end, slots(mail.schedule, start)):
        if mail.waves:
            for number, at in enumerate(wave_slots(mail.schedule, mail.waves, slot), start=1):
                yield Entry(at, slot.wall, name, number)
        else:
            yield Entry(slot.at, slot.wall, name)

"""The slots of the coming weeks, with the waves of each mailing, and what `run --due` would do now."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.provider import find_provider
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.plan.due import due_runs
from dmail_runner.plan.expected import Expected
from dmail_runner.plan.in_home import Arrival
from dmail_runner.plan.planner import local_name, new_runs_now
from dmail_runner.plan.slots import slots_after, wave_slots
from dmail_runner.plan.watched import last_seen
from dmail_runner.plan.waves import waiting_waves
from dmail_runner.project.manifest import Manifest


@dataclass(frozen=True)
class Entry:
    """One slot.

    Attributes:
        at: the time in UTC.
        wall: the local time and the time zone of the schedule.
        campaign: the campaign's name.
        wave: the wave's number; None for a mailing without waves.
        why: what a wave of a mailing that has begun waits for, apart from its slot, so that it starts at `at` or later; or empty.
        comes: when the letters are handed over to the post and delivered; None if the provider has no lead times.
    """

    at: datetime
    wall: str
    campaign: str
    wave: int | None = None
    why: str = ""
    comes: Arrival | None = None


def calendar(manifest: Manifest, ledger: Ledger, start: datetime, end: datetime) -> list[Entry]:
    """The slots of all active campaigns after `start`, up to and including `end`, in order."""
    found = [entry for name in manifest.names for entry in campaign_entries(manifest, name, ledger, start, end)]
    return sorted(found, key=lambda entry: (entry.at, entry.campaign))


def with_arrivals(manifest: Manifest, settings: Settings, entries: list[Entry]) -> list[Entry]:
    """The slots with the dates on which their letters arrive. There are none if a provider has errors, which `check` reports."""
    expected: dict[str, Expected] = {}
    for campaign in map(manifest.campaign, {entry.campaign for entry in entries}):
        with suppress(ConfigError):
            expected[campaign.name] = Expected(campaign, find_provider(settings, campaign.mail.provider))
    known = expected.get
    return [replace(entry, comes=one.arrival_if_known(entry.at) if (one := known(entry.campaign)) else None) for entry in entries]


def campaign_entries(manifest: Manifest, name: str, ledger: Ledger, start: datetime, end: datetime) -> Iterator[Entry]:
    """The slots of one campaign. The waves of mailings that have begun come first, also those that could start already."""
    campaign = manifest.campaign(name)
    mail = campaign.mail
    if campaign.status != "active" or not mail.schedule:
        return
    for run, wait in waiting_waves(campaign, ledger):
        if wait.until <= end:
            why = wait.why if wait.state or wait.apart else ""
            yield Entry(wait.until, local_name(wait.until, mail.schedule.timezone), name, run.wave, why)
    for slot in takewhile(lambda slot: slot.at <= end, slots_after(mail.schedule, start)):
        if mail.waves:
            for number, at in enumerate(wave_slots(mail.schedule, mail.waves, slot), start=1):
                if at <= end:
                    yield Entry(at, slot.wall if at == slot.at else local_name(at, mail.schedule.timezone), name, number)
        else:
            yield Entry(slot.at, slot.wall, name)


@dataclass(frozen=True)
class DueNow:
    """What `run --due` would do with one slot.

    Attributes:
        at: the slot in UTC.
        run_id: its run.
        what: `run`, `continue`, `later` for a wave that is not due yet, or `missed`.
        why: the reason for a missed slot, or the last error of a run that is continued.
    """

    at: datetime
    run_id: str
    what: str
    why: str = ""


def due_now(manifest: Manifest, ledger: Ledger, now: datetime) -> list[DueNow]:
    """What `run --due` would do with all slots. A run of a newer slot can still replace an older one. Nothing is recorded."""
    found = [entry for name in manifest.names for entry in due_of(manifest.campaign(name), ledger, now)]
    return sorted(found, key=lambda entry: (entry.at, entry.run_id))


def due_of(campaign: Campaign, ledger: Ledger, now: datetime) -> Iterator[DueNow]:
    """What `run --due` would do with the slots of one campaign. Raises DmailError if too many are due."""
    for planned, state, why in new_runs_now(campaign, ledger, now, last_seen(ledger, campaign.name)).rows:
        later = "later" if planned.slot > now else "run"
        yield DueNow(planned.slot, planned.run_id, "missed" if state == "missed" else later, why)
    if campaign.status == "active":
        for run in due_runs(campaign, ledger, now):
            yield DueNow(run.slot, run.run_id, "continue" if run.state != "planned" else "run", run.error or "")

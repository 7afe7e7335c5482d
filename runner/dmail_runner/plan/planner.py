"""Which runs are to be: a run for every slot that comes due, or the word that it was missed; and which of them is on now."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.schedule import Schedule
from dmail_runner.ledger.database import iso
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run, run_name
from dmail_runner.ledger.tables import schedules
from dmail_runner.plan.slots import Slot, slots, wall_of, wave_slots
from dmail_runner.plan.watched import Watched, dump, first_look, load, watched

# More than this at once is a clock that is wrong.
MOST = 10_000


# A run that is to be, its state, and why.
Decided = tuple[Planned, str, str]


def plan(campaign: Campaign, ledger: Ledger, now: datetime) -> list[Run]:
    """Write a run for every slot that has come due since the last look: planned, or missed. The new runs, in order.

    A schedule counts from when it is first seen, or from its `start`. One that was changed counts from then on, and the one
    before it up to then; so does one whose campaign was stopped.
    """
    declared = dump(campaign)
    last = watched(ledger, campaign.name)
    if last is None:
        schedule, begin = campaign.mail.schedule if declared != "null" else None, first_look(campaign, now)
    else:
        # A clock that was set back: what was planned meanwhile has its run, and is not planned again.
        schedule, begin = load(last.declared), min(last.planned_to, now)
    due = list(islice(takewhile(lambda slot: slot.at <= now, slots(schedule, begin)), MOST + 1)) if schedule else []
    if len(due) > MOST:
        raise DmailError(
            f"more than {MOST:,} slots of {campaign.name} have come due since {begin:%Y-%m-%d %H:%M} UTC",
            todo="look at the clock, and at the schedule's `start`, from which its slots count",
        )
    fresh = unknown(campaign, due, ledger) if due else []
    rows = list(decided(campaign, schedule, fresh, due[-1], now)) if schedule and fresh else []
    if due or last is None or last.declared != declared or last.planned_to > now:
        write(ledger, campaign, last, rows, now)
    return ledger.runs(planned.run_id for planned, _, _ in rows)[::-1] if rows else []


def unknown(campaign: Campaign, due: list[Slot], ledger: Ledger) -> list[Slot]:
    """Those of the slots that have no run, by whichever of their names."""
    walls = {run.wall for run in ledger.by_wall(campaign.name, [slot.wall for slot in due])}
    names = {run.run_id for run in ledger.runs(run_name(campaign.name, slot.at) for slot in due)}
    return [slot for slot in due if slot.wall not in walls and run_name(campaign.name, slot.at) not in names]


def decided(campaign: Campaign, schedule: Schedule, fresh: list[Slot], newest: Slot, now: datetime) -> Iterator[Decided]:
    """What becomes of slots that nobody has run: the run, its state, and why."""
    for slot in fresh:
        if schedule.lateness is not None and now - slot.at > schedule.lateness:
            yield planned_runs(campaign, slot)[0], "missed", f"nobody ran it within {schedule.lateness}"
        elif schedule.missed != "all" and slot is not newest:
            yield planned_runs(campaign, slot)[0], "missed", "a newer slot had come due before anybody ran it"
        else:
            for planned in planned_runs(campaign, slot):
                yield planned, "planned", ""


def planned_runs(campaign: Campaign, slot: Slot) -> list[Planned]:
    """The run of a slot, or those of its waves."""
    first = run_name(campaign.name, slot.at)
    waves, schedule = campaign.mail.waves, campaign.mail.schedule
    if not waves or not schedule:
        return [Planned(first, campaign.name, slot.at, slot.wall)]
    return [
        Planned(
            first if number == 1 else f"{first}-w{number}", campaign.name, at, slot.wall if number == 1 else None, number, first
        )
        for number, at in enumerate(wave_slots(schedule, waves, slot), start=1)
    ]


def run_of(campaign: Campaign, slot: datetime, ledger: Ledger) -> Run | None:
    """The run of a slot, if there is one, whatever that slot was in UTC when its time zone had other rules."""
    if found := ledger.find(campaign.name, slot):
        return found
    wall = wall_of(campaign.mail.schedule, slot) if campaign.mail.schedule else None
    known = ledger.by_wall(campaign.name, [wall]) if wall else []
    return known[0] if known else None


def open_slot(campaign: Campaign, slot: datetime, ledger: Ledger) -> Run:
    """The run of a slot, made where there is none, with those of its waves. Raises UsageError where its window is another's."""
    found = run_of(campaign, slot, ledger)
    if found and found.state != "missed":
        return found
    slot = found.slot if found else slot
    schedule = campaign.mail.schedule
    if schedule and schedule.every and (over := ledger.window_over(campaign.name, slot)):
        raise UsageError(f"the window of {campaign.name} that ends {slot:%Y-%m-%d %H:%M} UTC was mailed with {over.run_id}")
    if found:
        ledger.planned_again(found)
    wall = wall_of(schedule, slot) if schedule else None
    zone = schedule.timezone if schedule else "UTC"
    runs = [ledger.open(planned) for planned in planned_runs(campaign, Slot(slot, wall or local_name(slot, zone)))]
    return runs[0]


def local_name(slot: datetime, zone: str) -> str:
    """What a moment that no schedule names is called in its zone."""
    return f"{slot.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M} {zone}"


def write(ledger: Ledger, campaign: Campaign, last: Watched | None, rows: list[Decided], now: datetime) -> None:
    """Write the new runs, and how far they reach, in one transaction."""
    declared = dump(campaign)
    with ledger.writing() as connection:
        if last is None or last.declared != declared:
            connection.execute(
                schedules.insert().values(campaign=campaign.name, seen_at=iso(now), declared=declared, planned_to=iso(now))
            )
            ledger.record(connection, campaign.name, "schedule", declared)
        else:
            connection.execute(schedules.update().where(schedules.c.number == last.number).values(planned_to=iso(now)))
        for planned, state, why in rows:
            ledger.insert(connection, planned, state, why)

"""Which runs are to be: a run for every slot that comes due, or the word that it was missed; and which of them is on now."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from runner.campaign import Campaign
from runner.database import iso, moment
from runner.errors import DmailError, UsageError
from runner.ledger import Ledger
from runner.run import Planned, Run, run_name
from runner.schedule import Slot, bounds, latest, previous, slots, wall_of, wave_slots
from runner.tables import schedules
from runner.timing import Schedule

# More than this at once is a clock that is wrong.
MOST = 10_000
# A run that failed is tried again after so many minutes, twice as long each time, and at least once an hour.
FIRST_PAUSE, LONGEST_PAUSE = 1, 60
MINUTE = timedelta(minutes=1)
# A run that is to be, its state, and why.
Decided = tuple[Planned, str, str]


@dataclass(frozen=True)
class Watched:
    """A schedule as it was last seen, and how far its slots have their runs."""

    number: int
    declared: str
    planned_to: datetime


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


def due_slot(campaign: Campaign, ledger: Ledger, now: datetime) -> datetime | None:
    """The slot that a run without further word means: the latest that the schedule gives, or None.

    Without a schedule it is the present minute, unless a frozen file waits to be shipped: another one beside it could mail twice.
    """
    if campaign.mail.schedule:
        slot = latest(campaign.mail.schedule, now)
        known = run_of(campaign, slot.at, ledger) if slot else None
        return known.slot if known else slot.at if slot else None
    frozen = (run.slot for run in ledger.unfinished(campaign.name) if run.parts)
    return next(frozen, now.replace(second=0))


def due_runs(campaign: Campaign, ledger: Ledger, now: datetime) -> list[Run]:
    """The runs that are on now, oldest first: of those that are planned or failed, the ones that need not wait."""
    ready = [run for run in ledger.unfinished(campaign.name) if run.slot <= now and is_ready(campaign, run, ledger, now)]
    return ready[::-1]


def is_ready(campaign: Campaign, run: Run, ledger: Ledger, now: datetime) -> bool:
    """Whether a run has waited long enough: after it failed, and after the wave before it."""
    if run.state == "failed" and run.changed:
        pause = min(FIRST_PAUSE * 2 ** min(ledger.count(run, "failed") - 1, 10), LONGEST_PAUSE)
        if run.changed <= now < run.changed + pause * MINUTE:
            return False
    return not waits_for_wave(campaign, run, ledger, now)


def waits_for_wave(campaign: Campaign, run: Run, ledger: Ledger, now: datetime) -> bool:
    """Whether the wave before this one has not ended, or not long enough ago."""
    if not run.wave or run.wave == 1:
        return False
    before = ledger.waves(run)[run.wave - 2]
    apart = campaign.mail.waves.apart if campaign.mail.waves else timedelta()
    return not before.finished or before.changed is None or now < before.changed + apart


def window_start(campaign: Campaign, run: Run, ledger: Ledger) -> datetime:
    """Where a run's window begins: where the one before it ends that was not given up; the first one's by the schedule."""
    if before := ledger.window_before(campaign.name, run.slot):
        return before.slot
    schedule = campaign.mail.schedule
    if schedule and schedule.every:
        return run.slot - schedule.every
    before_start = previous(schedule.model_copy(update={"start": None}), run.slot) if schedule else None
    return before_start or moment("1970-01-01T00:00:00+00:00") or run.slot


def first_look(campaign: Campaign, now: datetime) -> datetime:
    """From when on the slots of a schedule count that was never seen before."""
    schedule = campaign.mail.schedule
    opens = bounds(schedule)[0] if schedule else None
    return min(opens - MINUTE, now) if opens else now


def dump(campaign: Campaign) -> str:
    """A campaign's schedule as text; `null` while it has none, or is not active."""
    schedule = campaign.mail.schedule if campaign.mail.status == "active" else None
    return json.dumps(schedule and {**schedule.model_dump(mode="json"), **spans(schedule)}, sort_keys=True)


def spans(schedule: Schedule) -> dict[str, str]:
    """Lengths of time as they are declared."""
    found = {"every": schedule.every, "max_late": schedule.max_late}
    return {name: f"{int(span / MINUTE)}min" for name, span in found.items() if span is not None}


def load(declared: str) -> Schedule | None:
    """A schedule from its text."""
    content = json.loads(declared)
    return Schedule(**content) if content else None


def watched(ledger: Ledger, campaign: str) -> Watched | None:
    """The campaign's schedule as it was last seen."""
    query = schedules.select().where(schedules.c.campaign == campaign).order_by(schedules.c.number.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).first()
    planned_to = moment(row.planned_to) if row else None
    return Watched(row.number, row.declared, planned_to) if row and planned_to else None


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


def forget_past(ledger: Ledger, campaign: Campaign, now: datetime) -> None:
    """Count the campaign's slots from now on: what came before is not made up for."""
    with ledger.writing() as connection:
        connection.execute(sa.delete(schedules).where(schedules.c.campaign == campaign.name))
        connection.execute(
            schedules.insert().values(campaign=campaign.name, seen_at=iso(now), declared=dump(campaign), planned_to=iso(now))
        )
        ledger.record(connection, campaign.name, "schedule", f"counts from now on: {dump(campaign)}")

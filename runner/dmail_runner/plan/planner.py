"""Creates a run for every slot that comes due, or records that the slot was missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.schedule import Schedule, format_span
from dmail_runner.ledger.contents import written
from dmail_runner.ledger.database import iso
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run, run_name
from dmail_runner.ledger.tables import schedules
from dmail_runner.plan.slots import Slot, slots_after, wall_of, wave_slots
from dmail_runner.plan.watched import SeenSchedule, dump_schedule, first_counted, last_seen, load_schedule

# If more slots than this are due at once, the clock is probably wrong.
MAX_DUE_SLOTS = 10_000

# A new run, its state, and the reason for the state.
NewRun = tuple[Planned, str, str]


def plan(campaign: Campaign, ledger: Ledger, now: datetime) -> list[Run]:
    """Create a run for every slot that has come due since the last call. Each one is `planned` or `missed`.

    A schedule counts from its `start`, or from the first call that sees it. If it was changed since the last call, its old form
    counts up to now and its new form from now on. The same is true if the campaign was stopped.

    Returns:
        The new runs, oldest slot first.

    Raises:
        DmailError: if more than MAX_DUE_SLOTS slots are due.
    """
    declared, last = dump_schedule(campaign), last_seen(ledger, campaign.name)
    found = new_runs_now(campaign, ledger, now, last)
    if found.due or last is None or last.declared != declared or last.planned_to > now:
        save(ledger, campaign, last, found.rows, now)
    return ledger.runs(planned.run_id for planned, _, _ in found.rows)[::-1] if found.rows else []


@dataclass(frozen=True)
class NewRuns:
    """The slots that have come due since the last call, and the runs of those that have none."""

    due: list[Slot]
    rows: list[NewRun]


def new_runs_now(campaign: Campaign, ledger: Ledger, now: datetime, last: SeenSchedule | None) -> NewRuns:
    """The runs that `plan` would create. Nothing is recorded.

    `last`: the schedule as the planner has last seen it. Raises DmailError if more than MAX_DUE_SLOTS slots are due.
    """
    if last is None:
        active = dump_schedule(campaign) != "null"
        schedule, begin = campaign.mail.schedule if active else None, first_counted(campaign, now)
    else:
        # `min`: the clock may have been set back. Slots that have a run already are not planned again.
        schedule, begin = load_schedule(last.declared), min(last.planned_to, now)
    if schedule is None:
        return NewRuns([], [])
    due = list(islice(takewhile(lambda slot: slot.at <= now, slots_after(schedule, begin)), MAX_DUE_SLOTS + 1))
    if len(due) > MAX_DUE_SLOTS:
        raise DmailError(
            f"more than {MAX_DUE_SLOTS:,} slots of {campaign.name} have come due since {begin:%Y-%m-%d %H:%M} UTC",
            todo="check the clock, and the `start` of the schedule",
        )
    new = without_runs(campaign, due, ledger) if due else []
    return NewRuns(due, list(new_runs(campaign, schedule, new, due[-1], now)) if new else [])


def without_runs(campaign: Campaign, due: list[Slot], ledger: Ledger) -> list[Slot]:
    """The slots that have no run, neither by local time nor by UTC time."""
    walls = {run.wall for run in ledger.by_wall(campaign.name, [slot.wall for slot in due])}
    names = {run.run_id for run in ledger.runs(run_name(campaign.name, slot.at) for slot in due)}
    return [slot for slot in due if slot.wall not in walls and run_name(campaign.name, slot.at) not in names]


def new_runs(campaign: Campaign, schedule: Schedule, slots: list[Slot], newest: Slot, now: datetime) -> Iterator[NewRun]:
    """The runs of slots that have none, with their states by the schedule's `missed` and `max_late`."""
    for slot in slots:
        if schedule.lateness is not None and now - slot.at > schedule.lateness:
            yield planned_runs(campaign, slot)[0], "missed", f"nobody ran it within {format_span(schedule.lateness)}"
        elif schedule.missed != "all" and slot is not newest:
            yield planned_runs(campaign, slot)[0], "missed", "a newer slot had come due before anybody ran it"
        else:
            for planned in planned_runs(campaign, slot):
                yield planned, "planned", ""


def planned_runs(campaign: Campaign, slot: Slot) -> list[Planned]:
    """The run of a slot, or one run for each of its waves."""
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


def find_run(campaign: Campaign, slot: datetime, ledger: Ledger) -> Run | None:
    """The run of a slot; None if there is none.

    The slot is also searched by its local time, because its UTC time changes if the time zone's rules change.
    """
    if run := ledger.find(campaign.name, slot):
        return run
    wall = wall_of(campaign.mail.schedule, slot) if campaign.mail.schedule else None
    runs = ledger.by_wall(campaign.name, [wall]) if wall else []
    return runs[0] if runs else None


def open_slot(campaign: Campaign, slot: datetime, ledger: Ledger) -> Run:
    """The run of a slot. If there is none it is created, with the runs of the other waves. A missed run is planned again.

    Raises:
        UsageError: if the slot's time window was mailed with a later slot.
    """
    found = find_run(campaign, slot, ledger)
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
    """The local time and the zone of a slot that is not in a schedule."""
    return f"{slot.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M} {zone}"


def save(ledger: Ledger, campaign: Campaign, last: SeenSchedule | None, rows: list[NewRun], now: datetime) -> None:
    """Save the new runs, and the time up to which slots have runs, in one transaction."""
    declared = dump_schedule(campaign)
    with ledger.writing() as connection:
        if last is None or last.declared != declared:
            connection.execute(
                schedules.insert().values(campaign=campaign.name, seen_at=iso(now), declared=declared, planned_to=iso(now))
            )
            content = written(connection, schedules, schedules.c.campaign == campaign.name)
            ledger.record(connection, campaign.name, "schedule", declared, content)
        else:
            connection.execute(schedules.update().where(schedules.c.number == last.number).values(planned_to=iso(now)))
        for planned, state, why in rows:
            ledger.insert(connection, planned, state, why)

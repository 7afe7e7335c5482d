"""Stores each schedule as the planner has last seen it, so that changes of a schedule do not affect the past."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.schedule import Schedule
from dmail_runner.ledger.contents import deleted, joined, written
from dmail_runner.ledger.database import iso, moment
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import schedules
from dmail_runner.plan.slots import bounds

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class SeenSchedule:
    """A schedule as the planner has last seen it.

    Attributes:
        number: the row of the ledger's table.
        declared: the schedule as JSON; `null` if the campaign had none or was not active.
        planned_to: all slots up to this time have a run.
    """

    number: int
    declared: str
    planned_to: datetime


def first_counted(campaign: Campaign, now: datetime) -> datetime:
    """The time from which the slots of a new schedule count: its `start`, if that is in the past, or now."""
    schedule = campaign.mail.schedule
    opens = bounds(schedule)[0] if schedule else None
    return min(opens - MINUTE, now) if opens else now


def dump_schedule(campaign: Campaign) -> str:
    """A campaign's schedule as JSON; `null` if it has none or is not active."""
    schedule = campaign.mail.schedule if campaign.status == "active" else None
    # Ledgers have schedules without `weeks` from earlier versions, which must not count as changed.
    usual = {"weeks"} if schedule and schedule.weeks == 1 else set()
    return json.dumps(schedule and {**schedule.model_dump(mode="json", exclude=usual), **spans(schedule)}, sort_keys=True)


def spans(schedule: Schedule) -> dict[str, str]:
    """The schedule's durations as the configuration writes them."""
    found = {"every": schedule.every, "max_late": schedule.max_late}
    return {name: f"{int(span / MINUTE)}min" for name, span in found.items() if span is not None}


def load_schedule(declared: str) -> Schedule | None:
    """A schedule from its JSON; None for `null`."""
    content = json.loads(declared)
    return Schedule(**content) if content else None


def last_seen(ledger: Ledger, campaign: str) -> SeenSchedule | None:
    """The campaign's schedule as the planner has last seen it; None if it never has."""
    query = schedules.select().where(schedules.c.campaign == campaign).order_by(schedules.c.number.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).first()
    planned_to = moment(row.planned_to) if row else None
    return SeenSchedule(row.number, row.declared, planned_to) if row and planned_to else None


def restart_schedule(ledger: Ledger, campaign: Campaign, now: datetime) -> None:
    """Let the campaign's slots count from now on. Earlier slots get no runs."""
    with ledger.writing() as connection:
        before = written(connection, schedules, schedules.c.campaign == campaign.name)
        connection.execute(sa.delete(schedules).where(schedules.c.campaign == campaign.name))
        connection.execute(
            schedules.insert().values(
                campaign=campaign.name, seen_at=iso(now), declared=dump_schedule(campaign), planned_to=iso(now)
            )
        )
        content = joined(deleted(before), written(connection, schedules, schedules.c.campaign == campaign.name))
        ledger.record(connection, campaign.name, "schedule", f"counts from now on: {dump_schedule(campaign)}", content)

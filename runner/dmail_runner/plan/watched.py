"""A schedule as it was last seen by the scheduler."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.schedule import Schedule
from dmail_runner.ledger.database import iso, moment
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import schedules
from dmail_runner.plan.slots import bounds

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Watched:
    """A schedule as it was last seen, and how far its slots have their runs."""

    number: int
    declared: str
    planned_to: datetime


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


def forget_past(ledger: Ledger, campaign: Campaign, now: datetime) -> None:
    """Count the campaign's slots from now on: what came before is not made up for."""
    with ledger.writing() as connection:
        connection.execute(sa.delete(schedules).where(schedules.c.campaign == campaign.name))
        connection.execute(
            schedules.insert().values(campaign=campaign.name, seen_at=iso(now), declared=dump(campaign), planned_to=iso(now))
        )
        ledger.record(connection, campaign.name, "schedule", f"counts from now on: {dump(campaign)}")

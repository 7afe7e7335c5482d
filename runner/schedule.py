"""Which slots a schedule has. Pure: every moment is given; slots are datetimes in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from runner.campaign import Schedule


def latest_due(schedule: Schedule, now: datetime) -> datetime | None:
    """The last slot at or before `now`, or None where there is none since the schedule's start."""
    zone = ZoneInfo(schedule.timezone)
    opens, closes = bounds(schedule)
    horizon = min(now, closes) if closes else now
    # A step past the horizon, for cronsim looks strictly before the moment that it is given.
    before = CronSim(schedule.cron, (horizon + timedelta(seconds=1)).replace(microsecond=0).astimezone(zone), reverse=True)
    slot = next((moment.astimezone(UTC) for moment in before), None)
    return slot if slot and (opens is None or slot >= opens) else None


def upcoming(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """The slots after `now`, in order, until the schedule's end."""
    zone = ZoneInfo(schedule.timezone)
    opens, closes = bounds(schedule)
    # A step back, for cronsim looks strictly after the moment that it is given, and the opening moment itself may be a slot.
    start = max(now, opens - timedelta(seconds=1)) if opens else now
    slots = (moment.astimezone(UTC) for moment in CronSim(schedule.cron, start.astimezone(zone)))
    return takewhile(lambda slot: closes is None or slot <= closes, slots)


def bounds(schedule: Schedule) -> tuple[datetime | None, datetime | None]:
    """The first moment of the first day and the last second of the last day, in UTC; None where no clock will ever show it."""
    zone = ZoneInfo(schedule.timezone)
    opens = datetime.combine(schedule.start, time.min, zone) if schedule.start and schedule.start.year > 1 else None
    closes = datetime.combine(schedule.end, time(23, 59, 59), zone) if schedule.end and schedule.end.year < 9999 else None
    return opens.astimezone(UTC) if opens else None, closes.astimezone(UTC) if closes else None

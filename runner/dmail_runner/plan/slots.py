"""Which slots a schedule has. Pure: every moment is given."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dmail_runner.declare.schedule import Schedule, Waves

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Further than any zone has ever moved its clocks.
LEAP = timedelta(hours=26)


@dataclass(frozen=True)
class Slot:
    """One moment at which a campaign is due, in UTC, and its identity: the local time and the zone by which it was declared.

    Countries change when their clocks change: then the same `wall` is another moment, and still the same slot.
    """

    at: datetime
    wall: str


def slots(schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """The slots after a moment, in order, until the schedule's end."""
    opens, closes = bounds(schedule)
    start = max(after, opens - MINUTE) if opens else after
    found = every(schedule, start) if schedule.every else local(schedule, start)
    return takewhile(lambda slot: closes is None or slot.at <= closes, found)


def next_slot(schedule: Schedule, now: datetime) -> datetime | None:
    """The first slot after a moment."""
    found = next(slots(schedule, now), None)
    return found.at if found else None


def latest(schedule: Schedule, now: datetime) -> Slot | None:
    """The last slot at or before `now`, or None where there is none since the schedule's start."""
    opens, closes = bounds(schedule)
    horizon = min(now, closes) if closes else now
    if schedule.every:
        slot = next(every(schedule, horizon - schedule.every), None)
    else:
        before = (
            Slot(instant(wall, schedule.timezone), name(wall, schedule.timezone)) for wall in walls_before(schedule, horizon)
        )
        slot = next((found for found in before if found.at <= horizon), None)
    return slot if slot and slot.at <= horizon and (opens is None or slot.at >= opens) else None


def previous(schedule: Schedule, slot: datetime) -> datetime | None:
    """The slot before a slot, if there is one."""
    found = latest(schedule, slot - timedelta(seconds=1))
    return found.at if found else None


def wall_of(schedule: Schedule, slot: datetime) -> str | None:
    """What the schedule calls a moment; None where it is no slot of it."""
    found = next(slots(schedule, slot - timedelta(seconds=1)), None)
    return found.wall if found and found.at == slot else None


def wave_slots(schedule: Schedule, waves: Waves, first: Slot) -> list[datetime]:
    """When the waves are due whose first one is due at `first`: days are counted by the zone's calendar, hours by the clock."""
    begin = datetime.fromisoformat(first.wall.split()[0])
    zone = first.wall.split()[1]
    moments = [first.at]
    for wave in waves.sizes[1:]:
        if wave.at is not None:
            moments.append(instant(wave.at, schedule.timezone))
        else:
            after = wave.after or timedelta()
            days = timedelta(days=after.days)
            moments.append(instant(begin + days, zone) + (after - days))
    return moments


def wave_faults(schedule: Schedule, waves: Waves, first: Slot) -> Iterator[str]:
    """What is wrong with the moments of the waves that begin with a slot."""
    moments = wave_slots(schedule, waves, first)
    for number, (before, after) in enumerate(pairwise(moments), start=2):
        if after - before < waves.apart:
            yield f"wave {number} comes {after - before} after the one before it, less than `apart`"


def every(schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """The ends of windows after a moment."""
    opens, _ = bounds(schedule)
    step = schedule.every or MINUTE
    anchor = opens or EPOCH
    number = (after - anchor) // step + 1
    if opens:
        number = max(number, 1)
    while True:
        try:
            slot = anchor + number * step
        except OverflowError:
            return
        yield Slot(slot, f"{slot:%Y-%m-%dT%H:%M} UTC")
        number += 1


def local(schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """The slots of local times after a moment; several local times that fall on one moment are one slot."""
    moments = ((instant(wall, schedule.timezone), wall) for wall in walls_after(schedule, after))
    for moment, same in groupby(moments, key=lambda pair: pair[0]):
        *_, (_, wall) = same
        if moment > after:
            yield Slot(moment, name(wall, schedule.timezone))


def walls_after(schedule: Schedule, after: datetime) -> Iterable[datetime]:
    """The local times that come after a moment, in order; the first ones may come before it."""
    if schedule.at:
        return sorted(schedule.at)
    return CronSim(schedule.cron or "", after.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None))


def walls_before(schedule: Schedule, now: datetime) -> Iterable[datetime]:
    """The local times that come before a moment, the last one first; the first ones may come after it."""
    if schedule.at:
        return sorted(schedule.at, reverse=True)
    begin = now.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    begin = begin + LEAP if begin.year < 9999 else begin
    return CronSim(schedule.cron or "", begin, reverse=True)


def name(wall: datetime, zone: str) -> str:
    return f"{wall:%Y-%m-%dT%H:%M} {zone}"


def instant(wall: datetime, zone: str) -> datetime:
    """A local time's moment in UTC: of one that comes twice the first, of one that is skipped the first moment after the gap."""
    there = ZoneInfo(zone)
    first, other = (wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(there).replace(tzinfo=None) == wall:
        return first
    # In the gap: the clocks change between the two.
    before, after = other, first
    offset = after.astimezone(there).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(there).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(second=0, microsecond=0)


def bounds(schedule: Schedule) -> tuple[datetime | None, datetime | None]:
    """The first moment of the first day and the last of the last day, in UTC; None where no clock will ever show it."""
    zone = ZoneInfo(schedule.timezone)
    opens = datetime.combine(schedule.start, time.min, zone) if schedule.start and schedule.start.year > 1 else None
    closes = None
    if schedule.end and schedule.end.year < 9999:
        # A window that ends with the last day belongs to it.
        closes = datetime.combine(schedule.end + timedelta(days=1), time.min, zone) - (timedelta() if schedule.every else MINUTE)
    return opens.astimezone(UTC) if opens else None, closes.astimezone(UTC) if closes else None

"""Computes the slots of a schedule. The functions are pure: they do not read the clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import groupby, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dmail_runner.declare.schedule import Schedule, Waves, format_span

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The local times after this one may have no UTC time.
LAST_WALL = datetime.combine(date(9999, 12, 30), time.min)
# Longer than any time zone has ever moved its clocks.
MAX_CLOCK_CHANGE = timedelta(hours=26)


@dataclass(frozen=True)
class Slot:
    """A time at which a campaign is due.

    Attributes:
        at: the time in UTC.
        wall: the local time and the zone of the schedule, which identify the slot. If a country changes the rules of its time
            zone, the UTC time changes and the slot stays the same.
    """

    at: datetime
    wall: str


def slots_after(schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """The slots after a time, in order, until the schedule's end. The iterator is endless if the schedule is."""
    opens, closes = bounds(schedule)
    start = max(after, opens - MINUTE) if opens else after
    found = window_slots(schedule, start) if schedule.every else local_slots(schedule, start)
    return takewhile(lambda slot: closes is None or slot.at <= closes, found)


def next_slot(schedule: Schedule, now: datetime) -> datetime | None:
    """The first slot after a time, in UTC; None if the schedule has ended."""
    found = next(slots_after(schedule, now), None)
    return found.at if found else None


def latest_slot(schedule: Schedule, now: datetime) -> Slot | None:
    """The last slot at or before `now`; None if there is none since the schedule's start."""
    opens, closes = bounds(schedule)
    horizon = min(now, closes) if closes else now
    if schedule.every:
        recent = window_slots(schedule, horizon - reach(schedule.every))
        slot = max(takewhile(lambda found: found.at <= horizon, recent), key=lambda found: found.at, default=None)
    else:
        before = (
            Slot(instant(wall, schedule.timezone), wall_name(wall, schedule.timezone)) for wall in walls_before(schedule, horizon)
        )
        slot = next((found for found in before if found.at <= horizon), None)
    return slot if slot and slot.at <= horizon and (opens is None or slot.at >= opens) else None


def reach(every: timedelta) -> timedelta:
    """The longest time between two slots: a window, and what a change of the clocks adds to it."""
    return every if every <= HOUR else every + MAX_CLOCK_CHANGE


def previous_slot(schedule: Schedule, slot: datetime) -> datetime | None:
    """The slot before a slot, in UTC; None if there is none."""
    found = latest_slot(schedule, slot - timedelta(seconds=1))
    return found.at if found else None


def wall_of(schedule: Schedule, slot: datetime) -> str | None:
    """The `wall` of the slot at a UTC time; None if the schedule has no slot at that time."""
    found = next(slots_after(schedule, slot - timedelta(seconds=1)), None)
    return found.wall if found and found.at == slot else None


def wave_slots(schedule: Schedule, waves: Waves, first: Slot) -> list[datetime]:
    """The slots of a mailing's waves in UTC, given the slot of the first one.

    Days are counted in the calendar of the time zone, and shorter durations in elapsed time.
    """
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
    """The waves that come too soon after the previous one, given the slot of the first one."""
    moments = wave_slots(schedule, waves, first)
    for number, (before, after) in enumerate(pairwise(moments), start=2):
        if after - before < waves.apart:
            yield f"wave {number} is {format_span(after - before)} after the previous one, less than `apart`"


def window_slots(schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """The slots of a schedule with `every` after a time. Each one is the end of a window.

    The last window ends with the last day, however long it is. Windows of more than an hour end at the same local times, also
    when the clocks have changed. Shorter ones have the same length, because they end at the same minutes of every hour.
    """
    closes = bounds(schedule)[1]
    every = schedule.every or MINUTE
    regular = elapsed_slots(schedule, every, after) if every <= HOUR else calendar_slots(schedule, every, after)
    yield from takewhile(lambda slot: closes is None or slot.at < closes, regular)
    if closes and closes > after and schedule.end:
        wall = datetime.combine(schedule.end + timedelta(days=1), time.min)
        yield Slot(closes, utc_name(closes) if every <= HOUR else wall_name(wall, schedule.timezone))


def elapsed_slots(schedule: Schedule, step: timedelta, after: datetime) -> Iterator[Slot]:
    """The multiples of a duration after a time, counted from the schedule's start."""
    anchor = bounds(schedule)[0] or EPOCH
    number = (after - anchor) // step + 1
    if schedule.start:
        number = max(number, 1)
    while True:
        try:
            slot = anchor + number * step
        except OverflowError:
            return
        yield Slot(slot, utc_name(slot))
        number += 1


def calendar_slots(schedule: Schedule, step: timedelta, after: datetime) -> Iterator[Slot]:
    """The multiples of a duration after a time, counted in local time from the schedule's start."""
    opens = bounds(schedule)[0]
    anchor = datetime.combine(schedule.start, time.min) if opens and schedule.start else EPOCH.replace(tzinfo=None)
    begin = after.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None) - anchor
    number = (begin - MAX_CLOCK_CHANGE) // step
    walls = (anchor + step * count for count in range(max(number, 1) if opens else number, (LAST_WALL - anchor) // step))
    return later_slots(schedule, walls, after)


def local_slots(schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """The slots of a schedule with `cron` or `at` after a time."""
    return later_slots(schedule, walls_after(schedule, after), after)


def later_slots(schedule: Schedule, walls: Iterable[datetime], after: datetime) -> Iterator[Slot]:
    """The slots of local times, in order, that are after a time. Local times that are the same UTC time are one slot."""
    moments = ((instant(wall, schedule.timezone), wall) for wall in walls)
    for moment, same in groupby(moments, key=lambda pair: pair[0]):
        *_, (_, wall) = same
        if moment > after:
            yield Slot(moment, wall_name(wall, schedule.timezone))


def walls_after(schedule: Schedule, after: datetime) -> Iterable[datetime]:
    """The local times after a time, in order. The first ones may be before it."""
    if schedule.at:
        return sorted(schedule.at)
    walls = CronSim(schedule.cron or "", after.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None))
    return filter(partial(in_week, schedule), walls)


def walls_before(schedule: Schedule, now: datetime) -> Iterable[datetime]:
    """The local times before a time, latest first. The first ones may be after it."""
    if schedule.at:
        return sorted(schedule.at, reverse=True)
    begin = now.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    begin = begin + MAX_CLOCK_CHANGE if begin.year < 9999 else begin
    return filter(partial(in_week, schedule), CronSim(schedule.cron or "", begin, reverse=True))


def in_week(schedule: Schedule, wall: datetime) -> bool:
    """Whether a local time is in a week in which the schedule is due. Weeks begin on Mondays, and count from that of `start`."""
    if schedule.weeks == 1 or schedule.start is None:
        return True
    monday = schedule.start - timedelta(days=schedule.start.weekday())
    return (wall.date() - monday).days // 7 % schedule.weeks == 0


def utc_name(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M} UTC"


def wall_name(wall: datetime, zone: str) -> str:
    return f"{wall:%Y-%m-%dT%H:%M} {zone}"


def instant(wall: datetime, zone: str) -> datetime:
    """The UTC time of a local time.

    If the clocks change and the local time occurs twice, it is the first one. If it is skipped, it is the end of the gap.
    """
    there = ZoneInfo(zone)
    first, other = (wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(there).replace(tzinfo=None) == wall:
        return first
    # The local time is in the gap, so the clocks change between the two.
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
    """The first minute of the first day and the last minute of the last day, in UTC; None if there is no such limit."""
    zone = ZoneInfo(schedule.timezone)
    opens = datetime.combine(schedule.start, time.min, zone) if schedule.start and schedule.start.year > 1 else None
    closes = None
    if schedule.end and schedule.end.year < 9999:
        # A window that ends at the end of the last day belongs to that day.
        closes = datetime.combine(schedule.end + timedelta(days=1), time.min, zone) - (timedelta() if schedule.every else MINUTE)
    return opens.astimezone(UTC) if opens else None, closes.astimezone(UTC) if closes else None

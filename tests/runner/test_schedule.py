"""Slots: each moment that the schedule names is due once, in every zone, across daylight saving."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.campaign import Schedule
from runner.schedule import latest_due, upcoming

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)).map(lambda m: m.replace(microsecond=0))
CRONS = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(["0", "30", "59", "*/15"]),
    st.sampled_from(["0", "1", "2", "3", "6", "23", "*/6", "1-3"]),
    st.sampled_from(["*", "1", "28", "31"]),
    st.sampled_from(["*", "mon", "sun", "1-5"]),
)
SCHEDULES = st.builds(Schedule, cron=CRONS, timezone=st.sampled_from(sorted(available_timezones())))


@settings(max_examples=300, deadline=None)
@given(SCHEDULES, MOMENTS)
def test_the_latest_due_slot_is_the_last_one_not_after_now(schedule: Schedule, now: datetime) -> None:
    slot = latest_due(schedule, now)
    assert slot is not None
    assert slot <= now
    assert next(upcoming(schedule, slot - timedelta(seconds=1))) == slot
    assert next(upcoming(schedule, slot)) > now


@settings(max_examples=200, deadline=None)
@given(SCHEDULES, MOMENTS)
def test_slots_rise_and_are_whole_minutes(schedule: Schedule, now: datetime) -> None:
    slots = [slot for slot, _ in zip(upcoming(schedule, now), range(20), strict=False)]
    assert all(a < b for a, b in pairwise(slots))
    assert all(slot.second == 0 and slot.tzinfo == UTC for slot in slots)


def days(cron: str, zone: str, first: datetime, count: int) -> list[str]:
    schedule = Schedule(cron=cron, timezone=zone)
    start = first.replace(tzinfo=ZoneInfo(zone))
    slots = takewhile(lambda slot: slot < start + timedelta(days=count), upcoming(schedule, start))
    return [f"{slot.astimezone(ZoneInfo(zone)):%d %H:%M}" for slot in slots]


def test_an_hour_that_is_skipped_fires_right_after() -> None:
    assert days("30 2 * * *", "America/New_York", datetime(2026, 3, 7), 3) == ["07 02:30", "08 03:00", "09 02:30"]


def test_an_hour_that_comes_twice_fires_once() -> None:
    assert days("30 1 * * *", "America/New_York", datetime(2026, 10, 31), 3) == ["31 01:30", "01 01:30", "02 01:30"]


def test_start_and_end_are_days_in_the_zone_both_included() -> None:
    schedule = Schedule(cron="0 6 * * *", timezone="Asia/Tokyo", start=date(2027, 2, 1), end=date(2027, 2, 3))
    slots = [datetime(2027, 1, 31, 21, tzinfo=UTC) + timedelta(days=day) for day in range(3)]
    assert list(upcoming(schedule, datetime(2026, 1, 1, tzinfo=UTC))) == slots
    assert latest_due(schedule, slots[0] - timedelta(seconds=1)) is None
    assert latest_due(schedule, slots[0]) == slots[0]
    assert latest_due(schedule, datetime(2030, 1, 1, tzinfo=UTC)) == slots[2]


def test_a_slot_at_the_first_instant_of_the_start_counts() -> None:
    schedule = Schedule(cron="0 0 * * *", timezone="UTC", start=date(2027, 2, 1))
    assert next(upcoming(schedule, datetime(2026, 1, 1, tzinfo=UTC))) == datetime(2027, 2, 1, tzinfo=UTC)

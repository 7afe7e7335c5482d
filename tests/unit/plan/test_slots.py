"""Slots: each moment that a schedule names is due once, in every zone, across daylight saving and all else that clocks do."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.yaml import parse
from dmail_runner.declare.campaign import DirectMail
from dmail_runner.declare.schedule import Schedule, Wave, Waves
from dmail_runner.plan.slots import (
    Slot,
    instant,
    latest_slot,
    next_slot,
    previous_slot,
    slots_after,
    wall_of,
    wave_faults,
    wave_slots,
)
from effort import SOAK, searching

ZONES = sorted(available_timezones())
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)).map(lambda m: m.replace(microsecond=0))
CRONS = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(["0", "30", "59", "*/15"]),
    st.sampled_from(["0", "1", "2", "3", "6", "23", "*/6", "1-3"]),
    st.sampled_from(["*", "1", "28", "31"]),
    st.sampled_from(["*", "mon", "sun", "1-5"]),
)
LOCAL = st.lists(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda m: m.strftime("%Y-%m-%dT%H:%M")),
    min_size=1,
    max_size=5,
    unique=True,
)
SCHEDULES = st.one_of(
    st.builds(Schedule, cron=CRONS, timezone=st.sampled_from(ZONES)),
    st.builds(Schedule, at=LOCAL, timezone=st.sampled_from(ZONES)),
    st.builds(Schedule, every=st.sampled_from(["1min", "15min", "4h", "7h", "1d", "2w"]), timezone=st.sampled_from(ZONES), start=st.none() | st.dates(date(2019, 1, 1), date(2024, 1, 1))),
)  # fmt: skip


@searching(100, 3000)
@given(SCHEDULES, MOMENTS)
def test_the_latest_slot_is_the_last_one_not_after_now(schedule: Schedule, now: datetime) -> None:
    slot = latest_slot(schedule, now)
    if slot is None:
        assert not schedule.cron
        return
    assert slot.at <= now
    assert next(slots_after(schedule, slot.at - timedelta(seconds=1))) == slot
    following = next_slot(schedule, slot.at)
    assert following is None or following > now
    assert wall_of(schedule, slot.at) == slot.wall
    before = previous_slot(schedule, slot.at)
    assert before is None or next_slot(schedule, before) == slot.at


@searching(70, 2000)
@given(SCHEDULES, MOMENTS)
def test_slots_rise_and_are_whole_minutes_and_have_names_of_their_own(schedule: Schedule, now: datetime) -> None:
    found = [slot for slot, _ in zip(slots_after(schedule, now), range(20), strict=False)]
    assert all(a.at < b.at for a, b in pairwise(found))
    assert all(slot.at > now for slot in found)
    assert len({slot.wall for slot in found}) == len(found)
    assert all(slot.at.second == 0 and slot.at.tzinfo == UTC for slot in found)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("year", [2011, 2026])
def test_every_day_has_one_slot_wherever_clocks_change(year: int) -> None:
    """In every zone of the world, around each of its changes of the year: a local time each quarter of an hour is due once.

    `make test` tries Samoa, which skipped a day in 2011, and a third of the others, which differ from time to time.
    """
    zones = zones_that_differ(year)
    others = [name for name in zones if name != "Pacific/Apia"]
    chosen = zones if SOAK else ["Pacific/Apia", *random.sample(others, len(others) // 3)]
    for name, changes in ((name, zones[name]) for name in chosen if name in zones):
        zone = ZoneInfo(name)
        for change in changes:
            begin = change - timedelta(hours=30)
            schedule = Schedule(cron="*/15 * * * *", timezone=name)
            found = list(takewhile(lambda slot, end=change + timedelta(hours=30): slot.at <= end, slots_after(schedule, begin)))
            walls = [slot.at.astimezone(zone).replace(tzinfo=None) for slot in found]
            assert len(set(walls)) == len(walls), f"{name}: a local time came twice, and its slot too"
            named = {datetime.fromisoformat(slot.wall.split()[0]) for slot in found}
            lived = {(begin + timedelta(minutes=15 * step)).astimezone(zone).replace(tzinfo=None) for step in range(1, 240)}
            assert {wall for wall in lived if not wall.minute % 15} <= named | set(walls), f"{name}: a local time has no slot"


def zones_that_differ(year: int) -> dict[str, list[datetime]]:
    """One of all zones whose offsets are the same all year, and the hours in which they change."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=12 * step) for step in range(730)]
    ways: dict[tuple[timedelta | None, ...], str] = {}
    for name in ZONES:
        ways.setdefault(tuple(hour.astimezone(ZoneInfo(name)).utcoffset() for hour in hours), name)
    return {name: [hours[i] for i in range(1, 730) if offsets[i] != offsets[i - 1]] for offsets, name in ways.items()}


def days(cron: str, zone: str, first: datetime, count: int) -> list[str]:
    schedule = Schedule(cron=cron, timezone=zone)
    start = first.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = takewhile(lambda slot: slot.at < start + timedelta(days=count), slots_after(schedule, start))
    return [f"{slot.at.astimezone(ZoneInfo(zone)):%d %H:%M}" for slot in found]


def test_an_hour_that_is_skipped_fires_right_after() -> None:
    assert days("30 2 * * *", "America/New_York", datetime(2026, 3, 7), 3) == ["07 02:30", "08 03:00", "09 02:30"]
    assert instant(datetime(2011, 12, 30, 10), "Pacific/Apia") == datetime(2011, 12, 30, 10, tzinfo=UTC), "a day that never was"


def test_an_hour_that_comes_twice_fires_once() -> None:
    assert days("30 1 * * *", "America/New_York", datetime(2026, 10, 31), 3) == ["31 01:30", "01 01:30", "02 01:30"]


def test_start_and_end_are_days_in_the_zone_both_included() -> None:
    schedule = Schedule(cron="0 6 * * *", timezone="Asia/Tokyo", start=date(2027, 2, 1), end=date(2027, 2, 3))
    moments = [datetime(2027, 1, 31, 21, tzinfo=UTC) + timedelta(days=day) for day in range(3)]
    assert [slot.at for slot in slots_after(schedule, datetime(2026, 1, 1, tzinfo=UTC))] == moments
    assert latest_slot(schedule, moments[0] - timedelta(seconds=1)) is None
    assert latest_slot(schedule, moments[0]) == Slot(moments[0], "2027-02-01T06:00 Asia/Tokyo")
    assert latest_slot(schedule, datetime(2030, 1, 1, tzinfo=UTC)) == Slot(moments[2], "2027-02-03T06:00 Asia/Tokyo")


def test_a_slot_at_the_first_instant_of_the_start_counts() -> None:
    schedule = Schedule(cron="0 0 * * *", timezone="UTC", start=date(2027, 2, 1))
    assert next_slot(schedule, datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2027, 2, 1, tzinfo=UTC)


def test_windows_abut_from_the_start_to_the_end() -> None:
    schedule = Schedule(every="6h", timezone="UTC", start=date(2027, 2, 1), end=date(2027, 2, 1))
    found = [slot.at for slot in slots_after(schedule, datetime(2026, 1, 1, tzinfo=UTC))]
    assert found == [datetime(2027, 2, 1, tzinfo=UTC) + timedelta(hours=6 * step) for step in (1, 2, 3, 4)]


@pytest.mark.parametrize("every", ["50min", "5h", "36h", "1w"])
def test_the_last_window_closes_with_the_campaign(every: str) -> None:
    """In these days, New York's clocks change."""
    schedule = Schedule(every=every, timezone="America/New_York", start=date(2026, 10, 30), end=date(2026, 11, 3))
    opens, closes = datetime(2026, 10, 30, 4, tzinfo=UTC), datetime(2026, 11, 4, 5, tzinfo=UTC)
    found = [slot.at for slot in slots_after(schedule, opens - timedelta(days=9))]
    assert found[-1] == closes
    assert found == sorted(set(found))
    assert all(slot > opens for slot in found)
    assert latest_slot(schedule, closes + timedelta(days=9)) == next(slots_after(schedule, closes - timedelta(seconds=1)))


def test_slots_of_windows_keep_their_local_times() -> None:
    schedule = Schedule(every="12h", timezone="America/New_York", start=date(2026, 10, 31))
    found = list(islice(slots_after(schedule, datetime(2026, 10, 1, tzinfo=UTC)), 4))
    assert [slot.wall.split()[0] for slot in found] == [
        "2026-10-31T12:00",
        "2026-11-01T00:00",
        "2026-11-01T12:00",
        "2026-11-02T00:00",
    ]
    assert [f"{slot.at:%d %H}" for slot in found] == ["31 16", "01 04", "01 17", "02 05"]


def test_every_second_tuesday() -> None:
    schedule = Schedule(cron="0 6 * * tue", timezone="Europe/Lisbon", start=date(2027, 1, 7), weeks=2)
    found = list(islice(slots_after(schedule, datetime(2026, 10, 1, tzinfo=UTC)), 3))
    assert [f"{slot.at:%a %Y-%m-%d %H:%M}" for slot in found] == [
        "Tue 2027-01-19 06:00",
        "Tue 2027-02-02 06:00",
        "Tue 2027-02-16 06:00",
    ]
    assert latest_slot(schedule, found[2].at - timedelta(minutes=1)) == found[1]


def test_waves_keep_the_hour_over_a_change_of_clocks() -> None:
    schedule = Schedule(at=["2026-03-06T06:00"], timezone="America/New_York")
    waves = Waves(apart="2d", sizes=[Wave(share="20%"), Wave(share="30%", after="3d"), Wave(after="3d")])
    (first,) = slots_after(schedule, datetime(2026, 1, 1, tzinfo=UTC))
    assert [f"{at:%d %H:%M}" for at in wave_slots(schedule, waves, first)] == ["06 11:00", "09 10:00", "09 10:00"]
    assert list(wave_faults(schedule, waves, first)) == ["wave 3 is 0d after the previous one, less than `apart`"]


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({}, "needs one of `cron`, `at` and `every`"),
        ({"cron": "0 6 * * *", "every": "4h"}, "needs one of"),
        ({"every": "4 hours"}, "not a duration, such as 30min"),
        ({"every": "99999w"}, "longer than ten years"),
        ({"every": "0h"}, "must be a minute at least"),
        ({"at": []}, "at least 1 item"),
        ({"at": ["2027-03-01"]}, "local time in minutes"),
        ({"at": ["2027-03-01T06:00Z"]}, "without an offset"),
        ({"at": ["2027-03-01T06:00", "2027-03-01 06:00"]}, "names a moment twice"),
        ({"cron": "0 6 * * *", "missed": "some"}, "'latest', 'all' or 'skip'"),
        ({"cron": "0 6 * * *", "max_late": 3}, "not a duration"),
    ],
)
def test_what_no_schedule_is(schedule: dict[str, object], told: str) -> None:
    mail = {"status": "active", "provider": "p", "file": {"name": "f"}, "schedule": schedule}
    with pytest.raises(ConfigError, match=r"direct_mail.schedule") as error:
        parse(DirectMail, mail, "file.yml", "direct_mail")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("waves", "told"),
    [
        ([{"share": "50%"}], "at least 2 items"),
        ([{"share": "50%"}, {"share": "40%", "after": "1d"}], "the shares must add up to 100%"),
        ([{"share": "50%"}, {"count": 40, "after": "1d"}], "all waves have a `share`, or all a `count`"),
        ([{"share": "60%"}, {"share": "50%", "after": "1d"}, {"after": "2d"}], "leave nobody for the last wave"),
        ([{"share": "50%"}, {}], "either `after` or `at`"),
        ([{"share": "50%", "after": "1d"}, {"after": "1d"}], "the first wave is due when the schedule says"),
        ([{"count": 10}, {"at": "2027-03-09T06:00"}], "a schedule with one date"),
    ],
)
def test_what_no_waves_are(waves: list[dict[str, object]], told: str) -> None:
    mail = {
        "status": "active",
        "provider": "p",
        "file": {"name": "f"},
        "schedule": {"cron": "0 6 * * *"},
        "waves": {"sizes": waves},
    }
    with pytest.raises(ConfigError) as error:
        parse(DirectMail, mail, "file.yml", "direct_mail")
    assert told in str(error.value)

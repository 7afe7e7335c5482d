"""When the letters of a slot are handed over to the post and delivered, and the latest slot for an in-home date.

A working day is neither on a weekend nor a public holiday. The functions do not read the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.declare.lead_times import LeadTimes
from dmail_runner.declare.provider import FILE

DAY = timedelta(days=1)
MOST = 400  # days in which there are 60 working days in every country
EXTRA = "pip install 'dmail-runner[dates]'"
IsWorking = Callable[[date], bool]


@dataclass(frozen=True)
class Arrival:
    """When letters are handed over to the post (`mailed`), and when the last ones are delivered (`in_home`)."""

    mailed: date
    in_home: date


@dataclass(frozen=True)
class Latest:
    """The latest day of a slot for an in-home date (`slot`), and the latest mail date (`mailed`)."""

    slot: date
    mailed: date


def arrival(lead: LeadTimes, slot: date, is_working: IsWorking) -> Arrival:
    """When the letters of a slot arrive. `slot`: its day in the time zone of the schedule."""
    mailed = after(slot, lead.production_days, is_working)
    return Arrival(mailed, after(mailed, lead.delivery_days, is_working))


def latest(lead: LeadTimes, in_home: date, is_working: IsWorking) -> Latest:
    """The latest slot and mail date with which letters arrive on `in_home` or earlier."""
    mailed = working(before(in_home, lead.delivery_days, is_working), -DAY, is_working)
    return Latest(before(mailed, lead.production_days, is_working), mailed)


def after(day: date, count: int, is_working: IsWorking) -> date:
    """The working day that is `count` working days after a day. With 0 it is that day, or the next working day."""
    if count == 0:
        return working(day, DAY, is_working)
    for _ in range(count):
        day = working(day + DAY, DAY, is_working)
    return day


def before(day: date, count: int, is_working: IsWorking) -> date:
    """The latest day from which `after()` reaches the given day, or an earlier one."""
    day = working(day, -DAY, is_working)
    if count == 0:
        return day
    for _ in range(count - 1):
        day = working(day - DAY, -DAY, is_working)
    return day - DAY


def working(day: date, step: timedelta, is_working: IsWorking) -> date:
    """The given day, or the next working day in a direction. Raises ValueError if there is none for a year."""
    for _ in range(MOST):
        if is_working(day):
            return day
        day += step
    raise ValueError(f"no working day near {day}")


@cache
def working_days(country: str, region: str | None, provider: str) -> IsWorking:
    """A function that tells working days of a country.

    Raises ConfigError if the extra `dates` is not installed, or does not know the country or region. `provider`: for the message.
    """
    try:
        import holidays
    except ImportError:
        raise ConfigError([Problem(FILE, f"{provider}.lead_times", "need the extra `dates`")], todo=EXTRA) from None
    try:
        return holidays.country_holidays(country, subdiv=region).is_working_day
    except NotImplementedError:
        known = holidays.list_supported_countries().get(country)
        key, what = (
            ("region", f"{country} has no region {region!r}") if known else ("country", f"no holidays of {country} are known")
        )
        raise ConfigError([Problem(FILE, f"{provider}.lead_times.{key}", what, ", ".join(known or ()) or None)]) from None

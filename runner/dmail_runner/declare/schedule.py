"""When a campaign is due, as its author declares it: schedule, waves, and how old a frozen file may be."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.yaml import Strict

LONGEST = timedelta(days=3653)
UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def check_zone(name: str) -> str:
    """A time zone that the tz database knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone of the tz database, such as America/New_York") from None
    return name


def check_cron(expression: str) -> str:
    """Five cron fields."""
    try:
        if len(expression.split()) != 5:
            raise CronSimError("needs five fields")
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"is no cron expression (minute hour day-of-month month day-of-week): {error}") from None
    except StopIteration:
        raise ValueError("never fires") from None
    return expression


def parse_span(value: object) -> object:
    """A length of time, such as `30min`, `4h`, `2d` or `1w`."""
    match = re.fullmatch(r"(\d{1,9}) *(min|h|d|w)", value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("is no length of time, such as 30min, 4h, 2d or 1w")
    try:
        span = timedelta(**{UNITS[match[2]]: int(match[1])})
    except OverflowError:
        span = timedelta.max
    if span > LONGEST:
        raise ValueError("is longer than ten years")
    return span


def written(span: timedelta) -> str:
    """A length of time as people write it."""
    minutes = int(span.total_seconds() // 60)
    size, unit = next((size, unit) for size, unit in ((1440, "d"), (60, "h"), (1, "min")) if minutes % size == 0)
    return f"{minutes // size}{unit}"


def parse_local(value: object) -> object:
    """A local time to the minute, such as `2027-03-01T06:00`."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("is no local time, such as 2027-03-01T06:00") from None
    if moment.tzinfo or moment.second or moment.microsecond or len(str(value)) < 16:
        raise ValueError("must be a local time to the minute, with no offset, such as 2027-03-01T06:00: `timezone` says where")
    return moment


def parse_share(value: object) -> object:
    """A share of one, of a number or of such as `30%`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *%", value.strip()) if isinstance(value, str) else None
    return float(match[1]) / 100 if match else value


Span = Annotated[
    timedelta, BeforeValidator(parse_span), WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,9} *(min|h|d|w)\s*$"})
]
Local = Annotated[
    datetime, BeforeValidator(parse_local), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:00)?$"})
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)? *%\s*$"}]}),
]


class Schedule(Strict):
    """When a campaign is due: by one of `cron`, `at` and `every`. `start` and `end` are both included."""

    cron: Annotated[str, AfterValidator(check_cron)] | None = None
    """Five cron fields, in `timezone`."""
    at: Annotated[tuple[Local, ...], Field(min_length=1, max_length=1000)] | None = None
    """Local times, such as `2027-03-01T06:00`."""
    every: Span | None = None
    """Windows of this length, counted from `start`; each is mailed when it ends."""
    timezone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    """A zone of the tz database."""
    start: date | None = None
    """The first day, in `timezone`."""
    end: date | None = None
    """The last day, in `timezone`."""
    missed: Literal["latest", "all", "skip"] = "latest"
    """What becomes of slots that nobody ran in time: the latest is made up for, or all, or none."""
    max_late: Span | None = None
    """An older slot is never made up for."""

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        if sum(way is not None for way in (self.cron, self.at, self.every)) != 1:
            raise ValueError("needs one of `cron`, `at` and `every`")
        if self.every is not None and not self.every:
            raise ValueError("`every` must be a minute at least")
        if self.start and self.end and self.end < self.start:
            raise ValueError("`end` is before `start`")
        if self.at and len(set(self.at)) < len(self.at):
            raise ValueError("`at` names a moment twice")
        return self

    @property
    def as_declared(self) -> str:
        """When it is due, in the words of its author."""
        if self.every is not None:
            return f"every {written(self.every)}"
        return self.cron or ", ".join(f"{moment:%Y-%m-%dT%H:%M}" for moment in self.at or ())

    @property
    def lateness(self) -> timedelta | None:
        """How late a slot may be begun; None: as late as it gets."""
        return self.max_late or (timedelta(hours=1) if self.missed == "skip" else None)


class Wave(Strict):
    """One wave, by its share of the audience or its number of people; every one but the first says when."""

    share: Annotated[Share, Field(gt=0, lt=1)] | None = None
    """Of the audience, such as `10%`."""
    count: Annotated[int, Field(ge=1)] | None = None
    """So many people."""
    after: Span | None = None
    """So long after the first wave's slot."""
    at: Local | None = None
    """At this local time."""


class Waves(Strict):
    """A mailing in waves: its audience is found once and divided."""

    apart: Span = timedelta(days=1)
    """The least time between the end of a wave and the next one."""
    sizes: Annotated[tuple[Wave, ...], Field(min_length=2, max_length=10)]
    """The waves, from two to ten; the last one may have the rest."""

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        *others, last = self.sizes
        if any((wave.share is None) == (wave.count is None) for wave in others):
            raise ValueError("each wave but the last needs either `share` or `count`")
        if last.share is not None and last.count is not None:
            raise ValueError("a wave has either `share` or `count`")
        if len({wave.share is None for wave in others}) > 1 or last.count is not None:
            raise ValueError("all waves have a `share`, or all a `count`; with `count` the last one has the rest")
        if last.share is not None and (others[0].share is None or abs(sum(wave.share or 0 for wave in self.sizes) - 1) > 1e-9):
            raise ValueError("the shares must make 100%; without one the last wave has the rest")
        if last.share is None and others[0].share is not None and sum(wave.share or 0 for wave in others) >= 1:
            raise ValueError("the shares leave nothing to the last wave")
        first, *further = self.sizes
        if first.after is not None or first.at is not None:
            raise ValueError("the first wave is due when the schedule says")
        if any((wave.after is None) == (wave.at is None) for wave in further):
            raise ValueError("each wave but the first needs either `after` or `at`")
        return self


class Recheck(Strict):
    """What is done about opt-outs that come after a file was frozen."""

    after: Span = timedelta(days=1)
    """A file that is older is compared with the opt-outs before it is shipped."""
    then: Literal["rebuild", "hold"] = "rebuild"
    """What happens where somebody in it has opted out."""

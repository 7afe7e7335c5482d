"""When a campaign is due: its schedule, its waves, and how old a frozen file may become."""

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
    """Validate the name of a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone of the tz database, such as America/New_York") from None
    return name


def check_cron(expression: str) -> str:
    """Validate a cron expression of five fields that fires at least once."""
    try:
        if len(expression.split()) != 5:
            raise CronSimError("needs five fields")
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"is not a cron expression (minute hour day-of-month month day-of-week): {error}") from None
    except StopIteration:
        raise ValueError("never fires") from None
    return expression


def parse_span(value: object) -> object:
    """A duration, from a text such as `30min`, `4h`, `2d` or `1w`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,9}) *(min|h|d|w)", value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("is not a duration, such as 30min, 4h, 2d or 1w")
    try:
        span = timedelta(**{UNITS[match[2]]: int(match[1])})
    except OverflowError:
        span = timedelta.max
    if span > LONGEST:
        raise ValueError("is longer than ten years")
    return span


def format_span(span: timedelta) -> str:
    """A duration as the configuration writes it, such as `2d`."""
    minutes = int(span.total_seconds() // 60)
    size, unit = next((size, unit) for size, unit in ((1440, "d"), (60, "h"), (1, "min")) if minutes % size == 0)
    return f"{minutes // size}{unit}"


def parse_local(value: object) -> object:
    """A local time, from a text such as `2027-03-01T06:00`. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("is not a local time, such as 2027-03-01T06:00") from None
    if moment.tzinfo or moment.second or moment.microsecond or len(str(value)) < 16:
        raise ValueError("must be a local time in minutes without an offset, such as 2027-03-01T06:00; `timezone` sets the zone")
    return moment


def parse_share(value: object) -> object:
    """Convert a text such as `30%` to a share such as 0.3. Other values are returned as they are."""
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
    """When a campaign is due. Exactly one of `cron`, `at` and `every` is required."""

    cron: Annotated[str, AfterValidator(check_cron)] | None = None
    """A cron expression of five fields, in `timezone`."""
    at: Annotated[tuple[Local, ...], Field(min_length=1, max_length=1000)] | None = None
    """Local times in `timezone`, such as `2027-03-01T06:00`."""
    weeks: Annotated[int, Field(ge=1, le=52)] = 1
    """With `cron`: due in every n-th week, counted from that of `start`. `0 6 * * tue` with 2 is every second Tuesday."""
    every: Span | None = None
    """The length of time windows, counted from `start`. Each is mailed when it ends. The last one ends with the last day."""
    timezone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    """A time zone of the tz database."""
    start: date | None = None
    """The first day, in `timezone`. It is included."""
    end: date | None = None
    """The last day, in `timezone`. It is included."""
    missed: Literal["latest", "all", "skip"] = "latest"
    """Which slots are run late if the runner was not running when they were due: the latest one, all, or none (`skip`)."""
    max_late: Span | None = None
    """The longest delay after which a slot is still run."""

    @model_validator(mode="after")
    def check_consistent(self) -> Self:
        if sum(way is not None for way in (self.cron, self.at, self.every)) != 1:
            raise ValueError("needs one of `cron`, `at` and `every`")
        if self.every is not None and not self.every:
            raise ValueError("`every` must be a minute at least")
        if self.weeks > 1 and not (self.cron and self.start):
            raise ValueError("`weeks` needs `cron`, and `start`, from whose week it counts")
        if self.start and self.end and self.end < self.start:
            raise ValueError("`end` is before `start`")
        if self.at and len(set(self.at)) < len(self.at):
            raise ValueError("`at` names a moment twice")
        return self

    @property
    def as_declared(self) -> str:
        """The schedule as its author wrote it."""
        if self.every is not None:
            return f"every {format_span(self.every)}"
        if self.weeks > 1:
            return f"{self.cron} in every {self.weeks}. week from {self.start}"
        return self.cron or ", ".join(f"{moment:%Y-%m-%dT%H:%M}" for moment in self.at or ())

    @property
    def lateness(self) -> timedelta | None:
        """The longest delay after which a slot is still run; None for no limit."""
        return self.max_late or (timedelta(hours=1) if self.missed == "skip" else None)


class Wave(Strict):
    """One wave of a mailing: its size, and when it is due. The first wave is due by the schedule."""

    share: Annotated[Share, Field(gt=0, lt=1)] | None = None
    """The share of the audience, such as `10%`."""
    count: Annotated[int, Field(ge=1)] | None = None
    """The number of people."""
    after: Span | None = None
    """The time after the first wave's slot."""
    at: Local | None = None
    """A local time."""


class Waves(Strict):
    """A mailing in waves. Its audience is determined once, with the first wave, and divided."""

    apart: Span = timedelta(days=1)
    """The shortest time between the end of a wave and the start of the next one."""
    sizes: Annotated[tuple[Wave, ...], Field(min_length=2, max_length=10)]
    """The waves, from two to ten. The last one may leave its size out and get the remaining people."""

    @model_validator(mode="after")
    def check_consistent(self) -> Self:
        *others, last = self.sizes
        if any((wave.share is None) == (wave.count is None) for wave in others):
            raise ValueError("each wave but the last needs either `share` or `count`")
        if last.share is not None and last.count is not None:
            raise ValueError("a wave has either `share` or `count`")
        if len({wave.share is None for wave in others}) > 1 or last.count is not None:
            raise ValueError("all waves have a `share`, or all a `count`; with `count` the last one gets the remaining people")
        if last.share is not None and (others[0].share is None or abs(sum(wave.share or 0 for wave in self.sizes) - 1) > 1e-9):
            raise ValueError("the shares must add up to 100%; a last wave without one gets the remaining people")
        if last.share is None and others[0].share is not None and sum(wave.share or 0 for wave in others) >= 1:
            raise ValueError("the shares leave nobody for the last wave")
        first, *further = self.sizes
        if first.after is not None or first.at is not None:
            raise ValueError("the first wave is due when the schedule says")
        if any((wave.after is None) == (wave.at is None) for wave in further):
            raise ValueError("each wave but the first needs either `after` or `at`")
        return self


class Recheck(Strict):
    """What happens to opt-outs that arrive after a file was frozen."""

    after: Span = timedelta(days=1)
    """The age from which a frozen file is compared with the opt-outs before it is shipped."""
    then: Literal["rebuild", "hold"] = "rebuild"
    """What happens if somebody in the file has opted out: the file is built again, or the run is held."""

"""A campaign as its author declares it: the exposure, its `direct_mail` entry, and the extract's columns."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.config import Strict
from runner.contract import check_pad

# The extract's boolean column that is true for a seed address.
SEED = "is_seed"
# Its column that names the piece, another one in each slot.
PIECE = "piece_id"

Status = Literal["draft", "active", "stopped"]


def check_file_name(name: str) -> str:
    """A relative path that stays below the route's folder on any server."""
    if not name or re.search(r"[\x00-\x1f\x7f\\]", name):
        raise ValueError("must be a file name or a relative path with forward slashes and no control characters")
    if name.startswith("/") or any(part in ("", ".", "..") or part.startswith(("-", "~")) for part in name.split("/")):
        raise ValueError(
            "must stay below the route's folder: no leading `/`, no empty, `.` or `..` part, none that starts with `-` or `~`"
        )
    return name


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


def parse_sort_key(value: object) -> object:
    """A column, such as `postal_code desc nulls first`."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\w+)(?: +(asc|desc))?(?: +nulls +(first|last))?", value.strip(), re.IGNORECASE)
    if not match:
        raise ValueError(f"{value!r} is no order; it is a column, then asc or desc, then nulls first or nulls last")
    return {"column": match[1], "order": (match[2] or "asc").lower(), "nulls": (match[3] or "last").lower()}


class SortKey(Strict):
    """One column of the file's order."""

    column: str
    order: Literal["asc", "desc"] = "asc"
    nulls: Literal["first", "last"] = "last"


class Note(Strict):
    """Lines of text before or after everything else in the file, as a template."""

    text: Annotated[str, Field(min_length=1)]
    position: Literal["header", "footer"] = "header"


class FileSpec(Strict):
    """The extraction file's name, order and note. With `timestamp`, the slot's time in UTC stands before the name's suffix."""

    name: Annotated[str, AfterValidator(check_file_name)]
    timestamp: bool = False
    sort_by: tuple[Annotated[SortKey, BeforeValidator(parse_sort_key)], ...] = ()
    seeds: Literal["mixed", "first", "last"] = "mixed"
    note: Note | None = None


class Schedule(Strict):
    """When a campaign is due; `start` and `end` are days in `timezone`, both included."""

    cron: Annotated[str, AfterValidator(check_cron)]
    timezone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    start: date | None = None
    end: date | None = None

    @model_validator(mode="after")
    def check_order(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError("`end` is before `start`")
        return self


def parse_share(value: object) -> object:
    """A share of one, of a number or of such as `30%`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *%", value.strip()) if isinstance(value, str) else None
    return float(match[1]) / 100 if match else value


class Guard(Strict):
    """Which numbers of pieces pass without a person: bounds, and the greatest change against the last settled run.

    `max_churn`: of the people, too; so many may come, and so many go, as a share of the last run's.
    """

    min_rows: Annotated[int, Field(ge=0)] | None = None
    max_rows: Annotated[int, Field(ge=1)] | None = None
    max_change: Annotated[float, BeforeValidator(parse_share), Field(gt=0)] | None = None
    max_churn: Annotated[float, BeforeValidator(parse_share), Field(gt=0)] | None = None

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        if self.min_rows is not None and self.max_rows is not None and self.max_rows < self.min_rows:
            raise ValueError("`max_rows` is below `min_rows`")
        return self


class DirectMail(Strict):
    """The exposure's `config.meta.direct_mail`. A contractual mailing goes to people who have refused marketing, too."""

    status: Status
    provider: str
    postal_class: str | None = None
    purpose: Literal["marketing", "contractual"] = "marketing"
    file: FileSpec
    schedule: Schedule | None = None
    guard: Guard = Guard()


class ColumnMeta(Strict):
    """What a column's `config.meta` says to the runner."""

    label: Annotated[str, Field(min_length=1)] | None = None
    export: bool = True
    width: Annotated[int, Field(ge=1, le=100_000)] | None = None
    align: Literal["left", "right"] = "left"
    pad: Annotated[str, AfterValidator(check_pad)] | None = None


@dataclass(frozen=True)
class Column:
    """One column of the extract; `label` is its header in the file: its name, unless it is `labelled`.

    `width`, `align` and `pad` are for fixed-width files.
    """

    name: str
    label: str
    export: bool
    width: int | None = None
    align: Literal["left", "right"] = "left"
    pad: str | None = None
    labelled: bool = True


@dataclass(frozen=True)
class Campaign:
    """One mailing programme: `file` declares it, `contract` lists its columns, the rest are dbt's ids of models.

    `opt_outs`: names of the project's models that say who has opted out, for the gate to look at in any case.
    """

    name: str
    label: str
    description: str
    owner: str
    file: str
    mail: DirectMail
    extract: str
    recipients: str
    columns: tuple[Column, ...]
    contract: str
    opt_outs: tuple[str, ...] = ()

    @property
    def has_seeds(self) -> bool:
        """Whether the extract tells seed addresses from recipients."""
        return any(column.name == SEED for column in self.columns)

    @property
    def exported(self) -> tuple[Column, ...]:
        """The columns that are in the file, in its order."""
        return tuple(column for column in self.columns if column.export)

"""A campaign as its author declares it: the exposure, its `direct_mail` entry, and the extract's columns."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.contract import check_pad
from dmail_runner.declare.schedule import Recheck, Schedule, Share, Waves
from dmail_runner.declare.source import Source

KEY = "profile_id"


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
    """A column of the extract, by its name."""
    order: Literal["asc", "desc"] = "asc"
    """`asc` or `desc`."""
    nulls: Literal["first", "last"] = "last"
    """Where rows without a value stand."""


class Note(Strict):
    """Lines of text before or after everything else in the file, as a template."""

    text: Annotated[str, Field(min_length=1)]
    """The lines, as a template: `{campaign}`, `{label}`, `{run}`, `{slot}`, `{rows}`, `{part}`, `{parts}`."""
    position: Literal["header", "footer"] = "header"
    """Before or after everything else in the file."""


class FileSpec(Strict):
    """The extraction file: its name, its order, and what stands in it beside the rows."""

    name: Annotated[str, AfterValidator(check_file_name)]
    """The file's name, or a relative path below the route's folder; it takes placeholders such as `{slot:%Y%m%d}`."""
    timestamp: bool = False
    """The slot's time in UTC stands before the name's suffix."""
    sort_by: tuple[Annotated[SortKey, BeforeValidator(parse_sort_key), WithJsonSchema({"type": "string"})], ...] = ()
    """The file's order: columns, such as `postal_code desc nulls first`; `profile_id` comes last by itself."""
    seeds: Literal["mixed", "first", "last"] = "mixed"
    """Where seed addresses stand among the rows."""
    note: Note | None = None
    """Lines of text before or after everything else."""


class Guard(Strict):
    """Which numbers of pieces pass without a person: bounds, and the greatest change against the last settled run."""

    min_rows: Annotated[int, Field(ge=0)] | None = None
    """Fewer pieces are held."""
    max_rows: Annotated[int, Field(ge=1)] | None = None
    """More pieces are held."""
    max_change: Annotated[Share, Field(gt=0)] | None = None
    """A greater change of the number of pieces against the last settled run is held, such as `30%`."""
    max_churn: Annotated[Share, Field(gt=0)] | None = None
    """So many people may come, and so many go, as a share of the last run's pieces."""
    max_unmatched: Annotated[Share, Field(gt=0)] = 0.5
    """So many of the entries of a suppression list that matched a profile in the last run may match none now."""
    max_missing_profiles: Annotated[Share, Field(gt=0)] = 0.2
    """So many of the profiles of the last run may be missing now: an export that was cut off has fewer. Differences of fewer than
    10 profiles pass."""
    max_reason_change: Annotated[Share, Field(gt=0)] = 0.5
    """With `50%`, an exclusion reason that halves or doubles against the last run is held; with `100%`, none is. Differences of
    fewer than 10 people, and those within chance, pass."""
    near_matches: Literal["hold", "tell"] = "hold"
    """What happens if ids match only when they are compared as a spreadsheet changes them. `tell` is for projects whose ids
    differ in this way."""

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        if self.min_rows is not None and self.max_rows is not None and self.max_rows < self.min_rows:
            raise ValueError("`max_rows` is below `min_rows`")
        return self


class DirectMail(Strict):
    """The exposure's `config.meta.direct_mail`."""

    status: Status
    """`draft`: only looked at. `active`: its slots are run. `stopped`: nothing happens."""
    provider: str
    """The entry of profiles/providers.yml."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Of the campaigns that are due at once, those with a greater number run first, so that frequency caps keep their letters."""
    postal_class: str | None = None
    """One of the provider's `postal_classes`; too few pieces for it are held."""
    purpose: Literal["marketing", "contractual"] = "marketing"
    """`contractual` is for letters that nobody can refuse: opt-outs of marketing do not stop them."""
    file: FileSpec
    """The extraction file."""
    schedule: Schedule | None = None
    """When it is due; without one, when somebody runs it."""
    waves: Waves | None = None
    """A mailing in several waves, which share one audience."""
    guard: Guard = Guard()
    """Which numbers of pieces pass without a person."""
    approval: Literal["required", "four_eyes", "two"] | None = None
    """Nothing is built before the campaign is approved as it is: by one person, with `four_eyes` by one who has not written it,
    with `two` by two such people. profiles/policy.yml, the provider or the route may require more."""
    recheck: Recheck = Recheck()
    """How long a frozen file may wait before it is compared with the opt-outs again."""

    @model_validator(mode="after")
    def check_waves(self) -> Self:
        if self.waves and (self.schedule is None or self.schedule.every):
            raise ValueError("`waves` need a `schedule` with `cron` or `at`")
        dated = self.waves and any(wave.at for wave in self.waves.sizes)
        if dated and not (self.schedule and self.schedule.at and len(self.schedule.at) == 1):
            raise ValueError("waves with dates of their own need a schedule with one date, in `at`")
        return self


Role = Literal["profiles", "addresses", "suppressions", "suppressed_profiles", "contact_history"]


class ModelMeta(Strict):
    """The `config.meta.direct_mail` of a model: its role in all campaigns. Names of models have no meaning."""

    role: Role
    """`profiles`: who can be mailed, with their consents. `suppressions`: who must not be mailed. `suppressed_profiles`: which
    profiles that is. `contact_history`: who was mailed. `addresses`: what a new campaign selects from."""
    lists: tuple[str, ...] = ()
    """Of `suppressions`: the names of the lists. Rules that name another one are then errors of `check`."""

    @model_validator(mode="after")
    def check_lists(self) -> Self:
        if self.lists and self.role != "suppressions":
            raise ValueError("`lists` are those of the model with the role `suppressions`")
        return self


class ColumnMeta(Strict):
    """What a column's `config.meta` says to the runner."""

    label: Annotated[str, Field(min_length=1)] | None = None
    """The column's header in the file; its name where there is none."""
    export: bool = True
    """`false` keeps the column out of the file."""
    width: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Characters of the column in a fixed-width file."""
    align: Literal["left", "right"] = "left"
    """To which side of it the value stands."""
    pad: Annotated[str, AfterValidator(check_pad)] | None = None
    """What fills it up; the format's `pad` where there is none."""


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
class Model:
    """A model: dbt's id of it, its name, and its selector for dbt's `--select`."""

    id: str
    name: str
    selector: str


@dataclass(frozen=True)
class OptOuts:
    """The models that the opt-out gate reads.

    Attributes:
        profiles: the profiles with their consents.
        suppressions: the entries of the suppression lists.
        suppressed: the profiles that these entries match.
    """

    profiles: Model
    suppressions: Model
    suppressed: Model

    @property
    def models(self) -> tuple[Model, ...]:
        """All of them."""
        return self.profiles, self.suppressions, self.suppressed


@dataclass(frozen=True)
class Campaign:
    """One mailing programme: `file` declares it, `contract` lists its columns.

    `audience`, `recipients` and `extract` are dbt's ids of its models. `opt_outs`: the models that the opt-out gate reads; None
    for a campaign that opt-outs do not stop. `definition`: the text of all that is built for it, by what it is. `sources`: the
    files with that text. `hooks`: SQL that dbt runs beside the models of this campaign, by the names that policy.yml allows.
    `inputs`: the sources with declared limits that it reads. `records`: what it reads of the runner's own records, such as
    `contact_history`.
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
    audience: str = ""
    opt_outs: OptOuts | None = None
    sources: tuple[str, ...] = ()
    email: str | None = None
    definition: Callable[[], Mapping[str, str]] = dict
    hooks: tuple[str, ...] = ()
    inputs: tuple[Source, ...] = ()
    records: frozenset[str] = frozenset()

    @property
    def has_seeds(self) -> bool:
        """Whether the extract tells seed addresses from recipients."""
        return any(column.name == SEED for column in self.columns)

    @property
    def exported(self) -> tuple[Column, ...]:
        """The columns that are in the file, in its order."""
        return tuple(column for column in self.columns if column.export)

"""Registers of people who want no advertising, by country, and the suppression lists that are copies of them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import Field, StringConstraints, model_validator

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.yaml import Strict
from dmail_runner.declare.schedule import Span

# GDPR article 6 (1). LGPD article 7 and other laws have the same ones, and more.
LegalBasis = Literal["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5)]
Level = Literal["required", "recommended"]
LEVELS: tuple[Level, ...] = get_args(Level)


class SuppressionList(Strict):
    """A suppression list. One that is a copy of a register holds a run if it is too old or its licence has ended."""

    name: Annotated[str, Field(min_length=1)]
    """The name: `list_name` of its entries."""
    register_id: str | None = Field(default=None, min_length=1, alias="register")  # pydantic has a `register` of its own
    """The register that the list is a copy of: a `register_id` of the seed `registers`."""
    max_age: Span | None = None
    """The greatest age of the copy, by `as_of` of its newest entry. The register's own limit applies, too."""
    licensed_until: date | None = None
    """The last day of the licence."""

    @model_validator(mode="after")
    def check_register(self) -> Self:
        if self.register_id is None and (self.max_age or self.licensed_until):
            raise ValueError("`max_age` and `licensed_until` are for lists with a `register`; suppressed() has `max_age_days`")
        return self


class OrName:
    """Adds a text to the JSON Schema of a list, because `named_list` accepts one."""

    @staticmethod
    def __get_pydantic_json_schema__(core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": "string"}]}


def named_list(value: object) -> object:
    """Accept the name of a list in place of its keys."""
    return {"name": value} if isinstance(value, str) else value


@dataclass(frozen=True)
class Register:
    """What a country requires or recommends: one row of the seed `registers`.

    Attributes:
        id: the register.
        country: the country of the people in it, ISO 3166-1 alpha-2.
        name: its name.
        level: whether the law requires it, or the trade recommends it.
        lifted_by: the legal bases with which it need not be consulted.
        max_age: the greatest age of a copy; None if there is no rule.
        source: where that was read.
        checked: when that was read.
    """

    id: str
    country: str
    name: str
    level: Level
    lifted_by: tuple[str, ...] = ()
    max_age: timedelta | None = None
    source: str = ""
    checked: date | None = None


def read_registers(path: Path, file: str) -> tuple[Register, ...]:
    """Read the seed of the registers. `file`: its name in messages. Raises ConfigError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as content:
            return tuple(parsed(csv.DictReader(content), file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV file in UTF-8"
        raise ConfigError([Problem(file, "", f"the registers cannot be read: {reason}")]) from None


def parsed(rows: "csv.DictReader[str]", file: str) -> Iterator[Register]:
    """The registers of the rows. Raises ConfigError."""
    for number, row in enumerate(rows, 2):
        level, days = row.get("level"), (row.get("max_age_days") or "").strip()
        try:
            if level not in LEVELS:
                raise ValueError("level")
            limit = timedelta(days=int(days)) if days else None
            yield Register(
                id=row["register_id"],
                country=row["country_code"],
                name=row["register_name"],
                level=cast("Level", level),
                lifted_by=tuple((row.get("lifted_by") or "").split()),
                max_age=limit,
                source=row.get("source") or "",
                checked=date.fromisoformat(row["checked_on"]),
            )
        except (KeyError, TypeError, ValueError):
            allowed = "register_id, country_code, register_name, level (required or recommended), max_age_days, checked_on"
            raise ConfigError([Problem(file, f"row {number}", "is no register", allowed)]) from None

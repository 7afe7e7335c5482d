"""A provider's contract: the columns and values that it accepts. Columns are named by their labels, as in the file."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal

import duckdb
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.duck import connect
from dmail_runner.core.yaml import Strict

Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]


def check_text(text: str) -> str:
    """Validate a text that becomes a SQL literal."""
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


def check_pad(sign: str) -> str:
    """Validate a single printable character."""
    if len(sign) != 1 or not sign.isprintable():
        raise ValueError("must be one printable character")
    return sign


@cache
def pattern_fault(pattern: str) -> str | None:
    """The error of RE2, DuckDB's regular expression library, for a pattern; None if the pattern is valid."""
    with connect() as connection:
        try:
            connection.execute("select regexp_full_match('', ?)", [pattern]).fetchone()
        except duckdb.Error as error:
            return str(error).splitlines()[0].split("Error: ")[-1]
    return None


def check_pattern(pattern: str) -> str:
    """Validate a regular expression. DuckDB evaluates it, so RE2's syntax applies."""
    if fault := pattern_fault(check_text(pattern)):
        raise ValueError(f"is not a regular expression of RE2, which has no look-around and no back-references: {fault}")
    return pattern


def check_groups(value: Any) -> Any:
    """Accept one group of labels without the outer list."""
    return [value] if isinstance(value, list) and value and all(isinstance(label, str) for label in value) else value


Text = Annotated[str, AfterValidator(check_text)]
Group = Annotated[tuple[str, ...], Field(min_length=2)]


class ColumnContract(Strict):
    """The rules of one column. Lengths are in characters. Empty values pass every rule but `required`."""

    required: Flag = False
    """The value must not be empty."""
    min_length: Count | None = None
    """The smallest number of characters."""
    max_length: Count | None = None
    """The largest number of characters."""
    pattern: Annotated[str, AfterValidator(check_pattern)] | None = None
    """A regular expression (RE2) that must match the value from start to end."""
    allowed: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """The values that are allowed."""
    upper: Flag = False
    """The value must be in upper case."""
    trimmed: Flag = False
    """The value must not begin or end with a space."""

    @model_validator(mode="after")
    def check_lengths(self) -> "ColumnContract":
        if self.min_length and self.max_length and self.max_length < self.min_length:
            raise ValueError("`max_length` is below `min_length`")
        return self


class Contract(Strict):
    """The columns and values that a provider accepts, and what happens to rows that break the contract."""

    columns: Mapping[str, ColumnContract] = Field(default_factory=dict)
    """The rules of each column, by its label."""
    required_one_of: Annotated[
        tuple[Group, ...],
        BeforeValidator(check_groups),
        WithJsonSchema({"type": "array", "items": {"type": ["string", "array"]}}),
    ] = ()
    """Labels of columns of which at least one must have a value in each row, or several lists of such labels."""
    max_columns: Count | None = None
    """The largest number of columns in the file."""
    extra_columns: Literal["allow", "refuse"] = "allow"
    """Whether the file may have columns that the contract does not name."""
    on_breach: Literal["error", "exclude"] = "error"
    """`error` stops the run; `exclude` leaves the rows out of the file and counts them as excluded."""
    compared: date | None = None
    """The day on which the rules were compared with the provider's documents. `check` warns a year later."""

"""A provider's contract: what it takes in each column of the file, which is named by its label there."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import duckdb
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.yaml import Strict

Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]


def check_text(text: str) -> str:
    """Text that a SQL literal can hold."""
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    return text


def check_pad(sign: str) -> str:
    """One character that is printed."""
    if len(sign) != 1 or not sign.isprintable():
        raise ValueError("must be one character that is printed")
    return sign


@cache
def pattern_fault(pattern: str) -> str | None:
    """Why RE2, as DuckDB has it, does not understand a pattern; None where it does."""
    with duckdb.connect() as connection:
        try:
            connection.execute("select regexp_full_match('', ?)", [pattern]).fetchone()
        except duckdb.Error as error:
            return str(error).splitlines()[0].split("Error: ")[-1]
    return None


def check_pattern(pattern: str) -> str:
    """A regular expression that the database understands, too."""
    if fault := pattern_fault(check_text(pattern)):
        raise ValueError(f"is no regular expression of RE2, which knows no look-around and no back-reference: {fault}")
    return pattern


def check_groups(value: Any) -> Any:
    """One group may be given without the outer list."""
    return [value] if isinstance(value, list) and value and all(isinstance(label, str) for label in value) else value


Text = Annotated[str, AfterValidator(check_text)]
Group = Annotated[tuple[str, ...], Field(min_length=2)]


class ColumnContract(Strict):
    """What one column must hold. Lengths are in characters; every rule but `required` lets an empty value pass."""

    required: Flag = False
    """An empty value is a breach."""
    min_length: Count | None = None
    """Fewer characters are one."""
    max_length: Count | None = None
    """More characters are one."""
    pattern: Annotated[str, AfterValidator(check_pattern)] | None = None
    """The whole value matches this regular expression (RE2)."""
    allowed: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """The value is one of these."""
    upper: Flag = False
    """A small letter is a breach."""
    trimmed: Flag = False
    """A space at an end is one."""

    @model_validator(mode="after")
    def check_lengths(self) -> "ColumnContract":
        if self.min_length and self.max_length and self.max_length < self.min_length:
            raise ValueError("`max_length` is below `min_length`")
        return self


class Contract(Strict):
    """What a provider takes: `columns` by label, groups of labels of which one must be filled, and what becomes of a breach."""

    columns: Mapping[str, ColumnContract] = Field(default_factory=dict)
    """The rules of each column, by its label."""
    required_one_of: Annotated[
        tuple[Group, ...],
        BeforeValidator(check_groups),
        WithJsonSchema({"type": "array", "items": {"type": ["string", "array"]}}),
    ] = ()
    """Labels of which at least one is filled, or lists of such labels."""
    max_columns: Count | None = None
    """How many columns the file may have."""
    extra_columns: Literal["allow", "refuse"] = "allow"
    """`refuse`: no column that the contract does not name."""
    on_breach: Literal["error", "exclude"] = "error"
    """`error` stops the run; `exclude` leaves the row out and counts it."""

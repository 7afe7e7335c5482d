"""How one column of a received file is read."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.yaml import Strict

Position = Annotated[int, Field(ge=1, le=1_000_000)]


def check_regex(value: str) -> str:
    """Validate a regular expression with one group."""
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError("must have exactly one group, such as _(\\d{8})\\.csv$")
    return value


def by_header(value: object) -> object:
    """Accept the header of a column in place of its entry."""
    return {"header": value} if isinstance(value, str) else value


def listed(value: object) -> object:
    """Accept a single value without a list."""
    return [value] if isinstance(value, str) else value


Formats = Annotated[
    tuple[str, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class InboundColumn(Strict):
    """How one column is read. It needs exactly one of `header`, `position`, `start`, `value` and `from_name`."""

    header: Annotated[str, Field(min_length=1)] | None = None
    """The header of the column in the file. A text in place of the entry has the same meaning."""
    position: Position | None = None
    """The number of the column in a file without a header, from 1."""
    start: Position | None = None
    """The first character of the column in a fixed-width file, from 1."""
    length: Position | None = None
    """The number of characters of the column in a fixed-width file."""
    value: str | None = None
    """A value that all rows of the file have."""
    from_name: Annotated[str, AfterValidator(check_regex)] | None = None
    """A regular expression. Its group finds the value in the name of the file."""
    format: Formats = ()
    """The form of a time, such as `%m/%d/%Y`, or a list of forms. The default is ISO 8601."""
    decimal: Literal[".", ","] = "."
    """The decimal sign of a number. The other sign separates thousands."""
    codes: Mapping[str, str] = Field(default_factory=dict)
    """What the codes of the file mean: code -> value."""
    otherwise: str | None = None
    """The value for codes that `codes` does not list, and for an empty one. By default, such a row is not accepted."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        given = [name for name in ("header", "position", "start", "value", "from_name") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of `header`, `position`, `start`, `value` and `from_name`")
        if (self.start is None) != (self.length is None):
            raise ValueError("needs `start` and `length` together")
        return self


class OrHeader:
    """Adds a text to the JSON Schema of a column, because `by_header` accepts one."""

    @staticmethod
    def __get_pydantic_json_schema__(core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": "string"}]}


Columns = Mapping[str, Annotated[InboundColumn, BeforeValidator(by_header), OrHeader()]]

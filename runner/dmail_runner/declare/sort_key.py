"""What a file is sorted by: columns, or the sort plan of a post."""

import re
from functools import cache
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from dmail_runner.core.duck import connect
from dmail_runner.core.yaml import Strict

Plan = Literal["us_presort", "de_dialogpost", "uk_mailsort", "br_cep"]
# The columns that the macro of a plan adds to the pieces.
LEVEL, DESTINATION, CONTAINER, SEQUENCE = "post_level", "post_destination", "post_container", "post_sequence"


def parse_sort_key(value: object) -> object:
    """Parse a text such as `postal_code desc nulls first`. Other values are returned as they are."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("post:"):
        plan = value.strip().removeprefix("post:")
        if plan not in get_args(Plan):
            raise ValueError(f"{value!r} is not a sort plan: {', '.join(f'post:{name}' for name in get_args(Plan))}")
        return {"column": SEQUENCE, "plan": plan}
    pattern = r"(\w+)(?: +collate +([\w.]+))?(?: +(asc|desc))?(?: +nulls +(first|last))?"
    match = re.fullmatch(pattern, value.strip(), re.IGNORECASE)
    if not match:
        form = "a column, then `collate` and a collation, `asc` or `desc`, `nulls first` or `nulls last`"
        raise ValueError(f"{value!r} is not a sort key: {form}")
    column, collation, order, nulls = match[1], *(part and part.lower() for part in match.groups()[1:])
    return {"column": column, "collation": collation, "order": order or "asc", "nulls": nulls or "last"}


def check_collation(name: str | None) -> str | None:
    """Validate the name of a collation of DuckDB, such as `de` or `nocase.noaccent`."""
    unknown = sorted(set((name or "nocase").split(".")) - collations())
    if unknown:
        raise ValueError(f"DuckDB has no collation `{unknown[0]}`; it has nocase, noaccent, and languages such as de, fr, sv")
    return name


@cache
def collations() -> frozenset[str]:
    """The collations that DuckDB has."""
    with connect() as connection:
        return frozenset(name for (name,) in connection.execute("pragma collations").fetchall())


class SortKey(Strict):
    """One column that the file is sorted by."""

    column: str
    """The name of a column of the extract."""
    collation: Annotated[str | None, AfterValidator(check_collation)] = None
    """The collation by which the column's text is compared, such as `de`. Without one, it is compared byte by byte."""
    order: Literal["asc", "desc"] = "asc"
    """`asc` or `desc`."""
    nulls: Literal["first", "last"] = "last"
    """The position of rows without a value."""
    plan: Plan | None = None
    """The sort plan of a post, of which `column` has the order."""


def as_list(value: object) -> object:
    """A list of one sort plan, from its name. Other values are returned as they are."""
    return [value] if isinstance(value, str) and value.strip().startswith("post:") else value


Key = Annotated[SortKey, BeforeValidator(parse_sort_key)]
SortKeys = Annotated[
    tuple[Key, ...],
    BeforeValidator(as_list),
    WithJsonSchema(
        {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"enum": [f"post:{name}" for name in get_args(Plan)]}]}
    ),
]
"""Columns, or one sort plan."""

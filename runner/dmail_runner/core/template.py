"""Texts with placeholders in braces: file names, notes, control records."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z_]*)(?::(?P<form>[^{}|]*))?(?:\|(?P<zone>[^{}]*))?\}|[{}]")
SLOT_FORM = "%Y%m%dT%H%M%SZ"


def fill(template: str, values: Mapping[str, str | int | datetime | None]) -> str:
    """The text with its placeholders filled: `{rows}`, `{slot}`, `{slot:%d.%m.%Y}`, `{slot:%H%M|Europe/Berlin}`; `{{` is a brace.

    Raises ValueError for a name that `values` lacks, or whose value is not known here (None), and for a wrong form or zone.
    """

    def one(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name = match["name"]
        if not name:
            raise ValueError("has a brace that belongs to no placeholder; write {{ or }} for one that is printed")
        if name not in values:
            raise ValueError(f"has the unknown placeholder {{{name}}}; there are {', '.join(values)}")
        value = values[name]
        if value is None:
            raise ValueError(f"has {{{name}}}, which is not known when that part of the file is written")
        if isinstance(value, datetime):
            return moment(value, match["form"], match["zone"])
        if match["form"] or match["zone"]:
            raise ValueError(f"gives {{{name}}} a form, which only a slot has")
        return str(value)

    return PLACEHOLDER.sub(one, template)


def moment(value: datetime, form: str | None, zone: str | None) -> str:
    """A moment by a strftime form, in a time zone."""
    try:
        local = value.astimezone(ZoneInfo(zone) if zone else UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"names {zone!r}, which is no time zone of the tz database") from None
    return local.strftime(form or SLOT_FORM)

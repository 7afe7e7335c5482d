"""Templates with placeholders in braces, for file names, notes and control records."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z0-9_]*)(?::(?P<format>[^{}|]*))?(?:\|(?P<zone>[^{}]*))?\}|[{}]")
SLOT_FORMAT = "%Y%m%dT%H%M%SZ"


def fill(template: str, values: Mapping[str, str | int | datetime | None]) -> str:
    """The template with its placeholders replaced.

    Placeholders are such as `{rows}`, `{slot}`, `{slot:%d.%m.%Y}` and `{slot:%H%M|Europe/Berlin}`. `{{` and `}}` print a brace.

    Args:
        template: the text with placeholders.
        values: the value of each placeholder; None if it is not yet known when the text is written.

    Raises:
        ValueError: if a placeholder is unknown, has no value yet, or has a wrong format or time zone.
    """

    def replace(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name = match["name"]
        if not name:
            raise ValueError("has a brace that is not part of a placeholder; write {{ or }} to print a brace")
        if name not in values:
            raise ValueError(f"has the unknown placeholder {{{name}}}; the placeholders are {', '.join(values)}")
        value = values[name]
        if value is None:
            raise ValueError(f"has {{{name}}}, which is not known yet when that part of the file is written")
        if isinstance(value, datetime):
            return format_time(value, match["format"], match["zone"])
        if match["format"] or match["zone"]:
            raise ValueError(f"gives {{{name}}} a format, which only a slot can have")
        return str(value)

    return PLACEHOLDER.sub(replace, template)


def format_time(value: datetime, pattern: str | None, zone: str | None) -> str:
    """A time in a time zone (by default UTC), by a strftime pattern (by default SLOT_FORMAT). Raises ValueError."""
    try:
        local = value.astimezone(ZoneInfo(zone) if zone else UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"names {zone!r}, which is not a time zone of the tz database") from None
    return local.strftime(pattern or SLOT_FORMAT)

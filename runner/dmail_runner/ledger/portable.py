"""Exports the ledger's events as JSON lines, and compares such a file with the ledger."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.errors import UsageError
from dmail_runner.ledger.tables import events

COLUMNS = ("number", "run_id", "at", "kind", "detail", "content", "hash")


def lines(connection: sa.Connection) -> Iterator[str]:
    """Each event as a line of JSON, oldest first."""
    for row in connection.execute(events.select().order_by(events.c.number), execution_options={"yield_per": 10_000}):
        yield json.dumps({name: getattr(row, name) for name in COLUMNS}, ensure_ascii=False)


def differences(connection: sa.Connection, file: Path) -> Iterator[str]:
    """Each exported event that is missing in the ledger, or differs there. Newer events of the ledger are no difference.

    Raises:
        UsageError: if the file cannot be read, or was not written by `audit export`.
    """
    rows = iter(connection.execute(events.select().order_by(events.c.number), execution_options={"yield_per": 10_000}))
    row = next(rows, None)
    for event in exported(file):
        number = event["number"]
        while row is not None and row.number < number:
            yield f"event {row.number} is not in {file}"
            row = next(rows, None)
        if row is None or row.number > number:
            yield f"event {number} of {file} ({event['at']}, {event['run_id']}, {event['kind']}) is missing"
            continue
        if changed := [name for name in COLUMNS if getattr(row, name) != event.get(name)]:
            yield f"event {number} differs from {file}: {', '.join(changed)}"
        row = next(rows, None)


def exported(file: Path) -> Iterator[dict[str, Any]]:
    """The events in a file. Raises UsageError."""
    try:
        with file.open(encoding="utf-8") as text:
            for count, line in enumerate(text, start=1):
                event = json.loads(line)
                if not isinstance(event, dict) or not {"number", "hash", "at", "run_id", "kind"} <= event.keys():
                    raise ValueError(f"line {count}")
                yield event
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not a file of `audit export`: {error}") from None

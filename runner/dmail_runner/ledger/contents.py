"""The content of an event: the rows that were written with it, by table and key. A row that differs was edited.

The content is JSON: `{table: {key: row}}`. `null` means that the row was deleted. Long texts are replaced by their hashes.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from dmail_runner.ledger.tables import (
    approvals,
    events,
    exclusions,
    history_files,
    inbound_files,
    intents,
    notices,
    parts,
    places,
    proofs,
    route_tests,
    runs,
    schedules,
)

# Every table but `events`, which the chain of hashes covers, and `head`, which is compared with its end.
COVERED = (
    runs, exclusions, places, parts, intents, schedules, approvals, notices, proofs, route_tests, history_files, inbound_files,
)  # fmt: skip
# These columns change with the clock, each time that due runs are planned, and when a file is copied.
MOVING = {(schedules.name, "planned_to"), (history_files.name, "modified")}
LONG = 500  # characters: longer texts are replaced by their hashes

Content = dict[str, dict[str, dict[str, Any] | None]]


def written(connection: sa.Connection, table: sa.Table, *condition: sa.ColumnElement[bool]) -> Content:
    """The present rows of a table, for the event that is written with them."""
    rows = connection.execute(table.select().where(*condition)).all()
    return {table.name: {key_of(table, row): values_of(table, row) for row in rows}}


def joined(*contents: Content) -> Content:
    """Merge contents. If a row occurs twice, the last one counts."""
    found: Content = {}
    for content in contents:
        for table, rows in content.items():
            found.setdefault(table, {}).update(rows)
    return found


def deleted(content: Content) -> Content:
    """The content that records the deletion of these rows."""
    return {table: dict.fromkeys(rows) for table, rows in content.items()}


def key_of(table: sa.Table, row: Any) -> str:
    """A row's primary key as text."""
    return json.dumps([getattr(row, column.name) for column in table.primary_key.columns], ensure_ascii=False)


def values_of(table: sa.Table, row: Any) -> dict[str, Any]:
    """A row's values by column, without nulls, because the tables of earlier versions lack columns."""
    found = {}
    for column in table.columns:
        value = getattr(row, column.name)
        if value is None or (table.name, column.name) in MOVING:
            continue
        long = isinstance(value, str) and len(value) > LONG
        found[column.name] = {"sha256": hashlib.sha256(value.encode()).hexdigest()} if long else value
    return found


def dump(content: Content | None) -> str | None:
    """A content as the text that is stored with the event."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if content else None


def carried(connection: sa.Connection, size: int = 500) -> Iterator[Content]:
    """All rows of a ledger, in batches, for a ledger whose events have no contents yet."""
    for table in COVERED:
        rows = connection.execute(table.select(), execution_options={"yield_per": size})
        for batch in rows.partitions(size):
            yield {table.name: {key_of(table, row): values_of(table, row) for row in batch}}


class RecordedRows:
    """The rows according to the events: for each row the number of its last event, and the hash of its content there."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[int, str]] = {}

    def take(self, number: int, content: str) -> None:
        """Apply the content of one event."""
        for table, rows in json.loads(content).items():
            for key, row in rows.items():
                if row is None:
                    self.rows.pop((table, key), None)
                else:
                    self.rows[table, key] = (number, digest(row))

    def faults(self, connection: sa.Connection) -> Iterator[str]:
        """Each row that differs from its event, that has no event, or that is missing."""
        unseen = dict(self.rows)
        for table in COVERED:
            for row in connection.execute(table.select(), execution_options={"yield_per": 10_000}):
                key, values = key_of(table, row), values_of(table, row)
                recorded = unseen.pop((table.name, key), None)
                if recorded is None:
                    yield f"the row {key} of {table.name} was added: no event has it"
                elif recorded[1] != digest(values):
                    yield difference(connection, recorded[0], (table.name, key), values)
        for (table_name, key), (number, _) in unseen.items():
            yield f"the row {key} of {table_name} is missing: event {number} has it"


def difference(connection: sa.Connection, number: int, place: tuple[str, str], now: Mapping[str, Any]) -> str:
    """The difference between a row and its event, as a sentence."""
    content = connection.execute(sa.select(events.c.content).where(events.c.number == number)).scalar() or "{}"
    before = (json.loads(content).get(place[0]) or {}).get(place[1]) or {}
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    changes = ", ".join(f"{name} is {shown(now.get(name))}, and was {shown(before.get(name))}" for name in changed)
    return f"the row {place[1]} of {place[0]} differs from event {number}: {changes}"


def shown(value: Any) -> str:
    return "another long text" if isinstance(value, dict) else "null" if value is None else repr(value)


def digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()

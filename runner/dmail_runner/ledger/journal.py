"""The journal: the ledger's events. The hash of each covers the one before it, so that a changed or missing event is found."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.values import Part
from dmail_runner.ledger.contents import Content, RecordedRows, dump
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ledger.run import STATES
from dmail_runner.ledger.tables import events, head, intents, parts, runs

START = ""  # the hash before the first event
WORDS = frozenset(Word)  # the kinds of events that repeat an intent


@dataclass(frozen=True)
class Mark:
    """A position in the journal: the number and the hash of an event."""

    number: int
    hash: str


@dataclass(frozen=True)
class Anchor:
    """A file with the last event that this host has seen. An older copy of the ledger does not have that event."""

    path: Path

    def prepare(self, mark: Mark) -> Path:
        """Write a mark into a file beside the anchor. Call it before the ledger is written, because the disk may be full."""
        new = self.path.with_name(f".{self.path.name}.{mark.number}")
        new.write_text(json.dumps(asdict(mark)))
        return new

    def keep(self, prepared: Path) -> None:
        """Store a mark. Call it after the ledger was written, so that the anchor is never ahead of the ledger."""
        prepared.replace(self.path)

    def read(self) -> Mark | None:
        """The stored mark; None if there is none, or it cannot be read."""
        with suppress(OSError, ValueError, TypeError):
            return Mark(**json.loads(self.path.read_text()))
        return None


def append(connection: sa.Connection, run_id: str, at: str, kind: str, detail: str, *, content: Content | None = None) -> Mark:
    """Write one event, in the caller's transaction. `content`: the rows that the transaction has written with it."""
    # The update comes first, because it takes the lock that keeps other processes from appending.
    row = connection.execute(head.update().values(number=head.c.number + 1).returning(head.c.number, head.c.hash)).one()
    number, before = int(row.number), str(row.hash)
    text = dump(content)
    mark = Mark(number, chained(before, number, run_id, at, kind, detail, text))
    values = {"run_id": run_id, "at": at, "kind": kind, "detail": detail, "content": text}
    connection.execute(events.insert().values(number=number, hash=mark.hash, **values))
    connection.execute(head.update().values(hash=mark.hash))
    return mark


def add_intent(connection: sa.Connection, run_id: str, part: Part, at: str, entry: Entry) -> int:
    """Write one row of a part's record, in the caller's transaction. Returns its number."""
    values = {"run_id": run_id, "part": part.number, "at": at, "name": part.name, "route": part.route}
    done = connection.execute(intents.insert().values(**values, **vars(entry)).returning(intents.c.number))
    return int(done.scalar_one())


def intent_text(name: str, entry: Any) -> str:
    """The detail of an entry's event: the final name, the temporary names, and the SHA-256 of the bytes."""
    return " ".join((name, entry.temporary, *([entry.staged] if entry.staged else []), entry.sha256))


def chained(before: str, number: int, *columns: str | None) -> str:
    """An event's hash: SHA-256 of the hash before it, its number, and its columns (run, moment, kind, detail, content)."""
    # An event of an earlier version has no content.
    return hashlib.sha256(json.dumps([before, number, *(text for text in columns if text is not None)]).encode()).hexdigest()


def hash_of(row: Any, before: str) -> str:
    """The hash that an event has if it is as it was written, after the event with the hash `before`."""
    return chained(before, row.number, row.run_id, row.at, row.kind, row.detail, row.content)


def holds(connection: sa.Connection, mark: Mark) -> bool:
    """Whether the journal has the event of a mark."""
    found = connection.execute(sa.select(events.c.hash).where(events.c.number == mark.number)).scalar()
    return mark.number == 0 or found == mark.hash


def last(connection: sa.Connection) -> Mark:
    """The last event, as the table `head` has it."""
    row = connection.execute(sa.select(head.c.number, head.c.hash)).one()
    return Mark(int(row.number), str(row.hash))


def faults(connection: sa.Connection) -> Iterator[str]:
    """Each event that was edited, added or removed, and each run or part that differs from its events, as sentences."""
    before, expected = START, 1
    states: dict[str, str] = {}
    sent: set[str] = set()
    intended: Counter[str] = Counter()
    rows = RecordedRows()
    for row in connection.execute(events.select().order_by(events.c.number), execution_options={"yield_per": 10_000}):
        if row.number != expected:
            lost = f"event {expected} is" if row.number == expected + 1 else f"events {expected} to {row.number - 1} are"
            yield f"{lost} missing"
        elif row.hash != hash_of(row, before):
            yield f"event {row.number} ({row.at}, {row.run_id}, {row.kind}) is not as it was written"
        elif row.content:
            rows.take(row.number, row.content)
        before, expected = row.hash, row.number + 1
        if row.kind in STATES:
            states[row.run_id] = row.kind
        elif row.kind in ("delivered", "adopted"):
            sent.add(f"{row.run_id} {row.detail}")
        elif row.kind in WORDS:
            intended[f"{row.run_id} {row.kind} {row.detail}"] += 1
    yield from tail_faults(connection, Mark(expected - 1, before))
    yield from state_faults(connection, states, sent)
    yield from intent_faults(connection, intended)
    yield from rows.faults(connection)


def tail_faults(connection: sa.Connection, found: Mark) -> Iterator[str]:
    """Events that are missing at the end."""
    expected = last(connection)
    if expected.number > found.number:
        yield f"events {found.number + 1} to {expected.number} are missing"
    elif expected != found:
        yield f"event {found.number} is not the last that was written"


def state_faults(connection: sa.Connection, states: dict[str, str], sent: set[str]) -> Iterator[str]:
    """Runs whose state differs from their last event, runs that are missing, and receipts without an event."""
    unseen = dict(states)
    for row in connection.execute(sa.select(runs.c.run_id, runs.c.state)):
        unseen.pop(row.run_id, None)
        if states.get(row.run_id) != row.state:
            yield f"run {row.run_id} is {row.state}, but its last event says {states.get(row.run_id, 'nothing')}"
    for run_id in unseen:
        yield f"run {run_id} is missing, but has events"
    query = sa.select(parts.c.run_id, parts.c.name, parts.c.location, parts.c.sha256).where(parts.c.delivered_at.is_not(None))
    for row in connection.execute(query):
        if f"{row.run_id} {receipt_text(row)}" not in sent:
            yield f"part {row.name} of {row.run_id} has a receipt without an event"


def intent_faults(connection: sa.Connection, recorded: Counter[str]) -> Iterator[str]:
    """Rows of the parts' records without an event, and events without such a row."""
    unseen = recorded.copy()
    for row in connection.execute(intents.select(), execution_options={"yield_per": 10_000}):
        text = f"{row.run_id} {row.word} {intent_text(row.name, row)}"
        if unseen[text] < 1:
            yield f"intent {row.number} of {row.run_id} ({row.word}, {row.name}) is not as it was written"
        unseen[text] -= 1
    for text in list(unseen):
        if unseen[text] > 0:
            yield f"the intent {text!r} is missing"


def receipt_text(row: Any) -> str:
    """The detail of the event of a delivery: the part's name, location and SHA-256."""
    return f"{row.name} {row.location} {row.sha256}"

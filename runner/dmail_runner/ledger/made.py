"""The inputs of a run's file: the event `made`, with a hash of each input. They allow to make the file again later."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.counted import counted
from dmail_runner.ledger.database import Database, iso, moment
from dmail_runner.ledger.run import Run
from dmail_runner.ledger.tables import events

MADE = "made"
HISTORY, FORGOTTEN = "contact history", "forgotten people"  # inputs that are the runner's own


@dataclass(frozen=True)
class Made:
    """The inputs of a run's file.

    Attributes:
        after: the number of the last event before the build. The contact history has the runs that were frozen by then.
        as_of: the time up to which opt-outs counted; None for the slot.
        provider: the provider's name.
        inputs: a hash of each input, by name: parts of the definition, files of sources, the contact history.
    """

    after: int
    as_of: datetime | None = None
    provider: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    def as_text(self) -> str:
        """The text of the event."""
        as_of = iso(self.as_of) if self.as_of else None
        told = {"after": self.after, "as_of": as_of, "provider": self.provider, "inputs": dict(self.inputs)}
        return json.dumps(told, sort_keys=True, ensure_ascii=False)


def made_in_short(text: str) -> str:
    """A short text of an event `made`, for timelines."""
    made = read_made(text)
    return f"{counted(len(made.inputs), 'input')}, the contact history up to event {made.after}" if made else ""


def read_made(text: str) -> Made | None:
    """The inputs in the text of an event; None if this version cannot read it."""
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(text)
        return Made(told["after"], moment(told["as_of"]), told["provider"], told["inputs"])
    return None


def made_of(ledger: Database, run: Run) -> Made | None:
    """The inputs of a run's present file; None if an earlier version of the runner has made it."""
    last = newest(ledger, run.run_id, MADE)
    return read_made(last.detail) if last else None


def newest(ledger: Database, run_id: str, kind: str) -> Any:
    """The newest event of a run of one kind; None if there is none."""
    query = events.select().where(events.c.run_id == run_id, events.c.kind == kind).order_by(events.c.number.desc()).limit(1)
    with ledger.reading() as connection:
        return connection.execute(query).first()


def last_event(ledger: Database) -> int:
    """The number of the last event."""
    with ledger.reading() as connection:
        return connection.execute(sa.select(sa.func.max(events.c.number))).scalar() or 0


def frozen_by(ledger: Database, after: int) -> set[str]:
    """The runs whose contacts were in the history at the time of an event: frozen by then, and not cancelled since."""
    counted = events.c.kind.in_(("extracted", "cancelled", "believed"))
    query = sa.select(events.c.run_id, events.c.kind).where(events.c.number <= after, counted).order_by(events.c.number)
    found: set[str] = set()
    with ledger.reading() as connection:
        for row in connection.execute(query, execution_options={"yield_per": 10_000}):
            (found.discard if row.kind == "cancelled" else found.add)(row.run_id)
    return found

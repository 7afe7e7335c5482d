"""Looks up what events say about all runs, or about the releases of one."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from dmail_runner.core.values import Verdicts
from dmail_runner.ledger.comparison import FIGURES, read_comparison
from dmail_runner.ledger.database import Database
from dmail_runner.ledger.tables import events, runs

# Runs in these states cost and need nothing.
WITHOUT = ("cancelled", "missed", "empty")


class Recorded(NamedTuple):
    """The last event of a kind of a run.

    Attributes:
        number: the event's number.
        text: its text.
        state: the state of the run now.
        changed: when the state changed last.
    """

    number: int
    text: str
    state: str
    changed: datetime


def recorded(ledger: Database, kind: str) -> dict[str, Recorded]:
    """The last event of a kind of each run that costs or needs something, by run."""
    query = (
        sa.select(events.c.run_id, events.c.number, events.c.detail, runs.c.state, runs.c.updated_at)
        .join(runs, runs.c.run_id == events.c.run_id)
        .where(events.c.kind == kind, runs.c.state.not_in(WITHOUT))
        .order_by(events.c.number)
    )
    with ledger.reading() as connection:
        return {
            row.run_id: Recorded(row.number, row.detail, row.state, datetime.fromisoformat(row.updated_at))
            for row in connection.execute(query)
        }


def released_before(ledger: Database, run_id: str) -> set[str]:
    """The gates that a person has let a run pass before, if what was built has not changed since.

    A run that several gates hold is held by one after the other, and is built again after each release.
    """
    query = sa.select(events.c.kind, events.c.detail).where(events.c.run_id == run_id, events.c.kind.in_((FIGURES, "released")))
    released: dict[str, Verdicts | None] = {}
    built: Verdicts | None = None
    with ledger.reading() as connection:
        for row in connection.execute(query.order_by(events.c.number)):
            if row.kind == FIGURES:
                found = read_comparison(row.detail)
                built = replace(found.verdicts, churn=None) if found and found.verdicts else None
            else:
                released[row.detail.partition(" ")[0]] = built
    return {gate for gate, then in released.items() if then and then == built}

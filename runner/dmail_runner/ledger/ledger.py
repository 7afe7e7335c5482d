"""Writes the ledger: the durable record of runs, parts, receipts and events. Each change is one synced transaction."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dmail_runner.core.redact import printable, without_keys
from dmail_runner.core.values import Comparison, Part, Receipt, Verdicts
from dmail_runner.ledger.baseline import (
    BASELINE,
    COUNTED,
    SORTED,
    SOURCES,
    UNUSUAL,
    baseline_text,
    counts_text,
    notes_text,
    sources_text,
)
from dmail_runner.ledger.comparison import FIGURES, comparison_text
from dmail_runner.ledger.contents import Content, deleted, joined, written
from dmail_runner.ledger.database import LedgerError, iso
from dmail_runner.ledger.intents import Entry, Intents, Word
from dmail_runner.ledger.journal import add_intent, intent_text
from dmail_runner.ledger.made import MADE
from dmail_runner.ledger.reader import LedgerReader
from dmail_runner.ledger.run import Planned, Run
from dmail_runner.ledger.supplies import ESTIMATE, MATERIALS, estimate_text, materials_text
from dmail_runner.ledger.tables import events, exclusions, intents, parts, places, runs


class Ledger(LedgerReader):
    """The ledger of a project."""

    def open(self, planned: Planned, state: str = "planned", detail: str = "") -> Run:
        """The run of that name, which is created if it does not exist."""
        found = self.get(planned.run_id)
        if found:
            return found
        with ignore_duplicate(), self.writing() as connection:
            self.insert(connection, planned, state, detail)
        return self.known(planned.run_id)

    def insert(self, connection: sa.Connection, planned: Planned, state: str, detail: str) -> None:
        """Write a new run within the caller's transaction."""
        stamp = self.stamp()
        moments = {"slot": iso(planned.slot), "window_start": iso(planned.window_start) if planned.window_start else None}
        texts = {name: getattr(planned, name) for name in ("run_id", "campaign", "wall", "wave", "first", "copy_of")}
        connection.execute(
            runs.insert().values(**texts, **moments, state=state, error=detail or None, created_at=stamp, updated_at=stamp)
        )
        self.record(connection, planned.run_id, state, detail, row_of(connection, planned.run_id))

    def planned_again(self, run: Run) -> None:
        """Plan a run again whose slot was missed or gave no file."""
        self.change(run, "planned", "asked for", error=None, hold=None)

    def advance(self, run: Run, state: str) -> None:
        """Record a new state, without an error."""
        self.change(run, state, "", error=None, hold=None)

    def freeze(self, run: Run, verdicts: Verdicts, content: Sequence[Part], cost: str | None, made: str | None = None) -> None:
        """Record the final figures and parts of a run. It becomes `extracted`, or `empty` without parts.

        `made`: the text of the event with the hashes of its inputs.
        """
        with self.writing() as connection:
            rows: dict[sa.Table, list[dict[str, Any]]] = {
                exclusions: [{"reason": reason, "profiles": count} for reason, count in verdicts.excluded.items()],
                places: [vars(region) for region in verdicts.regions],
                parts: [vars(part) for part in content],
            }
            before = rows_of(connection, run, *rows)
            for table, lines in rows.items():
                connection.execute(table.delete().where(table.c.run_id == run.run_id))
                if lines:
                    connection.execute(table.insert(), [{"run_id": run.run_id, **line} for line in lines])
            churn = vars(verdicts.churn) if verdicts.churn else dict.fromkeys(("against", "came", "went"))
            self.update(
                connection, run, "extracted" if content else "empty", targeted=verdicts.targeted, included=verdicts.included,
                seeds=verdicts.seeds, cost=cost, error=None, hold=None, frozen_at=self.stamp(), host=socket.gethostname(),
                **churn,
            )  # fmt: skip
            written_now = joined(deleted(before), rows_of(connection, run, runs, *rows))
            hashes = " ".join(part.sha256 for part in content)
            if made:
                self.record(connection, run.run_id, MADE, made)
            self.record(connection, run.run_id, "extracted" if content else "empty", hashes, written_now)
            self.record_figures(connection, run, verdicts)

    def record_figures(self, connection: sa.Connection, run: Run, verdicts: Verdicts) -> None:
        """Record the other figures of a frozen run, as events within the caller's transaction."""
        if verdicts.baseline:
            self.record(connection, run.run_id, BASELINE, baseline_text(verdicts.baseline))
        if verdicts.sources:
            self.record(connection, run.run_id, SOURCES, sources_text(verdicts.sources))
        if verdicts.counted_before is not None:
            self.record(connection, run.run_id, COUNTED, counts_text(verdicts.counted_before))
        # Those of an earlier file of this run no longer count.
        if verdicts.estimate or has_event(connection, run, ESTIMATE):
            self.record(connection, run.run_id, ESTIMATE, estimate_text(verdicts.estimate))
        if verdicts.materials or has_event(connection, run, MATERIALS):
            self.record(connection, run.run_id, MATERIALS, materials_text(verdicts.materials))
        if verdicts.levels or has_event(connection, run, SORTED):
            self.record(connection, run.run_id, SORTED, "; ".join(map(str, verdicts.levels)))
        if verdicts.notes or has_event(connection, run, UNUSUAL):
            self.record(connection, run.run_id, UNUSUAL, notes_text(verdicts.notes))

    def intents(self, run: Run, part: Part) -> Intents:
        """The record of a part, which is written into the ledger."""
        return Intents(
            write=lambda entry: self.intend(run, part, entry),
            attempt=self.latest_attempt(run, part.number),
            owner=self.owner(run, part),
            leave=lambda name: self.note(run, "left_behind", name),
        )

    def intend(self, run: Run, part: Part, entry: Entry) -> None:
        """Record a step before it begins. Raises LedgerError if the campaign's lock was lost."""
        if confirm := self.locks.get(run.campaign):
            with self.explained():
                confirm()
        with self.writing() as connection:
            number = add_intent(connection, run.run_id, part, self.stamp(), entry)
            if entry.word in (Word.CREATED, Word.PUBLISHING, Word.PUBLISHING_ONE):
                connection.execute(parts.update().where(of(run, part)).values(intended_at=self.stamp()))
            content = joined(written(connection, intents, intents.c.number == number), written(connection, parts, of(run, part)))
            self.record(connection, run.run_id, entry.word, intent_text(part.name, entry), content)

    def deliver(self, run: Run, part: Part, receipt: Receipt) -> None:
        """Record the receipt of a part."""
        kind = "adopted" if receipt.adopted else "delivered"
        with self.writing() as connection:
            values = {"delivered_at": self.stamp(), "location": receipt.location}
            connection.execute(parts.update().where(of(run, part)).values(**values))
            content = written(connection, parts, of(run, part))
            self.record(connection, run.run_id, kind, f"{part.name} {receipt.location} {receipt.sha256}", content)
            if receipt.proof == "vanished":
                self.record(
                    connection,
                    run.run_id,
                    "vanished",
                    f"{part.name}: by the route's declaration, a file that vanishes was received",
                )

    def cancel(self, run: Run, reason: str) -> None:
        """Record that nothing of the run was delivered, and nothing will be."""
        self.change(run, "cancelled", reason, error=reason, hold=None)

    def fail(self, run: Run, error: str) -> None:
        """Record the error that ended a run, without the keys of profiles, because the ledger cannot be changed later."""
        error = without_keys(error)
        self.change(run, "failed", error, error=error, hold=None)

    def hold(self, run: Run, hold: str, error: str, figures: Comparison | None = None) -> None:
        """Record the reason why a run waits for a person, without the keys of profiles.

        Args:
            figures: the figures of what was built, and what they were compared with.
        """
        error = without_keys(error)
        with self.writing() as connection:
            if figures:
                self.record(connection, run.run_id, FIGURES, comparison_text(figures))
            self.update(connection, run, "held", error=error, hold=hold)
            self.record(connection, run.run_id, "held", f"{hold}: {error}", row_of(connection, run.run_id))

    def record_file(self, run: Run) -> None:
        """Record that the run produced a file, because the contact history says so."""
        with self.writing() as connection:
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(frozen_at=self.stamp()))
            self.record(connection, run.run_id, "believed", "the contact history has its file", row_of(connection, run.run_id))

    def force_recheck(self, run: Run) -> None:
        """Force an opt-out check before the file is shipped, however recently it was frozen."""
        with self.writing() as connection:
            values = {"frozen_at": "1970-01-01T00:00:00+00:00"}
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(**values))
            self.record(connection, run.run_id, "look_again", "somebody in it was forgotten", row_of(connection, run.run_id))

    def set_window(self, run: Run, start: datetime) -> None:
        """Record where the run's window begins."""
        with self.writing() as connection:
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(window_start=iso(start)))
            since = f"from {start.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            self.record(connection, run.run_id, "window", since, row_of(connection, run.run_id))

    def accept(self, run: Run, gate: str, by: str) -> None:
        """Record that a person lets the run pass a gate."""
        self.note(run, "accepted", f"{gate} by {by}")

    def note(self, run: Run, kind: str, detail: str) -> None:
        """Record an event that changes no state."""
        with self.writing() as connection:
            self.record(connection, run.run_id, kind, detail)

    def change(self, run: Run, state: str, detail: str, **values: Any) -> None:
        with self.writing() as connection:
            self.update(connection, run, state, **values)
            self.record(connection, run.run_id, state, detail, row_of(connection, run.run_id))

    def update(self, connection: sa.Connection, run: Run, state: str, **values: Any) -> None:
        if values.get("error"):
            values["error"] = printable(values["error"])
        connection.execute(
            runs.update().where(runs.c.run_id == run.run_id).values(state=state, updated_at=self.stamp(), **values)
        )


def has_event(connection: sa.Connection, run: Run, kind: str) -> bool:
    """Whether a run has an event of a kind."""
    query = sa.select(events.c.number).where(events.c.run_id == run.run_id, events.c.kind == kind).limit(1)
    return connection.execute(query).first() is not None


def of(run: Run, part: Part) -> sa.ColumnElement[bool]:
    """The condition for the row of a part."""
    return sa.and_(parts.c.run_id == run.run_id, parts.c.number == part.number)


def row_of(connection: sa.Connection, run_id: str) -> Content:
    """A run's own row, for its event."""
    return written(connection, runs, runs.c.run_id == run_id)


def rows_of(connection: sa.Connection, run: Run, *tables: sa.Table) -> Content:
    """A run's rows of some tables, for its event."""
    return joined(*(written(connection, table, table.c.run_id == run.run_id) for table in tables))


@contextmanager
def ignore_duplicate() -> Iterator[None]:
    """Ignore the error for a run that another process has created meanwhile."""
    try:
        yield
    except LedgerError as error:
        if not isinstance(error.__cause__, IntegrityError):
            raise

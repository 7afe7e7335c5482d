"""The ledger: the durable record of runs, parts, receipts and of what happened when. Every change is one synced transaction."""

import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dmail_runner.core.errors import UsageError
from dmail_runner.core.values import Part, Receipt, Verdicts
from dmail_runner.ledger.database import Database, LedgerError, iso, moment
from dmail_runner.ledger.run import FINISHED, LedgerPart, Planned, Run, run_name
from dmail_runner.ledger.tables import events, exclusions, parts, places, runs


class Ledger(Database):
    """The ledger of a project; `now` gives the present moment."""

    def open(self, planned: Planned, state: str = "planned", detail: str = "") -> Run:
        """The run of that name, made where there is none."""
        found = self.get(planned.run_id)
        if found:
            return found
        with suppress_twin(), self.writing() as connection:
            self.insert(connection, planned, state, detail)
        return self.known(planned.run_id)

    def insert(self, connection: sa.Connection, planned: Planned, state: str, detail: str) -> None:
        """Write a new run, in the caller's transaction."""
        stamp = self.stamp()
        moments = {"slot": iso(planned.slot), "window_start": iso(planned.window_start) if planned.window_start else None}
        texts = {name: getattr(planned, name) for name in ("run_id", "campaign", "wall", "wave", "first", "copy_of")}
        connection.execute(
            runs.insert().values(**texts, **moments, state=state, error=detail or None, created_at=stamp, updated_at=stamp)
        )
        self.record(connection, planned.run_id, state, detail)

    def planned_again(self, run: Run) -> None:
        """A slot that was missed, or that gave no file, is to be run after all."""
        self.change(run, "planned", "asked for", error=None, hold=None)

    def advance(self, run: Run, state: str) -> None:
        """The run is in a new state, with no error."""
        self.change(run, state, "", error=None, hold=None)

    def freeze(self, run: Run, verdicts: Verdicts, content: Sequence[Part], cost: str | None) -> None:
        """The run is `extracted` (or `empty`): its figures and its parts stand from now on."""
        with self.writing() as connection:
            rows: dict[sa.Table, list[dict[str, Any]]] = {
                exclusions: [{"reason": reason, "profiles": count} for reason, count in verdicts.excluded.items()],
                places: [vars(place) for place in verdicts.places],
                parts: [vars(part) for part in content],
            }
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
            self.record(connection, run.run_id, "extracted" if content else "empty", " ".join(part.sha256 for part in content))

    def intend(self, run: Run, part: Part) -> None:
        """The part is about to be given its final name. Raises LedgerError where another process may have the run by now."""
        if turn := self.turns.get(run.campaign):
            with self.explained():
                turn()
        self.mark(run, part, "intended", "", intended_at=self.stamp())

    def intended(self, run: Run, part: Part) -> bool:
        """Whether the part may have been given its final name."""
        which = sa.and_(parts.c.run_id == run.run_id, parts.c.number == part.number)
        with self.reading() as connection:
            return connection.execute(sa.select(parts.c.intended_at).where(which)).scalar() is not None

    def withdraw(self, run: Run, part: Part) -> None:
        """The server refused the final name, so that it was certainly not given."""
        self.mark(run, part, "withdrawn", "", intended_at=None)

    def deliver(self, run: Run, part: Part, receipt: Receipt) -> None:
        """The part stands under its final name with our bytes."""
        kind = "adopted" if receipt.adopted else "delivered"
        self.mark(run, part, kind, f"{receipt.location} {receipt.sha256}", delivered_at=self.stamp(), location=receipt.location)

    def cancel(self, run: Run, reason: str) -> None:
        """Nothing of the run was delivered, and nothing will be."""
        self.change(run, "cancelled", reason, error=reason, hold=None)

    def fail(self, run: Run, error: str) -> None:
        self.change(run, "failed", error, error=error, hold=None)

    def hold(self, run: Run, hold: str, error: str) -> None:
        self.change(run, "held", f"{hold}: {error}", error=error, hold=hold)

    def get(self, run_id: str) -> Run | None:
        """The run of that name, if there is one."""
        found = self.read(runs.c.run_id == run_id)
        return found[0] if found else None

    def named(self, run_id: str) -> Run:
        """The run that a person names. Raises UsageError."""
        if found := self.get(run_id):
            return found
        raise UsageError(f"there is no run {run_id!r}", todo="dmail-runner status --json tells the ids")

    def known(self, run_id: str) -> Run:
        """A run that there is."""
        (found,) = self.read(runs.c.run_id == run_id)
        return found

    def find(self, campaign: str, slot: datetime) -> Run | None:
        """The run of a slot, if there is one; of a mailing in waves the first."""
        return self.get(run_name(campaign, slot))

    def by_wall(self, campaign: str, walls: Iterable[str]) -> list[Run]:
        """The runs of slots as their schedule names them, whenever that was in UTC when they ran."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.wall.in_(list(walls)), runs.c.copy_of.is_(None)))

    def copies(self, run: Run) -> int:
        """How often a run was sent again."""
        return len(self.read(sa.and_(runs.c.campaign == run.campaign, runs.c.copy_of == run.run_id)))

    def waves(self, run: Run) -> list[Run]:
        """The waves of a run's mailing, the first one first."""
        if not run.first:
            return [run]
        same = sa.and_(runs.c.campaign == run.campaign, runs.c.first == run.first, runs.c.copy_of.is_(None))
        return sorted(self.read(same), key=lambda one: one.wave or 0)

    def runs(self, run_ids: Iterable[str]) -> list[Run]:
        """Those of the given runs that the ledger knows."""
        return self.read(runs.c.run_id.in_(run_ids))

    def unfinished(self, campaign: str) -> list[Run]:
        """The campaign's runs with something left to do, newest slot first; not those that a gate or a person holds."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.state.not_in((*FINISHED, "held"))))

    def waiting(self, campaign: str) -> list[Run]:
        """All the campaign's runs with something left to do, those that wait for a person, too."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.state.not_in(FINISHED)))

    def last_settled(self, campaign: str, slot: datetime, wave: int | None) -> Run | None:
        """The campaign's last settled run before a slot, if there is one; of mailings in waves the same wave."""
        same = runs.c.wave == wave if wave else runs.c.wave.is_(None)
        settled = sa.and_(runs.c.campaign == campaign, runs.c.state == "settled", runs.c.slot < iso(slot), same)
        found = self.read(settled, 1)
        return found[0] if found else None

    def window_before(self, campaign: str, slot: datetime) -> Run | None:
        """The run whose window ends where a slot's begins: the newest one before it that was not given up."""
        found = self.read(sa.and_(accounts(campaign), runs.c.slot < iso(slot)), 1)
        return found[0] if found else None

    def window_over(self, campaign: str, slot: datetime) -> Run | None:
        """A later run whose window reaches over a slot."""
        found = self.read(sa.and_(accounts(campaign), runs.c.slot > iso(slot), runs.c.window_start < iso(slot)), 1)
        return found[0] if found else None

    def count(self, run: Run, kind: str) -> int:
        """How many events of a kind a run has."""
        query = sa.select(sa.func.count()).where(events.c.run_id == run.run_id, events.c.kind == kind)
        with self.reading() as connection:
            return connection.execute(query).scalar() or 0

    def believe(self, run: Run) -> None:
        """The run had a file, as the contact history says."""
        with self.writing() as connection:
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(frozen_at=self.stamp()))

    def look_again(self, run: Run) -> None:
        """Whoever ships the run's file next compares it with the opt-outs, however new it is."""
        with self.writing() as connection:
            values = {"frozen_at": "1970-01-01T00:00:00+00:00"}
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(**values))
            self.record(connection, run.run_id, "look_again", "somebody in it was forgotten")

    def set_window(self, run: Run, start: datetime) -> None:
        """The run takes what was triggered from then on."""
        with self.writing() as connection:
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(window_start=iso(start)))
            self.record(connection, run.run_id, "window", f"from {iso(start)}")

    def accept(self, run: Run, gate: str, by: str) -> None:
        """A person lets the run pass a gate."""
        self.note(run, "accepted", f"{gate} by {by}")

    def note(self, run: Run, kind: str, detail: str) -> None:
        """Something happened that changes no state."""
        with self.writing() as connection:
            self.record(connection, run.run_id, kind, detail)

    def owner(self, run: Run, part: Part) -> str | None:
        """Another run that has delivered a file of this name by this route, if there is one."""
        query = sa.select(parts.c.run_id).where(
            parts.c.name == part.name,
            parts.c.route == part.route,
            parts.c.delivered_at.is_not(None),
            parts.c.run_id != run.run_id,
        )
        with self.reading() as connection:
            return connection.execute(query.limit(1)).scalar()

    def latest(self, limit: int | None = None) -> list[Run]:
        """The runs, newest slot first."""
        return self.read(sa.true(), limit)

    def read(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Run]:
        query = runs.select().where(condition).order_by(runs.c.slot.desc(), runs.c.created_at.desc(), runs.c.run_id).limit(limit)
        with self.reading() as connection:
            rows = connection.execute(query).all()
            if not rows:
                return []
            reasons: dict[str, dict[str, int]] = defaultdict(dict)
            files: dict[str, list[LedgerPart]] = defaultdict(list)
            for batch in batched([row.run_id for row in rows]):
                for row in connection.execute(exclusions.select().where(exclusions.c.run_id.in_(batch))):
                    reasons[row.run_id][row.reason] = row.profiles
                for row in connection.execute(parts.select().where(parts.c.run_id.in_(batch)).order_by(parts.c.number)):
                    files[row.run_id].append(ledger_part(row))
        return [ledger_run(row, reasons[row.run_id], files[row.run_id]) for row in rows]

    def mark(self, run: Run, part: Part, kind: str, detail: str, **values: Any) -> None:
        which = sa.and_(parts.c.run_id == run.run_id, parts.c.number == part.number)
        with self.writing() as connection:
            connection.execute(parts.update().where(which).values(**values))
            self.record(connection, run.run_id, kind, f"{part.name} {detail}".strip())

    def change(self, run: Run, state: str, detail: str, **values: Any) -> None:
        with self.writing() as connection:
            self.update(connection, run, state, **values)
            self.record(connection, run.run_id, state, detail)

    def update(self, connection: sa.Connection, run: Run, state: str, **values: Any) -> None:
        connection.execute(
            runs.update().where(runs.c.run_id == run.run_id).values(state=state, updated_at=self.stamp(), **values)
        )


def batched(names: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """A query takes so many names at once."""
    return (names[start : start + size] for start in range(0, len(names), size))


def ledger_run(row: Any, reasons: Mapping[str, int], files: Sequence[LedgerPart]) -> Run:
    """A run from its row, its exclusions and its parts."""
    return Run(
        run_id=row.run_id,
        campaign=row.campaign,
        slot=datetime.fromisoformat(row.slot),
        wall=row.wall,
        wave=row.wave,
        first=row.first,
        copy_of=row.copy_of,
        window_start=moment(row.window_start),
        state=row.state,
        hold=row.hold,
        error=row.error,
        verdicts=None if row.targeted is None else Verdicts(row.targeted, row.included, reasons, row.seeds or 0),
        parts=tuple(files),
        cost=row.cost,
        changed=moment(row.updated_at),
        frozen=moment(row.frozen_at),
        host=row.host,
    )


def ledger_part(row: Any) -> LedgerPart:
    part = Part(
        row.number, row.name, row.rows, row.bytes, row.sha256, row.route, bool(row.side), row.plain_bytes, row.plain_sha256
    )
    return LedgerPart(part, row.intended_at is not None, row.location)


def accounts(campaign: str) -> sa.ColumnElement[bool]:
    """The campaign's runs that account for a window; a further wave and a copy have none of their own."""
    own = sa.and_(sa.or_(runs.c.wave.is_(None), runs.c.wave == 1), runs.c.copy_of.is_(None))
    return sa.and_(runs.c.campaign == campaign, runs.c.state.not_in(("missed", "cancelled")), own)


@contextmanager
def suppress_twin() -> Iterator[None]:
    """Another process has written the same run meanwhile: then it is there."""
    try:
        yield
    except LedgerError as error:
        if not isinstance(error.__cause__, IntegrityError):
            raise

"""The ledger: the durable record of runs, parts, receipts and of what happened when. Every change is one synced transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from runner.errors import DmailError, UsageError
from runner.settings import Settings
from runner.tables import events, exclusions, metadata, parts, proofs, route_tests, runs
from runner.values import Part, Receipt, Verdicts

FINISHED = ("settled", "empty", "cancelled")


@dataclass(frozen=True)
class LedgerPart:
    """A part as the ledger knows it: `intended`: its final name may have been given; `location`: where it was delivered."""

    part: Part
    intended: bool
    location: str | None


@dataclass(frozen=True)
class Run:
    """One slot's run. `parts` stand from the state `extracted` on: from then on the content is frozen."""

    run_id: str
    campaign: str
    slot: datetime
    state: str
    hold: str | None = None
    error: str | None = None
    verdicts: Verdicts | None = None
    parts: tuple[LedgerPart, ...] = field(default=())
    cost: str | None = None
    changed: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in FINISHED


def ledger_url(settings: Settings) -> sa.URL:
    """Where the ledger is; a SQLite file's relative path starts at the project. Raises UsageError for one in memory."""
    if settings.ledger_url is None:
        return sa.URL.create("sqlite", database=str(settings.state_dir / "ledger.sqlite"))
    url = sa.make_url(settings.ledger_url)
    if url.get_backend_name() != "sqlite":
        return url
    if not url.database or url.database.startswith((":", "file:")):
        raise UsageError("DMAIL_LEDGER must name a file: what was sent has to be known to the next run, too")
    return url.set(database=str(settings.project_dir / url.database))


class LedgerError(DmailError):
    """The ledger cannot be read or written."""


class Ledger:
    """The ledger of a project; `now` gives the present moment."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.now = now
        try:
            self.engine = sa.create_engine(ledger_url(settings))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise UsageError(f"DMAIL_LEDGER is no database URL that can be used: {error}") from None
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", configure_sqlite)
        with self.explained():
            try:
                self.make_tables()
            except DBAPIError:
                # Another process may have made them between the look and the making.
                self.make_tables()

    def make_tables(self) -> None:
        """Make what is missing; a ledger of an earlier version gets its new columns, which are all nullable."""
        metadata.create_all(self.engine)
        there = sa.inspect(self.engine)
        for table in metadata.sorted_tables:
            names = {column["name"] for column in there.get_columns(table.name)}
            for column in table.columns:
                if column.name not in names:
                    kind = column.type.compile(self.engine.dialect)
                    with self.engine.begin() as connection:
                        connection.execute(sa.text(f"alter table {table.name} add column {column.name} {kind}"))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn a database's error into a LedgerError that names the ledger."""
        try:
            yield
        except DBAPIError as error:
            url = self.engine.url.render_as_string(hide_password=True)
            raise LedgerError(
                f"the ledger {url} cannot be used: {error.orig}", todo="nothing was sent; mend it and run again"
            ) from None

    def open(self, campaign: str, slot: datetime) -> Run:
        """The run of a slot, made where there is none."""
        found = self.find(campaign, slot)
        if found:
            return found
        run_id = f"{campaign}-{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        with self.explained(), self.engine.begin() as connection:
            stamp = self.stamp()
            connection.execute(
                runs.insert().values(
                    run_id=run_id, campaign=campaign, slot=iso(slot), state="planned", created_at=stamp, updated_at=stamp
                )
            )
            self.record(connection, run_id, "planned", "")
        return Run(run_id, campaign, slot, "planned")

    def advance(self, run: Run, state: str) -> None:
        """The run is in a new state, with no error."""
        self.change(run, state, "", error=None, hold=None)

    def freeze(self, run: Run, verdicts: Verdicts, content: Sequence[Part], cost: str | None) -> None:
        """The run is `extracted` (or `empty`): its figures and its parts stand from now on."""
        with self.explained(), self.engine.begin() as connection:
            for table in (exclusions, parts):
                connection.execute(table.delete().where(table.c.run_id == run.run_id))
            for reason, count in verdicts.excluded.items():
                connection.execute(exclusions.insert().values(run_id=run.run_id, reason=reason, profiles=count))
            for part in content:
                connection.execute(parts.insert().values(run_id=run.run_id, **vars(part)))
            self.update(
                connection, run, "extracted" if content else "empty", targeted=verdicts.targeted, included=verdicts.included,
                seeds=verdicts.seeds, cost=cost, error=None, hold=None,
            )  # fmt: skip
            self.record(connection, run.run_id, "extracted" if content else "empty", " ".join(part.sha256 for part in content))

    def intend(self, run: Run, part: Part) -> None:
        """The part is about to be given its final name."""
        self.mark(run, part, "intended", "", intended_at=self.stamp())

    def intended(self, run: Run, part: Part) -> bool:
        """Whether the part may have been given its final name."""
        which = sa.and_(parts.c.run_id == run.run_id, parts.c.number == part.number)
        with self.explained(), self.engine.connect() as connection:
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

    def find(self, campaign: str, slot: datetime) -> Run | None:
        """The run of a slot, if there is one."""
        found = self.read(sa.and_(runs.c.campaign == campaign, runs.c.slot == iso(slot)))
        return found[0] if found else None

    def runs(self, run_ids: Iterable[str]) -> list[Run]:
        """Those of the given runs that the ledger knows."""
        return self.read(runs.c.run_id.in_(run_ids))

    def unfinished(self, campaign: str) -> list[Run]:
        """The campaign's runs with something left to do, newest slot first; not those that wait for a person."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.state.not_in((*FINISHED, "held"))))

    def waiting(self, campaign: str) -> list[Run]:
        """All the campaign's runs with something left to do, those that wait for a person, too."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.state.not_in(FINISHED)))

    def last_settled(self, campaign: str, slot: datetime) -> Run | None:
        """The campaign's last settled run before a slot, if there is one."""
        found = self.read(sa.and_(runs.c.campaign == campaign, runs.c.state == "settled", runs.c.slot < iso(slot)), 1)
        return found[0] if found else None

    def note_proof(self, campaign: str, part: Part, receipt: Receipt, by: str) -> None:
        """A proof's file was delivered."""
        values = {"name": part.name, "rows": part.rows, "sha256": part.sha256, "route": part.route, "location": receipt.location}
        with self.explained(), self.engine.begin() as connection:
            connection.execute(proofs.insert().values(campaign=campaign, at=self.stamp(), by=by, **values))

    def note_route_test(self, route: str) -> None:
        """A probe went through."""
        with self.explained(), self.engine.begin() as connection:
            connection.execute(route_tests.insert().values(route=route, at=self.stamp()))

    def tried_routes(self) -> set[str]:
        """The routes by which a file was ever delivered, be it a proof's."""
        delivered = sa.select(parts.c.route).where(parts.c.delivered_at.is_not(None))
        looks = (delivered, sa.select(proofs.c.route), sa.select(route_tests.c.route))
        with self.explained(), self.engine.connect() as connection:
            return {row.route for look in looks for row in connection.execute(look.distinct())}

    def accept(self, run: Run, gate: str, by: str) -> None:
        """A person lets the run pass a gate."""
        self.note(run, "accepted", f"{gate} by {by}")

    def note(self, run: Run, kind: str, detail: str) -> None:
        """Something happened that changes no state."""
        with self.explained(), self.engine.begin() as connection:
            self.record(connection, run.run_id, kind, detail)

    def owner(self, run: Run, part: Part) -> str | None:
        """Another run that has delivered a file of this name by this route, if there is one."""
        query = sa.select(parts.c.run_id).where(
            parts.c.name == part.name,
            parts.c.route == part.route,
            parts.c.delivered_at.is_not(None),
            parts.c.run_id != run.run_id,
        )
        with self.explained(), self.engine.connect() as connection:
            return connection.execute(query.limit(1)).scalar()

    def latest(self, limit: int | None = None) -> list[Run]:
        """The runs, newest slot first."""
        return self.read(sa.true(), limit)

    def read(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Run]:
        query = runs.select().where(condition).order_by(runs.c.slot.desc(), runs.c.created_at.desc(), runs.c.run_id).limit(limit)
        with self.explained(), self.engine.connect() as connection:
            rows = connection.execute(query).all()
            chosen = [row.run_id for row in rows]
            reasons = connection.execute(exclusions.select().where(exclusions.c.run_id.in_(chosen))).all()
            files = connection.execute(parts.select().where(parts.c.run_id.in_(chosen)).order_by(parts.c.number)).all()
        return [
            Run(
                run_id=row.run_id,
                campaign=row.campaign,
                slot=datetime.fromisoformat(row.slot),
                state=row.state,
                hold=row.hold,
                error=row.error,
                verdicts=None
                if row.targeted is None
                else Verdicts(
                    row.targeted, row.included, {r.reason: r.profiles for r in reasons if r.run_id == row.run_id}, row.seeds or 0
                ),
                parts=tuple(ledger_part(file) for file in files if file.run_id == row.run_id),
                cost=row.cost,
                changed=datetime.fromisoformat(row.updated_at),
            )
            for row in rows
        ]

    def mark(self, run: Run, part: Part, kind: str, detail: str, **values: Any) -> None:
        which = sa.and_(parts.c.run_id == run.run_id, parts.c.number == part.number)
        with self.explained(), self.engine.begin() as connection:
            connection.execute(parts.update().where(which).values(**values))
            self.record(connection, run.run_id, kind, f"{part.name} {detail}".strip())

    def change(self, run: Run, state: str, detail: str, **values: Any) -> None:
        with self.explained(), self.engine.begin() as connection:
            self.update(connection, run, state, **values)
            self.record(connection, run.run_id, state, detail)

    def update(self, connection: sa.Connection, run: Run, state: str, **values: Any) -> None:
        connection.execute(
            runs.update().where(runs.c.run_id == run.run_id).values(state=state, updated_at=self.stamp(), **values)
        )

    def record(self, connection: sa.Connection, run_id: str, kind: str, detail: str) -> None:
        connection.execute(events.insert().values(run_id=run_id, at=self.stamp(), kind=kind, detail=detail))

    def stamp(self) -> str:
        return iso(self.now())


def ledger_part(row: Any) -> LedgerPart:
    part = Part(
        row.number, row.name, row.rows, row.bytes, row.sha256, row.route, bool(row.side), row.plain_bytes, row.plain_sha256
    )
    return LedgerPart(part, row.intended_at is not None, row.location)


def iso(moment: datetime) -> str:
    """A moment as text that sorts: UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"


def configure_sqlite(connection: Any, _: Any) -> None:
    """A commit is on the disk when it returns, and a second process waits for the first."""
    cursor = connection.cursor()
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "busy_timeout = 10000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def run_as_json(run: Run) -> Mapping[str, Any]:
    """A run as `status --json` prints it."""
    return {
        "run_id": run.run_id,
        "campaign": run.campaign,
        "slot": f"{run.slot.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "state": run.state,
        "targeted": run.verdicts.targeted if run.verdicts else None,
        "included": run.verdicts.included if run.verdicts else None,
        "excluded": dict(run.verdicts.excluded) if run.verdicts else {},
        "seeds": run.verdicts.seeds if run.verdicts else None,
        "cost": run.cost,
        "parts": [
            {
                "name": p.part.name,
                "rows": p.part.rows,
                "bytes": p.part.bytes,
                "sha256": p.part.sha256,
                "route": p.part.route,
                **({"plain_sha256": p.part.plain_sha256} if p.part.plain_sha256 else {}),
            }
            for p in run.parts
            if not p.part.side
        ],
        "side_files": [p.part.name for p in run.parts if p.part.side],
        "error": run.error,
    }

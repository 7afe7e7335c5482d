"""Reads the ledger: runs with their figures and parts, found by name, by slot or by state."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.errors import UsageError
from dmail_runner.core.values import Part, Verdicts
from dmail_runner.ledger.database import Database, iso, moment
from dmail_runner.ledger.intents import Attempt, Entry, Word, latest_attempt
from dmail_runner.ledger.run import FINISHED, LedgerPart, Run, run_name
from dmail_runner.ledger.tables import events, exclusions, intents, parts, runs


class LedgerReader(Database):
    """Everything that only reads. Runs are returned newest slot first, unless a method says otherwise."""

    def latest_attempt(self, run: Run, number: int) -> Attempt:
        """The latest attempt to deliver a part."""
        with self.reading() as connection:
            return attempt_of(read_intents(connection, [run.run_id])[run.run_id, number])

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

    def campaigns(self) -> set[str]:
        """The campaigns that have runs with something left to do, be they in the project or not."""
        query = sa.select(runs.c.campaign).where(runs.c.state.not_in(FINISHED)).distinct()
        with self.reading() as connection:
            return set(connection.execute(query).scalars())

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

    def details(self, run: Run, kind: str) -> list[str]:
        """What the run's events of a kind say, in their order."""
        query = sa.select(events.c.detail).where(events.c.run_id == run.run_id, events.c.kind == kind).order_by(events.c.number)
        with self.reading() as connection:
            return list(connection.execute(query).scalars())

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
            ahead: dict[str, list[LedgerPart]] = defaultdict(list)
            for batch in batched([row.run_id for row in rows]):
                told = read_intents(connection, batch)
                for row in connection.execute(exclusions.select().where(exclusions.c.run_id.in_(batch))):
                    reasons[row.run_id][row.reason] = row.profiles
                for row in connection.execute(parts.select().where(parts.c.run_id.in_(batch)).order_by(parts.c.number)):
                    files[row.run_id].append(ledger_part(row, told.pop((row.run_id, row.number), [])))
                for (run_id, _), lines in told.items():
                    ahead[run_id].append(part_ahead(lines))
        return [ledger_run(row, reasons[row.run_id], files[row.run_id], ahead[row.run_id]) for row in rows]


def batched(names: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """A query takes so many names at once."""
    return (names[start : start + size] for start in range(0, len(names), size))


def read_intents(connection: sa.Connection, run_ids: Sequence[str]) -> dict[tuple[str, int], list[Any]]:
    """The rows of the runs' records, in order; by the run and the part's number."""
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in connection.execute(intents.select().where(intents.c.run_id.in_(run_ids)).order_by(intents.c.number)):
        found[row.run_id, row.part].append(row)
    return found


def attempt_of(told: Sequence[Any]) -> Attempt:
    """The latest attempt, by the rows of a part's record."""
    return latest_attempt(Entry(Word(row.word), row.temporary, row.sha256, row.staged) for row in told)


def ledger_run(row: Any, reasons: Mapping[str, int], files: Sequence[LedgerPart], ahead: Sequence[LedgerPart]) -> Run:
    """A run from its row, its exclusions, its parts and what was sent ahead of them."""
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
        ahead=tuple(ahead),
        cost=row.cost,
        changed=moment(row.updated_at),
        frozen=moment(row.frozen_at),
        host=row.host,
    )


def ledger_part(row: Any, told: Sequence[Any]) -> LedgerPart:
    """A part from its row and the rows of its record."""
    fields = {column: getattr(row, column) for column in Part.__dataclass_fields__}
    return LedgerPart(Part(**fields | {"side": bool(row.side)}), attempt_of(told), row.location)


def part_ahead(told: Sequence[Any]) -> LedgerPart:
    """A part that was sent before the run was frozen, or that a later content of the run does not have."""
    last = told[-1]
    part = Part(last.part, last.name, 0, 0, last.sha256, last.route)
    return LedgerPart(part, attempt_of(told), None)


def accounts(campaign: str) -> sa.ColumnElement[bool]:
    """The campaign's runs that account for a window; a further wave and a copy have none of their own."""
    own = sa.and_(sa.or_(runs.c.wave.is_(None), runs.c.wave == 1), runs.c.copy_of.is_(None))
    return sa.and_(runs.c.campaign == campaign, runs.c.state.not_in(("missed", "cancelled")), own)

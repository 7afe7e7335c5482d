"""Reads the ledger: runs with their figures and parts, by name, slot or state."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.errors import UsageError
from dmail_runner.core.suggest import similar_name
from dmail_runner.core.values import Comparison, Part, Verdicts
from dmail_runner.ledger.baseline import read_baseline, read_counts, read_notes, read_sources
from dmail_runner.ledger.comparison import held_figures, hold_events
from dmail_runner.ledger.database import Database, iso, moment
from dmail_runner.ledger.intents import Attempt, Entry, Word, latest_attempt
from dmail_runner.ledger.made import made_of
from dmail_runner.ledger.run import FINISHED, RECALLS, LedgerPart, Run, run_name
from dmail_runner.ledger.supplies import FIGURE_EVENTS, read_estimate, read_materials
from dmail_runner.ledger.tables import accounts, events, exclusions, intents, not_to_come, parts, runs


class LedgerReader(Database):
    """The reading half of the ledger. Lists of runs begin with the newest slot, unless a method says otherwise."""

    def latest_attempt(self, run: Run, number: int) -> Attempt:
        """The latest attempt to deliver a part."""
        with self.reading() as connection:
            return attempt_of(read_intents(connection, [run.run_id])[run.run_id, number])

    def get(self, run_id: str) -> Run | None:
        """The run of that name; None if there is none."""
        return next(iter(self.read(runs.c.run_id == run_id)), None)

    def named(self, run_id: str) -> Run:
        """The run that a person has named.

        Args:
            run_id: a run_id; or a unique beginning of one; or a campaign's name, for its newest run that is no wave to come.

        Raises:
            UsageError: if there is no such run, or several.
        """
        exact = self.read(sa.or_(runs.c.run_id == run_id, sa.and_(runs.c.campaign == run_id, not_to_come)), 1)
        found = exact or self.read(runs.c.run_id.startswith(run_id, autoescape=True), 4)
        if len(found) == 1:
            return found[0]
        what = f"several runs have ids that begin with {run_id!r}" if found else f"there is no run {run_id!r}"
        some = ", ".join(run.run_id for run in found[:3])
        todo = f"such as {some}" if found else similar_name(run_id, self.campaigns(finished=True))
        raise UsageError(what, todo=todo or "dmail-runner status lists the ids")

    def known(self, run_id: str) -> Run:
        """The run of a name that is in the ledger."""
        (found,) = self.read(runs.c.run_id == run_id)
        return found

    def find(self, campaign: str, slot: datetime) -> Run | None:
        """The run of a slot; None if there is none. For a mailing in waves, it is the first wave."""
        return self.get(run_name(campaign, slot))

    def by_wall(self, campaign: str, walls: Iterable[str]) -> list[Run]:
        """The runs of slots, by the local times that the schedule declares."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.wall.in_(list(walls)), runs.c.copy_of.is_(None)))

    def copies(self, run: Run) -> list[Run]:
        """The copies of a run."""
        return self.read(sa.and_(runs.c.campaign == run.campaign, runs.c.copy_of == run.run_id))

    def waves(self, run: Run) -> list[Run]:
        """The waves of a run's mailing, the first one first."""
        if not run.first:
            return [run]
        same = sa.and_(runs.c.campaign == run.campaign, runs.c.first == run.first, runs.c.copy_of.is_(None))
        return sorted(self.read(same), key=lambda one: one.wave or 0)

    def runs(self, run_ids: Iterable[str]) -> list[Run]:
        """The runs of these names. Names that the ledger does not have are ignored."""
        return self.read(runs.c.run_id.in_(run_ids))

    def unfinished(self, campaign: str) -> list[Run]:
        """The campaign's unfinished runs that are not held."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.state.not_in((*FINISHED, "held"))))

    def waiting(self, campaign: str) -> list[Run]:
        """The campaign's unfinished runs, including those that are held."""
        return self.read(sa.and_(runs.c.campaign == campaign, runs.c.state.not_in(FINISHED)))

    def last_change(self, campaign: str) -> datetime | None:
        """The time of the last change of a campaign's runs; None without runs."""
        query = sa.select(sa.func.max(runs.c.updated_at)).where(runs.c.campaign == campaign)
        with self.reading() as connection:
            return moment(connection.execute(query).scalar())

    def campaigns(self, *, finished: bool = False) -> set[str]:
        """The campaigns that have unfinished runs, also those that are not in the project any more. `finished`: or any runs."""
        unfinished = sa.true() if finished else runs.c.state.not_in(FINISHED)
        with self.reading() as connection:
            return set(connection.execute(sa.select(runs.c.campaign).where(unfinished).distinct()).scalars())

    def last_settled(self, campaign: str, slot: datetime, wave: int | None) -> Run | None:
        """The campaign's last settled run before a slot; None if there is none. For mailings in waves, it is the same wave."""
        same = runs.c.wave == wave if wave else runs.c.wave.is_(None)
        settled = sa.and_(runs.c.campaign == campaign, runs.c.state == "settled", runs.c.slot < iso(slot), same)
        found = self.read(settled, 1)
        return found[0] if found else None

    def window_before(self, campaign: str, slot: datetime) -> Run | None:
        """The run whose window ends where a slot's window begins: the newest earlier one that was not given up."""
        found = self.read(sa.and_(accounts(campaign), runs.c.slot < iso(slot)), 1)
        return found[0] if found else None

    def window_over(self, campaign: str, slot: datetime) -> Run | None:
        """A later run whose window contains a slot; None if there is none."""
        found = self.read(sa.and_(accounts(campaign), runs.c.slot > iso(slot), runs.c.window_start < iso(slot)), 1)
        return found[0] if found else None

    def count(self, run: Run, kind: str) -> int:
        """The number of a run's events of one kind."""
        query = sa.select(sa.func.count()).where(events.c.run_id == run.run_id, events.c.kind == kind)
        with self.reading() as connection:
            return connection.execute(query).scalar() or 0

    def compared(self, run: Run) -> Comparison | None:
        """The figures of a run that waits for a person, with those of the last settled run; None for any other run."""
        if run.held_figures or run.state not in ("held", "failed"):
            return run.held_figures
        last = self.last_settled(run.campaign, run.slot, run.wave)
        if last is None and run.verdicts is None:
            return None
        return Comparison(run.verdicts, last.run_id if last else None, last.verdicts if last else None)

    def details(self, run: Run, kind: str) -> list[str]:
        """The details of the run's events of a kind, oldest first."""
        query = sa.select(events.c.detail).where(events.c.run_id == run.run_id, events.c.kind == kind).order_by(events.c.number)
        with self.reading() as connection:
            return list(connection.execute(query).scalars())

    def provider_of(self, run: Run) -> str | None:
        """The provider that a run's file was made for; None if an earlier version of the runner has made it."""
        made = made_of(self, run)
        return made.provider if made else None

    def events_with(self, text: str) -> list[int]:
        """The numbers of the events with a text that also name a profile_id. Earlier versions recorded the keys of profiles."""
        columns = (events.c.detail, events.c.content)
        both = (sa.and_(column.contains("profile_id"), column.contains(text, autoescape=True)) for column in columns)
        query = sa.select(events.c.number).where(sa.or_(*both)).order_by(events.c.number)
        with self.reading() as connection:
            return list(connection.execute(query).scalars())

    def owner(self, run: Run, part: Part) -> str | None:
        """The run_id of another run that has delivered a file of this name by this route; None if there is none."""
        query = sa.select(parts.c.run_id).where(
            parts.c.name == part.name,
            parts.c.route == part.route,
            parts.c.delivered_at.is_not(None),
            parts.c.run_id != run.run_id,
        )
        with self.reading() as connection:
            return connection.execute(query.limit(1)).scalar()

    def of_another_campaign(self, run: Run, part: Part) -> Run | None:
        """The run of another campaign that has delivered a file of this name, by this route, for this slot; None if none has."""
        query = sa.select(parts.c.run_id).where(
            parts.c.name == part.name, parts.c.route == part.route, parts.c.delivered_at.is_not(None)
        )
        found = self.read(sa.and_(runs.c.campaign != run.campaign, runs.c.slot == iso(run.slot), runs.c.run_id.in_(query)), 1)
        return found[0] if found else None

    def latest(
        self, limit: int | None = None, campaign: str | None = None, state: str | None = None, since: datetime | None = None
    ) -> list[Run]:
        """The runs, newest slot first. The filters: a campaign, a state, and the earliest slot."""
        filters = [
            *([runs.c.campaign == campaign] if campaign else ()),
            *([runs.c.state == state] if state else ()),
            *([runs.c.slot >= iso(since)] if since else ()),
        ]
        return self.read(sa.and_(sa.true(), *filters), limit)

    def read(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Run]:
        query = runs.select().where(condition).order_by(runs.c.slot.desc(), runs.c.created_at.desc(), runs.c.run_id).limit(limit)
        with self.reading() as connection, self.understood():
            rows = connection.execute(query).all()
            if not rows:
                return []
            reasons: dict[str, dict[str, int]] = defaultdict(dict)
            files: dict[str, list[LedgerPart]] = defaultdict(list)
            ahead: dict[str, list[LedgerPart]] = defaultdict(list)
            figures: dict[tuple[str, str], str] = {}
            compared: dict[str, Comparison] = {}
            for batch in batched([row.run_id for row in rows]):
                records = read_intents(connection, batch)
                for row in connection.execute(exclusions.select().where(exclusions.c.run_id.in_(batch))):
                    reasons[row.run_id][row.reason] = row.profiles
                for row in connection.execute(parts.select().where(parts.c.run_id.in_(batch)).order_by(parts.c.number)):
                    files[row.run_id].append(ledger_part(row, records.pop((row.run_id, row.number), [])))
                for (run_id, _), lines in records.items():
                    ahead[run_id].append(part_ahead(lines))
                # A run that was made again has several: the last one counts.
                of_batch = sa.and_(events.c.run_id.in_(batch), events.c.kind.in_((*FIGURE_EVENTS, *RECALLS)))
                for row in connection.execute(events.select().where(of_batch).order_by(events.c.number)):
                    figures[row.run_id, row.kind] = row.detail
                    if row.kind in RECALLS:
                        figures[row.run_id, "recall"] = RECALLS[row.kind]
            for batch in batched([row.run_id for row in rows if row.state == "held"]):
                compared |= held_figures(connection.execute(hold_events(events.c.run_id.in_(batch))))
        return [
            ledger_run(
                row,
                figures_of(row, reasons[row.run_id], {kind: figures.get((row.run_id, kind), "") for kind in FIGURE_EVENTS}),
                files[row.run_id],
                ahead[row.run_id],
                compared.get(row.run_id),
                recall=figures.get((row.run_id, "recall")),
            )
            for row in rows
        ]


def batched(names: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    """The names in groups of `size`, because a query accepts a limited number."""
    return (names[start : start + size] for start in range(0, len(names), size))


def read_intents(connection: sa.Connection, run_ids: Sequence[str]) -> dict[tuple[str, int], list[Any]]:
    """The rows of the parts' records in order, by run and number of the part."""
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in connection.execute(intents.select().where(intents.c.run_id.in_(run_ids)).order_by(intents.c.number)):
        found[row.run_id, row.part].append(row)
    return found


def attempt_of(record: Sequence[Any]) -> Attempt:
    """The latest attempt, from the rows of a part's record."""
    return latest_attempt(Entry(Word(row.word), row.temporary, row.sha256, row.staged, row.location) for row in record)


def figures_of(row: Any, reasons: Mapping[str, int], texts: Mapping[str, str]) -> Verdicts | None:
    """A run's figures from its row, its exclusions, and the texts of the events with other figures; None until it is frozen."""
    if row.targeted is None:
        return None
    baseline, sources, notes, before, estimate, materials = (texts.get(kind, "") for kind in FIGURE_EVENTS)
    return Verdicts(
        row.targeted, row.included, reasons, row.seeds or 0,
        baseline=read_baseline(baseline), sources=read_sources(sources), notes=read_notes(notes),
        counted_before=read_counts(before), estimate=read_estimate(estimate), materials=read_materials(materials),
    )  # fmt: skip


def ledger_run(
    row: Any,
    verdicts: Verdicts | None,
    files: Sequence[LedgerPart],
    ahead: Sequence[LedgerPart],
    held_figures: Comparison | None = None,
    *,
    recall: str | None = None,
) -> Run:
    """A run from its row, figures, parts, those that were sent before it was frozen, the figures of its hold, and its recall."""
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
        verdicts=verdicts,
        parts=tuple(files),
        ahead=tuple(ahead),
        cost=row.cost,
        changed=moment(row.updated_at),
        frozen=moment(row.frozen_at),
        host=row.host,
        held_figures=held_figures,
        recall=recall,
    )


def ledger_part(row: Any, record: Sequence[Any]) -> LedgerPart:
    """A part from its row and the rows of its record."""
    fields = {column: getattr(row, column) for column in Part.__dataclass_fields__}
    return LedgerPart(Part(**fields | {"side": bool(row.side)}), attempt_of(record), row.location)


def part_ahead(record: Sequence[Any]) -> LedgerPart:
    """A part that was sent before the run was frozen, or that the frozen run does not have."""
    last = record[-1]
    return LedgerPart(Part(last.part, last.name, 0, 0, last.sha256, last.route), attempt_of(record), None)

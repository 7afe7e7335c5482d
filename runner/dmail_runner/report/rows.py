"""What the report reads from the ledger, with its own selects: all runs in a few queries, their details a batch at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.redact import discreet
from dmail_runner.core.values import Churn, Place
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.reader import batched
from dmail_runner.ledger.run import FINISHED
from dmail_runner.ledger.tables import approvals, events, exclusions, parts, places, runs, schedules


@dataclass(frozen=True)
class Money:
    """An estimate of a cost."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the ledger has it. `rows`: of its files, and `delivered` those with a receipt; `last_event`: its number.

    `targeted` is None until the run is frozen. `error` names nobody. `due`: its slot, in UTC.
    """

    run_id: str
    campaign: str
    due: datetime
    state: str
    created: datetime
    changed: datetime
    hold: str | None = None
    error: str = ""
    targeted: int | None = None
    included: int = 0
    seeds: int = 0
    cost: Money | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    delivered: int = 0
    last_event: int = 0
    wave: int | None = None
    copy_of: str | None = None
    churn: Churn | None = None
    frozen: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in FINISHED


@dataclass(frozen=True)
class Event:
    """Something that happened to a run; `detail` names nobody."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True)
class File:
    """One part of a run, with its receipt: `location` and `delivered`, where it has one."""

    number: int
    name: str
    rows: int
    bytes: int
    sha256: str
    route: str
    side: bool
    plain_sha256: str | None
    intended: datetime | None
    delivered: datetime | None
    location: str | None


@dataclass(frozen=True)
class Details:
    """What happened to a run, its parts in order, and where its pieces go."""

    events: tuple[Event, ...] = ()
    files: tuple[File, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Approval:
    """Who approved a campaign, and the beginning of the fingerprint of what it was then."""

    at: datetime
    by: str
    fingerprint: str


def read_runs(ledger: Ledger) -> list[RunRow]:
    """All runs, newest slot first."""
    data_rows = sa.case((sa.func.coalesce(parts.c.side, sa.false()), 0), else_=parts.c.rows)
    sums = sa.select(
        parts.c.run_id,
        sa.func.sum(data_rows).label("rows"),
        sa.func.sum(sa.case((parts.c.delivered_at.is_not(None), data_rows), else_=0)).label("delivered"),
    ).group_by(parts.c.run_id)
    last = sa.select(events.c.run_id, sa.func.max(events.c.number).label("number")).group_by(events.c.run_id)
    order = (runs.c.slot.desc(), runs.c.created_at.desc(), runs.c.run_id)
    with ledger.explained(), ledger.engine.connect() as connection:
        reasons: dict[str, dict[str, int]] = defaultdict(dict)
        for row in connection.execute(exclusions.select().order_by(exclusions.c.run_id, exclusions.c.reason)):
            reasons[row.run_id][row.reason] = row.profiles
        files = {row.run_id: row for row in connection.execute(sums)}
        numbers = {row.run_id: row.number for row in connection.execute(last)}
        found = connection.execute(runs.select().order_by(*order))
        return [run_row(row, reasons.get(row.run_id, {}), files.get(row.run_id), numbers.get(row.run_id, 0)) for row in found]


def read_watched(ledger: Ledger) -> dict[str, datetime]:
    """Since when the schedule of each campaign counts that a scheduler has seen: what was due before is not made up for."""
    query = sa.select(schedules.c.campaign, sa.func.max(schedules.c.seen_at).label("seen_at")).group_by(schedules.c.campaign)
    with ledger.reading() as connection:
        return {row.campaign: datetime.fromisoformat(row.seen_at) for row in connection.execute(query)}


def read_approvals(ledger: Ledger) -> dict[str, list[Approval]]:
    """The approvals of each campaign, newest first."""
    query = sa.select(approvals.c.campaign, approvals.c.at, approvals.c.by, approvals.c.fingerprint)
    found: dict[str, list[Approval]] = defaultdict(list)
    with ledger.reading() as connection:
        for row in connection.execute(query.order_by(approvals.c.number.desc())):
            found[row.campaign].append(Approval(datetime.fromisoformat(row.at), discreet(row.by), row.fingerprint))
    return found


def read_places(ledger: Ledger, run_ids: Sequence[str]) -> dict[str, tuple[Place, ...]]:
    """Where the pieces of some runs go, most first."""
    order = (places.c.pieces.desc(), places.c.country, places.c.region)
    found: dict[str, list[Place]] = defaultdict(list)
    with ledger.reading() as connection:
        for batch in batched(run_ids):
            for row in connection.execute(places.select().where(places.c.run_id.in_(batch)).order_by(*order)):
                found[row.run_id].append(Place(row.country, row.region, row.pieces))
    return {run_id: tuple(lines) for run_id, lines in found.items()}


def run_row(row: Any, excluded: Mapping[str, int], files: Any, last_event: int) -> RunRow:
    return RunRow(
        run_id=row.run_id,
        campaign=row.campaign,
        due=datetime.fromisoformat(row.slot),
        state=row.state,
        created=datetime.fromisoformat(row.created_at),
        changed=datetime.fromisoformat(row.updated_at),
        hold=row.hold,
        error=discreet(row.error),
        targeted=row.targeted,
        included=row.included or 0,
        seeds=row.seeds or 0,
        cost=parse_money(row.cost),
        excluded=excluded,
        rows=int(files.rows) if files else 0,
        delivered=int(files.delivered) if files else 0,
        last_event=last_event,
        wave=row.wave,
        copy_of=row.copy_of,
        churn=Churn(row.against, row.came, row.went) if row.against else None,
        frozen=parse_moment(row.frozen_at),
    )


def parse_money(text: str | None) -> Money | None:
    """A cost as the ledger keeps it, such as `1,234.50 USD`; None for anything else."""
    amount, _, currency = (text or "").partition(" ")
    try:
        return Money(Decimal(amount.replace(",", "")), currency) if currency else None
    except InvalidOperation:
        return None


def read_details(ledger: Ledger, run_ids: Sequence[str]) -> dict[str, Details]:
    """What happened to some runs, and their parts, by run."""
    told: dict[str, list[Event]] = defaultdict(list)
    with ledger.reading() as connection:
        for batch in batched(run_ids):
            for row in connection.execute(events.select().where(events.c.run_id.in_(batch)).order_by(events.c.number)):
                told[row.run_id].append(Event(datetime.fromisoformat(row.at), row.kind, discreet(row.detail)))
    files, going = read_files(ledger, run_ids), read_places(ledger, run_ids)
    return {run_id: Details(tuple(told[run_id]), files.get(run_id, ()), going.get(run_id, ())) for run_id in run_ids}


def read_files(ledger: Ledger, run_ids: Sequence[str]) -> dict[str, tuple[File, ...]]:
    """The parts of some runs, in order."""
    found: dict[str, list[File]] = defaultdict(list)
    with ledger.reading() as connection:
        for batch in batched(run_ids):
            for row in connection.execute(parts.select().where(parts.c.run_id.in_(batch)).order_by(parts.c.number)):
                found[row.run_id].append(file_row(row))
    return {run_id: tuple(lines) for run_id, lines in found.items()}


def file_row(row: Any) -> File:
    return File(
        number=row.number,
        name=row.name,
        rows=row.rows,
        bytes=row.bytes,
        sha256=row.sha256,
        route=row.route,
        side=bool(row.side),
        plain_sha256=row.plain_sha256,
        intended=parse_moment(row.intended_at),
        delivered=parse_moment(row.delivered_at),
        location=row.location,
    )


def parse_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

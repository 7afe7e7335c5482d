"""Reads the ledger for the report: all runs with few queries, and their details in batches."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dmail_runner.core.money import Estimate, Money, parse_money
from dmail_runner.core.redact import redact_people
from dmail_runner.core.values import Churn, Comparison, Part, RegionCount
from dmail_runner.ledger.approvals import approval_events
from dmail_runner.ledger.baseline import (
    BASELINE,
    COUNTED,
    SOURCES,
    UNUSUAL,
    baseline_in_short,
    counts_in_short,
    notes_in_short,
    read_counts,
    sources_in_short,
)
from dmail_runner.ledger.comparison import FIGURES, comparison_in_short, held_figures, hold_events
from dmail_runner.ledger.database import moment
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.made import MADE, made_in_short
from dmail_runner.ledger.reader import batched, figures_of, ledger_part, ledger_run
from dmail_runner.ledger.recalls import recalls
from dmail_runner.ledger.run import FINISHED
from dmail_runner.ledger.supplies import ESTIMATE, MATERIALS, estimate_in_short, materials_in_short, read_estimate
from dmail_runner.ledger.tables import events, exclusions, parts, places, runs, schedules

# Events whose detail is JSON for programs. A timeline shows a summary.
SHORT: Mapping[str, Callable[[str], str]] = {
    MADE: made_in_short,
    BASELINE: baseline_in_short,
    SOURCES: sources_in_short,
    UNUSUAL: notes_in_short,
    COUNTED: counts_in_short,
    FIGURES: comparison_in_short,
    ESTIMATE: estimate_in_short,
    MATERIALS: materials_in_short,
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, without its files and events: there may be many of these.

    Attributes:
        run_id: the run.
        campaign: its campaign.
        due: the slot in UTC.
        state: the state.
        created: when the run was recorded.
        changed: when its state changed last.
        hold: the gate that holds the run; None if it is not held.
        error: the last error or the reason of the hold, without names of people.
        targeted: the number of targeted profiles; None until the run is frozen.
        included: the number of included profiles.
        seeds: the number of seed addresses.
        cost: the estimated cost; None without a tariff.
        excluded: the number of excluded profiles by reason.
        rows: the number of rows of its files, without side files.
        delivered: the number of those in files with a receipt.
        last_event: the number of its last event.
        wave: the wave's number; None for a mailing without waves.
        copy_of: the run that it sends again; None for other runs.
        churn: the difference from the previous file; None if that is unknown.
        frozen: when its content was frozen.
        held_figures: what was built when a gate held it; None if it is not held, or nothing was built.
        counted_before: the people whom an earlier window has counted, by their verdict there.
        estimate: what it costs, with the order; None for runs of earlier versions of the runner, and without a tariff.
        recall: whether a recall of its file is `asked`, `accepted` or `refused`; None without one.
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
    first: str | None = None
    copy_of: str | None = None
    churn: Churn | None = None
    frozen: datetime | None = None
    held_figures: Comparison | None = None
    counted_before: Mapping[str, int] = field(default_factory=dict)
    estimate: Estimate | None = None
    recall: str | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in FINISHED


@dataclass(frozen=True)
class Event:
    """An event of a run.

    Attributes:
        at: the time in UTC.
        kind: a state that was reached, or another kind.
        detail: details, without names of people.
    """

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True)
class File:
    """A file of a run.

    Attributes:
        part: the file as recorded in the ledger.
        intended: when it was about to get its final name; None if that has not happened.
        delivered: when it was delivered; None if there is no receipt.
        location: its address at the provider; None if there is no receipt.
    """

    part: Part
    intended: datetime | None
    delivered: datetime | None
    location: str | None


@dataclass(frozen=True)
class Details:
    """The details of a run: its events and its files in order, and the regions that its pieces go to, largest first."""

    events: tuple[Event, ...] = ()
    files: tuple[File, ...] = ()
    regions: tuple[RegionCount, ...] = ()


@dataclass(frozen=True)
class Approval:
    """An approval of a campaign.

    Attributes:
        at: the time in UTC.
        by: who approved.
        fingerprint: the fingerprint of the campaign's definition.
    """

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
        held = sa.select(runs.c.run_id).where(runs.c.state == "held")
        of_runs = events.select().where(events.c.kind.in_((COUNTED, ESTIMATE))).order_by(events.c.number)
        texts = {(row.run_id, row.kind): row.detail for row in connection.execute(of_runs)}
        recalled = recalls(connection)
        compared = held_figures(connection.execute(hold_events(events.c.run_id.in_(held))))
        return [
            replace(
                run_row(
                    row, reasons.get(row.run_id, {}), files.get(row.run_id), numbers.get(row.run_id, 0), compared.get(row.run_id)
                ),
                counted_before=read_counts(texts.get((row.run_id, COUNTED), "")) or {},
                estimate=read_estimate(texts.get((row.run_id, ESTIMATE), "")),
                recall=recalled.get(row.run_id),
            )
            for row in connection.execute(runs.select().order_by(*order))
        ]


def read_watched(ledger: Ledger) -> dict[str, datetime]:
    """The time when a scheduler first saw the present schedule of each campaign. Earlier slots are not run."""
    query = sa.select(schedules.c.campaign, sa.func.max(schedules.c.seen_at).label("seen_at")).group_by(schedules.c.campaign)
    with ledger.reading() as connection:
        return {row.campaign: datetime.fromisoformat(row.seen_at) for row in connection.execute(query)}


def read_approvals(ledger: Ledger) -> dict[str, list[Approval]]:
    """The approvals of each campaign, newest first."""
    found: dict[str, list[Approval]] = defaultdict(list)
    for campaign, at, by, fingerprint in approval_events(ledger):
        found[campaign].append(Approval(datetime.fromisoformat(at), redact_people(by), fingerprint))
    return found


def read_regions(ledger: Ledger, run_ids: Sequence[str]) -> dict[str, tuple[RegionCount, ...]]:
    """The regions that the pieces of some runs go to, largest first, by run."""
    order = (places.c.pieces.desc(), places.c.country, places.c.region)
    found: dict[str, list[RegionCount]] = defaultdict(list)
    with ledger.reading() as connection:
        for batch in batched(run_ids):
            for row in connection.execute(places.select().where(places.c.run_id.in_(batch)).order_by(*order)):
                found[row.run_id].append(RegionCount(row.country, row.region, row.pieces))
    return {run_id: tuple(lines) for run_id, lines in found.items()}


def run_row(row: Any, excluded: Mapping[str, int], files: Any, last_event: int, compared: Comparison | None) -> RunRow:
    """A run from its row, its exclusions, the sums of its files, the number of its last event, and the figures of its hold."""
    run = ledger_run(row, figures_of(row, excluded, {}), (), (), compared)
    return RunRow(
        run_id=run.run_id,
        campaign=run.campaign,
        due=run.slot,
        state=run.state,
        created=datetime.fromisoformat(row.created_at),
        changed=datetime.fromisoformat(row.updated_at),
        hold=run.hold,
        error=redact_people(run.error),
        targeted=run.verdicts.targeted if run.verdicts else None,
        included=run.verdicts.included if run.verdicts else 0,
        seeds=run.verdicts.seeds if run.verdicts else 0,
        cost=parse_money(run.cost),
        excluded=excluded,
        rows=int(files.rows) if files else 0,
        delivered=int(files.delivered) if files else 0,
        last_event=last_event,
        wave=run.wave,
        first=run.first,
        copy_of=run.copy_of,
        churn=Churn(row.against, row.came, row.went) if row.against else None,
        frozen=run.frozen,
        held_figures=run.held_figures,
    )


def read_details(ledger: Ledger, run_ids: Sequence[str]) -> dict[str, Details]:
    """The details of some runs, by run."""
    found: dict[str, list[Event]] = defaultdict(list)
    with ledger.reading() as connection:
        for batch in batched(run_ids):
            for row in connection.execute(events.select().where(events.c.run_id.in_(batch)).order_by(events.c.number)):
                detail = SHORT[row.kind](row.detail) if row.kind in SHORT else redact_people(row.detail)
                found[row.run_id].append(Event(datetime.fromisoformat(row.at), row.kind, detail))
    files, regions = read_files(ledger, run_ids), read_regions(ledger, run_ids)
    return {run_id: Details(tuple(found[run_id]), files.get(run_id, ()), regions.get(run_id, ())) for run_id in run_ids}


def read_files(ledger: Ledger, run_ids: Sequence[str]) -> dict[str, tuple[File, ...]]:
    """The files of some runs in order, by run."""
    found: dict[str, list[File]] = defaultdict(list)
    with ledger.reading() as connection:
        for batch in batched(run_ids):
            for row in connection.execute(parts.select().where(parts.c.run_id.in_(batch)).order_by(parts.c.number)):
                found[row.run_id].append(file_row(row))
    return {run_id: tuple(lines) for run_id, lines in found.items()}


def file_row(row: Any) -> File:
    """A file from its row."""
    entry = ledger_part(row, ())
    return File(entry.part, moment(row.intended_at), moment(row.delivered_at), entry.location)

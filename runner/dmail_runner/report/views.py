"""What each page shows, put together from the ledger's rows and the declarations. Pure: everything is given."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from types import MappingProxyType

from dmail_runner.core.values import RegionCount
from dmail_runner.report.attention import Need, of_run
from dmail_runner.report.charts import Bar
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import Figures, Stage, Step, costs, figures_of, funnel, lasted, recent, timeline, total, within
from dmail_runner.report.rows import Approval, Details, Money, RunRow
from dmail_runner.report.verdicts import Decision, Gate, decisions, gates

NEEDS_SHOWN = 100
RUNS_FIRST = 10
RUNS_SHOWN = 500
BARS = 60
APPROVALS_SHOWN = 10
SPARKS = 12
MONTH = timedelta(days=30)
ORDER = ("active", "faulty", "draft", "stopped", "gone")


@dataclass(frozen=True)
class CampaignLine:
    """A campaign in the overview."""

    name: str
    label: str
    status: str
    provider: str
    next_slot: datetime | None
    last: RunRow | None
    sparks: tuple[Bar, ...]


@dataclass(frozen=True)
class Overview:
    """The first page. `more`: how many needs are not shown. The figures are of the last 30 days by slot."""

    needs: tuple[Need, ...]
    more: int
    lines: tuple[CampaignLine, ...]
    active: int
    delivered: int
    runs: int
    costs: tuple[Money, ...]
    next_slot: datetime | None


@dataclass(frozen=True)
class RunLine:
    """A run in its campaign's table; no figures until it is frozen. `paged`: whether it has a page of its own."""

    run: RunRow
    figures: Figures | None
    paged: bool


@dataclass(frozen=True)
class CampaignView:
    """A campaign's page. `declared` is None for one that only the ledger still knows; `stages`: of the latest frozen run.

    `runs` are the newest ones, `years` those before them, by the year of their slot; `hidden` so many are not listed at all.
    `pageless`: the first run that has no page.
    """

    line: CampaignLine
    declared: Declared | None
    needs: tuple[Need, ...]
    latest: RunLine | None
    stages: tuple[Stage, ...]
    sums: Figures
    counted: int
    bars: tuple[Bar, ...]
    runs: tuple[RunLine, ...]
    years: tuple[tuple[int, tuple[RunLine, ...]], ...]
    hidden: int
    pageless: RunRow | None
    costs: tuple[Money, ...]
    places: tuple[RegionCount, ...] = ()
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True)
class RunView:
    """A run's page."""

    run: RunRow
    label: str
    figures: Figures | None
    stages: tuple[Stage, ...]
    details: Details
    steps: tuple[Step, ...]
    lasted: timedelta
    gates: tuple[Gate, ...]
    decisions: tuple[Decision, ...]
    need: Need | None
    approval: Approval | None = None
    original_paged: bool = True


def paged_runs(runs: Sequence[RunRow], needs: Sequence[Need], limit: int) -> set[str]:
    """The runs that get a page of their own: the newest, and those to which something else leads.

    These are what needs a person, and of each campaign the last run. `runs`: all, newest first.
    """
    last = (some[0] for some in by_campaign(runs).values())
    return {run.run_id for run in (*islice(runs, limit), *last)} | {need.run_id for need in needs if need.run_id}


def by_campaign(runs: Sequence[RunRow]) -> dict[str, list[RunRow]]:
    """The runs of each campaign, newest first as they are given."""
    found: dict[str, list[RunRow]] = defaultdict(list)
    for run in runs:
        found[run.campaign].append(run)
    return found


def overview(runs: Sequence[RunRow], declared: Mapping[str, Declared], needs: Sequence[Need], now: datetime) -> Overview:
    """The first page's content."""
    grouped = by_campaign(runs)
    names = dict.fromkeys((*declared, *grouped))
    lines = sorted((campaign_line(name, declared.get(name), grouped.get(name, [])) for name in names), key=line_order)
    month = list(within(runs, now - MONTH, now))
    return Overview(
        needs=tuple(needs[:NEEDS_SHOWN]),
        more=len(needs[NEEDS_SHOWN:]),
        lines=tuple(lines),
        active=sum(line.status == "active" for line in lines),
        delivered=sum(run.delivered for run in month),
        runs=len(month),
        costs=tuple(costs(month)),
        next_slot=min((line.next_slot for line in lines if line.next_slot), default=None),
    )


def line_order(line: CampaignLine) -> tuple[int, float, str]:
    """Those at work first, by their next slot."""
    return ORDER.index(line.status), line.next_slot.timestamp() if line.next_slot else float("inf"), line.name


def campaign_line(name: str, declared: Declared | None, runs: Sequence[RunRow]) -> CampaignLine:
    """A campaign with its newest run and its recent volumes. `runs`: its own, newest first."""
    known = declared or Declared(name, name, status="gone")
    return CampaignLine(
        name=name,
        label=known.label,
        status="faulty" if known.fault else known.status,
        provider=known.provider_label,
        next_slot=known.slots[0] if known.slots else None,
        last=runs[0] if runs else None,
        sparks=bars(runs, SPARKS),
    )


def bars(runs: Sequence[RunRow], count: int) -> tuple[Bar, ...]:
    """The latest volumes, oldest first."""
    return tuple(
        Bar(f"{run.due:%Y-%m-%d}", found.sends, found.targeted, "lost" if found.errors else "wait" if found.waiting else "sent")
        for run, found in recent(runs, count)
    )


def campaign_view(
    name: str,
    declared: Declared | None,
    runs: Sequence[RunRow],
    needs: Sequence[Need],
    paged: Container[str],
    *,
    places: Mapping[str, tuple[RegionCount, ...]] = MappingProxyType({}),
    approvals: Sequence[Approval] = (),
) -> CampaignView:
    """A campaign's page. `runs`: its own, newest first; `paged`: with pages; `places` by run; `approvals`: newest first."""
    lines = [RunLine(run, figures_of(run), run.run_id in paged) for run in runs]
    counted = [line.figures for line in lines if line.figures]
    latest = next((line for line in lines if line.figures), None)
    sums = total(counted)
    shown = [line for place, line in enumerate(lines) if place < RUNS_SHOWN or line.paged]
    years = groupby(shown[RUNS_FIRST:], key=lambda line: line.run.due.year)
    return CampaignView(
        line=campaign_line(name, declared, runs),
        declared=declared,
        needs=tuple(need for need in needs if need.campaign == name),
        latest=latest,
        stages=tuple(funnel(latest.figures, sums)) if latest and latest.figures else (),
        sums=sums,
        counted=len(counted),
        bars=bars(runs, BARS),
        runs=tuple(shown[:RUNS_FIRST]),
        years=tuple((year, tuple(some)) for year, some in years),
        hidden=len(lines) - len(shown),
        pageless=next((line.run for line in lines if not line.paged), None),
        costs=tuple(costs(runs)),
        places=places.get(latest.run.run_id, ()) if latest else (),
        approvals=tuple(approvals[:APPROVALS_SHOWN]),
    )


def run_view(
    run: RunRow, declared: Declared | None, details: Details, approvals: Sequence[Approval] = (), *, original_paged: bool = True
) -> RunView:
    """A run's page. `approvals`: its campaign's, newest first; `original_paged`: whether the run that it copies has a page."""
    made = run.frozen
    found = figures_of(run)
    return RunView(
        run=run,
        label=declared.label if declared else run.campaign,
        figures=found,
        stages=tuple(funnel(found)) if found else (),
        details=details,
        steps=tuple(timeline(details)),
        lasted=lasted(details),
        gates=tuple(gates(run, details, contractual=bool(declared and declared.contractual))),
        decisions=tuple(decisions(details)),
        need=of_run(run, run, run.changed) if run.state in ("held", "failed") else None,
        approval=next((one for one in approvals if one.at <= made), None) if made else None,
        original_paged=original_paged,
    )

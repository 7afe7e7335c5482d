"""What each page shows, put together from the ledger's rows and the declarations. Pure: everything is given."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from runner.report.attention import Need, of_run
from runner.report.charts import Bar
from runner.report.declared import Declared
from runner.report.figures import Figures, Stage, Step, costs, figures_of, funnel, lasted, recent, timeline, total, within
from runner.report.rows import Approval, Details, Money, RunRow
from runner.report.verdicts import Decision, Gate, decisions, gates
from runner.values import Place

NEEDS_SHOWN = 100
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
    """A run in its campaign's table; no figures until it is frozen."""

    run: RunRow
    figures: Figures | None


@dataclass(frozen=True)
class CampaignView:
    """A campaign's page. `declared` is None for one that only the ledger still knows; `stages`: of the latest frozen run."""

    line: CampaignLine
    declared: Declared | None
    needs: tuple[Need, ...]
    latest: RunLine | None
    stages: tuple[Stage, ...]
    sums: Figures
    counted: int
    bars: tuple[Bar, ...]
    runs: tuple[RunLine, ...]
    hidden: int
    costs: tuple[Money, ...]
    places: tuple[Place, ...] = ()
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
    *,
    places: Mapping[str, tuple[Place, ...]] = MappingProxyType({}),
    approvals: Sequence[Approval] = (),
) -> CampaignView:
    """A campaign's page. `runs`: its own, newest first; `places` by run; `approvals`: newest first."""
    lines = [RunLine(run, figures_of(run)) for run in runs]
    counted = [line.figures for line in lines if line.figures]
    latest = next((line for line in lines if line.figures), None)
    sums = total(counted)
    return CampaignView(
        line=campaign_line(name, declared, runs),
        declared=declared,
        needs=tuple(need for need in needs if need.campaign == name),
        latest=latest,
        stages=tuple(funnel(latest.figures, sums)) if latest and latest.figures else (),
        sums=sums,
        counted=len(counted),
        bars=bars(runs, BARS),
        runs=tuple(lines[:RUNS_SHOWN]),
        hidden=len(lines[RUNS_SHOWN:]),
        costs=tuple(costs(runs)),
        places=places.get(latest.run.run_id, ()) if latest else (),
        approvals=tuple(approvals[:APPROVALS_SHOWN]),
    )


def run_view(run: RunRow, declared: Declared | None, details: Details, approvals: Sequence[Approval] = ()) -> RunView:
    """A run's page. `approvals`: its campaign's, newest first."""
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
    )

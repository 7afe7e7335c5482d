"""The content of each page, from the ledger's rows and the declarations. The functions are pure."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from types import MappingProxyType

from dmail_runner.core.values import RegionCount
from dmail_runner.report.attention import Need, run_need
from dmail_runner.report.charts import Bar
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import Figures, Stage, Step, costs, duration, figures_of, funnel, recent, timeline, total, within
from dmail_runner.report.rows import Approval, Details, Money, RunRow
from dmail_runner.report.verdicts import Decision, Gate, decisions, gates

MAX_NEEDS = 100
LATEST_RUNS = 10
MAX_RUNS = 500
MAX_BARS = 60
MAX_APPROVALS = 10
MAX_SPARKS = 12
MONTH = timedelta(days=30)
ORDER = ("active", "faulty", "draft", "stopped", "gone")


@dataclass(frozen=True)
class CampaignLine:
    """A campaign in the overview.

    Attributes:
        status: a status, `faulty` for a wrong declaration, or `gone` for a campaign that only the ledger has.
        next_slot: the next slot in UTC; None if there is none.
        last: the newest run; None if there is none.
        sparks: the recent volumes.
    """

    name: str
    label: str
    status: str
    provider: str
    next_slot: datetime | None
    last: RunRow | None
    sparks: tuple[Bar, ...]


@dataclass(frozen=True)
class Overview:
    """The first page.

    Attributes:
        needs: what needs a person, most urgent first.
        more: the number of needs that are not shown.
        lines: the campaigns.
        active: the number of active campaigns.
        delivered: the rows that were delivered in the last 30 days, by slot.
        runs: the number of runs of the last 30 days.
        costs: the costs of the last 30 days.
        next_slot: the next slot of all campaigns in UTC; None if there is none.
    """

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
    """A run in the table of its campaign.

    Attributes:
        run: the run.
        figures: its figures; None until it is frozen.
        paged: whether it has a page.
    """

    run: RunRow
    figures: Figures | None
    paged: bool


@dataclass(frozen=True)
class CampaignView:
    """A campaign's page.

    Attributes:
        line: the campaign as in the overview.
        declared: the declaration; None for a campaign that only the ledger has.
        needs: what needs a person.
        latest: the latest frozen run; None if there is none.
        stages: the bars of the funnel, of the latest frozen run.
        sums: the sums over all frozen runs.
        counted: the number of these runs.
        bars: the volumes.
        runs: the newest runs.
        years: the runs before them, by year.
        hidden: the number of runs that are not listed.
        pageless: the newest run without a page; None if all have one.
        costs: the costs of all runs.
        regions: the regions that the pieces of the latest frozen run go to.
        approvals: the latest approvals, newest first.
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
    regions: tuple[RegionCount, ...] = ()
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True)
class RunView:
    """A run's page.

    Attributes:
        run: the run.
        label: the campaign's label.
        figures: its figures; None until it is frozen.
        stages: the bars of the funnel.
        details: its events, files and regions.
        steps: its events with the times between them.
        duration: the time from the first event to the last.
        gates: the verdicts of the gates.
        decisions: the decisions of people.
        need: what needs a person; None if nothing does.
        approval: the approval that it was made with; None if there is none.
        original_paged: whether the run that it sends again has a page.
    """

    run: RunRow
    label: str
    figures: Figures | None
    stages: tuple[Stage, ...]
    details: Details
    steps: tuple[Step, ...]
    duration: timedelta
    gates: tuple[Gate, ...]
    decisions: tuple[Decision, ...]
    need: Need | None
    approval: Approval | None = None
    original_paged: bool = True


def paged_runs(runs: Sequence[RunRow], needs: Sequence[Need], limit: int) -> set[str]:
    """The ids of the runs that get a page: the newest ones, those that need a person, and the last one of each campaign.

    Args:
        runs: all runs, newest first.
        needs: what needs a person.
        limit: how many of the newest runs get a page.
    """
    last = (some[0] for some in by_campaign(runs).values())
    return {run.run_id for run in (*islice(runs, limit), *last)} | {need.run_id for need in needs if need.run_id}


def by_campaign(runs: Sequence[RunRow]) -> dict[str, list[RunRow]]:
    """The runs of each campaign, in the given order."""
    found: dict[str, list[RunRow]] = defaultdict(list)
    for run in runs:
        found[run.campaign].append(run)
    return found


def overview(runs: Sequence[RunRow], declared: Mapping[str, Declared], needs: Sequence[Need], now: datetime) -> Overview:
    """The first page. `runs`: all, newest first. `needs`: most urgent first."""
    grouped = by_campaign(runs)
    names = dict.fromkeys((*declared, *grouped))
    lines = sorted((campaign_line(name, declared.get(name), grouped.get(name, [])) for name in names), key=line_order)
    month = list(within(runs, now - MONTH, now))
    return Overview(
        needs=tuple(needs[:MAX_NEEDS]),
        more=len(needs[MAX_NEEDS:]),
        lines=tuple(lines),
        active=sum(line.status == "active" for line in lines),
        delivered=sum(run.delivered for run in month),
        runs=len(month),
        costs=tuple(costs(month)),
        next_slot=min((line.next_slot for line in lines if line.next_slot), default=None),
    )


def line_order(line: CampaignLine) -> tuple[int, float, str]:
    """The sort key of a campaign: active ones first, by their next slot."""
    return ORDER.index(line.status), line.next_slot.timestamp() if line.next_slot else float("inf"), line.name


def campaign_line(name: str, declared: Declared | None, runs: Sequence[RunRow]) -> CampaignLine:
    """A campaign in the overview. `runs`: the campaign's runs, newest first."""
    known = declared or Declared(name, name, status="gone")
    return CampaignLine(
        name=name,
        label=known.label,
        status="faulty" if known.fault else known.status,
        provider=known.provider_label,
        next_slot=known.slots[0] if known.slots else None,
        last=runs[0] if runs else None,
        sparks=bars(runs, MAX_SPARKS),
    )


def bars(runs: Sequence[RunRow], count: int) -> tuple[Bar, ...]:
    """The volumes of the latest frozen runs, oldest first."""
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
    regions: Mapping[str, tuple[RegionCount, ...]] = MappingProxyType({}),
    approvals: Sequence[Approval] = (),
) -> CampaignView:
    """A campaign's page.

    Args:
        name: the campaign.
        declared: its declaration; None if only the ledger has the campaign.
        runs: its runs, newest first.
        needs: what needs a person, for all campaigns.
        paged: the ids of the runs with a page.
        regions: the regions that the pieces of runs go to, by run.
        approvals: its approvals, newest first.
    """
    lines = [RunLine(run, figures_of(run), run.run_id in paged) for run in runs]
    counted = [line.figures for line in lines if line.figures]
    latest = next((line for line in lines if line.figures), None)
    sums = total(counted)
    shown = [line for index, line in enumerate(lines) if index < MAX_RUNS or line.paged]
    years = groupby(shown[LATEST_RUNS:], key=lambda line: line.run.due.year)
    return CampaignView(
        line=campaign_line(name, declared, runs),
        declared=declared,
        needs=tuple(need for need in needs if need.campaign == name),
        latest=latest,
        stages=tuple(funnel(latest.figures, sums)) if latest and latest.figures else (),
        sums=sums,
        counted=len(counted),
        bars=bars(runs, MAX_BARS),
        runs=tuple(shown[:LATEST_RUNS]),
        years=tuple((year, tuple(some)) for year, some in years),
        hidden=len(lines) - len(shown),
        pageless=next((line.run for line in lines if not line.paged), None),
        costs=tuple(costs(runs)),
        regions=regions.get(latest.run.run_id, ()) if latest else (),
        approvals=tuple(approvals[:MAX_APPROVALS]),
    )


def run_view(
    run: RunRow, declared: Declared | None, details: Details, approvals: Sequence[Approval] = (), *, original_paged: bool = True
) -> RunView:
    """A run's page.

    Args:
        run: the run.
        declared: the declaration of its campaign; None if only the ledger has the campaign.
        details: its details.
        approvals: the approvals of its campaign, newest first.
        original_paged: whether the run that it sends again has a page.
    """
    found = figures_of(run)
    return RunView(
        run=run,
        label=declared.label if declared else run.campaign,
        figures=found,
        stages=tuple(funnel(found)) if found else (),
        details=details,
        steps=tuple(timeline(details)),
        duration=duration(details),
        gates=tuple(gates(run, details, contractual=bool(declared and declared.contractual))),
        decisions=tuple(decisions(details)),
        need=run_need(run, run, run.changed) if run.state in ("held", "failed") else None,
        approval=next((one for one in approvals if one.at <= run.frozen), None) if run.frozen else None,
        original_paged=original_paged,
    )

"""The content of a campaign's page."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from dmail_runner.core.values import RegionCount
from dmail_runner.report.attention import Need
from dmail_runner.report.charts import Bar
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import Figures, Stage, costs, figures_of, funnel, total_of_people
from dmail_runner.report.overview import CampaignLine, bars, campaign_line
from dmail_runner.report.rows import Approval, Money, RunRow

LATEST_RUNS = 10
MAX_RUNS = 500
MAX_BARS = 60
MAX_APPROVALS = 10


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
        needs: the problems that need a person.
        latest: the latest frozen run; None if there is none.
        stages: the bars of the funnel, of the latest frozen run.
        sums: the sums over all frozen runs. Each person counts once for each mailing.
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
        needs: the problems of all campaigns that need a person.
        paged: the ids of the runs with a page.
        regions: the regions that the pieces of runs go to, by run.
        approvals: its approvals, newest first.
    """
    lines = [RunLine(run, figures_of(run), run.run_id in paged) for run in runs]
    counted = [line.figures for line in lines if line.figures]
    latest = next((line for line in lines if line.figures), None)
    sums = total_of_people(runs)
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

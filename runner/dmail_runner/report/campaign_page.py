"""The content of a campaign's page."""

import csv
import io
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from types import MappingProxyType
from urllib.parse import quote

from dmail_runner.core.money import Money
from dmail_runner.core.values import RegionCount
from dmail_runner.ledger.run import spoken
from dmail_runner.plan.waves import Wait
from dmail_runner.report.addresses import page_name
from dmail_runner.report.attention import Need
from dmail_runner.report.charts import Bar
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import Figures, Stage, costs, figures_of, figures_of_verdicts, funnel, total_of_people
from dmail_runner.report.overview import CampaignLine, bars, campaign_line
from dmail_runner.report.rows import Approval, RunRow
from dmail_runner.report.waves import waits

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
        last: the number of included profiles of the settled run before it; None if there is none.
        wait: what it waits for, if it is a planned later wave; None for any other run.
    """

    run: RunRow
    figures: Figures | None
    paged: bool
    last: int | None = None
    wait: Wait | None = None


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
        delivered: the latest delivered run; None without one.
        regions: the regions that its pieces go to.
        approvals: the latest approvals, newest first.
        has_results: whether it has a page of results.
        figures_file: the address of the runs' figures as CSV, which is in the page; empty without runs.
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
    delivered: RunRow | None = None
    regions: tuple[RegionCount, ...] = ()
    approvals: tuple[Approval, ...] = ()
    figures_file: str = ""
    has_results: bool = False

    @property
    def zone(self) -> str:
        """The time zone of the campaign's slots."""
        return self.declared.zone if self.declared else "UTC"


def run_lines(runs: Sequence[RunRow], paged: Container[str], apart: timedelta) -> list[RunLine]:
    """The runs of a campaign, newest first, each with the settled run before it. `apart`: the shortest time between waves."""
    waiting = waits(runs, apart)
    found: list[RunLine] = []
    settled: dict[int | None, int] = {}
    for run in reversed(runs):
        held = run.held_figures.verdicts if run.held_figures else None
        figures = figures_of_verdicts(held) if held else figures_of(run)
        found.append(RunLine(run, figures, run.run_id in paged, settled.get(run.wave), waiting.get(run.run_id)))
        if run.state == "settled":
            settled[run.wave] = run.included
    return found[::-1]


def by_year(lines: Sequence[RunLine]) -> tuple[tuple[int, tuple[RunLine, ...]], ...]:
    """Runs by the year of their slots."""
    return tuple((year, tuple(some)) for year, some in groupby(lines, key=lambda line: line.run.due.year))


def as_csv(lines: Sequence[RunLine]) -> str:
    """The figures of runs as CSV, in the address of a link, so that a page is one file. What was not delivered has no cost."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = ("targeted", "exclusions", "included", "seeds", "sends", "delivered", "errors")
    writer.writerow(["run_id", "slot", "state", *names, "cost", "currency"])
    for line in lines:
        cost = line.run.cost if line.run.delivered else None
        counts = [getattr(line.figures, name) if line.figures else "" for name in names]
        moment = f"{line.run.due:%Y-%m-%dT%H:%M:%SZ}"
        price = (cost.amount, cost.currency) if cost else ("", "")
        writer.writerow([line.run.run_id, moment, spoken(line.run.state), *counts, *price])
    return f"data:text/csv;charset=utf-8,{quote(text.getvalue())}" if lines else ""


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
    lines, sums = run_lines(runs, paged, declared.apart if declared else timedelta()), total_of_people(runs)
    zone = declared.zone if declared else "UTC"
    frozen = [line for line in lines if line.figures and not line.run.held_figures]
    latest, delivered = next(iter(frozen), None), next((run for run in runs if run.delivered), None)
    shown = [line for index, line in enumerate(lines) if index < MAX_RUNS or line.paged]
    return CampaignView(
        line=campaign_line(name, declared, runs),
        declared=declared,
        needs=tuple(need for need in needs if need.campaign == name),
        latest=latest,
        stages=tuple(funnel(latest.figures, sums)) if latest and latest.figures else (),
        sums=sums,
        counted=len(frozen),
        bars=bars(runs, MAX_BARS, lambda run: f"../run/{page_name(run.run_id)}" if run.run_id in paged else "", zone),
        runs=tuple(shown[:LATEST_RUNS]),
        years=by_year(shown[LATEST_RUNS:]),
        hidden=len(lines) - len(shown),
        pageless=next((line.run for line in lines if not line.paged), None),
        costs=tuple(costs(runs)),
        delivered=delivered,
        regions=regions.get(delivered.run_id, ()) if delivered else (),
        approvals=tuple(approvals[:MAX_APPROVALS]),
        figures_file=as_csv(shown),
    )

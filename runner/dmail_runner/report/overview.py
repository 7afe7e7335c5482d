"""The content of the first page, and which runs get a page."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dmail_runner.core.money import Money
from dmail_runner.report.attention import Need
from dmail_runner.report.charts import Bar
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import costs, recent, within
from dmail_runner.report.rows import RunRow

MAX_NEEDS = 100
MAX_SPARKS = 12
MONTH = timedelta(days=30)
ORDER = ("active", "faulty", "draft", "stopped", "gone")


@dataclass(frozen=True)
class CampaignLine:
    """A campaign in the overview.

    Attributes:
        status: a status, `faulty` for a wrong declaration, or `gone` for a campaign that only the ledger has.
        next_slot: the next slot in UTC; None if there is none.
        last: the newest run that is not a wave still to come; None if there is none.
        delivered: the newest slot of which something was delivered, in UTC; None if there is none.
        sparks: the recent volumes.
    """

    name: str
    label: str
    status: str
    provider: str
    next_slot: datetime | None
    last: RunRow | None
    delivered: datetime | None
    sparks: tuple[Bar, ...]


@dataclass(frozen=True)
class Overview:
    """The first page.

    Attributes:
        needs: the problems that need a person, most urgent first.
        more: the number of needs that are not shown.
        lines: the campaigns.
        active: the number of active campaigns.
        delivered: the rows that were delivered in the last 30 days, by slot.
        runs: the number of runs of the last 30 days.
        costs: the costs of the last 30 days.
        next_slot: the next slot of all campaigns in UTC; None if there is none.
        has_costs: whether there is a page of costs.
        has_stock: whether there is a page of materials.
    """

    needs: tuple[Need, ...]
    more: int
    lines: tuple[CampaignLine, ...]
    active: int
    delivered: int
    runs: int
    costs: tuple[Money, ...]
    next_slot: datetime | None
    has_costs: bool = False
    has_stock: bool = False


def paged_runs(runs: Sequence[RunRow], needs: Sequence[Need], limit: int) -> set[str]:
    """The ids of the runs that get a page: the newest ones, those that need a person, and the last one of each campaign.

    Args:
        runs: all runs, newest first.
        needs: the problems that need a person.
        limit: the number of newest runs that get a page.
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


def line_order(line: CampaignLine) -> tuple[int, float, float, str]:
    """The sort key of a campaign: active ones first, and among them the last delivery first; drafts and stopped ones last."""
    delivered = -line.delivered.timestamp() if line.delivered else 0.0
    return ORDER.index(line.status), delivered, line.next_slot.timestamp() if line.next_slot else float("inf"), line.name


def campaign_line(name: str, declared: Declared | None, runs: Sequence[RunRow]) -> CampaignLine:
    """A campaign in the overview. `runs`: the campaign's runs, newest first."""
    known = declared or Declared(name, name, status="gone")
    return CampaignLine(
        name=name,
        label=known.label,
        status="faulty" if known.fault else known.status,
        provider=known.provider_label,
        next_slot=known.slots[0] if known.slots else None,
        last=next((run for run in runs if run.state != "planned" or (run.wave or 1) == 1), None),
        delivered=next((run.due for run in runs if run.delivered), None),
        sparks=bars(runs, MAX_SPARKS),
    )


def bars(runs: Sequence[RunRow], count: int, link: Callable[[RunRow], str] = lambda _: "", zone: str = "UTC") -> tuple[Bar, ...]:
    """The volumes of the latest frozen runs, oldest first.

    Args:
        runs: the runs, newest first.
        count: the largest number of bars.
        link: returns the address of a run's page.
        zone: the time zone of the dates.
    """
    there = ZoneInfo(zone)
    return tuple(
        Bar(
            f"{run.due.astimezone(there):%Y-%m-%d}",
            found.sends,
            found.targeted,
            "lost" if found.errors else "wait" if found.waiting else "sent",
            link(run),
        )
        for run, found in recent(runs, count)
    )

"""The figures of runs, and what the charts show of them. The functions are pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise

from dmail_runner.core.money import Money
from dmail_runner.core.values import INCLUDED, Comparison, Limit, RegionCount, Verdicts
from dmail_runner.report.rows import Details, Event, RunRow

# States in which rows without a receipt count as errors, because they are not delivered without a person.
LOST = ("failed", "cancelled")
# The exclusion reason of the control group.
HOLDOUT = "holdout"
# The exclusion reason of people who are in another wave of the same mailing.
OTHER_WAVE = "another_wave"


@dataclass(frozen=True)
class Figures:
    """The figures of one run, or their sums.

    They add up: targeted = all of excluded + included, and sends = delivered + errors + waiting.

    Attributes:
        targeted: profiles of the audience.
        excluded: profiles that are not in the file, by reason.
        included: profiles in the file.
        seeds: seed addresses in the file.
        sends: rows of the files, with those of seed addresses.
        delivered: rows of files with a receipt.
        errors: rows that are not delivered without a person.
    """

    targeted: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    included: int = 0
    seeds: int = 0
    sends: int = 0
    delivered: int = 0
    errors: int = 0

    @property
    def exclusions(self) -> int:
        """The number of excluded profiles."""
        return sum(self.excluded.values())

    @property
    def of_other_waves(self) -> int:
        """The number of profiles that belong to another wave of the mailing."""
        return self.excluded.get(OTHER_WAVE, 0)

    @property
    def waiting(self) -> int:
        """Rows that are in progress or held."""
        return self.sends - self.delivered - self.errors

    @property
    def holdout(self) -> int:
        """The number of profiles in the control group."""
        return self.excluded.get(HOLDOUT, 0)

    @property
    def holdout_share(self) -> float:
        """The control group as a share of those who would be mailed without it."""
        return self.holdout / (self.holdout + self.included) if self.holdout else 0.0


@dataclass(frozen=True)
class Stage:
    """One bar of the funnel.

    Attributes:
        kind: the name of the figure.
        reason: the exclusion reason; None for other figures.
        count: the length of the bar.
        start: the start of the bar.
        scale: the length of the axis.
        beside: the same figure as a sum over all runs, or of the run that it is compared with; None if that is unknown.
        limits: crossed limits of this figure, as positions on the axis.
    """

    kind: str
    reason: str | None
    count: int
    start: int
    scale: int
    beside: int | None
    limits: tuple[int, ...] = ()


@dataclass(frozen=True)
class Step:
    """An event in a run's timeline.

    Attributes:
        event: the event.
        since: the time from the first event to the previous one.
        after: the time from the previous event to this one.
    """

    event: Event
    since: timedelta
    after: timedelta


def figures_of(run: RunRow) -> Figures | None:
    """The figures of a run; None if it is not frozen."""
    if run.targeted is None:
        return None
    errors = run.rows - run.delivered if run.state in LOST else 0
    return Figures(run.targeted, run.excluded, run.included, run.seeds, run.rows, run.delivered, errors)


def total(all_figures: Iterable[Figures]) -> Figures:
    """The sums of figures. A profile counts once for each run."""
    known = list(all_figures)
    excluded: Counter[str] = Counter()
    for one in known:
        excluded.update(one.excluded)
    names = ("targeted", "included", "seeds", "sends", "delivered", "errors")
    return Figures(excluded=dict(excluded), **{name: sum(getattr(one, name) for one in known) for name in names})


def total_of_people(some: Iterable[RunRow]) -> Figures:
    """The sums over runs, in which each person counts once for each mailing: in their own wave, and not for copies.

    The windows of a trigger are one mailing, and each person has the verdict of the last one.

    The people of waves that have no figures yet count as excluded by `another_wave`. Rows of files are summed over all runs.
    """
    frozen = [(run, found) for run in some if (found := figures_of(run))]
    people = [own_people(run, found) for run, found in frozen]
    audiences: dict[str, int] = {}
    for (run, found), own in zip(frozen, people, strict=True):
        if run.first and not run.copy_of:
            left = audiences.get(run.first, found.targeted)
            audiences[run.first] = max(left - own.targeted, 0)
    waiting = sum(audiences.values())
    later = Figures(targeted=waiting, excluded={OTHER_WAVE: waiting}) if waiting else Figures()
    return total([*people, later])


def own_people(run: RunRow, found: Figures) -> Figures:
    """What a run adds to totals: its figures without people that another run counts.

    Those are the people of other waves, of the original of a copy, and of earlier windows.
    """
    if run.copy_of:
        return replace(found, targeted=0, excluded={}, included=0)
    others = found.excluded.get(OTHER_WAVE, 0)
    # The verdict of this window replaces that of an earlier one, also if this window has nobody else with that verdict.
    before = Counter(run.counted_before)
    included = found.included - before.pop(INCLUDED, 0)
    excluded = {reason: count for reason, count in found.excluded.items() if reason != OTHER_WAVE}
    left = {reason: excluded.get(reason, 0) - before[reason] for reason in {**excluded, **before}}
    return replace(found, targeted=found.targeted - others - sum(run.counted_before.values()), excluded=left, included=included)


def costs(some: Iterable[RunRow]) -> list[Money]:
    """The costs of delivered runs by currency. A run of which nothing was delivered costs nothing."""
    sums: dict[str, Decimal] = {}
    for run in some:
        if run.cost and run.delivered:
            sums[run.cost.currency] = sums.get(run.cost.currency, Decimal(0)) + run.cost.amount
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def funnel(found: Figures, beside: Figures | None = None) -> list[Stage]:
    """The bars from targeted, less each exclusion, to included, and from there to delivered.

    Args:
        found: the figures of the run.
        beside: the sums over all runs, if they are shown as well. A minor bar is omitted if both of its figures are zero.
    """
    sums = beside or found
    scale = max(found.targeted, found.sends, 1)
    stages = [Stage("targeted", None, found.targeted, 0, scale, sums.targeted)]
    left = found.targeted
    for reason in sorted({*found.excluded, *sums.excluded}, key=lambda one: (-found.excluded.get(one, 0), one)):
        count = found.excluded.get(reason, 0)
        left -= count
        stages.append(Stage("excluded", reason, count, left, scale, sums.excluded.get(reason, 0)))
    starts = {"seeds": found.included, "errors": found.delivered, "waiting": found.delivered + found.errors}
    for kind in ("included", "seeds", "sends", "delivered", "errors", "waiting"):
        count, other = getattr(found, kind), getattr(sums, kind)
        if kind not in starts or count or other:
            stages.append(Stage(kind, None, count, starts.get(kind, 0), scale, other))
    return stages


def compared_funnel(found: Figures, last: Figures | None, comparison: Comparison | None = None) -> list[Stage]:
    """The bars of a run, each beside the figure of the last settled run.

    Args:
        found: the figures of the run. A run that is not frozen has no sends.
        last: the figures of the last settled run; None if there is none.
        comparison: the crossed limits, and the people who were added and removed, of a run that a gate holds.
    """
    stages = [
        stage if last else replace(stage, beside=None)
        for stage in funnel(found, last)
        if comparison is None or stage.kind in ("targeted", "excluded", "included", "seeds")
    ]
    if comparison is None:
        return stages
    churn = comparison.verdicts.churn if comparison.verdicts else None
    for kind in ("came", "went") if churn else ():
        stages.append(Stage(kind, None, getattr(churn, kind), 0, stages[0].scale, None))
    scale = max([stages[0].scale, *(limit.value for limit in comparison.limits if not limit.reason)])
    return [replace(stage, scale=scale, limits=tuple(positions(stage, comparison.limits))) for stage in stages]


def positions(stage: Stage, limits: Iterable[Limit]) -> Iterator[int]:
    """Where the limits of a figure are on the axis. The bar of an exclusion ends where the bar above it begins."""
    for limit in limits:
        if limit.reason and limit.reason == stage.reason:
            yield stage.start + stage.count - limit.value
        elif limit.figure == stage.kind:
            yield limit.value


def figures_of_verdicts(found: Verdicts) -> Figures:
    """The figures of what was built, before any file was made of it."""
    return Figures(found.targeted, found.excluded, found.included, found.seeds)


def recent(some: Sequence[RunRow], count: int) -> list[tuple[RunRow, Figures]]:
    """The latest runs with figures, oldest first. `some`: runs, newest first."""
    known = ((run, found) for run in some if (found := figures_of(run)))
    return list(islice(known, count))[::-1]


def timeline(details: Details) -> list[Step]:
    """The events of a run with the times between them."""
    if not details.events:
        return []
    first = details.events[0]
    steps = [Step(first, timedelta(0), timedelta(0))]
    steps.extend(Step(after, before.at - first.at, after.at - before.at) for before, after in pairwise(details.events))
    return steps


def duration(details: Details) -> timedelta:
    """The time from the first event to the last."""
    return details.events[-1].at - details.events[0].at if details.events else timedelta(0)


def within(some: Iterable[RunRow], start: datetime, end: datetime) -> Iterator[RunRow]:
    """The runs with slots after `start`, up to and including `end`."""
    return (run for run in some if start < run.due <= end)


def by_country(regions: Sequence[RegionCount]) -> dict[str, int]:
    """Pieces by country, largest first."""
    return ranked((region.country, region.pieces) for region in regions)


def by_region(regions: Sequence[RegionCount], country: str) -> dict[str, int]:
    """Pieces by the regions of a country, largest first; empty if no region is known."""
    own = [region for region in regions if region.country == country]
    return ranked((region.region, region.pieces) for region in own) if any(region.region for region in own) else {}


def ranked(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sums by name, largest first. What has no name is the last."""
    sums: Counter[str] = Counter()
    for name, count in counts:
        sums[name] += count
    return dict(sorted(sums.items(), key=lambda entry: (not entry[0], -entry[1], entry[0])))

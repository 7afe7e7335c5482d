"""A run's figures by their professional names, and what is drawn of them. Pure: everything is given."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise

from dmail_runner.core.values import RegionCount
from dmail_runner.report.rows import Details, Event, Money, RunRow

# States in which what was not delivered will not be by itself: it counts as an error.
LOST = ("failed", "cancelled")
# The rule's reason that keeps the control group.
HOLDOUT = "holdout"


@dataclass(frozen=True)
class Figures:
    """targeted = the sum of excluded + included; sends = delivered + errors + waiting.

    `sends` are the rows of the files, seeds among them.
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
        """How many profiles were excluded."""
        return sum(self.excluded.values())

    @property
    def waiting(self) -> int:
        """Rows on their way, or held."""
        return self.sends - self.delivered - self.errors

    @property
    def holdout(self) -> int:
        """The control group."""
        return self.excluded.get(HOLDOUT, 0)

    @property
    def holdout_share(self) -> float:
        """The control group as a share of those who would otherwise have been mailed."""
        return self.holdout / (self.holdout + self.included) if self.holdout else 0.0


@dataclass(frozen=True)
class Stage:
    """One bar of the funnel: from `start` on so many, of `scale`. `beside`: the same figure of all runs."""

    kind: str
    reason: str | None
    count: int
    start: int
    scale: int
    beside: int


@dataclass(frozen=True)
class Step:
    """An event of a run's timeline: it came `after` the one before, which was `since` the run's beginning."""

    event: Event
    since: timedelta
    after: timedelta


def figures_of(run: RunRow) -> Figures | None:
    """A run's figures; None while it has none, for it is not frozen."""
    if run.targeted is None:
        return None
    errors = run.rows - run.delivered if run.state in LOST else 0
    return Figures(run.targeted, run.excluded, run.included, run.seeds, run.rows, run.delivered, errors)


def total(all_figures: Iterable[Figures]) -> Figures:
    """The sums: a profile counts once for each run."""
    known = list(all_figures)
    excluded: Counter[str] = Counter()
    for one in known:
        excluded.update(one.excluded)
    names = ("targeted", "included", "seeds", "sends", "delivered", "errors")
    return Figures(excluded=dict(excluded), **{name: sum(getattr(one, name) for one in known) for name in names})


def costs(some: Iterable[RunRow]) -> list[Money]:
    """What runs cost, by currency; a cancelled one costs nothing."""
    sums: dict[str, Decimal] = {}
    for run in some:
        if run.cost and run.state != "cancelled":
            sums[run.cost.currency] = sums.get(run.cost.currency, Decimal(0)) + run.cost.amount
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def funnel(found: Figures, beside: Figures | None = None) -> list[Stage]:
    """From targeted through each reason to included, and from there through the file to delivered: bars that add up.

    What is zero in `found` and in `beside` is left out, but for the main stages.
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


def recent(some: Sequence[RunRow], count: int) -> list[tuple[RunRow, Figures]]:
    """The latest runs that have figures, oldest first. `some`: newest first."""
    known = ((run, found) for run in some if (found := figures_of(run)))
    return list(islice(known, count))[::-1]


def timeline(details: Details) -> list[Step]:
    """The events with how long each took to come."""
    if not details.events:
        return []
    first = details.events[0]
    steps = [Step(first, timedelta(0), timedelta(0))]
    steps.extend(Step(after, before.at - first.at, after.at - before.at) for before, after in pairwise(details.events))
    return steps


def lasted(details: Details) -> timedelta:
    """From the first event to the last."""
    return details.events[-1].at - details.events[0].at if details.events else timedelta(0)


def within(some: Iterable[RunRow], start: datetime, end: datetime) -> Iterator[RunRow]:
    """The runs whose slot lies after `start` and not after `end`."""
    return (run for run in some if start < run.due <= end)


def by_country(places: Sequence[RegionCount]) -> dict[str, int]:
    """Pieces by country, most first."""
    return ranked((place.country, place.pieces) for place in places)


def by_region(places: Sequence[RegionCount], country: str) -> dict[str, int]:
    """Pieces by a country's regions, most first."""
    own = [place for place in places if place.country == country]
    return ranked((place.region, place.pieces) for place in own) if any(place.region for place in own) else {}


def ranked(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, count in counts:
        sums[name] += count
    return dict(sorted(sums.items(), key=lambda entry: (-entry[1], entry[0])))

"""Checks that the mail house has the materials of a run: envelopes, leaflets, cards."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held
from dmail_runner.core.materials import Count, Need, Use, in_use
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.declare.materials import Material
from dmail_runner.declare.schedule import format_span
from dmail_runner.extract.rows import rows_query
from dmail_runner.project.warehouse import quote

HOLD = "stock"
SHOWN = 10  # pieces from which a value is named: fewer could point at somebody
AHEAD = timedelta(days=1)  # counts further in the future are errors of the data
TODO = (
    "fetch a new count, or correct `materials`, then `dmail-runner resume RUN`; `dmail-runner stock` shows all items; "
    "or dmail-runner release RUN --reason ..."
)


@dataclass(frozen=True)
class Stock:
    """What mail houses have on hand.

    Attributes:
        counts: the count of each item.
        faults: why a count cannot be used, by item.
    """

    counts: Mapping[str, Count] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


def read_stock(connection: duckdb.DuckDBPyConnection, relation: str) -> Stock:
    """The counts of the model with the role `materials`. Each item must have one row with a number and a time."""
    names = "item, on_hand, counted_at, alert_level, valid_until, lead_time_days"
    counts: dict[str, Count] = {}
    faults: dict[str, str] = {}
    for item, on_hand, counted_at, alert, until, lead in connection.execute(f"select {names} from {relation}").fetchall():
        if item in counts or item in faults:
            faults[item] = "is in the stock several times"
        elif on_hand is None or on_hand < 0 or counted_at is None:
            faults[item] = "has no count with a number and a time"
        else:
            counts[item] = Count(item, on_hand, in_utc(counted_at), alert, in_utc(until) if until else None, lead)
    return Stock({item: count for item, count in counts.items() if item not in faults}, faults)


def in_utc(moment: datetime) -> datetime:
    """A timestamp of the warehouse, which is in UTC, with its zone."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def count_needs(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign
) -> tuple[dict[str, int], list[str]]:
    """How many of each item the rows of the file need, seeds among them, and what is wrong with values that no entry lists."""
    needs: Counter[str] = Counter()
    faults: list[str] = []
    rows = rows_query(build, verdicts, campaign)
    for material in campaign.mail.materials:
        needs.update(dict.fromkeys(material.names, 0))
        if material.item:
            (pieces,) = connection.execute(f"select count(*) from ({rows}) as rows").fetchone() or (0,)
            needs[material.item] += pieces * material.per_piece
        else:
            faults += add_by_value(needs, material, values_of(connection, build, rows, campaign, material.by or ""))
    return dict(needs), faults


def values_of(
    connection: duckdb.DuckDBPyConnection, build: Build, rows: str, campaign: Campaign, column: str
) -> list[tuple[bool, str | None, int]]:
    """Whether rows are seeds, their value of a column of the extract or of the recipients, and their number."""
    seed = f"coalesce({quote(SEED)}, false)" if campaign.has_seeds else "false"
    value = f"nullif(trim(cast({quote(column)} as varchar)), '')"
    if column in {known.name for known in campaign.columns}:
        query = f"select {seed} as seed, {value} as value, count(*) from ({rows}) as rows group by all order by all"
    else:
        people = f"select {quote(KEY)}, {value} as value from {build.recipients}"
        query = f"""
            select {seed} as seed, people.value, count(*)
            from ({rows}) as rows left join ({people}) as people using ({quote(KEY)})
            group by all
            order by all
        """
    return connection.execute(query).fetchall()


def add_by_value(needs: Counter[str], material: Material, values: Sequence[tuple[bool, str | None, int]]) -> Iterator[str]:
    """Add what rows need by their values. Yields what is wrong with values that the entry does not list.

    A seed without a listed value counts for every item of the entry, because it gets one of them.
    """
    for seed, value, pieces in values:
        if value is not None and value in material.items:
            items = [item for item in (material.items[value],) if item]
        elif seed:
            items = list(material.names)
        else:
            named = f"the {material.by} {one_line(value)!r}" if value and pieces >= SHOWN else f"no or another {material.by}"
            have = counted(pieces, "piece has", "pieces have")
            yield f"{have} {named}, for which `materials` lists no item"
            continue
        for item in items:
            needs[item] += pieces * material.per_piece


def with_counts(needs: Mapping[str, int], stock: Stock) -> tuple[Need, ...]:
    """What a run needs, with the count of each item."""
    return tuple(Need(item, pieces, stock.counts.get(item)) for item, pieces in needs.items())


def stock_faults(
    needs: Sequence[Need],
    faults: Mapping[str, str],
    uses: tuple[Use, ...],
    day: datetime,
    *,
    now: datetime,
    within: timedelta | None,
) -> Iterator[str]:
    """Why materials are missing.

    Args:
        needs: what the run needs.
        faults: why a count cannot be used, by item.
        uses: what other runs have taken or will take.
        day: the day on which the materials are used.
        now: the present time.
        within: the age that a count may have; None for any.
    """
    for need in needs:
        count, name = need.count, one_line(need.item)
        if need.item in faults:
            yield f"{name} {faults[need.item]}"
        elif count is None:
            yield f"{name} is not in the stock"
        elif count.counted > now + AHEAD:
            yield f"the count of {name} is dated {count.counted:%Y-%m-%d}, in the future"
        elif within is not None and now - count.counted > within:
            yield f"{name} was counted on {count.counted:%Y-%m-%d}, more than {format_span(within)} ago"
        elif need.pieces and not count.is_valid(day):
            yield f"{name} is only valid until {count.valid_until:%Y-%m-%d}"
        else:
            yield from shortage(need, count, in_use(uses, count))


def shortage(need: Need, count: Count, used: int) -> Iterator[str]:
    """The text of an item of which too little is left."""
    if need.pieces and need.pieces > count.on_hand - used:
        others = f", of which other runs need {used:,}" if used else ""
        yield (
            f"the run needs {need.pieces:,} of {one_line(need.item)}, and {count.on_hand:,} were counted on "
            f"{count.counted:%Y-%m-%d}{others}"
        )


def check_stock(campaign: str, faults: Sequence[str]) -> None:
    """Raises Held with what is missing, if anything. A person may accept it."""
    if faults:
        raise Held(HOLD, f"{campaign}: {'; '.join(faults)}: nothing was delivered", todo=TODO)

"""The content of a campaign's page of results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dmail_runner.report.curves import Curve, cumulated
from dmail_runner.report.declared import Declared
from dmail_runner.report.results import HOLDOUT, CampaignResults, CellResult, Key

COLOURS = 4  # the CSS classes of treatments, which are used again if there are more


@dataclass(frozen=True)
class DayLine:
    """A day of the table of responses: for each cell, the responders up to it and their share of the units."""

    day: int
    counts: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class ResultsView:
    """A page of results.

    Attributes:
        name: the campaign.
        label: its name for people.
        cells: the cells, as in the table.
        mailed: all mailed units; None if nobody was mailed.
        provisional: the end of the last window if it is not over; None if it is.
        curves: the lines of the chart.
        days: the table behind the chart.
        zone: the campaign's time zone.
        notes: what people must know about the responses.
    """

    name: str
    label: str
    cells: tuple[CellResult, ...]
    mailed: CellResult | None
    provisional: datetime | None
    curves: tuple[Curve, ...]
    days: tuple[DayLine, ...]
    zone: str
    notes: tuple[str, ...] = ()


def results_view(
    name: str, declared: Declared | None, found: CampaignResults, now: datetime, notes: tuple[str, ...] = ()
) -> ResultsView:
    """The page of results of a campaign.

    Args:
        now: the time of the report, in UTC.
        notes: what people must know about the responses.
    """
    ends = max(cell.last_window_ends_at for cell in found.cells)
    last = max((day for new in found.days.values() for day in new), default=0)
    drawn = cells_to_draw(found.cells)
    kinds = colours(drawn)
    curves = tuple(
        Curve(cell.cell, cell.treatment, kinds[cell.key], cumulated(found.days.get(cell.key, {}), cell.units, last))
        for cell in drawn
    )
    return ResultsView(
        name=name,
        label=declared.label if declared else name,
        cells=found.cells,
        mailed=found.mailed,
        provisional=ends.replace(tzinfo=now.tzinfo) if ends > now.replace(tzinfo=None) else None,
        curves=curves,
        days=tuple(day_lines(drawn, found.days)),
        zone=declared.zone if declared else "UTC",
        notes=notes,
    )


def cells_to_draw(cells: tuple[CellResult, ...]) -> list[CellResult]:
    """The treatments and the control group; all mailed units if there are no treatments."""
    treatments = [cell for cell in cells if cell.treatment]
    return [cell for cell in cells if cell.treatment or cell.cell == HOLDOUT or not treatments]


def colours(cells: list[CellResult]) -> dict[Key, str]:
    """The CSS class of each cell."""
    mailed = [cell.key for cell in cells if cell.cell != HOLDOUT]
    return {(HOLDOUT, None): "control"} | {key: f"cell{index % COLOURS}" for index, key in enumerate(mailed)}


def day_lines(cells: list[CellResult], days: Mapping[Key, Mapping[int, int]]) -> list[DayLine]:
    """The days on which somebody has responded for the first time, with the sums up to them."""
    lines = []
    for day in sorted({day for cell in cells for day in days.get(cell.key, {})}):
        sums = [sum(count for one, count in days.get(cell.key, {}).items() if one <= day) for cell in cells]
        lines.append(DayLine(day, tuple((count, count / cell.units) for count, cell in zip(sums, cells, strict=True))))
    return lines

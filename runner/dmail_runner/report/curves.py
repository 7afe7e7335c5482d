"""The chart of responses by day: a line for each cell, which rises with its share of responders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dmail_runner.report.charts import BOTTOM, HEIGHT, TOP, scale

FINE = 10_000  # hundredths of a percent, so that round numbers of the scale are whole
LABELLED = 4  # intervals between the days that have a label


@dataclass(frozen=True)
class Curve:
    """A line of the chart.

    Attributes:
        cell: `mailed` or `holdout`.
        treatment: the treatment; None for all mailed units.
        kind: the CSS class.
        shares: the share of responders up to each day, from day 0 on, from 0 to 1.
    """

    cell: str
    treatment: str | None
    kind: str
    shares: tuple[float, ...]


def cumulated(new: Mapping[int, int], units: int, last: int) -> tuple[float, ...]:
    """The shares of a line. `new`: the new responders by day. `last`: the last day of the chart."""
    shares, sum_of_days = [], 0
    for day in range(last + 1):
        sum_of_days += new.get(day, 0)
        shares.append(sum_of_days / units if units else 0.0)
    return tuple(shares)


def response_chart(curves: Sequence[Curve], name: str) -> Markup:
    """The lines over the days. `name`: the id of the heading."""
    highest = max((share for curve in curves for share in curve.shares), default=0.0)
    ticks = list(scale(max(round(highest * FINE), 4)))
    top, deep, days = ticks[-1], HEIGHT - TOP - BOTTOM, max(len(curve.shares) for curve in curves)
    heights = [(tick, TOP + deep * (1 - tick / top)) for tick in ticks]
    axis = Markup("").join(
        Markup('<text class="tick" x="48" y="{:.1f}" text-anchor="end">{}</text>').format(y + 4, percent_tick(tick))
        for tick, y in heights
    )
    grid = Markup("").join(
        Markup('<line class="grid" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(y) for _, y in heights
    )
    lines = Markup("").join(steps(curve, top, days) for curve in curves)
    return Markup(
        '<div class="volume" role="group" aria-labelledby="{}"><svg width="56" height="{}">{}</svg>'
        '<svg width="100%" height="{}">{}'
        '<svg y="{}" width="100%" height="{}" viewBox="0 0 1000 1000" preserveAspectRatio="none">{}</svg>{}</svg></div>'
    ).format(name, HEIGHT, axis, HEIGHT, grid, TOP, deep, lines, day_labels(days))


def percent_tick(tick: int) -> Markup:
    """The share of a horizontal line, as each language writes it."""
    text = f"{tick * 100 / FINE:.2f}".rstrip("0").rstrip(".") + "%"
    return Markup('<tspan class="en">{}</tspan><tspan class="pt">{}</tspan>').format(text, text.replace(".", ","))


def steps(curve: Curve, top: int, days: int) -> Markup:
    """The line of a cell, with its name as title."""
    points = " ".join(
        f"{1000 * (day + side) / days:.1f},{1000 - 1000 * share * FINE / top:.1f}"
        for day, share in enumerate(curve.shares)
        for side in (0, 1)
    )
    return Markup('<polyline class="curve {}" points="{}"><title>{}</title></polyline>').format(
        curve.kind, points, curve.treatment or curve.cell
    )


def day_labels(days: int) -> Markup:
    """The numbers of some days below the chart."""
    chosen = dict.fromkeys(round(index * (days - 1) / LABELLED) for index in range(LABELLED + 1))
    return Markup("").join(
        Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(
            100 * (day + 0.5) / days, HEIGHT - 8, "end" if day == days - 1 and day else "start" if day == 0 else "middle", day
        )
        for day in chosen
    )

"""Charts as inline SVG. Their texts are numbers and codes.

Titles have numbers without separators, which every language and program reads. Texts have the same size on all screens. There are
no style attributes, because the content security policy forbids them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, floor, log10, sqrt

from markupsafe import Markup, escape

HEIGHT = 190
TOP, BOTTOM = 14, 26  # pixels above the highest line, and below the base line for the dates
FEWEST = 4  # bars for which a volume chart has room: fewer ones are not as wide as the chart
CELL = 22
ENLARGEMENT = 1.25  # so that a tile is wide enough for a finger; on narrow screens the map scrolls


@dataclass(frozen=True)
class Bar:
    """One bar of a volume chart.

    Attributes:
        label: the date.
        count: the height of the bar.
        beside: the height of the line in front of it.
        kind: the CSS class.
        link: the address of its page; empty if there is none.
    """

    label: str
    count: int
    beside: int
    kind: str
    link: str = ""


def stage_bar(start: float, count: float, scale: float, kind: str, limits: Sequence[int] = ()) -> Markup:
    """A bar from `start` with the length `count`, on a scale from 0 to `scale`. A count other than zero is always visible.

    `limits`: positions of limits, each drawn as a line across the bar.
    """
    width = max(1000 * count / scale, 2) if count else 0
    left = min(1000 * start / scale, 1000 - width)
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="track" width="1000" height="10"/><rect class="{}" x="{:.1f}" width="{:.1f}" height="10"/>{}</svg>'
    ).format(kind, left, width, Markup("").join(limit_line(limit, scale) for limit in limits))


def limit_line(limit: int, scale: float) -> Markup:
    """The line of a limit across a bar."""
    at = min(max(1000 * limit / scale, 3), 997)
    return Markup('<line class="limit" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="10"/>').format(at)


def sparkline(bars: Sequence[Bar], title: str, slots: int = 12) -> Markup:
    """Recent volumes as bars, the latest one on the right. `title`: the id of the title, which has the numbers."""
    top = max((bar.count for bar in bars), default=0) or 1
    first = slots - len(bars)
    drawn = Markup("").join(
        Markup('<rect class="{}" x="{}" y="{:.1f}" width="7" height="{:.1f}"/>').format(
            bar.kind, (first + index) * 9, 24 - tall, tall
        )
        for index, bar in enumerate(bars)
        for tall in (max(22 * bar.count / top, 1.5),)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} 24" role="img" aria-labelledby="{}"><title id="{}">{}</title>{}</svg>'
    ).format(slots * 9, title, title, " · ".join(f"{bar.label}: {bar.count}" for bar in bars), drawn)


def volume(bars: Sequence[Bar], name: str) -> Markup:
    """Volumes over time: a bar for each run, and a line for the targeted profiles. `name`: the id of the heading."""
    ticks = list(scale(max(max(bar.count, bar.beside) for bar in bars)))
    highest, deep = ticks[-1], HEIGHT - TOP - BOTTOM
    heights = [(tick, TOP + deep * (1 - tick / highest)) for tick in ticks]
    wide = 8 * len(f"{highest:,}") + 4
    axis = Markup("").join(
        Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(wide - 8, y + 4, tick_text(tick))
        for tick, y in heights
    )
    lines = Markup("").join(
        Markup('<line class="grid" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(y) for _, y in heights
    )
    return Markup(
        '<div class="volume" role="group" aria-labelledby="{}"><svg width="{}" height="{}">{}</svg>'
        '<svg width="100%" height="{}">{}'
        '<svg y="{}" width="100%" height="{}" viewBox="0 0 1000 1000" preserveAspectRatio="none">{}{}</svg>{}</svg></div>'
    ).format(
        name,
        wide,
        HEIGHT,
        axis,
        HEIGHT,
        lines,
        TOP,
        deep,
        Markup("").join(columns(bars, highest)),
        line(bars, highest),
        dates(bars),
    )


def tick_text(tick: int) -> Markup:
    """The number of a line, as each language writes it."""
    en = f"{tick:,}"
    both = Markup('<tspan class="en">{}</tspan><tspan class="pt">{}</tspan>')
    return both.format(en, en.replace(",", ".")) if tick > 999 else escape(en)


def columns(bars: Sequence[Bar], highest: int) -> Iterator[Markup]:
    """The bars of a volume chart. Their links are not stops of the keyboard, because the table of runs has the same ones."""
    wide = 1000 / max(len(bars), FEWEST)
    for index, bar in enumerate(bars):
        tall = 1000 * bar.count / highest
        drawn = Markup(
            '<rect class="{}" x="{:.2f}" y="{:.1f}" width="{:.2f}" height="{:.1f}"><title>{}: {}</title></rect>'
        ).format(bar.kind, (index + 0.14) * wide, 1000 - tall, wide * 0.72, tall, bar.label, bar.count)
        yield Markup('<a href="{}" tabindex="-1">{}</a>').format(bar.link, drawn) if bar.link else drawn


def line(bars: Sequence[Bar], highest: int) -> Markup:
    """The line of the targeted profiles. It has a step for each bar, so that a single run has a line as well."""
    wide = 1000 / max(len(bars), FEWEST)
    points = " ".join(
        f"{(index + side) * wide:.2f},{1000 - 1000 * bar.beside / highest:.1f}"
        for index, bar in enumerate(bars)
        for side in (0, 1)
    )
    return Markup('<polyline class="beside" points="{}"/>').format(points)


def dates(bars: Sequence[Bar]) -> Markup:
    """The first and the last date, and one between them if there is space."""
    slots = max(len(bars), FEWEST)
    chosen = {0: "start", len(bars) - 1: "end" if len(bars) >= FEWEST else "start"}
    if len(bars) > 24:
        chosen[len(bars) // 2] = "middle"
    anchors = {"start": 0.14, "middle": 0.5, "end": 0.86}
    return Markup("").join(
        Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(
            100 * (index + anchors[anchor]) / slots, HEIGHT - 8, anchor, bars[index].label
        )
        for index, anchor in sorted(chosen.items())
    )


def scale(highest: int) -> Iterator[int]:
    """About four round numbers, from zero to the first one that is not below `highest`."""
    rough = max(highest, 4) / 4
    power = 10 ** floor(log10(rough))
    step = next(
        int(factor * power) for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough and factor * power == int(factor * power)
    )
    yield from range(0, step * ceil(max(highest, 1) / step) + 1, step)


def tile_map(grid: str, counts: Mapping[str, int], name: str) -> Markup:
    """A map with a tile for each code of the grid, which is darker for more pieces. `name`: the id of the heading."""
    spots, wide, high = layout(grid)
    shown = on_grid(grid, counts)
    low, top = min(shown.values(), default=0), max(shown.values(), default=0)
    tiles = Markup("").join(tile(code, count, shade(count, low, top), *spots[code]) for code, count in shown.items())
    return Markup('<svg class="tiles" viewBox="0 0 {} {}" width="{}" role="img" aria-labelledby="{}">{}{}</svg>').format(
        wide, high, round(wide * ENLARGEMENT), name, empty_tiles(grid, frozenset(counts)), tiles
    )


def on_grid(grid: str, counts: Mapping[str, int]) -> dict[str, int]:
    """The numbers of the codes that a grid has."""
    spots, _, _ = layout(grid)
    return {code: count for code, count in counts.items() if code in spots}


@cache
def layout(grid: str) -> tuple[Mapping[str, tuple[int, int]], int, int]:
    """The position of each code of a grid, and the grid's width and height."""
    rows = [row.split() for row in grid.strip().splitlines()]
    spots = {code: (x * CELL, y * CELL) for y, row in enumerate(rows) for x, code in enumerate(row) if code != ".."}
    return spots, max(map(len, rows)) * CELL, len(rows) * CELL


@lru_cache(maxsize=100)
def empty_tiles(grid: str, used: frozenset[str]) -> Markup:
    """The tiles without pieces. They are cached, because they are most of a page's text, and the same on most maps."""
    spots, _, _ = layout(grid)
    return Markup("").join(tile(code, 0, 0, *spot) for code, spot in spots.items() if code not in used)


@lru_cache(maxsize=2_000)
def tile(code: str, count: int, level: int, x: int, y: int) -> Markup:
    return Markup(
        '<g class="heat{}"><title>{}: {}</title><rect x="{}" y="{}" width="20" height="20" rx="3"/>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text></g>'
    ).format(level, code, count, x, y, x + 10, y + 13.5, code)


def shade(count: int, low: int, top: int) -> int:
    """The shade of a tile, 1 to 4: by the square root of its number, between the smallest and the largest number of the map."""
    span = sqrt(top) - sqrt(low)
    return max(1, ceil(4 * (sqrt(count) - sqrt(low)) / span)) if span else 4


def shades(counts: Collection[int]) -> list[tuple[int, int, int]]:
    """The shades of a map's numbers, each with its smallest and its largest number."""
    low, top = min(counts, default=0), max(counts, default=0)
    found: dict[int, list[int]] = {}
    for count in sorted(counts):
        found.setdefault(shade(count, low, top), []).append(count)
    return [(level, some[0], some[-1]) for level, some in found.items()]

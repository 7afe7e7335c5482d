"""Small drawings as inline SVG. Their text is figures and codes, which need no translation.

Letters keep their size on any screen. No attribute is a style: the pages' content security policy allows none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, floor, log10

from markupsafe import Markup

HEIGHT = 190
TOP, BOTTOM = 14, 26  # pixels above the highest line, and below the base line for dates
CELL = 22
ENLARGED = 1.25  # a tile is a finger wide, or the map scrolls


@dataclass(frozen=True)
class Bar:
    """One bar of a volume chart: `count` of `kind`, in front of a mark at `beside`."""

    label: str
    count: int
    beside: int
    kind: str


def number(value: int) -> str:
    """Digits in groups of three by a narrow space, which reads the same in every language."""
    return f"{value:,}".replace(",", "\u202f")


def stage_bar(start: float, count: float, scale: float, kind: str) -> Markup:
    """A bar that begins at `start` of `scale`; something is seen of every count that is not zero."""
    width = max(1000 * count / scale, 2) if count else 0
    place = min(1000 * start / scale, 1000 - width)
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="track" width="1000" height="10"/><rect class="{}" x="{:.1f}" width="{:.1f}" height="10"/></svg>'
    ).format(kind, place, width)


def sparkline(bars: Sequence[Bar], title: str, slots: int = 12) -> Markup:
    """Recent volumes as bars, the newest at the right, with their figures as a title."""
    top = max((bar.count for bar in bars), default=0) or 1
    first = slots - len(bars)
    drawn = Markup("").join(
        Markup('<rect class="{}" x="{}" y="{:.1f}" width="7" height="{:.1f}"/>').format(
            bar.kind, (first + place) * 9, 24 - tall, tall
        )
        for place, bar in enumerate(bars)
        for tall in (max(22 * bar.count / top, 1.5),)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} 24" role="img" aria-labelledby="{}"><title id="{}">{}</title>{}</svg>'
    ).format(slots * 9, title, title, " · ".join(f"{bar.label}: {number(bar.count)}" for bar in bars), drawn)


def volume(bars: Sequence[Bar], name: str) -> Markup:
    """Volumes over time: a bar for each run with a line for what was targeted. `name`: the id of what names the drawing."""
    ticks = list(scale(max(max(bar.count, bar.beside) for bar in bars)))
    highest, deep = ticks[-1], HEIGHT - TOP - BOTTOM
    heights = [(tick, TOP + deep * (1 - tick / highest)) for tick in ticks]
    wide = 8 * len(number(highest)) + 4
    axis = Markup("").join(
        Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(wide - 8, y + 4, number(tick))
        for tick, y in heights
    )
    lines = Markup("").join(
        Markup('<line class="grid" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(y) for _, y in heights
    )
    return Markup(
        '<div class="volume" role="img" aria-labelledby="{}"><svg width="{}" height="{}">{}</svg><svg width="100%" height="{}">{}'
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


def columns(bars: Sequence[Bar], highest: int) -> Iterator[Markup]:
    wide = 1000 / max(len(bars), 12)
    for place, bar in enumerate(bars):
        tall = 1000 * bar.count / highest
        yield Markup('<rect class="{}" x="{:.2f}" y="{:.1f}" width="{:.2f}" height="{:.1f}"><title>{}: {}</title></rect>').format(
            bar.kind, (place + 0.14) * wide, 1000 - tall, wide * 0.72, tall, bar.label, number(bar.count)
        )


def line(bars: Sequence[Bar], highest: int) -> Markup:
    """What was targeted: a step for each bar, so that one run alone has a line, too."""
    wide = 1000 / max(len(bars), 12)
    points = " ".join(
        f"{(place + side) * wide:.2f},{1000 - 1000 * bar.beside / highest:.1f}"
        for place, bar in enumerate(bars)
        for side in (0, 1)
    )
    return Markup('<polyline class="beside" points="{}"/>').format(points)


def dates(bars: Sequence[Bar]) -> Markup:
    """The first and the last date, and one between them where there is room."""
    slots = max(len(bars), 12)
    chosen = {0: "start", len(bars) - 1: "end" if len(bars) > 6 else "start"}
    if len(bars) > 24:
        chosen[len(bars) // 2] = "middle"
    if len(bars) in range(2, 5):
        chosen.pop(len(bars) - 1)  # it would stand upon the first
    anchors = {"start": 0.14, "middle": 0.5, "end": 0.86}
    return Markup("").join(
        Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(
            100 * (place + anchors[anchor]) / slots, HEIGHT - 8, anchor, bars[place].label
        )
        for place, anchor in sorted(chosen.items())
    )


def scale(highest: int) -> Iterator[int]:
    """Round numbers from zero to the first that is not below the highest, some four of them."""
    rough = max(highest, 4) / 4
    power = 10 ** floor(log10(rough))
    step = next(
        int(factor * power) for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough and factor * power == int(factor * power)
    )
    yield from range(0, step * ceil(max(highest, 1) / step) + 1, step)


def tile_map(grid: str, counts: Mapping[str, int], name: str) -> Markup:
    """A map of tiles: one for each code of the grid, darker the more pieces go there. `name`: the id of what names it."""
    spots, wide, high = layout(grid)
    top = max(counts.values(), default=0)
    tiles = Markup("").join(tile(code, count, heat(count, top), *spots[code]) for code, count in counts.items() if code in spots)
    return Markup('<svg class="tiles" viewBox="0 0 {} {}" width="{}" role="img" aria-labelledby="{}">{}{}</svg>').format(
        wide, high, round(wide * ENLARGED), name, empty(grid, frozenset(counts)), tiles
    )


@cache
def layout(grid: str) -> tuple[Mapping[str, tuple[int, int]], int, int]:
    """Where each code of a grid stands, and the grid's width and height."""
    rows = [row.split() for row in grid.strip().splitlines()]
    spots = {code: (x * CELL, y * CELL) for y, row in enumerate(rows) for x, code in enumerate(row) if code != ".."}
    return spots, max(map(len, rows)) * CELL, len(rows) * CELL


@lru_cache(maxsize=100)
def empty(grid: str, but: frozenset[str]) -> Markup:
    """The tiles to which nothing goes. Most maps have the same ones, and they are most of a page's text."""
    spots, _, _ = layout(grid)
    return Markup("").join(tile(code, 0, 0, *spot) for code, spot in spots.items() if code not in but)


@lru_cache(maxsize=2_000)
def tile(code: str, count: int, warmth: int, x: int, y: int) -> Markup:
    return Markup(
        '<g class="heat{}"><title>{}: {}</title><rect x="{}" y="{}" width="20" height="20" rx="3"/>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text></g>'
    ).format(warmth, code, number(count), x, y, x + 10, y + 13.5, code)


def heat(count: int, top: int) -> int:
    """0 for nothing, else 1 to 4: each step is a tenfold, for countries differ by powers."""
    return max(4 - floor(log10(top / count)), 1) if count else 0

"""Renders the pages from templates. Each page is one file, with its style and its script."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dmail_runner.core.money import Money
from dmail_runner.core.values import RegionCount
from dmail_runner.report import charts, curves, tiles
from dmail_runner.report.addresses import page_name
from dmail_runner.report.campaign_page import CampaignView
from dmail_runner.report.costs_page import CostsView
from dmail_runner.report.drawing import graph_link, lineage_drawing
from dmail_runner.report.figures import Stage, by_country, by_region
from dmail_runner.report.lineage import PAGE as LINEAGE
from dmail_runner.report.overview import Overview
from dmail_runner.report.results_page import ResultsView
from dmail_runner.report.rows import Event
from dmail_runner.report.run_page import RunView
from dmail_runner.report.stock_page import StockView
from dmail_runner.report.words import WORDS, decimal, dual, event_word, known, number, reason_word, word
from dmail_runner.report.words.messages import message

View = Overview | CampaignView | RunView | ResultsView | CostsView | StockView
TEMPLATES = Path(__file__).parent / "templates"
NOTHING = Markup("\N{EN DASH}")
MANY = 8  # the smallest number of regions that are shown as a map
MAPS = {"US": tiles.UNITED_STATES}  # the countries with a map of their regions


class RegionMap(NamedTuple):
    """A map of regions.

    Attributes:
        name: a name for ids.
        country: the country; empty for the world.
        drawing: the tiles; None for few regions, which are better shown as bars.
        counts: the pieces by region, largest first.
        shades: the shades with their smallest and largest numbers.
    """

    name: str
    country: str
    drawing: Markup | None
    counts: dict[str, int]
    shades: list[tuple[int, int, int]]


class Pages:
    """Renders pages."""

    def __init__(self, at: datetime, *, lineage: bool) -> None:
        """Load the templates.

        Args:
            at: the time of the report.
            lineage: whether dbt's documentation is in the same folder, so that pages link to it.
        """
        self.lineage = lineage
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        style, script = minified(TEMPLATES / "style.css"), minified(TEMPLATES / "switch.js")
        self.environment.globals |= {
            "w": word, "known": known, "event_word": event_word, "reason_word": reason_word, "dual": dual, "message": message,
            "number": number, "percent": percent, "change": change, "piece_cost": piece_cost, "money": money,
            "rate": rate, "signed": signed, "amount": amount, "response_chart": curves.response_chart,
            "moment": moment, "local": local, "zoned": zoned, "times_text": times_text, "event_detail": event_detail,
            "span_text": span_text,
            "page_name": page_name, "gate_word": gate_word, "need_word": need_word, "shortened": shortened,
            "stage_bar": charts.stage_bar, "sparkline": charts.sparkline, "volume_chart": charts.volume,
            "region_maps": region_maps, "lineage_drawing": lineage_drawing, "graph_link": graph_link,
            "style": style, "script": script, "policy": policy(style, script),
            "stage_name": stage_name, "at": at, "lineage": LINEAGE if lineage else None,
        }  # fmt: skip

    def overview(self, view: Overview) -> str:
        return self.render("overview.html", view)

    def campaign(self, view: CampaignView) -> str:
        return self.render("campaign.html", view)

    def run(self, view: RunView) -> str:
        return self.render("run.html", view)

    def results(self, view: ResultsView) -> str:
        return self.render("results.html", view)

    def costs(self, view: CostsView) -> str:
        return self.render("costs.html", view)

    def stock(self, view: StockView) -> str:
        return self.render("stock.html", view)

    def render(self, template: str, view: View) -> str:
        at_top = isinstance(view, Overview | CostsView | StockView)
        return self.environment.get_template(template).render(view=view, root="" if at_top else "../")


def minified(path: Path) -> str:
    """The text of a style or script, without indentation and empty lines."""
    return "\n".join(line.strip() for line in path.read_text().splitlines() if line.strip())


def policy(style: str, script: str) -> str:
    """A content security policy that allows a page's own style and script, and nothing else."""
    allowed = {"style-src": style, "script-src": script}
    hashes = (
        f"{kind} 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for kind, text in allowed.items()
    )
    return "; ".join(("default-src 'none'", *hashes, "img-src data:", "base-uri 'none'", "form-action 'none'"))


def moment(at: datetime | None, zone: str = "UTC") -> Markup:
    """A time to the minute, in a time zone. In any other zone than UTC, its title has the time in UTC."""
    if at is None:
        return NOTHING
    if zone == "UTC":
        return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{:%Y-%m-%d %H:%M}</time>').format(at, at)
    there = at.astimezone(ZoneInfo(zone))
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}" title="{:%Y-%m-%d %H:%M} UTC">{:%Y-%m-%d %H:%M}</time>').format(
        at, at, there
    )


def local(at: datetime, zone: str) -> Markup:
    """A time in a time zone, with the day of the week."""
    there = at.astimezone(ZoneInfo(zone))
    return Markup("{} {:%Y-%m-%d %H:%M}").format(word(f"day.{there.weekday()}"), there)


def zoned(at: datetime, zone: str) -> datetime:
    """A time in a time zone."""
    return at.astimezone(ZoneInfo(zone))


def times_text(zone: str) -> Markup:
    """The zone of a page's times."""
    return word("times_utc") if zone == "UTC" else word("times_in", zone=zone)


def event_detail(event: Event) -> Markup:
    """The details of an event. A hold's name is left out, because its message says what is wrong."""
    hold, _, text = event.detail.partition(": ")
    named = event.kind == "held" and f"kind.{hold}" in WORDS
    return message(shortened(text if named else event.detail))


def span_text(span: timedelta) -> str:
    """A duration in its two largest units."""
    seconds = int(span.total_seconds())
    for size, unit, smaller, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{seconds} s"


def shortened(text: str) -> str:
    """A text in which SHA-256 hashes are shortened."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", text)


def percent(count: float, whole: float) -> Markup:
    """A share in percent, with one decimal place."""
    return decimal(100 * count / whole, 1, "%") if whole else NOTHING


def change(now: int, then: int | None) -> Markup:
    """A difference with its sign, and in percent. The sign is the one that spreadsheets read, as on the terminal."""
    if then is None:
        return NOTHING
    sign = "+" if now > then else "-" if now < then else ""
    rate = (
        Markup(' <span class="rate">({}{})</span>').format(sign, percent(abs(now - then), then)) if then != now and then else ""
    )
    return Markup("{}{}{}").format(sign, number(abs(now - then)), rate)


def piece_cost(cost: Money | None, sends: int) -> Markup:
    """The estimated cost of a piece. Without a tariff it is not recorded."""
    return decimal(cost.amount / sends, 4, cost.currency) if cost and sends else word("not_recorded")


def money(amount: Money) -> Markup:
    return decimal(Decimal(amount.amount), 2, amount.currency)


def rate(share: float) -> Markup:
    """A small share in percent, with two decimal places."""
    return decimal(100 * share, 2, "%")


def signed(value: float, places: int, currency: str = "") -> Markup:
    """A difference with its sign."""
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return Markup("{}{}").format(sign, decimal(abs(value), places, currency))


def amount(value: float | Decimal | None, currency: str | None) -> Markup:
    """An amount, or a ratio without a currency; a dash if it is not known."""
    return NOTHING if value is None else decimal(value, 2, currency or "")


def gate_word(name: str) -> Markup:
    return known("gate", name)


def need_word(group: str, kind: str) -> Markup:
    """The short name of a need (group `kind`), or what to do about it (group `need`). Unknown holds have the text of a hold."""
    key = f"{group}.{kind}" if f"{group}.{kind}" in WORDS else f"{group}.held"
    return word(key)


def region_maps(regions: Sequence[RegionCount]) -> list[RegionMap]:
    """The maps of the world and of countries."""
    known = [("world", "", tiles.WORLD, by_country(regions))]
    known += [(country, country, grid, by_region(regions, country)) for country, grid in MAPS.items()]
    return [
        RegionMap(
            name,
            country,
            charts.tile_map(grid, counts, f"map-{name}") if len(counts) >= MANY else None,
            counts,
            charts.shades(charts.on_grid(grid, counts).values()),
        )
        for name, country, grid, counts in known
        if counts
    ]


def stage_name(stage: Stage) -> Markup:
    """The name of a bar of the funnel."""
    return reason_word(stage.reason) if stage.reason else word(stage.kind)

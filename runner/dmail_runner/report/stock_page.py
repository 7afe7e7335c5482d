"""The content of the page of materials: what is left of each item, and what coming runs need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dmail_runner.plan.stock import Coming, Forecast

MAX_COMING = 60


@dataclass(frozen=True)
class ItemView:
    """An item.

    Attributes:
        found: its forecast.
        urgent: whether more must be ordered now.
        coming: the coming runs that are listed, each with how many are left after it.
        hidden: the number of the others.
    """

    found: Forecast
    urgent: bool
    coming: tuple[tuple[Coming, int], ...]
    hidden: int


@dataclass(frozen=True)
class StockView:
    """The page of materials: the items, those that must be ordered first."""

    items: tuple[ItemView, ...]


def stock_view(found: Sequence[Forecast], now: datetime) -> StockView:
    """The page of materials."""
    items = [item_view(one, now) for one in found]
    return StockView(tuple(sorted(items, key=lambda one: (not one.urgent, one.found.item))))


def item_view(one: Forecast, now: datetime) -> ItemView:
    """An item of the page."""
    levels = tuple(one.levels)
    return ItemView(one, one.is_urgent(now), levels[:MAX_COMING], max(len(levels) - MAX_COMING, 0))

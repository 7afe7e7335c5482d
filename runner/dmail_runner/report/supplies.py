"""Reads what the pages of costs and of materials show."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.manifest import Manifest
from dmail_runner.report.costs_page import CostsView, costs_view
from dmail_runner.report.stock_page import StockView, stock_view
from dmail_runner.run.stock import read_forecasts


@dataclass(frozen=True)
class Supplies:
    """The page of costs and the page of materials. None if there is nothing to show."""

    costs: CostsView | None = None
    stock: StockView | None = None

    @property
    def links(self) -> dict[str, Any]:
        """Whether the first page links to each."""
        return {"has_costs": self.costs is not None, "has_stock": self.stock is not None}


NO_SUPPLIES = Supplies()


def read_supplies(settings: Settings, manifest: Manifest, ledger: Ledger, tell: Callable[[str], None]) -> Supplies:
    """What both pages show. If invoices or the stock cannot be read now, `tell` gets the reason, and the page is left out."""
    costs = None
    try:
        costs = costs_view(settings, manifest, ledger)
    except DmailError as error:
        tell(f"note     the report has no costs: {error.what}")
    found = read_forecasts(settings, manifest, ledger, tell)
    return Supplies(costs, stock_view(found, ledger.now()) if found else None)

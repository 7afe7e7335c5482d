"""The orders and materials of made-up mailings, for the sample report and its pictures."""

from datetime import datetime, timedelta
from decimal import Decimal

from dmail_runner.core.materials import Count
from dmail_runner.core.money import CENT, Estimate
from dmail_runner.inbound.billed import Billed
from dmail_runner.plan.stock import Coming, Forecast
from dmail_runner.report.costs_page import CostsView, OrderView, amounts, centres
from dmail_runner.report.stock_page import stock_view
from dmail_runner.report.supplies import Supplies
from dmail_runner.run.commitments import RunCost

SPRING, LOYALTY = "spring_catalog", "loyalty_offer"
PRODUCTION, POSTAGE = Decimal("0.21"), Decimal("0.40")


def sample_supplies(now: datetime) -> Supplies:
    """Three orders, of which one is exceeded and one has no run; four items, of which two must be ordered. `now`: of the report."""
    weeks = range(1, 9)
    spring = [cost(SPRING, week, now - timedelta(weeks=9 - week), 68_000 + 431 * week, billed=week < 7) for week in weeks]
    loyalty = [cost(LOYALTY, 9, now - timedelta(days=57), 12_900, billed=False)]
    orders = (
        order("PO-4711", "4200", "autumn_2026", "380000.00", spring),
        order("PO-4802", "4300", "", "7500.00", loyalty),
        order("PO-5000", "4200", "spring_2027", "450000.00", []),
    )
    return Supplies(CostsView(orders, tuple(centres(orders))), stock_view(items(now), now))


def cost(campaign: str, number: int, slot: datetime, pieces: int, *, billed: bool) -> RunCost:
    """A run, and its invoice if it is billed."""
    name = "PO-4711" if campaign == SPRING else "PO-4802"
    production, postage = (25 + pieces * PRODUCTION).quantize(CENT), (pieces * POSTAGE).quantize(CENT)
    estimate = Estimate("USD", production + postage, production, postage, order=name)
    bill = Billed(production + postage - 210, production - 210, postage, currencies=frozenset({"USD"})) if billed else None
    return RunCost(f"{campaign}-{slot:%Y%m%dT110000Z}", number, estimate, bill)


def order(name: str, centre: str, label: str, most: str, costs: list[RunCost]) -> OrderView:
    """An order with its runs."""
    campaigns = tuple(sorted({one.campaign for one in costs}))
    spent = sum((one.spent or Decimal(0) for one in costs), Decimal("0.00"))
    return OrderView(name, "USD", centre, label, campaigns, Decimal(most), amounts(costs), spent, (), tuple(reversed(costs)), 0)


def items(now: datetime) -> list[Forecast]:
    """The forecasts. The catalogue is weekly, and the offer monthly."""

    def count(item: str, on_hand: int, alert: int, lead: int, days: int = 0) -> Count:
        return Count(item, on_hand, now - timedelta(days=3), alert, now + timedelta(days=days) if days else None, lead)

    def coming(campaign: str, pieces: int | None, step: int) -> tuple[Coming, ...]:
        slots = range(step, 91, step)
        return tuple(Coming(now + timedelta(days=days), campaign, None, pieces) for days in slots)

    weekly = coming(SPRING, 68_400, 7)
    return [
        Forecast("catalog_spring", count("catalog_spring", 900_000, 70_000, 15, 60), "", 68_200, weekly),
        Forecast("envelope_c5", count("envelope_c5", 260_000, 100_000, 10), "", 68_200, weekly),
        Forecast("offer_card", None, "is not in the stock", 0, coming(LOYALTY, None, 30)),
        Forecast("sheet_a4", count("sheet_a4", 400_000, 20_000, 3), "", 0, coming(LOYALTY, 25_800, 30)),
    ]

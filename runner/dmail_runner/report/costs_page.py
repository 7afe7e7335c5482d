"""The content of the page of costs: what each order has cost and may cost, and the sums of cost centres."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.budget import Budget, find_programmes
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.manifest import Manifest
from dmail_runner.run.commitments import RunCost, bills_of_order, costs_of_orders, total
from dmail_runner.run.job import find_budget

MAX_RUNS = 500


@dataclass(frozen=True)
class Amounts:
    """Sums of amounts in one currency. Production and postage are None if a tariff is not split, `billed` without an invoice."""

    estimate: Decimal
    production: Decimal | None
    postage: Decimal | None
    billed: Decimal | None


@dataclass(frozen=True)
class OrderView:
    """An order.

    Attributes:
        order: the number of the order.
        currency: the currency of its budget, or of its runs if it is no longer declared.
        cost_centre: its cost centre; empty if it has none.
        label: the programme; empty for the budget of one campaign.
        campaigns: the campaigns that it pays for, or has paid for.
        most: the budget; None if no campaign declares the order any more.
        amounts: the sums of its runs.
        spent: what counts towards the budget.
        unknown: why the cost of some runs is not known.
        runs: its runs, newest first.
        hidden: the number of runs that are not listed.
    """

    order: str
    currency: str
    cost_centre: str
    label: str
    campaigns: tuple[str, ...]
    most: Decimal | None
    amounts: Amounts
    spent: Decimal
    unknown: tuple[str, ...]
    runs: tuple[RunCost, ...]
    hidden: int

    @property
    def left(self) -> Decimal | None:
        """What is left of the budget; below zero if it was exceeded."""
        return None if self.most is None else self.most - self.spent


@dataclass(frozen=True)
class CentreView:
    """The sums of a cost centre in one currency. `name` is empty for orders without one."""

    name: str
    currency: str
    orders: int
    amounts: Amounts


@dataclass(frozen=True)
class CostsView:
    """The page of costs. `paged`: the ids of the runs with a page."""

    orders: tuple[OrderView, ...]
    centres: tuple[CentreView, ...]
    paged: frozenset[str] = frozenset()


def declared_orders(settings: Settings, manifest: Manifest) -> dict[str, tuple[Budget, str, list[str]]]:
    """The orders that are declared: their budget, the programme, and the campaigns. What has errors is left out."""
    found: dict[str, tuple[Budget, str, list[str]]] = {}
    with suppress(ConfigError):
        found = {budget.order: (budget, name, []) for name, budget in find_programmes(settings).items()}
    for name in manifest.names:
        with suppress(ConfigError):
            campaign = manifest.campaign(name)
            if budget := find_budget(settings, campaign):
                found.setdefault(budget.order, (budget, campaign.mail.programme or "", []))[2].append(name)
    return found


def costs_view(settings: Settings, manifest: Manifest, ledger: Ledger) -> CostsView | None:
    """The page of costs; None if no order is declared, and none has a run. Raises DmailError if invoices cannot be read."""
    declared = declared_orders(settings, manifest)
    costs = costs_of_orders(settings, ledger)
    orders = tuple(
        order_view(order, declared.get(order), costs.get(order, []), settings, ledger) for order in sorted({*declared, *costs})
    )
    return CostsView(orders, tuple(centres(orders))) if orders else None


def order_view(
    order: str, known: tuple[Budget, str, list[str]] | None, costs: Sequence[RunCost], settings: Settings, ledger: Ledger
) -> OrderView:
    """One order. `known`: its declaration; None if it has none any more."""
    budget, label, campaigns = known or (None, "", [])
    currency = budget.max.currency if budget else costs[-1].estimate.currency
    found = total(costs, bills_of_order(settings, costs, ledger), currency)
    recorded = next((one.estimate.cost_centre for one in reversed(costs) if one.estimate.cost_centre), None)
    newest = tuple(reversed(costs))
    return OrderView(
        order=order,
        currency=currency,
        cost_centre=(budget.cost_centre if budget else recorded) or "",
        label=label,
        campaigns=tuple(sorted({*campaigns, *(one.campaign for one in costs)})),
        most=budget.max.amount if budget else None,
        amounts=amounts([one for one in costs if one.estimate.currency == currency]),
        spent=found.amount,
        unknown=found.unknown,
        runs=newest[:MAX_RUNS],
        hidden=max(len(newest) - MAX_RUNS, 0),
    )


def amounts(costs: Sequence[RunCost]) -> Amounts:
    """The sums of runs in one currency. Invoices in another one are left out."""
    bills = [one.billed.amount for one in costs if one.billed and not one.billed.currencies - {one.estimate.currency}]
    return Amounts(
        sum((one.estimate.total for one in costs if one.estimate.total is not None), Decimal("0.00")),
        sum_of([one.estimate.production for one in costs]),
        sum_of([one.estimate.postage for one in costs]),
        sum(bills, Decimal(0)) if bills else None,
    )


def sum_of(values: Sequence[Decimal | None]) -> Decimal | None:
    """A sum; None if a value is None, or if there is none."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(values) else None


def centres(orders: Sequence[OrderView]) -> Iterator[CentreView]:
    """The sums of each cost centre and currency."""
    groups: Mapping[tuple[str, str], list[OrderView]] = defaultdict(list)
    for one in orders:
        groups[one.cost_centre, one.currency].append(one)
    for (name, currency), some in sorted(groups.items()):
        bills = [one.amounts.billed for one in some if one.amounts.billed is not None]
        sums = Amounts(
            sum((one.amounts.estimate for one in some), Decimal(0)),
            sum_of([one.amounts.production for one in some if one.runs]),
            sum_of([one.amounts.postage for one in some if one.runs]),
            sum(bills, Decimal(0)) if bills else None,
        )
        yield CentreView(name, currency, len(some), sums)

"""Checks what a run costs against the budget of its purchase order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held, Problem
from dmail_runner.core.money import Estimate, Money
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.budget import FILE, Budget
from dmail_runner.declare.campaign import COUNTRY, GRAMS, Campaign
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import Provider
from dmail_runner.declare.tariff import Pieces
from dmail_runner.extract.rows import rows_query
from dmail_runner.project.warehouse import quote

HOLD = "budget"


@dataclass(frozen=True)
class Spent:
    """What the other runs of an order have cost.

    Attributes:
        amount: the sum, by invoices or else by the tariff.
        runs: the number of runs.
        unknown: the runs whose cost is not known in the currency of the budget, each with the reason.
    """

    amount: Decimal = Decimal("0.00")
    runs: int = 0
    unknown: tuple[str, ...] = ()


def budget_faults(campaign: Campaign, provider: Provider, budget: Budget | None) -> Iterator[Problem]:
    """The errors of a budget that cannot be compared with the tariff."""
    if budget is None:
        return
    tariff, entry = provider.tariff, campaign.mail.provider
    if tariff is None:
        what = f"is required: {campaign.name} has a budget, and its costs are estimated from the tariff"
        yield Problem(PROVIDERS, f"{entry}.tariff", what)
        return
    file, key = declared_in(campaign)
    if tariff.currency != budget.max.currency:
        what = f"is in {budget.max.currency}, and the tariff of {entry} is in {tariff.currency}"
        yield Problem(file, f"{key}.max", what, f"an amount in {tariff.currency}")
    names = {column.name for column in campaign.columns}
    if any(rate.countries for rate in tariff.rates) and COUNTRY not in names:
        yield Problem(campaign.contract, "columns", f"has no {COUNTRY}, which the postage of {entry} depends on")
    if any(rate.up_to_grams for rate in tariff.rates) and GRAMS not in names and campaign.mail.weight_grams is None:
        key = f"exposures.{campaign.name}.config.meta.direct_mail.weight_grams"
        yield Problem(campaign.file, key, f"is required: the postage of {entry} depends on the weight", f"or a column {GRAMS}")


def declared_in(campaign: Campaign) -> tuple[str, str]:
    """The file and the key that declare a campaign's budget."""
    if campaign.mail.programme:
        return FILE, campaign.mail.programme
    return campaign.file, f"exposures.{campaign.name}.config.meta.direct_mail.budget"


def count_pieces(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign) -> list[Pieces]:
    """The rows of the file, seeds among them, by what their postage depends on."""
    names = {column.name for column in campaign.columns}
    country = f"nullif(upper(trim({quote(COUNTRY)})), '')" if COUNTRY in names else "cast(null as varchar)"
    grams = f"cast(ceil({quote(GRAMS)}) as bigint)" if GRAMS in names else "cast(null as bigint)"
    rows = rows_query(build, verdicts, campaign)
    query = f"select {country}, {grams}, count(*) from ({rows}) as rows group by all order by all"
    weight, own_class = campaign.mail.weight_grams, campaign.mail.postal_class
    return [
        Pieces(count, place, weighed if GRAMS in names else weight, own_class)
        for place, weighed, count in connection.execute(query).fetchall()
    ]


def estimate(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign, provider: Provider
) -> Estimate | None:
    """The cost of the file; None without a tariff."""
    if provider.tariff is None:
        return None
    no_file = verdicts.included == 0 and provider.empty == "no_file"
    return provider.tariff.estimate([] if no_file else count_pieces(connection, build, verdicts, campaign))


def ordered(found: Estimate | None, budget: Budget | None) -> Estimate | None:
    """An estimate with the order that pays for it."""
    return replace(found, order=budget.order, cost_centre=budget.cost_centre) if found and budget else found


def check_budget(campaign: Campaign, budget: Budget | None, found: Estimate | None, spent: Spent) -> None:
    """Check that the order's runs and this one do not cost more than the order's budget.

    Args:
        campaign: the campaign.
        budget: its budget; None if it has none.
        found: what this run costs.
        spent: what the other runs of the order have cost.

    Raises:
        Held: if they cost more, or if it is not known what they cost. A person may accept it.
    """
    if budget is None:
        return
    file, key = declared_in(campaign)
    todo = f"raise `max` of {key} in {file}, then `dmail-runner resume RUN`; or dmail-runner release RUN --reason ..."
    if found is None or found.total is None:
        pieces = counted(found.unpriced if found else 0, "piece")
        raise Held(
            HOLD,
            f"{campaign.name}: it is not known what the run costs, because the tariff has no postage for {pieces}: "
            "nothing was delivered",
            todo="add a rate to the tariff, then `dmail-runner resume RUN`; or dmail-runner release RUN --reason ...",
        )
    if spent.unknown:
        raise Held(
            HOLD,
            f"{campaign.name}: it is not known what the order {budget.order} has cost: {'; '.join(spent.unknown)}: "
            "nothing was delivered",
            todo="fetch the invoice, then `dmail-runner resume RUN`; or dmail-runner release RUN --reason ...",
        )
    over = spent.amount + found.total - budget.max.amount
    if over > 0:
        currency = budget.max.currency
        raise Held(
            HOLD,
            f"{campaign.name}: the run costs {Money(found.total, currency)}, and the order {budget.order} has cost "
            f"{Money(spent.amount, currency)} in {counted(spent.runs, 'other run')}: {Money(over, currency)} more than its "
            f"budget, {budget.max}: nothing was delivered",
            todo=todo,
        )

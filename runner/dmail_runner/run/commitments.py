"""What other runs cost and need: the order's runs and their invoices, and the materials that are not in the stock any more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from dmail_runner.check.budget import Spent
from dmail_runner.core.materials import Materials, Use
from dmail_runner.core.money import CENT, Estimate
from dmail_runner.core.settings import Settings
from dmail_runner.inbound.billed import Billed, CampaignBill, billed, campaign_bills
from dmail_runner.ledger.database import Database
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.recorded import Recorded, recorded
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.ledger.supplies import ESTIMATE, MATERIALS, read_estimate, read_materials
from dmail_runner.run.answers import reports_of

UNREPORTED = timedelta(days=90)  # after which a mailing that was never reported counts as mailed


@dataclass(frozen=True)
class RunCost:
    """What a run of an order costs.

    Attributes:
        run_id: the run.
        number: the number of the event that recorded it. A run with a smaller number was frozen before.
        estimate: its cost by the tariff.
        billed: its invoices; None if there are none.
    """

    run_id: str
    number: int
    estimate: Estimate
    billed: Billed | None = None

    @property
    def campaign(self) -> str:
        return campaign_of(self.run_id) or self.run_id

    @property
    def spent(self) -> Decimal | None:
        """What counts towards the budget: the invoices, or else the estimate. A part that no invoice names is still estimated."""
        own, bill = self.estimate, self.billed
        if bill is None:
            return own.total
        missing = Decimal(0)
        if not bill.whole and own.production is not None and own.postage is not None:
            missing += own.production if bill.production is None else 0
            missing += own.postage if bill.postage is None else 0
        return (bill.amount + missing).quantize(CENT)

    @property
    def fault(self) -> str | None:
        """Why the cost is not known in the currency of its estimate; None if it is."""
        if self.billed and self.billed.currencies - {self.estimate.currency}:
            return f"{self.run_id} was billed in {' and '.join(sorted(self.billed.currencies))}, not {self.estimate.currency}"
        return f"the tariff had no price for all pieces of {self.run_id}" if self.spent is None else None


def costs_of_orders(settings: Settings, ledger: Ledger) -> dict[str, list[RunCost]]:
    """What the runs of all orders cost, by order, in the order in which they were frozen."""
    found: dict[str, list[RunCost]] = defaultdict(list)
    for run_id, event in recorded(ledger, ESTIMATE).items():
        if (own := read_estimate(event.text)) and own.order:
            found[own.order].append(RunCost(run_id, event.number, own))
    return {order: with_bills(settings, ledger, costs) for order, costs in found.items()}


def costs_of_order(settings: Settings, ledger: Ledger, order: str) -> list[RunCost]:
    """What the runs of one order cost, in the order in which they were frozen."""
    costs = (
        RunCost(run_id, event.number, own)
        for run_id, event in recorded(ledger, ESTIMATE).items()
        if (own := read_estimate(event.text)) and own.order == order
    )
    return with_bills(settings, ledger, list(costs))


def with_bills(settings: Settings, ledger: Ledger, costs: Sequence[RunCost]) -> list[RunCost]:
    """Runs with their invoices, in the order in which they were frozen."""
    files: dict[str, list[str]] = {}
    if (settings.inbound_dir / "invoice").is_dir():
        files = {run.run_id: [entry.part.name for entry in run.parts] for run in ledger.runs([one.run_id for one in costs])}
    bills = billed(settings, files)
    some = (RunCost(one.run_id, one.number, one.estimate, bills.get(one.run_id)) for one in costs)
    return sorted(some, key=lambda one: one.number)


def bills_of_order(settings: Settings, costs: Sequence[RunCost], ledger: Database) -> dict[str, list[CampaignBill]]:
    """The invoices that name a campaign and no run, for the campaigns of an order.

    An invoice is for the order of the campaign's last run before it.
    """
    own = {one.run_id for one in costs}
    campaigns = {one.campaign for one in costs}
    bills = [bill for bill in campaign_bills(settings) if bill.campaign in campaigns]
    if not bills:
        return {}
    runs: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for run_id in recorded(ledger, ESTIMATE):
        if slot := slot_of(run_id):
            runs[campaign_of(run_id) or ""].append((slot, run_id))
    found: dict[str, list[CampaignBill]] = defaultdict(list)
    for bill in bills:
        before = [run for run in runs[bill.campaign] if bill.at is None or run[0] <= bill.at.replace(tzinfo=UTC)]
        if max(before or runs[bill.campaign])[1] in own:
            found[bill.campaign].append(bill)
    return found


def spent_on(settings: Settings, ledger: Ledger, order: str, currency: str, *, but: str = "", before: int | None = None) -> Spent:
    """What an order has cost.

    Args:
        order: the order.
        currency: the currency of its budget.
        but: a run that does not count.
        before: only runs count that were frozen before the event of this number.
    """
    every = costs_of_order(settings, ledger, order)
    costs = [one for one in every if one.run_id != but and (before is None or one.number < before)]
    return total(costs, bills_of_order(settings, costs, ledger), currency)


def total(costs: Sequence[RunCost], bills: Mapping[str, Sequence[CampaignBill]], currency: str) -> Spent:
    """The sum of what runs have cost, in a currency. Amounts in another one make the sum unknown.

    An invoice that names only a campaign replaces the estimates of its runs without an invoice, if it is more than they are.
    """
    amount, unknown = Decimal("0.00"), list[str]()
    estimated: dict[str, Decimal] = defaultdict(Decimal)
    for one in costs:
        if one.estimate.currency != currency:
            unknown.append(f"the cost of {one.run_id} is in {one.estimate.currency}, not {currency}")
        elif one.fault or one.spent is None:
            unknown.append(one.fault or f"the cost of {one.run_id} is not known")
        elif one.billed:
            amount += one.spent
        else:
            estimated[one.campaign] += one.spent
    for campaign in {*estimated, *bills}:
        own = bills.get(campaign, ())
        amount += max(estimated[campaign], sum((bill.amount for bill in own), Decimal(0)))
        if foreign := {bill.currency for bill in own if bill.currency} - {currency}:
            unknown.append(f"{campaign} was billed in {' and '.join(sorted(foreign))}, not {currency}")
    return Spent(amount.quantize(CENT), len(costs), tuple(unknown))


def uses(settings: Settings, ledger: Ledger, *, but: str = "", before: int | None = None) -> tuple[Use, ...]:
    """What runs have taken of the stock or will take. Arguments as for `spent_on`."""
    found = {
        run_id: (event, materials)
        for run_id, event in recorded(ledger, MATERIALS).items()
        if run_id != but and (before is None or event.number < before) and (materials := read_materials(event.text))
    }
    taken = {run_id: event.changed for run_id, (event, materials) in found.items() if is_taken(event, materials, ledger.now())}
    long_ago = ledger.now() - UNREPORTED
    recent = ledger.runs(run_id for run_id, (event, _) in found.items() if event.state != "settled" or event.changed >= long_ago)
    reports = reports_of(settings, recent)
    mailed = {run_id: datetime.combine(day, time(), UTC) for run_id, report in reports.items() if (day := report.mailed_on)}
    return tuple(
        Use(run_id, need.item, need.pieces, mailed.get(run_id) or taken.get(run_id))
        for run_id, (_, materials) in found.items()
        for need in materials.needs
        if need.pieces
    )


def is_taken(event: Recorded, materials: Materials, now: datetime) -> bool:
    """Whether a run's materials left the stock when its file was delivered, unless the mailing is reported.

    A mail house that must report has them until it does, or for UNREPORTED.
    """
    return event.state == "settled" and (not materials.reported or now - event.changed > UNREPORTED)

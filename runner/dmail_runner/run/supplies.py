"""Applies the gates `budget` and `stock`: to what was built, and to a frozen run before it is delivered."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import duckdb

from dmail_runner.check.budget import HOLD as BUDGET
from dmail_runner.check.budget import Spent, check_budget, estimate, ordered
from dmail_runner.check.stock import HOLD as STOCK
from dmail_runner.check.stock import check_stock, count_needs, read_stock, stock_faults, with_counts
from dmail_runner.core.account import this_account
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held
from dmail_runner.core.materials import Materials, Use
from dmail_runner.core.money import Estimate, parse_money
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.recorded import recorded
from dmail_runner.ledger.run import Run
from dmail_runner.ledger.supplies import ESTIMATE, MATERIALS
from dmail_runner.run.commitments import spent_on, uses
from dmail_runner.run.job import Job


@dataclass(frozen=True)
class Others:
    """What the other runs cost and need. Both are read when they are needed, while no other process can freeze a run.

    Attributes:
        spent: returns what the other runs of the order have cost.
        uses: returns what other runs have taken or will take of the stock.
    """

    spent: Callable[[], Spent] = Spent
    uses: Callable[[], tuple[Use, ...]] = tuple


NO_OTHERS = Others()


def others_than(job: Job, run_id: str, ledger: Ledger, before: int | None = None) -> Others:
    """What the other runs cost and need. `before`: only runs count that were frozen before the event of this number."""
    budget = job.budget
    return Others(
        lambda: (
            spent_on(job.settings, ledger, budget.order, budget.max.currency, but=run_id, before=before) if budget else Spent()
        ),
        lambda: uses(job.settings, ledger, but=run_id, before=before),
    )


@dataclass(frozen=True)
class Supplies:
    """What a file costs and needs.

    Attributes:
        verdicts: its figures, with both.
        unusable: why the count of an item cannot be used.
        unlisted: what is wrong with pieces for whose value no item is declared.
    """

    verdicts: Verdicts
    unusable: Mapping[str, str] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()


def supplies(job: Job, connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts) -> Supplies:
    """Estimate what a file costs, and count what it needs."""
    cost = ordered(estimate(connection, build, verdicts, job.campaign, job.provider), job.budget)
    notes = verdicts.notes
    if cost and cost.unpriced:
        unpriced = counted(cost.unpriced, "piece")
        notes = (*notes, f"the tariff has no postage for {unpriced}, so that the cost is not known")
    verdicts = replace(verdicts, estimate=cost, notes=notes)
    no_file = verdicts.included == 0 and job.provider.empty == "no_file"
    if build.materials is None or no_file:
        return Supplies(verdicts)
    stock = read_stock(connection, build.materials)
    needs, unlisted = count_needs(connection, build, verdicts, job.campaign)
    materials = Materials(with_counts(needs, stock), reported=job.provider.acknowledge_within is not None)
    return Supplies(replace(verdicts, materials=materials), stock.faults, tuple(unlisted))


def supply_holds(job: Job, found: Supplies, others: Others, slot: datetime, now: datetime) -> Iterator[Held]:
    """The holds of both gates. `slot`: of the run. `now`: the present time."""
    try:
        check_budget(job.campaign, job.budget, found.verdicts.estimate, others.spent())
    except Held as hold:
        yield hold
    if found.verdicts.materials is None:
        return
    try:
        within = job.provider.stock_counted_within
        needs = found.verdicts.materials.needs
        missing = stock_faults(needs, found.unusable, others.uses(), max(slot, now), now=now, within=within)
        check_stock(job.campaign.name, [*found.unlisted, *missing])
    except Held as hold:
        yield hold


def reserve_supplies(job: Job, run: Run, ledger: Ledger) -> None:
    """Check a frozen run against the runs that were frozen before it, and its materials for the present day.

    Builds on one host are one after the other. Two hosts that build at once do not see each other's runs: of these, the one that
    was frozen last finds the other one here. A run that may have left has passed this check before.

    Raises:
        Held: if the run costs more than is left, or if materials are missing. A person may accept it.
    """
    if run.may_have_left or run.verdicts is None or not run.parts or not (job.budget or run.verdicts.materials):
        return
    accepted = {text.partition(" ")[0] for text in ledger.details(run, "accepted")}
    for gate in sorted((job.accepted & {BUDGET, STOCK}) - accepted):
        ledger.accept(run, gate, str(this_account()))
    accepted |= job.accepted
    found = run.verdicts.estimate or former_estimate(run)
    if job.budget and BUDGET not in accepted:
        check_order(job, run, found)
        number = number_of(ledger, run, ESTIMATE)
        check_budget(job.campaign, job.budget, found, others_than(job, run.run_id, ledger, number).spent())
    if run.verdicts.materials and STOCK not in accepted:
        number = number_of(ledger, run, MATERIALS)
        now = ledger.now()
        missing = stock_faults(
            run.verdicts.materials.needs, {}, others_than(job, run.run_id, ledger, number).uses(), max(run.slot, now),
            now=now, within=job.provider.stock_counted_within,
        )  # fmt: skip
        check_stock(job.campaign.name, list(missing))


def number_of(ledger: Ledger, run: Run, kind: str) -> int | None:
    """The number of a run's last event of a kind; None for runs of earlier versions of the runner."""
    found = recorded(ledger, kind).get(run.run_id)
    return found.number if found else None


def former_estimate(run: Run) -> Estimate | None:
    """The estimate of a run that an earlier version of the runner has frozen."""
    cost = parse_money(run.cost)
    return Estimate(cost.currency, cost.amount) if cost else None


def check_order(job: Job, run: Run, found: Estimate | None) -> None:
    """Raises Held if a run was frozen for another order than that of its campaign now."""
    if job.budget and found and found.order and found.order != job.budget.order:
        raise Held(
            BUDGET,
            f"{run.run_id} was made for the order {found.order}, and its campaign has the order {job.budget.order} now: "
            "nothing was delivered",
            todo=f"dmail-runner cancel {run.run_id} --reason ..., and run the slot again; or release {run.run_id} --reason ...",
        )

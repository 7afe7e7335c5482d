"""How large a cell must be, so that its difference from the control group can be shown. It needs the extra `results`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.history.contacts import StoredContacts, find_contacts
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import literal, quote, session

EXTRA = "pip install 'dmail-runner[results]'"
MOST = 10**9  # units: no campaign has more


@dataclass(frozen=True)
class Plan:
    """What is to be shown. Shares are from 0 to 1.

    Attributes:
        rate: the response rate without the mailing.
        lift: the smallest difference from it that is to be found.
        power: the probability of finding it.
        level: the probability of finding a difference where there is none.
    """

    rate: float
    lift: float
    power: float = 0.8
    level: float = 0.05


@dataclass(frozen=True)
class CellPower:
    """A cell of the last file.

    Attributes:
        name: the treatment, or `mailed`.
        units: its households, or persons without a household.
        held_out: those of the control group.
        power: the probability with which the planned lift would be found in it; None without a control group.
    """

    name: str
    units: int
    held_out: int
    power: float | None


def statistics() -> Any:
    """The module of statsmodels with the functions for proportions. Raises UsageError if the extra is not installed."""
    # The command line hides pandas from DuckDB, and statsmodels needs it.
    if "pandas" in sys.modules and sys.modules["pandas"] is None:
        del sys.modules["pandas"]
    try:
        from statsmodels.stats import proportion
    except ImportError as error:
        raise UsageError(f"statsmodels is not installed ({error.name} is missing), which computes sizes", todo=EXTRA) from None
    return proportion


def check_plan(plan: Plan) -> None:
    """Raises UsageError if there is no such test."""
    if not 0 < plan.rate < 1:
        raise UsageError("--rate must be above 0% and below 100%", todo="such as --rate 2%")
    if plan.lift <= 0 or plan.rate + plan.lift >= 1:
        raise UsageError("--lift must be above 0%, and together with --rate below 100%", todo="such as --lift 0.3%")
    if not 0.05 < plan.power < 1:
        raise UsageError("--power must be above 5% and below 100%", todo="such as --power 80%")


def size_of_cell(plan: Plan, ratio: float = 1) -> int:
    """The units that a cell needs. `ratio`: the size of the control group as a share of the cell's."""
    found = statistics().samplesize_proportions_2indep_onetail(
        plan.lift, plan.rate, plan.power, ratio=ratio, alpha=plan.level, alternative="two-sided"
    )
    return ceil(min(float(found), MOST))


def power_of(plan: Plan, units: int, held_out: int) -> float:
    """The probability with which the lift is found by groups of these sizes."""
    found = statistics().power_proportions_2indep(
        plan.lift, plan.rate, units, ratio=held_out / units, alpha=plan.level, return_results=False
    )
    return float(found)


def known_rate(settings: Settings, campaign: str) -> float | None:
    """The response rate of the campaign's control group, by the model `rpt_results`; None if it is not known."""
    try:
        with session(find_warehouse(settings)) as connection:
            tables = "select schema_name, table_name from duckdb_tables() where table_name = 'rpt_results' and not temporary"
            for schema, table in connection.execute(tables).fetchall():
                query = f"select response_rate from {quote(schema)}.{quote(table)} where campaign = {literal(campaign)}"
                row = connection.execute(f"{query} and cell = 'holdout' and responders > 0").fetchone()
                return row[0] if row else None
    except DmailError:
        return None
    return None


def last_cells(settings: Settings, ledger: Ledger, campaign: str) -> tuple[str, list[tuple[str | None, int]]] | None:
    """The last run with contacts, and the units of its cells; None for the control group. None if there is no such run."""
    for run in ledger.latest(20, campaign):
        if run.copy_of is None and (contacts := find_contacts(settings, run.run_id)):
            return run.run_id, count_cells(contacts)
    return None


def count_cells(contacts: StoredContacts) -> list[tuple[str | None, int]]:
    """The households of each cell in the contacts of a run, or persons without a household; None for the control group."""
    with connect() as connection:
        names = {row[0] for row in connection.execute(f"describe {contacts.rows}").fetchall()}
        named = "coalesce(treatment, 'mailed')" if "treatment" in names else "'mailed'"
        return connection.execute(
            f"select case when cell <> 'holdout' then {named} end as name, count(distinct coalesce(household_key, {quote(KEY)})) "
            f"from {contacts.rows} where cell in ('mailed', 'holdout') group by all order by 1 nulls last"
        ).fetchall()


@dataclass(frozen=True)
class PowerReport:
    """The sizes that a plan needs, and what the last file would show.

    Attributes:
        campaign: the campaign.
        plan: the plan.
        equal: the units of a cell, and as many in the control group.
        tenth: the units of a cell whose control group is a ninth of it, a tenth of both.
        run_id: the last run with contacts; None if there is none.
        cells: its cells.
    """

    campaign: str
    plan: Plan
    equal: int
    tenth: int
    run_id: str | None
    cells: tuple[CellPower, ...]


def power_report(settings: Settings, ledger: Ledger, campaign: str, plan: Plan) -> PowerReport:
    """The sizes for a plan, and the power of the last file of a campaign. Raises UsageError without the extra `results`."""
    equal, tenth = size_of_cell(plan), size_of_cell(plan, 1 / 9)
    found = last_cells(settings, ledger, campaign)
    if found is None:
        return PowerReport(campaign, plan, equal, tenth, None, ())
    run_id, cells = found
    held_out = sum(units for name, units in cells if name is None)
    powers = [
        CellPower(name, units, held_out, power_of(plan, units, held_out) if held_out and units else None)
        for name, units in cells
        if name is not None
    ]
    return PowerReport(campaign, plan, equal, tenth, run_id, tuple(powers))


def power_lines(found: PowerReport) -> Iterator[str]:
    """The report for people."""
    plan = found.plan
    yield (
        f"{found.campaign}: to find a lift of {100 * plan.lift:g} points over a response rate of {100 * plan.rate:.3g}% "
        f"with a power of {100 * plan.power:g}%, at a level of {100 * plan.level:g}%:"
    )
    yield f"  each cell {found.equal:,} units, and the control group as many"
    yield f"  or with a control group of 10%: each cell {found.tenth:,} units, and the control group {ceil(found.tenth / 9):,}"
    yield "A unit is a household, or a person without one."
    if found.run_id:
        yield f"The last file, {found.run_id}, would find it:"
    for cell in found.cells:
        if cell.power is None:
            yield f"  {cell.name}: {cell.units:,} units, no control group, so that no lift can be found"
        else:
            yield f"  {cell.name}: {cell.units:,} units against {cell.held_out:,} held out, a power of {100 * cell.power:.0f}%"

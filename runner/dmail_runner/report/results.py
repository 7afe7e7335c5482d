"""Reads what mailings have brought from the warehouse: `rpt_results`, `rpt_response_days`, and `rpt_piece_status`."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import duckdb

from dmail_runner.core.errors import ConfigError, DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.ledger.inbound_files import stored_files
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import lock_warehouse, quote, session

RESULTS, DAYS = "rpt_results", "rpt_response_days"
STATUSES = "rpt_piece_status"
T = TypeVar("T")
HOLDOUT = "holdout"
Key = tuple[str, str | None]  # `mailed` or `holdout`, and the treatment; None for all mailed units


@dataclass(frozen=True)
class CellResult:
    """The results of one cell, as the model `rpt_results` describes them. Rates are from 0 to 1, times in UTC."""

    campaign: str
    cell: str
    treatment: str | None
    unit: str
    first_in_home_at: datetime
    last_window_ends_at: datetime
    units: int
    pieces: int
    responders: int
    responses: int
    response_rate: float
    response_rate_low: float
    response_rate_high: float
    revenue: float | None = None
    currency: str | None = None
    cost: Decimal | None = None
    cost_currency: str | None = None
    verdict: str | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    incremental_responders: float | None = None
    incremental_responders_low: float | None = None
    incremental_responders_high: float | None = None
    cost_per_incremental_responder: float | None = None
    incremental_revenue: float | None = None
    incremental_revenue_low: float | None = None
    incremental_revenue_high: float | None = None
    return_on_spend: float | None = None

    @property
    def key(self) -> Key:
        """What identifies the cell within its campaign."""
        return self.cell, self.treatment


@dataclass(frozen=True)
class CampaignResults:
    """The results of a campaign.

    Attributes:
        cells: all mailed units first, then the treatments by name, and the control group last.
        days: for each cell, the new responders by the number of days since the in-home date.
    """

    cells: tuple[CellResult, ...]
    days: Mapping[Key, Mapping[int, int]]

    @property
    def mailed(self) -> CellResult | None:
        """All mailed units; None if nobody was mailed."""
        return next((cell for cell in self.cells if cell.key == ("mailed", None)), None)


def build_results(settings: Settings, run_dbt: RunDbt, tell: Callable[[str], None]) -> None:
    """Build the models of the results. Raises DmailError if dbt fails."""
    with lock_warehouse(settings, "results", tell):
        selected = [
            "build",
            "--select",
            *(f"+{name}" for name in (RESULTS, DAYS, STATUSES)),
            "--exclude",
            "resource_type:test",
            "resource_type:unit_test",
        ]
        outcome = run_dbt(settings, selected, settings.work_dir / "results", {})
        if outcome.exit_code != 0:
            raise DmailError("dbt could not build the results:\n" + "\n".join(outcome.errors))


def read_results(settings: Settings, manifest: Manifest, tell: Callable[[str], None]) -> dict[str, CampaignResults]:
    """The results by campaign; none before the models were built. Campaigns without a response have none.

    If the warehouse cannot be read now, such as during a build, `tell` gets the reason, and there are no results.
    """
    return read_built(settings, manifest, (RESULTS, DAYS), results_of, partial(say_why, tell, "results")) or {}


def read_statuses(settings: Settings, manifest: Manifest, tell: Callable[[str], None]) -> dict[str, dict[str, int]]:
    """For each run of which something is known, the number of pieces by their last known status, as `read_results` reads."""
    return read_built(settings, manifest, (STATUSES,), statuses_of, partial(say_why, tell, "status of pieces")) or {}


def read_built(
    settings: Settings, manifest: Manifest, models: tuple[str, ...], read: Callable[..., T], failed: Callable[[DmailError], None]
) -> T | None:
    """What `read` finds in the relations of some models, which it is given with a session; None if they were not built.

    `failed`: called with the error if the warehouse cannot be read.
    """
    named = {node["name"]: node.get("relation_name") for node in manifest.nodes.values() if node["resource_type"] == "model"}
    relations = [relation for name in models if (relation := named.get(name))]
    if len(relations) < len(models):
        return None
    try:
        warehouse = find_warehouse(settings)
        if not warehouse.path.exists():
            return None
        with session(warehouse) as connection:
            built = "select count(*) from information_schema.tables where list_contains(?, table_name)"
            if connection.execute(built, [list(models)]).fetchall()[0][0] < len(models):
                return None
            return read(connection, *relations)
    except DmailError as error:
        failed(error)
        return None


def say_why(tell: Callable[[str], None], what: str, error: DmailError) -> None:
    """Show why the report lacks something."""
    tell(f"the report has no {what}: {error}")


def statuses_of(connection: duckdb.DuckDBPyConnection, statuses: str) -> dict[str, dict[str, int]]:
    """The number of pieces by run and status, from the relation of the model."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for run_id, status, pieces in connection.execute(f"select run_id, status, pieces from {statuses} order by all").fetchall():
        found[run_id][status] = pieces
    return dict(found)


def results_of(connection: duckdb.DuckDBPyConnection, results: str, days: str) -> dict[str, CampaignResults]:
    """The results by campaign, from the relations of the two models."""
    names = [field.name for field in fields(CellResult)]
    rows = connection.execute(f"select {', '.join(map(quote, names))} from {results} order by campaign, treatment").fetchall()
    cells: dict[str, list[CellResult]] = defaultdict(list)
    for row in rows:
        cell = CellResult(*row)
        cells[cell.campaign].append(cell)
    new: dict[str, dict[Key, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    query = f"select campaign, cell, treatment, day_number, new_responders from {days}"
    for campaign, cell_name, treatment, day, count in connection.execute(query).fetchall():
        new[campaign][cell_name, treatment][day] = count
    return {
        campaign: CampaignResults(tuple(sorted(some, key=rank)), dict(new[campaign]))
        for campaign, some in cells.items()
        if any(cell.responders for cell in some)
    }


def response_notes(settings: Settings, ledger: Ledger) -> tuple[str, ...]:
    """The descriptions of the entries of inbound.yml that have received responses. None if `check` refuses the file."""
    try:
        declared = find_inbound(settings)
    except ConfigError:
        return ()
    received = dict.fromkeys(file.entry for file in stored_files(ledger) if file.kind == "responses")
    found = (declared[entry].description for entry in received if entry in declared)
    return tuple(dict.fromkeys(filter(None, found)))


def rank(cell: CellResult) -> tuple[Any, ...]:
    """The order of the cells."""
    return (cell.cell == HOLDOUT, cell.treatment is not None, cell.treatment or "")

"""Values that a spreadsheet takes for formulas."""

import duckdb

from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign
from dmail_runner.project.warehouse import printed


def formulas(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> list[tuple[str, int]]:
    """How many values of each column a spreadsheet would take for a formula; they are printed as they are."""
    names = [column.name for column in campaign.exported]
    looks = ", ".join(f"count(*) filter (contains('=+-@', {printed(name)}[1]))" for name in names)
    counts = connection.execute(f"select {looks} from {build.extract}").fetchone() or ()
    return [(name, count) for name, count in zip(names, counts, strict=True) if count]

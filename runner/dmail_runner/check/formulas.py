"""Counts the values that a spreadsheet would evaluate as formulas."""

import duckdb

from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign
from dmail_runner.project.warehouse import printed


def count_formulas(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> list[tuple[str, int]]:
    """The columns with values that a spreadsheet would evaluate as formulas, and how many. The values are not changed."""
    names = [column.name for column in campaign.exported]
    counters = ", ".join(f"count(*) filter (contains('=+-@', {printed(name)}[1]))" for name in names)
    counts = connection.execute(f"select {counters} from {build.extract}").fetchone() or ()
    return [(name, count) for name, count in zip(names, counts, strict=True) if count]

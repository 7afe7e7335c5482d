"""Counts the containers of a post's sort plan, and checks that each piece has a place of its own."""

import duckdb

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import Build, SortedLevel, Verdicts
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.sort_key import CONTAINER, LEVEL, SEQUENCE
from dmail_runner.extract.rows import rows_query
from dmail_runner.project.warehouse import quote


def count_levels(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign
) -> tuple[SortedLevel, ...]:
    """The levels of the campaign's sort plan with their pieces and containers, in the order of the file.

    Seed addresses count, because they are in the containers.

    Returns:
        The levels. There are none for a campaign without a sort plan.

    Raises:
        ExtractError: if rows were left out or added after the plan was made.
    """
    plan = campaign.mail.file.plan
    if plan is None:
        return ()
    rows = rows_query(build, verdicts, campaign)
    places = f"select count(*), count(distinct {quote(SEQUENCE)}), coalesce(max({quote(SEQUENCE)}), 0) from ({rows})"
    if len(set(connection.execute(places).fetchone() or ())) > 1:
        raise ExtractError(
            f"{campaign.name} is sorted by {plan}, and its file does not have all pieces of the plan once: {SEQUENCE} does not "
            "count its rows from 1",
            todo=f"call dmail.{plan}() last in the extract, behind all joins and conditions, and export {SEQUENCE}",
        )
    found = connection.execute(
        f"""
        select {quote(LEVEL)}, count(*), count(distinct {quote(CONTAINER)})
        from ({rows})
        group by 1
        order by min({quote(SEQUENCE)})
        """
    ).fetchall()
    return tuple(SortedLevel(str(level), pieces, containers) for level, pieces, containers in found)

"""Where the pieces of a run go: counts by country and region, of which none is small enough to point at somebody."""

import duckdb

from dmail_runner.core.values import Build, Place, Verdicts
from dmail_runner.declare.campaign import Campaign
from dmail_runner.extract.rows import people
from dmail_runner.project.warehouse import quote

COUNTRY, REGION = "country_code", "region"
SMALLEST = 10  # pieces that are told of a place by itself; fewer are put together


def places(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign) -> tuple[Place, ...]:
    """The people in the file by the extract's columns `country_code` and `region`, printed or not; nothing without the first.

    A place of fewer than SMALLEST pieces counts as the country's, or the world's, without a name of its own.
    """
    names = {column.name for column in campaign.columns}
    if COUNTRY not in names:
        return ()
    region = f"nullif(upper(trim({quote(REGION)})), '')" if REGION in names else "cast(null as varchar)"
    rows = connection.execute(
        f"""
        with
            counted as (
                select nullif(upper(trim({quote(COUNTRY)})), '') as country, {region} as region, count(*) as pieces
                from ({people(build, verdicts, campaign)})
                group by all
            ),
            shown as (
                select
                    case when sum(pieces) over (partition by country) >= {SMALLEST} then country end as country,
                    case when pieces >= {SMALLEST} then region end as region,
                    pieces
                from counted
            )
        select coalesce(country, ''), case when country is null then '' else coalesce(region, '') end, sum(pieces)
        from shown
        group by 1, 2
        order by 3 desc, 1, 2
        """
    ).fetchall()
    return tuple(Place(country, region, int(pieces)) for country, region, pieces in rows)

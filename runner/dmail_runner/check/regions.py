"""Counts the pieces of a run by country and region. Small regions are merged, so that nobody can be identified."""

import duckdb

from dmail_runner.core.values import Build, RegionCount, Verdicts
from dmail_runner.declare.campaign import Campaign
from dmail_runner.extract.rows import people_query
from dmail_runner.project.warehouse import quote

COUNTRY, REGION = "country_code", "region"
MIN_PIECES = 10  # regions with fewer pieces are merged


def count_regions(
    connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, campaign: Campaign
) -> tuple[RegionCount, ...]:
    """Count the profiles in the file by the extract's columns `country_code` and `region`, which need not be printed.

    Regions and countries with fewer than MIN_PIECES pieces are counted without a name.

    Returns:
        The regions, largest first. There are none if the extract has no column `country_code`.
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
                from ({people_query(build, verdicts, campaign)})
                group by all
            ),
            shown as (
                select
                    case when sum(pieces) over (partition by country) >= {MIN_PIECES} then country end as country,
                    case when pieces >= {MIN_PIECES} then region end as region,
                    pieces
                from counted
            )
        select coalesce(country, ''), case when country is null then '' else coalesce(region, '') end, sum(pieces)
        from shown
        group by 1, 2
        order by 3 desc, 1, 2
        """
    ).fetchall()
    return tuple(RegionCount(country, region, int(pieces)) for country, region, pieces in rows)

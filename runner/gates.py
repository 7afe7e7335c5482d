"""Gates between build and extract: whatever the SQL says, the figures add up and nobody is in the file twice."""

import duckdb

from runner.campaign import Campaign
from runner.errors import ExtractError
from runner.project import KEY
from runner.values import IDENTICAL, Build, Verdicts
from runner.warehouse import printed, quote


def check(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> Verdicts:
    """Count who is in and who is out. Raises ExtractError where extract and recipients disagree.

    Rows that would be printed identically (the key is not in the file) count as excluded, by the reason `identical_row`.
    """
    verdicts = dict(
        connection.execute(f"select exclusion_reason, count(*) from {build.recipients} group by all order by all").fetchall()
    )
    included = verdicts.pop(None, 0)
    rows, keys, strangers, identical = count_extract(connection, build, campaign)
    faults = {
        f"{rows - keys:,} rows with no {KEY}, or with one that another row has": rows - keys,
        f"{strangers:,} rows of profiles that recipients excludes or does not know": strangers,
        f"{rows:,} rows for {included:,} included recipients": rows - included,
    }
    if any(faults.values()):
        raise ExtractError(
            f"the extract of {campaign.name} is not its included recipients: it has "
            + "; ".join(fault for fault, count in faults.items() if count),
            todo=f"an extract selects recipients where exclusion_reason is null, one row each; look at {campaign.extract}",
        )
    if identical:
        verdicts[IDENTICAL] = identical
    return Verdicts(targeted=included + sum(verdicts.values()) - identical, included=included - identical, excluded=verdicts)


def count_extract(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> tuple[int, int, int, int]:
    """Rows, distinct keys, rows that are not included recipients, and rows that another row equals in every exported column."""
    key = quote(KEY)
    row = ", ".join(printed(column.name) for column in campaign.exported)
    # With the key in the file no two rows are alike, and the look is saved.
    distinct = (
        "count(*)" if KEY in (c.name for c in campaign.exported) else f"count(distinct md5_number(cast(row({row}) as varchar)))"
    )
    counts = connection.execute(
        f"""
        select
            count(*),
            count(distinct {key}),
            (
                select count(*) from {build.extract} as extract
                anti join (select {key} from {build.recipients} where exclusion_reason is null) as recipients using ({key})
            ),
            count(*) - {distinct}
        from {build.extract}
        """
    ).fetchone()
    assert counts is not None
    return counts[0], counts[1], counts[2], counts[3]

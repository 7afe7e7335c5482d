"""Gates between build and extract: whatever the SQL says, the figures add up and nobody is in the file twice."""

from dataclasses import dataclass

import duckdb

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import IDENTICAL, Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.project.warehouse import printed, quote


def check(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> Verdicts:
    """Count who is in and who is out. Raises ExtractError where extract and recipients disagree.

    Rows that would be printed identically (the key is not in the file) count as excluded, by the reason `identical_row`.
    """
    verdicts = dict(
        connection.execute(f"select exclusion_reason, count(*) from {build.recipients} group by all order by all").fetchall()
    )
    included = verdicts.pop(None, 0)
    found = count_extract(connection, build, campaign)
    faults = {
        f"{found.rows - found.keys:,} rows with no {KEY}, or with one that another row has": found.rows - found.keys,
        f"{found.strangers:,} rows of profiles that recipients excludes or does not know": found.strangers,
        f"{found.rows - found.seeds:,} rows for {included:,} included recipients": found.rows - found.seeds - included,
        f"{found.false_seeds:,} seeds that recipients knows as profiles": found.false_seeds,
    }
    if any(faults.values()):
        raise ExtractError(
            f"the extract of {campaign.name} is not its included recipients: it has "
            + "; ".join(fault for fault, count in faults.items() if count),
            todo=f"an extract selects recipients where exclusion_reason is null, one row each; look at {campaign.extract}",
        )
    if found.identical:
        verdicts[IDENTICAL] = found.identical
    return Verdicts(
        targeted=included + sum(verdicts.values()) - found.identical,
        included=included - found.identical,
        excluded=verdicts,
        seeds=found.seeds,
    )


@dataclass(frozen=True)
class Found:
    """What the extract holds: rows, seeds among them, distinct keys, and the rows that are wrong."""

    rows: int
    seeds: int
    keys: int
    strangers: int
    false_seeds: int
    identical: int


def count_extract(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> Found:
    """The extract beside the recipients. `identical`: rows that another recipient's row equals in every column of the file."""
    key = quote(KEY)
    seed = f"coalesce({quote(SEED)}, false)" if campaign.has_seeds else "false"
    row = ", ".join(printed(column.name) for column in campaign.exported)
    # With the key in the file no two rows are alike, and the look is saved.
    distinct = (
        f"count(*) filter (not {seed})"
        if KEY in (c.name for c in campaign.exported)
        else f"count(distinct md5_number(cast(row({row}) as varchar))) filter (not {seed})"
    )
    known = f"select {key} from {build.recipients}"
    counts = connection.execute(
        f"""
        select
            count(*),
            count(*) filter ({seed}),
            count(distinct {key}),
            (
                select count(*) from (select {key} from {build.extract} where not {seed}) as extract
                anti join ({known} where exclusion_reason is null) as recipients using ({key})
            ),
            (
                select count(*) from (select {key} from {build.extract} where {seed}) as extract
                semi join ({known}) as recipients using ({key})
            ),
            count(*) filter (not {seed}) - {distinct}
        from {build.extract}
        """
    ).fetchone()
    assert counts is not None
    return Found(*counts)

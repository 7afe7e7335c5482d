"""Checks that the extract has exactly the included recipients, each once, independently of the project's SQL."""

from dataclasses import dataclass

import duckdb

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import IDENTICAL, Build, Verdicts
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.project.warehouse import printed, quote


def check(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> Verdicts:
    """Count the included and excluded profiles.

    If the file does not have the key, some rows may be printed identically. All but the first of them count as excluded, with the
    reason `identical_row`.

    Raises:
        ExtractError: if the extract and the recipients do not match.
    """
    reasons = dict(
        connection.execute(f"select exclusion_reason, count(*) from {build.recipients} group by all order by all").fetchall()
    )
    included = reasons.pop(None, 0)
    found = count_rows(connection, build, campaign)
    faults = {
        f"{counted(found.rows - found.keys, 'row')} with no {KEY}, or with one that another row has": found.rows - found.keys,
        f"{counted(found.not_included, 'row')} of profiles that are not included recipients": found.not_included,
        f"{counted(found.rows - found.seeds, 'row')} for {counted(included, 'included recipient')}": (
            found.rows - found.seeds - included
        ),
        counted(found.false_seeds, "seed that is also a recipient", "seeds that are also recipients"): found.false_seeds,
    }
    if any(faults.values()):
        raise ExtractError(
            f"the extract of {campaign.name} does not match its included recipients: it has "
            + "; ".join(fault for fault, count in faults.items() if count),
            todo=f"select one row for each recipient whose exclusion_reason is null; see {campaign.extract}",
        )
    if found.identical:
        reasons[IDENTICAL] = found.identical
    return Verdicts(
        targeted=included + sum(reasons.values()) - found.identical,
        included=included - found.identical,
        excluded=reasons,
        seeds=found.seeds,
    )


@dataclass(frozen=True)
class RowCounts:
    """The rows of the extract.

    Attributes:
        rows: all rows.
        seeds: rows of seed addresses.
        keys: distinct keys.
        not_included: rows of profiles that are not included recipients.
        false_seeds: rows of seed addresses whose key is that of a recipient.
        identical: rows of recipients that are printed exactly like an earlier one.
    """

    rows: int
    seeds: int
    keys: int
    not_included: int
    false_seeds: int
    identical: int


def count_rows(connection: duckdb.DuckDBPyConnection, build: Build, campaign: Campaign) -> RowCounts:
    """Count the rows of the extract and compare their keys with the recipients."""
    key = quote(KEY)
    seed = f"coalesce({quote(SEED)}, false)" if campaign.has_seeds else "false"
    row = ", ".join(printed(column.name) for column in campaign.exported)
    # If the file has the key, no two rows are identical and the hashes are not needed.
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
    return RowCounts(*counts)

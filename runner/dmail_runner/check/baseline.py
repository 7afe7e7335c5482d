"""Counts the figures that a run compares with the last one: matches of the suppression lists, and answers about consent."""

import duckdb

from dmail_runner.check.ids import near_matches
from dmail_runner.check.opt_outs import CONSENT_COLUMNS, CONSENTS
from dmail_runner.core.values import Baseline, Build, ConsentFigures, ListFigures
from dmail_runner.declare.campaign import KEY
from dmail_runner.project.warehouse import quote

ENTRIES = "dmail_entries"  # a temporary table: the entries that apply, and whether each matches a profile
# The ways in which an entry can match a profile, and the column of each. Only the first two are in every project.
KEYS = {"profile_id": KEY, "person": "person_key", "household": "household_key", "address": "address_key"}


def count_baseline(connection: duckdb.DuckDBPyConnection, build: Build) -> Baseline | None:
    """Count the profiles, the entries of each suppression list, and the answers in each consent column.

    Returns:
        The figures; None if opt-outs do not stop the campaign, so that the models were not built.
    """
    if build.profiles is None or build.suppressions is None or build.suppressed is None:
        return None
    asked = ", ".join(
        f"count({column}), count(*) filter (not list_contains({list(CONSENTS)}, {column}))" for column in CONSENT_COLUMNS
    )
    profiles, *counts = connection.execute(f"select count(*), {asked} from {build.profiles}").fetchone() or (0, 0, 0, 0, 0)
    consents = tuple(
        ConsentFigures(column, answered, refused)
        for column, answered, refused in zip(CONSENT_COLUMNS, counts[::2], counts[1::2], strict=True)
    )
    return Baseline(profiles, tuple(count_lists(connection, build)), consents)


def count_lists(connection: duckdb.DuckDBPyConnection, build: Build) -> list[ListFigures]:
    """Count the entries of each suppression list: all entries, those that match a profile, and those that nearly match one."""
    columns = {name for name, *_ in connection.execute(f"describe select * from {build.suppressions}").fetchall()}
    matches = " or ".join(
        f"coalesce((list_name, {column}) in (select (list_name, matched_key) from {build.suppressed} "
        f"where matched_by = '{kind}'), false)"
        for kind, column in KEYS.items()
        if column in columns
    )
    keys = ", ".join(column for column in KEYS.values() if column in columns)
    connection.execute(
        f"create or replace temp table {ENTRIES} as "
        f"select list_name, {quote(KEY)} as id, {matches} as matched, coalesce({keys}) is null as keyless "
        f"from {build.suppressions} where {applies(build)}"
    )
    unmatched = f"select id from {ENTRIES} where not matched and id is not null"
    near = near_matches(connection, unmatched, f"select {quote(KEY)} as id from {build.profiles}")
    counts = connection.execute(
        f"""
        select
            list_name, count(*), count(*) filter (matched),
            count(*) filter (not matched and coalesce(list_contains(cast($near as varchar[]), id), false)),
            count(*) filter (keyless)
        from {ENTRIES} group by list_name order by list_name
        """,
        {"near": sorted(near)},
    ).fetchall()
    return [ListFigures(*row) for row in counts]


def applies(build: Build) -> str:
    """SQL that is true for the entries of suppression lists that apply at the build's time."""
    moment = f"timestamp '{build.as_of}'"
    return f"coalesce(valid_from <= {moment}, true) and coalesce(valid_until > {moment}, true)"

"""The verdicts of windows: who was counted by which window of a trigger, so that totals count each person once.

A person is a hash with the campaign's name as its key, because nobody needs to read here who was not mailed. The people of a
window appear in the next one if their row arrives again, or if no letter has answered it.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.parquet import parquet_format, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import BREACHES, IDENTICAL, INCLUDED, Build, Verdicts
from dmail_runner.declare.campaign import KEY
from dmail_runner.extract.rows import people_query
from dmail_runner.history.contacts import VERDICTS, NewContacts, run_folders
from dmail_runner.ledger.run import campaign_of
from dmail_runner.project.warehouse import literal, quote

PERSON = "person"  # the column with the hash


def hash_of(campaign: str, profile_id: str) -> str:
    """The hash of a person."""
    return hashlib.sha256(f"{campaign}/verdict/{profile_id}".encode()).hexdigest()


def write_verdicts(connection: duckdb.DuckDBPyConnection, build: Build, verdicts: Verdicts, run: NewContacts) -> None:
    """Write the verdict of each person of a window into a run's spool folder."""
    key = quote(KEY)
    # The table exists only if the contract was applied.
    breaches = (
        f"(select {key}, reason from {BREACHES})" if has_breaches(connection) else f"(select '' as {key}, '' as reason limit 0)"
    )
    connection.execute(
        f"""
        copy (
            select
                sha256({literal(f"{run.campaign.name}/verdict/")} || cast({key} as varchar)) as {PERSON},
                case
                    when exclusion_reason is not null then exclusion_reason
                    when printed is not null then '{INCLUDED}'
                    else coalesce(reason, '{IDENTICAL}')
                end as verdict,
                timestamp '{run.slot.astimezone(UTC):%Y-%m-%d %H:%M:%S}' as slot
            from {build.recipients}
            left join (select {key}, true as printed from ({people_query(build, verdicts, run.campaign)})) as file using ({key})
            left join {breaches} as breaches using ({key})
        ) to {literal(str(run.folder / VERDICTS))} ({parquet_format()})
        """
    )
    with (run.folder / VERDICTS).open("rb") as file:
        os.fsync(file.fileno())


def has_breaches(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the contract has left out rows in this session."""
    query = f"select count(*) from duckdb_tables() where temporary and table_name = {literal(BREACHES.rpartition('.')[2])}"
    return bool((connection.execute(query).fetchone() or (0,))[0])


def verdict_files(settings: Settings, campaign: str) -> list[Path]:
    """The verdicts of a campaign's windows."""
    own = sorted(name for name in run_folders(settings) if campaign_of(name) == campaign)
    return [file for name in own if (file := settings.history_dir / name / VERDICTS).is_file()]


def counted_before(connection: duckdb.DuckDBPyConnection, settings: Settings, run_id: str, new: Path) -> Mapping[str, int]:
    """The people of a window whom another one has counted, by the verdict that its own replaces in totals.

    Of a window that is made after a later one, the verdict is not the last: it replaces itself.

    Args:
        run_id: the window's run, whose earlier file does not count.
        new: the window's verdicts.
    """
    campaign = campaign_of(run_id) or ""
    files = [file for file in verdict_files(settings, campaign) if file.parent.name != run_id]
    if not files:
        return {}
    found = connection.execute(
        f"""
        select case when other.slot > now.slot then now.verdict else other.verdict end as verdict, count(*)
        from {read_parquet([new])} as now
        inner join (
            select {PERSON}, max(slot) as slot, arg_max(verdict, slot) as verdict from {read_parquet(files)} group by all
        ) as other using ({PERSON})
        group by all
        order by all
        """
    ).fetchall()
    return dict(found)


def verdicts_of(settings: Settings, profile_id: str) -> Iterator[tuple[str, list[Mapping[str, str | None]]]]:
    """The verdicts of a person, by the name of the file."""
    for campaign in sorted({name for run in run_folders(settings) if (name := campaign_of(run))}):
        for file in verdict_files(settings, campaign):
            with connect() as connection:
                query = f"select slot::varchar, verdict from {read_parquet([file])} where {PERSON} = ?"
                rows = connection.execute(query, [hash_of(campaign, profile_id)]).fetchall()
            if rows:
                yield f"{file.parent.name}/{VERDICTS}", [{"slot": slot, "verdict": verdict} for slot, verdict in rows]

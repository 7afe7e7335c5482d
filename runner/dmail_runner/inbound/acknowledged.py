"""What mail houses report about delivered files: the rows that they received, rejected, printed, mailed and billed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from dmail_runner.core.parquet import BY_NAME, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.inbound.stored import session
from dmail_runner.project.warehouse import literal

# A corrected file repeats what an earlier one reported: of each key, the rows of the last file count.
NEWEST = "qualify dense_rank() over (partition by {keys} order by received_at desc, entry, file) = 1"
KEYS = "run_id, file_name, piece_id, status, happened_at"


@dataclass(frozen=True)
class Acknowledged:
    """The reports about one run. A number is None if nothing was reported.

    Attributes:
        received: the rows that the mail house received.
        rejected: the rows that it did not accept.
        printed: the rows that it printed.
        mailed: the rows that it mailed.
        mailed_on: the last day on which it mailed.
        billed: the pieces of its invoices.
    """

    received: int | None = None
    rejected: int | None = None
    printed: int | None = None
    mailed: int | None = None
    mailed_on: date | None = None
    billed: int | None = None

    @property
    def reported(self) -> bool:
        """Whether the mail house has reported anything but an invoice."""
        return any(count is not None for count in (self.received, self.rejected, self.printed, self.mailed))


def acknowledged(settings: Settings, runs: Mapping[str, Iterable[str]]) -> dict[str, Acknowledged]:
    """The reports about some runs, by run.

    Args:
        runs: the names of the delivered files of each run. A report names the run, a file with or without its folder, or a piece.
    """
    if not runs or not any((settings.inbound_dir / kind).is_dir() for kind in ("acknowledgement", "invoice")):
        return {}
    with session() as connection:
        names = [(run_id, name) for run_id, files in runs.items() for name in names_of(run_id, files)]
        connection.execute("create temp table names (run_id varchar, name varchar)")
        connection.executemany("insert into names values (?, ?)", names)
        found = statuses(connection, settings, runs)
        for run_id, billed in invoices(connection, settings):
            found[run_id] = replace(found.get(run_id, Acknowledged()), billed=billed)
    return found


def names_of(run_id: str, files: Iterable[str]) -> set[str]:
    """The names by which a report can mean a run."""
    return {run_id, *files, *(name.rpartition("/")[2] for name in files)}


def statuses(
    connection: duckdb.DuckDBPyConnection, settings: Settings, runs: Mapping[str, Iterable[str]]
) -> dict[str, Acknowledged]:
    """The numbers of received, rejected, printed and mailed rows of each run."""
    files = sorted(settings.inbound_dir.glob("acknowledgement/*.parquet"))
    if not files:
        return {}
    rows = f"select * from read_parquet([{', '.join(literal(str(file)) for file in files)}]) {NEWEST.format(keys=KEYS)}"
    query = f"""
        select
            named.run_id, status, coalesce(reports.run_id, file_name) is null as by_piece, sum(coalesce(pieces, 1))::bigint,
            max(happened_at)::date
        from ({rows}) as reports
        inner join
            (select * from names union all select run_id, piece_id from ({pieces_query(settings, runs)})) as named
            on named.name = coalesce(reports.run_id, reports.file_name, upper(reports.piece_id))
        group by all
        order by by_piece desc
    """
    found: dict[str, Acknowledged] = {}
    # Numbers of a file come last, and replace those of single pieces, which mean the same rows.
    for run_id, status, _, count, day in connection.execute(query).fetchall():
        values = {status: count, **({"mailed_on": day} if status == "mailed" else {})}
        found[run_id] = replace(found.get(run_id, Acknowledged()), **values)
    return found


def pieces_query(settings: Settings, runs: Iterable[str]) -> str:
    """SQL for the pieces of the runs whose contacts have a file of their own, with their ids in capitals."""
    files = [settings.history_dir / run_id / "contacts.parquet" for run_id in runs]
    there = [file for file in files if file.is_file()]
    nothing = "select cast(null as varchar) as run_id, cast(null as varchar) as piece_id where false"
    if not there:
        return nothing
    source = f"(select * from {read_parquet(there, BY_NAME)} union all by name {nothing})"
    return f"select run_id, upper(piece_id) as piece_id from {source} where piece_id is not null"


def invoices(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[tuple[str, int]]:
    """The billed pieces of each run."""
    files = sorted(settings.inbound_dir.glob("invoice/*.parquet"))
    if not files:
        return []
    rows = f"select * from read_parquet([{', '.join(literal(str(file)) for file in files)}]) {NEWEST.format(keys='invoice_id')}"
    query = f"""
        select names.run_id, sum(pieces)::bigint
        from ({rows}) as bills inner join names on names.name = coalesce(bills.run_id, bills.file_name)
        where pieces is not null
        group by all
    """
    return connection.execute(query).fetchall()

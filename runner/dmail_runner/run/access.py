"""Lists the stored data of a person: contacts, the runs and files that had them, and rows of the warehouse."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.errors import ExtractError, UsageError
from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.history import weeks
from dmail_runner.history.forget import PEOPLE, files_with
from dmail_runner.history.forget import files as history_files
from dmail_runner.history.verdicts import verdicts_of
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.project.warehouse import literal, lock_warehouse, quote, session
from dmail_runner.run.received import rows_of

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class File:
    """A file of a run that had the person. `location`: its address at the provider; None if it was not delivered."""

    name: str
    location: str | None
    route: str
    sha256: str


@dataclass(frozen=True)
class Contact:
    """A run that had the person.

    Attributes:
        run_id: the run.
        campaign: its campaign.
        slot: its slot in UTC.
        state: its state; None if the ledger does not have it.
        cell: `mailed`, or `holdout` for the control group.
        household_key: the household at that time.
        provider: the provider, as the run recorded it; None if an earlier version of the runner made it.
        files: its files. The history does not know in which of several files a person is.
    """

    run_id: str
    campaign: str
    slot: str
    state: str | None
    cell: str
    household_key: str | None
    provider: str | None
    files: tuple[File, ...]


@dataclass(frozen=True)
class Known:
    """The stored data of a person.

    Attributes:
        profile_id: the key.
        forgotten_at: when the person was erased; None if never. The key is then on the list of forgotten people.
        contacts: the runs that had them.
        tables: the rows of the warehouse with the key, as built last, by relation; and the rows of received files and of
            the verdicts of windows, by file.
        unread: relations that could not be read.
    """

    profile_id: str
    forgotten_at: str | None
    contacts: tuple[Contact, ...]
    tables: Mapping[str, Sequence[Row]]
    unread: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The content for programs."""
        return asdict(self)


def known_of(settings: Settings, ledger: Ledger, key: str, tell: Callable[[str], None]) -> Known:
    """The stored data of a person. Sources are read if the warehouse has views of them.

    Args:
        key: the person's profile_id.
        tell: called with a line of text if the command waits for a build.

    Raises:
        Busy: if a build takes too long.
        UsageError: if the key is empty.
        HistoryError: if the contact history cannot be read.
    """
    if not key.strip():
        raise UsageError(f"{KEY} is empty")
    tables: dict[str, list[Row]] = {}
    unread: list[str] = []
    # The warehouse may not have been built yet.
    with suppress(ExtractError), lock_warehouse(settings, "access", tell) as warehouse, session(warehouse) as connection:
        read_tables(connection, key, tables, unread)
    tables.update(rows_of(settings, ledger, key))
    tables.update(verdicts_of(settings, key))
    return Known(key, forgotten_at(settings, key), tuple(contacts_of(settings, ledger, key)), tables, tuple(unread))


def read_tables(connection: duckdb.DuckDBPyConnection, key: str, tables: dict[str, list[Row]], unread: list[str]) -> None:
    """Find the rows of every table and view of the warehouse that has the column KEY."""
    columns = f"from duckdb_columns() where column_name = '{KEY}' and not internal"
    for schema, name in connection.execute(f"select distinct schema_name, table_name {columns} order by all").fetchall():
        try:
            rows = read_rows(connection, f"{quote(schema)}.{quote(name)}", key)
        except duckdb.Error:
            unread.append(name)
            continue
        if rows:
            tables[name] = rows


def read_rows(connection: duckdb.DuckDBPyConnection, relation: str, key: str) -> list[Row]:
    """The rows of a relation with a key, as texts."""
    found = connection.execute(f"select columns(*)::varchar from {relation} where {quote(KEY)} = {literal(key)}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def forgotten_at(settings: Settings, key: str) -> str | None:
    """The time when a person was erased, in UTC; None if never."""
    file = settings.history_dir / "forgotten" / PEOPLE
    if not file.is_file():
        return None
    with weeks.session() as connection:
        query = f"select forgotten_at::varchar from {read_parquet([file])} where {KEY} = {literal(key)}"
        row = connection.execute(query).fetchone()
    return str(row[0]) if row else None


def contacts_of(settings: Settings, ledger: Ledger, key: str) -> Iterator[Contact]:
    """The runs that had a person, oldest first."""
    rows = {row[0]: row for file in contact_files(settings, key) for row in read_contacts(file, key)}
    runs = {run.run_id: run for run in ledger.runs(rows)}
    for run_id, campaign, slot, cell, household in sorted(rows.values(), key=lambda row: (row[2], row[0])):
        run = runs.get(run_id)
        yield Contact(
            run_id, campaign, f"{slot:%Y-%m-%dT%H:%M:%SZ}", run.state if run else None, cell, household,
            ledger.provider_of(run) if run else None, tuple(files_of(run)) if run else (),
        )  # fmt: skip


def contact_files(settings: Settings, key: str) -> list[Path]:
    """The files of contacts that have a person."""
    candidates = [file for file in history_files(settings) if file.name == weeks.CONTACTS]
    return files_with(candidates, key)


def read_contacts(file: Path, key: str) -> list[tuple[Any, ...]]:
    """A person's rows in a file of contacts."""
    with weeks.session() as connection:
        query = f"select run_id, campaign, slot, cell, household_key from {read_parquet([file])} where {KEY} = {literal(key)}"
        return connection.execute(query).fetchall()


def files_of(run: Run) -> Iterator[File]:
    """The files of a run, without side files."""
    for entry in run.parts:
        if not entry.part.side:
            yield File(entry.part.name, entry.location, entry.part.route, entry.part.sha256)


def lines(known: Known) -> Iterator[str]:
    """The stored data as text for people."""
    yield f"{KEY} {known.profile_id}"
    if known.forgotten_at:
        yield f"erased on {known.forgotten_at} UTC; the key is kept so that nobody mails this person"
    yield f"contacts: {len(known.contacts) or 'none'}"
    for contact in known.contacts:
        yield f"  {contact.run_id}  {contact.cell}  {contact.state or 'not in the ledger'}"
        for file in contact.files:
            where = file.location or "not delivered"
            yield f"    {file.name} to {contact.provider or 'a provider'} by the route {file.route}: {where}"
    for name, rows in known.tables.items():
        yield f"{name}: {len(rows)}"
        for row in rows:
            yield from (f"  {column}: {text}" for column, text in row.items() if text is not None)
    for name in known.unread:
        yield f"{name}: cannot be read"

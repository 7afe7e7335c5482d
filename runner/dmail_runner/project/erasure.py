"""Removes people from the warehouse, and rewrites its file, so that free blocks do not keep them.

Tables that every build makes again are dropped. In all other tables the rows of a person are deleted. Sources are not changed. On
a server, all this concerns the schema of the target.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.project.server import EXTENSION
from dmail_runner.project.target import Warehouse, find_warehouse
from dmail_runner.project.warehouse import literal, quote, writing_session

COPY = re.compile(r"files_[0-9a-f]{16}")  # a table with the rows of files that were copied to a server
SUFFIXES = ("__audience", "__recipients", "__extract")  # of tables of campaigns, including removed campaigns
IDENTIFIER = re.compile(r'"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|(\w+)')
# Columns that may contain a profile's key. Other columns may have the same number by chance.
IDENTIFYING = "(?i)(^|_)(id|key)$"
OLD, NEW = "dmail_old", "dmail_new"  # names of attached databases

Table = tuple[str, str]  # schema and name


@dataclass
class Erased:
    """The data that was removed from a warehouse.

    Attributes:
        dropped: tables that the next build makes again.
        changed: tables from which rows were deleted, with the number of rows.
        kept: sources in the warehouse that have the person, which only their owner can change.
    """

    dropped: list[str] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def erase_person(settings: Settings, key: str) -> Erased:
    """Remove a person from the warehouse of the present dbt target. The caller must hold the lock of the warehouse.

    Raises:
        DmailError: if the warehouse cannot be read or written.
    """
    warehouse = find_warehouse(settings)
    sources, rebuilt = relations(settings)

    def erase(connection: duckdb.DuckDBPyConnection) -> Erased:
        found = Erased()
        for table in tables(connection, warehouse):
            relation = f"{quote(OLD)}.{quote(table[0])}.{quote(table[1])}"
            if table in rebuilt or table[1].endswith(SUFFIXES) or (warehouse.server and COPY.fullmatch(table[1])):
                connection.execute(f"drop table {relation} cascade")
                found.dropped.append(table[1])
            elif condition := mentions(connection, table, key):
                count = (connection.execute(f"select count(*) from {relation} where {condition}").fetchone() or (0,))[0]
                if count and table in sources:
                    found.kept.append(table[1])
                elif count:
                    connection.execute(f"delete from {relation} where {condition}")
                    found.changed[table[1]] = count
        return found

    if warehouse.schema:
        return erase_folders(warehouse, rebuilt, key)
    if warehouse.server:
        return change_on_server(warehouse, erase)
    return rewrite(warehouse, erase) if warehouse.path.exists() else Erased()


def drop_campaign(settings: Settings, campaign: str) -> list[str]:
    """Drop the tables of a campaign. The caller must hold the lock of the warehouse. Returns their names."""
    warehouse = find_warehouse(settings)
    if warehouse.schema:
        found = [folder for folder in table_folders(warehouse) if is_of(folder.name, campaign)]
        for folder in found:
            shutil.rmtree(folder)
        return [folder.name for folder in found]

    def drop(connection: duckdb.DuckDBPyConnection) -> list[str]:
        own = [table for table in tables(connection, warehouse) if is_of(table[1], campaign)]
        for schema, name in own:
            connection.execute(f"drop table {quote(OLD)}.{quote(schema)}.{quote(name)} cascade")
        return [name for _, name in own]

    return change_on_server(warehouse, drop) if warehouse.server else rewrite(warehouse, drop)


def has_tables(settings: Settings, campaign: str) -> bool:
    """Whether the warehouse has tables of a campaign. The caller must hold its lock. False if another program has it open."""
    warehouse = find_warehouse(settings)
    if warehouse.schema:
        return any(is_of(folder.name, campaign) for folder in table_folders(warehouse))
    if not warehouse.path.exists():
        return False
    with suppress(duckdb.Error), connect() as connection:
        if warehouse.server:
            attach_server(connection, warehouse, "read_only")
        else:
            connection.execute(warehouse.attach(warehouse.path, OLD, "read_only"))
        return any(is_of(name, campaign) for _, name in tables(connection, warehouse))
    return False


def is_of(table: str, campaign: str) -> bool:
    """Whether a table is one of a campaign's three models."""
    return table.removeprefix(campaign) in SUFFIXES


T = TypeVar("T")


def rewrite(warehouse: Warehouse, change: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    """Change the database, and copy the rest into a new file, which replaces the old one by a rename.

    Args:
        warehouse: a DuckDB file.
        change: changes the database, which is attached as OLD.

    Raises:
        DmailError: if the file cannot be read or written. Its text has no values of rows.
    """
    new = warehouse.path.with_name(f".{warehouse.path.name}.new")
    with explained(warehouse), suppress_leftover(new):
        with writing_session(warehouse) as connection:
            connection.execute(warehouse.attach(warehouse.path, OLD))
            found = change(connection)
            connection.execute(warehouse.attach(new, NEW, "storage_version 'latest'"))
            connection.execute(f"copy from database {OLD} to {NEW}")
            connection.execute(f"detach {NEW}")
            connection.execute(f"detach {OLD}")
        new.chmod(0o600)
        new.replace(warehouse.path)
        warehouse.path.with_name(f"{warehouse.path.name}.wal").unlink(missing_ok=True)
        return found


def change_on_server(warehouse: Warehouse, change: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    """Change a database on a server, which is attached as OLD: completely, or not at all. Raises DmailError."""
    with explained(warehouse), connect() as connection:
        attach_server(connection, warehouse)
        connection.begin()
        found = change(connection)
        connection.commit()
        return found


def attach_server(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, *options: str) -> None:
    """Attach the database of a server as OLD."""
    if warehouse.server:
        connection.execute(f"set extension_directory = {literal(warehouse.config['extension_directory'])}")
        connection.execute(f"load {EXTENSION}")
        connection.execute(warehouse.server.attach(OLD, *options))


@contextmanager
def suppress_leftover(new: Path) -> Iterator[None]:
    """Remove the incomplete file of an earlier attempt, and of this one."""
    new.unlink(missing_ok=True)
    try:
        yield
    finally:
        for path in (new, new.with_name(f"{new.name}.wal")):
            path.unlink(missing_ok=True)


@contextmanager
def explained(warehouse: Warehouse) -> Iterator[None]:
    """A DmailError in place of each error of DuckDB."""
    try:
        yield
    except duckdb.Error as error:
        if warehouse.server:
            what = f"the schema {warehouse.server.schema} on PostgreSQL cannot be changed: {type(error).__name__}"
            raise DmailError(
                what, todo="start the server, or give the target's user the rights to drop and delete; then try again"
            ) from None
        raise DmailError(
            f"the warehouse {warehouse.path} cannot be rewritten: {type(error).__name__}",
            todo="close other programs that have it open, and try again; if it is damaged, remove it: every build makes it again",
        ) from None


def tables(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> list[Table]:
    """The tables of the attached database OLD, by schema and name."""
    if warehouse.server:
        # DuckDB lists views of a server among its tables.
        schema = literal(warehouse.server.schema)
        query = f"select schemaname, tablename from pg_tables where schemaname = {schema} order by tablename"
        return connection.execute("from postgres_query(?, ?)", [OLD, query]).fetchall()
    query = f"select schema_name, table_name from duckdb_tables() where database_name = '{OLD}' order by all"
    return connection.execute(query).fetchall()


def mentions(connection: duckdb.DuckDBPyConnection, table: Table, key: str) -> str:
    """SQL that is true for the rows of a table with a key in a column named `..id` or `..key`; empty without such a column."""
    query = (
        f"select column_name from duckdb_columns() where database_name = '{OLD}' and schema_name = ? and table_name = ? "
        f"and regexp_matches(column_name, '{IDENTIFYING}') order by column_index"
    )
    columns = [name for (name,) in connection.execute(query, list(table)).fetchall()]
    return " or ".join(f"cast({quote(column)} as varchar) = {literal(key)}" for column in columns)


def relations(settings: Settings) -> tuple[set[Table], set[Table]]:
    """The tables of dbt's sources, and the tables that every build makes again, from the last manifest."""
    content: Mapping[str, Any] = {}
    with suppress(OSError, ValueError):
        content = json.loads(settings.target_file("manifest.json").read_bytes())
    built = (node for node in content.get("nodes", {}).values() if node.get("config", {}).get("materialized") == "table")
    return {*named(content.get("sources", {}).values())}, {*named(built)}


def named(entries: Iterable[Mapping[str, Any]]) -> Iterator[Table]:
    """The schema and the name of each relation."""
    for entry in entries:
        words = ["".join(found) for found in IDENTIFIER.findall(entry.get("relation_name") or "")]
        if len(words) > 1:
            yield words[-2], words[-1]


def table_folders(warehouse: Warehouse) -> list[Path]:
    """The folders of Spark's tables."""
    return [folder for folder in warehouse.path.iterdir() if folder.is_dir()] if warehouse.path.is_dir() else []


def erase_folders(warehouse: Warehouse, rebuilt: set[Table], key: str) -> Erased:
    """Remove a person from the tables of a Spark target."""
    found = Erased()
    names = {name for _, name in rebuilt}
    for folder in table_folders(warehouse):
        if folder.name in names or folder.name.endswith(SUFFIXES):
            shutil.rmtree(folder)
            found.dropped.append(folder.name)
            continue
        for file in folder.glob("*.parquet"):
            if count := erase_file(warehouse, file, key):
                found.changed[folder.name] = found.changed.get(folder.name, 0) + count
    return found


def erase_file(warehouse: Warehouse, file: Path, key: str) -> int:
    """Delete a person's rows from a Parquet file of Spark. Returns their number."""
    rows, new = f"read_parquet({literal(str(file))})", file.with_name(f".{file.name}.new")
    with explained(warehouse), suppress_leftover(new), connect() as connection:
        columns = [
            name for name, kind, *_ in connection.execute(f"describe select * from {rows}").fetchall() if kind == "VARCHAR"
        ]
        condition = " or ".join(f"{quote(column)} = {literal(key)}" for column in columns) or "false"
        count = (connection.execute(f"select count(*) from {rows} where {condition}").fetchone() or (0,))[0]
        if count:
            kept = f"select * from {rows} where ({condition}) is not true"
            connection.execute(f"copy ({kept}) to {literal(str(new))} (format parquet, compression snappy)")
            new.replace(file)
            file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
        return int(count)

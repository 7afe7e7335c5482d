"""DuckDB sessions on what dbt has built: a DuckDB file, a PostgreSQL server, or the Parquet files of a Spark cluster."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.lock import locked
from dmail_runner.core.redact import one_line, redact
from dmail_runner.core.settings import Settings
from dmail_runner.project.target import Warehouse, clear_work, find_warehouse

LOCK_TIMEOUT = 3600.0  # seconds to wait for another build

# Fixed values of the settings that the order of rows in a file depends on.
ORDER = {"preserve_insertion_order": "true", "default_order": "asc", "default_collation": ""}


@contextmanager
def lock_warehouse(
    settings: Settings, purpose: str, on_wait: Callable[[str], None], *, timeout: float = LOCK_TIMEOUT
) -> Iterator[Warehouse]:
    """Hold the lock of the warehouse and the working folders, and delete the leftovers of killed builds.

    Args:
        purpose: the purpose of the lock, for processes that wait for it.
        on_wait: called once with a line of text if another process holds the lock.
        timeout: seconds to wait for the lock.

    Yields:
        The warehouse.

    Raises:
        Busy: if another process still holds the lock after `timeout`.
        ConfigError: if the dbt target cannot be read.
    """
    warehouse = find_warehouse(settings)
    settings.prepare()
    warehouse.path.parent.mkdir(parents=True, exist_ok=True)
    if not warehouse.is_file:
        warehouse.path.mkdir(exist_ok=True)
        warehouse.path.chmod(0o700)
    lock_file = warehouse.path.with_name(f"{warehouse.path.name}.lock")
    with (
        locked(settings.state_dir / "build.lock", purpose, timeout=timeout, on_wait=on_wait),
        locked(lock_file, purpose, timeout=timeout, on_wait=on_wait),
    ):
        clear_work(settings)
        # DuckDB creates the last folder of this path, but not its parents.
        warehouse.spill.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield warehouse


@contextmanager
def session(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only session with the settings of the dbt target.

    Raises:
        ExtractError: if the database cannot be opened, and in place of every DuckDB error within the context. The messages do not
            contain values of rows.
    """
    if not warehouse.path.exists():
        raise not_built()
    try:
        connection = connect_to(warehouse)
    except duckdb.Error as error:
        raise ExtractError(f"the warehouse {warehouse.path} cannot be opened: {redact(first_line(error))}") from None
    try:
        for name, value in {"TimeZone": "UTC", **warehouse.config, **ORDER}.items():
            if not re.fullmatch(r"\w+", name):
                raise ExtractError(f"{name!r} is not a setting of DuckDB")
            connection.execute(f"set {name} = {literal(value)}")
        open_attached(connection, warehouse)
        yield connection
    except duckdb.OutOfMemoryException:
        raise ExtractError(
            f"DuckDB needs more memory than {warehouse.config.get('memory_limit', 'it has')}",
            todo="raise `memory_limit` in profiles/profiles.yml, or give `temp_directory` more room",
        ) from None
    except duckdb.CatalogException:
        raise not_built() from None
    except duckdb.Error as error:
        if "No files found" in str(error):
            raise ExtractError(
                "a file that a view of the warehouse reads is gone, such as one of the contact history",
                todo="dmail-runner run CAMPAIGN --dry-run builds the views again",
            ) from None
        raise ExtractError(f"DuckDB could not read the warehouse: {type(error).__name__}") from None
    finally:
        connection.close()


def connect_to(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """A read-only session on a file, on a file that is attached, or on the files of Spark; or one that is to attach a server."""
    if warehouse.schema:
        return connect_to_files(warehouse)
    if warehouse.server:
        return connect()
    if not warehouse.alias:
        return connect(warehouse.path, read_only=True)
    connection = connect()
    connection.execute(warehouse.attach(warehouse.path, warehouse.alias, "read_only"))
    connection.execute(f"use {quote(warehouse.alias)}")
    return connection


def open_attached(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Give the session the target's other databases. Raises ExtractError, without the statement, which may contain a password."""
    for statement in warehouse.opening:
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            what = " ".join(statement.split()[:2]) if statement.startswith("load") else statement.split()[0]
            raise ExtractError(
                f"the session cannot {what} as the dbt target does: {one_line(redact(first_line(error)))}",
                todo="compare `extensions`, `secrets` and `attach` in profiles.yml with what is installed and reachable",
            ) from None


def connect_to_files(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """A session in memory, with one view for each table that Spark has written."""
    connection = connect()
    schema = quote(warehouse.schema or "")
    connection.execute(f"create schema {schema}")
    for folder in warehouse.path.iterdir():
        if any(folder.glob("*.parquet")):
            files = literal(str(folder / "*.parquet"))
            connection.execute(f"create view {schema}.{quote(folder.name)} as select * from read_parquet({files})")
    return connection


def writing_session(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """An empty session that can write the warehouse's file."""
    names = ("extension_directory", "temp_file_encryption")
    given: dict[str, Any] = {name: warehouse.config[name] for name in names if name in warehouse.config}
    memory = warehouse.config.get("memory_limit", "2GB")
    connection = connect(temp_directory=str(warehouse.spill), memory_limit=memory, preserve_insertion_order=False, **given)
    for statement in warehouse.writing:
        connection.execute(statement)
    return connection


def not_built() -> ExtractError:
    return ExtractError(
        "the warehouse does not have the campaign's tables: it has not been built here yet",
        todo="dmail-runner run CAMPAIGN --dry-run builds it",
    )


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def quote(identifier: str) -> str:
    """Quote a SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def printed(column: str) -> str:
    """SQL for a column's value as text; null if it is null or empty."""
    return f"nullif(cast({quote(column)} as varchar), '')"

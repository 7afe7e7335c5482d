"""DuckDB sessions on what dbt has built: a DuckDB file, or the Parquet files of a Spark cluster."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.lock import locked
from dmail_runner.core.settings import Settings
from dmail_runner.project.target import Warehouse, clear_work, find_warehouse

PATIENCE = 3600.0  # seconds to wait for another build

# What the order of a file must not depend on.
ORDER = {"preserve_insertion_order": "true", "default_order": "asc", "default_collation": ""}


@contextmanager
def building(settings: Settings, purpose: str, tell: Callable[[str], None]) -> Iterator[Warehouse]:
    """Have the warehouse and the working folders alone: one build at a time. What killed ones have left there is gone.

    Waits for another, and says for whom; raises Busy after an hour.
    """
    warehouse = find_warehouse(settings)
    settings.prepare()
    warehouse.path.parent.mkdir(parents=True, exist_ok=True)
    if warehouse.schema:
        warehouse.path.mkdir(exist_ok=True)
        warehouse.path.chmod(0o700)
    beside = warehouse.path.with_name(f"{warehouse.path.name}.lock")
    with (
        locked(settings.state_dir / "build.lock", purpose, patience=PATIENCE, tell=tell),
        locked(beside, purpose, patience=PATIENCE, tell=tell),
    ):
        clear_work(settings)
        # DuckDB makes one folder where it spills, and none above it.
        warehouse.spill.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield warehouse


@contextmanager
def session(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only session with the settings of the dbt target. Raises ExtractError where the file cannot be opened.

    DuckDB's errors become ExtractErrors, without the values that they may quote.
    """
    if not warehouse.path.exists():
        raise not_built()
    try:
        connection = connect_to_files(warehouse) if warehouse.schema else duckdb.connect(str(warehouse.path), read_only=True)
    except duckdb.Error as error:
        raise ExtractError(f"the warehouse {warehouse.path} cannot be opened: {first_line(error)}") from None
    try:
        for name, value in {"TimeZone": "UTC", **warehouse.config, **ORDER}.items():
            if not re.fullmatch(r"\w+", name):
                raise ExtractError(f"{name!r} is no setting of DuckDB")
            connection.execute(f"set {name} = {literal(value)}")
        yield connection
    except duckdb.OutOfMemoryException:
        raise ExtractError(
            f"DuckDB needs more memory than {warehouse.config.get('memory_limit', 'it has')}",
            todo="raise `memory_limit` in profiles/profiles.yml, or give `temp_directory` more room",
        ) from None
    except duckdb.CatalogException:
        raise not_built() from None
    except duckdb.Error as error:
        raise ExtractError(f"DuckDB could not read the warehouse: {type(error).__name__}") from None
    finally:
        connection.close()


def connect_to_files(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """A session in which each table that Spark has written is a view of its name, read where it lies."""
    connection = duckdb.connect()
    schema = quote(warehouse.schema or "")
    connection.execute(f"create schema {schema}")
    for folder in warehouse.path.iterdir():
        if any(folder.glob("*.parquet")):
            files = literal(str(folder / "*.parquet"))
            connection.execute(f"create view {schema}.{quote(folder.name)} as select * from read_parquet({files})")
    return connection


def not_built() -> ExtractError:
    return ExtractError(
        "the warehouse lacks what is asked for: the campaign has not been built here yet",
        todo="dmail-runner run CAMPAIGN --dry-run builds it",
    )


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def quote(identifier: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def printed(column: str) -> str:
    """A column as the file shows it: text, and nothing where it is null or empty."""
    return f"nullif(cast({quote(column)} as varchar), '')"

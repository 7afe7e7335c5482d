"""DuckDB connections that install and load only named extensions, so that SQL cannot fetch code from the network."""

from pathlib import Path

import duckdb

from dmail_runner.core.links import KEY, prepare_links
from dmail_runner.core.parquet import KEYS, key_statement

Value = str | bool | int | float | list[str]
SAFE: dict[str, Value] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}


def connect(database: Path | str = ":memory:", *, read_only: bool = False, **settings: Value) -> duckdb.DuckDBPyConnection:
    """Open a database. The session has the keys of the contact history and of addresses, which views of the warehouse read.

    Args:
        database: the file; by default a database in memory.
        read_only: whether it can only be read.
        settings: more settings of DuckDB.
    """
    connection = duckdb.connect(str(database), read_only=read_only, config={**SAFE, **settings})
    if KEYS.current:
        connection.execute(key_statement(KEYS.current))
    if KEY.current:
        prepare_links(connection, KEY.current)
    return connection

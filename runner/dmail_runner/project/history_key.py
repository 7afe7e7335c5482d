"""A plugin of dbt-duckdb that gives dbt's session the key of the contact history. dbt's process imports it.

profiles.yml names it: `plugins: [{module: dmail_runner.project.history_key}]`. The models then read encrypted files.
"""

import os
from typing import Any

import duckdb

from dmail_runner.core.errors import UsageError
from dmail_runner.core.parquet import CREATE, VARIABLE, key_statement, parse_key


class Plugin:
    """The functions that dbt-duckdb calls. Its base class is not imported, because the runner's process imports no dbt."""

    def __init__(self, name: str, plugin_config: dict[str, Any], credentials: object = None) -> None:
        self.name, self.config, self.creds = name, plugin_config, credentials

    def update_connection_config(self, creds: object, config: dict[str, Any]) -> None:
        """Nothing to change."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Add the key. All cursors of a connection have it. Raises UsageError if it is not set."""
        key = parse_key(os.environ.get(VARIABLE))
        if key is None:
            raise UsageError(f"{VARIABLE} is not set, and the target reads an encrypted contact history", todo=CREATE)
        conn.execute(key_statement(key))

    def configure_cursor(self, cursor: object) -> None:
        """Nothing to change."""

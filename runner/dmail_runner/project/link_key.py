"""A plugin of dbt-duckdb that gives dbt's sessions the key of personal addresses. dbt's process imports it.

profiles.yml names it: `plugins: [{module: dmail_runner.project.link_key}]`. The models can then call `purl()`.
"""

import os
from typing import Any

import duckdb

from dmail_runner.core.links import VARIABLE, prepare_links, set_key
from dmail_runner.core.parquet import parse_key


class Plugin:
    """The functions that dbt-duckdb calls. Its base class is not imported, because the runner's process imports no dbt."""

    def __init__(self, name: str, plugin_config: dict[str, Any], credentials: object = None) -> None:
        self.name, self.config, self.creds = name, plugin_config, credentials

    def update_connection_config(self, creds: object, config: dict[str, Any]) -> None:
        """Nothing to change."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Add the key, and the function that draws QR codes. Without a key, only the models that need it fail."""
        if key := parse_key(os.environ.get(VARIABLE), VARIABLE):
            prepare_links(conn, key)

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Add the key, because cursors do not share it."""
        if key := parse_key(os.environ.get(VARIABLE), VARIABLE):
            set_key(cursor, key)

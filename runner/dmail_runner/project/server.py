"""A PostgreSQL database as dbt's target, as DuckDB attaches it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.redact import register_secret
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml, render

# The keys of a dbt target, and libpq's names of them.
KEYS = {
    "host": "host",
    "port": "port",
    "user": "user",
    "username": "user",
    "password": "password",
    "pass": "password",
    "dbname": "dbname",
    "database": "dbname",
    "connect_timeout": "connect_timeout",
    "sslmode": "sslmode",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslrootcert": "sslrootcert",
}
EXTENSION = "postgres"
TARGET = "files"  # the dbt target that copies files to a server
COPYING = "while copying "  # the beginning of what the macro says before it copies a file
VARIABLE = "DBT_ENV_SECRET_DMAIL_SERVER"  # dbt writes the value of such a variable nowhere
RESERVED = ("memory", "system", "temp")  # databases of every DuckDB session


@dataclass(frozen=True)
class Server:
    """A PostgreSQL database.

    Attributes:
        connection: libpq's connection string. It may contain a password.
        database: the database's name, with which the names of dbt's relations begin.
        schema: the schema that dbt builds in.
    """

    connection: SecretStr = field(repr=False)
    database: str
    schema: str

    def attach(self, name: str, *options: str) -> str:
        """The statement that attaches the database. It contains the connection string."""
        given = ", ".join(["type postgres", *options])
        return f"attach {literal(self.connection.get_secret_value())} as {quoted(name)} ({given})"

    @property
    def opening(self) -> tuple[str, ...]:
        """The statements by which a session reads the schema as dbt names it."""
        place = f"{quoted(self.database)}.{quoted(self.schema)}"
        return (f"load {EXTENSION}", self.attach(self.database, "read_only"), f"use {place}")


def find_server(output: Mapping[str, Any], file: str, key: str) -> Server:
    """The server of a dbt target, whose keys are not rendered. Raises ConfigError."""
    written = {name: value for name, value in output.items() if name in (*KEYS, "schema", "role")}
    # For dbt, a port from the environment needs a filter.
    plain = {
        name: re.sub(r"\|\s*(int|as_number)\s*\}\}", "}}", str(value)) for name, value in written.items() if value is not None
    }
    found = render(plain, file, key)
    given = {KEYS[name]: str(value) for name, value in found.items() if name in KEYS and value != ""}
    database, schema = given.get("dbname", ""), str(found.get("schema") or "")
    faults = []
    for name, value in (("dbname", database), ("schema", schema)):
        if not value or value in RESERVED:
            faults.append(Problem(file, f"{key}.{name}", "is required, and must not be " + ", ".join(RESERVED)))
    if faults:
        raise ConfigError(faults)
    if "password" in given:
        register_secret(given["password"])
        register_secret(libpq(given["password"])[1:-1])
    if found.get("role"):
        given["options"] = f"-c role={found['role']}"
    return Server(SecretStr(" ".join(f"{name}={libpq(value)}" for name, value in given.items())), database, schema)


def copying(settings: Settings, server: Server, target: Path) -> list[str]:
    """The arguments of dbt on DuckDB, which copies the files of sources to a server. Its profile is written into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    profile = str(read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml")["profile"])
    content = copying_profile(profile, settings.extensions_dir, os.environ.get("DMAIL_MEMORY_LIMIT"))
    (target / "profiles.yml").write_text(json.dumps(content))
    return ["run-operation", "dmail.postgres_copy_files", "--args", json.dumps({"schema": server.schema})]


def copying_profile(profile: str, extensions: Path, memory: str | None) -> dict[str, Any]:
    """A profile of dbt in which DuckDB has the server attached, in order to copy files to it."""
    server = {"path": f"{{{{ env_var('{VARIABLE}') }}}}", "type": "postgres", "alias": "dmail_server"}
    output = {
        "type": "duckdb",
        "path": ":memory:",
        "threads": 1,
        "extensions": [EXTENSION],
        "attach": [server],
        "config_options": {
            "extension_directory": str(extensions),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
        "settings": {"TimeZone": "UTC", **({"memory_limit": memory} if memory else {})},
    }
    return {profile: {"target": TARGET, "outputs": {TARGET: output}}}


def libpq(value: str) -> str:
    """A value in a connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""A PostgreSQL server as dbt's target, as DuckDB attaches it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.redact import register_secret

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
RESERVED = ("memory", "system", "temp")  # databases of every DuckDB session


@dataclass(frozen=True)
class Server:
    """A schema of a PostgreSQL database.

    Attributes:
        connection: libpq's connection string. It may contain a password.
        database: the database, by whose name the relations of dbt begin.
        schema: the schema that dbt builds in.
    """

    connection: SecretStr = field(repr=False)
    database: str
    schema: str

    def attach(self, name: str, *options: str) -> str:
        """The statement that attaches the schema. It contains the connection string."""
        given = ", ".join(["type postgres", f"schema {literal(self.schema)}", *options])
        return f"attach {literal(self.connection.get_secret_value())} as {quoted(name)} ({given})"

    @property
    def opening(self) -> tuple[str, ...]:
        """The statements by which a session reads the schema as dbt names it."""
        place = f"{quoted(self.database)}.{quoted(self.schema)}"
        return (f"load {EXTENSION}", self.attach(self.database, "read_only"), f"use {place}")


def find_server(output: Mapping[str, Any], file: str, key: str) -> Server:
    """The server of a dbt target. Raises ConfigError."""
    given = {KEYS[name]: str(value) for name, value in output.items() if name in KEYS and value not in (None, "")}
    database, schema = given.get("dbname", ""), str(output.get("schema") or "")
    faults = []
    for name, value in (("dbname", database), ("schema", schema)):
        if not value or value in RESERVED:
            faults.append(Problem(file, f"{key}.{name}", "is required, and must not be " + ", ".join(RESERVED)))
    if faults:
        raise ConfigError(faults)
    if "password" in given:
        register_secret(given["password"])
    if output.get("role"):
        given["options"] = f"-c role={output['role']}"
    return Server(SecretStr(" ".join(f"{name}={libpq(value)}" for name, value in given.items())), database, schema)


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


TARGET = "files"
VARIABLE = "DBT_ENV_SECRET_DMAIL_SERVER"  # dbt writes the value of such a variable nowhere


def libpq(value: str) -> str:
    """A value in a connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""The databases, secrets and extensions of a dbt target, for the runner's own DuckDB sessions.

Views of a project may read other databases. Without the target's attachments, no other session could read these views. The keys
are those of dbt-duckdb.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import ConfigError, Problem

REMOTE = re.compile(r"[a-z][a-z0-9+.-]+:|:memory:", re.IGNORECASE)
FILES = ("", "duckdb", "sqlite")  # the types whose path is a file
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def opening_statements(output: Mapping[str, Any], project_dir: Path, file: str, key: str) -> tuple[str, ...]:
    """The SQL statements that open the target's databases in a session. They may contain secrets.

    Args:
        output: `extensions`, `secrets` and `attach` of the target, rendered.
        project_dir: the folder that relative paths start at.
        file, key: the location of the target's declaration, for errors.

    Raises:
        ConfigError: if an entry has a form that dbt-duckdb does not accept.
    """
    return (
        *(load_statement(entry, file, f"{key}.extensions") for entry in output.get("extensions") or []),
        *(secret_statement(entry, file, f"{key}.secrets") for entry in output.get("secrets") or []),
        *(
            attach_statement(entry, project_dir, file, f"{key}.attach")
            for entry in output.get("attach") or []
            if entry is not own_entry(output)
        ),
    )


def own_entry(output: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The entry of `attach` that is the warehouse itself: with `path: ":memory:"`, the one that `database` names."""
    if output.get("path") != ":memory:" or not output.get("database"):
        return None
    entries = (entry for entry in output.get("attach") or [] if isinstance(entry, Mapping))
    return next((entry for entry in entries if entry.get("alias") == output["database"]), None)


def load_statement(entry: Any, file: str, key: str) -> str:
    """Load an extension that dbt has installed. The runner installs none."""
    return f"load {name_in(entry.get('name') if isinstance(entry, Mapping) else entry, file, key)}"


def secret_statement(entry: Any, file: str, key: str) -> str:
    """Create a secret of the session."""
    if not isinstance(entry, Mapping) or not entry.get("type"):
        raise ConfigError([Problem(file, key, "each entry needs a `type`", "{type: s3, key_id: ..., secret: ...}")])
    name = f" {name_in(entry['name'], file, f'{key}.name')}" if entry.get("name") else ""
    options = {option: value for option, value in entry.items() if option not in ("name", "persistent") and value is not None}
    return f"create or replace secret{name} ({', '.join(secret_options(options, file, key))})"


def secret_options(options: Mapping[str, Any], file: str, key: str) -> Iterator[str]:
    for option, value in options.items():
        written = name_in(option, file, key)
        if option in ("type", "provider"):
            yield f"{written} {name_in(value, file, f'{key}.{option}')}"
        elif isinstance(value, Mapping):
            pairs = ", ".join(f"{text(name)}: {text(content)}" for name, content in value.items())
            yield f"{written} map {{{pairs}}}"
        elif isinstance(value, list) and option == "scope":
            yield from (f"scope {text(item)}" for item in value)
        elif isinstance(value, list):
            yield f"{written} [{', '.join(map(text, value))}]"
        else:
            yield f"{written} {text(value)}"


def attach_statement(entry: Any, project_dir: Path, file: str, key: str) -> str:
    """Attach a database for reading only, even if dbt may write to it."""
    if not isinstance(entry, Mapping) or not entry.get("path"):
        raise ConfigError([Problem(file, key, "each entry needs a `path`", "{path: crm.duckdb, alias: crm}")])
    given = {**(entry.get("options") or {}), **entry}
    path, kind = str(given["path"]), str(given.get("type") or "")
    if kind in FILES and not REMOTE.match(path):
        path = str(project_dir / path)
    alias = f" as {name_in(given['alias'], file, f'{key}.alias')}" if given.get("alias") else ""
    skipped = ("path", "alias", "type", "secret", "read_only", "options", "is_ducklake")
    options = [
        *(f"{option} {name_in(given[option], file, f'{key}.{option}')}" for option in ("type", "secret") if given.get(option)),
        "read_only",
        *(f"{name_in(option, file, key)} {text(value)}" for option, value in given.items() if option not in skipped),
    ]
    return f"attach if not exists {text(path)}{alias} ({', '.join(options)})"


def name_in(value: Any, file: str, key: str) -> str:
    """A name for a statement. Raises ConfigError if the value is not a name."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ConfigError([Problem(file, key, f"{value!r} is not a name", "letters, digits and underscores")])
    return value


def text(value: Any) -> str:
    """A value as a SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"

"""The dbt target that the runner builds in and exports from: a DuckDB file, a PostgreSQL server, or a folder of Spark tables."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dmail_runner.core import links
from dmail_runner.core.duck import SAFE
from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.extensions import extension_names, link_extensions
from dmail_runner.core.parquet import CRYPTO, VARIABLE
from dmail_runner.core.redact import register_secret
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml, render
from dmail_runner.project.attached import opening_statements, own_entry, text
from dmail_runner.project.server import EXTENSION, Server, find_server

USED = ("type", "path", "database", "schema", "config_options", "settings", "extensions", "secrets", "attach", "plugins")
PLUGIN, LINK_PLUGIN = "dmail_runner.project.history_key", "dmail_runner.project.link_key"


@dataclass(frozen=True)
class Warehouse:
    """The database that dbt builds in.

    Attributes:
        path: the DuckDB file; or the folder of a Spark target, in which each table is a folder of Parquet files; or an empty
            folder, which is there as soon as something was built on a server.
        config: the DuckDB settings of a session on it.
        spill: the folder for DuckDB's temporary files.
        schema: the schema of a Spark target; None for others.
        server: the PostgreSQL server; None for others.
        alias: the name that the file is attached by; None if DuckDB opens it directly.
        key: the key of an encrypted file.
        opening: the statements that load the target's extensions, create its secrets, and attach its other databases.
        closed: whether dbt's own connections load no extension that the target does not name. The runner's never do.
    """

    path: Path
    config: dict[str, str]
    spill: Path
    schema: str | None = None
    server: Server | None = None
    alias: str | None = None
    key: SecretStr | None = None
    opening: tuple[str, ...] = field(default=(), repr=False)
    closed: bool = True

    @property
    def is_file(self) -> bool:
        """Whether it is a DuckDB file."""
        return self.schema is None and self.server is None

    def attach(self, file: Path, name: str, *options: str) -> str:
        """The statement that attaches a file with the warehouse's key. It contains the key."""
        keyed = [f"encryption_key {text(self.key.get_secret_value())}"] if self.key else []
        given = ", ".join([*options, *keyed])
        return f'attach {text(file)} as "{name}"' + (f" ({given})" if given else "")

    @property
    def writing(self) -> tuple[str, ...]:
        """The statements that a session needs before it writes the file. DuckDB encrypts with the code of an extension."""
        return (f"load {CRYPTO}",) if self.key else ()


def clear_work(settings: Settings) -> None:
    """Delete the temporary files of killed commands, which may contain personal data."""
    leftovers = [folder for folder in settings.work_dir.iterdir() if folder.name != "parse"]
    for folder in (*leftovers, find_warehouse(settings).spill):
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Declared:
    """A target as dbt's profiles.yml declares it.

    Attributes:
        file, key: the location of the declaration, for errors.
        name: the target's name.
        output: its keys, not rendered.
    """

    file: str
    key: str
    name: str
    output: dict[str, Any]


def declared_target(settings: Settings) -> Declared:
    """Find the target in dbt's profiles.yml. Raises ConfigError."""
    path = settings.dbt_profiles_file
    file = str(path.relative_to(settings.project_dir)) if path.is_relative_to(settings.project_dir) else str(path)
    profile_name = str(read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("profile"))
    profile = read_yaml(path, file).get(profile_name)
    if not isinstance(profile, dict) or not isinstance(profile.get("outputs"), dict):
        raise ConfigError([Problem(file, profile_name, "is required, with `outputs`, because dbt_project.yml refers to it")])
    name = settings.target or str(render(profile.get("target", "default"), file, f"{profile_name}.target"))
    key = f"{profile_name}.outputs.{name}"
    output = profile["outputs"].get(name)
    if not isinstance(output, dict):
        raise ConfigError([Problem(file, key, "there is no such target", ", ".join(profile["outputs"]))])
    return Declared(file, key, name, output)


def other_targets(settings: Settings) -> list[str]:
    """The names of the other targets of the project's profile, whose warehouses are not those of this command."""
    profile = str(read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("profile"))
    outputs = read_yaml(settings.dbt_profiles_file, str(settings.dbt_profiles_file))[profile]["outputs"]
    return [name for name in outputs if name != declared_target(settings).name]


def require_extensions(names: list[str], folder: Path, file: str, key: str) -> None:
    """Give DuckDB the installed extensions. Raises ConfigError if one is missing: nothing is fetched from the network."""
    for name, command in link_extensions(names, folder).items():
        raise ConfigError([Problem(file, key, f"`{name}` is not installed for this version of DuckDB", command)])


def find_warehouse(settings: Settings) -> Warehouse:
    """Read the target of dbt's profiles.yml. Raises ConfigError if the runner cannot export from it."""
    declared = declared_target(settings)
    file, key = declared.file, declared.key
    output = render({name: declared.output.get(name) for name in USED}, file, key)
    if output["type"] not in ("duckdb", "postgres", "spark"):
        what = "the runner exports from DuckDB, from PostgreSQL, or from Spark's files"
        raise ConfigError([Problem(file, f"{key}.type", what, "duckdb, postgres, spark")])
    own = own_entry(output)
    path = str(own.get("path") or "") if own else output["path"]
    if output["type"] == "duckdb" and (not path or path == ":memory:"):
        raise ConfigError([Problem(file, f"{key}.path", "must be a file, which dbt builds and the runner exports from")])
    config = {name: str(value) for name, value in (output["settings"] or {}).items()}
    if "temp_directory" in config:
        what = "must be under config_options: dbt applies `settings` before every model, and DuckDB cannot change this one later"
        raise ConfigError([Problem(file, f"{key}.settings.temp_directory", what)])
    # A subfolder, because the next run deletes the rows that a killed DuckDB leaves there.
    spill = settings.project_dir / (output["config_options"] or {}).get("temp_directory", settings.work_dir) / "dmail-spill"
    config["temp_directory"] = str(spill)
    if output["type"] != "duckdb" and settings.history_key:
        name = {"spark": "Spark", "postgres": "PostgreSQL"}[output["type"]]
        raise ConfigError([Problem(file, f"{key}.type", f"{name} cannot read an encrypted contact history: unset {VARIABLE}")])
    if output["type"] == "spark":
        return Warehouse(settings.spark_dir, config, spill, str(output["schema"]))
    if output["type"] == "postgres":
        server = find_server(declared.output, file, key)
        require_extensions([EXTENSION], settings.extensions_dir, file, f"{key}.type")
        config["extension_directory"] = str(settings.extensions_dir)
        return Warehouse(settings.state_dir / "postgres", config, spill, server=server, opening=server.opening)
    options = {**(output["config_options"] or {}), **config}
    if folder := options.get("extension_directory"):
        config["extension_directory"] = str(settings.project_dir / folder)
        require_extensions(extension_names(output), settings.project_dir / folder, file, f"{key}.extensions")
    check_history_key(settings, output, options, file, key)
    closed = all(str(options.get(name)).lower() == "false" for name in SAFE)
    opening = opening_statements(output, settings.project_dir, file, key)
    secret = encryption_key(own, output, options, file, key) if own else None
    if secret:
        config["temp_file_encryption"] = "true"
    alias = str(own["alias"]) if own else None
    return Warehouse(settings.project_dir / path, config, spill, alias=alias, key=secret, opening=opening, closed=closed)


def link_faults(settings: Settings) -> Iterator[Problem]:
    """What a target lacks for personal addresses: the key in the environment, and the plugin that gives it to dbt's sessions."""
    if not settings.link_key:
        yield Problem(links.VARIABLE, "", "is not set: it is the key of the personal addresses of pieces", links.CREATE)
    declared = declared_target(settings)
    output, key = render({name: declared.output.get(name) for name in USED}, declared.file, declared.key), declared.key
    if output["type"] != "duckdb":
        yield Problem(declared.file, f"{key}.type", "personal addresses (`purl()`) are made on DuckDB only", "duckdb")
    elif LINK_PLUGIN not in modules(output):
        what = "needs the plugin that gives the models the key of personal addresses (`purl()`)"
        yield Problem(declared.file, f"{key}.plugins", what, f"[{{module: {LINK_PLUGIN}}}]")


def modules(output: Mapping[str, Any]) -> list[str]:
    """The modules of a target's plugins."""
    return [str(entry.get("module")) for entry in output.get("plugins") or [] if isinstance(entry, Mapping)]


def encryption_key(
    own: Mapping[str, Any], output: Mapping[str, Any], options: Mapping[str, Any], file: str, key: str
) -> SecretStr | None:
    """The key of an attached warehouse; None if it is not encrypted. Raises ConfigError if DuckDB would write rows in plain."""
    given = {**own, **(own.get("options") or {})}.get("encryption_key")
    if given is None:
        return None
    faults = []
    if not str(given).strip():
        faults.append(Problem(file, f"{key}.attach", "the `encryption_key` is empty"))
    faults += plain_faults(output, options, file, key)
    if faults:
        raise ConfigError(faults)
    register_secret(str(given))
    return SecretStr(str(given))


def plain_faults(output: Mapping[str, Any], options: Mapping[str, Any], file: str, key: str) -> Iterator[Problem]:
    """The settings of a target with which DuckDB could not encrypt all that it writes."""
    if CRYPTO not in extension_names(output):
        what = f"needs `{CRYPTO}`: without it DuckDB does not write encrypted files"
        yield Problem(file, f"{key}.extensions", what, f"[{CRYPTO}]")
    if str(options.get("temp_file_encryption")).lower() != "true":
        what = "must be true: DuckDB would write rows in plain into its temporary files"
        yield Problem(file, f"{key}.config_options.temp_file_encryption", what, "true")


def check_history_key(settings: Settings, output: Mapping[str, Any], options: Mapping[str, Any], file: str, key: str) -> None:
    """Raises ConfigError if the target and the environment disagree on whether the contact history is encrypted."""
    faults = []
    if settings.history_key:
        if PLUGIN not in modules(output):
            what = f"needs the plugin with which models read an encrypted contact history, because {VARIABLE} is set"
            faults.append(Problem(file, f"{key}.plugins", what, f"[{{module: {PLUGIN}}}]"))
        faults += plain_faults(output, options, file, key)
    elif PLUGIN in modules(output):
        faults.append(Problem(file, f"{key}.plugins", f"{VARIABLE} is not set, and this target's contact history is encrypted"))
    if faults:
        raise ConfigError(faults)

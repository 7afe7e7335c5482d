"""The dbt target that the runner builds in and exports from: a DuckDB file, or a folder of Spark tables."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.core.duck import SAFE
from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml, render


@dataclass(frozen=True)
class Warehouse:
    """The database that dbt builds in.

    Attributes:
        path: the DuckDB file; or the folder of a Spark target, in which each table is a folder of Parquet files.
        config: the DuckDB settings of a session on it.
        spill: the folder for DuckDB's temporary files.
        schema: the schema of a Spark target; None for DuckDB.
        extensions: the extensions of DuckDB that the target names. The runner loads no others.
        closed: whether dbt's own connections load no others, either.
    """

    path: Path
    config: dict[str, str]
    spill: Path
    schema: str | None = None
    extensions: tuple[str, ...] = ()
    closed: bool = True


def clear_work(settings: Settings) -> None:
    """Delete the temporary files of killed commands, which may contain personal data."""
    leftovers = [folder for folder in settings.work_dir.iterdir() if folder.name != "parse"]
    for folder in (*leftovers, find_warehouse(settings).spill):
        shutil.rmtree(folder, ignore_errors=True)


def other_targets(settings: Settings) -> list[str]:
    """The names of the other targets of the project's profile, whose warehouses are not those of this command."""
    project = read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml")
    file = "profiles/profiles.yml"
    profile = read_yaml(settings.profiles_dir / "profiles.yml", file).get(str(project.get("profile"))) or {}
    own = settings.target or str(render(profile.get("target", "default"), file, "target"))
    return [name for name in profile.get("outputs") or () if name != own]


def find_warehouse(settings: Settings) -> Warehouse:
    """Read the target of `profiles/profiles.yml`. Raises ConfigError if the runner cannot export from it."""
    file = "profiles/profiles.yml"
    project = read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml")
    profile_name = str(project.get("profile"))
    profile = read_yaml(settings.profiles_dir / "profiles.yml", file).get(profile_name)
    if not isinstance(profile, dict) or not isinstance(profile.get("outputs"), dict):
        raise ConfigError([Problem(file, profile_name, "is required, with `outputs`, because dbt_project.yml refers to it")])
    target = settings.target or str(render(profile.get("target", "default"), file, f"{profile_name}.target"))
    key = f"{profile_name}.outputs.{target}"
    output = profile["outputs"].get(target)
    if not isinstance(output, dict):
        raise ConfigError([Problem(file, key, "there is no such target", ", ".join(profile["outputs"]))])
    output = render(
        {name: output.get(name) for name in ("type", "path", "schema", "config_options", "settings", "extensions")}, file, key
    )
    if output["type"] not in ("duckdb", "spark"):
        raise ConfigError([Problem(file, f"{key}.type", "the runner exports from DuckDB or from Spark's files", "duckdb, spark")])
    if output["type"] == "duckdb" and (not output["path"] or output["path"] == ":memory:"):
        raise ConfigError([Problem(file, f"{key}.path", "must be a file, which dbt builds and the runner exports from")])
    config = {name: str(value) for name, value in (output["settings"] or {}).items()}
    if "temp_directory" in config:
        what = "must be under config_options: dbt applies `settings` before every model, and DuckDB cannot change this one later"
        raise ConfigError([Problem(file, f"{key}.settings.temp_directory", what)])
    # A subfolder, because the next run deletes the rows that a killed DuckDB leaves there.
    spill = settings.project_dir / (output["config_options"] or {}).get("temp_directory", settings.work_dir) / "dmail-spill"
    config["temp_directory"] = str(spill)
    if output["type"] == "spark":
        return Warehouse(settings.spark_dir, config, spill, str(output["schema"]))
    named = (entry.get("name") if isinstance(entry, dict) else entry for entry in output["extensions"] or ())
    options = {**(output["config_options"] or {}), **config}
    closed = all(str(options.get(name)).lower() == "false" for name in SAFE)
    return Warehouse(settings.project_dir / output["path"], config, spill, extensions=tuple(map(str, named)), closed=closed)

"""The dbt target that is built: a DuckDB file, or a folder of Spark's."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml, render


@dataclass(frozen=True)
class Warehouse:
    """The DuckDB file that dbt builds in, what a session on it is given, and where the runner lets DuckDB spill.

    `schema`: of a Spark target. `path` is then the folder in which each of its tables is a folder of Parquet files.
    """

    path: Path
    config: dict[str, str]
    spill: Path
    schema: str | None = None


def clear_work(settings: Settings) -> None:
    """Remove what killed commands have left in the working folders: it may hold personal data."""
    left = [folder for folder in settings.work_dir.iterdir() if folder.name != "parse"]
    for folder in (*left, find_warehouse(settings).spill):
        shutil.rmtree(folder, ignore_errors=True)


def find_warehouse(settings: Settings) -> Warehouse:
    """Where the target of `profiles/profiles.yml` builds: a DuckDB file, or a folder of Spark's. Raises ConfigError."""
    file = "profiles/profiles.yml"
    project = read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml")
    profile_name = str(project.get("profile"))
    profile = read_yaml(settings.profiles_dir / "profiles.yml", file).get(profile_name)
    if not isinstance(profile, dict) or not isinstance(profile.get("outputs"), dict):
        raise ConfigError([Problem(file, profile_name, "is required, with `outputs`: dbt_project.yml names it")])
    target = settings.target or str(render(profile.get("target", "default"), file, f"{profile_name}.target"))
    key = f"{profile_name}.outputs.{target}"
    output = profile["outputs"].get(target)
    if not isinstance(output, dict):
        raise ConfigError([Problem(file, key, "there is no such target", ", ".join(profile["outputs"]))])
    output = render({name: output.get(name) for name in ("type", "path", "schema", "config_options", "settings")}, file, key)
    if output["type"] not in ("duckdb", "spark"):
        raise ConfigError([Problem(file, f"{key}.type", "the runner exports from DuckDB or from Spark's files", "duckdb, spark")])
    if output["type"] == "duckdb" and (not output["path"] or output["path"] == ":memory:"):
        raise ConfigError([Problem(file, f"{key}.path", "must be a file: dbt builds it, and the runner exports from it")])
    config = {name: str(value) for name, value in (output["settings"] or {}).items()}
    if "temp_directory" in config:
        what = "must stand under config_options: here it is set again for every model, which DuckDB refuses once it has spilled"
        raise ConfigError([Problem(file, f"{key}.settings.temp_directory", what)])
    # A folder of its own within the given one: a killed DuckDB leaves rows there, which the next run may then remove.
    spill = settings.project_dir / (output["config_options"] or {}).get("temp_directory", settings.work_dir) / "dmail-spill"
    config["temp_directory"] = str(spill)
    if output["type"] == "spark":
        return Warehouse(settings.spark_dir, config, spill, str(output["schema"]))
    return Warehouse(settings.project_dir / output["path"], config, spill)

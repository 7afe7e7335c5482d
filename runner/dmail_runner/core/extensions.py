"""DuckDB extensions that come as Python packages, in the folder where DuckDB finds them. None is fetched from the network."""

import importlib.util
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import duckdb

from dmail_runner.core.duck import connect

NAMES = {"postgres": "postgres_scanner", "sqlite": "sqlite_scanner", "mysql": "mysql_scanner"}  # DuckDB's aliases
EXTRAS = {
    "azure": "azure",
    "delta": "delta",
    "excel": "excel",
    "httpfs": "s3",
    "iceberg": "iceberg",
    "mysql_scanner": "mysql",
    "postgres_scanner": "postgres",
    "sqlite_scanner": "sqlite",
}
"""The extra of this project that installs an extension."""
NEEDS = {"delta": ("httpfs",), "iceberg": ("avro", "httpfs")}
"""The extensions that another one loads."""


def link_extensions(names: list[str], folder: Path) -> dict[str, str]:
    """Link the installed extensions into a folder as DuckDB expects it: `v1.5.5/linux_amd64/NAME.duckdb_extension`.

    Args:
        names: the extensions, or DuckDB's aliases of them.
        folder: the setting `extension_directory` of DuckDB.

    Returns:
        For each of the names that is in no package and not in the folder, the command that installs it.
    """
    if not names:
        return {}
    version = f"v{duckdb.__version__}"
    place = folder / version / platform()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    missing = {}
    for name in names:
        extension = NAMES.get(name, name)
        for needed in (*NEEDS.get(extension, ()), extension):
            file = place / f"{needed}.duckdb_extension"
            if found := packaged(needed, version):
                with suppress(FileExistsError):
                    file.symlink_to(found)
            elif not file.exists():
                missing[name] = advice(extension)
    return missing


def packaged(extension: str, version: str) -> Path | None:
    """The file of an extension in its Python package; None if there is none for this version of DuckDB."""
    package = importlib.util.find_spec(f"duckdb_extension_{extension}")
    if package is None or not package.submodule_search_locations:
        return None
    file = Path(package.submodule_search_locations[0], "extensions", version, f"{extension}.duckdb_extension")
    return file if file.exists() else None


def advice(extension: str) -> str:
    """The command that installs an extension for this version of DuckDB."""
    if extension in EXTRAS:
        return f"pip install 'dmail-runner[{EXTRAS[extension]}]'"
    return f"pip install duckdb-extension-{extension.replace('_', '-')}=={duckdb.__version__}"


def platform() -> str:
    """DuckDB's name of the machine, such as `linux_amd64`."""
    with connect() as connection:
        row = connection.execute("pragma platform").fetchone()
    return str(row[0]) if row else ""


def extension_names(output: Mapping[str, object]) -> list[str]:
    """The names in `extensions` of a dbt target. dbt-duckdb takes a name, or a mapping with `name` and `repo`."""
    listed = output.get("extensions")
    entries = listed if isinstance(listed, list) else []
    return [str(entry.get("name")) if isinstance(entry, Mapping) else str(entry) for entry in entries]

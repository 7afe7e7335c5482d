"""The files that dbt parses, and a hash of all of them."""

import hashlib
import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.project.dbt_program import named_version
from dmail_runner.project.packages import package_folders

# The folders that dbt reads, by key of dbt_project.yml, with its defaults.
DBT_PATHS = {
    "model-paths": ["models"],
    "macro-paths": ["macros"],
    "seed-paths": ["seeds"],
    "test-paths": ["tests"],
    "snapshot-paths": ["snapshots"],
    "analysis-paths": ["analyses"],
    "function-paths": ["functions"],
    "docs-paths": [],
}
COMPANIONS = ("dbt_project.yml", "packages.yml", "package-lock.yml", "dependencies.yml", "selectors.yml", ".dbtignore")
PARSED = {".sql", ".py", ".yml", ".yaml", ".md", ".csv"}


def project_fingerprint(settings: Settings) -> str:
    """A hash of all files that dbt parses, the environment variables that they name, the target, and dbt's version."""
    digest = hashlib.sha256(f"{settings.target} {named_version() or version('dbt-core')}".encode())
    names: set[str] = set()
    profiles = settings.dbt_profiles_file
    # dbt's profiles.yml may be outside the project.
    for path in sorted({*parsed_files(settings.project_dir), *([profiles] if profiles.is_file() else [])}):
        content = path.read_bytes()
        name = os.path.relpath(path, settings.project_dir)
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        names.update(name.decode() for name in re.findall(rb"env_var\(\s*['\"](\w+)", content))
    for name in sorted(names):
        digest.update(f"{name}={os.environ.get(name)!r}\0".encode())
    return digest.hexdigest()


def parsed_files(project_dir: Path) -> Iterator[Path]:
    """The files that dbt's manifest depends on: the project's and its packages'."""
    yield from project_files(project_dir)
    for folder in package_folders(project_dir):
        yield from project_files(folder)


def project_files(project_dir: Path) -> Iterator[Path]:
    """A project's files: in the paths of its `dbt_project.yml`, in `profiles`, and in its top folder."""
    project = read_yaml(project_dir / "dbt_project.yml", "dbt_project.yml")
    folders = {"profiles"}
    for key, default in DBT_PATHS.items():
        folders.update(map(str, project.get(key) or default))
    yield from (project_dir / name for name in COMPANIONS if (project_dir / name).is_file())
    for folder in sorted(folders):
        yield from (path for path in files_below(project_dir / folder) if path.suffix in PARSED)


def files_below(folder: Path) -> Iterator[Path]:
    """The files below a folder. Symbolic links are followed, as in dbt, except for links to a parent folder."""
    for here, folders, files in os.walk(folder, followlinks=True):
        folder = Path(here)
        entered = {folder.resolve(), *folder.resolve().parents}
        folders[:] = [name for name in folders if (folder / name).resolve() not in entered]
        yield from (folder / name for name in files)

"""The files that dbt parses, and a hash of all of them."""

import hashlib
import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml

# Where dbt looks, by key of dbt_project.yml, with its defaults.
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
PARSED = {".sql", ".py", ".yml", ".yaml", ".md", ".csv"}


def project_fingerprint(settings: Settings) -> str:
    """A hash of every file that dbt parses, of the environment variables that they name, of the target and dbt's version."""
    digest = hashlib.sha256(f"{settings.target} {version('dbt-core')}".encode())
    names: set[str] = set()
    for path in sorted(project_files(settings.project_dir)):
        content = path.read_bytes()
        digest.update(str(path.relative_to(settings.project_dir)).encode() + b"\0" + hashlib.sha256(content).digest())
        names.update(name.decode() for name in re.findall(rb"env_var\(\s*['\"](\w+)", content))
    for name in sorted(names):
        digest.update(f"{name}={os.environ.get(name)!r}\0".encode())
    return digest.hexdigest()


def project_files(project_dir: Path) -> Iterator[Path]:
    """The files that decide what dbt's manifest says: those in the paths of `dbt_project.yml`, and its companions."""
    project = read_yaml(project_dir / "dbt_project.yml", "dbt_project.yml")
    folders: set[str] = {"profiles", str(project.get("packages-install-path", "dbt_packages"))}
    for key, default in DBT_PATHS.items():
        folders.update(map(str, project.get(key) or default))
    for companion in ("dbt_project.yml", "packages.yml", "package-lock.yml", "dependencies.yml", "selectors.yml", ".dbtignore"):
        if (project_dir / companion).is_file():
            yield project_dir / companion
    for folder in folders:
        yield from (path for path in (project_dir / folder).rglob("*") if path.suffix in PARSED and path.is_file())

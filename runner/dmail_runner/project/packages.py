"""The packages that a dbt project has installed: other dbt projects, in a folder that `dbt deps` fills."""

from collections.abc import Iterator
from pathlib import Path

from dmail_runner.core.yaml import read_yaml


def package_folders(project_dir: Path) -> Iterator[Path]:
    """The folders of the installed packages, as dbt finds them. A local package is a symbolic link to its folder."""
    folder = package_folder(project_dir)
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if (path / "dbt_project.yml").is_file())


def package_folder(project_dir: Path) -> Path:
    """The folder that `dbt deps` installs packages into."""
    project = read_yaml(project_dir / "dbt_project.yml", "dbt_project.yml")
    return project_dir / str(project.get("packages-install-path") or "dbt_packages")


def package_paths(project_dir: Path) -> dict[str, str]:
    """The paths of the packages within the project, by name. Links are resolved. Packages outside of the project are left out."""
    inside = project_dir.resolve()
    found = {name_of(folder): folder.resolve() for folder in package_folders(project_dir)}
    return {name: str(path.relative_to(inside)) for name, path in found.items() if path.is_relative_to(inside)}


def name_of(folder: Path) -> str:
    """The name of the dbt project in a folder."""
    return str(read_yaml(folder / "dbt_project.yml", str(folder / "dbt_project.yml")).get("name"))

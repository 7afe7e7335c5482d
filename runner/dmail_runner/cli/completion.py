"""Shell completion of names. It reads only the project's files, without dbt, and offers nothing if they cannot be read."""

from contextlib import suppress
from pathlib import Path

import typer


def find_project(context: typer.Context) -> Path:
    """The project folder that the command would use."""
    given = context.find_root().params.get("project_dir")
    candidates = [Path(given)] if given else [Path.cwd(), *Path.cwd().parents]
    return next((folder for folder in candidates if (folder / "dbt_project.yml").is_file()), Path("/nowhere"))


def campaign_names(context: typer.Context) -> list[str]:
    """The names of the campaigns' folders."""
    return sorted(folder.name for folder in (find_project(context) / "models/campaigns").glob("[!.]*/"))


def route_names(context: typer.Context) -> list[str]:
    """The entries of profiles/routes.yml."""
    import yaml

    with suppress(OSError, ValueError, yaml.YAMLError):
        entries = yaml.safe_load((find_project(context) / "profiles/routes.yml").read_text(encoding="utf-8"))
        return sorted(map(str, entries)) if isinstance(entries, dict) else []
    return []

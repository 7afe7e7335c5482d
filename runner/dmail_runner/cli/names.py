"""What the shell offers for a name: read from the project's files alone, in no time, and nothing where they cannot be read."""

from contextlib import suppress
from pathlib import Path

import typer


def project(context: typer.Context) -> Path:
    """The project that the command would take."""
    given = context.find_root().params.get("project_dir")
    above = [Path(given)] if given else [Path.cwd(), *Path.cwd().parents]
    return next((folder for folder in above if (folder / "dbt_project.yml").is_file()), Path("/nowhere"))


def campaign_names(context: typer.Context) -> list[str]:
    """The campaigns' folders, without a look into them."""
    return sorted(folder.name for folder in (project(context) / "models/campaigns").glob("[!.]*/"))


def route_names(context: typer.Context) -> list[str]:
    """The entries of profiles/routes.yml."""
    import yaml

    with suppress(OSError, ValueError, yaml.YAMLError):
        entries = yaml.safe_load((project(context) / "profiles/routes.yml").read_text(encoding="utf-8"))
        return sorted(map(str, entries)) if isinstance(entries, dict) else []
    return []

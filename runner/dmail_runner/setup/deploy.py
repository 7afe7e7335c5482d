"""Writes the files that start the runner on a schedule: for GitHub Actions, Airflow, Dagster, Kubernetes or systemd."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.project.dbt_process import OWN_VARIABLES
from dmail_runner.project.fingerprint import project_files
from dmail_runner.setup.draft import STARTER, filled

TEMPLATES = STARTER / "deploy"
READ = re.compile(r"""\benv_var\(\s*(['"])(?P<name>\w+)\1\s*(?P<default>,)?""")
FILE = re.compile(r"""\{\{\s*file\(\s*(['"])(?P<path>[^'"]+)\1\s*\)\s*\}\}""")
# How the files of each orchestrator name a variable, and what they have in its place if there is none.
LINES = {
    "airflow": "    {name}",
    "dagster": "    {name}",
    "github-actions": "      {name}: ${{{{ secrets.{name} }}}}",
    "kubernetes": "                - name: {name}\n"
    "                  valueFrom: {{secretKeyRef: {{name: dmail-<<NAME>>, key: {name}}}}}",
    "systemd": "{name}=",
}
NONE = {"airflow": "    (none)", "dagster": "    (none)", "github-actions": '      DO_NOT_TRACK: "1"'}
ORCHESTRATORS = tuple(sorted(LINES))


@dataclass(frozen=True)
class Needed:
    """What a project reads from outside.

    Attributes:
        required: the environment variables without a default.
        optional: those with one, except for the settings of the runner (docs/reference/environment.md).
        files: the paths of files with secrets.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    files: tuple[str, ...]


def deployment_files(settings: Settings, orchestrator: str, version: str) -> tuple[Mapping[str, str], Needed]:
    """The files that start the runner, by path within the project, and what they must provide.

    Args:
        orchestrator: one of ORCHESTRATORS.
        version: the version of dmail-runner that the files install.

    Raises:
        UsageError: if the orchestrator is unknown, a file exists, or the project's path has quotes or the like.
    """
    if orchestrator not in ORCHESTRATORS:
        raise UsageError(f"{orchestrator!r} is unknown", todo=f"use {', '.join(ORCHESTRATORS)}")
    needed = find_needed(settings)
    name = str(read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("name") or "project")
    given = {
        "PROJECT": re.sub(r"\W", "_", name),
        "NAME": re.sub("[^a-z0-9]+", "-", name.lower())[:40].strip("-"),
        "VERSION": version,
        "DIRECTORY": str(settings.project_dir.absolute()),
        "COMMAND": str(Path(sys.executable).with_name("dmail-runner")),
    }
    for path in (given["DIRECTORY"], given["COMMAND"]):
        if re.search(r"[^\w ./+-]", path):
            raise UsageError(f"{path} has characters that these files cannot contain", todo="move the project, then try again")
    marks = {f"<<{key}>>": value for key, value in given.items()}
    marks["<<VARIABLES>>"] = filled(variables(orchestrator, needed), marks)
    templates = TEMPLATES / orchestrator
    files = {
        str(path.relative_to(templates)).replace("dot_", ".").replace("PROJECT", given["PROJECT"]): filled(
            path.read_text(encoding="utf-8"), marks
        )
        for path in sorted(templates.rglob("*"))
        if path.is_file()
    }
    if taken := sorted(path for path in files if os.path.lexists(settings.project_dir / path)):
        raise UsageError(f"{', '.join(taken)} would be overwritten", todo="move the existing files away, and compare them then")
    return files, needed


def find_needed(settings: Settings) -> Needed:
    """Find the environment variables and the secret files that the project's files name. Raises ConfigError."""
    texts = [path.read_text("utf-8", "replace") for path in {*project_files(settings.project_dir), settings.dbt_profiles_file}]
    found = [match for text in texts for match in READ.finditer(uncommented(text))]
    required = {match["name"] for match in found if not match["default"]} - OWN_VARIABLES
    optional = {match["name"] for match in found if not match["name"].startswith("DMAIL_")} - required
    files = {match["path"] for text in texts for match in FILE.finditer(uncommented(text))}
    return Needed(*(tuple(sorted(names)) for names in (required, optional, files)))


def uncommented(text: str) -> str:
    """A text without the comments of Jinja and YAML."""
    return re.sub(r"(?m)^\s*(#|--).*$", "", re.sub(r"(?s)\{#.*?#\}", "", text))


def variables(orchestrator: str, needed: Needed) -> str:
    """The lines that name the variables in the files of an orchestrator."""
    lines = [LINES[orchestrator].format(name=name) for name in (*needed.required, *needed.optional)]
    return "\n".join(lines) or NONE.get(orchestrator, "")


def write_deployment(settings: Settings, files: Mapping[str, str]) -> None:
    """Write the files into the project. Raises OSError."""
    for name, text in files.items():
        path = settings.project_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

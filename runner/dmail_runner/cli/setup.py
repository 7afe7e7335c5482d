"""The commands `new` and `init`, which create campaigns and projects, and `doctor`, which examines an installation."""

import os
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import AsJson, app, now, say, say_json, watched_dbt
from dmail_runner.cli.completion import campaign_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dmail_runner.doctor import Finding


NewName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The new campaign's name, such as autumn_catalog.")]
Like = Annotated[
    str | None,
    typer.Option(metavar="OTHER", help="Copy this campaign.", show_default=False, autocompletion=campaign_names),
]
NewFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder to create.")]
Network = Annotated[bool, typer.Option("--network", help="Also open a TCP connection to each route's server. Nothing is sent.")]


@app.command()
def new(context: typer.Context, campaign: NewName, like: Like = None) -> None:
    """Create a campaign: a draft that passes `check`, as a small example or as a copy of another campaign.

    Example: dmail-runner new autumn_catalog --like spring_catalog
    """
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.setup.scaffold import new_campaign

    settings = context.obj.settings()
    folder = new_campaign(settings, campaign, lambda: load_manifest(settings, watched_dbt()), like)
    for path in sorted(folder.iterdir()):
        say(str(path.relative_to(settings.project_dir)))
    say(f"a draft; next: dmail-runner check {campaign}, then dmail-runner run {campaign} --dry-run")


@app.command()
def init(folder: NewFolder) -> None:
    """Create a project: the dbt package `dmail`, the models that every campaign needs, one campaign, and a provider.

    Example: dmail-runner init letters
    """
    from dmail_runner.setup.scaffold import FIRST, new_project

    new_project(folder.absolute(), version("dmail-runner"))
    say(f"created a project in {folder}; its README.md describes the files. Next:")
    say(f"  cd {folder}")
    say("  dmail-runner sample-data --rows 10000")
    say(f"  dmail-runner run {FIRST}")


@app.command()
def doctor(context: typer.Context, network: Network = False, as_json: AsJson = False) -> None:
    """Examine the installation: versions, settings, permissions, ledger, routes, keys, clock and disk.

    Each problem is printed with the command or the change that solves it. Nothing is changed, and dbt is not started. Exit code 1
    means that something would stop a delivery.

    Example: dmail-runner doctor --network
    """
    from dmail_runner.doctor import examine

    findings = say_findings(examine(context.obj.settings, now(), callers_umask(), network=network), silent=as_json)
    fit = all(finding.level != "fail" for finding in findings)
    if as_json:
        say_json({"fit": fit, "findings": [asdict(finding) for finding in findings]})
    raise typer.Exit(0 if fit else 1)


def say_findings(findings: "Iterable[Finding]", *, silent: bool) -> "list[Finding]":
    """Print findings as they come, and collect them."""
    found = []
    for finding in findings:
        found.append(finding)
        if not silent:
            text = " ".join(finding.found.split())
            say(f"{finding.level:<6}{finding.what:<14}{text}" + (f"  -> {finding.todo}" if finding.todo else ""))
    return found


def callers_umask() -> int | None:
    """The umask of the calling process; None if it is unknown. This process has set its own."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{os.getppid()}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Umask:")), 8)
    return None

"""Commands that begin something, or see whether all is set up: a campaign, a project, this machine."""

import json
import os
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import AsJson, app, now, say
from dmail_runner.cli.names import campaign_names

if TYPE_CHECKING:
    from dmail_runner.doctor import Finding


@app.command()
def new(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help="Its name, such as autumn_catalog.")],
    like: Annotated[
        str | None, typer.Option(metavar="OTHER", help="Copy this campaign.", show_default=False, autocompletion=campaign_names)
    ] = None,
) -> None:
    """Write a new campaign's folder, as a draft that passes `check`: a small one to change, or a copy of another.

    Example: dmail-runner new autumn_catalog --like spring_catalog
    """
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.setup.scaffold import new_campaign

    settings = context.obj.settings()
    folder = new_campaign(settings, campaign, lambda: load_manifest(settings, run_dbt), like)
    for path in sorted(folder.iterdir()):
        say(str(path.relative_to(settings.project_dir)))
    say(f"a draft; next: dmail-runner check {campaign}, then dmail-runner run {campaign} --dry-run")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is to be made.")],
) -> None:
    """Write a new project: the macros, the models that every campaign needs, one campaign, and what a mail house is told.

    Example: dmail-runner init letters
    """
    from dmail_runner.setup.scaffold import FIRST, new_project

    new_project(folder.absolute(), version("dmail-runner"))
    say(f"a project in {folder}; README.md there says what is where. Next:")
    say(f"  cd {folder}")
    say("  dmail-runner sample-data --rows 10000")
    say(f"  dmail-runner run {FIRST}")


@app.command()
def doctor(
    context: typer.Context,
    network: Annotated[
        bool, typer.Option("--network", help="Knock at the routes' servers, too: a TCP connection, and no more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at versions, settings, permissions, ledger, routes, keys, clock and disk, and say what to type to mend them.

    Changes nothing, and starts no dbt. Ends with exit code 1 where something fails.

    Example: dmail-runner doctor --network
    """
    from dmail_runner.doctor import examine

    findings: list[Finding] = []
    for finding in examine(context.obj.settings, now(), callers_umask(), network=network):
        findings.append(finding)
        if not as_json:
            found = " ".join(finding.found.split())
            say(f"{finding.level:<6}{finding.what:<14}{found}" + (f"  -> {finding.todo}" if finding.todo else ""))
    fit = all(finding.level != "fail" for finding in findings)
    if as_json:
        say(json.dumps({"fit": fit, "findings": [asdict(finding) for finding in findings]}, indent=2))
    raise typer.Exit(0 if fit else 1)


def callers_umask() -> int | None:
    """What the calling process has; this one has set its own."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{os.getppid()}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Umask:")), 8)
    return None

"""The commands that create campaigns, projects and deployments, and `doctor`, which examines an installation."""

import os
import re
import shlex
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import AsJson, app, now, open_project, say, say_json, watched_dbt
from dmail_runner.cli.completion import campaign_names
from dmail_runner.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dmail_runner.cli.base import GlobalOptions
    from dmail_runner.doctor import Finding


NewName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The new campaign's name, such as autumn_catalog.")]
Like = Annotated[
    str | None,
    typer.Option(metavar="OTHER", help="Copy this campaign.", show_default=False, autocompletion=campaign_names),
]
NewFolder = Annotated[Path | None, typer.Argument(metavar="DIR", help="The folder to create.", show_default=False)]
Here = Annotated[bool, typer.Option("--here", help="Add direct mail to the present dbt project.")]
Customers = Annotated[
    str | None,
    typer.Option(metavar="REF", help="With --here: your customers, such as \"ref('dim_customers')\".", show_default=False),
]
Suppressions = Annotated[
    str | None,
    typer.Option(metavar="REF", help="With --here: the customers who must not be mailed.", show_default=False),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="EXPORT",
        help="Your customer export: shopify, hubspot, salesforce, klaviyo, or a file.",
        show_default=False,
    ),
]
Country = Annotated[
    str, typer.Option(metavar="CODE", help="With --here and --from: your country, and that of customers without one.")
]
Orchestrator = Annotated[
    str, typer.Argument(metavar="WHERE", help="One of airflow, dagster, github-actions, kubernetes, systemd.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", help="Write the files without asking.")]
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
def init(
    context: typer.Context,
    folder: NewFolder = None,
    source: From = None,
    here: Here = False,
    customers: Customers = None,
    suppressions: Suppressions = None,
    country: Country = "US",
    yes: Yes = False,
) -> None:
    """Create a project, or add direct mail to an existing dbt project.

    A new project gets the dbt package `dmail`, the models that every campaign needs, one campaign, and a provider. With --from,
    its profiles map the columns of a customer export. With --here, the present project gets all that, with profiles that map the
    columns of --customers. The diff of existing files is printed first.

    Example: dmail-runner init --here --customers "ref('dim_customers')"
    """
    if here and folder is None and customers and source is None:
        add_here(context.obj, customers, suppressions, country, yes)
    elif folder is not None and not here and customers is None:
        create(folder, source, country)
    else:
        raise UsageError(
            "init takes either a folder to create, or --here and --customers",
            todo="dmail-runner init letters, or in your project: dmail-runner init --here --customers \"ref('dim_customers')\"",
        )


def create(folder: Path, source: str | None, country: str) -> None:
    """Create a project, and print the next commands."""
    from dmail_runner.setup.export import find_export, unplaced
    from dmail_runner.setup.scaffold import FIRST, new_project

    export = find_export(source) if source else None
    new_project(folder.absolute(), version("dmail-runner"), export, country_code(country))
    say(f"created a project in {folder}; its README.md describes the files. Next:")
    say(f"  cd {folder}")
    if export is None:
        say("  dmail-runner sample-data --rows 10000")
        say(f"  dmail-runner run {FIRST}")
        return
    named = shlex.quote(str(Path(source).absolute())) if source and Path(source).suffix == ".csv" else "EXPORT.csv"
    say(f"  cp {named} data/profiles.csv")
    say("  or set DMAIL_PROFILES to the path of the export")
    say(f"  dmail-runner run {FIRST} --dry-run")
    if missing := unplaced(export):
        say(f"no column was found for {', '.join(missing)}: see TODO in models/staging/stg_profiles.sql")
    say("data/suppressions.csv is empty: a run is held until it has the people who must not be mailed, or a person accepts that")


def country_code(given: str) -> str:
    """A country's code. Raises UsageError."""
    if not re.fullmatch("[A-Z]{2}", given):
        raise UsageError(f"{given!r} is not a country", todo="use two capital letters, such as US")
    return given


def add_here(options: "GlobalOptions", customers: str, suppressions: str | None, country: str, yes: bool) -> None:
    """Add direct mail to the present project, and print the next commands."""
    from dmail_runner.setup.existing import add, plan_addition
    from dmail_runner.setup.scaffold import FIRST, PACKAGE_FOLDER

    settings, manifest = open_project(options)
    addition = plan_addition(settings, manifest, customers, suppressions, country_code(country))
    say(f"new: {PACKAGE_FOLDER}/, the dbt package, installed as `dbt deps` does")
    for path in sorted(addition.new):
        say(f"new: {path}")
    say(addition.diff().rstrip("\n"), fold=False)
    if not yes:
        confirm()
    add(settings, addition)
    if addition.unplaced:
        say(f"no column was found for {', '.join(addition.unplaced)}: see TODO in dmail_profiles.sql")
    if not suppressions:
        say("there is no suppression list: runs are held until dmail_suppressions.sql has one, or a person accepts that")
    say(f"added a draft campaign. Next: check dmail_profiles.sql, then dmail-runner run {FIRST} --dry-run")


def confirm() -> None:
    """Ask whether to write the files. Exits if the answer is no. Raises UsageError if nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("nothing was written: the input is not a terminal", todo="use --yes if the files above are right")
    if not typer.confirm("Write these files?"):
        raise typer.Exit(1)


@app.command()
def deploy(context: typer.Context, orchestrator: Orchestrator) -> None:
    """Write the files that start the runner on a schedule.

    They name every environment variable and every secret file that the project reads, and contain no secret. Existing files are
    never overwritten.

    Example: dmail-runner deploy kubernetes
    """
    from dmail_runner.setup.deploy import deployment_files, write_deployment

    settings = context.obj.settings()
    files, needed = deployment_files(settings, orchestrator, version("dmail-runner"))
    write_deployment(settings, files)
    for path in files:
        say(path)
    for what, names in (("set", needed.required), ("optional", needed.optional), ("secret file", needed.files)):
        for name in names:
            say(f"  {what:<12}{name}")


@app.command()
def doctor(context: typer.Context, network: Network = False, as_json: AsJson = False) -> None:
    """Examine the installation: versions, settings, permissions, ledger, routes, keys, clock and disk.

    Each problem is printed with the command or the change that solves it; `skip` is what was not tried. Nothing is changed, and
    dbt is not started. Exit code 1 means that something would stop a delivery.

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

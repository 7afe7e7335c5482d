"""The commands `run` and `proof`, which deliver, and `purge`, which cancels old unfinished runs."""

import sys
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dmail_runner.cli.base import (
    AsJson,
    Name,
    Names,
    Slot,
    app,
    attempt,
    log_end,
    now,
    open_campaign,
    open_job,
    open_project,
    open_scheduler,
    parse_slot,
    say,
    say_json,
    screen,
    tell,
)
from dmail_runner.cli.coming import lines_after
from dmail_runner.cli.due import run_due
from dmail_runner.cli.repeated import repeated_dbt
from dmail_runner.core.account import this_account
from dmail_runner.core.errors import ConfigError, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dmail_runner.core.settings import Settings
    from dmail_runner.declare.campaign import Campaign
    from dmail_runner.look.windows import Window
    from dmail_runner.project.dbt_process import RunDbt
    from dmail_runner.project.manifest import Manifest
    from dmail_runner.run.job import Job
    from dmail_runner.run.requested import DryRun, Ended, NothingDue, Request


class Hold(StrEnum):
    """The gates that a person may let a run pass."""

    volume = "volume"
    exclusions = "exclusions"
    difference = "difference"
    budget = "budget"
    stock = "stock"
    address_services = "address_services"


Dry = Annotated[bool, typer.Option("--dry-run", help="Build, check and count. Nothing is delivered or recorded.")]
Due = Annotated[bool, typer.Option("--due", help="Run everything that is due by the schedules, or was not finished.")]
Accept = Annotated[list[Hold] | None, typer.Option(help="Let the slot's run pass this gate. The ledger records who did.")]
Pdf = Annotated[
    Path | None,
    typer.Option("--pdf", metavar="FILE", help="Write pages to this file, and deliver nothing.", dir_okay=False),
]
OfEnvelope = Annotated[
    str | None,
    typer.Option("--envelope", metavar="NAME", help="The window on the pages: din5008-a, din5008-b, dl or us10."),
]
Target = Annotated[str | None, typer.Option(help="The dbt target, such as postgres.", show_default=False)]


@app.command()
def run(
    context: typer.Context,
    campaigns: Names = None,
    slot: Slot = None,
    dry: Dry = False,
    due: Due = False,
    accept: Accept = None,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Build, check, extract and deliver the slot that is due. A finished slot is not run again.

    Without CAMPAIGN, all active campaigns are run.

    Example: dmail-runner run spring_catalog --slot 2027-03-01T11:00Z
    """
    from dmail_runner.run.requested import Request

    check_options(campaigns, slot, dry=dry, due=due, accept=accept)
    request = Request(parse_slot(slot) if slot is not None else None, dry, frozenset(accept or ()))
    screen.silent = as_json
    settings = replace(context.obj, target=target or context.obj.target).settings()
    results: list[dict[str, Any]] = []
    idle = sys.stdout.isatty()
    with repeated_dbt(settings) as run_dbt:
        code = run_due(settings, run_dbt, idle=idle) if due else run_campaigns(settings, run_dbt, campaigns, request, results)
    if as_json:
        say_json({"runs": results or ended_runs(settings)})
    raise typer.Exit(code)


def check_options(campaigns: list[str] | None, slot: str | None, *, dry: bool, due: bool, accept: list[Hold] | None) -> None:
    """Raises UsageError for options that contradict each other."""
    if due and (campaigns or slot is not None or dry or accept):
        raise UsageError("--due cannot be combined with a campaign, --slot, --dry-run or --accept")
    if slot is not None:
        parse_slot(slot)
        if not campaigns:
            raise UsageError("--slot needs a campaign")
    if accept and (slot is None or not campaigns or len(campaigns) != 1):
        raise UsageError(
            "--accept needs one campaign and its --slot, because it applies to one run",
            todo="give both; a run that is held already is continued by `dmail-runner release RUN --reason ...`",
        )


def run_campaigns(
    settings: "Settings", run_dbt: "RunDbt", names: list[str] | None, request: "Request", results: list[dict[str, Any]]
) -> int:
    """Run campaigns one after the other, and print the results. Returns the exit code.

    `results` collects the figures of dry runs, which the ledger does not record.
    """
    from dmail_runner.run.drafts import load_project
    from dmail_runner.run.requested import choose_campaigns

    manifest = load_project(settings, run_dbt, now)
    chosen = choose_campaigns(settings, manifest, names)
    if not chosen:
        say("no campaign is active")
    find = partial(open_job, settings, run_dbt=run_dbt)

    def run_next(name: str) -> None:
        run_one(settings, manifest.campaign(name), request, find, results)

    return worst(attempt(partial(run_next, name)) for name in chosen)


def run_one(
    settings: "Settings",
    campaign: "Campaign",
    request: "Request",
    find: "Callable[[Campaign], Job]",
    results: list[dict[str, Any]],
) -> None:
    """Run one campaign, and print the result."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.requested import DryRun, Ended, run_requested

    scheduler = open_scheduler(settings, Ledger(settings, now))
    result = run_requested(campaign, request, scheduler, find)
    if isinstance(result, DryRun):
        results.append(say_dry_run(campaign.name, result))
    elif isinstance(result, Ended):
        say_ended(campaign.name, result)
        if sys.stdout.isatty():
            say("\n".join(lines_after(campaign, result.run, scheduler.ledger, now())))
    else:
        say_nothing_due(campaign.name, result)


def say_nothing_due(name: str, result: "NothingDue") -> None:
    following = f"the next slot is {result.next_slot:%Y-%m-%d %H:%M} UTC" if result.next_slot else "there is no further slot"
    say(f"{name}: nothing is due; {following}")


def say_dry_run(name: str, result: "DryRun") -> dict[str, Any]:
    """Print the figures of a dry run. Returns them for programs."""
    from dmail_runner.cli.text import dry_run_json, dry_run_lines

    say("\n".join(dry_run_lines(name, result)))
    return dry_run_json(name, result)


def say_ended(name: str, result: "Ended") -> None:
    from dmail_runner.cli.text import run_lines
    from dmail_runner.ledger.run import spoken

    log_end(result.run)
    if result.unchanged:
        say(f"{name}: this slot is {spoken(result.run.state)} already; nothing was done")
    say("\n".join(run_lines(result.run)))


def ended_runs(settings: "Settings") -> list[Any]:
    """The runs of this command, as the ledger has them now."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import run_as_json

    runs = {run.run_id: run for run in Ledger(settings, now).runs(screen.run_ids)}
    return [run_as_json(runs[run_id]) for run_id in screen.run_ids if run_id in runs]


@app.command()
def proof(context: typer.Context, campaign: Name, slot: Slot = None, pdf: Pdf = None, envelope: OfEnvelope = None) -> None:
    """Deliver a file of the test profiles and seed addresses only, under a name with TEST. The campaign must have been built.

    With --pdf, nothing is delivered: the file shows a page for each piece, with its address in the envelope's window.

    Example: dmail-runner proof spring_catalog
    """
    from dmail_runner.cli.text import file_lines, moment
    from dmail_runner.look.proof import prove

    window = window_of(envelope, pdf)
    job, ledger, due = open_campaign(context.obj, campaign, slot)
    if pdf:
        say_pages(job, due, pdf, window)
        return
    delivered = prove(job, due, now(), ledger, str(this_account()))
    say(f"{campaign}  slot {moment(due)}  proof: not to be mailed")
    say("\n".join(line for part, receipt in delivered if not part.side for line in file_lines(part, receipt.location)))


def window_of(envelope: str | None, pdf: Path | None) -> "Window":
    """The window of an envelope. Raises UsageError if it is unknown, or if no pages were asked for."""
    from dmail_runner.look.windows import DEFAULT, WINDOWS

    if envelope and not pdf:
        raise UsageError("--envelope is for --pdf", todo="add --pdf FILE")
    if envelope is not None and envelope not in WINDOWS:
        raise UsageError(f"--envelope {envelope} is unknown", todo=f"give one of {', '.join(WINDOWS)}")
    return WINDOWS[envelope or DEFAULT]


def say_pages(job: "Job", slot: "datetime", file: Path, window: "Window") -> None:
    """Write a proof as PDF, and print what does not fit into the window."""
    from dmail_runner.core.counted import counted
    from dmail_runner.look.proof import draw

    drawn = draw(job, slot, file, window)
    for page, why, fault in drawn.faults:
        say(f"warning: page {page} ({why}): {fault}")
    say(f"{file}: {counted(drawn.pieces, 'piece')}; it has personal data, and nothing was delivered")


@app.command()
def purge(context: typer.Context) -> None:
    """Cancel unfinished runs after the provider's `retention_days`, and delete leftovers of killed processes.

    Example: dmail-runner purge
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.warehouse import lock_warehouse
    from dmail_runner.run.housekeeping import purge_all

    settings, manifest = open_project(context.obj)
    with lock_warehouse(settings, "purge", tell):
        pass  # taking the lock deletes the leftovers of killed builds
    jobs = {name: job for name in manifest.names if (job := job_or_none(settings, manifest, name))}
    for run in purge_all(settings, jobs, Ledger(settings, now), tell):
        say(f"kept     {run.run_id}: some of it may have been delivered; its files are in {settings.spool_dir}")
    say("purged")


def job_or_none(settings: "Settings", manifest: "Manifest", name: str) -> "Job | None":
    """The job of a campaign. Prints a note and returns None if the campaign has errors."""
    try:
        return open_job(settings, manifest.campaign(name))
    except ConfigError as error:
        tell(f"note     {name} has errors: {error.what}")
        return None

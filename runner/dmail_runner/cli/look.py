"""Commands that look and change nothing."""

import json
import shutil
import sys
from dataclasses import asdict
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import (
    AsJson,
    Name,
    Names,
    RunId,
    Slot,
    app,
    attempt,
    found_job,
    loaded,
    now,
    opened,
    opened_ledger,
    say,
    table,
    tell,
    worst,
)
from dmail_runner.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.preview import Preview
    from dmail_runner.look.warnings import Examined
    from dmail_runner.run.job import Job


@app.command("list")
def list_campaigns(context: typer.Context, as_json: AsJson = False) -> None:
    """The campaigns, with status, provider, route and next slot.

    Example: dmail-runner list --json
    """
    from dmail_runner.look.campaigns import listed

    settings, manifest = loaded(context.obj)
    entries = [asdict(entry) for entry in listed(settings, manifest, now())]
    if as_json:
        say(json.dumps({"campaigns": entries}, indent=2))
        return
    keys = ("name", "status", "provider", "route", "next_slot")
    rows = [[entry[key] or "-" for key in keys] for entry in entries]
    table([["campaign", "status", "provider", "route", "next slot"], *rows])


@app.command()
def check(
    context: typer.Context,
    campaigns: Names = None,
    build: Annotated[bool, typer.Option("--build", help="Build the models and look at every row, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find every fault of the configuration at once, and say what a person should know. Errors end with exit code 2.

    Example: dmail-runner check spring_catalog --build
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.check import checked

    settings, manifest = loaded(context.obj)
    ledger = Ledger(settings, now)
    found = checked(settings, manifest, campaigns, ledger, lambda campaign: found_job(settings, campaign))
    say_problems(found, as_json=as_json)
    if found.errors:
        raise ConfigError(list(found.errors))
    if build and (code := worst(attempt(partial(build_one, job, ledger)) for job in found.jobs)):
        raise typer.Exit(code)
    if not as_json:
        say_checked(found)


def build_one(job: "Job", ledger: "Ledger") -> None:
    """Build a campaign for the slot that is due, and look at every row."""
    from dmail_runner.plan.due import due_slot
    from dmail_runner.run.pipeline import dry_run

    dry_run(job, due_slot(job.campaign, ledger, now()) or now(), ledger)


def say_problems(found: "Examined", *, as_json: bool) -> None:
    """Print the warnings; as JSON, the errors as well."""
    if as_json:
        levels = [("error", fault) for fault in found.errors] + [("warning", warning) for warning in found.warnings]
        say(json.dumps({"problems": [{"level": level, **asdict(problem)} for level, problem in levels]}, indent=2))
        return
    for warning in found.warnings:
        say(f"warning: {warning}")


def say_checked(found: "Examined") -> None:
    """Print what a thousand pieces of each campaign cost, and how many campaigns were checked."""
    for job in found.jobs:
        if cost := job.cost(1000):
            say(f"{job.campaign.name}: a thousand pieces cost about {cost}")
    campaigns, warnings = len(found.jobs), len(found.warnings)
    count = f"{warnings} warning{'s' if warnings != 1 else ''}" if warnings else "no warnings"
    say(f"{campaigns} campaign{'s' if campaigns != 1 else ''}, no faults, {count}")


@app.command()
def preview(
    context: typer.Context,
    campaign: Name,
    profile: Annotated[list[str] | None, typer.Option(help="A profile; may be given several times.")] = None,
    test: Annotated[
        bool, typer.Option("--test-profiles", help="Test profiles and seeds, whatever the rules say, over what was built last.")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows, in the file's order.")] = 10,
    as_bytes: Annotated[bool, typer.Option("--bytes", help="The exact bytes of a file of these rows.")] = False,
    slot: Slot = None,
) -> None:
    """Show the file as it would be, without recording or delivering anything. Shows personal data.

    Example: dmail-runner preview spring_catalog --rows 3
    """
    from dmail_runner.look.preview import Wanted, previewed
    from dmail_runner.run.order import trial_order

    job, ledger, due = opened(context.obj, campaign, slot)
    wanted = Wanted(rows, tuple(profile or ()), test)
    with previewed(job, trial_order(job, due, ledger, "preview"), wanted) as found:
        for name, reason in found.out:
            tell(f"note     {name} is not in the file: {reason}")
        if as_bytes:
            write_bytes(found.files)
        else:
            say_preview(job, due, found, test=test)


def write_bytes(files: "Iterable[Path]") -> None:
    """Write the files to standard output as they are."""
    for file in files:
        with file.open("rb") as content:
            shutil.copyfileobj(content, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def say_preview(job: "Job", slot: "datetime", found: "Preview", *, test: bool) -> None:
    """Print the rows, and the figures unless only test profiles were asked for."""
    from dmail_runner.cli.text import figures, record_lines

    say("\n".join(record_lines(found.labels, found.rows, shutil.get_terminal_size().columns)) or "no row")
    if test:
        return
    say(f"{job.campaign.name}  slot {slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC  preview: nothing was delivered or recorded")
    say("\n".join(figures(found.verdicts)))
    if cost := job.cost(found.verdicts.included + found.verdicts.seeds):
        say(f"  cost      about {cost}")


@app.command()
def diff(
    context: typer.Context,
    campaign: Name,
    rows: Annotated[int, typer.Option(min=0, max=1_000_000, help="How many people to name, too.")] = 0,
    slot: Slot = None,
    as_json: AsJson = False,
) -> None:
    """What the slot's file would change against the last one that was delivered: who comes, who goes and why, whose row differs.

    Example: dmail-runner diff spring_catalog --rows 20
    """
    from dmail_runner.cli.text import difference_json, difference_lines
    from dmail_runner.look.diff import difference
    from dmail_runner.plan.slots import next_slot
    from dmail_runner.run.order import trial_order

    job, ledger, due = opened(context.obj, campaign, slot)
    done = ledger.find(campaign, due)
    if slot is None and done and done.state == "settled" and job.campaign.mail.schedule:
        # That file is the last one: what changes is seen in the next.
        due = next_slot(job.campaign.mail.schedule, due) or due
    found = difference(job, trial_order(job, due, ledger, "diff"), rows)
    say(json.dumps(difference_json(found), indent=2) if as_json else "\n".join(difference_lines(campaign, due, found)))


@app.command()
def explain(
    context: typer.Context,
    campaign: Name,
    profile_id: Annotated[str, typer.Argument(help="The profile.")],
    slot: Slot = None,
    as_json: AsJson = False,
) -> None:
    """Why a profile is in or out: what every rule says of it, and its row as it would be printed. Shows personal data.

    Example: dmail-runner explain spring_catalog 0000000042
    """
    from dmail_runner.cli.text import explanation_lines
    from dmail_runner.look.explain import explain as ask

    job, _, due = opened(context.obj, campaign, slot)
    found = ask(job, due, profile_id)
    say(json.dumps(asdict(found), indent=2, ensure_ascii=False) if as_json else "\n".join(explanation_lines(found, due)))


@app.command()
def status(
    context: typer.Context,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="How many runs, the newest first.")] = 20,
) -> None:
    """The runs, newest first.

    Example: dmail-runner status --json
    """
    from dmail_runner.cli.text import run_lines
    from dmail_runner.ledger.run import run_as_json

    _, ledger = opened_ledger(context.obj)
    runs = ledger.latest(limit)
    if as_json:
        say(json.dumps({"runs": [run_as_json(run) for run in runs]}, indent=2))
    else:
        say("\n\n".join("\n".join(run_lines(run)) for run in runs) or "no run yet")


@app.command()
def show(context: typer.Context, run: RunId, as_json: AsJson = False) -> None:
    """One run: its figures, its files, where its pieces go, and everything that happened to it.

    Example: dmail-runner show spring_catalog-20270301T110000Z
    """
    from dmail_runner.cli.text import event_lines, events_json, run_lines
    from dmail_runner.ledger.run import run_as_json
    from dmail_runner.report.rows import read_details

    _, ledger = opened_ledger(context.obj)
    found = ledger.named(run)
    details = read_details(ledger, [run])[run]
    if as_json:
        places = [vars(place) for place in details.places]
        say(json.dumps({**run_as_json(found), "places": places, "events": events_json(details.events)}, indent=2))
    else:
        say("\n".join([*run_lines(found), *event_lines(details.places, details.events)]))

"""Commands that look and change nothing."""

import json
import shutil
import sys
from dataclasses import asdict
from datetime import UTC
from functools import partial
from typing import Annotated

import typer

from dmail_runner.cli.base import AsJson, Name, Names, RunId, Slot, app, attempt, now, opened, say, table, tell
from dmail_runner.core.errors import ConfigError


@app.command("list")
def list_campaigns(context: typer.Context, as_json: AsJson = False) -> None:
    """The campaigns, with status, provider, route and next slot.

    Example: dmail-runner list --json
    """
    from dmail_runner.declare.provider import find_provider
    from dmail_runner.plan.slots import next_slot
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest

    settings = context.obj.settings()
    manifest = load_manifest(settings, run_dbt)
    entries: list[dict[str, str | None]] = []
    for campaign in map(manifest.campaign, manifest.names):
        schedule = campaign.mail.schedule if campaign.mail.status == "active" else None
        following = next_slot(schedule, now()) if schedule else None
        entries.append(
            {
                "name": campaign.name,
                "label": campaign.label,
                "status": campaign.mail.status,
                "provider": campaign.mail.provider,
                "route": find_provider(settings, campaign.mail.provider).route,
                "next_slot": f"{following:%Y-%m-%dT%H:%M:%SZ}" if following else None,
            }
        )
    if as_json:
        say(json.dumps({"campaigns": entries}, indent=2))
    else:
        keys = ("name", "status", "provider", "route", "next_slot")
        table(
            [
                ["campaign", "status", "provider", "route", "next slot"],
                *([entry[key] or "-" for key in keys] for entry in entries),
            ]
        )


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
    from dmail_runner.ledger.route_tests import tried_routes
    from dmail_runner.look.warnings import examine
    from dmail_runner.plan.due import due_slot
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.run.job import find_job, shared_names
    from dmail_runner.run.pipeline import dry_run

    settings = context.obj.settings()
    manifest = load_manifest(settings, run_dbt)
    chosen = list(dict.fromkeys(campaigns or manifest.names))
    ledger = Ledger(settings, now)
    found = examine(chosen, lambda name: find_job(settings, manifest.campaign(name), run_dbt, tell), tried_routes(ledger), now())
    faults = list(dict.fromkeys([*([] if campaigns else manifest.orphans()), *shared_names(settings, manifest), *found.errors]))
    if as_json:
        entries = [("error", fault) for fault in faults] + [("warning", warning) for warning in found.warnings]
        say(json.dumps({"problems": [{"level": level, **asdict(problem)} for level, problem in entries]}, indent=2))
    else:
        for warning in found.warnings:
            say(f"warning: {warning}")
    if faults:
        raise ConfigError(faults)
    built = [
        attempt(partial(dry_run, job, due_slot(job.campaign, ledger, now()) or now(), ledger)) for job in found.jobs if build
    ]
    if any(built):
        raise typer.Exit(next(code for code in (1, 2, 3) if code in built))
    for job in () if as_json else found.jobs:
        if cost := job.cost(1000):
            say(f"{job.campaign.name}: a thousand pieces cost about {cost}")
    if not as_json:
        count = f"{len(found.warnings)} warning{'s' if len(found.warnings) != 1 else ''}" if found.warnings else "no warnings"
        say(f"{len(chosen)} campaign{'s' if len(chosen) != 1 else ''}, no faults, {count}")


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
    from dmail_runner.cli.text import figures, record_lines
    from dmail_runner.look.preview import Wanted, previewed
    from dmail_runner.run.order import trial_order

    job, ledger, due = opened(context.obj, campaign, slot)
    wanted = Wanted(rows, tuple(profile or ()), test)
    with previewed(job, trial_order(job, due, ledger, "preview"), wanted) as found:
        for name, reason in found.out:
            tell(f"note     {name} is not in the file: {reason}")
        if as_bytes:
            for file in found.files:
                with file.open("rb") as content:
                    shutil.copyfileobj(content, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        say("\n".join(record_lines(found.labels, found.rows, shutil.get_terminal_size().columns)) or "no row")
        if not test:
            say(f"{campaign}  slot {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC  preview: nothing was delivered or recorded")
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
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import run_as_json

    settings = context.obj.settings()
    settings.prepare()
    runs = Ledger(settings, now).latest(limit)
    if as_json:
        say(json.dumps({"runs": [run_as_json(run) for run in runs]}, indent=2))
    else:
        say("\n\n".join("\n".join(run_lines(run)) for run in runs) or "no run yet")


@app.command()
def show(context: typer.Context, run: RunId, as_json: AsJson = False) -> None:
    """One run: its figures, its files, where its pieces go, and everything that happened to it.

    Example: dmail-runner show spring_catalog-20270301T110000Z
    """
    from dmail_runner.cli.text import event_lines, run_lines
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import run_as_json
    from dmail_runner.report.rows import read_details

    settings = context.obj.settings()
    settings.prepare()
    ledger = Ledger(settings, now)
    found = ledger.named(run)
    details = read_details(ledger, [run])[run]
    if as_json:
        events = [
            {"at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}", "kind": event.kind, "detail": event.detail} for event in details.events
        ]
        places = [vars(place) for place in details.places]
        say(json.dumps({**run_as_json(found), "places": places, "events": events}, indent=2))
    else:
        say("\n".join([*run_lines(found), *event_lines(details.places, details.events)]))

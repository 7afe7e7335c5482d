"""Commands that show something and change nothing."""

import shutil
import sys
from dataclasses import asdict
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
    now,
    open_campaign,
    open_job,
    open_ledger,
    open_project,
    say,
    say_json,
    say_table,
)
from dmail_runner.cli.coming import wave_lines
from dmail_runner.cli.run_filters import Limit, Long, OfCampaign, OfState, Since, known_state, no_run, parse_day
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ConfigError, worst

if TYPE_CHECKING:
    from datetime import datetime

    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.check import CheckResult
    from dmail_runner.run.job import Job


BuildToo = Annotated[bool, typer.Option("--build", help="Build the models as well, and check every row.")]
People = Annotated[int, typer.Option("--rows", metavar="ROWS", min=0, max=1_000_000, help="The number of people to name.")]
ProfileId = Annotated[str, typer.Argument(help="The profile.")]


@app.command("list")
def list_campaigns(context: typer.Context, as_json: AsJson = False) -> None:
    """List the campaigns, with status, provider, route and next slot.

    Example: dmail-runner list --json
    """
    from dmail_runner.cli.coming import slot_text
    from dmail_runner.look import campaigns

    settings, manifest = open_project(context.obj)
    entries = [asdict(entry) for entry in campaigns.list_campaigns(settings, manifest, now())]
    if as_json:
        say_json({"campaigns": entries})
        return
    rows = [[entry[key] for key in ("name", "status", "provider", "route")] for entry in entries]
    slots = [slot_text(entry["next_slot"], entry["timezone"], now()) for entry in entries]
    say_table([["campaign", "status", "provider", "route", "next slot"], *map(lambda row, slot: [*row, slot], rows, slots)])


@app.command()
def check(context: typer.Context, campaigns: Names = None, build: BuildToo = False, as_json: AsJson = False) -> None:
    """Check the configuration, and report all errors and warnings. Errors end with exit code 2.

    Example: dmail-runner check spring_catalog --build
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.check import check_campaigns

    settings, manifest = open_project(context.obj)
    ledger = Ledger(settings, now)
    found = check_campaigns(settings, manifest, campaigns, ledger, partial(open_job, settings))
    say_problems(found, as_json=as_json)
    late: list[str] = []
    if build and (code := worst(attempt(partial(build_one, job, ledger, late)) for job in found.jobs)):
        raise typer.Exit(code)
    if not as_json:
        say_checked(found, len(set(late)))


def say_problems(found: "CheckResult", *, as_json: bool) -> None:
    """Print the warnings; as JSON, the errors and the waves that wait as well. Raises ConfigError if there are errors."""
    from dmail_runner.cli.text import check_json

    if as_json:
        say_json(check_json(found))
    else:
        for warning in found.warnings:
            say(f"warning: {warning}")
    if found.errors:
        raise ConfigError(list(found.errors))


def build_one(job: "Job", ledger: "Ledger", late: list[str]) -> None:
    """Build a campaign for the slot that is due, and check every row. `late` collects the warnings about its sources."""
    from dmail_runner.plan.due import due_slot
    from dmail_runner.run.pipeline import dry_run

    verdicts, _ = dry_run(job, due_slot(job.campaign, ledger, now()) or now(), ledger)
    late += [source.warning for source in verdicts.sources if source.warning]


def say_checked(found: "CheckResult", late: int) -> None:
    """Print costs, the waves that wait, and how many campaigns were checked. `late`: the number of warnings about sources."""
    from dmail_runner.cli.text import wait_line

    for job in found.jobs:
        if cost := job.cost(1000):
            say(f"{job.campaign.name}: a thousand pieces cost about {cost}")
    for run, wait in found.waits:
        say(wait_line(run, wait))
    campaigns, warnings = len(found.jobs), len(found.warnings) + late
    say(f"{counted(campaigns, 'campaign')}, no errors, {counted(warnings, 'warning') if warnings else 'no warnings'}")


@app.command()
def diff(context: typer.Context, campaign: Name, people: People = 0, slot: Slot = None, as_json: AsJson = False) -> None:
    """Compare the slot's file with the last delivered one: people who are added, removed (with reasons), or changed.

    Example: dmail-runner diff spring_catalog --rows 20
    """
    from dmail_runner.cli.text import difference_json, difference_lines
    from dmail_runner.look.diff import difference
    from dmail_runner.run.order import trial_order

    job, ledger, due = open_campaign(context.obj, campaign, slot)
    due = due if slot is not None else slot_after_last_file(job, ledger, due)
    found = difference(job, trial_order(job, due, ledger, "diff"), people)
    if as_json:
        say_json(difference_json(found))
    else:
        say("\n".join(difference_lines(campaign, due, found)))


def slot_after_last_file(job: "Job", ledger: "Ledger", due: "datetime") -> "datetime":
    """The slot that is due, or the next one if the file of that slot has been delivered."""
    from dmail_runner.plan.slots import next_slot

    run, schedule = ledger.find(job.campaign.name, due), job.campaign.mail.schedule
    delivered = run is not None and run.state == "settled"
    return (next_slot(schedule, due) if delivered and schedule else None) or due


@app.command()
def explain(context: typer.Context, campaign: Name, profile_id: ProfileId, slot: Slot = None, as_json: AsJson = False) -> None:
    """Explain why a profile or a seed address is in the file or not: the result of every rule, and its printed row.

    For a profile that is not targeted, it prints the conditions of the audience. Shows personal data.

    Example: dmail-runner explain spring_catalog 0000000042
    """
    from dmail_runner.cli.text import explanation_lines
    from dmail_runner.look.explain import explain as explain_profile

    job, ledger, due = open_campaign(context.obj, campaign, slot)
    found = explain_profile(job, due, profile_id, ledger)
    if as_json:
        say_json(asdict(found), ensure_ascii=False)
    else:
        say("\n".join(explanation_lines(found, due)))


@app.command()
def status(
    context: typer.Context,
    campaign: OfCampaign = None,
    state: OfState = None,
    since: Since = None,
    long: Long = False,
    as_json: AsJson = False,
    limit: Limit = 20,
) -> None:
    """Show the latest runs, newest slot first.

    Example: dmail-runner status --campaign spring_catalog --since 2027-01-01
    """
    from dmail_runner.cli.run_table import run_table
    from dmail_runner.cli.text import run_json, run_lines
    from dmail_runner.run.answers import mailed_days

    settings, ledger = open_ledger(context.obj)
    runs = ledger.latest(limit, campaign, known_state(state), parse_day(since))
    mailed = mailed_days(settings, runs)
    if as_json:
        say_json({"runs": [run_json(run, mailed.get(run.run_id)) for run in runs]})
    elif long:
        say("\n\n".join("\n".join(run_lines(run, mailed.get(run.run_id))) for run in runs) or no_run(ledger, campaign))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        say("\n".join(run_table(runs, width, mailed)) or no_run(ledger, campaign))


@app.command()
def show(context: typer.Context, run: RunId, as_json: AsJson = False) -> None:
    """Show one run: its figures, its files, the regions that its pieces go to, and its events.

    Example: dmail-runner show spring_catalog-20270301T110000Z
    """
    from dmail_runner.cli.text import event_lines, events_json, next_command_lines, run_lines
    from dmail_runner.ledger.run import run_as_json
    from dmail_runner.project.manifest import is_removed
    from dmail_runner.report.rows import read_details

    settings, ledger = open_ledger(context.obj)
    found = ledger.named(run)
    details = read_details(ledger, [found.run_id])[found.run_id]
    if as_json:
        regions = [vars(region) for region in details.regions]
        say_json({**run_as_json(found), "regions": regions, "events": events_json(details.events)})
    else:
        removed = is_removed(settings, found.campaign)
        lines = [*run_lines(found, compared=ledger.compared(found)), *event_lines(details.regions, details.events)]
        if found.state == "planned" and (found.wave or 1) > 1 and not removed:
            lines += wave_lines(open_project(context.obj)[1].campaign(found.campaign), found, ledger, now())
        say("\n".join([*lines, *next_command_lines(found, removed=removed)]))

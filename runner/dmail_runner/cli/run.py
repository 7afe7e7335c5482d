"""Commands that deliver."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dmail_runner.cli.base import (
    AsJson,
    Name,
    Names,
    Slot,
    app,
    attempt,
    ended,
    found_job,
    loaded,
    now,
    opened,
    parse_slot,
    put_out,
    say,
    screen,
    tell,
    worst,
)
from dmail_runner.cli.due import run_due
from dmail_runner.core.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.declare.campaign import Campaign
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.manifest import Manifest
    from dmail_runner.run.job import Job


class Hold(StrEnum):
    """The gates that a person may let a run pass."""

    volume = "volume"


@dataclass(frozen=True)
class Task:
    """What `run` is asked to do with each campaign.

    Attributes:
        slot: the slot in UTC, or None for the one that is due.
        tried: collects the figures of dry runs; None for runs that deliver.
        accepted: the gates that a person lets the run pass.

    """

    slot: datetime | None
    tried: list[dict[str, Any]] | None
    accepted: frozenset[str]


@app.command()
def run(
    context: typer.Context,
    campaigns: Names = None,
    slot: Slot = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Build, check and count; deliver and record nothing.")] = False,
    due: Annotated[
        bool, typer.Option("--due", help="All that is due by the schedules, and was left undone; for a scheduler.")
    ] = False,
    accept: Annotated[
        list[Hold] | None, typer.Option(help="Let the slot pass a gate that holds it; the ledger notes who did.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The dbt target, such as spark.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Build, check, extract and deliver what is due. A slot that is done is left alone.

    Example: dmail-runner run spring_catalog --slot 2027-03-01T11:00Z
    """
    from dmail_runner.project.dbt_process import run_dbt

    check_options(campaigns, slot, dry=dry, due=due, accept=accept)
    where = replace(context.obj, target=target or context.obj.target)
    screen.silent = as_json
    tried: list[dict[str, Any]] = []
    if due:
        settings = where.settings()
        code = run_due(settings, partial(run_dbt, watch=screen.node))
    else:
        settings, manifest = loaded(where)
        task = Task(parse_slot(slot) if slot is not None else None, tried if dry else None, frozenset(accept or ()))
        code = worst(attempt(partial(run_one, settings, manifest, name, task)) for name in chosen(settings, manifest, campaigns))
    if as_json:
        tell_runs(settings, tried)
    raise typer.Exit(code)


def check_options(campaigns: list[str] | None, slot: str | None, *, dry: bool, due: bool, accept: list[Hold] | None) -> None:
    """Raises UsageError for options that contradict each other."""
    if due and (campaigns or slot is not None or dry or accept):
        raise UsageError("--due goes alone: it takes every campaign, and the slots of their schedules")
    if slot is not None:
        parse_slot(slot)
        if not campaigns:
            raise UsageError("--slot needs the campaign that it is a slot of")
    if accept and (slot is None or not campaigns or len(campaigns) != 1):
        raise UsageError("--accept needs one campaign and its --slot: it lets that very run pass")


def chosen(settings: "Settings", manifest: "Manifest", campaigns: list[str] | None) -> list[str]:
    """The campaigns to run: the named ones, or all that are active. Raises ConfigError."""
    from dmail_runner.run.job import shared_names

    if not campaigns and (orphans := list(manifest.orphans())):
        raise ConfigError(orphans)
    if shared := list(shared_names(settings, manifest)):
        raise ConfigError(shared)
    names = campaigns or [name for name in manifest.names if is_active(manifest, name)]
    if not names:
        say("no campaign is active")
    return list(dict.fromkeys(names))


def tell_runs(settings: "Settings", tried: list[dict[str, Any]]) -> None:
    """The runs of this command as the ledger has them now, however they ended; or what dry ones came to."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import run_as_json

    runs = {run.run_id: run for run in Ledger(settings, now).runs(screen.run_ids)}
    ended = [run_as_json(runs[run_id]) for run_id in screen.run_ids if run_id in runs]
    put_out(json.dumps({"runs": tried or ended}, indent=2))


def run_one(settings: "Settings", manifest: "Manifest", name: str, task: Task) -> None:
    """Run one campaign's slot, and print how it ended."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.plan.due import due_slot

    campaign = manifest.campaign(name)
    if campaign.mail.status != "active" and task.tried is None:
        raise UsageError(
            f"campaign {name} is {campaign.mail.status}", todo=f"set `status: active` in {campaign.file}, or use --dry-run"
        )
    job = replace(found_job(settings, campaign), accepted=task.accepted)
    ledger = Ledger(settings, now)
    slot = task.slot or due_slot(campaign, ledger, now())
    if slot is None:
        say_nothing_due(campaign)
    elif task.tried is not None:
        task.tried.append(try_one(job, slot, ledger))
    else:
        deliver_one(job, slot, ledger, asked_for=task.slot is not None)


def say_nothing_due(campaign: "Campaign") -> None:
    """Print when the next slot is."""
    from dmail_runner.plan.slots import next_slot

    following = next_slot(campaign.mail.schedule, now()) if campaign.mail.schedule else None
    known = f"the next slot is {following:%Y-%m-%d %H:%M} UTC" if following else "no slot is left"
    say(f"{campaign.name}: nothing is due; {known}")


def try_one(job: "Job", slot: datetime, ledger: "Ledger") -> dict[str, Any]:
    """Make the files of a slot without recording or delivering them, and print their figures. Returns them for programs."""
    from dmail_runner.cli.text import figures, file_lines
    from dmail_runner.ledger.run import instant, verdicts_as_json
    from dmail_runner.run.pipeline import dry_run

    verdicts, parts = dry_run(job, slot, ledger)
    cost = job.cost(sum(part.rows for part in parts))
    say(f"{job.campaign.name}  slot {slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC  dry run: nothing was delivered or recorded")
    say("\n".join([*figures(verdicts), *(line for part in parts if not part.side for line in file_lines(part, None))]))
    if cost:
        say(f"  cost      about {cost}")
    return {"campaign": job.campaign.name, "slot": instant(slot), "dry_run": True, **verdicts_as_json(verdicts), "cost": cost}


def deliver_one(job: "Job", slot: datetime, ledger: "Ledger", *, asked_for: bool) -> None:
    """Run a slot, and print how its run ended."""
    from dmail_runner.cli.text import run_lines
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.ledger.run import run_name
    from dmail_runner.plan.planner import run_of
    from dmail_runner.run.due import Scheduler
    from dmail_runner.run.notify import Notifier
    from dmail_runner.run.pipeline import run_slot

    name = job.campaign.name
    before = run_of(job.campaign, slot, ledger)
    scheduler = Scheduler(ledger, Notifier(find_notices(job.settings), ledger, tell))
    with scheduler.announced(job, before.run_id if before else run_name(name, slot)):
        done = run_slot(job, slot, ledger, asked_for=asked_for)
    ended(done)
    if before and before.finished and done.state == before.state != "empty":
        say(f"{name}: this slot is {before.state} already; nothing was done")
    say("\n".join(run_lines(done)))


@app.command()
def proof(
    context: typer.Context,
    campaign: Name,
    slot: Slot = None,
) -> None:
    """Deliver a file of the test profiles and seeds alone, under a name marked TEST. Needs models that were built before.

    Example: dmail-runner proof spring_catalog
    """
    import getpass

    from dmail_runner.cli.text import file_lines
    from dmail_runner.look.proof import prove

    job, ledger, due = opened(context.obj, campaign, slot)
    delivered = prove(job, due, now(), ledger, getpass.getuser())
    say(f"{campaign}  slot {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC  proof: not to be mailed")
    say("\n".join(line for part, receipt in delivered if not part.side for line in file_lines(part, receipt.location)))


@app.command()
def purge(context: typer.Context) -> None:
    """Give up the runs that nobody finished, where the provider's `retention_days` are over, and remove what killed ones left.

    Example: dmail-runner purge
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.warehouse import building
    from dmail_runner.run.housekeeping import purge_all

    settings, manifest = loaded(context.obj)
    with building(settings, "purge", tell):
        pass  # what killed builds have left is gone
    jobs = {name: job for name in manifest.names if (job := job_or_none(settings, manifest, name))}
    for run in purge_all(settings, jobs, Ledger(settings, now), tell):
        say(f"kept     {run.run_id}: some of it may have been delivered; its files are in {settings.spool_dir}")
    say("purged")


def job_or_none(settings: "Settings", manifest: "Manifest", name: str) -> "Job | None":
    """A campaign's job; None, and a message, if the campaign is declared wrongly."""
    try:
        return found_job(settings, manifest.campaign(name))
    except ConfigError as error:
        tell(f"note     {name} is declared wrongly: {error.what}")
        return None


def is_active(manifest: "Manifest", name: str) -> bool:
    """Whether a campaign is to run; a faulty declaration counts, so that its fault is told."""
    try:
        return bool(manifest.campaign(name).mail.status == "active")
    except ConfigError:
        return True

"""Commands that deliver."""

import json
from dataclasses import replace
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
    now,
    opened,
    parse_slot,
    put_out,
    say,
    screen,
    tell,
)
from dmail_runner.cli.due import run_due
from dmail_runner.core.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.project.manifest import Manifest


class Hold(StrEnum):
    """The gates that a person may let a run pass."""

    volume = "volume"


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
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.run.job import shared_names

    settings = replace(context.obj, target=target or context.obj.target).settings()
    screen.silent = as_json
    if due:
        if campaigns or slot is not None or dry or accept:
            raise UsageError("--due goes alone: it takes every campaign, and the slots of their schedules")
        code = run_due(settings, partial(run_dbt, watch=screen.node))
        if as_json:
            tell_runs(settings, [])
        raise typer.Exit(code)
    moment = parse_slot(slot) if slot is not None else None
    manifest = load_manifest(settings, run_dbt)
    chosen = campaigns or [name for name in manifest.names if is_active(manifest, name)]
    if slot is not None and not campaigns:
        raise UsageError("--slot needs the campaign that it is a slot of")
    if not campaigns and (orphans := list(manifest.orphans())):
        raise ConfigError(orphans)
    if shared := list(shared_names(settings, manifest)):
        raise ConfigError(shared)
    if accept and (slot is None or not campaigns or len(campaigns) != 1):
        raise UsageError("--accept needs one campaign and its --slot: it lets that very run pass")
    accepted = frozenset(hold.value for hold in accept or ())
    tried: list[dict[str, Any]] = []
    one = partial(run_one, settings, manifest, moment=moment, tried=tried if dry else None, accepted=accepted)
    codes = [attempt(partial(one, name)) for name in dict.fromkeys(chosen)]
    if not chosen:
        say("no campaign is active")
    if as_json:
        tell_runs(settings, tried)
    raise typer.Exit(next((code for code in (1, 2, 3) if code in codes), 0))


def tell_runs(settings: "Settings", tried: list[dict[str, Any]]) -> None:
    """The runs of this command as the ledger has them now, however they ended; or what dry ones came to."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import run_as_json

    runs = {run.run_id: run for run in Ledger(settings, now).runs(screen.run_ids)}
    ended = [run_as_json(runs[run_id]) for run_id in screen.run_ids if run_id in runs]
    put_out(json.dumps({"runs": tried or ended}, indent=2))


def run_one(
    settings: "Settings",
    manifest: "Manifest",
    name: str,
    moment: datetime | None,
    *,
    tried: list[dict[str, Any]] | None,
    accepted: frozenset[str],
) -> None:
    """Run one campaign's slot and print how it ended; into `tried`, where there is such, by a dry run."""
    from dmail_runner.cli.text import figures, file_lines, run_lines
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import instant, run_name, verdicts_as_json
    from dmail_runner.plan.due import due_slot
    from dmail_runner.plan.planner import run_of
    from dmail_runner.plan.slots import next_slot
    from dmail_runner.run.due import Attendant
    from dmail_runner.run.notify import Herald
    from dmail_runner.run.pipeline import dry_run, run_slot

    campaign = manifest.campaign(name)
    if campaign.mail.status != "active" and tried is None:
        raise UsageError(
            f"campaign {name} is {campaign.mail.status}", todo=f"set `status: active` in {campaign.file}, or use --dry-run"
        )
    job = replace(found_job(settings, campaign), accepted=accepted)
    ledger = Ledger(settings, now)
    due = moment or due_slot(campaign, ledger, now())
    if due is None:
        schedule = campaign.mail.schedule
        following = next_slot(schedule, now()) if schedule else None
        say(
            f"{name}: nothing is due; " + (f"the next slot is {following:%Y-%m-%d %H:%M} UTC" if following else "no slot is left")
        )
        return
    if tried is not None:
        verdicts, parts = dry_run(job, due, ledger)
        cost = job.cost(sum(part.rows for part in parts))
        tried.append({"campaign": name, "slot": instant(due), "dry_run": True, **verdicts_as_json(verdicts), "cost": cost})
        say(f"{name}  slot {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC  dry run: nothing was delivered or recorded")
        say("\n".join([*figures(verdicts), *(line for part in parts if not part.side for line in file_lines(part, None))]))
        if cost:
            say(f"  cost      about {cost}")
        return
    before = run_of(campaign, due, ledger)
    attendant = Attendant(ledger, Herald(find_notices(settings), ledger, tell))
    with attendant.announced(job, before.run_id if before else run_name(name, due)):
        done = run_slot(job, due, ledger, asked_for=moment is not None)
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
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.project.warehouse import building
    from dmail_runner.run.housekeeping import purge_gone

    settings = context.obj.settings()
    manifest = load_manifest(settings, run_dbt)
    ledger = Ledger(settings, now)
    with building(settings, "purge", tell):
        pass  # what killed builds have left is gone
    kept = [run for name in manifest.names for run in purge_declared(settings, manifest, name, ledger)]
    for name in sorted(ledger.campaigns() - set(manifest.names)):
        kept += purge_gone(settings, name, ledger, tell)
    for run in kept:
        say(f"kept     {run.run_id}: some of it may have been delivered; its files are in {settings.spool_dir}")
    say("purged")


def purge_declared(settings: "Settings", manifest: "Manifest", name: str, ledger: "Ledger") -> "list[Run]":
    """Purge a campaign of the project; one that is declared wrongly by the ledger alone. The runs that were kept."""
    from dmail_runner.run.housekeeping import purge as purge_campaign
    from dmail_runner.run.housekeeping import purge_gone
    from dmail_runner.run.spool import tidy_spool

    try:
        job = found_job(settings, manifest.campaign(name))
    except ConfigError as error:
        tell(f"note     {name} is declared wrongly, and is purged by the ledger alone: {error.what}")
        return purge_gone(settings, name, ledger, tell)
    with ledger.turn(name, "purge"):
        tidy_spool(settings, name, ledger)
        return purge_campaign(job, ledger)


def is_active(manifest: "Manifest", name: str) -> bool:
    """Whether a campaign is to run; a faulty declaration counts, so that its fault is told."""
    try:
        return bool(manifest.campaign(name).mail.status == "active")
    except ConfigError:
        return True

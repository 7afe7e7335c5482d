"""Runs that a person requests: selects campaigns, and delivers a slot of each or only tries it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from dmail_runner.core.errors import ConfigError, UsageError
from dmail_runner.core.money import cost_text
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Part, Verdicts
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run, run_name
from dmail_runner.plan.due import due_slot
from dmail_runner.plan.planner import find_run
from dmail_runner.plan.slots import next_slot
from dmail_runner.project.manifest import Manifest
from dmail_runner.run.due import Scheduler
from dmail_runner.run.job import Job, activation, by_priority, conflicts
from dmail_runner.run.pipeline import dry_run, run_slot


@dataclass(frozen=True)
class Request:
    """The request for each campaign.

    Attributes:
        slot: the slot in UTC; None for the one that is due.
        dry: True to build, check and count only.
        accepted: the gates that the person lets the run pass.
    """

    slot: datetime | None = None
    dry: bool = False
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NothingDue:
    """The result if no slot is due. `next_slot`: the next one in UTC; None if there is none."""

    next_slot: datetime | None


@dataclass(frozen=True)
class DryRun:
    """The result of a dry run.

    Attributes:
        slot: the slot in UTC.
        verdicts: the figures.
        parts: the files that a run would deliver.
        cost: the estimated cost, with its currency; None without a tariff.
        encrypted: whether a run would encrypt these files. Sizes and hashes are those before that.
    """

    slot: datetime
    verdicts: Verdicts
    parts: tuple[Part, ...]
    cost: str | None
    encrypted: bool = False


@dataclass(frozen=True)
class Ended:
    """The result of a run that has ended. `unchanged`: True if it had ended before, so that nothing was done."""

    run: Run
    unchanged: bool


def choose_campaigns(settings: Settings, manifest: Manifest, names: list[str] | None) -> list[str]:
    """The campaigns to run: the given ones in their order, or all active ones in the order of their priorities.

    Raises:
        ConfigError: if two campaigns have the same file name on a route; and, if no names are given, if no campaign delivers an
            extract.
    """
    if not names and (orphans := list(manifest.orphans())):
        raise ConfigError(orphans)
    if shared := list(conflicts(settings, manifest)):
        raise ConfigError(shared)
    active = [name for name in manifest.names if is_active(manifest, name)]
    return list(dict.fromkeys(names or by_priority(manifest, active)))


def is_active(manifest: Manifest, name: str) -> bool:
    """Whether a campaign is active. A campaign with errors counts as active, so that a run reports them."""
    try:
        return bool(manifest.campaign(name).status == "active")
    except ConfigError:
        return True


def run_requested(
    campaign: Campaign, request: Request, scheduler: Scheduler, find: Callable[[Campaign], Job]
) -> NothingDue | DryRun | Ended:
    """Carry out a request for one campaign, and notify people of the result. Nobody is notified of a dry run.

    Args:
        campaign: the campaign.
        request: the request.
        scheduler: has the ledger, and notifies people.
        find: returns the campaign's job.

    Raises:
        UsageError: if the campaign is not active. A dry run is possible for any campaign.
        DmailError: if the run fails or is held.
    """
    if campaign.status != "active" and not request.dry:
        raise UsageError(
            f"campaign {campaign.name} is {campaign.status}",
            todo=f"{activation(campaign)}, or use --dry-run",
        )
    ledger = scheduler.ledger
    with scheduler.unexpected_announced(campaign.name):
        job = replace(find(campaign), accepted=request.accepted)
        slot = request.slot or due_slot(campaign, ledger, ledger.now())
        before = find_run(campaign, slot, ledger) if slot else None
    if slot is None:
        return NothingDue(next_slot(campaign.mail.schedule, ledger.now()) if campaign.mail.schedule else None)
    if request.dry:
        return try_slot(job, slot, ledger)
    with scheduler.announced(job, before.run_id if before else run_name(campaign.name, slot)):
        run = run_slot(job, slot, ledger, asked_for=request.slot is not None)
    return Ended(run, bool(before and before.finished and run.state == before.state != "empty"))


def try_slot(job: Job, slot: datetime, ledger: Ledger) -> DryRun:
    """Make the files of a slot without recording or delivering them."""
    verdicts, parts = dry_run(job, slot, ledger)
    return DryRun(slot, verdicts, tuple(parts), cost_text(verdicts.estimate), job.seal is not None)

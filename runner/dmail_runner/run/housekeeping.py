"""Housekeeping at the start of each run: retention of earlier runs, and checks and compaction of the contact history."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

from dmail_runner import history
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Busy, ConfigError
from dmail_runner.core.lock import locked
from dmail_runner.core.settings import Settings
from dmail_runner.declare.answers import KINDS
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.provider import RETENTION_DAYS
from dmail_runner.history import weeks
from dmail_runner.history.compact import compact
from dmail_runner.history.record import confirm, damaged, history_faults, require_intact
from dmail_runner.history.weeks import HistoryError
from dmail_runner.inbound.stored import expire, lock_inbound, require_stored
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run, campaign_of
from dmail_runner.project.erasure import drop_campaign, has_tables
from dmail_runner.project.warehouse import lock_warehouse
from dmail_runner.run.give_up import UNKNOWN, cancel
from dmail_runner.run.job import Job
from dmail_runner.run.spool import tidy_spool


def check_history(job: Job, ledger: Ledger) -> None:
    """Raises LedgerError if the contact history has runs that the ledger lacks, because an old copy was restored."""
    if strange := strangers(job, ledger):
        raise LedgerError(
            f"the contact history has the run {strange[0]}, and the ledger {ledger.name} does not"
            + (f"; {counted(len(strange) - 1, 'other is', 'others are')} missing as well" if len(strange) > 1 else ""),
            todo="restore the newest ledger, or accept this one with `dmail-runner audit reconcile`; nothing was sent",
        )


def strangers(job: Job, ledger: Ledger) -> list[str]:
    """The campaign's runs in the contact history for which the ledger has no frozen file."""
    own = sorted(history.run_ids(job.settings, job.campaign.name))
    known = {run.run_id for run in ledger.runs(own) if run.frozen}
    return [name for name in own if name not in known]


def check_contacts(job: Job, ledger: Ledger, *, copy: bool = False) -> None:
    """Raises HistoryError or InboundError if a file that the campaign's rules read is missing, short or changed.

    `copy`: for a copy every file counts, because the history has the people of its original.
    """
    found = [fault for fault in history_faults(job.settings, ledger) if copy or concerns(job, fault.file)]
    if found:
        raise damaged(job.settings, found)
    gates = [*(["invoice"] if job.budget else ()), *(["acknowledgement"] if job.campaign.materials else ())]
    require_stored(job.settings, ledger, [kind for kind in KINDS if f"inbound_{kind}" in job.campaign.records or kind in gates])


def concerns(job: Job, file: str) -> bool:
    """Whether a campaign's rules read a file of the contact history."""
    if file.startswith("forgotten/"):
        return "forgotten" in job.campaign.records
    if file.endswith((history.AUDIENCE, history.VERDICTS)):
        return campaign_of(file.split("/", maxsplit=1)[0]) == job.campaign.name
    return "contact_history" in job.campaign.records or job.campaign.vouchers is not None


def purge_all(settings: Settings, jobs: Mapping[str, Job], ledger: Ledger, tell: Callable[[str], None]) -> Iterator[Run]:
    """Purge all campaigns, and remove what killed runs have left in the spool. Yields the runs that are kept.

    A campaign without a job is no longer in the project, or has errors. It is purged by the ledger alone.
    """
    with suppress(Busy), locked(settings.state_dir / "replay.lock", "purge"):
        shutil.rmtree(settings.replay_dir, ignore_errors=True)
    if settings.inbound_dir.is_dir():
        with suppress(Busy, ConfigError), lock_inbound(settings, "purge"):
            expire(settings, ledger, find_inbound(settings).items())
    for name in sorted(ledger.campaigns() | jobs.keys()):
        with ledger.campaign_lock(name, "purge"):
            tidy_spool(settings, name, ledger)
            if job := jobs.get(name):
                yield from purge(job, ledger)
            else:
                yield from purge_waiting(settings, name, ledger, RETENTION_DAYS, tell)
            drop_expired(settings, name, ledger, job.provider.retention_days if job else RETENTION_DAYS)


def purge(job: Job, ledger: Ledger, *, spared: str | None = None) -> list[Run]:
    """Purge a campaign of the project, and maintain its contact history. Returns the runs that are kept."""
    keep_history(job, ledger)
    days = job.provider.retention_days
    return purge_waiting(job.settings, job.campaign.name, ledger, days, job.tell, spared=spared)


def purge_waiting(
    settings: Settings, campaign: str, ledger: Ledger, days: int, tell: Callable[[str], None], *, spared: str | None = None
) -> list[Run]:
    """Cancel the runs of a campaign that have not changed for a number of days.

    Args:
        settings: the project's settings.
        campaign: the campaign.
        ledger: the ledger.
        days: the number of days.
        tell: shows a line of progress.
        spared: the run_id of a run that is not cancelled.

    Returns:
        The old runs that the provider may have in part. They are not cancelled: a person must decide.
    """
    kept = []
    end = ledger.now() - timedelta(days=days)
    for run in ledger.waiting(campaign):
        if run.run_id == spared or run.changed is None or max(run.changed, run.slot) > end:
            continue
        if run.may_have_left or run.hold == UNKNOWN:
            kept.append(run)
        else:
            cancel(settings, run, ledger, f"it waited for more than {counted(days, 'day')}", tell)
    return kept


def drop_expired(settings: Settings, campaign: str, ledger: Ledger, days: int) -> None:
    """Drop a campaign's tables in the warehouse if its runs have ended, and the last change was some days ago.

    It does not wait: if a build is under way, a later call does it.
    """
    last = ledger.last_change(campaign)
    if last is None or last + timedelta(days=days) > ledger.now() or ledger.waiting(campaign):
        return
    # Without the lock, a build that starts now could not open the file.
    with suppress(Busy), lock_warehouse(settings, f"retention of {campaign}", lambda _: None, timeout=0):
        if has_tables(settings, campaign):
            drop_campaign(settings, campaign)


def keep_history(job: Job, ledger: Ledger) -> None:
    """Remove contacts older than the provider's `history_days`, and compact. Mailings neither fail nor wait for it."""
    if not job.settings.history_dir.is_dir():
        return
    try:
        with weeks.lock_history(job.settings, f"compaction, {job.campaign.name}"):
            # What is rewritten is recorded anew. A file that was changed before must not become a right one by that.
            require_intact(job.settings, ledger)
            confirm(job.settings, ledger)
            if job.provider.history_days is not None:
                history.remove_before(
                    job.settings, ledger, job.campaign.name, ledger.now() - timedelta(days=job.provider.history_days)
                )
            compact(job.settings, ledger)
    except Busy:
        return
    except (OSError, HistoryError) as error:
        problem = error.what if isinstance(error, HistoryError) else error.strerror
        job.tell(f"note     the contact history could not be compacted, and is unchanged: {problem}")
